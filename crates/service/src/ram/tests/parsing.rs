//! Texts that are no policies, and what is said about them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::library;
use crate::ram::{CHARS_MAX, PolicyDocument};

fn faults(text: &str) -> Vec<String> {
    match PolicyDocument::parse(text) {
        Ok(_) => Vec::new(),
        Err(error) => error.faults().iter().map(ToString::to_string).collect(),
    }
}

/// A policy of one statement, with members changed or (`null`) taken away.
fn with(changes: &Value) -> String {
    let mut statement = json!({ "Effect": "Allow", "Action": "cams:*", "Resource": "*" });
    for (name, value) in changes.as_object().expect("an object") {
        statement[name] = value.clone();
    }
    statement.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
    json!({ "Version": "1", "Statement": [statement] }).to_string()
}

#[test]
fn every_fault_of_a_policy_is_named_with_its_place() {
    let text = r#"{
  "Version": "2",
  "Statement": [
    {"Effect": "allow", "Action": ["cams:*", "register"], "Resource": "acs:cams:*"},
    {"Effect": "Deny", "Action": "*", "NotAction": "x:y", "Resourc": "*"},
    {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {
      "IpAddress": {"acs:SourceIp": ["10.0.0.0/8", "10.0.0.0/33"], "SourceIp": "::1"},
      "IsAddress": {"acs:SourceIp": "::1"}
    }}
  ],
  "Version": "1"
}"#;
    let operators = "StringEquals, StringNotEquals, StringEqualsIgnoreCase, \
        StringNotEqualsIgnoreCase, StringLike, StringNotLike, NumericEquals, NumericNotEquals, \
        NumericLessThan, NumericLessThanEquals, NumericGreaterThan, NumericGreaterThanEquals, \
        DateEquals, DateNotEquals, DateLessThan, DateLessThanEquals, DateGreaterThan, \
        DateGreaterThanEquals, Bool, IpAddress, NotIpAddress";
    let expected = [
        "line 2, column 14, $.Version: Version is the text \"1\"",
        "line 4, column 16, $.Statement[0].Effect: Effect is Allow or Deny",
        "line 4, column 46, $.Statement[0].Action[1]: an action is * or has the form cams:Get*: \
         service and name",
        "line 4, column 71, $.Statement[0].Resource[0]: a resource is * or has the form \
         acs:service:region:account:relative-id",
        "line 5, column 5, $.Statement[1]: Resource is missing",
        "line 5, column 39, $.Statement[1]: has exactly one of Action and NotAction",
        "line 5, column 59, $.Statement[1].Resourc: unknown; there are Effect, Action, NotAction, \
         Resource, Condition",
        "line 7, column 52, $.Statement[2].Condition.IpAddress[\"acs:SourceIp\"]: IpAddress takes \
         an address or a range of addresses, such as 10.0.0.0/8",
        "line 7, column 68, $.Statement[2].Condition.IpAddress.SourceIp: a key has the form \
         acs:SourceIp: service and name",
        &format!(
            "line 8, column 7, $.Statement[2].Condition.IsAddress: no operator; there are \
             {operators}"
        ),
        "line 11, column 3, $.Version: stands here twice",
    ];
    assert_eq!(faults(text), expected);
}

#[test]
fn a_break_of_json_is_the_only_fault_named() {
    for (text, fault) in [
        ("", "line 1, column 1, $: a value is missing: the text ends here"),
        (
            "{\n  \"Version\": 'x'\n}",
            "line 2, column 14, $: is no JSON: texts stand in double quotes",
        ),
        ("[\"ü\", \"ü\" 1]", "line 1, column 11, $: a comma or ] should stand here"),
        ("{\"Version\": \"2\",}", "line 1, column 17, $: a name in quotes should stand here"),
    ] {
        assert_eq!(faults(text), [fault], "{text}");
    }
}

#[test]
fn a_policy_is_an_object_with_a_version_and_statements() {
    for (text, fault) in [
        ("[]", "line 1, column 1, $: is an object with Version, Statement"),
        (
            r#"{"Version":1,"Statement":[]}"#,
            "line 1, column 12, $.Version: Version is the text \"1\"",
        ),
        (r#"{"Statement":{}}"#, "line 1, column 14, $.Statement: is a list of statements"),
        (
            r#"{"Statement":[7]}"#,
            "line 1, column 15, $.Statement[0]: is an object with Effect, Action, NotAction, Resource, Condition",
        ),
        (
            r#"{"Version":"1","Statement":[]}"#,
            "line 1, column 28, $.Statement: needs at least one of the statements",
        ),
        (r#"{"Version":"1"}"#, "line 1, column 1, $: Statement is missing"),
        (
            r#"{"Version":"1","Statement":[{}],"Id":7}"#,
            "line 1, column 33, $.Id: unknown; there are Version, Statement",
        ),
    ] {
        assert!(faults(text).contains(&fault.to_owned()), "{text}: {:?}", faults(text));
    }
}

#[test]
fn each_part_of_a_statement_is_checked() {
    for (changes, problems) in [
        (json!({}), 0),
        (json!({ "Effect": null }), 1),
        (json!({ "Effect": "ALLOW" }), 1),
        (json!({ "Effect": ["Allow"] }), 1),
        (json!({ "Action": null }), 1),
        (json!({ "Action": [] }), 1),
        (json!({ "Action": {} }), 1),
        (json!({ "Action": ["*", 7, null] }), 2),
        (json!({ "Action": ["", ":", "cams:", ":Get*", "a:b:c", "cams:Get Code", "cams:Gét"] }), 7),
        (json!({ "Action": ["*:*", "c?ms:Get*", "x-y:A.b/c_d"] }), 0),
        (json!({ "Action": null, "NotAction": "cams:*" }), 0),
        (json!({ "Action": null, "NotAction": [] }), 1),
        (json!({ "NotAction": "cams:*" }), 1),
        (json!({ "Resource": null }), 1),
        (json!({ "Resource": [] }), 1),
        (json!({ "Resource": ["", "acs", "acs:cams:*:*", "acs:cams:*:*:", "arn:a:b:c:d"] }), 5),
        (json!({ "Resource": ["acs:cams:*:*:*", "acs:::: ", "acs:a:b:c:d:e:f"] }), 0),
        (json!({ "Resource": "acs:a:b:c:\u{7}" }), 1),
        (json!({ "Principal": "*" }), 1),
        (json!({ "Condition": [] }), 1),
        (json!({ "Condition": {} }), 1),
        (json!({ "Condition": { "Bool": {} } }), 1),
        (json!({ "Condition": { "Bool": "true" } }), 1),
        (json!({ "Condition": { "bool": { "acs:MFAPresent": true } } }), 1),
        (json!({ "Condition": { "Bool": { "acs:MFAPresent": [] } } }), 1),
        (json!({ "Condition": { "Bool": { "acs:MFAPresent": [true, "FALSE", "yes", null] } } }), 2),
        (json!({ "Condition": { "Bool": { "acs:MFAPresent": { "a": 1 } } } }), 1),
        (json!({ "Condition": { "StringLike": { "acs:RequestTag/Größe 1": 7 } } }), 0),
        (json!({ "Condition": { "StringLike": { ":a": "", "a:": "", "a b:c": "" } } }), 3),
        (json!({ "Condition": { "NumericEquals": { "x:y": [1, "2", "two", 3.5] } } }), 1),
        (
            json!({ "Condition": { "DateEquals": { "x:y": ["2026-11-22", "2026-11-22T00:00Z"] } } }),
            1,
        ),
        (
            json!({ "Condition": { "NotIpAddress": { "x:y": ["::1", "10.0.0.1/8", "10.0.0/8"] } } }),
            1,
        ),
    ] {
        let found = faults(&with(&changes));
        assert_eq!(found.len(), problems, "{changes}: {found:?}");
    }
}

#[test]
fn a_policy_has_an_end() {
    let fill = |spaces: usize| format!("{}{}", with(&json!({})), " ".repeat(spaces));
    let spaces = CHARS_MAX - fill(0).chars().count();
    assert_eq!(faults(&fill(spaces)), [""; 0]);
    let fault = format!("line 1, column 6145, $: a policy has at most {CHARS_MAX} characters");
    assert_eq!(faults(&fill(spaces + 1)), [fault]);
    let deep = "[".repeat(CHARS_MAX);
    assert_eq!(faults(&deep), ["line 1, column 9, $: is nested too deeply"]);
}

#[test]
fn the_policies_of_the_fixtures_read_back_as_themselves() {
    for (name, policy) in library() {
        let read = PolicyDocument::parse(&policy.to_string()).expect(&name);
        assert_eq!(PolicyDocument::parse(&read.to_string()), Ok(read), "{name}");
    }
}

/// A sound policy with some of its characters changed.
fn damaged() -> impl Strategy<Value = String> {
    let texts: Vec<_> = library().into_iter().map(|(_, policy)| policy.to_string()).collect();
    let edits = proptest::collection::vec((any::<prop::sample::Index>(), any::<char>()), 1..4);
    let marks = proptest::sample::select(vec!['{', '}', '[', ']', '"', ':', ',', '\\', '1', '*']);
    (proptest::sample::select(texts), edits, marks).prop_map(|(text, edits, mark)| {
        let mut chars: Vec<char> = text.chars().collect();
        for (place, other) in edits {
            let place = place.index(chars.len());
            match u32::from(other) % 3 {
                0 => chars[place] = mark,
                1 => chars.insert(place, other),
                _ => _ = chars.remove(place),
            }
        }
        chars.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Reading ends without a panic, and either way with something to go on: a policy that reads back as
    /// itself, or faults whose places exist.
    #[test]
    fn any_text_is_a_policy_or_has_a_fault(text in prop_oneof![any::<String>(), damaged()]) {
        match PolicyDocument::parse(&text) {
            Ok(read) => prop_assert_eq!(PolicyDocument::parse(&read.to_string()), Ok(read)),
            Err(error) => {
                prop_assert!(!error.faults().is_empty());
                for fault in error.faults() {
                    let line = text.split('\n').nth(fault.line - 1).unwrap_or_default();
                    prop_assert!(fault.column <= line.chars().count() + 1, "{}", fault);
                    prop_assert!(fault.path.starts_with('$') && !fault.problem.is_empty());
                }
            }
        }
    }
}
