//! The command line as scripts see it.

use crate::harness::rollcall;

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = rollcall(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn exit_codes_tell_done_failed_and_not_understood() {
    for (arguments, expected) in [
        (&["--help"][..], 0),
        (&["--version"], 0),
        (&["serve", "--help"], 0),
        (&["config", "default"], 0),
        (&["config", "docs"], 0),
        (&["completions", "bash"], 0),
        (&["config", "check", "/nowhere.toml"], 1),
        (&["serve", "--listen-https", "8443"], 1),
        (&[], 2),
        (&["sevre"], 2),
        (&["serve", "--port", "80"], 2),
        (&["serve", "--mode", "playground"], 2),
        (&["serve", "--listen", "8080"], 2),
    ] {
        let (code, _, said) = run(arguments);
        assert_eq!(code, Some(expected), "{arguments:?}: {said}");
    }
}

#[test]
fn a_check_lists_mistakes_for_people_and_for_programs() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rollcall.toml");
    std::fs::write(&path, "mod = \"sandbox\"\n[listen]\nheaders_max = 5\n").unwrap();
    let path = path.to_str().unwrap();
    let (code, out, said) = run(&["config", "check", path]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(
        said.contains(&format!("{path}:1: mod: unknown setting; did you mean mode?")),
        "{said}"
    );
    assert!(said.contains(&format!("{path}:3: listen.headers_max: 5 is not")), "{said}");
    let (code, out, said) = run(&["config", "check", path, "--json"]);
    assert_eq!((code, said.as_str()), (Some(1), ""));
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(answer["problems"].as_array().unwrap().len(), 2);
    assert_eq!(answer["problems"][1]["key"], "listen.headers_max");
}

/// Gives `text` to a check on standard input.
fn check_piped(text: &[u8]) -> (Option<i32>, String) {
    use std::process::Stdio;
    let mut command = rollcall(&["config", "check", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut check = command.spawn().unwrap();
    std::io::Write::write_all(&mut check.stdin.take().unwrap(), text).unwrap();
    let output = check.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

#[test]
fn a_check_reads_standard_input_and_says_what_is_no_text() {
    let sound = "standard input is sound: 1 setting of its own\n";
    assert_eq!(check_piped(b"mode = \"sandbox\"\n"), (Some(0), sound.to_owned()));
    let (code, said) = check_piped(b"mod = \"sandbox\"\n");
    assert_eq!(code, Some(1));
    assert!(said.contains("standard input:1: mod: unknown setting"), "{said}");
    let (code, said) = check_piped(b"\xff\xfem\0o\0d\0e\0");
    assert_eq!(code, Some(1));
    assert!(said.contains("standard input: is not UTF-8; save it as that"), "{said}");
}

#[test]
fn the_printed_defaults_are_a_sound_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rollcall.toml");
    std::fs::write(&path, run(&["config", "default"]).1).unwrap();
    let (code, out, said) = run(&["config", "check", path.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{said}");
    assert!(out.contains("is sound"), "{out}");
}

#[test]
fn nothing_is_coloured_where_nobody_looks() {
    let (_, help, _) = run(&["--help"]);
    assert!(help.contains("Examples:") && !help.contains('\u{1b}'), "{help}");
}
