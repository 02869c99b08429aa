//! The CAMS gateway over real sockets: signed requests, flow control, settings read again.

use core::sync::atomic::{AtomicU64, Ordering};
use std::fs;
use std::path::PathBuf;

use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::harness::{Rollcall, within};

/// The clock of a test's server is stopped here.
pub(crate) const START: &str = "2027-01-15T08:00:00Z";

/// A sandbox whose clock stands still, and a client of its gateway with a key of the account.
pub(crate) struct Gateway {
    pub(crate) child: Rollcall,
    pub(crate) data: tempfile::TempDir,
    operator: String,
    http: Client,
    key: (String, String),
    now: String,
}

static NONCE: AtomicU64 = AtomicU64::new(0);

impl Gateway {
    pub(crate) async fn start(settings: &str) -> Self {
        server::tls::install_provider();
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join("rollcall.toml"), settings).unwrap();
        let child = serve(&data);
        let operator = fs::read_to_string(data.path().join("operator.token")).unwrap();
        let operator = operator.trim().to_owned();
        let http = Client::builder().no_proxy().build().unwrap();
        let key = (String::new(), String::new());
        let mut gateway = Self { child, data, operator, http, key, now: START.to_owned() };
        gateway.set_clock(START).await;
        let made = gateway.admin("/admin/v1/access-keys", json!({ "account": "default" })).await;
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        gateway.key = (text("id"), text("secret"));
        gateway
    }

    pub(crate) async fn set_clock(&mut self, now: &str) {
        now.clone_into(&mut self.now);
        self.admin("/sandbox/v1/clock", json!({ "freeze": true, "set": now })).await;
    }

    /// Ends the process as a power cut would, and starts another on the same data.
    pub(crate) async fn kill_and_restart(&mut self) {
        // Dead before the next one asks for the folder.
        self.child.kill();
        self.child = serve(&self.data);
        let now = self.now.clone();
        self.set_clock(&now).await;
    }

    /// Posts as the operator.
    pub(crate) async fn admin(&self, path: &str, body: Value) -> Value {
        let url = format!("http://{}{path}", self.child.address);
        let sent = self.http.post(url).bearer_auth(&self.operator).json(&body).send();
        let reply = within(sent).await.unwrap();
        assert!(reply.status().is_success(), "{path}: {}", reply.status());
        within(reply.json()).await.unwrap()
    }

    /// Gets as the operator.
    pub(crate) async fn shown(&self, path: &str) -> Value {
        let url = format!("http://{}{path}", self.child.address);
        let sent = self.http.get(url).bearer_auth(&self.operator).send();
        within(within(sent).await.unwrap().json()).await.unwrap()
    }

    /// Calls an operation; `Code` of the answer.
    pub(crate) async fn call(&self, action: &str, query: &str) -> String {
        self.call_over(&self.http, action, query).await
    }

    async fn call_over(&self, http: &Client, action: &str, query: &str) -> String {
        let nonce = NONCE.fetch_add(1, Ordering::Relaxed).to_string();
        self.call_with(http, action, query, &nonce).await
    }

    async fn call_with(&self, http: &Client, action: &str, query: &str, nonce: &str) -> String {
        let host = self.child.address.to_string();
        let names = "host;x-acs-action;x-acs-date;x-acs-signature-nonce;x-acs-version";
        let empty = hex::encode(Sha256::digest(b""));
        let canonical = format!(
            "POST\n/\n{query}\nhost:{host}\nx-acs-action:{action}\nx-acs-date:{}\n\
             x-acs-signature-nonce:{nonce}\nx-acs-version:2020-06-06\n\n{names}\n{empty}",
            self.now
        );
        let hashed = hex::encode(Sha256::digest(canonical.as_bytes()));
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.1.as_bytes()).unwrap();
        mac.update(format!("ACS3-HMAC-SHA256\n{hashed}").as_bytes());
        let signature = hex::encode(mac.finalize().into_bytes());
        let authorization = format!(
            "ACS3-HMAC-SHA256 Credential={},SignedHeaders={names},Signature={signature}",
            self.key.0
        );
        let request = http
            .request(Method::POST, format!("http://{host}/?{query}"))
            .header("x-acs-action", action)
            .header("x-acs-date", &self.now)
            .header("x-acs-signature-nonce", nonce)
            .header("x-acs-version", "2020-06-06")
            .header("authorization", authorization);
        let reply = within(request.send()).await.unwrap();
        let body: Value = within(reply.json()).await.unwrap();
        body["Code"].as_str().unwrap().to_owned()
    }

    /// How many of `count` calls at once pass, over at most so many connections.
    async fn burst(&self, count: usize, connections: usize) -> usize {
        let clients: Vec<_> = (0..connections)
            .map(|_| Client::builder().no_proxy().pool_max_idle_per_host(1).build().unwrap())
            .collect();
        let lane = async |client: &Client| {
            let mut passed = 0;
            for _ in 0..count / connections {
                match &*self.call_over(client, "IsvGetAppId", "Type=whatsapp").await {
                    "OK" => passed += 1,
                    other => assert_eq!(other, "Throttling.User"),
                }
            }
            passed
        };
        futures_util::future::join_all(clients.iter().map(lane)).await.into_iter().sum()
    }

    fn config(&self) -> PathBuf {
        self.data.path().join("rollcall.toml")
    }
}

fn serve(data: &tempfile::TempDir) -> Rollcall {
    let config = data.path().join("rollcall.toml");
    Rollcall::serve(data.path(), &["--config", config.to_str().unwrap()])
}

#[tokio::test]
async fn exactly_ten_of_a_burst_of_a_hundred_pass_whatever_the_number_of_connections() {
    let mut gateway = Gateway::start("").await;
    for (second, connections) in [1, 4, 100].into_iter().enumerate() {
        gateway.set_clock(&format!("2027-01-15T08:00:{:02}Z", 2 * second)).await;
        assert_eq!(gateway.burst(100, connections).await, 10, "{connections} connections");
    }
}

#[tokio::test]
async fn a_limit_changes_without_a_restart_and_a_mistake_changes_nothing() {
    let mut gateway = Gateway::start("").await;
    assert_eq!(gateway.burst(20, 4).await, 10);
    fs::write(gateway.config(), "[cams]\nrequests_per_second = 3\n").unwrap();
    gateway.child.signal("HUP");
    gateway.child.await_log("settings read again");
    gateway.set_clock("2027-01-15T08:00:02Z").await;
    assert_eq!(gateway.burst(20, 4).await, 3);
    fs::write(gateway.config(), "[cams]\nrequests_per_second = \"many\"\n").unwrap();
    gateway.child.signal("HUP");
    gateway.child.await_log("settings not read again");
    gateway.set_clock("2027-01-15T08:00:04Z").await;
    assert_eq!(gateway.burst(20, 4).await, 3);
}

/// How many of `codes` are `code`.
fn count(codes: &[String], code: &str) -> usize {
    codes.iter().filter(|it| *it == code).count()
}

#[tokio::test]
async fn a_signed_request_that_arrives_fifty_times_at_once_is_accepted_once() {
    let mut gateway = Gateway::start("").await;
    let send = async || {
        let again = (0..50).map(|_| {
            let client = Client::builder().no_proxy().build().unwrap();
            let gateway = &gateway;
            async move { gateway.call_with(&client, "IsvGetAppId", "Type=whatsapp", "again").await }
        });
        futures_util::future::join_all(again).await
    };
    let codes = send().await;
    assert_eq!((count(&codes, "OK"), count(&codes, "SignatureNonceUsed")), (1, 49), "{codes:?}");
    gateway.kill_and_restart().await;
    let late = gateway.call_with(&gateway.http, "IsvGetAppId", "Type=whatsapp", "again").await;
    assert_eq!(late, "SignatureNonceUsed");
}

#[tokio::test]
async fn two_operations_that_confirm_a_code_share_its_five_guesses() {
    let settings = "[cams]\nrequests_per_second = 1000\n\
        [limits]\nguess_waits = [\"0s\", \"0s\", \"0s\", \"0s\", \"0s\"]\n";
    let gateway = Gateway::start(settings).await;
    let number = "CustSpaceId=default&PhoneNumber=447700900123";
    let add = "Cc=44&CustSpaceId=default&PhoneNumber=7700900123&VerifiedName=Shrub";
    assert_eq!(gateway.call("AddChatappPhoneNumber", add).await, "OK");
    let order = "CustSpaceId=default&Locale=en_GB&Method=sms&PhoneNumber=447700900123";
    assert_eq!(gateway.call("GetChatappVerifyCode", order).await, "OK");
    let inbox = "/sandbox/v1/inbox/wait?number=%2B447700900123&timeout=20s";
    let right = gateway.shown(inbox).await["code"].as_str().unwrap().to_owned();
    let wrong = if right == "000000" { "000001" } else { "000000" };
    let both = |code: &str| {
        [
            ("ChatappVerifyAndRegister", format!("{number}&VerifyCode={code}")),
            ("GetPreValidatePhoneId", format!("PhoneNumber=447700900123&VerifyCode={code}")),
        ]
    };
    let guesses: Vec<_> = (0..30).flat_map(|_| both(wrong)).collect();
    let all = guesses.iter().map(|(action, query)| gateway.call(action, query));
    let codes = futures_util::future::join_all(all).await;
    let spent = count(&codes, "VerifyCode.LimitControl");
    assert_eq!((count(&codes, "VerifyCode.Error"), spent), (5, 55), "{codes:?}");
    for (action, query) in both(&right) {
        assert_eq!(gateway.call(action, &query).await, "VerifyCode.LimitControl", "{action}");
    }
}
