//! `/explorer`: a form for every operation of the three dialects, carried out as whoever one chooses, with
//! request and answer as on the wire and the same call as code.
//!
//! - `data` is `operations.json`, which has every operation with its fields.
//! - `caller` says as whom: something lent for a quarter of an hour, or what somebody types.
//! - `exchange` sends through the routes of the dialects, so signature, policies, limits and faults are
//!   those of a call from outside.
//! - `samples` writes the call as code.
//!
//! What is typed as a secret is used for the one answer and neither kept nor shown again.

mod call;
mod caller;
mod data;
mod exchange;
pub(super) mod operator;
mod samples;

use core::net::SocketAddr;

use askama::Template;
use axum::Extension;
use axum::extract::{ConnectInfo, Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::uri::Scheme;
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use super::Console;
use super::frame::{Frame, Section, ok, rendered};
use super::guard::Fields;
use super::trouble::{ErrorPage, Notice};
use crate::cams::signature::Family;
use call::Call;
pub(super) use caller::Lent;
use data::{Dialect, Field, Operation, Place};
use exchange::Exchange;
use samples::Sample;

/// Most parties that a choice offers.
const PARTIES_MAX: usize = 200;

/// A line of the list.
struct Line {
    href: String,
    title: String,
    summary: &'static str,
    served: bool,
}

#[derive(Template)]
#[template(path = "explorer_list.html")]
struct ListPage {
    f: Frame,
    dialects: [Dialect; 3],
    dialect: Dialect,
    lines: Vec<Line>,
}

/// A field of the form.
struct Input {
    field: &'static Field,
    value: String,
    note: &'static str,
}

/// Somebody to call as.
struct Party {
    value: String,
    label: String,
}

#[derive(Template)]
#[template(path = "explorer.html")]
struct Page {
    f: Frame,
    operation: &'static Operation,
    title: String,
    summary: &'static str,
    inputs: Vec<Input>,
    parties: Vec<Party>,
    party: String,
    is_rpc: bool,
    exchange: Option<Exchange>,
    samples: Vec<Sample>,
    variables: &'static [&'static str],
    /// The clock of the sandbox is not this machine's: programs would sign at another time.
    clock_turned: bool,
}

impl Page {
    fn is_cams(&self) -> bool {
        self.operation.dialect == Dialect::Cams
    }

    fn is_basic(&self) -> bool {
        self.operation.auth.is_some()
    }
}

/// `GET /explorer`.
pub(super) async fn first() -> Redirect {
    Redirect::to("/console/explorer/cams")
}

/// `GET /explorer/{dialect}`.
pub(super) async fn list(frame: Frame, Path(dialect): Path<String>) -> Response {
    let f = frame.in_section(Section::Explorer);
    let Some(dialect) = Dialect::parse(&dialect) else {
        return ErrorPage::new(f, StatusCode::NOT_FOUND).into_response();
    };
    let line = |it: &'static Operation| Line {
        href: format!("/console/explorer/{}/{}", dialect.as_str(), it.id),
        title: it.title(),
        summary: it.summary(f.language),
        served: it.served,
    };
    let mut lines: Vec<_> = data::of(dialect).map(line).collect();
    lines.sort_by_key(|line| !line.served);
    ok(&ListPage { dialects: Dialect::ALL, dialect, lines, f })
}

/// `GET /explorer/{dialect}/{operation}`.
pub(super) async fn page(
    State(console): State<Console>,
    scheme: Option<Extension<Scheme>>,
    frame: Frame,
    Path(named): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let f = frame.in_section(Section::Explorer);
    let Some(operation) = find(&named) else {
        return ErrorPage::new(f, StatusCode::NOT_FOUND).into_response();
    };
    let known = Known::read(&console).await;
    let value = |field: &Field| known.value(field).unwrap_or_else(|| field.value.clone());
    let values: Vec<_> = operation.fields.iter().map(|field| (field, value(field))).collect();
    let base = base(&console, scheme, &headers);
    let call = compose(operation, base, values, "", Family::V3);
    ok(&page_of(&console, f, &call, "").await)
}

/// `POST /explorer/{dialect}/{operation}`: sends it, or only writes the code.
pub(super) async fn send(
    State(console): State<Console>,
    scheme: Option<Extension<Scheme>>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    frame: Frame,
    Path(named): Path<(String, String)>,
    headers: HeaderMap,
    fields: Fields,
) -> Response {
    let f = frame.in_section(Section::Explorer);
    let Some(operation) = find(&named) else {
        return ErrorPage::new(f, StatusCode::NOT_FOUND).into_response();
    };
    // A browser sends line ends as a form has them.
    let value = |field: &Field| fields.raw(&format!("p.{}", field.name)).replace("\r\n", "\n");
    let values: Vec<_> = operation.fields.iter().map(|field| (field, value(field))).collect();
    let party = fields.get("party").unwrap_or_default();
    let family = exchange::family(fields.get("signature").unwrap_or_default());
    let base = base(&console, scheme.clone(), &headers);
    let call = compose(operation, base, values, party, family);
    let mut page = page_of(&console, f, &call, party).await;
    if fields.get("do") == Some("code") {
        return ok(&page);
    }
    let with = match console.lent.credential(&console.app.service, operation, &fields).await {
        Ok(with) => with,
        Err(error) => {
            tracing::warn!(%error, "the explorer could lend nothing");
            return ErrorPage::new(page.f, StatusCode::SERVICE_UNAVAILABLE).into_response();
        }
    };
    let outgoing = match exchange::write_down(&console.app, &call, &with) {
        Ok(outgoing) => outgoing,
        Err(field) => return unsendable(page, field),
    };
    let mut origin = http::Extensions::new();
    if let Some(Extension(peer)) = peer {
        origin.insert(peer);
    }
    if let Some(Extension(scheme)) = scheme {
        origin.insert(scheme);
    }
    match outgoing.send(&console.wire, &operation.method, origin).await {
        Some(exchange) => {
            page.exchange = Some(exchange);
            ok(&page)
        }
        None => unsendable(page, "path"),
    }
}

/// The page, with the field that no request can carry.
fn unsendable(mut page: Page, field: &str) -> Response {
    let mut notice = Notice::good(page.f.t.explorer.unsendable);
    notice.tone = "bad";
    notice.lines.push(field.to_owned());
    page.f = page.f.with(notice);
    rendered(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

fn find(named: &(String, String)) -> Option<&'static Operation> {
    data::find(Dialect::parse(&named.0)?, &named.1)
}

/// A call with the values that are sent: all that is required, and the rest where something was typed.
fn compose(
    operation: &'static Operation,
    base: String,
    values: Vec<(&'static Field, String)>,
    party: &str,
    family: Family,
) -> Call {
    let prefix = match party.strip_prefix("client:") {
        Some(client) if client != service::clients::DEFAULT => {
            format!("/clients/{}", super::guard::url_encoded(client))
        }
        _ => String::new(),
    };
    let sent = |(field, value): &(&Field, String)| {
        !value.is_empty() || (field.required && !matches!(field.place, Place::Bytes | Place::Json))
    };
    let values = values.into_iter().filter(sent).collect();
    Call { operation, base, prefix, family, values }
}

async fn page_of(console: &Console, f: Frame, call: &Call, party: &str) -> Page {
    let operation = call.operation;
    let given = |field: &Field| {
        let given = call.values.iter().find(|(it, _)| it.name == field.name);
        given.filter(|_| !field.secret).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let input = |field: &'static Field| Input {
        value: given(field),
        note: data::note(&field.name, f.language),
        field,
    };
    let tools = console.app.sandbox.as_ref();
    let ahead = tools.map_or(0, |tools| tools.clock.ahead_ms());
    Page {
        title: operation.title(),
        summary: operation.summary(f.language),
        inputs: operation.fields.iter().map(input).collect(),
        parties: parties(console, operation.dialect).await,
        party: party.to_owned(),
        is_rpc: call.family == Family::V1,
        exchange: None,
        samples: samples::of(call),
        variables: samples::variables(operation.dialect, operation.auth),
        clock_turned: ahead.abs() > CLOCK_APART_MS,
        operation,
        f,
    }
}

/// From here on a signature of now is refused, less a reserve of a minute.
const CLOCK_APART_MS: i64 = 14 * 60 * 1000;

/// Everybody that a call of the dialect can be made as.
async fn parties(console: &Console, dialect: Dialect) -> Vec<Party> {
    let kinds: &[(&str, &str)] = match dialect {
        Dialect::Cams => &[("account", "/accounts"), ("user", "/users")],
        Dialect::Graph => &[("account", "/accounts")],
        Dialect::Onprem => &[("client", "/clients")],
    };
    let mut parties = Vec::new();
    for (kind, path) in kinds {
        let found: Result<Value, _> =
            console.inside.get(&format!("{path}?limit={PARTIES_MAX}")).await;
        let items = found.map(|mut found| found["items"].take()).unwrap_or_default();
        for item in items.as_array().into_iter().flatten() {
            let text = |name: &str| item[name].as_str().unwrap_or_default();
            let name = match *kind {
                "user" => format!("{}/{}", text("account"), text("name")),
                _ => text("id").to_owned(),
            };
            parties.push(Party { value: format!("{kind}:{name}"), label: name });
        }
    }
    // The default ones first: they are there from the first start.
    parties.sort_by_key(|party| party.label != service::clients::DEFAULT);
    parties
}

/// Things of this installation that a form can begin with.
#[derive(Default)]
struct Known {
    space: Option<String>,
    waba: Option<String>,
    phone: Option<String>,
}

impl Known {
    async fn read(console: &Console) -> Self {
        let first = async |path: &str| -> Value {
            let found: Result<Value, _> = console.inside.get(path).await;
            found.map(|found| found["items"][0].clone()).unwrap_or_default()
        };
        let waba = first("/wabas?limit=1").await;
        let number = first("/numbers?limit=1").await;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let phone = match number["number"].as_str() {
            Some(number) => {
                let path = format!("/numbers/{}", number.trim_start_matches('+'));
                let shown: Result<Value, _> = console.inside.get(&path).await;
                shown.ok().and_then(|shown| text(&shown["claims"][0]["id"]))
            }
            None => None,
        };
        Self { space: text(&waba["space"]), waba: text(&waba["id"]), phone }
    }

    fn value(&self, field: &Field) -> Option<String> {
        match field.name.as_str() {
            "CustSpaceId" if !field.value.is_empty() => self.space.clone(),
            "WabaId" | "waba" if !field.value.is_empty() => self.waba.clone(),
            "phone" => self.phone.clone(),
            _ => None,
        }
    }
}

/// Where this server is reached: its public address, else as the browser wrote it.
fn base(console: &Console, scheme: Option<Extension<Scheme>>, headers: &HeaderMap) -> String {
    let public = &console.app.settings.public_url;
    if !public.is_empty() {
        return public.clone();
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let sound = |host: &&str| {
        !host.is_empty()
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:-[]_".contains(&byte))
    };
    // It stands in code that is pasted into a shell.
    let host = Some(host).filter(sound).unwrap_or("127.0.0.1:8080");
    let scheme = scheme.map_or(Scheme::HTTP, |Extension(scheme)| scheme);
    format!("{scheme}://{host}")
}
