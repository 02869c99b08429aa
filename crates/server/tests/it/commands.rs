//! The commands that talk to a server, against one in memory: the real binary over a real socket.

use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;
use std::sync::{Arc, mpsc};

use api::{App, AppInner, Settings, router};
use async_trait::async_trait;
use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use registration::{PhoneNumber, TextId as _, WabaId};
use serde_json::{Value, json};
use service::certificate::Authority;
use service::clients::FirstPassword;
use service::hashing::{HashCost, Hasher};
use service::keys::{KeyRing, MasterKeys};
use service::ports::rehearsal::NoRehearsal;
use service::ports::{Clock as _, CodeDelivery, CodeMessage, DeliveryError, HandedOver, SendQuery};
use service::testing::{ManualClock, MemoryStore, SeededEntropy};
use service::{Policy, Ports, Service};
use sha2::{Digest as _, Sha256};

use crate::harness::rollcall;

const NUMBER: &str = "+447700900123";
const TOKEN: &str = "operator-token-of-the-tests";

/// A server on a free port, and a data folder with its token.
struct Server {
    address: SocketAddr,
    data: tempfile::TempDir,
    service: Arc<Service>,
}

struct Taker;

#[async_trait]
impl CodeDelivery for Taker {
    async fn hand_over(&self, _: &CodeMessage) -> Result<HandedOver, DeliveryError> {
        Ok(HandedOver { sender: "inbox".to_owned(), provider_id: None })
    }
}

impl Server {
    fn start() -> Self {
        let (ready, started) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let (routes, service) = application().await;
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                ready.send((listener.local_addr().unwrap(), service)).unwrap();
                axum::serve(listener, routes).await.unwrap();
            });
        });
        let (address, service) = started.recv().unwrap();
        let data = tempfile::tempdir().unwrap();
        std::fs::set_permissions(data.path(), Permissions::from_mode(0o700)).unwrap();
        server::files::replace(&data.path().join("operator.token"), TOKEN.as_bytes()).unwrap();
        Self { address, data, service }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Runs a command against this server.
    fn run(&self, arguments: &[&str]) -> Done {
        let mut command = rollcall(arguments);
        command.args(["--server", &self.url(), "--data"]).arg(self.data.path()).env("TZ", "UTC");
        Done::from(command.output().unwrap())
    }
}

/// What came of a command.
#[derive(Debug)]
struct Done {
    code: i32,
    out: String,
    said: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code().unwrap(),
            out: text(output.stdout),
            said: text(output.stderr),
        }
    }
}

impl Done {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

async fn application() -> (Router, Arc<Service>) {
    let clock = Arc::new(ManualClock::default());
    let entropy = Arc::new(SeededEntropy::new(7));
    let keys = KeyRing::new(&MasterKeys::generate(&*entropy));
    let hasher = Hasher::new(keys.clone(), entropy.clone(), HashCost::CHEAPEST, 2, 64);
    let ports = Ports {
        store: Arc::new(MemoryStore::new()),
        clock: clock.clone(),
        entropy,
        delivery: Arc::new(Taker),
        rehearsal: Arc::new(NoRehearsal),
    };
    let service = Arc::new(Service::new(ports, keys, hasher, Policy::default()));
    let first = FirstPassword { password: "Sandbox-1!".to_owned(), must_change: false };
    let waba = WabaId::parse("102290129340398").unwrap();
    service.first_start(&waba, &first).await.unwrap();
    let app = App(Arc::new(AppInner {
        service: Arc::clone(&service),
        authority: Authority::new([(1, [7; 32])]).unwrap(),
        metrics: api::metrics::Metrics::default(),
        settings: Settings {
            onprem_version: "2.45.1".to_owned(),
            onprem_retired: false,
            public_url: String::new(),
            operator_token_sha256: Sha256::digest(TOKEN.as_bytes()).into(),
            started_at: clock.now(),
        },
        sandbox: None,
        ca_pem: Box::new(String::new),
        rotate_master: Box::new(|| Ok(2)),
    }));
    let sandbox = Router::new()
        .route("/sandbox/v1/inbox", get(async || Json(json!({ "messages": [] }))))
        .route("/sandbox/v1/inbox/wait", get(next_message))
        .with_state(Arc::clone(&service));
    let routes = sandbox.fallback_service(router(app));
    (routes, service)
}

/// The newest message to a number, in the form that the product fixes for the sandbox.
async fn next_message(
    State(service): State<Arc<Service>>,
    Query(query): Query<Vec<(String, String)>>,
) -> Json<Value> {
    service.deliver_due().await.unwrap();
    let number = query.iter().find(|(name, _)| name == "number").map(|(_, number)| number);
    let number = number.map(|number| PhoneNumber::parse(number).unwrap());
    let query = SendQuery { number, limit: 1, ..SendQuery::default() };
    let (_, message) = service.inbox(query).await.unwrap().pop().unwrap();
    Json(json!({
        "id": message.id.to_string(), "number": message.number.to_string(), "channel": "sms",
        "code": message.code.reveal(), "text": message.text, "at": "2027-01-15T08:00:00Z",
    }))
}

#[test]
fn a_script_registers_a_number_in_one_command_and_finds_it() {
    let server = Server::start();
    let flags = ["register", "--number", NUMBER, "--name", "Lucky Shrub", "--wait-inbox"];
    let done = server.run(&flags);
    assert_eq!(done.code, 0, "{done:?}");
    let expected =
        "+44 7700 900123 is registered on client default, since 2027-01-15 08:00:00 UTC.\n";
    assert_eq!(done.out, expected);
    let list = server.run(&["numbers", "list"]);
    assert_eq!(
        list.out,
        "\
NUMBER           STATE       RUNS ON         NAME         PIN
+44 7700 900123  registered  client default  Lucky Shrub  off
1 number
"
    );
    let list = server.run(&["numbers", "list", "--registered", "true", "--json"]).json();
    assert_eq!(list["items"][0]["number"], NUMBER);
    let shown = server.run(&["numbers", "show", "+44 7700 900123", "--json"]).json();
    assert_eq!(shown["registration"]["client"], "default");
    let gone = server.run(&["numbers", "deregister", NUMBER]);
    assert_eq!(gone.out, "+44 7700 900123 is registered nowhere now.\n");
}

#[test]
fn the_two_steps_of_a_registration_can_be_two_commands() {
    let server = Server::start();
    let sent = server.run(&["register", "--number", NUMBER, "--name", "Acme", "--json"]).json();
    assert_eq!(sent["outcome"], "code_sent");
    let message = server.run(&["inbox", "--number", NUMBER, "--wait", "5", "--json"]).json();
    let code = message["code"].as_str().unwrap();
    let done = server.run(&["register", "--number", NUMBER, "--code", code]);
    assert_eq!((done.code, done.out.contains("is registered on")), (0, true), "{done:?}");
}

#[test]
fn a_refusal_has_an_exit_code_of_its_own_and_says_what_works() {
    let server = Server::start();
    let order = ["register", "--number", NUMBER, "--name", "Acme"];
    assert_eq!(server.run(&order).code, 0);
    let refused = server.run(&order);
    assert_eq!((refused.code, refused.out.as_str()), (3, ""), "{refused:?}");
    assert!(refused.said.starts_with("refused: A code was sent a moment ago."), "{refused:?}");
    assert!(refused.said.contains("opens  2027-01-15 08:01:00 UTC"), "{refused:?}");
    assert!(refused.said.contains("rollcall explain code-too-soon"), "{refused:?}");
    let refused = server.run(&[&order[..], &["--json"]].concat());
    assert_eq!((refused.code, refused.said.as_str()), (3, ""));
    let error = refused.json()["error"].take();
    assert_eq!(
        (&error["refusal"], &error["retry_after_seconds"]),
        (&json!("code-too-soon"), &json!(60))
    );
    let id = error["explain"].as_str().unwrap();
    let explained = server.run(&["explain", id]);
    assert!(explained.out.contains("Opens      2027-01-15 08:01:00 UTC"), "{explained:?}");
}

#[test]
fn a_mistake_is_told_by_field_and_by_exit_code_1() {
    let server = Server::start();
    let wrong = server.run(&["register", "--number", "+44123", "--name", "Acme"]);
    assert_eq!(wrong.code, 1, "{wrong:?}");
    assert!(wrong.said.contains("number"), "{wrong:?}");
    let unknown = server.run(&["numbers", "show", NUMBER]);
    assert_eq!(
        (unknown.code, unknown.said.as_str()),
        (1, "error: There is no number +447700900123.\n")
    );
}

#[test]
fn who_cannot_be_reached_or_asked_is_told_what_to_do() {
    let server = Server::start();
    let nobody = rollcall(&["numbers", "list", "--server", "http://127.0.0.1:1", "--data"])
        .arg(server.data.path())
        .output();
    let nobody = Done::from(nobody.unwrap());
    assert!(nobody.code == 1 && nobody.said.contains("rollcall serve"), "{nobody:?}");
    let list = ["numbers", "list", "--server", &server.url()];
    let no_token = Done::from(rollcall(&list).current_dir(server.data.path()).output().unwrap());
    assert!(no_token.code == 1 && no_token.said.contains("ROLLCALL_TOKEN"), "{no_token:?}");
    let wrong = Done::from(rollcall(&list).env("ROLLCALL_TOKEN", "wrong").output().unwrap());
    assert!(wrong.code == 1 && wrong.said.contains("operator.token"), "{wrong:?}");
    let by_variable = rollcall(&["numbers", "list"])
        .env("ROLLCALL_TOKEN", TOKEN)
        .env("ROLLCALL_SERVER", server.url())
        .output();
    assert_eq!(Done::from(by_variable.unwrap()).code, 0);
    let clock = server.run(&["clock", "show"]);
    assert!(clock.code == 1 && clock.said.contains("is no sandbox"), "{clock:?}");
}

#[test]
fn the_trail_is_shown_and_verified() {
    let server = Server::start();
    server.run(&["register", "--number", NUMBER, "--name", "Acme", "--wait-inbox"]);
    let verified = server.rerun_without_data(&["audit", "verify"]);
    assert!(verified.code == 0 && verified.out.starts_with("The chain holds: "), "{verified:?}");
    let trail = server.run(&["audit", "show", NUMBER]);
    for what in ["number added", "code requested", "code confirmed", "registered", "Times are UTC."]
    {
        assert!(trail.out.contains(what), "{what}: {trail:?}");
    }
    assert!(trail.out.lines().all(|line| line.chars().count() <= 80), "{trail:?}");
    let sends = server.run(&["sends", "list", "--json"]).json();
    assert_eq!(sends["items"][0]["state"], "handed_over");
}

impl Server {
    /// The same with the token from the environment: with --data, `audit verify` asks no server.
    fn rerun_without_data(&self, arguments: &[&str]) -> Done {
        let mut command = rollcall(arguments);
        command.env("ROLLCALL_TOKEN", TOKEN).env("ROLLCALL_SERVER", self.url());
        Done::from(command.output().unwrap())
    }
}

#[test]
fn a_certificate_goes_to_standard_output_alone() {
    let server = Server::start();
    let issued = server.run(&["cert", "issue", "--number", NUMBER, "--name", "Lucky Shrub"]);
    assert_eq!(issued.code, 0, "{issued:?}");
    let certificate = issued.out.trim();
    assert!(!certificate.contains(char::is_whitespace) && issued.said.contains("Lucky Shrub"));
    let shown = server.run(&["cert", "show", certificate]);
    assert!(shown.out.contains("issued here, counts until 2027-01-29 08:00:00 UTC"), "{shown:?}");
}

#[test]
fn the_master_key_is_rotated_while_the_server_serves() {
    let server = Server::start();
    let rotated = server.run(&["keys", "rotate-master"]);
    assert!(rotated.code == 0 && rotated.out.contains("epoch 2"), "{rotated:?}");
    assert_eq!(server.run(&["keys", "rotate-master", "--json"]).json(), json!({ "epoch": 2 }));
}

#[test]
fn doctor_finds_the_server_and_what_is_missing() {
    let server = Server::start();
    let report = server.run(&["doctor", "--json"]);
    assert_eq!(report.code, 1, "no key file: {report:?}");
    let report = report.json();
    let verdict = |name: &str| {
        let checks = report["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["name"] == name);
        check.map(|check| check["verdict"].as_str().unwrap().to_owned())
    };
    for (name, expected) in [
        ("configuration", "ok"),
        ("data folder", "ok"),
        ("master key", "fail"),
        ("server", "ok"),
        ("admin API", "ok"),
        ("clock", "ok"),
        ("clock skew", "ok"),
    ] {
        assert_eq!(verdict(name).as_deref(), Some(expected), "{name}: {report}");
    }
    let text = server.run(&["doctor"]).out;
    assert!(text.contains("cure: "), "{text}");
}

#[test]
fn the_document_that_is_printed_is_the_committed_one() {
    let printed = Done::from(rollcall(&["openapi"]).output().unwrap());
    assert!(printed.out == include_str!("../../../../docs/openapi.json"), "docs/openapi.json");
}

#[test]
fn a_locked_number_is_unlocked() {
    let server = Server::start();
    let mut policy = (*server.service.policy()).clone();
    policy.limits.failed_in_a_row_max = 1;
    server.service.set_policy(policy);
    server.run(&["register", "--number", NUMBER, "--name", "Acme"]);
    let message = server.run(&["inbox", "--number", NUMBER, "--wait", "--json"]).json();
    let right: u32 = message["code"].as_str().unwrap().parse().unwrap();
    let wrong = format!("{:06}", (right + 1) % 1_000_000);
    assert_eq!(server.run(&["register", "--number", NUMBER, "--code", &wrong]).code, 3);
    let locked = server.run(&["numbers", "show", NUMBER]);
    assert!(locked.out.contains("rollcall numbers unlock +447700900123"), "{locked:?}");
    assert_eq!(server.run(&["numbers", "unlock", NUMBER]).code, 0);
    let right = format!("{right:06}");
    assert_eq!(server.run(&["register", "--number", NUMBER, "--code", &right]).code, 0);
}
