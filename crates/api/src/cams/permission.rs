//! Whether a key may call an operation (§7).
//!
//! The account's own keys may do everything. For keys of RAM users, and for temporary keys with a session
//! policy, the policies decide, over the resource `acs:cams:{region}:{account}:{what}`: `space/{id}` for an
//! operation on a space, `*` for the others. The reference knows only "all resources"; patterns that mean
//! all (`*`, `acs:cams:*:{account}:*`) match spaces too, so such policies do what they did.

use core::net::IpAddr;
use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use http::StatusCode;
use http::request::Parts;
use http::uri::Scheme;
use registration::{Refusal, TextId as _};
use serde_json::Value;
use service::RamDenial;
use service::directory::EntityRef;
use service::ports::Subject;
use service::ram::{AccessDeniedDetail, Context, Request, ResourceName};

use super::call::Call;
use super::codes;
use super::failure::Failure;
use super::operation::Operation;
use super::spaces;

/// The region that resources are in: the one where the service is offered (§1).
const REGION: &str = "ap-southeast-1";

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
    let action = operation.ram_action();
    let resource = match space(call, operation).await? {
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
    let failure = call.refuse(subject, operation.name, Refusal::NotAdmin).await;
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
    if let Some(named) = call.parameters.filled("CustSpaceId") {
        return Ok(Some(named.to_owned()));
    }
    if operation.is_about_no_space() {
        return Ok(None);
    }
    Ok(spaces::oldest_space(call).await?.map(|space| space.id.to_string()))
}
