//! `/me` and `/debug_token`: what a token is good for.

use registration::TextId;
use serde_json::{Value, json};
use service::directory::GraphToken;
use service::graph_tokens::GraphTokenStanding;
use sha2::{Digest as _, Sha256};

use super::call::Call;
use super::failure::Failure;

/// `GET /me`: the system user behind the token.
pub(super) fn me(call: &Call) -> Value {
    json!({ "id": user_id(&call.token), "name": call.token.name })
}

/// `GET /debug_token?input_token=…`: of the caller's own account; any other token looks like none.
pub(super) async fn debug(call: &Call) -> Result<Value, Failure> {
    let text = call.parameters.needed("input_token")?;
    let found = call.app.service.graph_token(&text).await.map_err(|error| call.failure(error))?;
    let (token, is_valid) = match found {
        GraphTokenStanding::Valid(token) => (Some(token), true),
        GraphTokenStanding::Expired(token) => (Some(token), false),
        GraphTokenStanding::Unknown => (None, false),
    };
    let Some(token) = token.filter(|token| token.account == call.token.account) else {
        let error = json!({ "code": 190, "message": "The access token could not be decrypted" });
        return Ok(json!({ "data": { "error": error, "is_valid": false, "scopes": [] } }));
    };
    let seconds = |at: registration::Timestamp| at.as_millis().div_euclid(1000);
    let scopes = token.scopes.names();
    let granular: Vec<_> = scopes
        .iter()
        .map(|scope| {
            let targets: Vec<_> = token.wabas.iter().map(TextId::as_str).collect();
            let mut granted = json!({ "scope": scope });
            if !targets.is_empty() {
                granted["target_ids"] = json!(targets);
            }
            granted
        })
        .collect();
    Ok(json!({ "data": {
        "app_id": app_id(call),
        "type": "SYSTEM_USER",
        "application": call.token.account.as_str(),
        "data_access_expires_at": 0,
        "expires_at": token.expires_at.map_or(0, seconds),
        "is_valid": is_valid,
        "issued_at": seconds(token.created_at),
        "scopes": scopes,
        "granular_scopes": granular,
        "user_id": user_id(&token),
    } }))
}

/// The app of an account. There is one each, so its id is made of the account's name and stays the same.
pub(super) fn app_id(call: &Call) -> String {
    digits(&format!("app/{}", call.token.account))
}

fn user_id(token: &GraphToken) -> String {
    digits(&format!("system-user/{}", token.account))
}

/// Fifteen digits, the first not zero, as Meta's ids look.
fn digits(seed: &str) -> String {
    let digest = Sha256::digest(seed.as_bytes());
    let value = digest.iter().take(8).fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    (100_000_000_000_000 + value % 900_000_000_000_000).to_string()
}
