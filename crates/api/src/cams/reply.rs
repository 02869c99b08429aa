//! The envelopes (§2, §5): success, business failure with status 200, gateway error; as JSON or, for RPC
//! callers that ask for it or for nothing, as XML.
//!
//! Clients fail on an empty body, on an error that is not what they parse, and some on compression; one
//! knows XML only under exactly this content type (§3.4).

use axum::body::Body as HttpBody;
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};
use service::ports::{Entropy, EntropyExt as _};

use super::failure::{Failure, Parts};
use super::operation::Operation;
use super::parameters::encode_into;
use super::xml;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-acs-request-id");
const RETRY_AFTER: HeaderName = HeaderName::from_static("x-acs-retry-after");

/// For another Rollcall in front of this one.
const REFUSAL: HeaderName = HeaderName::from_static("x-rollcall-refusal");
const OPENS_IN: HeaderName = HeaderName::from_static("x-rollcall-opens-in");

/// The fields of a successful answer besides those that all have.
pub type Body = Map<String, Value>;

/// In which form an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `application/json`.
    Json,
    /// `text/xml`.
    Xml,
}

/// What every answer to a request repeats.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// `RequestId`: a UUID of version 4 in capitals.
    pub request_id: String,
    /// The host called, as the client wrote it.
    pub host: String,
    /// In which form to answer.
    pub format: Format,
}

impl Envelope {
    /// An envelope with an id of its own.
    #[must_use]
    pub fn new(entropy: &dyn Entropy, host: &str, format: Format) -> Self {
        let id = uuid::Builder::from_random_bytes(entropy.bytes()).into_uuid();
        let request_id = id.hyphenated().encode_upper(&mut uuid::Uuid::encode_buffer()).to_owned();
        Self { request_id, host: host.to_owned(), format }
    }

    /// A success.
    #[must_use]
    pub fn success(&self, operation: &Operation, body: Body) -> Response {
        let mut members = self.common("OK", "OK");
        if operation.has_success {
            members.insert("Success".to_owned(), Value::Bool(true));
        }
        // Every documented field is there, so that a program which looks for one finds it.
        members.extend(operation.fields.iter().map(|field| ((*field).to_owned(), Value::Null)));
        members.extend(body);
        self.respond(StatusCode::OK, &format!("{}Response", operation.name), members)
    }

    /// A failure: in the operation's own envelope if it is a matter of its business.
    #[must_use]
    pub fn failure(&self, failure: Failure) -> Response {
        let parts = failure.into_parts();
        let mut members = self.common(&parts.code, &parts.message);
        members.insert("Recommend".to_owned(), json!(self.recommend(&parts)));
        let business = parts.operation.filter(|_| parts.status == StatusCode::OK);
        let root = if let Some(operation) = business {
            if operation.has_success {
                members.insert("Success".to_owned(), Value::Bool(false));
            }
            members.extend(operation.fields.iter().map(|field| ((*field).to_owned(), Value::Null)));
            format!("{}Response", operation.name)
        } else {
            members.insert("HostId".to_owned(), json!(self.host));
            "Error".to_owned()
        };
        if let Some(detail) = parts.access_denied {
            members.insert("AccessDeniedDetail".to_owned(), detail);
        }
        let mut response = self.respond(parts.status, &root, members);
        if let Some(wait) = parts.retry_after_ms.and_then(|ms| u64::try_from(ms).ok()) {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait));
        }
        if let Some(refusal) = parts.refusal {
            response.headers_mut().insert(REFUSAL, HeaderValue::from_static(refusal));
        }
        if let Some(wait) = parts.opens_in_ms.and_then(|ms| u64::try_from(ms).ok()) {
            response.headers_mut().insert(OPENS_IN, HeaderValue::from(wait));
        }
        if parts.drop_connection {
            response.extensions_mut().insert(crate::middleware::DropConnection);
        }
        response
    }

    fn common(&self, code: &str, message: &str) -> Body {
        let fields = [("RequestId", &*self.request_id), ("Code", code), ("Message", message)];
        fields.into_iter().map(|(name, text)| (name.to_owned(), json!(text))).collect()
    }

    /// This server's own explanation where there is one, else the documented link.
    fn recommend(&self, parts: &Parts) -> String {
        if let Some(link) = &parts.recommend {
            return link.clone();
        }
        let mut link = "https://api.aliyun.com/troubleshoot?q=".to_owned();
        encode_into(&mut link, &parts.code);
        link.push_str("&product=cams&requestId=");
        link.push_str(&self.request_id);
        link
    }

    fn respond(&self, status: StatusCode, root: &str, members: Body) -> Response {
        let (kind, body) = match self.format {
            Format::Json => ("application/json;charset=utf-8", Value::Object(members).to_string()),
            Format::Xml => ("text/xml;charset=utf-8", xml::document(root, &members)),
        };
        let mut response = Response::new(HttpBody::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Ok(id) = HeaderValue::from_str(&self.request_id) {
            headers.insert(REQUEST_ID, id);
        }
        response
    }
}
