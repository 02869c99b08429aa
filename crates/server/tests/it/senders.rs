//! The settings of senders: ten lines are enough, and mistakes are named.

use std::process::Output;

use crate::harness::rollcall;

/// What `rollcall config check` says about a file with this text.
fn check(text: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rollcall.toml");
    std::fs::write(&file, format!("mode = \"production\"\n{text}")).unwrap();
    let Output { status, stdout, stderr } =
        rollcall(&["config", "check", file.to_str().unwrap()]).output().unwrap();
    (status.success(), String::from_utf8([stdout, stderr].concat()).unwrap())
}

#[test]
fn each_kind_of_sender_needs_ten_lines_at_most() {
    for text in [
        "[senders.a]\ntype = \"smpp\"\naddress = \"smsc.example.org:2775\"\nsystem_id = \"us\"\npassword = \"pw\"",
        "[senders.a]\ntype = \"http\"\npreset = \"twilio\"\naccount = \"AC1\"\nsecret = \"s\"\nfrom = \"+15550100\"",
        "[senders.a]\ntype = \"http\"\npreset = \"kannel\"\nuser = \"u\"\npassword = \"p\"",
        "[senders.a]\ntype = \"http\"\nurl = \"https://sms.example.org/\"\n[senders.a.form]\nto = \"{{ to }}\"\ntext = \"{{ text }}\"",
    ] {
        let (sound, said) = check(text);
        assert!(sound, "{text}\n{said}");
        assert!(text.lines().count() <= 10);
    }
}

#[test]
fn a_mistake_in_a_sender_is_named_with_its_key() {
    let smpp = "[senders.a]\ntype = \"smpp\"\naddress = \"h:1\"\nsystem_id = \"us\"\n";
    let http = "[senders.a]\ntype = \"http\"\n";
    for (text, said) in [
        (format!("{smpp}password = \"far too long\""), "senders.a.password: must have at most 8"),
        (
            format!("{smpp}originator = \"far too long it is\""),
            "senders.a.originator: an originator",
        ),
        (format!("{smpp}window = 0"), "senders.a.window: 0 is not between 1"),
        (format!("{smpp}version = \"4\""), "`4` is none of \"3.4\", \"5.0\""),
        (format!("{smpp}windw = 1"), "did you mean window?"),
        (format!("{http}preset = \"twillio\""), "there is no preset `twillio`; there are android"),
        (
            format!("{http}preset = \"twilio\"\naccount = \"AC1\""),
            "`secret` is missing: the auth token",
        ),
        (format!("{http}preset = \"sns\"\nregoin = \"x\""), "unknown field `regoin`"),
        (format!("{http}from = \"x\""), "missing field `url`"),
        (
            format!("{http}url = \"http://h/\"\ncallback_token = \"short\""),
            "senders.a.callback_token",
        ),
    ] {
        let (sound, heard) = check(&text);
        assert!(!sound && heard.contains(said), "{text}\n{heard}");
        assert_eq!(heard.matches("rollcall.toml:").count(), 1, "one mistake, said once: {heard}");
    }
}

#[test]
fn what_the_manual_shows_can_be_pasted() {
    let manual = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations.md");
    let manual = std::fs::read_to_string(manual).unwrap();
    let blocks = manual.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let senders: Vec<_> = blocks.filter(|block| block.contains("[senders.")).collect();
    assert!(senders.len() >= 5, "{}", senders.len());
    for block in senders {
        // Variables of the operator's are not set here.
        let block = block
            .replace("mode = \"production\"\n", "")
            .replace("_env = ", " = ")
            .replace("_file = ", " = ");
        let block = block.replace("\"SMSC_PASSWORD\"", "\"secret\"");
        let (sound, said) = check(&block);
        assert!(sound, "{block}\n{said}");
    }
}
