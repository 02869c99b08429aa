//! A second evaluation, written for plainness alone, and random policies to compare the two on.

use core::cmp::Ordering;
use core::net::IpAddr;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use super::{Circumstances, account, document, policy, principal, role, written};
use crate::ram::{
    Effect, Finding, Operator, PolicyDocument, PolicyType, RamPolicy, Request, evaluate, explain,
};

/// The decision as the fixtures write it, from the texts of the policies: collect every statement that
/// matches, then go through the rules of precedence as the reference tells them.
pub(super) fn naive_decision(
    policies: &[RamPolicy],
    texts: &[String],
    caller: &str,
    request: &Request<'_>,
) -> String {
    let mut matching: Vec<(PolicyType, bool, String)> = Vec::new();
    for (policy, text) in policies.iter().zip(texts) {
        let parsed: Value = serde_json::from_str(text).expect("JSON");
        for (i, statement) in parsed["Statement"].as_array().expect("a list").iter().enumerate() {
            if statement_matches(statement, request) {
                let denies = statement["Effect"] == "Deny";
                let of_account = policy.policy_type == PolicyType::Account;
                let role = if of_account { "" } else { role(policy.policy_type) };
                let colon = if of_account { "" } else { ":" };
                let place = format!("{role}{colon}{}/{i}", policy.name);
                matching.push((policy.policy_type, denies, place));
            }
        }
    }
    let first = |step: PolicyType, denies: bool| {
        let found = matching.iter().find(|it| it.0 == step && it.1 == denies);
        found.map(|it| it.2.clone())
    };
    for bound in [PolicyType::Control, PolicyType::Session] {
        if caller == "owner" && bound == PolicyType::Control {
            continue;
        }
        if policies.iter().any(|it| it.policy_type == bound) {
            if let Some(place) = first(bound, true) {
                return format!("explicit {place}");
            }
            if first(bound, false).is_none() {
                return format!("implicit {}", role(bound));
            }
        }
    }
    if caller == "owner" {
        return "owner".to_owned();
    }
    let steps = [PolicyType::Account, PolicyType::ResourceGroup];
    if let Some(place) = steps.iter().find_map(|step| first(*step, true)) {
        return format!("explicit {place}");
    }
    match steps.iter().find_map(|step| first(*step, false)) {
        Some(place) => format!("allow {place}"),
        None => "implicit account".to_owned(),
    }
}

fn statement_matches(statement: &Value, request: &Request<'_>) -> bool {
    let action = request.action.to_lowercase();
    let one_of = |patterns: &Value| {
        texts(patterns).iter().any(|pattern| like(&pattern.to_lowercase(), &action))
    };
    let action_fits = match statement.get("NotAction") {
        Some(patterns) => !one_of(patterns),
        None => one_of(&statement["Action"]),
    };
    let resource = request.resource.to_string();
    let resource_fits = texts(&statement["Resource"]).iter().any(|pattern| {
        let parts = |text: &str| text.splitn(5, ':').map(str::to_owned).collect::<Vec<_>>();
        pattern == "*"
            || parts(pattern).iter().zip(parts(&resource)).all(|(one, other)| like(one, &other))
    });
    let condition = statement.get("Condition").and_then(Value::as_object);
    let holds = condition.into_iter().flatten().all(|(operator, keys)| {
        let mut keys = keys.as_object().expect("an object").iter();
        keys.all(|(key, values)| condition_holds(operator, key, &texts(values), request))
    });
    action_fits && resource_fits && holds
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            vec![value.to_string()]
        }
    }
}

/// `*` tried at every length, `?` and letters one by one.
fn like(pattern: &str, text: &str) -> bool {
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('*') => {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.into_iter().any(|at| like(&pattern[1..], &text[at..]))
        }
        Some(wanted) => text.chars().next().is_some_and(|found| {
            (wanted == '?' || wanted == found)
                && like(&pattern[wanted.len_utf8()..], &text[found.len_utf8()..])
        }),
    }
}

fn condition_holds(operator: &str, key: &str, values: &[String], request: &Request<'_>) -> bool {
    let plain = operator.replacen("Not", "", 1);
    let actual = actual_text(key, request);
    let fits = actual.is_some_and(|actual| values.iter().any(|it| compare(&plain, &actual, it)));
    if plain == operator { fits } else { !fits }
}

/// Every value of a request as text.
fn actual_text(key: &str, request: &Request<'_>) -> Option<String> {
    let context = &request.context;
    match key.to_lowercase().as_str() {
        "acs:currenttime" => {
            let at = jiff::Timestamp::from_millisecond(context.current_time.as_millis());
            Some(at.expect("a moment of this age").to_string())
        }
        "acs:securetransport" => Some(context.secure_transport.to_string()),
        "acs:sourceip" => context.source_ip.map(|it| it.to_canonical().to_string()),
        "acs:mfapresent" => context.mfa_present.map(|it| it.to_string()),
        key => {
            let found = context.more.iter().find(|(name, _)| name.to_lowercase() == key);
            found.map(|(_, value)| (*value).to_owned())
        }
    }
}

fn compare(operator: &str, actual: &str, expected: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok().filter(|_| !text.contains('e'));
    let date = |text: &str| text.parse::<jiff::Timestamp>().ok();
    let numbers = number(actual).zip(number(expected)).and_then(|(a, b)| a.partial_cmp(&b));
    let dates = date(actual).zip(date(expected)).map(|(a, b)| a.cmp(&b));
    match operator {
        "StringEquals" => actual == expected,
        "StringEqualsIgnoreCase" => actual.to_lowercase() == expected.to_lowercase(),
        "StringLike" => like(expected, actual),
        "NumericEquals" => numbers.is_some_and(Ordering::is_eq),
        "NumericLessThan" => numbers.is_some_and(Ordering::is_lt),
        "NumericLessThanEquals" => numbers.is_some_and(Ordering::is_le),
        "NumericGreaterThan" => numbers.is_some_and(Ordering::is_gt),
        "NumericGreaterThanEquals" => numbers.is_some_and(Ordering::is_ge),
        "DateEquals" => dates.is_some_and(Ordering::is_eq),
        "DateLessThan" => dates.is_some_and(Ordering::is_lt),
        "DateLessThanEquals" => dates.is_some_and(Ordering::is_le),
        "DateGreaterThan" => dates.is_some_and(Ordering::is_gt),
        "DateGreaterThanEquals" => dates.is_some_and(Ordering::is_ge),
        "Bool" => {
            let (actual, expected) = (actual.to_lowercase(), expected.to_lowercase());
            actual == expected && (actual == "true" || actual == "false")
        }
        "IpAddress" => address_in(actual, expected),
        other => panic!("no operator {other}"),
    }
}

/// Addresses as strings of bits, compared digit by digit.
fn address_in(actual: &str, range: &str) -> bool {
    let bits = |text: &str| {
        let address: IpAddr = text.parse().ok()?;
        Some(match address.to_canonical() {
            IpAddr::V4(address) => format!("4{:032b}", address.to_bits()),
            IpAddr::V6(address) => format!("6{:0128b}", address.to_bits()),
        })
    };
    let (first, length) = match range.split_once('/') {
        Some((first, length)) => (first, length.parse().ok()),
        None => (range, None),
    };
    bits(actual).zip(bits(first)).is_some_and(|(actual, first)| {
        let length = 1 + length.unwrap_or(first.len() - 1);
        actual.get(..length) == first.get(..length)
    })
}

const ACTIONS: &[&str] = &["cams:GetCode", "cams:GetApp", "cams:Register", "ram:GetUser"];
const ACTION_PATTERNS: &[&str] =
    &["*", "cams:*", "cams:Get*", "CAMS:getcode", "cams:?e*", "*:Get*", "ram:GetUser", "x:y"];
const RESOURCES: &[&str] =
    &["acs:cams:ap-1:default:*", "acs:cams:eu-1:default:n/1", "acs:ram::acme:u"];
const RESOURCE_PATTERNS: &[&str] = &[
    "*",
    "acs:cams:*:*:*",
    "acs:*:*:default:*",
    "acs:cams:eu-?:*:n/*",
    "acs:cams:*:acme:*",
    "acs:ram::*:u",
];
const KEYS: &[&str] = &[
    "acs:SourceIp",
    "ACS:sourceip",
    "acs:CurrentTime",
    "acs:SecureTransport",
    "acs:MFAPresent",
    "x:Tag",
    "x:Count",
];
const CIRCUMSTANCES: &[&str] = &[
    "-",
    "ip=192.0.2.9",
    "ip=2001:db8::9 mfa=yes",
    "tls=no mfa=no",
    "time=2027-01-01T00:00:00Z x:Tag=a",
    "x:Tag=AB x:Count=2.5 ip=::ffff:192.0.2.9",
    "x:Count=-1 tls=no x:Tag=true",
];

/// Values that an operator takes.
fn values(operator: &str) -> &'static [&'static str] {
    match operator {
        _ if operator.starts_with("String") => &["a", "ab", "a*", "?b", "true", "192.0.2.9", ""],
        _ if operator.starts_with("Numeric") => &["2.5", "2", "-1", "0"],
        _ if operator.starts_with("Date") => {
            &["2026-11-22T04:00:00Z", "2026-12-01T00:00:00+08:00", "2027-01-01T01:00:00+01:00"]
        }
        "Bool" => &["true", "false"],
        _ => &["192.0.2.0/24", "192.0.2.9", "2001:db8::/32", "0.0.0.0/0", "::/0"],
    }
}

fn some(of: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop_oneof![
        select(of).prop_map(|it| json!(it)),
        subsequence(of, 1..=2).prop_map(|them| json!(them)),
    ]
}

fn conditions() -> impl Strategy<Value = Value> {
    let condition = (0..Operator::ALL.len()).prop_flat_map(|i| {
        let operator = Operator::ALL[i].name;
        (Just(operator), select(KEYS), some(values(operator)))
    });
    proptest::collection::vec(condition, 0..3).prop_map(|them| {
        let mut all = json!({});
        for (operator, key, values) in them {
            all[operator][key] = values;
        }
        all
    })
}

fn statement(effect: impl Strategy<Value = &'static str>) -> impl Strategy<Value = Value> {
    let word = prop_oneof![4 => Just("Action"), 1 => Just("NotAction")];
    (effect, word, some(ACTION_PATTERNS), some(RESOURCE_PATTERNS), conditions()).prop_map(
        |(effect, word, actions, resources, conditions)| {
            let mut statement = json!({ "Effect": effect, word: actions, "Resource": resources });
            if conditions.as_object().is_some_and(|it| !it.is_empty()) {
                statement["Condition"] = conditions;
            }
            statement
        },
    )
}

fn any_effect() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => Just("Allow"), 1 => Just("Deny")]
}

fn policy_text(statements: &[Value]) -> String {
    json!({ "Version": "1", "Statement": statements }).to_string()
}

/// Statements of some policies with the roles that they play.
type Set = Vec<(PolicyType, Vec<Value>)>;

fn policy_set() -> impl Strategy<Value = Set> {
    let policy_type = prop_oneof![
        4 => Just(PolicyType::Account),
        1 => Just(PolicyType::ResourceGroup),
        1 => Just(PolicyType::Session),
        1 => Just(PolicyType::Control),
    ];
    let statements = proptest::collection::vec(statement(any_effect()), 1..4);
    proptest::collection::vec((policy_type, statements), 1..5)
}

fn compiled(set: &Set) -> (Vec<RamPolicy>, Vec<String>) {
    let texts: Vec<_> = set.iter().map(|(_, statements)| policy_text(statements)).collect();
    let policies = set.iter().zip(&texts).enumerate();
    let policies = policies.map(|(i, ((role, _), text))| policy(*role, &format!("p{i}"), text));
    (policies.collect(), texts)
}

prop_compose! {
    fn asked()(
        caller in select(&["user", "user", "role", "owner"][..]),
        action in select(ACTIONS),
        resource in select(RESOURCES),
        circumstances in select(CIRCUMSTANCES),
    ) -> (&'static str, &'static str, &'static str, &'static str) {
        (caller, action, resource, circumstances)
    }
}

/// The decision on a set of policies, as the fixtures write it, and whether it allows.
fn decided(set: &Set, asked: (&str, &str, &str, &str)) -> (String, bool) {
    let (caller, action, resource, circumstances) = asked;
    let (policies, _) = compiled(set);
    let circumstances = Circumstances::parse(circumstances);
    let (account, request) = (account(), circumstances.request(action, resource));
    let decision = evaluate(&principal(&account, caller), &request, &policies);
    (written(&decision), decision.is_allowed())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn the_decision_is_that_of_the_oracle(set in policy_set(), asked in asked()) {
        let (caller, action, resource, circumstances) = asked;
        let (policies, texts) = compiled(&set);
        let given = Circumstances::parse(circumstances);
        let request = given.request(action, resource);
        let naive = naive_decision(&policies, &texts, caller, &request);
        prop_assert_eq!(decided(&set, asked).0, naive);
    }

    #[test]
    fn another_deny_never_allows_more(
        mut set in policy_set(),
        deny in statement(Just("Deny")),
        place: prop::sample::Index,
        asked in asked(),
    ) {
        let before = decided(&set, asked).1;
        let place = place.index(set.len());
        set[place].1.push(deny);
        prop_assert!(before || !decided(&set, asked).1);
    }

    #[test]
    fn another_allow_never_denies_more(
        mut set in policy_set(),
        allow in statement(Just("Allow")),
        place: prop::sample::Index,
        asked in asked(),
    ) {
        let before = decided(&set, asked).1;
        let place = place.index(set.len() + 1);
        if place == set.len() {
            set.push((PolicyType::Account, vec![allow]));
        } else {
            set[place].1.insert(0, allow);
        }
        prop_assert!(!before || decided(&set, asked).1);
    }

    #[test]
    fn the_order_of_policies_does_not_change_whether_a_request_is_allowed(
        mut set in policy_set(),
        asked in asked(),
    ) {
        let before = decided(&set, asked).1;
        set.reverse();
        prop_assert_eq!(decided(&set, asked).1, before);
    }

    #[test]
    fn an_explanation_fits_the_decision(set in policy_set(), asked in asked()) {
        let (caller, action, resource, circumstances) = asked;
        let (policies, _) = compiled(&set);
        let (account, given) = (account(), Circumstances::parse(circumstances));
        let request = given.request(action, resource);
        let explanation = explain(&principal(&account, caller), &request, &policies);
        let decision = explanation.decision;
        prop_assert_eq!(written(&decision), decided(&set, asked).0);
        let count: usize = policies.iter().map(|it| it.document.statements().len()).sum();
        prop_assert_eq!(explanation.statements.len(), count);
        let mut deciding = explanation.statements.iter().filter(|it| it.finding == Finding::Decides);
        let found = deciding.next().map(|it| (it.statement, it.effect == Effect::Allow));
        prop_assert_eq!(found, decision.deciding().map(|it| (it, decision.is_allowed())));
        prop_assert!(deciding.next().is_none());
        for it in &explanation.statements {
            prop_assert!(!matches!(&it.finding, Finding::Differs(why) if why.is_empty()));
        }
    }

    #[test]
    fn a_policy_that_is_written_out_reads_back_as_itself(
        statements in proptest::collection::vec(statement(any_effect()), 1..4),
    ) {
        let read = document(&policy_text(&statements));
        prop_assert_eq!(PolicyDocument::parse(&read.to_string()), Ok(read));
    }
}
