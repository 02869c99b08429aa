//! The tables of `fixtures/ram`.

use serde_json::json;

use super::oracle::naive_decision;
use super::{Circumstances, account, library, policy, principal, role, written};
use crate::ram::{Finding, PolicyType, RamPolicy, SystemPolicy, evaluate, explain};

const DECISIONS: &str = include_str!("../../../fixtures/ram/decisions.txt");
const CONDITIONS: &str = include_str!("../../../fixtures/ram/conditions.txt");

fn rows<const N: usize>(table: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    let rows = table.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    rows.map(|line| {
        let columns: Vec<_> = line.split('|').map(str::trim).collect();
        columns.try_into().unwrap_or_else(|_| panic!("{line}"))
    })
}

/// The policies of a row in their roles, with their texts.
fn policies(names: &str) -> Vec<(RamPolicy, String)> {
    let library = library();
    let read = |word: &str| {
        let (prefix, name) = word.split_once(':').unwrap_or(("account", word));
        let types = [
            PolicyType::Control,
            PolicyType::Session,
            PolicyType::Account,
            PolicyType::ResourceGroup,
        ];
        let policy_type = types.into_iter().find(|it| role(*it) == prefix).expect(prefix);
        let text = match SystemPolicy::parse(name) {
            Some(system) => system.text().to_owned(),
            None => library.get(name).expect(name).to_string(),
        };
        (policy(policy_type, name, &text), text)
    };
    names.split_whitespace().filter(|word| *word != "-").map(read).collect()
}

#[test]
fn each_request_is_decided_as_the_table_says() {
    let account = account();
    let mut count = 0;
    for [names, caller, asked, circumstances, expected] in rows(DECISIONS) {
        let row = format!("{names} | {caller} | {asked} | {circumstances}");
        let (policies, texts): (Vec<_>, Vec<_>) = policies(names).into_iter().unzip();
        let (action, resource) =
            asked.split_once(" @").unwrap_or((asked, "acs:cams:ap-southeast-1:default:*"));
        let circumstances = Circumstances::parse(circumstances);
        let request = circumstances.request(action, resource);
        let principal = principal(&account, caller);
        let decision = evaluate(&principal, &request, &policies);
        assert_eq!(written(&decision), expected, "{row}");

        let explanation = explain(&principal, &request, &policies);
        assert_eq!(explanation.decision, decision, "{row}");
        let deciding = explanation.statements.iter().filter(|it| it.finding == Finding::Decides);
        assert_eq!(deciding.count(), usize::from(decision.deciding().is_some()), "{row}");
        assert_eq!(naive_decision(&policies, &texts, caller, &request), expected, "oracle: {row}");
        count += 1;
    }
    assert!(count >= 150, "{count}");
}

#[test]
fn each_condition_holds_where_the_table_says() {
    let account = account();
    let principal = principal(&account, "user");
    let mut count = 0;
    for [condition, holds, fails] in rows(CONDITIONS) {
        let (head, values) = condition.split_once(" = ").expect(condition);
        let (operator, key) = head.split_once(' ').expect(head);
        let values: Vec<_> = values.split(';').map(str::trim).collect();
        let statement = json!({
            "Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": { operator: { key: values } },
        });
        let text = json!({ "Version": "1", "Statement": [statement] }).to_string();
        let policies = [policy(PolicyType::Account, "it", &text)];
        for (circumstances, expected) in [(holds, true), (fails, false)] {
            for circumstances in circumstances.split(',').map(str::trim).filter(|it| !it.is_empty())
            {
                let given = Circumstances::parse(circumstances);
                let request = given.request("cams:X", "acs:cams:ap-southeast-1:default:*");
                let decision = evaluate(&principal, &request, &policies);
                assert_eq!(decision.is_allowed(), expected, "{condition} | {circumstances}");
                count += 1;
            }
        }
    }
    assert!(count >= 100, "{count}");
}

#[test]
fn an_explanation_gives_every_reason_in_words() {
    let account = account();
    let (policies, _): (Vec<_>, Vec<_>) =
        policies("elsewhere allow-not-get office-and-mfa nothing").into_iter().unzip();
    let circumstances = Circumstances::parse("ip=203.0.113.9");
    let request = circumstances.request("ram:GetUser", "acs:ram:ap-southeast-1:default:*");
    let principal = principal(&account, "user");
    let explanation = explain(&principal, &request, &policies);
    let words = |finding: &Finding<'_>| match finding {
        Finding::Decides => vec!["decides".to_owned()],
        Finding::Matches => vec!["matches".to_owned()],
        Finding::Differs(reasons) => reasons.iter().map(ToString::to_string).collect(),
    };
    let said: Vec<_> = explanation.statements.iter().map(|it| words(&it.finding)).collect();
    assert_eq!(
        said,
        [
            vec!["the action is not cams:*", "the resource is not acs:cams:*:acme:*"],
            vec!["matches"],
            vec![
                "the action is not cams:*",
                "IpAddress acs:SourceIp 192.0.2.0/24 does not hold: it is 203.0.113.9",
                "Bool acs:MFAPresent true does not hold: the request has no acs:MFAPresent",
            ],
            vec!["decides"],
        ]
    );
    let get = circumstances.request("cams:GetX", "acs:cams:ap-southeast-1:default:*");
    let explanation = explain(&principal, &get, &policies[1..2]);
    assert_eq!(
        words(&explanation.statements[0].finding),
        ["NotAction cams:Get* excepts the action"]
    );
}
