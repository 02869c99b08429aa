//! `rollcall export`, `watch`, `top` and `man`: what is seen of many numbers.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::harness::rollcall;
use crate::import::{Rest, Sandbox};

const NUMBER: &str = "+447700900123";

/// Columns of an export that must survive the way to another installation.
fn identity(export: &str) -> Vec<String> {
    let columns = |line: &str| line.split(',').take(5).collect::<Vec<_>>().join(",");
    export.lines().map(columns).collect()
}

#[test]
fn what_was_exported_is_imported_elsewhere() {
    let old = Sandbox::start(&[]);
    let list = old.list(
        "numbers.csv",
        "number,name,set_pin\n\
         +447700900123,Lucky Shrub,\n\
         +447700900124,Acme,135790\n\
         +442079460001,\"Café, Zürich\",\n",
    );
    assert_eq!(old.run(&["import", &list]).0, 0);
    let path = old.path("export.csv");
    let path = path.to_str().unwrap();
    let (code, out, said) = old.run(&["export", "--output", path]);
    assert_eq!((code, out.as_str()), (0, ""), "{said}");
    assert!(said.starts_with("3 in "), "{said}");
    let export = std::fs::read_to_string(path).unwrap();
    let line = export.lines().find(|line| line.starts_with(NUMBER)).unwrap();
    let waba = line.split(',').nth(2).unwrap();

    let new = Sandbox::start(&[]);
    let (code, out, _) = new.run(&["import", path, "--check"]);
    assert!(code == 1 && out.contains(&format!("there is no WABA {waba}")), "{out}");
    let made = Rest::new(&new).post("/wabas", &json!({ "id": waba, "space": "default" }));
    assert_eq!(made, 201);
    let (code, told) = new.json(&["import", path]);
    assert_eq!((code, told["registered"].as_u64()), (0, Some(3)), "{told}");
    let (_, again, _) = new.run(&["export", "--output", "-"]);
    assert_eq!(identity(&again), identity(&export));

    let (code, lines, _) = new.run(&["export", "--json", "--prefix", "4420"]);
    let number: Value = serde_json::from_str(&lines).unwrap();
    assert_eq!((code, &number["name"]), (0, &json!("Café, Zürich")), "{lines}");
}

#[test]
fn a_number_is_watched_until_it_is_registered() {
    let sandbox = Sandbox::start(&[]);
    let mut watch =
        sandbox.begin(&["watch", NUMBER, "--until", "registered", "--json", "--every", "50ms"]);
    let list = sandbox.list("numbers.csv", &format!("number,name\n{NUMBER},Acme\n"));
    // It may begin before or after the first event: the last ten come first.
    assert_eq!(sandbox.run(&["import", &list]).0, 0);
    drop(watch.stdin.take());
    let output = watch.wait_with_output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{out}");
    let events: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.iter().all(|event| event["subject"]["id"] == NUMBER), "{out}");
    assert_eq!(events.last().unwrap()["kind"], "registered", "{out}");
    // Later it is a story for people.
    let (code, story, _) = sandbox.run(&["watch", NUMBER, "--until", "registered"]);
    assert_eq!(code, 0);
    assert!(story.contains("number added, code requested  (operator)"), "{story}");
    assert!(story.trim_end().ends_with("code confirmed, registered  (operator)"), "{story}");
}

#[test]
fn the_server_is_seen_at_work_by_programs_and_on_a_terminal() {
    let sandbox = Sandbox::start(&[]);
    let list = sandbox.list("numbers.csv", &format!("number,name\n{NUMBER},Acme\n"));
    assert_eq!(sandbox.run(&["import", &list]).0, 0);
    assert_eq!(sandbox.run(&["register", "--number", NUMBER, "--name", "Acme"]).0, 3);
    let (code, seen) = sandbox.json(&["top", "--once", "--every", "300ms"]);
    assert_eq!((code, &seen["numbers"]["registered"]), (0, &json!(1)), "{seen}");
    assert_eq!(seen["latest_messages"]["handed_over"], 1);
    assert!(seen["rates"]["requests"].as_f64().unwrap() > 0.0, "its own requests at least: {seen}");
    let (_, page, _) = sandbox.run(&["top", "--once", "--every", "300ms"]);
    assert!(page.contains("Numbers    1 known, 1 registered\n"), "{page}");
    assert!(page.contains("request code refused: code-too-soon"), "{page}");
    assert!(!page.contains('\u{1b}'), "no terminal, no control sequences");

    // On a terminal: the second screen, and back when q is typed.
    let top = sandbox.command(&["top", "--every", "300ms"]);
    let words = core::iter::once(top.get_program()).chain(top.get_args());
    let line: Vec<&str> = words.map(|word| word.to_str().unwrap()).collect();
    let mut script = std::process::Command::new("script");
    script.args(["-qec", &line.join(" "), "/dev/null"]).env("TERM", "xterm");
    let mut script =
        script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = std::io::BufReader::new(script.stdout.take().unwrap());
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("LATEST") {
        let read = std::io::BufRead::read_until(&mut out, b'\n', &mut seen).unwrap();
        assert_ne!(read, 0, "it ended: {}", String::from_utf8_lossy(&seen));
    }
    std::io::Write::write_all(&mut script.stdin.as_ref().unwrap(), b"q").unwrap();
    std::io::Read::read_to_end(&mut out, &mut seen).unwrap();
    assert!(script.wait().unwrap().success());
    let seen = String::from_utf8_lossy(&seen);
    assert!(seen.starts_with("\u{1b}[?1049h"), "{seen:?}");
    assert!(seen.contains("\u{1b}[?25h\u{1b}[?1049l"), "the terminal is given back: {seen:?}");
}

#[test]
fn manual_pages_are_printed_and_written() {
    let page = rollcall(&["man", "numbers", "show"]).output().unwrap();
    let page = String::from_utf8(page.stdout).unwrap();
    assert!(page.contains(".TH rollcall-numbers-show"), "{page}");
    assert!(!rollcall(&["man", "nothing"]).output().unwrap().status.success());
    let folder = tempfile::tempdir().unwrap();
    let written = rollcall(&["man", "--folder"]).arg(folder.path()).output().unwrap();
    assert!(written.status.success());
    assert!(folder.path().join("rollcall.1").exists());
}
