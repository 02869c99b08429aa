//! Codes that leave the server: failover, budgets, and `kill -9` between the states of the ledger.

use core::time::Duration;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::{Value, json};

use crate::harness::{PATIENCE, held_address};
use crate::sandbox::{Sandbox, answered, code_request};

const NUMBER: &str = "7700900123";

/// A provider that takes every message and keeps what it was sent.
struct Provider {
    address: SocketAddr,
    taken: Arc<Mutex<Vec<String>>>,
}

impl Provider {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let taken: Arc<Mutex<Vec<String>>> = Arc::default();
        let journal = Arc::clone(&taken);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let journal = Arc::clone(&journal);
                std::thread::spawn(move || {
                    let mut reader = BufReader::new(stream.try_clone().unwrap());
                    let (mut line, mut length) = (String::new(), 0);
                    while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
                        if let Some(text) =
                            line.to_ascii_lowercase().strip_prefix("content-length:")
                        {
                            length = text.trim().parse().unwrap();
                        }
                        if line == "\r\n" {
                            let mut body = vec![0; length];
                            reader.read_exact(&mut body).unwrap();
                            journal.lock().unwrap().push(String::from_utf8(body).unwrap());
                            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                            _ = stream.write_all(answer.as_bytes());
                        }
                        line.clear();
                    }
                });
            }
        });
        Self { address, taken }
    }

    fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }

    fn section(&self, name: &str) -> String {
        section(name, self.address)
    }
}

fn section(name: &str, address: SocketAddr) -> String {
    format!(
        "[senders.{name}]\ntype = \"http\"\nurl = \"http://{address}/\"\n\
         [senders.{name}.form]\nto = \"{{{{ to }}}}\"\ntext = \"{{{{ text }}}}\"\n"
    )
}

/// The one send in the ledger, once `ends` says that it is as it should be.
async fn send_when(sandbox: &Sandbox, ends: impl Fn(&Value) -> bool) -> Value {
    let began = now();
    loop {
        let page = sandbox.operator("/admin/v1/sends").await;
        let items = page["items"].as_array().unwrap();
        assert_eq!(items.len(), 1, "{page}");
        if ends(&items[0]) {
            return items[0].clone();
        }
        assert!(began.elapsed() < PATIENCE, "{page}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "measures how long a code takes")]
fn now() -> Instant {
    Instant::now()
}

#[tokio::test]
async fn a_dead_sender_hands_over_to_the_next_and_one_of_them_is_paid() {
    let (_held, dead) = held_address();
    let provider = Provider::start();
    let settings = format!(
        "{}{}[prices.first]\nsms = 0.07\n[prices.second]\nsms = 0.05\n",
        section("first", dead),
        provider.section("second")
    );
    let sandbox = Sandbox::start(&settings).await;
    let (status, body) = sandbox.post("/v1/account", &code_request(NUMBER)).await;
    assert_eq!(status, 202, "{body}");
    let send = send_when(&sandbox, |it| it["state"] == "handed_over").await;
    assert_eq!(send["attempts"], 1, "the next one gets it at once: {send}");
    assert_eq!(provider.taken().len(), 1);
    assert!(provider.taken()[0].contains("44"), "{:?}", provider.taken());
    let tries = send["tries"].as_array().unwrap();
    let results: Vec<_> = tries.iter().map(|it| (&it["sender"], &it["result"])).collect();
    assert_eq!(
        results,
        [(&json!("first"), &json!("unavailable")), (&json!("second"), &json!("taken"))]
    );
    assert_eq!(send["sender"], "second");
    assert_eq!(send["price"], 50_000, "one charge, of the one that took it");
    let fuses = sandbox.operator("/admin/v1/fuses").await;
    assert_eq!(fuses["budgets"][0]["spent"], 50_000, "{fuses}");
    let (_, again) = sandbox.post("/v1/account", &code_request(NUMBER)).await;
    assert!(again["errors"][0]["details"].as_str().unwrap().contains("Please wait"), "{again}");
}

#[tokio::test]
async fn a_budget_ends_exactly_at_its_limit_and_a_refusal_sends_nothing() {
    let provider = Provider::start();
    let settings = format!(
        "{}[prices.main]\nsms = 1\n[fuses]\naccount_per_day = 7\ncountry_per_hour = \"off\"\n",
        provider.section("main")
    );
    let sandbox = Sandbox::start(&settings).await;
    let asked: Vec<Value> =
        (0..64).map(|last| code_request(&format!("7700900{last:03}"))).collect();
    let replies = sandbox.all_at_once(asked.clone(), "/v1/account").await;
    assert_eq!((answered(&replies, 202), answered(&replies, 403)), (7, 57), "{replies:?}");
    for _ in 0..4 {
        let replies = sandbox.all_at_once(asked[8..].to_vec(), "/v1/account").await;
        assert_eq!(answered(&replies, 202), 0);
    }
    assert_eq!(sandbox.sends().await, 7);
    let fuses = sandbox.operator("/admin/v1/fuses").await;
    assert_eq!(fuses["budgets"][0]["left"], 0, "{fuses}");
    let began = now();
    while provider.taken().len() < 7 && began.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(provider.taken().len(), 7);
}

/// What becomes of a code if the server is killed at a place of the ledger's, and started again.
struct Killed {
    place: &'static str,
    repeat: &'static str,
    /// How often the provider got the message.
    messages: usize,
    state: &'static str,
    in_doubt: bool,
}

#[tokio::test]
async fn a_server_killed_between_two_states_of_the_ledger_ends_as_promised() {
    let again = "at_least_once";
    let never = "never_twice";
    let row = |place, repeat, messages, state, in_doubt| Killed {
        place,
        repeat,
        messages,
        state,
        in_doubt,
    };
    for killed in [
        row("decided", again, 1, "handed_over", true),
        row("claimed", again, 1, "handed_over", true),
        row("begun", again, 1, "handed_over", true),
        row("handed-over", again, 2, "handed_over", true),
        row("recorded", again, 1, "handed_over", false),
        // What had not begun is not lost and leaves no doubt.
        row("decided", never, 1, "handed_over", false),
        row("claimed", never, 1, "handed_over", false),
        // From here to the record nobody can know: the request may have left the machine.
        row("begun", never, 0, "failed", true),
        row("handed-over", never, 1, "failed", true),
        row("recorded", never, 1, "handed_over", false),
    ] {
        kill(&killed).await;
    }
}

async fn kill(killed: &Killed) {
    let what = format!("{} with {}", killed.place, killed.repeat);
    let provider = Provider::start();
    let settings =
        format!("[delivery]\nrepeat = \"{}\"\n{}", killed.repeat, provider.section("main"));
    let sandbox = Sandbox::start_armed(&settings, killed.place).await;
    // The process dies under the request, or right after it.
    let _ = sandbox.try_post("/v1/account", &code_request(NUMBER)).await;
    let sandbox = sandbox.restart();
    let ended = |it: &Value| it["state"] != "decided" && it["state"] != "claimed";
    let send = send_when(&sandbox, ended).await;
    assert_eq!(send["state"], killed.state, "{what}: {send}");
    assert_eq!(send["in_doubt"], killed.in_doubt, "{what}: {send}");
    let taken = provider.taken();
    assert_eq!(taken.len(), killed.messages, "{what}: {taken:?}");
    assert!(taken.windows(2).all(|pair| pair[0] == pair[1]), "{what}: the same code");
}
