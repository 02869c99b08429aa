//! The story of one registration: each request and answer as they are on the wire, and why.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::super::print;

/// In a range that the German regulator keeps for films: it belongs to nobody.
const COUNTRY_CODE: &str = "49";
const NATIONAL_NUMBER: &str = "15228817386";
const NAME: &str = "Lucky Shrub";
const PASSWORD: &str = "Sandbox-1!";

/// One registration, told while it happens.
pub(super) struct Story {
    base: String,
    operator_token: String,
    http: reqwest::Client,
    token: Option<String>,
    colours: bool,
    step: u32,
}

impl Story {
    pub(super) fn new(base: String, operator_token: String, colours: bool) -> anyhow::Result<Self> {
        crate::tls::install_provider();
        let http = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { base, operator_token, http, token: None, colours, step: 0 })
    }

    pub(super) async fn tell(&mut self) -> anyhow::Result<()> {
        print("\nOne registration over HTTP, as a program for the On-Premises API would do it.\n")?;
        self.log_in().await?;
        let certificate = self.certificate().await?;
        self.ask_for_code(&certificate).await?;
        let code = self.read_code().await?;
        self.verify(&code).await
    }

    async fn log_in(&mut self) -> anyhow::Result<()> {
        self.chapter("Log in. The factory password admin/secret must be replaced first.")?;
        let path = "/v1/users/login";
        let refused = self.http.post(self.url(path)).basic_auth("admin", Some("secret"));
        let note = "Authorization: Basic admin:secret";
        self.request(&Method::POST, path, note, None)?;
        self.answer(refused.send().await?, StatusCode::UNAUTHORIZED)
            .await
            .context("the demo needs a new data folder, with the factory password")?;
        let body = json!({ "new_password": PASSWORD });
        let login = self.http.post(self.url(path)).basic_auth("admin", Some("secret"));
        self.request(&Method::POST, path, note, Some(&body))?;
        let reply = self.answer(login.json(&body).send().await?, StatusCode::OK).await?;
        self.token = reply["users"][0]["token"].as_str().map(str::to_owned);
        Ok(())
    }

    async fn certificate(&mut self) -> anyhow::Result<String> {
        self.chapter("A certificate for the display name, from the built-in authority.")?;
        let path = "/admin/v1/certificates";
        let number = format!("+{COUNTRY_CODE}{NATIONAL_NUMBER}");
        let body = json!({ "number": number, "name": NAME });
        self.request(&Method::POST, path, "Authorization: Bearer <operator.token>", Some(&body))?;
        let request = self.http.post(self.url(path)).bearer_auth(&self.operator_token).json(&body);
        let reply = self.answer(request.send().await?, StatusCode::CREATED).await?;
        let certificate = reply["certificate"].as_str();
        Ok(certificate.context("the reply has no certificate")?.to_owned())
    }

    async fn ask_for_code(&mut self, certificate: &str) -> anyhow::Result<()> {
        self.chapter(
            "Ask for a code by SMS. 202: it is on its way; vname is read from the certificate.",
        )?;
        let body = json!({
            "cc": COUNTRY_CODE, "phone_number": NATIONAL_NUMBER, "method": "sms", "cert": certificate,
        });
        self.post("/v1/account", &body, StatusCode::ACCEPTED).await.map(drop)
    }

    async fn read_code(&mut self) -> anyhow::Result<String> {
        self.chapter("Read it. In the sandbox the telephone is an inbox that can be waited on.")?;
        let number = format!("%2B{COUNTRY_CODE}{NATIONAL_NUMBER}");
        let path = format!("/sandbox/v1/inbox/wait?number={number}&timeout=10s");
        self.request(&Method::GET, &path, "", None)?;
        let reply = self.http.get(self.url(&path)).send().await?;
        let message = self.answer(reply, StatusCode::OK).await?;
        Ok(message["code"].as_str().context("the message has no code")?.to_owned())
    }

    async fn verify(&mut self, code: &str) -> anyhow::Result<()> {
        self.chapter("Confirm it. 201: the number is registered, and that is on disk.")?;
        self.post("/v1/account/verify", &json!({ "code": code }), StatusCode::CREATED).await?;
        self.chapter("Is it up?")?;
        let path = "/v1/health";
        self.request(&Method::GET, path, "Authorization: Bearer <token>", None)?;
        let token = self.token.clone().unwrap_or_default();
        let request = self.http.get(self.url(path)).bearer_auth(token);
        let health = self.answer(request.send().await?, StatusCode::OK).await?;
        let status = health["health"]["gateway_status"].as_str().unwrap_or_default();
        ensure!(status == "connected", "the number is {status}, not connected");
        let done = format!("+{COUNTRY_CODE} {NATIONAL_NUMBER} is registered as “{NAME}”.");
        print(&format!("\n{}\n", self.paint("1;32", &done)))?;
        Ok(())
    }

    async fn post(&self, path: &str, body: &Value, expected: StatusCode) -> anyhow::Result<Value> {
        self.request(&Method::POST, path, "Authorization: Bearer <token>", Some(body))?;
        let token = self.token.clone().unwrap_or_default();
        let request = self.http.post(self.url(path)).bearer_auth(token).json(body);
        self.answer(request.send().await?, expected).await
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn chapter(&mut self, title: &str) -> anyhow::Result<()> {
        self.step += 1;
        print(&format!("\n{}\n", self.paint("1", &format!("{}. {title}", self.step))))?;
        Ok(())
    }

    fn request(
        &self,
        method: &Method,
        path: &str,
        header: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<()> {
        let mut text = self.paint("36", &format!("   → {method} {path}"));
        if !header.is_empty() {
            write!(text, "\n     {}", self.paint("2", header))?;
        }
        if let Some(body) = body {
            write!(text, "\n     {}", shortened(body))?;
        }
        print(&format!("{text}\n"))?;
        Ok(())
    }

    async fn answer(&self, reply: Response, expected: StatusCode) -> anyhow::Result<Value> {
        let status = reply.status();
        let text = reply.text().await?;
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        let colour = if status.is_success() { "32" } else { "33" };
        let line = self.paint(colour, &format!("   ← {status}"));
        print(&format!("{line}\n     {}\n", shortened(&body)))?;
        ensure!(status == expected, "expected {expected}");
        Ok(body)
    }

    /// How to go on, once the story is told.
    pub(super) fn farewell(&self, program: &str, data: &Path, console: Option<&str>) -> String {
        let base = &self.base;
        let console = console.unwrap_or("/console");
        let data = data.display();
        format!(
            "\nThe server goes on at {base} until Ctrl-C. How to go on:\n\n  \
             console          {base}{console}\n                   \
             (logs you in, once, within ten minutes; then the next line makes another)\n                   \
             {program} console --server {base} --data {data}\n  \
             log in as        admin / {PASSWORD}\n  \
             messages sent    curl '{base}/sandbox/v1/inbox'\n  \
             numbers to try   curl '{base}/sandbox/v1/magic-numbers'\n  \
             turn the clock   curl {base}/sandbox/v1/clock -d '{{\"advance_seconds\":3600}}'\n  \
             data folder      {data}\n",
        )
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// The body on one line, its long strings cut: a token or certificate says nothing to a reader.
fn shortened(body: &Value) -> String {
    const CHARS_MAX: usize = 60;
    fn cut(value: &Value) -> Value {
        match value {
            Value::String(text) if text.chars().count() > CHARS_MAX && !text.contains(' ') => {
                let head: String = text.chars().take(24).collect();
                json!(format!("{head}…"))
            }
            Value::Array(items) => items.iter().map(cut).collect(),
            Value::Object(members) => {
                members.iter().map(|(key, value)| (key.clone(), cut(value))).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }
    cut(body).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_tokens_are_cut_and_sentences_are_not() {
        let token = "a".repeat(100);
        let sentence = "word ".repeat(20);
        let shown = shortened(&json!({ "t": token, "s": sentence, "n": [1, null] }));
        assert!(shown.contains("aaaaaaaaaaaaaaaaaaaaaaaa…") && !shown.contains(&token));
        assert!(shown.contains(&sentence));
    }
}
