//! Layers, origins, and mistakes.

use core::time::Duration;
use std::path::Path;

use server::config::{
    DEFAULTS, Environment, Flag, Loaded, Mode, Origin, Problems, docs, load, sections::LogFormat,
    senders::SenderKind,
};

#[test]
fn a_variable_with_one_underscore_too_few_is_a_mistake_and_no_silence() {
    let variables = [("ROLLCALL_MODE", "production"), ("ROLLCALL_LISTEN__HTTP", "127.0.0.1:1")];
    let told = mistakes(load_text("", &variables, &[]));
    assert_eq!(
        told,
        [
            "ROLLCALL_LISTEN__HTTP: did you mean ROLLCALL__LISTEN__HTTP?",
            "ROLLCALL_MODE: did you mean ROLLCALL__MODE?",
        ]
    );
    // Variables of the commands are no settings.
    assert!(load_text("", &[("ROLLCALL_SERVER", "x"), ("ROLLCALL_TOKEN", "x")], &[]).is_ok());
}

#[test]
fn a_data_folder_has_a_name() {
    let flags = [Flag { name: "--data", key: "data.dir", value: String::new() }];
    assert_eq!(mistakes(load_text("", &[], &flags)), ["--data: data.dir: names no folder"]);
}

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
fn one_source_gets_an_eighth_of_the_connections_unless_told_otherwise() {
    for (file, expected) in [
        ("", 512),
        ("connections_max = 80", 10),
        ("connections_max = 3", 1),
        ("connections_per_source_max = 7", 7),
    ] {
        let Loaded { config, .. } = load_text(&format!("[listen]\n{file}"), &[], &[]).unwrap();
        assert_eq!(config.listen.connections_per_source_max(), expected, "{file}");
    }
    let variables = [
        ("ROLLCALL__LISTEN__CONNECTIONS_PER_SOURCE_MAX", "9"),
        ("ROLLCALL__LISTEN__PROXIES", r#"["192.0.2.0/24"]"#),
    ];
    let Loaded { config, .. } = load_text("", &variables, &[]).unwrap();
    assert_eq!(config.listen.connections_per_source_max(), 9);
    assert_eq!(format!("{:?}", config.listen.proxies), "[Network(192.0.2.0/24)]");
    for (setting, expected) in [
        ("connections_per_source_max = 0", "0 is neither \"auto\" nor between 1 and 1000000"),
        ("proxies = [\"10.0.0.0/33\"]", "`10.0.0.0/33` is no address or network"),
    ] {
        let told = mistakes(load_text(&format!("[listen]\n{setting}"), &[], &[]));
        assert!(told.len() == 1 && told[0].contains(expected), "{told:?}");
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

#[test]
fn senders_and_routes_are_read_in_the_order_they_are_written() {
    let file = "mode = \"production\"\n\
                [senders.zeta]\n\
                type = \"smpp\"\naddress = \"smsc.example.org:2775\"\nsystem_id = \"rollcall\"\n\
                password = \"from the file\"\n\
                [senders.alpha]\n\
                type = \"voice\"\ntrunk = \"sip.example.org:5060\"\ncaller = \"441632960000\"\ntimeout = \"30s\"\n\
                [routes.all]\n\
                senders = [[\"zeta:3\", \"alpha\"], \"alpha\"]\n\
                prefixes = [\"+44\", \"+1876\"]\nmethod = \"sms\"\noriginator = \"Rollcall\"\n";
    let variables = [
        ("ROLLCALL__SENDERS__ZETA__PASSWORD", "s3cret"),
        ("ROLLCALL__SENDERS__ZETA__TIMEOUT", "1s"),
    ];
    let Loaded { config, settings } = load_text(file, &variables, &[]).unwrap();
    let senders = &config.named.senders;
    let names: Vec<_> = senders.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["zeta", "alpha"]);
    assert_eq!(senders[0].timeout, Duration::from_secs(1));
    assert_eq!(senders[1].timeout, Duration::from_secs(30));
    let SenderKind::Smpp(smpp) = &senders[0].kind else { panic!("{:?}", senders[0]) };
    assert_eq!(smpp.password.as_ref().unwrap().reveal(), "s3cret", "the variable wins");
    assert!(!format!("{:?}", config.named).contains("s3cret"), "secrets do not show");
    assert!(settings.iter().any(|it| it.key == "senders.alpha.trunk"));
    let route = &config.named.routes[0];
    assert_eq!(route.prefixes, ["44", "1876"]);
    let steps: Vec<Vec<_>> = route
        .steps
        .iter()
        .map(|step| step.iter().map(|it| (it.sender.as_str(), it.weight)).collect())
        .collect();
    assert_eq!(steps, [vec![("zeta", 3), ("alpha", 1)], vec![("alpha", 1)]]);
}

#[test]
fn every_mistake_in_a_sender_or_route_is_reported() {
    let file = "[senders]\nx = 1\n\
                [senders.main]\n\
                type = \"smpp\"\nadress = \"127.0.0.1:2775\"\nsystem_id = 5\ntimeout = \"2m\"\n\
                password_env = \"NOT_SET\"\n\
                [senders.odd]\ntype = \"pigeon\"\nloft = true\n\
                [senders.none]\nurl = \"http://127.0.0.1/\"\n\
                [senders.\"Nobody's\"]\ntype = \"http\"\nurl = \"http://127.0.0.1/\"\n\
                [routes.all]\nsenders = [\"mainn\", \"main:0\", []]\nprefixes = [\"44\"]\n\
                [routes.empty]\nmethod = \"fax\"\n";
    assert_eq!(
        mistakes(load_text(file, &[], &[])),
        [
            "rollcall.toml:2: senders.x: write [senders.NAME] and its settings below it",
            "rollcall.toml:4: senders.main.address: is needed here",
            "rollcall.toml:5: senders.main.adress: unknown setting; did you mean address?",
            "rollcall.toml:6: senders.main.system_id: 5 is no text; put it in quotes",
            "rollcall.toml:7: senders.main.timeout: `2m` is not between 100ms and 50s",
            "rollcall.toml:8: senders.main.password_env: the variable NOT_SET is not set",
            "rollcall.toml:10: senders.odd.type: `pigeon` is none of \"smpp\", \"http\", \"voice\"",
            "rollcall.toml:13: senders.none.type: is needed here",
            "rollcall.toml:15: senders.Nobody's: a name has 1 to 32 lower-case letters, digits, - or _",
            "rollcall.toml:18: routes.all.senders: [] is no sender and no list of them",
            "rollcall.toml:18: routes.all.senders: the weight in `main:0` is not between 1 and 1000",
            "rollcall.toml:18: routes.all.senders: there is no sender `mainn`; did you mean main?",
            "rollcall.toml:19: routes.all.prefixes: `44` is no beginning of a number such as \"+49\" or \"+1876\"",
            "rollcall.toml:21: routes.empty.method: `fax` is none of \"sms\", \"voice\"",
            "rollcall.toml:21: routes.empty.senders: is needed here",
        ]
    );
}

#[test]
fn a_sandbox_reaches_nothing_but_this_machine() {
    let sender = |url: &str| format!("[senders.out]\ntype = \"http\"\nurl = \"{url}\"\n");
    for url in ["http://127.0.0.1:9/", "http://localhost/x", "http://[::1]:8/"] {
        load_text(&sender(url), &[], &[]).unwrap();
    }
    let found = mistakes(load_text(&sender("https://sms.example.org/"), &[], &[]));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("rollcall.toml:2: senders.out: a sandbox sends nothing to anybody"),
        "{found:?}"
    );
    let production = format!("mode = \"production\"\n{}", sender("https://sms.example.org/"));
    load_text(&production, &[], &[]).unwrap();
}
