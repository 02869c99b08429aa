//! `/admin/v1/wabas/{waba}/upstream`: the registrar upstream of a WABA, and what is known there.

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use registration::{TextId as _, WabaId};
use serde::{Deserialize, Deserializer, Serialize};
use service::Caller;
use service::directory::{EntityKind, Upstream as Kept, UpstreamNumber as KeptNumber};
use service::ports::{Credentials, Link, Registrar};
use service::seed::SecretText;
use service::upstreams::{UpstreamLook, UpstreamSet};
use utoipa::ToSchema;

use super::directory::found;
use super::failure::{Failure, Failures};
use super::input::{Body, InPath};
use super::wire::At;
use crate::state::App;

/// Where Meta's Graph API is.
const META_URL: &str = "https://graph.facebook.com";
/// The version of it that this program was written against.
const META_VERSION: &str = "v25.0";
/// The only endpoint that Alibaba Cloud lists for CAMS.
const ALIBABA_URL: &str = "https://cams.ap-southeast-1.aliyuncs.com";

/// Whose registrar it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RegistrarWord {
    Meta,
    Alibaba,
}

/// A registrar upstream. Its secrets are never shown.
#[derive(Serialize, ToSchema)]
pub(crate) struct Upstream {
    waba: String,
    registrar: &'static str,
    /// The account there: a WABA id at Meta, a `CustSpaceId` at Alibaba.
    remote_id: String,
    base_url: String,
    /// Meta: the version segment of the path.
    version: Option<String>,
    /// Alibaba: which key signs.
    access_key_id: Option<String>,
    /// Meta: where it may post that something has changed. Posts count once the app's secret is given.
    webhook: Option<UpstreamWebhook>,
    /// What it said lately about its own limits, to the node that answers.
    limit: Option<UpstreamLimit>,
    created_at: At,
}

/// How much of an upstream's limits our account has used, and what that does to calls.
#[derive(Serialize, ToSchema)]
pub(crate) struct UpstreamLimit {
    /// Of the limit that is nearest, in percent.
    used_percent: u64,
    /// Each call waits a little.
    slowed: bool,
    /// No calls are made before.
    closed_until: Option<At>,
}

/// What to enter at Meta, under the app's webhooks of WhatsApp accounts.
#[derive(Serialize, ToSchema)]
pub(crate) struct UpstreamWebhook {
    callback_url: String,
    verify_token: String,
}

/// The registrar upstream that a WABA shall have.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUpstream {
    pub(crate) registrar: RegistrarWord,
    /// The account there: a WABA id at Meta, a `CustSpaceId` at Alibaba. Meta: this WABA's own id if absent.
    pub(crate) remote_id: Option<String>,
    /// The registrar's public address if absent.
    pub(crate) base_url: Option<String>,
    /// Meta: `v25.0` if absent.
    pub(crate) version: Option<String>,
    /// Meta: a system user's token.
    #[schema(value_type = Option<String>, format = Password)]
    pub(crate) token: Option<Secret>,
    /// Meta: the app's secret, for apps that demand a proof of it.
    #[schema(value_type = Option<String>, format = Password)]
    pub(crate) app_secret: Option<Secret>,
    /// Alibaba: `AccessKeyId`.
    pub(crate) access_key_id: Option<String>,
    /// Alibaba: its secret.
    #[schema(value_type = Option<String>, format = Password)]
    pub(crate) access_key_secret: Option<Secret>,
    /// Alibaba: the token of a temporary key.
    #[schema(value_type = Option<String>, format = Password)]
    pub(crate) security_token: Option<Secret>,
}

/// A secret: visible characters, space around them dropped (a stray newline fails silently there).
#[derive(Debug)]
pub(crate) struct Secret(SecretText);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl Secret {
    /// Takes a text that can be one.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let fits = (1..=4096).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if fits {
            Ok(Self(SecretText::new(text)))
        } else {
            Err("a secret has 1 to 4096 visible characters")
        }
    }
}

/// What an upstream answered to a look at it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UpstreamCheck {
    /// It is reached and takes our credentials.
    reached: bool,
    /// Why not.
    problem: Option<String>,
    /// The numbers of our account there.
    numbers: Vec<RemoteNumber>,
}

/// A number as the upstream shows it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RemoteNumber {
    number: String,
    id: Option<String>,
    status: Option<String>,
    registered: Option<bool>,
    verified: Option<bool>,
    pin_enabled: Option<bool>,
    name_status: Option<String>,
    quality: Option<String>,
}

/// What is known about a number upstream.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UpstreamNumber {
    number: String,
    /// Through which WABA.
    waba: String,
    /// Its id there.
    id: Option<String>,
    /// Its status there, when it was last seen.
    status: Option<String>,
    registered: Option<bool>,
    verified: Option<bool>,
    name_status: Option<String>,
    seen_at: Option<At>,
    /// A call has no recorded answer yet; the next request about the number settles it.
    unsettled: bool,
    /// This installation keeps the PIN; see `reveal-pin`.
    pin_kept: bool,
    /// What differs between there and here.
    drift: Option<String>,
}

/// Numbers upstream.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UpstreamNumbers {
    items: Vec<UpstreamNumber>,
}

/// A two-step PIN.
#[derive(Serialize, ToSchema)]
pub(crate) struct RevealedPin {
    number: String,
    #[schema(format = Password)]
    pin: String,
}

/// Shows the registrar upstream of a WABA
#[utoipa::path(get, path = "/wabas/{waba}/upstream", tag = "upstreams",
    params(("waba" = String, Path)), responses((status = 200, body = Upstream), Failures))]
pub(crate) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Upstream>, Failure> {
    let waba = waba(&app, &id).await?;
    let kept = app.service.upstream(&waba).await?.ok_or_else(|| none(&waba))?;
    Ok(Json(Upstream::new(&app, kept).await?))
}

/// Makes a registrar upstream the authority for a WABA
#[utoipa::path(put, path = "/wabas/{waba}/upstream", tag = "upstreams",
    params(("waba" = String, Path)), request_body = NewUpstream,
    responses((status = 200, body = Upstream), Failures))]
pub(crate) async fn set(
    State(app): State<App>,
    Path(id): Path<String>,
    Body(new): Body<NewUpstream>,
) -> Result<Json<Upstream>, Failure> {
    let waba = waba(&app, &id).await?;
    let link = new.link(&waba)?;
    match app.service.set_upstream(&Caller::operator(), &waba, &link).await? {
        UpstreamSet::Done(kept) => Ok(Json(Upstream::new(&app, kept).await?)),
        UpstreamSet::NoWaba => Err(Failure::no_such("waba", &waba)),
        UpstreamSet::NotAllowed(reason) => Err(Failure::invalid("base_url", reason)),
    }
}

/// Makes this installation the authority for a WABA again
#[utoipa::path(delete, path = "/wabas/{waba}/upstream", tag = "upstreams",
    params(("waba" = String, Path)), responses((status = 204), Failures))]
pub(crate) async fn remove(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let waba = waba(&app, &id).await?;
    if app.service.remove_upstream(&Caller::operator(), &waba).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(none(&waba))
    }
}

/// Asks the registrar upstream for its numbers, to see whether it is reached
#[utoipa::path(post, path = "/wabas/{waba}/upstream/check", tag = "upstreams",
    params(("waba" = String, Path)), responses((status = 200, body = UpstreamCheck), Failures))]
pub(crate) async fn check(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<UpstreamCheck>, Failure> {
    let waba = waba(&app, &id).await?;
    let (reached, problem, numbers) = match app.service.look_upstream(&waba).await? {
        UpstreamLook::Unknown => return Err(none(&waba)),
        UpstreamLook::Failed(problem) => (false, Some(problem), Vec::new()),
        UpstreamLook::Numbers(numbers) => (true, None, numbers),
    };
    let numbers = numbers.into_iter().map(|it| RemoteNumber {
        number: format!("+{}", it.digits),
        id: Some(it.id).filter(|id| !id.is_empty()),
        status: it.status,
        registered: it.registered,
        verified: it.verified,
        pin_enabled: it.pin_enabled,
        name_status: it.name_status,
        quality: it.quality,
    });
    Ok(Json(UpstreamCheck { reached, problem, numbers: numbers.collect() }))
}

/// Lists what is known about a WABA's numbers upstream, and what differs from here
#[utoipa::path(get, path = "/wabas/{waba}/upstream/numbers", tag = "upstreams",
    params(("waba" = String, Path)), responses((status = 200, body = UpstreamNumbers), Failures))]
pub(crate) async fn numbers(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<UpstreamNumbers>, Failure> {
    let waba = waba(&app, &id).await?;
    let known = app.service.upstream_numbers(&waba).await?;
    Ok(Json(UpstreamNumbers { items: known.into_iter().map(UpstreamNumber::from).collect() }))
}

/// Compares a WABA's numbers upstream with those here, now
#[utoipa::path(post, path = "/wabas/{waba}/upstream/compare", tag = "upstreams",
    params(("waba" = String, Path)), responses((status = 200, body = UpstreamNumbers), Failures))]
pub(crate) async fn compare(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<UpstreamNumbers>, Failure> {
    let waba = waba(&app, &id).await?;
    let kept = app.service.upstream(&waba).await?.ok_or_else(|| none(&waba))?;
    if !app.service.compare_upstream(&kept).await? {
        return Err(Failure::Unavailable { drop_connection: false });
    }
    numbers(State(app), Path(id)).await
}

/// Shows the two-step PIN of a number upstream, where this installation keeps it; each look is recorded
#[utoipa::path(post, path = "/numbers/{number}/reveal-pin", tag = "upstreams",
    params(("number" = String, Path)), responses((status = 200, body = RevealedPin), Failures))]
pub(crate) async fn reveal_pin(
    State(app): State<App>,
    InPath(number): InPath,
) -> Result<Json<RevealedPin>, Failure> {
    let pin = app.service.reveal_pin(&Caller::operator(), number).await?;
    let pin = pin.ok_or_else(|| Failure::NotFound(format!("No PIN is kept for {number}.")))?;
    let pin = String::from_utf8_lossy(pin.reveal()).into_owned();
    Ok(Json(RevealedPin { number: number.to_string(), pin }))
}

/// The WABA of this id, or 404.
async fn waba(app: &App, id: &str) -> Result<WabaId, Failure> {
    found(app, EntityKind::Waba, id).await?;
    WabaId::parse(id).ok_or_else(|| Failure::no_such("waba", id))
}

fn none(waba: &WabaId) -> Failure {
    Failure::NotFound(format!("WABA {waba} has no registrar upstream: this server is its own."))
}

impl NewUpstream {
    /// The link that this describes.
    pub(crate) fn link(self, waba: &WabaId) -> Result<Link, Failure> {
        let needed = |name: &'static str, value: Option<Secret>| {
            value.map(|it| it.0).ok_or_else(|| Failure::invalid(name, "is required"))
        };
        let unused = |name: &'static str, is_there: bool| {
            if is_there {
                Err(Failure::invalid(name, "does not belong to this registrar"))
            } else {
                Ok(())
            }
        };
        let (base_url, remote_id, credentials) = match self.registrar {
            RegistrarWord::Meta => {
                unused("access_key_id", self.access_key_id.is_some())?;
                unused("access_key_secret", self.access_key_secret.is_some())?;
                unused("security_token", self.security_token.is_some())?;
                let credentials = Credentials::Meta {
                    token: needed("token", self.token)?,
                    app_secret: self.app_secret.map(|it| it.0),
                    version: version(self.version)?,
                };
                let own = || waba.as_str().to_owned();
                (META_URL, self.remote_id.unwrap_or_else(own), credentials)
            }
            RegistrarWord::Alibaba => {
                unused("token", self.token.is_some())?;
                unused("app_secret", self.app_secret.is_some())?;
                unused("version", self.version.is_some())?;
                let missing = || Failure::invalid("access_key_id", "is required");
                let credentials = Credentials::Alibaba {
                    access_key_id: identifier(
                        "access_key_id",
                        &self.access_key_id.ok_or_else(missing)?,
                    )?,
                    access_key_secret: needed("access_key_secret", self.access_key_secret)?,
                    security_token: self.security_token.map(|it| it.0),
                };
                let missing =
                    || Failure::invalid("remote_id", "is required: the CustSpaceId there");
                (ALIBABA_URL, self.remote_id.ok_or_else(missing)?, credentials)
            }
        };
        let base_url = self.base_url.unwrap_or_else(|| base_url.to_owned());
        let base_url = base_url.trim().trim_end_matches('/').to_owned();
        // Signatures cover the path `/`, and versions stand in front of it: an address has none.
        if base_url.split_once("://").is_none_or(|(_, rest)| rest.contains(['/', '?', '#', '@'])) {
            let problem = "is scheme, host and port, such as https://graph.facebook.com";
            return Err(Failure::invalid("base_url", problem));
        }
        let remote_id = identifier("remote_id", &remote_id)?;
        Ok(Link { base_url, remote_id, credentials })
    }
}

/// It goes into paths and parameters: nothing but letters, digits, `-`, `_` and `.`.
fn identifier(name: &'static str, text: &str) -> Result<String, Failure> {
    let text = text.trim();
    let fits = (1..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        && !text.starts_with('.');
    if fits {
        Ok(text.to_owned())
    } else {
        Err(Failure::invalid(name, "has letters, digits, -, _ and . only"))
    }
}

fn version(given: Option<String>) -> Result<String, Failure> {
    let version = given.unwrap_or_else(|| META_VERSION.to_owned());
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let fits = version
        .strip_prefix('v')
        .and_then(|rest| rest.split_once('.'))
        .is_some_and(|(major, minor)| digits(major) && digits(minor));
    if fits { Ok(version) } else { Err(Failure::invalid("version", "has the form v25.0")) }
}

impl Upstream {
    async fn new(app: &App, it: Kept) -> Result<Self, Failure> {
        let pace = app.service.upstream_pace(&it.waba).await?;
        let webhook = (it.registrar == Registrar::Meta).then(|| UpstreamWebhook {
            callback_url: format!("{}/upstream/v1/{}/webhook", app.settings.public_url, it.waba),
            verify_token: app.service.hub_token(&it.waba),
        });
        Ok(Self {
            waba: it.waba.as_str().to_owned(),
            registrar: Registrar::as_str(it.registrar),
            remote_id: it.remote_id,
            base_url: it.base_url,
            version: it.version,
            access_key_id: it.access_key_id,
            webhook,
            limit: pace.map(|it| UpstreamLimit {
                used_percent: it.percent,
                slowed: it.slowed,
                closed_until: it.closed_until.map(At::from),
            }),
            created_at: it.created_at.into(),
        })
    }
}

impl From<KeptNumber> for UpstreamNumber {
    fn from(it: KeptNumber) -> Self {
        let seen = it.seen;
        let of =
            |part: fn(&service::directory::Seen) -> Option<String>| seen.as_ref().and_then(part);
        Self {
            number: it.number.to_string(),
            waba: it.waba.as_str().to_owned(),
            id: it.remote_id,
            status: of(|seen| seen.status.clone()),
            name_status: of(|seen| seen.name_status.clone()),
            registered: seen.as_ref().and_then(|seen| seen.registered),
            verified: seen.as_ref().and_then(|seen| seen.verified),
            seen_at: seen.as_ref().map(|seen| seen.at.into()),
            unsettled: it.under_way.is_some() || it.confirmed.is_some(),
            pin_kept: it.sealed_pin.is_some() || it.sealed_candidate.is_some(),
            drift: it.drift,
        }
    }
}
