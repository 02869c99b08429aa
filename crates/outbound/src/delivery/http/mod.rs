//! SMS and calls through a provider's HTTP API.
//!
//! There is one sender for all providers: a [`Spec`] says what the request looks like and what its
//! answer means. Presets hold the specs of well-known providers; a configuration can change any part of
//! them, or describe a provider of its own.
//!
//! A request goes out once: nothing is repeated or redirected here, since only the outbox knows how
//! often a message was tried. An answer that was lost after the request had left is *uncertain*.

mod answer;
mod auth;
mod callback;
mod document;
mod jwt;
mod sigv4;
mod spec;
mod template;

use core::time::Duration;

use async_trait::async_trait;
use registration::CodeMethod;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response};
use service::message_text::{SmsAlphabet, alphabet, language};
use service::ports::{CodeDelivery, CodeMessage, DeliveryError, HandedOver};

use answer::{Answer, Verdict};
use document::Documents;
pub use spec::{
    Auth, Callback, Channel, Place, Signature, Spec, Success, Verb, presets, settings_of,
};
use template::{Templates, Values};

use super::SenderPorts;

/// Longest answer read.
const ANSWER_MAX: usize = 64 * 1024;

/// Where the provider reaches this sender.
#[derive(Clone)]
pub struct CallbackAddress {
    /// The address that [`Callbacks`](super::Callbacks) are mounted at, as the provider sees it.
    pub url: String,
    /// What the address of reports ends with, where the operator has to type it into the provider's
    /// settings; none: something made from the secret.
    pub token: Option<String>,
    /// A secret of this sender alone: reports must know something made from it, and links to what a
    /// call says are sealed with it. The same on all nodes and after a restart.
    pub secret: [u8; 32],
}

/// What an HTTP sender must know.
#[derive(Clone)]
pub struct HttpOptions {
    /// Name of the sender in ledger and log.
    pub name: String,
    /// Request and answer.
    pub spec: Spec,
    /// Where the provider reports what became of messages, and fetches what to say in calls; none: it
    /// is not asked to, and the request carries what to say.
    pub callback: Option<CallbackAddress>,
    /// Time for a connection.
    pub connect_timeout: Duration,
    /// Time for everything.
    pub timeout: Duration,
    /// Certificates to trust besides the system's, PEM.
    pub roots: Vec<u8>,
}

impl HttpOptions {
    /// Options with the defaults of everything but these.
    #[must_use]
    pub fn new(name: &str, spec: Spec) -> Self {
        Self {
            name: name.to_owned(),
            spec,
            callback: None,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(15),
            roots: Vec::new(),
        }
    }
}

/// Hands messages to a provider by HTTP.
pub struct HttpDelivery {
    options: HttpOptions,
    templates: Templates,
    client: Client,
    ports: SenderPorts,
    documents: Option<Documents>,
}

/// A request, ready to go.
struct Prepared {
    verb: &'static str,
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl HttpDelivery {
    /// Makes the sender; an error says which part of the spec cannot work.
    pub fn new(options: HttpOptions, ports: SenderPorts) -> Result<Self, String> {
        // Another provider may have been installed before: then that one is used.
        _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut client = Client::builder()
            .connect_timeout(options.connect_timeout)
            .timeout(options.timeout)
            .user_agent(concat!("rollcall/", env!("CARGO_PKG_VERSION")))
            // Credentials and codes go to the host that was named, and to no other.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        let roots = reqwest::Certificate::from_pem_bundle(&options.roots);
        for root in roots.map_err(|_| "the certificates to trust are not PEM".to_owned())? {
            client = client.add_root_certificate(root);
        }
        let client = client.build().map_err(|error| format!("no HTTP client: {error}"))?;
        let documents = options.callback.as_ref().map(Documents::new);
        let sender = Self { options, templates: Templates::new(), client, ports, documents };
        sender.rehearse()?;
        Ok(sender)
    }

    /// Fills every template in once, so that a mistake in one shows at the start and not with the first
    /// code.
    fn rehearse(&self) -> Result<(), String> {
        let mut values = self.values("+447700900123", "text", "en");
        for (key, value) in [
            ("id", "0"),
            ("code", "123456"),
            ("spoken", "1, 2"),
            ("document", "http://localhost/d"),
        ] {
            values.insert(key.to_owned(), value.to_owned());
        }
        if let Some(rules) = &self.options.spec.callback {
            self.templates.render(&rules.secret, &values)?;
        }
        self.prepare(&values)?.request(&self.client).build().map(|_| ()).map_err(|error| {
            format!(
                "the request cannot be made: {}",
                answer::plain(&error.without_url().to_string())
            )
        })
    }

    /// What placeholders stand for, but for what belongs to one message.
    fn values(&self, to: &str, text: &str, language: &str) -> Values {
        let mut values: Values = self.options.spec.settings.clone();
        values.entry("from".to_owned()).or_default();
        let gsm = alphabet(text) == SmsAlphabet::Gsm7;
        for (key, value) in [
            ("to", to),
            ("digits", to.trim_start_matches('+')),
            ("text", text),
            ("language", language),
            ("spoken_language", spoken_language(language)),
            ("gsm", if gsm { "1" } else { "" }),
            ("callback", &self.callback_url().unwrap_or_default()),
        ] {
            values.insert(key.to_owned(), value.to_owned());
        }
        values
    }

    fn values_of(&self, message: &CodeMessage) -> Values {
        let to = message.number.to_string();
        let mut values = self.values(&to, &message.text, language(&message.locale));
        if let Some(originator) = &message.originator {
            values.insert("from".to_owned(), originator.clone());
        }
        let spoken = message.code.reveal().chars().map(String::from).collect::<Vec<_>>().join(", ");
        let document =
            self.documents.as_ref().map(|documents| documents.link(message, &self.ports));
        for (key, value) in [
            ("id", message.id.to_string()),
            ("code", message.code.reveal().to_owned()),
            ("spoken", spoken),
            ("document", document.unwrap_or_default()),
        ] {
            values.insert(key.to_owned(), value);
        }
        values
    }

    fn prepare(&self, values: &Values) -> Result<Prepared, String> {
        let (spec, templates) = (&self.options.spec, &self.templates);
        let mut url = templates.url(&spec.url, values)?;
        let query = templates.fields(&spec.query, values)?;
        if !query.is_empty() {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&template::form(&query));
        }
        let mut headers =
            vec![("Accept".to_owned(), "application/json, text/xml;q=0.5".to_owned())];
        let mut body = Vec::new();
        if let Some(form) = &spec.form {
            body = template::form(&templates.fields(form, values)?).into_bytes();
            let kind = "application/x-www-form-urlencoded; charset=utf-8";
            headers.push(("Content-Type".to_owned(), kind.to_owned()));
        } else if let Some(json) = &spec.json {
            let json = templates.json(json, values)?.unwrap_or_default();
            body = json.to_string().into_bytes();
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
        headers.extend(templates.fields(&spec.headers, values)?);
        if let Some(name) = &spec.idempotency_header {
            headers.push((name.clone(), values["id"].clone()));
        }
        let verb = match spec.verb {
            Verb::Get => "GET",
            Verb::Post => "POST",
        };
        let to_sign = auth::ToSign { verb, url: &url, body: &body, now: self.ports.clock.now() };
        headers.extend(auth::headers(&spec.auth, &to_sign, templates, values)?);
        Ok(Prepared { verb, url, headers, body })
    }

    async fn read(&self, mut response: Response) -> Answer {
        let header = |name: HeaderName| {
            let value = response.headers().get(name);
            value.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let content_type = header(CONTENT_TYPE);
        let retry_after = answer::retry_after(&header(RETRY_AFTER), self.ports.clock.now());
        let status = response.status().as_u16();
        let mut body = Some(Vec::new());
        while let Some(read) = &mut body {
            match response.chunk().await {
                Ok(Some(chunk)) if read.len() + chunk.len() <= ANSWER_MAX => read.extend(chunk),
                Ok(None) => break,
                Ok(Some(_)) | Err(_) => body = None,
            }
        }
        Answer { status, content_type, retry_after, body }
    }

    fn unavailable(&self, reason: &str, uncertain: bool) -> DeliveryError {
        DeliveryError::Unavailable {
            sender: self.options.name.clone(),
            reason: reason.to_owned(),
            uncertain,
            retry_after: None,
        }
    }

    fn rejected(&self, reason: String) -> DeliveryError {
        DeliveryError::Rejected { sender: self.options.name.clone(), reason }
    }
}

impl Prepared {
    fn request(self, client: &Client) -> reqwest::RequestBuilder {
        let verb = if self.verb == "GET" { reqwest::Method::GET } else { reqwest::Method::POST };
        let mut request = client.request(verb, self.url).body(self.body);
        for (name, value) in self.headers {
            // A value that no header can hold makes the request an error, which says so.
            let value = HeaderValue::try_from(value).map(|mut value| {
                value.set_sensitive(true);
                value
            });
            request = match value {
                Ok(value) => request.header(name, value),
                Err(_) => request.header(name, "\n"),
            };
        }
        request
    }
}

#[async_trait]
impl CodeDelivery for HttpDelivery {
    async fn hand_over(&self, message: &CodeMessage) -> Result<HandedOver, DeliveryError> {
        let channel = match message.method {
            CodeMethod::Sms => Channel::Sms,
            CodeMethod::Voice => Channel::Voice,
        };
        if !self.options.spec.channels.contains(&channel) {
            let what = message.method.as_str();
            return Err(self.rejected(format!("this sender does not carry {what}")));
        }
        let values = self.values_of(message);
        // The words of a template error may quote what was filled in.
        let prepared =
            self.prepare(&values).map_err(|error| self.rejected(redact(&error, message)))?;
        let response = match prepared.request(&self.client).send().await {
            Ok(response) => response,
            Err(error) => {
                // Whoever could not be reached has taken nothing.
                let reason = failure(&error, &self.options);
                return Err(self.unavailable(&reason, !(error.is_connect() || error.is_builder())));
            }
        };
        let answer = self.read(response).await;
        let own = message.id.to_string();
        let spec = &self.options.spec;
        match answer::judge(&answer, &spec.success, &spec.id, &own) {
            Verdict::Taken(provider_id) => {
                Ok(HandedOver { sender: self.options.name.clone(), provider_id })
            }
            Verdict::Rejected(reason) => Err(self.rejected(redact(&reason, message))),
            Verdict::Unavailable { reason, uncertain, retry_after } => {
                Err(DeliveryError::Unavailable {
                    sender: self.options.name.clone(),
                    reason: redact(&reason, message),
                    uncertain,
                    retry_after,
                })
            }
        }
    }
}

/// A language of ours as providers name voices: with the country whose people speak it as most do.
/// Arabic stands for itself.
fn spoken_language(language: &str) -> &str {
    match language {
        "en" => "en-US",
        "de" => "de-DE",
        "es" => "es-ES",
        "pt" => "pt-BR",
        "fr" => "fr-FR",
        "it" => "it-IT",
        "nl" => "nl-NL",
        "pl" => "pl-PL",
        "tr" => "tr-TR",
        "ru" => "ru-RU",
        "hi" => "hi-IN",
        "id" => "id-ID",
        "zh" => "zh-CN",
        "zh-Hant" => "zh-TW",
        "ja" => "ja-JP",
        other => other,
    }
}

/// Why there was no answer, without the URL: it may hold credentials or the text.
fn failure(error: &reqwest::Error, options: &HttpOptions) -> String {
    if error.is_connect() {
        let mut source = core::error::Error::source(error);
        let mut words = "no connection".to_owned();
        while let Some(cause) = source {
            words = format!("no connection: {cause}");
            source = cause.source();
        }
        return answer::plain(&words);
    }
    if error.is_timeout() {
        return format!("it did not answer within {:?}", options.timeout);
    }
    "the connection broke before it had answered".to_owned()
}

/// `reason` without the code, should the provider quote the message.
fn redact(reason: &str, message: &CodeMessage) -> String {
    let code = message.code.reveal();
    let spoken = code.chars().map(String::from).collect::<Vec<_>>().join(", ");
    [message.text.as_str(), &message.code.reveal_grouped(), &spoken, code]
        .iter()
        .filter(|secret| !secret.is_empty())
        .fold(reason.to_owned(), |reason, secret| reason.replace(secret, "……"))
}
