//! Layers, origins, and mistakes.

use core::time::Duration;
use std::path::Path;

use server::config::{
    DEFAULTS, Environment, Flag, Loaded, Mode, Origin, Problems, docs, load, sections::LogFormat,
};

fn environment(variables: &[(&str, &str)]) -> Environment {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Environment(variables.iter().map(owned).collect())
}

/// Loads `text` as a file of its own, with its path shortened in messages.
fn load_text(text: &str, variables: &[(&str, &str)], flags: &[Flag]) -> Result<Loaded, Problems> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rollcall.toml");
    std::fs::write(&path, text).unwrap();
    load(Some(&path), &environment(variables), flags)
}

/// The mistakes as `place: key: message`, files by their name only.
fn mistakes(result: Result<Loaded, Problems>) -> Vec<String> {
    let short = |text: String| match text.split_once("rollcall.toml") {
        Some((_, rest)) if text.starts_with('/') => format!("rollcall.toml{rest}"),
        _ => text,
    };
    result.unwrap_err().0.iter().map(|problem| short(problem.to_string())).collect()
}

#[test]
fn each_layer_overrides_the_one_below() {
    let file = "[log]\nlevel = \"warn\"\nformat = \"json\"\n[limits]\nsms_waits = [\"0s\", \"5m\"]\n\
                [onprem]\nrequests_burst = 7\n";
    let variables = [
        ("ROLLCALL__LOG__LEVEL", "debug"),
        ("ROLLCALL__ONPREM__REQUESTS_BURST", "8"),
        ("ROLLCALL__ONPREM__ACCEPT_FOREIGN_CERTIFICATES", "false"),
        ("ROLLCALL__LIMITS__VOICE_WAITS", r#"["1m"]"#),
        ("ROLLCALL_OTHER", "ignored"),
    ];
    let flags = [Flag { name: "--mode", key: "mode", value: "production".to_owned() }];
    let Loaded { config, settings } = load_text(file, &variables, &flags).unwrap();
    assert_eq!(config.log.level, "debug");
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.onprem.requests_burst, 8);
    assert_eq!(config.mode, Mode::Production);
    assert!(!config.accepts_foreign_certificates());
    let limits = config.limits();
    assert_eq!(limits.sms_waits, [0, 300].map(Duration::from_secs));
    assert_eq!(limits.voice_waits, [Duration::from_mins(1)]);
    let origin = |key: &str| {
        let setting = settings.iter().find(|setting| setting.key == key).unwrap();
        let text = setting.origin.to_string();
        text.rsplit('/').next().unwrap().to_owned()
    };
    assert_eq!(origin("log.level"), "ROLLCALL__LOG__LEVEL");
    assert_eq!(origin("log.format"), "rollcall.toml:3");
    assert_eq!(origin("mode"), "--mode");
    assert_eq!(origin("limits.pin_lock"), "default");
}

#[test]
fn every_mistake_is_reported_with_line_and_key() {
    let file = "mode = \"playground\"\n\
                [listen]\n\
                htp = \"127.0.0.1:1\"\n\
                header_timeout = \"10\"\n\
                headers_max = 5\n\
                body_max = 1024\n\
                [limits]\n\
                sms_waits = [\"0s\", \"soon\"]\n\
                guess_waits = []\n\
                pin_failures_max = -1\n\
                [colours]\n\
                sky = \"blue\"\n\
                [log]\n\
                level = \"info,server=loud\"\n";
    let variables = [("ROLLCALL__LISTEN__BODY_MAX", "9 GiB"), ("ROLLCALL__LOGS__LEVEL", "info")];
    let flags = [Flag { name: "--listen", key: "listen.http", value: "8080".to_owned() }];
    assert_eq!(
        mistakes(load_text(file, &variables, &flags)),
        [
            "rollcall.toml:1: mode: unknown variant `playground`, expected `sandbox` or `production`",
            "rollcall.toml:3: listen.htp: unknown setting; did you mean listen.http?",
            "rollcall.toml:4: listen.header_timeout: `10` is no duration; write number and unit \
             (ms, s, m, h, d), for example \"10m\"",
            "rollcall.toml:5: listen.headers_max: 5 is not between 10 and 1000",
            "rollcall.toml:6: listen.body_max: invalid type: integer `1024`, expected a string",
            "rollcall.toml:8: limits.sms_waits: `soon` is no duration; write number and unit \
             (ms, s, m, h, d), for example \"10m\"",
            "rollcall.toml:9: limits.guess_waits: 0 entries are not between 1 and 100",
            "rollcall.toml:10: limits.pin_failures_max: -1 is not between 1 and 1000",
            "rollcall.toml:11: colours: unknown setting; `rollcall config default` lists all",
            "rollcall.toml:14: log.level: `info,server=loud` is no log level: error parsing level \
             filter: expected one of \"off\", \"error\", \"warn\", \"info\", \"debug\", \"trace\", \
             or a number 0-5",
            "ROLLCALL__LISTEN__BODY_MAX: listen.body_max: `9 GiB` is no size; write for example \
             \"64 KiB\" or \"1 MiB\"",
            "ROLLCALL__LOGS__LEVEL: logs.level: unknown setting; did you mean log.level?",
            "--listen: listen.http: `8080` is not HOST:PORT, for example \"127.0.0.1:8080\"",
        ]
    );
}

#[test]
fn broken_syntax_does_not_hide_other_mistakes() {
    let file = "mode = sandbox\n[listen]\nheaders_max = 5\n";
    let found = mistakes(load_text(file, &[], &[]));
    assert!(found[0].starts_with("rollcall.toml:1: "), "{found:?}");
    assert!(found.iter().any(|line| line.contains("5 is not between")), "{found:?}");
}

#[test]
fn rules_between_settings_name_the_setting_to_change() {
    for (file, expected) in [
        (
            "[tls]\nkey_file = \"k\"",
            "rollcall.toml:2: tls.key_file: needs tls.certificate_file too",
        ),
        (
            "[listen]\nhttp = \"0.0.0.0:80\"",
            "rollcall.toml:2: listen.http: a sandbox shows every code",
        ),
        (
            "mode = \"production\"\n[onprem]\nretired = true",
            "rollcall.toml:3: onprem.retired: only a sandbox can play the retired service",
        ),
    ] {
        let found = mistakes(load_text(file, &[], &[]));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(expected), "{found:?}");
    }
    for file in [
        "[listen]\nhttp = \"0.0.0.0:80\"\nremote_sandbox = true",
        "mode = \"production\"\n[listen]\nhttp = \"0.0.0.0:80\"",
    ] {
        load_text(file, &[], &[]).unwrap();
    }
}

#[test]
fn a_section_is_no_setting_and_a_setting_no_section() {
    assert_eq!(
        mistakes(load_text("listen = \"127.0.0.1:1\"\n[mode]\nkind = 1\n", &[], &[])),
        [
            "rollcall.toml:1: listen: is a section; write [listen] and its settings below it",
            "rollcall.toml:2: mode: is one setting; write it with = and a value",
        ]
    );
}

#[test]
fn a_file_that_is_not_there_is_a_mistake() {
    let problems =
        load(Some(Path::new("/nowhere.toml")), &Environment::default(), &[]).unwrap_err();
    let text = problems.to_string();
    assert!(text.contains("1 mistake\n  /nowhere.toml: cannot read: "), "{text}");
}

#[test]
fn the_defaults_written_out_change_nothing() {
    let plain = load(None, &Environment::default(), &[]).unwrap();
    let written = load_text(DEFAULTS, &[], &[]).unwrap();
    assert_eq!(written.config, plain.config);
    assert!(written.settings.iter().all(|setting| setting.origin != Origin::Default));
}

#[test]
fn the_committed_reference_is_the_one_that_is_made() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(
        committed == docs::markdown(),
        "run: cargo run -p server -- config docs > docs/configuration.md"
    );
}

#[test]
fn values_of_variables_do_not_show() {
    let shown = format!("{:?}", environment(&[("KEY", "secret")]));
    assert!(shown.contains("KEY") && !shown.contains("secret"), "{shown}");
}
