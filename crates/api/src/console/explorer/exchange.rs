//! A call carried out: as on the wire, through the same routes as one from outside.

use core::fmt::Write as _;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use service::ports::EntropyExt as _;
use tower::ServiceExt as _;

use super::call::Call;
use super::caller::Credential;
use super::data::{Dialect, Place};
use crate::cams::signature::{Family, Steps};
use crate::cams::signing::{Order, SignWith, sign};
use crate::middleware::DropConnection;
use crate::state::App;

/// Most bytes of a body that are shown.
const SHOWN_MAX: usize = 64 * 1024;

/// What went out and what came back.
pub(super) struct Exchange {
    /// The request in text; a token or password in it is hidden.
    pub request: String,
    /// The answer in text; `None` if the connection was closed instead.
    pub answer: Option<String>,
    pub status: StatusCode,
    /// How the signature came about (CAMS).
    pub steps: Option<Steps>,
}

/// A request, ready.
pub(super) struct Outgoing {
    target: String,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
    steps: Option<Steps>,
}

/// Writes a call down; `Err` names the field that cannot be sent.
pub(super) fn write_down(
    app: &App,
    call: &Call,
    with: &Credential,
) -> Result<Outgoing, &'static str> {
    if call.operation.dialect == Dialect::Cams
        && let Credential::Key { id, secret, token } = with
    {
        let (query, form) = (call.pairs(Place::Query), call.pairs(Place::Form));
        let nonce = hex::encode(app.service.entropy().bytes::<16>());
        let order = Order {
            host: call.host(),
            action: &call.operation.id,
            query: &query,
            form: &form,
            nonce: &nonce,
            now: app.service.now(),
        };
        let key = SignWith { key: id, secret, token: token.as_deref(), family: call.family };
        let signed = sign(order, key).ok_or("own.key")?;
        let (target, headers) = (signed.target, signed.headers);
        let steps = Some(signed.steps);
        return Ok(Outgoing { target, headers, body: signed.body.into(), steps });
    }
    let mut headers = vec![("host", call.host().to_owned())];
    match with {
        Credential::Bearer(token) => headers.push(("authorization", format!("Bearer {token}"))),
        Credential::Basic { user, password } => {
            let both = STANDARD.encode(format!("{user}:{password}"));
            headers.push(("authorization", format!("Basic {both}")));
        }
        Credential::Key { .. } | Credential::Nobody => {}
    }
    let body = call.body()?;
    headers.extend(body.as_ref().map(|(_, kind)| ("content-type", (*kind).to_owned())));
    let body = body.map(|(body, _)| body).unwrap_or_default();
    Ok(Outgoing { target: call.target(), headers, body, steps: None })
}

impl Outgoing {
    /// Sends it; `origin` is what is known of the connection of whoever asks.
    pub(super) async fn send(
        self,
        wire: &Router,
        method: &str,
        origin: http::Extensions,
    ) -> Option<Exchange> {
        let mut request = Request::builder().method(method).uri(&self.target);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if !self.body.is_empty() {
            request = request.header(header::CONTENT_LENGTH, self.body.len());
        }
        let mut request = request.body(Body::from(self.body.clone())).ok()?;
        *request.extensions_mut() = origin;
        let sent = self.text(method, request.headers());
        let response = match wire.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status();
        let dropped = response.extensions().get::<DropConnection>().is_some();
        let answer = if dropped { None } else { Some(answer_text(response).await) };
        Some(Exchange { request: sent, answer, status, steps: self.steps })
    }

    fn text(&self, method: &str, headers: &HeaderMap) -> String {
        let mut text = format!("{method} {} HTTP/1.1\n", self.target);
        write_headers(&mut text, headers);
        write_body(&mut text, &self.body);
        text
    }
}

/// The family that a form names.
pub(super) fn family(word: &str) -> Family {
    if word == "v1" { Family::V1 } else { Family::V3 }
}

async fn answer_text(response: Response) -> String {
    let (parts, body) = response.into_parts();
    let reason = parts.status.canonical_reason().unwrap_or_default();
    let mut text = format!("HTTP/1.1 {} {reason}\n", parts.status.as_u16());
    write_headers(&mut text, &parts.headers);
    // Bodies of the dialects lie in memory as a whole: reading them cannot fail.
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    if !parts.headers.contains_key(header::CONTENT_LENGTH) {
        // As the listener adds it.
        _ = writeln!(text, "content-length: {}", body.len());
    }
    write_body(&mut text, &body);
    text
}

fn write_headers(text: &mut String, headers: &HeaderMap) {
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        // A signature proves a key without telling it; a token or password is one.
        let shown = match value.split_once(' ') {
            Some((scheme @ ("Bearer" | "Basic"), _)) if name == header::AUTHORIZATION => {
                format!("{scheme} ••••••••")
            }
            _ => value.into_owned(),
        };
        _ = writeln!(text, "{name}: {shown}");
    }
}

fn write_body(text: &mut String, body: &Bytes) {
    if body.is_empty() {
        return;
    }
    text.push('\n');
    match core::str::from_utf8(body) {
        Ok(body) if body.len() <= SHOWN_MAX => text.push_str(body),
        Ok(body) => {
            let end = (0..=SHOWN_MAX).rev().find(|end| body.is_char_boundary(*end));
            text.push_str(&body[..end.unwrap_or_default()]);
            text.push('…');
        }
        Err(_) => _ = write!(text, "<{} bytes>", body.len()),
    }
}
