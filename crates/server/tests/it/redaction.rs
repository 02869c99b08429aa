//! What is secret cannot be written down by `{:?}`: not by a log, not by a panic.

use crate::tidy::texts;

/// Fields that hold a secret where their type is plain text.
const SECRETS: [&str; 8] = [
    "secret",
    "security_token",
    "verify_token",
    "access_token",
    "token",
    "password",
    "pin",
    "api_key",
];

/// Structs whose field of that name holds none: hashes of Argon2id, and the name of a setting.
const HARMLESS: [(&str, &str); 3] =
    [("User", "password"), ("Operator", "password"), ("Callback", "secret")];

/// Structs of `text` that derive `Debug` and have a secret in plain text.
fn careless(text: &str) -> Vec<String> {
    let (mut derives, mut inside, mut found) = (false, None::<String>, Vec::new());
    for line in text.lines() {
        let code = line.trim();
        if let Some(name) = &inside {
            if line.starts_with('}') {
                inside = None;
                continue;
            }
            let field = code.trim_start_matches("pub(crate) ").trim_start_matches("pub ");
            let Some((field, kind)) = field.split_once(": ") else { continue };
            let is_text = ["String", "&'a str", "&'static str", "Box<str>"]
                .iter()
                .any(|text| kind.trim_end_matches(',').trim_end_matches('>').ends_with(text));
            let harmless = HARMLESS.contains(&(name.as_str(), field));
            if is_text && SECRETS.contains(&field) && !harmless {
                found.push(format!("{name}.{field}"));
            }
        } else if code.starts_with("#[derive(") {
            derives = code.contains("Debug");
        } else if let Some((_, rest)) = line.split_once("struct ")
            && line.trim_end().ends_with('{')
            && !line.starts_with(' ')
        {
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
            inside = derives.then_some(name);
            derives = false;
        } else if !code.starts_with(['#', '/']) {
            derives = false;
        }
    }
    found
}

#[test]
fn no_secret_in_plain_text_has_a_derived_debug() {
    let of_crates = ["registration", "service", "store", "outbound", "api"];
    let mut found = Vec::new();
    for (file, text) in texts(".rs") {
        let is_source = of_crates.iter().any(|it| file.starts_with(&format!("crates/{it}/src/")));
        if is_source && !["/tests/", "/testing/"].iter().any(|it| file.contains(it)) {
            found.extend(careless(&text).iter().map(|it| format!("{file}: {it}")));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_careless_struct_is_found() {
    let text = "/// A.\n#[derive(Debug, Clone)]\n#[serde(x)]\npub struct A<'a> {\n    pub pin: Option<String>,\n    \
                pub n: u8,\n}\n#[derive(Clone)]\nstruct B {\n    token: String,\n}\n";
    assert_eq!(careless(text), ["A.pin"]);
}
