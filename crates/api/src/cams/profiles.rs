//! What is kept beside a number of a space: its business profile, its encryption key, its setting.
//!
//! Nothing here changes how Rollcall works, since messages pass elsewhere; it is kept for the programs
//! that write it and read it back. Each number of each WABA has its own.

use registration::Claim;
use serde_json::{Map, Value, json};
use service::directory::ClaimDocument;

use super::call::Call;
use super::failure::Failure;
use super::numbers;
use super::parameters::Parameters;
use super::reply::Body;
use super::spaces::body;
use crate::pem;

const PROFILE: &str = "business_profile";
const ENCRYPTION_KEY: &str = "encryption_public_key";

/// Texts of a profile, and how many characters each may have (those of the hosted platform).
const TEXTS: [(&str, usize); 4] =
    [("About", 139), ("Address", 256), ("Description", 512), ("Email", 128)];

/// Websites of a profile, and characters of one (those of the hosted platform).
const WEBSITES_MAX: (usize, usize) = (2, 256);

/// Longest address of a picture that is kept (our bound).
const PICTURE_URL_CHARS_MAX: usize = 2048;

/// Longest key that is kept: RSA of 4096 bits has some 800 characters.
const KEY_CHARS_MAX: usize = 4096;

/// What a business may be in (§2.1).
const VERTICALS: [&str; 17] = [
    "OTHER",
    "AUTO",
    "BEAUTY",
    "APPAREL",
    "EDU",
    "ENTERTAIN",
    "EVENT_PLAN",
    "FINANCE",
    "GROCERY",
    "GOVT",
    "HOTEL",
    "HEALTH",
    "NONPROFIT",
    "PROF_SERVICES",
    "RETAIL",
    "TRAVEL",
    "RESTAURANT",
];

/// `QueryPhoneBusinessProfile`: what was never set is empty.
pub(super) async fn show(call: &Call) -> Result<Body, Failure> {
    let (_, claim) = numbers::own_claim(call, "profile").await?;
    let kept = profile(document(call, &claim, PROFILE).await?.as_ref());
    let text = |name: &str| kept.get(name).cloned().unwrap_or_else(|| json!(""));
    let data = json!({
        "About": text("About"),
        "Address": text("Address"),
        "Description": text("Description"),
        "Email": text("Email"),
        "ProfilePictureUrl": text("ProfilePictureUrl"),
        "Vertical": text("Vertical"),
        "Websites": kept.get("Websites").cloned().unwrap_or_else(|| json!([])),
    });
    Ok(body(json!({ "Data": data })))
}

/// `ModifyPhoneBusinessProfile`: changes what the request names and leaves the rest; empty clears.
pub(super) async fn change(call: &Call) -> Result<Body, Failure> {
    let (_, claim) = numbers::own_claim(call, "profile").await?;
    let changes = changes(&call.parameters)?;
    let edit = |old: Option<&ClaimDocument>| {
        let mut profile = profile(old);
        profile.extend(changes.clone());
        ("application/json".to_owned(), Value::Object(profile).to_string().into_bytes())
    };
    let (service, caller) = (&call.app.service, call.caller());
    let done = service.edit_claim_document(&caller, &claim, PROFILE, edit).await;
    done.map_err(|error| call.failure(error))?;
    Ok(Body::new())
}

/// `GetPhoneEncryptionPublicKey`.
pub(super) async fn encryption_key(call: &Call) -> Result<Body, Failure> {
    let (record, claim) = numbers::own_claim(call, "encryption_key").await?;
    let key = document(call, &claim, ENCRYPTION_KEY).await?;
    let data = json!({
        "PhoneNumber": record.number.digits(),
        "EncryptionPublicKey": key.as_ref().map(|key| String::from_utf8_lossy(&key.body)),
        "EncryptionPublicKeyStatus": key.as_ref().map(|_| "VALID"),
    });
    Ok(body(json!({ "Data": data })))
}

/// `UpdatePhoneEncryptionPublicKey`: one public key in PEM, its line breaks as such or as `\n`.
pub(super) async fn set_encryption_key(call: &Call) -> Result<Body, Failure> {
    let (_, claim) = numbers::own_claim(call, "encryption_key").await?;
    let key = call.text("EncryptionPublicKey").replace("\\n", "\n");
    let is_key = key.len() <= KEY_CHARS_MAX
        && key.trim_start().starts_with("-----BEGIN PUBLIC KEY-----")
        && pem::blocks(&key).is_some_and(|blocks| blocks == [pem::Block::Other]);
    if !is_key {
        return Err(Failure::invalid("EncryptionPublicKey"));
    }
    let edit = |_: Option<&ClaimDocument>| {
        ("application/x-pem-file".to_owned(), key.trim().as_bytes().to_vec())
    };
    let (service, caller) = (&call.app.service, call.caller());
    let done = service.edit_claim_document(&caller, &claim, ENCRYPTION_KEY, edit).await;
    done.map_err(|error| call.failure(error))?;
    Ok(Body::new())
}

/// `GetChatappPhoneNumberSetting`: nothing pauses marketing here.
pub(super) async fn setting(call: &Call) -> Result<Body, Failure> {
    let (record, _) = numbers::own_claim(call, "setting").await?;
    let model = json!({ "MarketingPaused": "N", "PhoneNumber": record.number.digits() });
    Ok(body(json!({ "Model": model })))
}

async fn document(
    call: &Call,
    claim: &Claim,
    name: &str,
) -> Result<Option<ClaimDocument>, Failure> {
    let found = call.app.service.claim_document(&claim.id, name).await;
    found.map_err(|error| call.failure(error))
}

fn profile(document: Option<&ClaimDocument>) -> Map<String, Value> {
    let kept = document.and_then(|it| serde_json::from_slice(&it.body).ok());
    kept.unwrap_or_default()
}

/// The fields of a profile that a request sets, in the form they are kept in.
fn changes(parameters: &Parameters) -> Result<Map<String, Value>, Failure> {
    let mut changes = Map::new();
    for (name, chars_max) in TEXTS {
        if let Some(text) = parameters.value(name) {
            let fits = text.chars().count() <= chars_max;
            let said = format!("It has at most {chars_max} characters.");
            changes.insert(
                name.to_owned(),
                json!(fits.then_some(text).ok_or_else(|| bad(name, &said))?),
            );
        }
    }
    if let Some(text) = parameters.value("Vertical") {
        let vertical = text.to_ascii_uppercase();
        if !vertical.is_empty() && !VERTICALS.contains(&vertical.as_str()) {
            return Err(bad("Vertical", &format!("It is one of {}.", VERTICALS.join(", "))));
        }
        changes.insert("Vertical".to_owned(), json!(vertical));
    }
    if let Some(url) = parameters.value("ProfilePictureUrl") {
        if !url.is_empty() && !is_web_address(url, PICTURE_URL_CHARS_MAX) {
            return Err(bad("ProfilePictureUrl", "It is a web address."));
        }
        changes.insert("ProfilePictureUrl".to_owned(), json!(url));
    }
    if let Some(text) = parameters.value("Websites") {
        changes.insert("Websites".to_owned(), json!(websites(text)?));
    }
    Ok(changes)
}

/// A list as JSON text (§1.1).
fn websites(text: &str) -> Result<Vec<String>, Failure> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let (count_max, chars_max) = WEBSITES_MAX;
    let websites: Option<Vec<String>> = serde_json::from_str(text).ok();
    websites
        .filter(|all| all.len() <= count_max && all.iter().all(|it| is_web_address(it, chars_max)))
        .ok_or_else(|| {
            bad("Websites", &format!("It is a JSON list of at most {count_max} web addresses."))
        })
}

fn is_web_address(text: &str, chars_max: usize) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    text.chars().count() <= chars_max
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
        && rest.is_some_and(|rest| !rest.is_empty())
}

fn bad(parameter: &str, what: &str) -> Failure {
    let message = format!("Specified parameter {parameter} is not valid. {what}");
    Failure::invalid(parameter).with_message(message)
}
