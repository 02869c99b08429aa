//! Whether a key may call an operation (§7).
//!
//! The account's own keys may do everything. For keys of RAM users, and for temporary keys with a session
//! policy, the policies decide, over the resource `acs:cams:{region}:{account}:{what}`: `space/{id}` for an
//! operation on a space, `*` for the others. The reference knows only "all resources"; patterns that mean
//! all (`*`, `acs:cams:*:{account}:*`) match spaces too, so such policies do what they did.

use core::net::IpAddr;
use core::time::Duration;
use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use http::StatusCode;
use http::request::Parts;
use http::uri::Scheme;
use registration::{CustomerSpaceId, Refusal, TextId as _};
use serde_json::Value;
use service::RamDenial;
use service::directory::EntityRef;
use service::ports::{Subject, Take};
use service::ram::{AccessDeniedDetail, Context, Request, ResourceName};

use super::call::Call;
use super::codes;
use super::failure::Failure;
use super::operation::Operation;
use super::spaces;

/// The region that resources are in: the one where the service is offered (§1).
const REGION: &str = "ap-southeast-1";

/// Stands for whatever cannot be the name of a space.
const NO_SPACE: &str = "-";

/// Denials of one key that are noted in the audit trail at once; then one a second.
const NOTED_AT_ONCE: u32 = 10;

/// The connection that a request came over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The other end; unknown where there is no connection.
    pub address: Option<IpAddr>,
    /// Whether it is encrypted.
    pub secure: bool,
}

impl Origin {
    /// What the listener knows about the connection.
    ///
    /// Nothing that the client writes counts: behind a proxy, the address is the proxy's.
    #[must_use]
    pub fn of(parts: &Parts) -> Self {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let scheme = parts.extensions.get::<Scheme>();
        Self {
            // A client of an IPv6 socket that came by IPv4 is matched by IPv4 networks.
            address: peer.map(|ConnectInfo(peer)| peer.ip().to_canonical()),
            secure: scheme == Some(&Scheme::HTTPS),
        }
    }
}

/// Lets a call pass, or refuses it with the detail that clients expose.
pub(super) async fn check(call: &Call, operation: &Operation) -> Result<(), Failure> {
    if call.key.is_unrestricted() {
        return Ok(());
    }
    let space = space(call, operation).await?;
    decide(call, operation, space.as_deref()).await
}

/// The same for an operation on the account that turns out to be about something in a space: who may not
/// touch the space may not touch it this way either.
pub(super) async fn check_space(
    call: &Call,
    operation: &str,
    space: &CustomerSpaceId,
) -> Result<(), Failure> {
    match Operation::named(operation) {
        Some(operation) if !call.key.is_unrestricted() => {
            decide(call, operation, Some(space.as_str())).await
        }
        Some(_) | None => Ok(()),
    }
}

async fn decide(call: &Call, operation: &Operation, space: Option<&str>) -> Result<(), Failure> {
    let action = operation.ram_action();
    let resource = match space {
        Some(space) => format!("space/{space}"),
        None => "*".to_owned(),
    };
    let request = Request {
        action: &action,
        resource: ResourceName {
            service: "cams",
            region: REGION,
            account: call.account().as_str(),
            relative_id: &resource,
        },
        context: Context {
            current_time: call.app.service.now(),
            secure_transport: call.origin.secure,
            source_ip: call.origin.address,
            mfa_present: Some(call.key.mfa_present()),
            more: &[],
        },
    };
    let decided = call.app.service.authorize_key(&call.key, &request).await;
    match decided.map_err(|error| call.failure(error))? {
        Ok(()) => Ok(()),
        Err(detail) => Err(denied(call, operation, &detail).await),
    }
}

async fn denied(call: &Call, operation: &Operation, detail: &AccessDeniedDetail) -> Failure {
    let subject = Subject::Entity(EntityRef::access_key(&call.key.id));
    let (service, caller) = (&call.app.service, call.caller());
    // Permission comes before flow control, so this is what keeps a key that may do nothing from writing.
    let notes = Take {
        key: format!("denied/{}", call.key.id),
        interval: Duration::from_secs(1),
        burst: NOTED_AT_ONCE,
        now: service.now(),
    };
    let refusal = Refusal::NotAdmin;
    let error = service.refuse_noting(&caller, subject, operation.name, refusal, notes).await;
    let failure = call.failure(error);
    let members = detail.members().map(|(name, value)| (name.to_owned(), Value::from(value)));
    let failure = failure.with_access_denied(Value::Object(members.into_iter().collect()));
    // Other words for the refusal only: a store that is away stays a 503.
    let is_refusal = failure.status() == StatusCode::BAD_REQUEST;
    if is_refusal && call.app.service.policy().ram_denial == RamDenial::NoPermission {
        return failure.with_words(codes::NO_PERMISSION);
    }
    failure
}

/// The space that an operation is about: the one it names, else the one that stands in for it, so that
/// leaving the name out gets around no policy.
async fn space(call: &Call, operation: &Operation) -> Result<Option<String>, Failure> {
    // First: a name that such an operation does not read must not make it look smaller than it is.
    if operation.is_about_no_space() {
        return Ok(None);
    }
    if let Some(named) = call.parameters.filled("CustSpaceId") {
        // What no space can be called is not held against patterns: it may be as long as a body.
        let possible = CustomerSpaceId::parse(named).is_some();
        return Ok(Some(if possible { named } else { NO_SPACE }.to_owned()));
    }
    Ok(spaces::oldest_space(call).await?.map(|space| space.id.to_string()))
}
