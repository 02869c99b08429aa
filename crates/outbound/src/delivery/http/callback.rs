//! What providers report later: whether a message arrived.
//!
//! Each sender has an address of its own, with a secret in it. A report counts only if it came to that
//! address and, where the provider signs and its key is known, if the signature is right.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value as Json};
use service::ports::{
    CallbackError, CallbackRequest, Callbacks, Clock, Receipt, ReceiptOutcome,
};
use sha1::Sha1;
use subtle::ConstantTimeEq as _;

use super::answer::{plain, word};
use super::auth::hmac_sha256;
use super::spec::{Callback, Signature};
use super::template::Templates;
use super::{HttpDelivery, HttpOptions};

/// Most reports taken from one request.
const REPORTS_MAX: usize = 1000;

/// Most parameters of a form or query.
const PARAMETERS_MAX: usize = 200;

/// How old a signed report may be, and how far ahead, where the signature has a time.
const SIGNED_WITHIN_S: u64 = 15 * 60;

/// Reads the reports of every HTTP sender.
pub struct HttpCallbacks {
    senders: BTreeMap<String, Reader>,
    clock: Arc<dyn Clock>,
}

struct Reader {
    rules: Callback,
    /// Address that the provider was given.
    url: String,
    /// Last part of that address.
    secret: String,
    /// What the provider signs with; empty: signatures are not checked.
    key: String,
}

impl HttpCallbacks {
    /// Knows no sender yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { senders: BTreeMap::new(), clock }
    }

    /// Adds a sender that has a callback address, whose last part is its secret.
    pub fn add(&mut self, sender: &HttpDelivery) {
        let HttpOptions { name, spec, callback_url, .. } = &sender.options;
        let (Some(rules), Some(url)) = (&spec.callback, callback_url) else { return };
        let secret = url.rsplit('/').next().unwrap_or_default().to_owned();
        // Rendered once already, when the sender was made.
        let values = sender.values("", "", "");
        let key = Templates::new().render(&rules.secret, &values).unwrap_or_default();
        let reader = Reader { rules: rules.clone(), url: url.clone(), secret, key };
        self.senders.insert(name.clone(), reader);
    }
}

impl Callbacks for HttpCallbacks {
    fn read(
        &self,
        sender: &str,
        request: &CallbackRequest<'_>,
    ) -> Result<Vec<Receipt>, CallbackError> {
        let reader = self.senders.get(sender).ok_or(CallbackError::Unknown)?;
        let right: bool = reader.secret.as_bytes().ct_eq(request.secret.as_bytes()).into();
        if !right || reader.secret.is_empty() {
            return Err(CallbackError::Unknown);
        }
        let content = Content::of(request)?;
        if !reader.key.is_empty() {
            reader.check(request, &content, self.clock.now().as_seconds())?;
        }
        let reports = match &reader.rules.list {
            Some(pointer) => match content.json.pointer(pointer) {
                Some(Json::Array(reports)) => reports.iter().collect(),
                _ => return Err(CallbackError::Malformed),
            },
            None => vec![&content.json],
        };
        if reports.len() > REPORTS_MAX {
            return Err(CallbackError::Malformed);
        }
        let mut receipts = Vec::new();
        for report in reports {
            let (id, outcome) = reader.report(report).ok_or(CallbackError::Malformed)?;
            // A state on the way is no end, and no fault either.
            if let Some(outcome) = outcome {
                let (sender, at) = (sender.to_owned(), self.clock.now());
                receipts.push(Receipt { sender, provider_id: id, outcome, at });
            }
        }
        Ok(receipts)
    }
}

impl Reader {
    fn report(&self, report: &Json) -> Option<(String, Option<ReceiptOutcome>)> {
        let rules = &self.rules;
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

    /// Whether the provider signed this.
    fn check(
        &self,
        request: &CallbackRequest<'_>,
        content: &Content,
        now: i64,
    ) -> Result<(), CallbackError> {
        let key = self.key.as_bytes();
        let header = |name| (request.header)(name).unwrap_or_default();
        let fresh = |stamp: &str| {
            stamp.parse::<i64>().is_ok_and(|stamp| stamp.abs_diff(now) <= SIGNED_WITHIN_S)
        };
        let genuine = match self.rules.signature {
            Signature::None => true,
            Signature::Twilio => {
                let url = match request.query {
                    "" => self.url.clone(),
                    query => format!("{}?{query}", self.url),
                };
                let signed = content.form.iter().map(|(key, value)| format!("{key}{value}"));
                let mac = Hmac::<Sha1>::new_from_slice(key).expect("a key of any length will do");
                let mac = mac.chain_update(url + &signed.collect::<String>()).finalize();
                same(&STANDARD.encode(mac.into_bytes()), header("x-twilio-signature"))
            }
            Signature::Vonage => {
                let clean = |text: &str| text.replace(['&', '='], "_");
                let signed = content.parameters().filter(|(key, _)| *key != "sig");
                let signed: String =
                    signed.map(|(key, value)| format!("&{key}={}", clean(value))).collect();
                let mac = hex::encode(hmac_sha256(key, signed.as_bytes()));
                let at = |name| content.parameters().find(|(key, _)| *key == name);
                let told = at("sig").map(|(_, value)| value.to_ascii_lowercase());
                same(&mac, &told.unwrap_or_default())
                    && at("timestamp").is_some_and(|(_, stamp)| fresh(stamp))
            }
            Signature::BodyAndTimestamp => {
                let stamp = header("x-timestamp");
                let signed = [request.body, stamp.as_bytes()].concat();
                let told = header("x-signature").to_ascii_lowercase();
                same(&hex::encode(hmac_sha256(key, &signed)), &told) && fresh(stamp)
            }
        };
        if genuine { Ok(()) } else { Err(CallbackError::Unsigned) }
    }
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
    fn of(request: &CallbackRequest<'_>) -> Result<Self, CallbackError> {
        let query = pairs(request.query).ok_or(CallbackError::Malformed)?;
        let kind = (request.header)("content-type").unwrap_or_default();
        let (mut form, mut json) = (BTreeMap::new(), None);
        if kind.starts_with("application/json") {
            let read = serde_json::from_slice(request.body);
            json = Some(read.map_err(|_| CallbackError::Malformed)?);
        } else if !request.body.is_empty() {
            let text = core::str::from_utf8(request.body).map_err(|_| CallbackError::Malformed)?;
            form = pairs(text).ok_or(CallbackError::Malformed)?;
        }
        let json = json.unwrap_or_else(|| {
            let all = query.iter().chain(&form);
            Json::Object(all.map(|(k, v)| (k.clone(), Json::from(v.as_str()))).collect::<Map<_, _>>())
        });
        Ok(Self { json, query, form })
    }

    /// Query and form together, sorted by name.
    fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        let all: BTreeMap<_, _> = self.query.iter().chain(&self.form).collect();
        // A JSON body of texts counts as parameters too.
        let flat = self.json.as_object().filter(|_| all.is_empty());
        let flat = flat.into_iter().flatten().filter_map(|(k, v)| Some((k.as_str(), v.as_str()?)));
        let flat: BTreeMap<_, _> = flat.collect();
        all.into_iter().map(|(k, v)| (k.as_str(), v.as_str())).chain(flat)
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
