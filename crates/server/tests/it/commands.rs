//! The commands that talk to a server: the real binary against a sandbox of its own.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use serde_json::{Value, json};

use crate::harness::{Rollcall, rollcall};

const NUMBER: &str = "+447700900123";

/// A sandbox whose clock stands at 2027-01-15T08:00:00Z, and its data folder.
struct Server {
    child: Rollcall,
    data: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        Self::with(&[])
    }

    fn with(arguments: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        std::fs::set_permissions(data.path(), Permissions::from_mode(0o700)).unwrap();
        let server = Self { child: Rollcall::serve(data.path(), arguments), data };
        assert_eq!(server.run(&["clock", "freeze"]).code, 0);
        let clock = server.run(&["clock", "set", "2027-01-15T08:00:00Z"]);
        assert_eq!(clock.out, "2027-01-15 08:00:00 UTC, stands still\n", "{clock:?}");
        server
    }

    fn url(&self) -> String {
        format!("http://{}", self.child.address)
    }

    fn token(&self) -> String {
        let text = std::fs::read_to_string(self.data.path().join("operator.token")).unwrap();
        text.trim().to_owned()
    }

    /// Runs a command against this server, with its data folder.
    fn run(&self, arguments: &[&str]) -> Done {
        let mut command = rollcall(arguments);
        command.args(["--server", &self.url(), "--data"]).arg(self.data.path()).env("TZ", "UTC");
        Done::from(command.output().unwrap())
    }

    /// The same with address and token from the environment.
    fn run_by_environment(&self, arguments: &[&str]) -> Done {
        let mut command = rollcall(arguments);
        command.env("ROLLCALL_TOKEN", self.token()).env("ROLLCALL_SERVER", self.url());
        Done::from(command.output().unwrap())
    }

    /// Orders a code and reads it from the inbox.
    fn ordered_code(&self) -> String {
        let sent = self.run(&["register", "--number", NUMBER, "--name", "Acme", "--json"]).json();
        assert_eq!(sent["outcome"], "code_sent", "{sent}");
        let inbox = ["inbox", "--number", NUMBER, "--limit", "1", "--json"];
        loop {
            // Handing over follows the commit; the inbox has the message a moment later.
            let messages = self.run(&inbox).json()["messages"].take();
            if let Some(code) = messages[0]["code"].as_str() {
                return code.to_owned();
            }
        }
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
    let code = server.ordered_code();
    let done = server.run(&["register", "--number", NUMBER, "--code", &code]);
    assert_eq!((done.code, done.out.contains("is registered on")), (0, true), "{done:?}");
}

#[test]
fn a_registration_says_which_number_loses_its_client() {
    let server = Server::start();
    let register = |number: &str, more: &[&str]| {
        server.run(&[&["register", "--number", number, "--name", "Acme"][..], more].concat())
    };
    let first = register(NUMBER, &["--wait-inbox"]);
    assert_eq!((first.code, first.out.lines().count()), (0, 1), "{first:?}");
    let again = register("+44 7700 900124", &[]);
    let warning = "Client default runs +44 7700 900123; confirming the code takes it off there.\n";
    assert!(again.out.contains(warning), "{again:?}");
    let second = register("+447700900125", &["--wait-inbox"]);
    let told = "+44 7700 900123 ran there before and is registered nowhere now.\n";
    assert!(second.code == 0 && second.out.ends_with(told), "{second:?}");
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
    assert_eq!(server.run_by_environment(&["numbers", "list"]).code, 0);
}

#[test]
fn the_trail_is_shown_and_verified_by_the_server_and_by_the_file() {
    let server = Server::start();
    server.run(&["register", "--number", NUMBER, "--name", "Acme", "--wait-inbox"]);
    let trail = server.run(&["audit", "show", NUMBER]);
    for what in ["number added", "code requested", "code confirmed", "registered", "Times are UTC."]
    {
        assert!(trail.out.contains(what), "{what}: {trail:?}");
    }
    assert!(trail.out.lines().all(|line| line.chars().count() <= 80), "{trail:?}");
    let sends = server.run(&["sends", "list", "--json"]).json();
    assert_eq!(sends["items"][0]["state"], "handed_over");

    let asked = server.run_by_environment(&["audit", "verify", "--json"]).json();
    assert!(asked["holds"] == true && asked["entries"].as_u64().unwrap() > 5, "{asked}");
    let read = rollcall(&["audit", "verify", "--json", "--data"]).arg(server.data.path()).output();
    assert_eq!(Done::from(read.unwrap()).json(), asked, "while the server runs");
    let Server { child, data } = server;
    child.signal("TERM");
    assert!(child.ended().0.success());
    let read = rollcall(&["audit", "verify", "--json", "--data"]).arg(data.path()).output();
    assert_eq!(Done::from(read.unwrap()).json(), asked, "after it stopped");
}

#[test]
fn a_trail_that_is_not_there_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let read = rollcall(&["audit", "verify", "--data"]).arg(folder.path()).output();
    let read = Done::from(read.unwrap());
    assert!(read.code == 1 && read.said.contains("cannot read the database"), "{read:?}");
    let ends = read.said.ends_with("/rollcall.db\n") && read.said.contains(": there is no /");
    assert!(ends && read.said.matches("/rollcall.db").count() == 1, "{read:?}");
}

#[test]
fn the_clock_is_turned_and_shown() {
    let server = Server::start();
    let on = server.run(&["clock", "advance", "3d"]);
    assert_eq!(on.out, "2027-01-18 08:00:00 UTC, stands still\n");
    assert_eq!(server.run(&["clock", "resume", "--json"]).json()["frozen"], false);
    assert_eq!(server.run(&["clock", "advance", "soon"]).code, 1);
    let late = server.run(&["clock", "advance", "90000000h"]);
    assert!(late.code == 1 && late.said.contains("the year 9999"), "{late:?}");
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
    let code = server.ordered_code();
    let rotated = server.run(&["keys", "rotate-master"]);
    assert!(rotated.code == 0 && rotated.out.contains("epoch 2"), "{rotated:?}");
    assert_eq!(server.run(&["keys", "rotate-master", "--json"]).json(), json!({ "epoch": 3 }));
    let done = server.run(&["register", "--number", NUMBER, "--code", &code]);
    assert_eq!(done.code, 0, "a code of the first epoch counts: {done:?}");
}

#[test]
fn doctor_finds_a_running_server_sound_and_a_lost_key_missing() {
    let server = Server::start();
    let report = server.run(&["doctor", "--json"]);
    assert_eq!(report.code, 0, "{report:?}");
    let verdict = |report: &Value, name: &str| {
        let checks = report["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["name"] == name).unwrap();
        check["verdict"].as_str().unwrap().to_owned()
    };
    let report = report.json();
    for name in [
        "configuration",
        "data folder",
        "master key",
        "operator token",
        "server",
        "admin API",
        "database",
        "clock",
        "clock skew",
    ] {
        assert_eq!(verdict(&report, name), "ok", "{name}: {report}");
    }
    assert_eq!(verdict(&report, "sandbox clock"), "warn", "{report}");
    std::fs::remove_file(server.data.path().join("rollcall.key")).unwrap();
    let report = server.run(&["doctor", "--json"]);
    assert_eq!((report.code, verdict(&report.json(), "master key").as_str()), (1, "fail"));
    let text = server.run(&["doctor"]).out;
    assert!(text.contains("cure: "), "{text}");
}

#[test]
fn a_program_reads_json_also_where_no_server_answers() {
    let folder = tempfile::tempdir().unwrap();
    let mut lists = rollcall(&["numbers", "list", "--json", "--data"]);
    let done = Done::from(lists.arg(folder.path()).output().unwrap());
    assert_eq!(done.code, 1);
    assert_eq!(done.json()["error"]["code"], "failed", "{done:?}");
    assert!(done.json()["error"]["message"].as_str().unwrap().contains("no operator token"));
    let kind =
        Done::from(rollcall(&["explain", "/explain/code-too-soon", "--json"]).output().unwrap());
    assert_eq!(kind.json()["refusal"], "code-too-soon", "{kind:?}");
}

#[test]
fn the_document_that_is_printed_is_the_committed_one() {
    let printed = Done::from(rollcall(&["openapi"]).output().unwrap());
    assert!(printed.out == include_str!("../../../../docs/openapi.json"), "docs/openapi.json");
}

#[test]
fn a_locked_number_is_unlocked() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("rollcall.toml");
    std::fs::write(&config, "[limits]\nfailed_in_a_row_max = 1\n").unwrap();
    let server = Server::with(&["--config", config.to_str().unwrap()]);
    let right = server.ordered_code();
    let wrong = if right == "000000" { "000001" } else { "000000" };
    assert_eq!(server.run(&["register", "--number", NUMBER, "--code", wrong]).code, 3);
    let locked = server.run(&["numbers", "show", NUMBER]);
    assert!(locked.out.contains("rollcall numbers unlock +447700900123"), "{locked:?}");
    assert_eq!(server.run(&["numbers", "unlock", NUMBER]).code, 0);
    assert_eq!(server.run(&["register", "--number", NUMBER, "--code", &right]).code, 0);
}

#[test]
fn a_policy_is_added_attached_and_tried_out() {
    let server = Server::start();
    let file = server.data.path().join("policy.json");
    let file_name = file.to_str().unwrap();
    let add = ["policy", "add", "office", file_name];
    std::fs::write(&file, r#"{"Version":"1","Statement":[{"Effect":"allow"}]}"#).unwrap();
    let refused = server.run(&add);
    assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{refused:?}");
    let fault = "\n  line 1, column 39, $.Statement[0].Effect: Effect is Allow or Deny\n";
    assert!(refused.said.contains(fault), "{refused:?}");
    let policy = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"cams:Get*",
        "Resource":"*","Condition":{"IpAddress":{"acs:SourceIp":"192.0.2.0/24"}}}]}"#;
    std::fs::write(&file, policy).unwrap();
    assert_eq!(server.run(&add).code, 0);
    assert_eq!(server.run(&["policy", "show", "office"]).out.trim_end(), policy);
    for command in
        ["users add ci", "groups add robots", "users join ci robots", "groups attach robots office"]
    {
        let words: Vec<_> = command.split(' ').collect();
        assert_eq!(server.run(&words).code, 0, "{command}");
    }
    let simulate = |ip| {
        let request = ["policy", "simulate", "--user", "ci", "--action", "cams:GetX"];
        server.run(&[&request[..], &["--source-ip", ip]].concat())
    };
    let allowed = simulate("192.0.2.9");
    let expected = "\
allowed: Statement 0 of office allows it, and nothing denies it.

office, statement 0, Allow: decides
";
    assert_eq!((allowed.code, allowed.out.as_str()), (0, expected));
    let denied = simulate("203.0.113.9");
    let reason = "\n  IpAddress acs:SourceIp 192.0.2.0/24 does not hold: it is 203.0.113.9\n";
    assert_eq!((denied.code, denied.out.contains(reason)), (3, true), "{denied:?}");
    assert_eq!(server.run(&["policy", "remove", "office"]).code, 1, "in use");
    assert_eq!(server.run(&["groups", "detach", "robots", "office"]).code, 0);
    assert_eq!(server.run(&["policy", "remove", "office"]).out, "office is removed.\n");
}
