//! A sandbox as a process of its own, and a client of it that is logged in.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::harness::{Rollcall, within};

/// The clock of a fresh sandbox is stopped here.
const START: &str = "2027-01-15T08:00:00Z";

/// Out of the way unless a test is about them.
const GENEROUS: &str = "[onprem]\nrequests_per_second = 100000\nrequests_burst = 100000\n";

pub(crate) struct Sandbox {
    pub(crate) child: Rollcall,
    _data: tempfile::TempDir,
    http: Client,
    operator: String,
    user: String,
}

/// A status and the body as JSON; null if it is none.
pub(crate) type Reply = (u16, Value);

impl Sandbox {
    /// A sandbox with these settings on top of the defaults; its clock stands still.
    pub(crate) async fn start(settings: &str) -> Self {
        Self::start_with(settings, &[]).await
    }

    /// The same, and its process ends as `kill -9` would when it comes to this place.
    pub(crate) async fn start_armed(settings: &str, place: &str) -> Self {
        Self::start_with(settings, &[("ROLLCALL_FAULT_POINT", place)]).await
    }

    async fn start_with(settings: &str, variables: &[(&str, &str)]) -> Self {
        server::tls::install_provider();
        let data = tempfile::tempdir().unwrap();
        std::fs::set_permissions(data.path(), Permissions::from_mode(0o700)).unwrap();
        let config = data.path().join("rollcall.toml");
        std::fs::write(&config, format!("{GENEROUS}{settings}")).unwrap();
        let arguments = ["--config", config.to_str().unwrap()];
        let child = Rollcall::serve_with(data.path(), &arguments, variables);
        let operator = std::fs::read_to_string(data.path().join("operator.token")).unwrap();
        let http = Client::builder().no_proxy().build().unwrap();
        let operator = operator.trim().to_owned();
        let mut sandbox = Self { child, _data: data, http, operator, user: String::new() };
        let clock = json!({ "freeze": true, "set": START });
        assert_eq!(sandbox.post("/sandbox/v1/clock", &clock).await.0, 200);
        sandbox.login().await;
        sandbox
    }

    async fn login(&mut self) {
        let url = self.url("/v1/users/login");
        let body = json!({ "new_password": "First-client-1!" });
        let sent = self.http.post(url).basic_auth("admin", Some("secret")).json(&body).send();
        let body: Value = within(sent).await.unwrap().json().await.unwrap();
        body["users"][0]["token"].as_str().unwrap().clone_into(&mut self.user);
    }

    /// Waits until the armed process has died, and starts the server again on the same data; its clock
    /// stands where it stood.
    pub(crate) fn restart(self) -> Self {
        let Self { child, _data: data, http, operator, user } = self;
        let (ended, _) = child.ended();
        assert!(!ended.success(), "it should have died");
        let config = data.path().join("rollcall.toml");
        let child = Rollcall::serve(data.path(), &["--config", config.to_str().unwrap()]);
        Self { child, _data: data, http, operator, user }
    }

    /// Posts to a server that may die over it.
    pub(crate) async fn try_post(&self, path: &str, body: &Value) -> Option<u16> {
        let request = self.http.post(self.url(path)).bearer_auth(&self.user).json(body);
        within(request.send()).await.ok().map(|reply| reply.status().as_u16())
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.child.address)
    }

    /// The bearer token of the default client's admin.
    pub(crate) fn user_token(&self) -> &str {
        &self.user
    }

    /// Posts as the admin of the default client.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.call(Method::POST, path, &self.user, Some(body)).await
    }

    /// Gets as the operator.
    pub(crate) async fn operator(&self, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, &self.operator, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    async fn call(&self, method: Method, path: &str, token: &str, body: Option<&Value>) -> Reply {
        let mut request = self.http.request(method, self.url(path)).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let reply = within(request.send()).await.unwrap();
        let status = reply.status().as_u16();
        (status, within(reply.json()).await.unwrap_or(Value::Null))
    }

    /// The same request `count` times at once, each on a connection of its own.
    pub(crate) async fn at_once(&self, count: usize, path: &str, body: &Value) -> Vec<Reply> {
        self.all_at_once((0..count).map(|_| body.clone()).collect(), path).await
    }

    /// One request per body, all at once.
    pub(crate) async fn all_at_once(&self, bodies: Vec<Value>, path: &str) -> Vec<Reply> {
        futures_util::future::join_all(bodies.iter().map(|body| self.post(path, body))).await
    }

    pub(crate) async fn turn_clock(&self, seconds: u32) {
        let turn = json!({ "advance_seconds": seconds });
        assert_eq!(self.post("/sandbox/v1/clock", &turn).await.0, 200);
    }

    /// Orders a code for a number of the `+44` country and reads it from the inbox.
    pub(crate) async fn ordered_code(&self, national: &str) -> String {
        let (status, body) = self.post("/v1/account", &code_request(national)).await;
        assert_eq!(status, 202, "{body}");
        let inbox = format!("/sandbox/v1/inbox/wait?number=%2B44{national}&timeout=20s");
        self.operator(&inbox).await["code"].as_str().unwrap().to_owned()
    }

    /// The whole audit trail.
    pub(crate) async fn audit(&self) -> Vec<Value> {
        let mut entries = Vec::new();
        loop {
            let path = format!("/admin/v1/audit?limit=200&after={}", entries.len());
            let page = self.operator(&path).await["items"].take();
            let page = page.as_array().unwrap();
            entries.extend(page.iter().cloned());
            if page.len() < 200 {
                return entries;
            }
        }
    }

    /// Entries in the trail that have this kind, or refuse for this reason.
    pub(crate) async fn audited(&self, what: &str) -> usize {
        let fits = |entry: &&Value| entry["kind"] == what || entry["details"]["refusal"] == what;
        self.audit().await.iter().filter(fits).count()
    }

    /// Rows in the ledger of sends.
    pub(crate) async fn sends(&self) -> usize {
        let page = self.operator("/admin/v1/sends?limit=200").await;
        assert!(page["next"].is_null(), "more than a page");
        page["items"].as_array().unwrap().len()
    }

    /// Resident memory in KiB, from the kernel.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

/// The body that asks for a code by SMS, with a certificate for "Lucky Shrub".
pub(crate) fn code_request(national: &str) -> Value {
    let certificate = STANDARD.encode(b"\x0a\x11\x0a\x0f\x08\x01\x22\x0bLucky Shrub");
    json!({ "cc": "44", "phone_number": national, "method": "sms", "cert": certificate })
}

/// How many replies say `words` in the details of their error.
pub(crate) fn saying(replies: &[Reply], words: &str) -> usize {
    let says =
        |body: &Value| body["errors"][0]["details"].as_str().is_some_and(|it| it.contains(words));
    replies.iter().filter(|(_, body)| says(body)).count()
}

/// How many replies have this status.
pub(crate) fn answered(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|(answered, _)| *answered == status).count()
}
