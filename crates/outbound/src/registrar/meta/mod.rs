//! Meta's Cloud API: the registration edges of the Graph API as a client.
//!
//! Follows the public documentation as collected in the project's Cloud API reference; section numbers in
//! comments are that document's. Requests are those of the published OpenAPI description: JSON bodies, the
//! token in the header.

mod answer;
mod locale;
mod usage;

use core::time::Duration;

use async_trait::async_trait;
use hmac::{Hmac, KeyInit as _, Mac as _};
use registration::{
    CodeMethod, Forwarded, Locale, Timestamp, TwoStepPin, VerificationCode, VerifiedName,
};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use service::numbering;
use service::ports::{
    CodeAccepted, Credentials, Doubt, Errand, ForeignBackup, Link, Pace, UpstreamError,
    UpstreamRegistrar, UpstreamState,
};
use sha2::Sha256;
use tokio::time::Instant;

use super::http::{Http, Reply, send, unavailable};
use usage::Usage;

pub use answer::{Case, meaning};

/// The fields of a number that decide something (§4, step 1).
const FIELDS: &str = "id,display_phone_number,verified_name,status,code_verification_status,name_status,\
                      platform_type,is_pin_enabled,is_on_biz_app,quality_rating,new_display_name,new_name_status";

/// Pages of numbers read at most: 2000 numbers, while a portfolio has 20 (§6).
const PAGES_MAX: usize = 20;

/// Rows of a page that are read: as many as are asked for.
const ROWS_MAX: usize = 100;

/// How long the pages of a list may take together before no other is asked for.
const PAGES_WITHIN: Duration = Duration::from_mins(1);

/// Speaks with the Graph API.
pub struct Meta {
    http: Http,
    usage: Usage,
}

impl Meta {
    pub(super) fn new(http: Http) -> Self {
        Self { http, usage: Usage::default() }
    }

    /// A request with everything but its content.
    fn request(
        &self,
        link: &Link,
        method: Method,
        path: &str,
    ) -> Result<RequestBuilder, UpstreamError> {
        let Credentials::Meta { token, app_secret, version } = &link.credentials else {
            return Err(unavailable("the link is not one to Meta", Doubt::NotDone));
        };
        let url = format!("{}/{version}/{path}", link.base_url);
        let mut request = self.http.client().request(method, url).bearer_auth(token.reveal());
        if let Some(secret) = app_secret {
            let proof = appsecret_proof(secret.reveal(), token.reveal());
            request = request.query(&[("appsecret_proof", proof)]);
        }
        Ok(request)
    }

    /// Carries out an action on the number; its answer is `{"success":true}`.
    async fn act(
        &self,
        errand: Errand<'_>,
        operation: Forwarded,
        method: Option<CodeMethod>,
        edge: &str,
        body: Option<Value>,
    ) -> Result<(), UpstreamError> {
        let id = errand
            .remote_id
            .ok_or_else(|| unavailable("the number's id there is not known", Doubt::NotDone))?;
        let path = if edge.is_empty() { id.to_owned() } else { format!("{id}/{edge}") };
        let request = self.request(errand.link, Method::POST, &path)?;
        let request = match &body {
            Some(body) => request.json(body),
            // As clients send it: neither a body nor a type (§1).
            None => request.header("content-length", "0"),
        };
        self.usage.pass(errand.link, errand.now).await?;
        let reply = self.http.write(request).await?;
        let case = Case { operation, method, number: errand.number, now: errand.now };
        let body = self.heard(errand.link, reply, case, body.as_ref())?;
        // Documented once as text (§1).
        if body["success"] == true || body["success"] == "true" {
            return Ok(());
        }
        Err(unavailable("the answer names no success", Doubt::Settled))
    }

    /// Takes an answer's figures, and reads it without the secrets that were `sent`.
    fn heard(
        &self,
        link: &Link,
        reply: Reply,
        case: Case,
        sent: Option<&Value>,
    ) -> Result<Value, UpstreamError> {
        self.usage.learn(link, &reply);
        if reply.body["error"].is_null() {
            return answer::read(&reply, case);
        }
        let Credentials::Meta { token, app_secret, .. } = &link.credentials else {
            return answer::read(&reply, case);
        };
        let mut secrets = vec![token.reveal()];
        secrets.extend(app_secret.as_ref().map(service::seed::SecretText::reveal));
        for path in ["/code", "/pin", "/backup/data", "/backup/password"] {
            secrets.extend(sent.and_then(|sent| sent.pointer(path)?.as_str()));
        }
        answer::read(&reply.without(&secrets), case)
    }

    async fn page(&self, link: &Link, case: Case, after: &str) -> Result<Value, UpstreamError> {
        self.http
            .read(async || {
                let path = format!("{}/phone_numbers", link.remote_id);
                let mut request = self
                    .request(link, Method::GET, &path)?
                    .query(&[("fields", FIELDS), ("limit", "100")]);
                if !after.is_empty() {
                    request = request.query(&[("after", after)]);
                }
                self.usage.pass(link, case.now).await?;
                let page = self.heard(link, send(request).await?, case, None)?;
                if page["data"].is_array() {
                    return Ok(page);
                }
                // An account without numbers says so. Taken for one, every number would look lost.
                Err(unavailable("the answer is no list of numbers", Doubt::Settled))
            })
            .await
    }

    async fn list(&self, link: &Link, case: Case) -> Result<Vec<UpstreamState>, UpstreamError> {
        let mut states = Vec::new();
        let mut after = String::new();
        let begun = Instant::now();
        for _ in 0..PAGES_MAX {
            if begun.elapsed() > PAGES_WITHIN {
                return Err(unavailable("the list of numbers does not end", Doubt::Settled));
            }
            let page = self.page(link, case, &after).await?;
            let rows = page["data"].as_array().map(Vec::as_slice).unwrap_or_default();
            states.extend(rows.iter().take(ROWS_MAX).map(state).filter(is_present));
            let next = page["paging"]["cursors"]["after"].as_str().unwrap_or_default();
            if page["paging"]["next"].is_null() || next.is_empty() || next == after {
                break;
            }
            next.clone_into(&mut after);
        }
        // Should a number stand there twice, the row that is registered is the one that counts.
        states.sort_by_key(|state| state.registered != Some(true));
        Ok(states)
    }

    async fn node(&self, errand: Errand<'_>, id: &str) -> Result<UpstreamState, UpstreamError> {
        let case = Case::reading(errand.number, errand.now);
        self.http
            .read(async || {
                let request =
                    self.request(errand.link, Method::GET, id)?.query(&[("fields", FIELDS)]);
                self.usage.pass(errand.link, errand.now).await?;
                let body = self.heard(errand.link, send(request).await?, case, None)?;
                let state = state(&body);
                let is_asked = state.id == id
                    && (state.digits.is_empty() || state.digits == errand.number.digits());
                if is_asked {
                    return Ok(state);
                }
                Err(unavailable("the answer is about another number", Doubt::Settled))
            })
            .await
    }

    async fn add(&self, errand: Errand<'_>, name: &VerifiedName) -> Result<String, UpstreamError> {
        let planned = numbering::plan_e164(&errand.number.digits())
            .map_err(|fault| unavailable(fault.to_string(), Doubt::NotDone))?;
        // The calling code apart from the rest: the form that every edition of the documentation has (§2.2).
        let body = json!({
            "cc": planned.country_code.to_string(),
            "phone_number": planned.national(),
            "verified_name": name.as_str(),
        });
        let path = format!("{}/phone_numbers", errand.link.remote_id);
        let request = self.request(errand.link, Method::POST, &path)?.json(&body);
        self.usage.pass(errand.link, errand.now).await?;
        let reply = self.http.write(request).await?;
        let case =
            Case { operation: Forwarded::AddNumber, ..Case::reading(errand.number, errand.now) };
        let body = self.heard(errand.link, reply, case, None)?;
        let id = body["id"].as_str().filter(|id| is_id(id));
        id.map(str::to_owned).ok_or_else(|| unavailable("the answer names no id", Doubt::Settled))
    }
}

#[async_trait]
impl UpstreamRegistrar for Meta {
    fn check(&self, _link: &Link) -> Result<(), String> {
        Ok(())
    }

    fn pace(&self, link: &Link, now: Timestamp) -> Option<Pace> {
        self.usage.pace(link, now)
    }

    async fn numbers(
        &self,
        link: &Link,
        now: Timestamp,
    ) -> Result<Vec<UpstreamState>, UpstreamError> {
        self.list(link, Case::listing(now)).await
    }

    async fn find_or_add(
        &self,
        errand: Errand<'_>,
        name: &VerifiedName,
    ) -> Result<UpstreamState, UpstreamError> {
        let digits = errand.number.digits();
        let case = Case::reading(errand.number, errand.now);
        let known = self.list(errand.link, case).await?;
        if let Some(state) = known.into_iter().find(|state| state.digits == digits) {
            return Ok(state);
        }
        let id = self.add(errand, name).await?;
        // The node is new: what it would say is known, and a call less is made (§3).
        Ok(UpstreamState {
            id,
            digits,
            registered: Some(false),
            verified: Some(false),
            pin_enabled: None,
            names: vec![name.as_str().to_owned()],
            ..UpstreamState::default()
        })
    }

    async fn read_back(&self, errand: Errand<'_>) -> Result<Option<UpstreamState>, UpstreamError> {
        if let Some(id) = errand.remote_id {
            return match self.node(errand, id).await {
                Ok(state) => Ok(Some(state)),
                Err(UpstreamError::Refused {
                    refusal: registration::Refusal::NotClaimed, ..
                }) => Ok(None),
                Err(error) => Err(error),
            };
        }
        let digits = errand.number.digits();
        let known = self.list(errand.link, Case::reading(errand.number, errand.now)).await?;
        Ok(known.into_iter().find(|state| state.digits == digits))
    }

    async fn request_code(
        &self,
        errand: Errand<'_>,
        method: CodeMethod,
        locale: &Locale,
    ) -> Result<(), UpstreamError> {
        let word = match method {
            CodeMethod::Sms => "SMS",
            CodeMethod::Voice => "VOICE",
        };
        let body = json!({ "code_method": word, "language": locale::language(locale) });
        let operation = Forwarded::RequestCode;
        self.act(errand, operation, Some(method), "request_code", Some(body)).await
    }

    async fn verify_code(
        &self,
        errand: Errand<'_>,
        code: &VerificationCode,
    ) -> Result<CodeAccepted, UpstreamError> {
        let body = json!({ "code": code.reveal() });
        self.act(errand, Forwarded::VerifyCode, None, "verify_code", Some(body)).await?;
        Ok(CodeAccepted { registered: false })
    }

    async fn register(
        &self,
        errand: Errand<'_>,
        pin: Option<&TwoStepPin>,
        backup: Option<&ForeignBackup>,
    ) -> Result<(), UpstreamError> {
        let mut body = json!({ "messaging_product": "whatsapp" });
        if let Some(pin) = pin {
            body["pin"] = json!(digits(pin));
        }
        if let Some(backup) = backup {
            let (data, password) = (backup.data.reveal(), backup.password.reveal());
            body["backup"] = json!({ "data": data, "password": password });
        }
        self.act(errand, Forwarded::Register, None, "register", Some(body)).await
    }

    async fn deregister(&self, errand: Errand<'_>) -> Result<(), UpstreamError> {
        self.act(errand, Forwarded::Deregister, None, "deregister", None).await
    }

    async fn set_two_step(
        &self,
        errand: Errand<'_>,
        pin: &TwoStepPin,
    ) -> Result<(), UpstreamError> {
        let body = json!({ "pin": digits(pin) });
        self.act(errand, Forwarded::SetTwoStep, None, "", Some(body)).await
    }

    async fn change_name(
        &self,
        errand: Errand<'_>,
        name: &VerifiedName,
    ) -> Result<(), UpstreamError> {
        let body = json!({ "new_display_name": name.as_str() });
        self.act(errand, Forwarded::ChangeName, None, "", Some(body)).await
    }
}

/// A node or a row of a list. What is not said stays unsaid: it is never taken for "no" (§4, step 7).
fn state(node: &Value) -> UpstreamState {
    let text = |name: &str| node[name].as_str().map(str::to_owned);
    let status = text("status");
    let platform = node["platform_type"].as_str().or_else(|| node["host_platform"].as_str());
    let registered = match (status.as_deref(), platform) {
        (Some("CONNECTED"), Some("CLOUD_API") | None) => Some(true),
        (Some(_), _) | (None, Some("NOT_APPLICABLE")) => Some(false),
        (None, _) => None,
    };
    UpstreamState {
        id: text("id").filter(|id| is_id(id)).unwrap_or_default(),
        digits: node["display_phone_number"]
            .as_str()
            .map(|shown| shown.chars().filter(char::is_ascii_digit).collect())
            .unwrap_or_default(),
        registered,
        verified: node["code_verification_status"].as_str().map(|status| status == "VERIFIED"),
        pin_enabled: node["is_pin_enabled"].as_bool(),
        status,
        name_status: text("name_status"),
        quality: text("quality_rating"),
        names: [("verified_name", "name_status"), ("new_display_name", "new_name_status")]
            .into_iter()
            .filter(|(_, status)| node[*status] != "DECLINED")
            .filter_map(|(name, _)| text(name))
            .collect(),
    }
}

/// Whether a row is of a number that is in the account: rows of those that left may stay in the list.
fn is_present(state: &UpstreamState) -> bool {
    !state.id.is_empty() && !matches!(state.status.as_deref(), Some("DELETED" | "MIGRATED"))
}

/// `hex(HMAC-SHA-256(app secret, token))`: shows that the token did not leak without the secret.
fn appsecret_proof(secret: &str, token: &str) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(token.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

fn digits(pin: &TwoStepPin) -> &str {
    core::str::from_utf8(pin.reveal()).unwrap_or_default()
}

/// Goes into paths: digits, and nothing that would lead elsewhere.
fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_node_does_not_say_is_not_known() {
        let read = |node: Value| {
            let state = state(&node);
            (state.registered, state.verified, state.pin_enabled)
        };
        assert_eq!(read(json!({ "id": "1" })), (None, None, None));
        let connected = json!({
            "id": "1", "display_phone_number": "+44 7700 900123", "status": "CONNECTED",
            "platform_type": "CLOUD_API", "code_verification_status": "VERIFIED",
            "is_pin_enabled": true,
        });
        assert_eq!(state(&connected).digits, "447700900123");
        assert_eq!(read(connected), (Some(true), Some(true), Some(true)));
        let pending = json!({
            "status": "PENDING", "platform_type": "NOT_APPLICABLE",
            "code_verification_status": "EXPIRED", "is_pin_enabled": false,
        });
        assert_eq!(read(pending), (Some(false), Some(false), Some(false)));
        // A number in the app shows the other platform; it is not registered for us.
        let in_the_app = json!({ "status": "CONNECTED", "platform_type": "ON_PREMISE" });
        assert_eq!(read(in_the_app).0, Some(false));
    }

    #[test]
    fn the_proof_is_the_documented_hash() {
        // Any HMAC-SHA-256 tool gives the same: key "secret", message "token".
        let expected = "e941110e3d2bfe82621f0e3e1434730d7305d106c5f68c87165d0b27a4611a4a";
        assert_eq!(appsecret_proof("secret", "token"), expected);
    }
}
