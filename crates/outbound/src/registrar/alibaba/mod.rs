//! Alibaba Cloud's Chat App Message Service 2020-06-06 as a client.
//!
//! Follows the public documentation as collected in the project's CAMS reference; section numbers in comments
//! are that document's. Requests look like those of the present Python SDK: `POST /`, the operation in a
//! header, parameters in the query, `ACS3-HMAC-SHA256`.

mod answer;
mod pace;
pub mod request;

use std::sync::Arc;

use async_trait::async_trait;
use registration::{
    CodeMethod, Forwarded, Locale, Refusal, Timestamp, TwoStepPin, VerificationCode, VerifiedName,
};
use serde_json::Value;
use service::numbering;
use service::ports::{
    CodeAccepted, Credentials, Doubt, Entropy, EntropyExt as _, Errand, ForeignBackup, Link,
    UpstreamError, UpstreamRegistrar, UpstreamState,
};

use super::http::{Http, Reply, send, unavailable};
use pace::Pace;
use request::{Key, Signed, sign};

pub use answer::{Case, meaning};

/// Speaks with CAMS.
pub struct Alibaba {
    http: Http,
    entropy: Arc<dyn Entropy>,
    pace: Pace,
}

/// Rows of a list that are read; more than any space has.
const ROWS_MAX: usize = 10_000;

type Pairs<'a> = &'a [(&'a str, &'a str)];

impl Alibaba {
    pub(super) fn new(http: Http, entropy: Arc<dyn Entropy>) -> Self {
        Self { http, entropy, pace: Pace::default() }
    }

    /// Calls an operation about a number of our space.
    async fn call(
        &self,
        errand: Errand<'_>,
        action: &'static str,
        case: Case,
        more: Pairs<'_>,
    ) -> Result<Value, UpstreamError> {
        let digits = errand.number.digits();
        let mut parameters = vec![("PhoneNumber", digits.as_str())];
        parameters.extend_from_slice(more);
        self.send(errand.link, action, case, &parameters, false).await
    }

    /// Waits for the operation's turn, signs, sends. A request that only reads is repeated if it fails for the
    /// moment, each time with a signature of its own.
    async fn send(
        &self,
        link: &Link,
        action: &'static str,
        case: Case,
        parameters: Pairs<'_>,
        reads: bool,
    ) -> Result<Value, UpstreamError> {
        let once = async || {
            self.pace.pass(link, action, case.now).await?;
            let reply = self.sent(link, action, case.now, parameters).await?;
            answer::read(&without_secrets(reply, link, parameters), case)
        };
        if reads { self.http.read(once).await } else { once().await }
    }

    async fn sent(
        &self,
        link: &Link,
        action: &'static str,
        now: Timestamp,
        parameters: Pairs<'_>,
    ) -> Result<Reply, UpstreamError> {
        let Credentials::Alibaba { access_key_id, access_key_secret, security_token } =
            &link.credentials
        else {
            return Err(unavailable("the link is not one to Alibaba", Doubt::NotDone));
        };
        let mut all = vec![("CustSpaceId", link.remote_id.as_str())];
        all.extend_from_slice(parameters);
        let key = Key {
            id: access_key_id,
            secret: access_key_secret.reveal(),
            security_token: security_token.as_ref().map(service::seed::SecretText::reveal),
        };
        let nonce = hex::encode(self.entropy.bytes::<16>());
        let signed = sign(&link.base_url, action, &all, &key, now, &nonce)
            .ok_or_else(|| unavailable("the address is not one", Doubt::NotDone))?;
        let Signed { url, headers } = signed;
        let mut request = self.http.client().post(url).header("content-length", "0");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        // Not `Http::write`: a repetition needs a nonce of its own. The caller repeats.
        send(request).await
    }

    /// All numbers of our space.
    async fn list(&self, link: &Link, now: Timestamp) -> Result<Vec<UpstreamState>, UpstreamError> {
        let case = Case::listing(now);
        let body = self.send(link, "QueryChatappPhoneNumbers", case, &[], true).await?;
        let rows = body["PhoneNumbers"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(rows.iter().take(ROWS_MAX).map(state).collect())
    }

    async fn find(&self, errand: Errand<'_>) -> Result<Option<UpstreamState>, UpstreamError> {
        let digits = errand.number.digits();
        let known = self.list(errand.link, errand.now).await?;
        Ok(known.into_iter().find(|state| state.digits == digits))
    }
}

#[async_trait]
impl UpstreamRegistrar for Alibaba {
    fn check(&self, _link: &Link) -> Result<(), String> {
        Ok(())
    }

    async fn numbers(
        &self,
        link: &Link,
        now: Timestamp,
    ) -> Result<Vec<UpstreamState>, UpstreamError> {
        self.list(link, now).await
    }

    async fn find_or_add(
        &self,
        errand: Errand<'_>,
        name: &VerifiedName,
    ) -> Result<UpstreamState, UpstreamError> {
        if let Some(state) = self.find(errand).await? {
            return Ok(state);
        }
        let planned = numbering::plan_e164(&errand.number.digits())
            .map_err(|fault| unavailable(fault.to_string(), Doubt::NotDone))?;
        let (cc, national) = (planned.country_code.to_string(), planned.national());
        let parameters = [
            ("Cc", cc.as_str()),
            ("PhoneNumber", national.as_str()),
            ("VerifiedName", name.as_str()),
        ];
        let case = Case::of(Forwarded::AddNumber, errand);
        self.send(errand.link, "AddChatappPhoneNumber", case, &parameters, false).await?;
        Ok(UpstreamState {
            digits: errand.number.digits(),
            registered: Some(false),
            verified: Some(false),
            ..UpstreamState::default()
        })
    }

    async fn read_back(&self, errand: Errand<'_>) -> Result<Option<UpstreamState>, UpstreamError> {
        self.find(errand).await
    }

    async fn request_code(
        &self,
        errand: Errand<'_>,
        method: CodeMethod,
        locale: &Locale,
    ) -> Result<(), UpstreamError> {
        let case = Case { method: Some(method), ..Case::of(Forwarded::RequestCode, errand) };
        let action = "GetChatappVerifyCode";
        let language = language(locale);
        let ask = async |language: &str| {
            let more = [("Method", method.as_str()), ("Locale", language)];
            self.call(errand, action, case, &more).await.map(drop)
        };
        match ask(&language).await {
            Err(UpstreamError::Refused { words, .. })
                if words.code == "InvalidParameter.LanguageNotSupport" =>
            {
                ask(ENGLISH).await
            }
            answer => answer,
        }
    }

    async fn verify_code(
        &self,
        errand: Errand<'_>,
        code: &VerificationCode,
    ) -> Result<CodeAccepted, UpstreamError> {
        let case = Case::of(Forwarded::VerifyCode, errand);
        let more = [("VerifyCode", code.reveal())];
        self.call(errand, "ChatappVerifyAndRegister", case, &more).await?;
        Ok(CodeAccepted { registered: true })
    }

    async fn register(
        &self,
        errand: Errand<'_>,
        _pin: Option<&TwoStepPin>,
        _backup: Option<&ForeignBackup>,
    ) -> Result<(), UpstreamError> {
        let case = Case::of(Forwarded::Register, errand);
        self.call(errand, "ChatappPhoneNumberRegister", case, &[]).await.map(drop)
    }

    async fn deregister(&self, errand: Errand<'_>) -> Result<(), UpstreamError> {
        let case = Case::of(Forwarded::Deregister, errand);
        match self.call(errand, "ChatappPhoneNumberDeregister", case, &[]).await {
            // One code for "not here" and "not registered".
            Err(UpstreamError::Refused { refusal: Refusal::NotClaimed, words, is_vague }) => {
                Err(UpstreamError::Refused { refusal: Refusal::NotRegistered, words, is_vague })
            }
            answer => answer.map(drop),
        }
    }

    async fn set_two_step(
        &self,
        _errand: Errand<'_>,
        _pin: &TwoStepPin,
    ) -> Result<(), UpstreamError> {
        // There is no such thing in this API; the rules here keep the PIN.
        Ok(())
    }
}

/// A failure without the secrets that were sent: a signature that does not match is answered with the whole request.
fn without_secrets(reply: Reply, link: &Link, sent: Pairs<'_>) -> Reply {
    if reply.body["Code"] == "OK" {
        return reply;
    }
    let mut secrets: Vec<&str> =
        sent.iter().filter(|(name, _)| *name == "VerifyCode").map(|(_, code)| *code).collect();
    if let Credentials::Alibaba { access_key_secret, security_token, .. } = &link.credentials {
        secrets.push(access_key_secret.reveal());
        secrets.extend(security_token.as_ref().map(service::seed::SecretText::reveal));
    }
    reply.without(&secrets)
}

/// The language that is always there.
const ENGLISH: &str = "en_US";

fn language(locale: &Locale) -> String {
    match locale.as_str() {
        "en" => ENGLISH.to_owned(),
        "zh" => "zh_CN".to_owned(),
        other => other.replace('-', "_"),
    }
}

/// A row of `PhoneNumbers`.
fn state(row: &Value) -> UpstreamState {
    let text = |name: &str| row[name].as_str().filter(|it| !it.is_empty()).map(str::to_owned);
    let status = text("Status");
    UpstreamState {
        id: String::new(),
        digits: text("PhoneNumber").unwrap_or_default().replace('+', ""),
        registered: status.as_deref().map(|status| status == "CONNECTED"),
        verified: text("CodeVerificationStatus").map(|status| status == "VERIFIED"),
        pin_enabled: None,
        status,
        name_status: text("NameStatus"),
        quality: text("QualityRating"),
        names: text("VerifiedName").into_iter().collect(),
    }
}
