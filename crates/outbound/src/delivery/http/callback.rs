//! What providers report later: whether a message arrived.
//!
//! Each sender has an address of its own, with a secret in it. A report counts only if it came to that
//! address and, where the provider signs and its key is known, if the signature is right.

use std::collections::BTreeMap;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Method, Request, Response, StatusCode};
use serde_json::{Map, Value as Json};
use service::ports::{Receipt, ReceiptOutcome};
use sha1::Sha1;
use subtle::ConstantTimeEq as _;

use super::answer::{plain, word};
use super::auth::hmac_sha256;
use super::spec::{Callback, Signature};
use super::{CallbackAddress, HttpDelivery, jwt};
use crate::delivery::Callbacks;

/// Most reports taken from one request.
const REPORTS_MAX: usize = 1000;

/// Most parameters of a form or query.
const PARAMETERS_MAX: usize = 200;

/// How old a signed report may be, and how far ahead, where the signature has a time.
const SIGNED_WITHIN_S: u64 = 15 * 60;

impl CallbackAddress {
    /// The end of the path to which reports come.
    fn status_path(&self) -> String {
        if let Some(token) = &self.token {
            return format!("/status/{token}");
        }
        let secret = hmac_sha256(&self.secret, b"path of delivery statuses");
        format!("/status/{}", hex::encode(&secret[..16]))
    }
}

impl HttpDelivery {
    /// Where the provider shall report, if it can: for providers in which the address is set by hand.
    #[must_use]
    pub fn callback_url(&self) -> Option<String> {
        let address = self.options.callback.as_ref()?;
        self.options.spec.callback.as_ref()?;
        Some(format!("{}{}", address.url, address.status_path()))
    }

    /// The receipts in a report, or the status to answer with.
    fn receipts(&self, request: &Request<Bytes>) -> Result<Vec<Receipt>, StatusCode> {
        let rules = self.options.spec.callback.as_ref().ok_or(StatusCode::NOT_FOUND)?;
        let content = Content::of(request).ok_or(StatusCode::BAD_REQUEST)?;
        let reader = Reader { rules };
        self.check_signature(request, &content)?;
        let reports = match &rules.list {
            Some(pointer) => match content.json.pointer(pointer) {
                Some(Json::Array(reports)) => reports.iter().collect(),
                _ => return Err(StatusCode::BAD_REQUEST),
            },
            None => vec![&content.json],
        };
        if reports.len() > REPORTS_MAX {
            return Err(StatusCode::BAD_REQUEST);
        }
        let mut receipts = Vec::new();
        for report in reports {
            let (provider_id, outcome) = reader.report(report).ok_or(StatusCode::BAD_REQUEST)?;
            // A state on the way is no end, and no fault either.
            if let Some(outcome) = outcome {
                let (sender, at) = (self.options.name.clone(), self.ports.clock.now());
                receipts.push(Receipt { sender, provider_id, outcome, at });
            }
        }
        Ok(receipts)
    }

    /// Checks who sent this, if the provider signs and we know its key.
    fn check_signature(
        &self,
        request: &Request<Bytes>,
        content: &Content,
    ) -> Result<(), StatusCode> {
        let (Some(rules), Some(address)) = (&self.options.spec.callback, &self.options.callback)
        else {
            return Ok(());
        };
        let key = self.templates.render(&rules.secret, &self.values("", "", ""));
        let key = key.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        if key.is_empty() {
            return Ok(());
        }
        let signed = Signed {
            key: key.as_bytes(),
            url: format!("{}{}", address.url, request.uri()),
            request,
            content,
            now: self.ports.clock.now().as_seconds(),
        };
        if signed.is_genuine(rules.signature) { Ok(()) } else { Err(StatusCode::FORBIDDEN) }
    }

    /// What a call says, for whoever has the link.
    fn document(&self, request: &Request<Bytes>, path: &str) -> Option<Response<Bytes>> {
        let documents = self.documents.as_ref()?;
        let now = self.ports.clock.now();
        if let Some(token) = path.strip_prefix("/audio/") {
            return documents.audio(token.strip_suffix(".wav")?, now);
        }
        let content = Content::of(request)?;
        self.check_signature(request, &content).ok()?;
        let play = self.options.spec.settings.get("play").is_some_and(|play| play == "true");
        documents.twiml(path.strip_prefix("/say/")?, play, now)
    }
}

#[async_trait]
impl Callbacks for HttpDelivery {
    async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        let path = request.uri().path();
        let right = self.options.callback.as_ref().map(CallbackAddress::status_path);
        let known = right.is_some_and(|right| same(&right, path));
        let readable = matches!(*request.method(), Method::GET | Method::POST);
        let status = match (known, readable) {
            (_, false) => StatusCode::METHOD_NOT_ALLOWED,
            (true, true) => match self.receipts(&request) {
                Ok(receipts) => {
                    for receipt in receipts {
                        self.ports.receipts.receipt(receipt).await;
                    }
                    StatusCode::NO_CONTENT
                }
                Err(status) => status,
            },
            (false, true) => match self.document(&request, path) {
                Some(document) => return document,
                None => StatusCode::NOT_FOUND,
            },
        };
        if status.is_client_error() {
            tracing::warn!(sender = self.options.name, %status, "a provider's request does not count");
        }
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = status;
        response
    }
}

struct Reader<'a> {
    rules: &'a Callback,
}

impl Reader<'_> {
    fn report(&self, report: &Json) -> Option<(String, Option<ReceiptOutcome>)> {
        let rules = self.rules;
        let id = report.pointer(&rules.id).and_then(word).filter(|id| !id.is_empty())?;
        let state = report.pointer(&rules.status).and_then(word)?;
        let outcome = if rules.delivered.contains(&state) {
            Some(ReceiptOutcome::Delivered)
        } else if rules.failed.contains(&state) {
            let told = rules.reason.as_ref().and_then(|at| report.pointer(at)).and_then(word);
            let told = told.filter(|told| !told.is_empty() && *told != state);
            let reason = match told {
                Some(told) => format!("{}: {}", plain(&state), plain(&told)),
                None => plain(&state),
            };
            Some(ReceiptOutcome::Failed { reason })
        } else {
            None
        };
        Some((plain(&id), outcome))
    }
}

/// A request and what its signature may cover.
struct Signed<'a> {
    key: &'a [u8],
    url: String,
    request: &'a Request<Bytes>,
    content: &'a Content,
    now: i64,
}

impl Signed<'_> {
    fn is_genuine(&self, how: Signature) -> bool {
        match how {
            Signature::None => true,
            Signature::Twilio => {
                let form = self.content.form.iter().map(|(key, value)| format!("{key}{value}"));
                let mac =
                    Hmac::<Sha1>::new_from_slice(self.key).expect("a key of any length will do");
                let mac = mac.chain_update(format!("{}{}", self.url, form.collect::<String>()));
                let right = STANDARD.encode(mac.finalize().into_bytes());
                same(&right, header(self.request, "x-twilio-signature"))
            }
            Signature::Vonage => {
                let clean = |text: &str| text.replace(['&', '='], "_");
                let parameters = self.content.parameters();
                let signed = parameters.iter().filter(|(key, _)| **key != "sig");
                let signed = signed.fold(String::new(), |text, (key, value)| {
                    text + "&" + key + "=" + &clean(value)
                });
                let right = hex::encode(hmac_sha256(self.key, signed.as_bytes()));
                let told = |name| parameters.get(name).copied().unwrap_or_default();
                same(&right, &told("sig").to_ascii_lowercase()) && self.is_fresh(told("timestamp"))
            }
            Signature::Jwt => {
                let told = header(self.request, "authorization");
                let told = told.strip_prefix("Bearer ").unwrap_or_default();
                let issued_at = jwt::verified(told, self.key, self.request.body());
                issued_at.is_some_and(|at| at.abs_diff(self.now) <= SIGNED_WITHIN_S)
            }
            Signature::BodyAndTimestamp => {
                let stamp = header(self.request, "x-timestamp");
                let signed = [self.request.body(), stamp.as_bytes()].concat();
                let told = header(self.request, "x-signature").to_ascii_lowercase();
                same(&hex::encode(hmac_sha256(self.key, &signed)), &told) && self.is_fresh(stamp)
            }
        }
    }

    fn is_fresh(&self, stamp: &str) -> bool {
        stamp.parse::<i64>().is_ok_and(|stamp| stamp.abs_diff(self.now) <= SIGNED_WITHIN_S)
    }
}

fn header<'a>(request: &'a Request<Bytes>, name: &str) -> &'a str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn same(right: &str, told: &str) -> bool {
    right.as_bytes().ct_eq(told.as_bytes()).into()
}

/// What a request carries, as one JSON value and, for signatures, as sorted parameters.
struct Content {
    json: Json,
    query: BTreeMap<String, String>,
    form: BTreeMap<String, String>,
}

impl Content {
    fn of(request: &Request<Bytes>) -> Option<Self> {
        let query = pairs(request.uri().query().unwrap_or_default())?;
        let body = request.body();
        let (mut form, mut json) = (BTreeMap::new(), None);
        if header(request, "content-type").starts_with("application/json") {
            json = Some(serde_json::from_slice(body).ok()?);
        } else if !body.is_empty() {
            form = pairs(core::str::from_utf8(body).ok()?)?;
        }
        let json = json.unwrap_or_else(|| {
            let all = query.iter().chain(&form);
            Json::Object(
                all.map(|(k, v)| (k.clone(), Json::from(v.as_str()))).collect::<Map<_, _>>(),
            )
        });
        Some(Self { json, query, form })
    }

    /// Query and form together, or the texts of a JSON object; sorted by name.
    fn parameters(&self) -> BTreeMap<&str, &str> {
        let mut all: BTreeMap<_, _> =
            self.query.iter().chain(&self.form).map(|(k, v)| (&**k, &**v)).collect();
        for (key, value) in self.json.as_object().into_iter().flatten() {
            if let Some(value) = value.as_str() {
                all.insert(key, value);
            }
        }
        all
    }
}

/// Reads `key=value&…`; of equal names the last counts.
fn pairs(text: &str) -> Option<BTreeMap<String, String>> {
    let parts = text.split('&').filter(|part| !part.is_empty());
    let mut read = BTreeMap::new();
    for part in parts {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        read.insert(decode(key)?, decode(value)?);
        if read.len() > PARAMETERS_MAX {
            return None;
        }
    }
    Some(read)
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                hex::decode(digits).ok()?[0]
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_as_browsers_write_them() {
        let read = pairs("a=1&b=x+y%2B%C3%A9&c&&a=2").expect("sound");
        let expected = [("a", "2"), ("b", "x y+é"), ("c", "")];
        assert_eq!(read, expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
        for text in ["a=%", "a=%4", "a=%zz", "a=%ff"] {
            assert_eq!(pairs(text), None, "{text}");
        }
        let many = (0..201).fold(String::new(), |text, n| text + &n.to_string() + "=v&");
        assert_eq!(pairs(&many), None);
    }
}
