//! `rollcall import`: lists of numbers, interrupted and gone on with, against a sandbox of its own.

use core::fmt::Write as _;
use core::time::Duration;
use std::collections::BTreeMap;
use std::fs::Permissions;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

use crate::harness::{Rollcall, held_address, rollcall};

/// Numbers of the great import.
const NUMBERS: usize = 10_000;

/// Limits that would make a list of thousands wait for hours.
const WIDE: [(&str, &str); 4] = [
    ("ROLLCALL__LIMITS__COUNTRY_BURST", "1000000"),
    ("ROLLCALL__LIMITS__COUNTRY_PER_MINUTE", "1000000"),
    ("ROLLCALL__HASHING__MEMORY_KIB", "8"),
    ("ROLLCALL__HASHING__PASSES", "1"),
];

/// A sandbox and a folder for lists.
pub(crate) struct Sandbox {
    child: Rollcall,
    folder: tempfile::TempDir,
}

impl Sandbox {
    pub(crate) fn start(variables: &[(&str, &str)]) -> Self {
        Self::start_with(&[], variables)
    }

    fn start_with(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        std::fs::set_permissions(&data, Permissions::from_mode(0o700)).unwrap();
        Self { child: Rollcall::serve_with(&data, arguments, variables), folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A list, written; its path.
    pub(crate) fn list(&self, name: &str, contents: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, contents).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = rollcall(arguments);
        let url = format!("http://{}", self.child.address);
        command.args(["--server", &url, "--data"]).arg(self.path("data")).env("TZ", "UTC");
        command
    }

    /// Runs a command to its end: exit code, standard output, standard error.
    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// The same for a command that prints JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> (i32, Value) {
        let (code, out, said) = self.run(&[arguments, &["--json"]].concat());
        (code, serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{said}")))
    }

    /// Begins a command whose end is not waited for.
    pub(crate) fn begin(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Every message of the ledger, by number.
    pub(crate) fn sends(&self) -> BTreeMap<String, Vec<Value>> {
        let rest = Rest::new(self);
        let mut sends: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        let mut before = String::new();
        loop {
            let page = rest.get(&format!("/sends?limit=200{before}"));
            for send in page["items"].as_array().unwrap() {
                let number = send["number"].as_str().unwrap().to_owned();
                sends.entry(number).or_default().push(send.clone());
            }
            let Some(next) = page["next"].as_str() else { return sends };
            before = format!("&before={next}");
        }
    }
}

/// A list of so many numbers of the fictitious area code 555.
fn numbers(count: usize) -> String {
    let mut list = "number,name,set_pin\n".to_owned();
    for place in 0..count {
        // A few switch two-step verification on.
        let pin = if place % 500 == 0 { "246802" } else { "" };
        writeln!(list, "+1555{place:07},\"Lucky, Shrub\",{pin}").unwrap();
    }
    list
}

/// Counts the messages that the inbox announces, from now until the server ends.
fn announced(sandbox: &Sandbox) -> std::thread::JoinHandle<BTreeMap<String, usize>> {
    let mut stream = TcpStream::connect(sandbox.child.address).unwrap();
    write!(stream, "GET /sandbox/v1/inbox/stream HTTP/1.1\r\nHost: rollcall\r\n\r\n").unwrap();
    let mut lines = BufReader::new(stream).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "HTTP/1.1 200 OK");
    std::thread::spawn(move || {
        let mut counts = BTreeMap::new();
        for line in lines.map_while(Result::ok) {
            let Some(json) = line.strip_prefix("data:") else { continue };
            let message: Value = serde_json::from_str(json).unwrap();
            *counts.entry(message["number"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        counts
    })
}

/// Lines of the journal that say that a row is registered.
fn registered_in(journal: &std::path::Path) -> usize {
    let text = std::fs::read_to_string(journal).unwrap_or_default();
    text.lines().filter(|line| line.contains("\"outcome\":\"registered\"")).count()
}

/// Waits for a moment that comes within ten minutes, on the busiest machine.
pub(crate) fn wait_until(mut come: impl FnMut() -> bool) {
    #[expect(clippy::disallowed_methods, reason = "a process of its own is watched")]
    let begun = Instant::now();
    while !come() {
        assert!(begun.elapsed() < Duration::from_mins(10), "it does not come");
        #[expect(clippy::disallowed_methods, reason = "a process of its own is watched")]
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_import_that_is_killed_twice_registers_each_number_once_with_one_message() {
    let count = NUMBERS;
    let sandbox = Sandbox::start(&WIDE);
    let announced = announced(&sandbox);
    let list = sandbox.list("numbers.csv", &numbers(count));
    let journal = sandbox.path("numbers.csv.journal");
    for share in [1, 2] {
        let mut import = sandbox.begin(&["import", &list]);
        wait_until(|| registered_in(&journal) >= count * share / 3);
        assert!(import.try_wait().unwrap().is_none(), "it ended before it was killed");
        import.kill().unwrap();
        import.wait().unwrap();
    }
    let (code, summary) = sandbox.json(&["import", &list]);
    assert_eq!(code, 0, "{summary}");
    let done_before = summary["done_before"].as_u64().unwrap();
    assert!(done_before >= count as u64 * 2 / 3, "the journal was gone on with: {summary}");
    let all =
        summary["registered"].as_u64().unwrap() + summary["already_registered"].as_u64().unwrap();
    assert_eq!((all, summary["rows"].as_u64()), (count as u64, Some(count as u64)), "{summary}");
    assert!(!journal.exists(), "a journal whose rows are all registered has served");

    let (code, export, _) = sandbox.run(&["export", "--registered", "true"]);
    assert_eq!((code, export.lines().count()), (0, count + 1));
    let sends = sandbox.sends();
    assert_eq!(sends.len(), count);
    let twice: Vec<_> = sends.iter().filter(|(_, sends)| sends.len() > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    let results = std::fs::read_to_string(sandbox.path("numbers.csv.result.csv")).unwrap();
    assert_eq!(results.lines().count(), count + 1);
    assert!(results.lines().skip(1).all(|line| line.contains("registered,")), "a row is missing");

    // The same again changes nothing: it is read back, and nothing is sent. A part is enough to see it.
    let list = sandbox.list("part.csv", &numbers(500));
    let (code, again) = sandbox.json(&["import", &list]);
    assert_eq!((code, again["already_registered"].as_u64()), (0, Some(500)), "{again}");
    assert_eq!(again["codes_ordered"], 0);
    drop(sandbox);
    let announced = announced.join().unwrap();
    assert_eq!(announced.len(), count, "each number had a message");
    assert!(announced.values().all(|messages| *messages == 1), "none had two");
}

#[test]
fn a_list_with_a_fault_changes_nothing_unless_faults_are_passed_over() {
    let sandbox = Sandbox::start(&[]);
    let list = sandbox.list(
        "numbers.csv",
        "number;name;method;waba\n\
         +44 7700 900123;Acme;;\n\
         07700 900124;Acme;;\n\
         +44 20 7946 0001;Acme;sms;\n\
         +44 7700 900123;Acme;;\n\
         +44 7700 900125;Acme;;nowhere\n",
    );
    let (code, out, said) = sandbox.run(&["import", &list, "--check"]);
    assert_eq!(
        (code, out.replace(&list, "numbers.csv").as_str(), said.as_str()),
        (
            1,
            "\
LINE  COLUMN  WHAT IS WRONG                       WHAT WOULD BE RIGHT
3     number  no country has this calling code    write the country code first, as +44
4     method  a fixed line number takes no sms    write voice
5     number  +447700900123 is on line 2 already  remove one of them
6     waba    there is no WABA nowhere            see them with rollcall wabas list
numbers.csv: 4 faults in 5 rows. Nothing was changed; --skip-invalid passes over rows that are wrong.
",
            ""
        )
    );
    let (code, told) = sandbox.json(&["import", &list]);
    assert_eq!((code, told["sound"].as_u64(), told["rows"].as_u64()), (1, Some(1), Some(5)));
    assert_eq!(told["faults"][2]["line"], 5);
    assert_eq!(sandbox.sends().len(), 0, "nothing was changed");
    assert!(!sandbox.path("numbers.csv.journal").exists());

    let (code, told) = sandbox.json(&["import", &list, "--skip-invalid"]);
    assert_eq!((code, told["registered"].as_u64()), (1, Some(1)), "{told}");
    let results = std::fs::read_to_string(sandbox.path("numbers.csv.result.csv")).unwrap();
    assert_eq!(results.lines().count(), 1 + 5, "{results}");
    assert!(results.contains("3,,,,invalid,,,,,,\"line 3, number:"), "{results}");
}

#[test]
fn rules_are_heard_their_waits_are_kept_and_what_is_refused_is_tried_again_later() {
    let sandbox = Sandbox::start(&[
        ("ROLLCALL__LIMITS__COUNTRY_BURST", "3"),
        ("ROLLCALL__LIMITS__COUNTRY_PER_MINUTE", "60"),
    ]);
    let (code, _, said) =
        sandbox.run(&["register", "--number", "+447700900121", "--name", "Acme", "--wait-inbox"]);
    assert_eq!(code, 0, "{said}");
    let pinned =
        Rest::new(&sandbox).put("/numbers/+447700900121/two-step", &json!({"pin": "135790"}));
    assert_eq!(pinned, 200);
    // The number's own pause after its first code is over.
    assert_eq!(sandbox.run(&["clock", "advance", "61s"]).0, 0);
    let list = "{\"number\":\"+447700900121\",\"name\":\"Acme\",\"pin\":null}\n\
                {\"number\":\"+447700900122\",\"name\":\"Acme\"}\n\
                {\"number\":\"+447700900123\",\"name\":\"Acme\"}\n\
                {\"number\":\"+447700900124\",\"name\":\"Acme\"}\n\
                {\"number\":\"+447700900125\",\"name\":\"Acme\"}\n";
    let path = sandbox.list("numbers.jsonl", list);
    let (code, out, said) = sandbox.run(&["import", &path]);
    assert_eq!(code, 3, "{out}{said}");
    assert!(said.contains("waiting: country-limit, until 20"), "{said}");
    // The client has the number, the list wants it for the WABA alone.
    assert!(out.starts_with("5 numbers: 4 registered, 1 refused;"), "{out}");
    assert!(out.contains("it is registered for client default; --take-over moves it"), "{out}");
    let (code, told) = sandbox.json(&["import", &path, "--take-over"]);
    assert_eq!((code, told["done_before"].as_u64()), (3, Some(4)), "{told}");
    let results = std::fs::read_to_string(sandbox.path("numbers.jsonl.result.jsonl")).unwrap();
    let first: Value = serde_json::from_str(results.lines().next().unwrap()).unwrap();
    assert_eq!((&first["outcome"], &first["refusal"]), (&json!("refused"), &json!("pin-required")));
    // The list is put right, and the same command goes on.
    sandbox.list("numbers.jsonl", &list.replacen("null", "\"135790\"", 1));
    let (code, told) = sandbox.json(&["import", &path, "--take-over"]);
    assert_eq!((code, told["registered"].as_u64()), (0, Some(5)), "{told}");
    let (_, number) = sandbox.json(&["numbers", "show", "+447700900121"]);
    assert_eq!(number["registration"]["platform"], "CLOUD_API");
    let held: Vec<_> = sandbox.sends().into_values().map(|sends| sends.len()).collect();
    assert_eq!(held, [2, 1, 1, 1, 1], "one for register, one for the move");
}

#[test]
fn a_rule_that_opens_too_late_postpones_a_row_and_a_turned_clock_ends_its_wait() {
    let sandbox = Sandbox::start(&[]);
    let order = ["register", "--number", "+447700900123", "--name", "Acme"];
    assert_eq!(sandbox.run(&order).0, 0);
    // Another party asks: its first code has to wait for the number's ladder.
    let list = sandbox.list("numbers.csv", "number,name\n+447700900123,Acme\n");
    let rest = Rest::new(&sandbox);
    assert_eq!(
        rest.post("/wabas", &json!({ "id": "77", "name": "Other", "space": "default" })),
        201
    );
    let wait = ["import", &list, "--waba", "77", "--max-wait", "5s"];
    let (code, told) = sandbox.json(&wait);
    assert_eq!((code, told["postponed"].as_u64()), (3, Some(1)), "{told}");
    let results = std::fs::read_to_string(sandbox.path("numbers.csv.result.csv")).unwrap();
    assert!(results.contains(",77,,postponed,"), "{results}");
    assert!(results.contains("code-too-soon"), "{results}");
    let mut import = sandbox.begin(&["import", &list, "--waba", "77"]);
    let mut said = BufReader::new(import.stderr.take().unwrap()).lines();
    let line = said.next().unwrap().unwrap();
    assert!(line.starts_with("waiting: code-too-soon, until 20"), "{line}");
    assert_eq!(sandbox.run(&["clock", "advance", "61s"]).0, 0);
    assert!(import.wait().unwrap().success());
}

#[test]
fn codes_come_from_a_file_from_standard_input_or_from_a_gateway() {
    let sandbox = Sandbox::start(&[]);
    let code_of = |number: &str| {
        let arguments = ["inbox", "--number", number, "--limit", "1", "--json"];
        let mut code = None;
        wait_until(|| {
            let (_, out, _) = sandbox.run(&arguments);
            let found: Value = serde_json::from_str(&out).unwrap();
            code = found["messages"][0]["code"].as_str().map(str::to_owned);
            code.is_some()
        });
        code.unwrap()
    };
    // A file, to which the code is added after a wrong one.
    let list = sandbox.list("a.csv", "number,name\n+447700900123,Acme\n");
    let codes = sandbox.list("codes.csv", "number,code\n+447700900123,000001\n");
    let mut import = sandbox.begin(&["import", &list, "--codes", &codes]);
    let right = code_of("+447700900123");
    let mut file = std::fs::OpenOptions::new().append(true).open(&codes).unwrap();
    wait_until(|| {
        let (_, number) = sandbox.json(&["numbers", "show", "+447700900123"]);
        number["claims"][0]["code"]["guesses_left"] == 4
    });
    writeln!(file, "+447700900123,{right}").unwrap();
    assert!(import.wait().unwrap().success());

    // Standard input of a script; where it ends, rows without a code end too.
    let list = sandbox.list("b.csv", "number,name\n+447700900124,Acme\n+447700900125,Acme\n");
    let mut import = sandbox.begin(&["import", &list, "--codes", "-"]);
    let right = code_of("+447700900124");
    writeln!(import.stdin.take().unwrap(), "+447700900124 {right}").unwrap();
    let output = import.wait_with_output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(out.starts_with("2 numbers: 1 registered, 1 failed;"), "{out}");

    // A gateway.
    let hook = ["import", &list, "--codes", "webhook:127.0.0.1:0/s3cret"];
    let mut import = sandbox.begin(&hook);
    let mut said = BufReader::new(import.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("Codes are taken in at http://").unwrap().to_owned();
    let (address, path) = url.split_once('/').unwrap();
    let right = code_of("+447700900125");
    let body = format!("{{\"to\":\"+447700900125\",\"text\":\"Your code is {right}\"}}");
    assert_eq!(ask(address, "POST", &format!("/{path}"), "", &body).0, 204);
    assert!(import.wait().unwrap().success());

    // Somebody who types, wrong at first.
    let list = sandbox.list("c.csv", "number,name\n+447700900126,Acme\n");
    let mut import = sandbox.begin(&["import", &list, "--codes", "prompt"]);
    let right = code_of("+447700900126");
    write!(import.stdin.take().unwrap(), "000001\n{right}\n").unwrap();
    let output = import.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let question = "[1/1] Code for +44 7700 900126 by sms (empty: skip): ";
    assert_eq!(said.matches(question).count(), 2, "{said}");
    assert!(said.contains("+447700900126: "), "the wrong one is told: {said}");
    assert_eq!(
        sandbox.sends()["+447700900125"].len(),
        1,
        "its code was still good: none was sent again"
    );
}

#[test]
fn ctrl_c_ends_in_order_and_a_server_that_comes_back_is_waited_for() {
    let (_held, address) = held_address();
    let listen = address.to_string();
    let sandbox = Sandbox::start_with(&["--listen", &listen], &WIDE);
    // So many that none of its runs ends before it is disturbed.
    let list = sandbox.list("numbers.csv", &numbers(900));
    let journal = sandbox.path("numbers.csv.journal");
    let import = sandbox.begin(&["import", &list]);
    wait_until(|| registered_in(&journal) >= 20);
    let interrupted = Command::new("kill").args(["-s", "INT", &import.id().to_string()]).status();
    assert!(interrupted.unwrap().success());
    let output = import.wait_with_output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(130), "{out}");
    assert!(out.contains("not reached") && out.contains("The same command goes on"), "{out}");
    let results = std::fs::read_to_string(sandbox.path("numbers.csv.result.csv")).unwrap();
    assert_eq!(results.lines().count(), 901);

    // The server is killed while rows are under way, and comes back on the same port.
    let import = sandbox.begin(&["import", &list]);
    let before = registered_in(&journal);
    wait_until(|| registered_in(&journal) >= before + 20);
    let Sandbox { child, folder } = sandbox;
    child.signal("KILL");
    child.ended();
    let data = folder.path().join("data");
    let child = Rollcall::serve_with(&data, &["--listen", &listen], &WIDE);
    let sandbox = Sandbox { child, folder };
    let output = import.wait_with_output().unwrap();
    let (out, said) = (String::from_utf8(output.stdout), String::from_utf8(output.stderr));
    assert!(output.status.success(), "{out:?}{said:?}");
    assert!(said.unwrap().contains("The server does not answer; trying again."));
    let (_, registered) = sandbox.json(&["numbers", "list", "--registered", "true"]);
    assert_eq!(registered["items"].as_array().unwrap().len(), 900);
    assert!(sandbox.sends().values().all(|sends| sends.len() == 1), "none was sent twice");
}

#[test]
fn two_runs_cannot_have_one_journal() {
    let sandbox = Sandbox::start(&[]);
    let list = sandbox.list("numbers.csv", "number,name\n+447700900123,Acme\n");
    let codes = sandbox.list("codes.csv", "");
    let mut first = sandbox.begin(&["import", &list, "--codes", &codes]);
    wait_until(|| sandbox.path("numbers.csv.journal").exists());
    wait_until(|| !sandbox.sends().is_empty());
    let (code, _, said) = sandbox.run(&["import", &list]);
    assert_eq!(code, 1);
    assert!(said.contains("another import is running with the journal"), "{said}");
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(sandbox.run(&["import", &list]).0, 0, "the lock ends with the process");
}

/// Requests to the operator's API that no command makes.
pub(crate) struct Rest {
    address: String,
    token: String,
}

impl Rest {
    pub(crate) fn new(sandbox: &Sandbox) -> Self {
        let token = std::fs::read_to_string(sandbox.path("data/operator.token")).unwrap();
        Self { address: sandbox.child.address.to_string(), token: token.trim().to_owned() }
    }

    fn put(&self, path: &str, body: &Value) -> u16 {
        self.ask("PUT", path, &body.to_string()).0
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> u16 {
        self.ask("POST", path, &body.to_string()).0
    }

    fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, "");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    fn ask(&self, verb: &str, path: &str, body: &str) -> (u16, String) {
        let token = format!("Authorization: Bearer {}\r\n", self.token);
        ask(&self.address, verb, &format!("/admin/v1{path}"), &token, body)
    }
}

/// Status and body of an answer.
fn ask(address: &str, verb: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let head = format!(
        "{verb} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n{headers}\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}
