//! `/access/{kind}`: accounts and what is below them. One page for all kinds: each says which columns and
//! which fields it has, and the operator's API does the rest.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Console;
use super::choices::offered;
use super::frame::{Frame, Section, rendered};
use super::guard::{Fields, url_encoded};
use super::numbers::PageOf;
use super::shape::Moment;
use super::trouble::{ErrorPage, Notice, Trouble};

/// A kind of thing, by its word in addresses and in the operator's API.
struct Kind {
    word: &'static str,
    /// Fields that are shown.
    columns: &'static [&'static str],
    /// Fields of the form that makes one, and whether each must be filled in.
    form: &'static [(&'static str, bool)],
    /// Its id is `account/name`.
    in_account: bool,
}

const KINDS: &[Kind] = &[
    kind("accounts", &["id", "name", "subscribed", "created_at"], &[("id", true), ("name", false)]),
    kind(
        "spaces",
        &["id", "name", "account", "created_at"],
        &[("account", true), ("id", false), ("name", false)],
    ),
    kind(
        "wabas",
        &["id", "name", "space", "account", "created_at"],
        &[("space", true), ("id", false), ("name", false)],
    ),
    kind(
        "clients",
        &["id", "waba", "account", "host", "retired", "created_at"],
        &[("id", true), ("waba", true), ("host", false), ("admin_password", false)],
    ),
    of_account(
        "users",
        &["name", "display_name", "account", "policies", "groups", "created_at"],
        &[("account", true), ("name", true), ("display_name", false)],
    ),
    of_account(
        "groups",
        &["name", "display_name", "account", "policies", "created_at"],
        &[("account", true), ("name", true), ("display_name", false)],
    ),
    kind(
        "access-keys",
        &["id", "account", "user", "active", "temporary", "created_at"],
        &[("account", true), ("user", false)],
    ),
    kind(
        "graph-tokens",
        &["id", "name", "account", "scopes", "expires_at", "created_at"],
        &[("account", true), ("name", true)],
    ),
    kind(
        "operators",
        &["name", "role", "changed_at", "created_at"],
        &[("name", true), ("role", true)],
    ),
    of_account(
        "policies",
        &["name", "account", "kind", "document", "updated_at"],
        &[("account", true), ("name", true), ("document", true)],
    ),
];

const fn kind(
    word: &'static str,
    columns: &'static [&'static str],
    form: &'static [(&'static str, bool)],
) -> Kind {
    Kind { word, columns, form, in_account: false }
}

const fn of_account(
    word: &'static str,
    columns: &'static [&'static str],
    form: &'static [(&'static str, bool)],
) -> Kind {
    Kind { word, columns, form, in_account: true }
}

/// A value in a table.
enum Cell {
    Text(String),
    At(Moment),
    Pre(String),
    Flag(bool),
}

struct Row {
    cells: Vec<Cell>,
    /// Path that removes it; none for what cannot be.
    path: Option<String>,
    name: String,
    /// What else can be done with it, by its word, and the words for people.
    changes: Vec<(&'static str, &'static str)>,
}

/// A field of the form, as it was filled in.
struct Input {
    name: &'static str,
    label: &'static str,
    required: bool,
    value: String,
    problem: Option<String>,
    /// What is there to choose from.
    offered: Vec<String>,
}

/// What the policies say about a request.
#[derive(Debug, Deserialize)]
struct Simulation {
    allowed: bool,
    reason: String,
    resource: String,
    statements: Vec<Statement>,
}

#[derive(Debug, Deserialize)]
struct Statement {
    policy: String,
    #[serde(rename = "statement")]
    place: usize,
    effect: String,
    finding: String,
    reasons: Vec<String>,
}

#[derive(Template)]
#[template(path = "access.html")]
struct Page {
    f: Frame,
    word: &'static str,
    title: &'static str,
    /// Title of the form that makes one.
    add: &'static str,
    tabs: Vec<(&'static str, &'static str)>,
    heads: Vec<&'static str>,
    rows: Vec<Row>,
    next: Option<String>,
    form: Vec<Input>,
    is_policies: bool,
    /// What the simulator was asked.
    asked: Vec<Input>,
    simulation: Option<Simulation>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    after: String,
    #[serde(default)]
    done: String,
}

/// What is on the page besides its list.
#[derive(Default)]
struct Extra<'a> {
    after: &'a str,
    fields: Option<&'a Fields>,
    trouble: Option<&'a Trouble>,
    simulation: Option<Simulation>,
}

/// `GET /access`.
pub(super) async fn first() -> Redirect {
    Redirect::to("/console/access/accounts")
}

/// `GET /access/{kind}`.
pub(super) async fn page(
    State(console): State<Console>,
    frame: Frame,
    Path(word): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let t = &frame.t.access;
    let notice = match asked.done.as_str() {
        "made" => Some(Notice::good(t.done_made)),
        "removed" => Some(Notice::good(t.done_removed)),
        "changed" => Some(Notice::good(t.done_changed)),
        _ => None,
    };
    let extra = Extra { after: &asked.after, ..Extra::default() };
    show(&console, frame.with(notice), &word, extra).await
}

/// `POST /access/{kind}`: makes one.
pub(super) async fn create(
    State(console): State<Console>,
    frame: Frame,
    Path(word): Path<String>,
    fields: Fields,
) -> Response {
    let Some(kind) = find(&word) else {
        return ErrorPage::new(frame, StatusCode::NOT_FOUND).into_response();
    };
    let mut body = Map::new();
    for (name, _) in kind.form {
        if let Some(value) = fields.get(name) {
            body.insert((*name).to_owned(), value.into());
        }
    }
    let made = console.inside.send(Method::POST, &format!("/{word}"), Some(body.into())).await;
    match made {
        Ok(made) => shown_once(&console, frame, kind, &made).await,
        Err(trouble) => {
            let notice = trouble.notice(&frame);
            let extra =
                Extra { fields: Some(&fields), trouble: Some(&trouble), ..Extra::default() };
            show(&console, frame.with(notice), &word, extra).await
        }
    }
}

/// What was made: with its secret, where it has one that is shown this once, so without a redirect.
async fn shown_once(console: &Console, frame: Frame, kind: &Kind, made: &Value) -> Response {
    let a = &frame.t.access;
    let secrets = [
        ("admin_password", a.password_once),
        ("secret", a.secret_once),
        ("token", a.token_once),
        ("password", a.operator_once),
    ];
    let shown = secrets
        .iter()
        .filter_map(|(name, words)| Some(super::shape::fill(words, made[*name].as_str()?)));
    let mut notice = Notice::good(a.done_made);
    notice.lines.extend(shown);
    let secret = secrets.iter().find_map(|(name, _)| made[*name].as_str());
    notice.to_copy = secret.map(str::to_owned);
    if notice.lines.is_empty() {
        return Redirect::to(&format!("/console/access/{}?done=made", kind.word)).into_response();
    }
    if kind.word == "access-keys" {
        notice.lines.insert(0, made["id"].as_str().unwrap_or_default().to_owned());
    }
    show(console, frame.with(notice), kind.word, Extra::default()).await
}

/// `POST /access/{kind}/change`: enables, disables or rotates a key, or makes a new password.
pub(super) async fn change(
    State(console): State<Console>,
    frame: Frame,
    Path(word): Path<String>,
    fields: Fields,
) -> Response {
    let id = url_encoded(fields.get("id").unwrap_or_default()).replace('/', "%2F");
    let change = fields.get("change").unwrap_or_default();
    let order = match (word.as_str(), change) {
        ("access-keys", "rotate") => (Method::POST, "/rotate", None),
        ("access-keys", "enable") => (Method::PATCH, "", Some(json!({ "active": true }))),
        ("access-keys", "disable") => (Method::PATCH, "", Some(json!({ "active": false }))),
        ("operators", "reset") => (Method::POST, "/reset-password", None),
        _ => return ErrorPage::new(frame, StatusCode::NOT_FOUND).into_response(),
    };
    let Some(kind) = find(&word).filter(|_| !id.is_empty()) else {
        return ErrorPage::new(frame, StatusCode::NOT_FOUND).into_response();
    };
    let (method, tail, body) = order;
    let done = console.inside.send(method, &format!("/{word}/{id}{tail}"), body).await;
    match done {
        Ok(made) if !tail.is_empty() => shown_once(&console, frame, kind, &made).await,
        Ok(_) => Redirect::to(&format!("/console/access/{word}?done=changed")).into_response(),
        Err(trouble) => {
            let notice = trouble.notice(&frame);
            let extra = Extra { trouble: Some(&trouble), ..Extra::default() };
            show(&console, frame.with(notice), kind.word, extra).await
        }
    }
}

/// `POST /access/{kind}/remove`.
pub(super) async fn remove(
    State(console): State<Console>,
    frame: Frame,
    Path(word): Path<String>,
    fields: Fields,
) -> Response {
    let Some(kind) = find(&word) else {
        return ErrorPage::new(frame, StatusCode::NOT_FOUND).into_response();
    };
    let id = fields.get("id").unwrap_or_default();
    // Segments are escaped one by one: an id cannot lead out of its kind.
    let path: Vec<_> = id.split('/').map(url_encoded).collect();
    if path.iter().any(|it| it.is_empty() || it.chars().all(|c| c == '.')) {
        return ErrorPage::new(frame, StatusCode::NOT_FOUND).into_response();
    }
    let path = format!("/{}/{}", kind.word, path.join("/"));
    match console.inside.send(Method::DELETE, &path, None).await {
        Ok(_) => {
            Redirect::to(&format!("/console/access/{}?done=removed", kind.word)).into_response()
        }
        Err(trouble) => {
            let notice = trouble.notice(&frame);
            let extra = Extra { trouble: Some(&trouble), ..Extra::default() };
            show(&console, frame.with(notice), &word, extra).await
        }
    }
}

/// `POST /access/policies/simulate`: what the policies come to, for a request that nobody makes.
pub(super) async fn simulate(
    State(console): State<Console>,
    frame: Frame,
    fields: Fields,
) -> Response {
    let mut body = json!({});
    for name in SIMULATED {
        if let Some(value) = fields.get(name) {
            body[name] = value.into();
        }
    }
    let found = console.inside.send(Method::POST, "/policies/simulate", Some(body)).await;
    let found = found.and_then(|found| {
        serde_json::from_value(found).map_err(|_| Trouble::of(StatusCode::INTERNAL_SERVER_ERROR))
    });
    match found {
        Ok(simulation) => {
            let extra =
                Extra { fields: Some(&fields), simulation: Some(simulation), ..Extra::default() };
            show(&console, frame, "policies", extra).await
        }
        Err(trouble) => {
            let notice = trouble.notice(&frame);
            let extra =
                Extra { fields: Some(&fields), trouble: Some(&trouble), ..Extra::default() };
            show(&console, frame.with(notice), "policies", extra).await
        }
    }
}

/// What the editor begins with.
const EXAMPLE_POLICY: &str = r#"{
  "Version": "1",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "cams:Get*",
      "Resource": "*"
    }
  ]
}"#;

/// What the simulator is asked.
const SIMULATED: [&str; 5] = ["account", "user", "action", "resource", "source_ip"];

async fn show(console: &Console, frame: Frame, word: &str, extra: Extra<'_>) -> Response {
    let f = frame.in_section(Section::Access);
    let Some(kind) = find(word) else {
        return ErrorPage::new(f, StatusCode::NOT_FOUND).into_response();
    };
    let mut query = format!("/{}?limit=100", kind.word);
    if !extra.after.is_empty() {
        query.extend(["&after=", &url_encoded(extra.after)]);
    }
    let page: PageOf<Value> = match console.inside.get(&query).await {
        Ok(page) => page,
        Err(trouble) => return ErrorPage::about(f, &trouble).into_response(),
    };
    let input = |name: &'static str, required: bool| Input {
        name,
        label: label(&f, name),
        required,
        value: extra.fields.map(|it| it.raw(name)).unwrap_or_default().to_owned(),
        problem: extra.trouble.and_then(|it| it.about(name)).map(str::to_owned),
        offered: Vec::new(),
    };
    let offered = offered(console, kind.form.iter().map(|(name, _)| *name)).await;
    let form = kind.form.iter().map(|(name, required)| {
        let mut input = input(name, *required);
        input.offered = offered.get(name).cloned().unwrap_or_default();
        if let ([only], true, true) = (&*input.offered, *required, input.value.is_empty()) {
            input.value.clone_from(only);
        }
        input
    });
    let form = form.collect();
    let asked = SIMULATED.map(|name| input(name, matches!(name, "account" | "action")));
    let status = extra.trouble.map_or(StatusCode::OK, |trouble| trouble.status);
    let page = Page {
        word: kind.word,
        title: title(&f, kind.word).0,
        add: title(&f, kind.word).1,
        tabs: KINDS.iter().map(|kind| (kind.word, title(&f, kind.word).0)).collect(),
        heads: kind.columns.iter().map(|column| label(&f, column)).collect(),
        rows: page.items.iter().map(|item| row(&f, kind, item)).collect(),
        next: page.next.map(|next| url_encoded(&next)),
        form,
        is_policies: kind.word == "policies",
        asked: asked.into(),
        simulation: extra.simulation,
        f,
    };
    rendered(status, &page)
}

fn find(word: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.word == word)
}

/// The word for a column or a field; what is called by its name here is no display name of a number.
fn label(f: &Frame, field: &'static str) -> &'static str {
    if field == "name" { f.t.login.name } else { f.t.field(field) }
}

/// What a kind is called, and the making of one.
fn title(f: &Frame, word: &str) -> (&'static str, &'static str) {
    let t = &f.t.access;
    match word {
        "accounts" => (t.accounts, t.add_account),
        "spaces" => (t.spaces, t.add_space),
        "wabas" => (t.wabas, t.add_waba),
        "clients" => (t.clients, t.add_client),
        "users" => (t.users, t.add_user),
        "groups" => (t.groups, t.add_group),
        "access-keys" => (t.keys, t.add_key),
        "operators" => (t.operators, t.add_operator),
        "graph-tokens" => (t.graph_tokens, t.add_graph_token),
        _ => (t.policies, t.add_policy),
    }
}

fn row(f: &Frame, kind: &Kind, item: &Value) -> Row {
    let text = |field: &str| item[field].as_str().unwrap_or_default().to_owned();
    let id = match kind {
        Kind { in_account: true, .. } => format!("{}/{}", text("account"), text("name")),
        Kind { word: "operators", .. } => text("name"),
        Kind { .. } => text("id"),
    };
    Row {
        cells: kind.columns.iter().map(|column| cell(f, column, &item[*column])).collect(),
        name: id.clone(),
        changes: changes(f, kind, item),
        path: (item["kind"] != "system").then_some(id),
    }
}

/// A lasting key is disabled before it is rotated away, and may come back.
fn changes(f: &Frame, kind: &Kind, item: &Value) -> Vec<(&'static str, &'static str)> {
    let a = &f.t.access;
    if kind.word == "operators" {
        return vec![("reset", a.reset)];
    }
    if kind.word != "access-keys" || !item["temporary"].is_null() {
        return Vec::new();
    }
    let switch = if item["active"] == true { ("disable", a.disable) } else { ("enable", a.enable) };
    vec![switch, ("rotate", a.rotate)]
}

fn cell(f: &Frame, column: &str, value: &Value) -> Cell {
    match value {
        Value::Bool(flag) => Cell::Flag(*flag),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().filter_map(Value::as_str).collect();
            Cell::Text(items.join(", "))
        }
        Value::String(role) if column == "role" => {
            let words = if role == "auditor" { f.t.nav.auditor } else { f.t.nav.operator };
            Cell::Text(words.to_owned())
        }
        Value::String(text) if column == "document" => Cell::Pre(text.clone()),
        Value::String(text) => match Moment::parse(text).filter(|_| column.ends_with("_at")) {
            Some(at) => Cell::At(at),
            None => Cell::Text(text.clone()),
        },
        Value::Null => Cell::Text(String::new()),
        // What is special about a temporary key: when it ends.
        Value::Object(members) if column == "temporary" => {
            let ends = members.get("expires_at").and_then(Value::as_str).and_then(Moment::parse);
            ends.map_or(Cell::Text(String::new()), Cell::At)
        }
        Value::Number(_) | Value::Object(_) => Cell::Text(value.to_string()),
    }
}
