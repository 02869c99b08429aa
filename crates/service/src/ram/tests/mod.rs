//! The language against tables, an oracle, and texts that are no policies.

mod administration;
mod decisions;
mod denied;
mod oracle;
mod parsing;

use registration::{AccountId, TextId as _, Timestamp};
use serde_json::{Map, Value};

use super::{
    Context, Decision, Denial, Identity, Permit, PolicyDocument, PolicyType, Principal, RamPolicy,
    Request, ResourceName,
};

/// The account of every principal here.
fn account() -> AccountId {
    AccountId::parse("default").expect("an identifier")
}

fn principal<'a>(account: &'a AccountId, caller: &str) -> Principal<'a> {
    let identity = match caller {
        "owner" => Identity::Owner,
        "user" => Identity::User { name: "ci" },
        "role" => Identity::Role { role: "deployer", session: "nightly" },
        other => panic!("no caller {other}"),
    };
    Principal { account, identity }
}

fn document(text: &str) -> PolicyDocument {
    PolicyDocument::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn policy(policy_type: PolicyType, name: &str, text: &str) -> RamPolicy {
    RamPolicy::parse(name, policy_type, text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The policies of `policies.json`, as text by name.
fn library() -> Map<String, Value> {
    let text = include_str!("../../../fixtures/ram/policies.json");
    serde_json::from_str(text).expect("the fixture is JSON")
}

/// What surrounds a request, as the fixtures write it.
#[derive(Debug, Clone, PartialEq)]
struct Circumstances<'a> {
    time: Timestamp,
    tls: bool,
    ip: Option<core::net::IpAddr>,
    mfa: Option<bool>,
    more: Vec<(&'a str, &'a str)>,
}

impl<'a> Circumstances<'a> {
    fn parse(text: &'a str) -> Self {
        let time = |text: &str| {
            let at: jiff::Timestamp = text.parse().expect(text);
            Timestamp::from_millis(at.as_millisecond())
        };
        let usual = time("2026-11-22T04:00:00Z");
        let mut it = Self { time: usual, tls: true, ip: None, mfa: None, more: Vec::new() };
        for word in text.split_whitespace().filter(|word| *word != "-") {
            match word.split_once('=').expect(word) {
                ("ip", value) => it.ip = Some(value.parse().expect(value)),
                ("tls", value) => it.tls = value == "yes",
                ("mfa", value) => it.mfa = Some(value == "yes"),
                ("time", value) => it.time = time(value),
                pair => it.more.push(pair),
            }
        }
        it
    }

    fn context(&self) -> Context<'_> {
        Context {
            current_time: self.time,
            secure_transport: self.tls,
            source_ip: self.ip,
            mfa_present: self.mfa,
            more: &self.more,
        }
    }

    fn request<'r>(&'r self, action: &'r str, resource: &'r str) -> Request<'r> {
        let resource = ResourceName::parse(resource).expect(resource);
        Request { action, resource, context: self.context() }
    }
}

/// How the fixtures write the role of a policy.
fn role(policy_type: PolicyType) -> &'static str {
    match policy_type {
        PolicyType::Control => "control",
        PolicyType::Session => "session",
        PolicyType::Account => "account",
        PolicyType::ResourceGroup => "group",
    }
}

/// How the fixtures write a decision.
fn written(decision: &Decision<'_>) -> String {
    let place = |policy_type, policy: &str, index: usize| match policy_type {
        PolicyType::Account => format!("{policy}/{index}"),
        PolicyType::Control | PolicyType::Session | PolicyType::ResourceGroup => {
            format!("{}:{policy}/{index}", role(policy_type))
        }
    };
    match decision {
        Decision::Allowed(Permit::Owner) => "owner".to_owned(),
        Decision::Allowed(Permit::Statement(it, policy_type)) => {
            format!("allow {}", place(*policy_type, it.policy, it.index))
        }
        Decision::Denied(Denial { policy_type, by: Some(it) }) => {
            format!("explicit {}", place(*policy_type, it.policy, it.index))
        }
        Decision::Denied(Denial { policy_type, by: None }) => {
            format!("implicit {}", role(*policy_type))
        }
    }
}
