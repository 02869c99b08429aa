//! Named situations that a row starts from, reached through the API as a caller would.

use core::time::Duration;
use std::collections::BTreeMap;

use axum::body::Body;
use http::Request;
use registration::{ClientId, Limits, TextId as _};
use service::clients::FirstPassword;
use service::directory::Client;
use service::ports::Store as _;
use service::{Allowance, Caller, Policy};
use sha2::{Digest as _, Sha256};

use super::certificates;
use crate::harness::{Reply, VERSION, World};

/// Ofcom's numbers for drama: mobile, another mobile, a fixed line.
const NUMBER: &str = "447700900123";
const OTHER: &str = "447700900456";
const FIXED_LINE: &str = "441134960123";

/// An installation in some situation, and the texts that stand for what it made up.
pub(crate) struct Stage {
    pub(crate) world: World,
    texts: BTreeMap<&'static str, String>,
}

impl Stage {
    /// A fresh installation, then each situation in turn. Without any, the admin is logged in.
    pub(crate) async fn set(given: &[&str]) -> Self {
        let world = World::new().await;
        let texts = BTreeMap::from([
            ("cert", certificates::own(&world, NUMBER, "Example Ltd")),
            ("cert renamed", certificates::own(&world, NUMBER, "Example & Sons")),
            ("cert other", certificates::own(&world, OTHER, "Example Ltd")),
            ("cert fixed line", certificates::own(&world, FIXED_LINE, "Example Ltd")),
            ("cert foreign", certificates::foreign("Example Ltd")),
            ("cert 34", certificates::foreign(&"n".repeat(34))),
            ("cert 35", certificates::foreign(&"n".repeat(35))),
            ("cert 120", certificates::foreign(&"é".repeat(60))),
            ("cert expired", certificates::own_expired(&world, NUMBER, "Example Ltd")),
            ("huge", "A".repeat(2 * 1024 * 1024)),
            ("key", block("PRIVATE KEY")),
            ("certificate", block("CERTIFICATE")),
            ("web", meta('v')),
            ("core", meta(' ')),
        ]);
        let mut stage = Self { world, texts };
        if given != ["fresh"] {
            stage.log_in().await;
        }
        for situation in given.iter().filter(|it| **it != "fresh") {
            stage.reach(situation).await;
        }
        stage
    }

    /// Sends `METHOD path` or `METHOD path body` as `who`, and remembers what came of it.
    pub(crate) async fn ask(&mut self, who: &str, line: &str) -> Reply {
        let mut parts = line.splitn(3, ' ');
        let (method, path) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let body = self.body(parts.next().unwrap_or_default());
        let mut request = Request::builder().method(method).uri(self.fill(path));
        if let Some(credentials) = self.credentials(who) {
            request = request.header("authorization", credentials);
        }
        self.send(request.body(Body::from(body)).expect("a request")).await
    }

    /// Sends a request and remembers what came of it: the code, the backup.
    pub(crate) async fn send(&mut self, request: Request<Body>) -> Reply {
        let reply = self.world.send(request).await;
        if let Some(code) = self.world.delivery.last_code() {
            let wrong = if code == "000000" { "000001" } else { "000000" };
            self.texts.insert("grouped", format!("{}-{}", &code[..3], &code[3..]));
            self.texts.insert("spaced", format!("{} {}", &code[..3], &code[3..]));
            self.texts.insert("wrong", wrong.to_owned());
            self.texts.insert("code", code);
        }
        if let Some(data) = reply.json()["settings"]["data"].as_str() {
            self.texts.insert("backup", data.to_owned());
        }
        reply
    }

    /// What stands behind `Authorization` for a role, or for credentials written out.
    pub(crate) fn credentials(&self, who: &str) -> Option<String> {
        match who {
            "nobody" => None,
            "api key" => Some(format!("Apikey {API_KEY}")),
            "admin" | "user" | "second admin" => {
                Some(format!("Bearer {}", self.texts.get(who).expect("somebody logged in")))
            }
            written => Some(self.fill(written)),
        }
    }

    /// `text` with each `<name>` replaced.
    pub(crate) fn fill(&self, text: &str) -> String {
        let fill = |text: String, (name, value): (&&str, &String)| {
            text.replace(&format!("<{name}>"), value)
        };
        self.texts.iter().fold(text.to_owned(), fill)
    }

    /// The same as a body; `<jpeg>` is the beginning of a picture.
    pub(crate) fn body(&self, text: &str) -> Vec<u8> {
        match text.strip_prefix("<jpeg>") {
            Some(rest) => [&JPEG[..], self.fill(rest).as_bytes()].concat(),
            None => self.fill(text).into_bytes(),
        }
    }

    /// Reaches a situation of `situations.toml`, or one that needs more than requests.
    async fn reach(&mut self, situation: &str) {
        if let Some(seconds) = situation.strip_suffix(" s later") {
            return self.play(&format!("wait {seconds}")).await;
        }
        match situation {
            "user" => self.add_user().await,
            "second client" => self.add_second_client().await,
            "retired" => self.change_client(|client| client.retired = true).await,
            "api key" => {
                let digest: [u8; 32] = Sha256::digest(API_KEY.as_bytes()).into();
                self.change_client(|client| client.api_key_sha256 = Some(digest)).await;
            }
            "allowance spent" => {
                let once = Allowance { burst: 1, ..Policy::default().client_requests };
                self.set_policy(Policy { client_requests: once, ..Policy::default() });
                self.play("wait 3600").await;
                self.play("GET /v1/users/admin").await;
            }
            "logins spent" => {
                for _ in 0..10 {
                    self.ask("Basic YWRtaW46d3Jvbmc=", "POST /v1/users/login").await;
                }
            }
            "foreign certificates refused" => {
                let policy = Policy { accept_foreign_certificates: false, ..Policy::default() };
                self.set_policy(policy);
            }
            "slow link" => {
                let limits =
                    Limits { coreapp_connect: Duration::from_secs(30), ..Limits::default() };
                self.set_policy(Policy { limits, ..Policy::default() });
            }
            "store closed" => self.world.store.close().await.expect("a store in memory"),
            written => {
                let all: BTreeMap<String, Vec<String>> = toml::from_str(SITUATIONS).expect("TOML");
                let lines = all.get(written);
                for line in lines.unwrap_or_else(|| panic!("no situation is called {written}")) {
                    self.play(line).await;
                }
            }
        }
    }

    /// Plays a line of `situations.toml`.
    async fn play(&mut self, line: &str) {
        let (verb, rest) = line.split_once(' ').expect("two words");
        let reply = match verb {
            "given" => return Box::pin(self.reach(rest)).await,
            "wait" => {
                let seconds = rest.parse().expect("seconds");
                return self.world.clock.advance(Duration::from_secs(seconds));
            }
            "anyhow" => return drop(self.ask("admin", rest).await),
            "second" => self.ask("second admin", rest).await,
            _ => self.ask("admin", line).await,
        };
        assert!(reply.status.is_success(), "{line}: {} {}", reply.status, reply.text());
    }

    async fn log_in(&mut self) {
        let change = "{\"new_password\":\"Sandbox-1!\"}";
        let token = self.token("Basic YWRtaW46c2VjcmV0", "/v1", change).await;
        self.texts.insert("admin", token);
    }

    async fn add_user(&mut self) {
        self.play("POST /v1/users {\"username\":\"robert\",\"password\":\"Sandbox-2!\"}").await;
        let token = self.token("Basic cm9iZXJ0OlNhbmRib3gtMiE=", "/v1", "").await;
        self.texts.insert("user", token);
    }

    async fn add_second_client(&mut self) {
        let service = &self.world.app.service;
        let default = service.client(&World::default_client()).await.expect("a store in memory");
        let second = Client {
            id: ClientId::parse("second").expect("an identifier"),
            host: Some("second.example".to_owned()),
            ..default.expect("made at the first start")
        };
        let first = FirstPassword { password: "Sandbox-3!".to_owned(), must_change: false };
        service.add_client(&Caller::operator(), second, &first).await.expect("a store in memory");
        let token = self.token("Basic YWRtaW46U2FuZGJveC0zIQ==", "/clients/second/v1", "").await;
        self.texts.insert("second admin", token);
    }

    async fn token(&mut self, basic: &str, prefix: &str, body: &str) -> String {
        let reply = self.ask(basic, &format!("POST {prefix}/users/login {body}")).await;
        reply.json()["users"][0]["token"].as_str().expect("a login").to_owned()
    }

    async fn change_client(&self, change: impl Fn(&mut Client) + Send + Sync) {
        let (service, id) = (&self.world.app.service, World::default_client());
        let caller = Caller::operator();
        service.change_client(&caller, &id, "changed", change).await.expect("a store in memory");
    }

    fn set_policy(&self, policy: Policy) {
        self.world.app.service.set_policy(policy);
    }
}

/// A PEM block with the shape of a DER value and nothing in it.
fn block(label: &str) -> String {
    format!("-----BEGIN {label}-----\nMAEA\n-----END {label}-----\n")
}

/// `meta` with this in front of the version.
fn meta(lead: char) -> String {
    let version = format!("{lead}{VERSION}");
    format!("\"meta\":{{\"version\":\"{}\",\"api_status\":\"stable\"}}", version.trim())
}

/// JPEG's first segments: SOI, APP0.
const JPEG: [u8; 12] = *b"\xff\xd8\xff\xe0\x00\x10JFIF\0\x01";

const SITUATIONS: &str = include_str!("../../fixtures/onprem/situations.toml");

const API_KEY: &str = "example-api-key";
