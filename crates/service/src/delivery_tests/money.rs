//! Prices, budgets, closed destinations, ranges that nobody uses.

use registration::{
    CodeProof, Command, Destinations, Fuse, Refusal, Requester, VerificationCode, VerifyCode,
};

use super::*;
use crate::ports::SendState;
use crate::spending::{AccountRules, Conversion, FuseMode, Price, Prices, Spending};

const CENT: u64 = 10_000;

fn price(sender: &str, prefix: &str, amount: u64) -> Price {
    let (sender, prefix) = (sender.to_owned(), prefix.to_owned());
    Price { sender, method: CodeMethod::Sms, prefix, amount }
}

fn spending() -> Spending {
    let rows = vec![price("smpp", "", 5 * CENT), price("http", "", 7 * CENT)];
    let prices = Prices { rows, unknown: 10 * CENT };
    Spending { prices, ..Spending::default() }
}

fn policy(spending: Spending) -> Policy {
    Policy { spending, ..Policy::default() }
}

fn refusal(answer: Result<Committed, ServiceError>) -> Refusal {
    match answer {
        Err(ServiceError::Refused(refused)) => refused.refusal,
        other => panic!("{other:?}"),
    }
}

async fn spent(rig: &Rig) -> Vec<(String, u64)> {
    let budgets = rig.service.budgets().await.unwrap();
    let owner = |key: &str| key.rsplit_once('/').unwrap().0.to_owned();
    budgets.iter().map(|it| (owner(&it.key), it.spent)).collect()
}

#[test]
fn the_price_with_the_longest_prefix_counts() {
    let rows = vec![price("smpp", "", 5), price("smpp", "44", 6), price("smpp", "447", 7)];
    let prices = Prices { rows, unknown: 9 };
    let to = |digits: &str| PhoneNumber::parse(digits).unwrap();
    for (sender, number, expected) in [
        ("smpp", "+447700900123", 7),
        ("smpp", "+442079460123", 6),
        ("smpp", "+15550100123", 5),
        ("http", "+447700900123", 9),
        ("inbox", "+447700900123", 0),
    ] {
        assert_eq!(prices.of(sender, CodeMethod::Sms, to(number)), expected, "{sender} {number}");
    }
    assert_eq!(prices.of("smpp", CodeMethod::Voice, to("+447700900123")), 9);
}

#[tokio::test]
async fn the_most_that_a_code_can_cost_is_reserved_and_what_it_did_cost_is_settled() {
    let limits =
        Spending { account_day: Some(100 * CENT), country_hour: Some(50 * CENT), ..spending() };
    let rig = Rig::with(policy(limits)).await;
    rig.order(number(1)).await.unwrap();
    let expected = |cents| {
        vec![
            ("account-day/default".to_owned(), cents * CENT),
            ("country-hour/44".to_owned(), cents * CENT),
        ]
    };
    assert_eq!(spent(&rig).await, expected(7), "the dearer of two senders");
    rig.service.deliver_due().await;
    assert_eq!(spent(&rig).await, expected(5), "the one that took it");
    assert_eq!(rig.only_send().await.charged, 5 * CENT);
    assert_eq!(rig.service.sender_tallies()["smpp"].cost, 5 * CENT);
    // What nobody took costs nothing.
    rig.provider.does(&[Does::Rejects]);
    rig.order(number(2)).await.unwrap();
    assert_eq!(spent(&rig).await, expected(12));
    rig.service.deliver_due().await;
    assert_eq!(spent(&rig).await, expected(5));
}

#[tokio::test]
async fn a_budget_is_exhausted_exactly_at_its_limit_under_parallel_requests() {
    // Ten messages of 7 cents fit into 75.
    let limits = Spending { account_day: Some(75 * CENT), ..spending() };
    let rig = Arc::new(Rig::with(policy(limits)).await);
    let orders: Vec<_> = (0..64)
        .map(|tail| {
            let rig = Arc::clone(&rig);
            tokio::spawn(async move { rig.order(number(tail)).await })
        })
        .collect();
    let mut accepted = 0;
    for order in orders {
        match order.await.unwrap() {
            Ok(_) => accepted += 1,
            Err(ServiceError::Refused(refused)) => {
                let Refusal::SpendLimit { fuse, opens_at } = refused.refusal else {
                    panic!("{:?}", refused.refusal)
                };
                assert_eq!(fuse, Fuse::AccountDay);
                // The clock of the rig stands at eight in the morning.
                assert_eq!(opens_at, rig.service.now() + Duration::from_hours(16));
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(accepted, 10);
    assert_eq!(rig.sends().await.len(), 10);
    assert_eq!(spent(&rig).await, [("account-day/default".to_owned(), 70 * CENT)]);
}

#[tokio::test]
async fn a_thousand_refused_requests_send_nothing_and_cost_nothing() {
    let limits = Spending { country_hour: Some(CENT), ..spending() };
    let rig = Rig::with(policy(limits)).await;
    for n in 0..1_000 {
        let refused = refusal(rig.order(number(n)).await);
        assert!(matches!(refused, Refusal::SpendLimit { fuse: Fuse::CountryHour, .. }));
    }
    rig.service.deliver_due().await;
    assert!(rig.provider.messages().is_empty());
    assert!(rig.sends().await.is_empty());
    assert!(spent(&rig).await.is_empty());
    let record = rig.service.number(number(1).number).await.unwrap();
    assert_eq!(record, None, "no step of a ladder was taken");
}

#[tokio::test]
async fn a_budget_starts_anew_when_it_says() {
    let limits = Spending { country_hour: Some(7 * CENT), ..spending() };
    let rig = Rig::with(policy(limits)).await;
    rig.clock.advance(10 * MINUTE);
    rig.order(number(1)).await.unwrap();
    let Refusal::SpendLimit { opens_at, .. } = refusal(rig.order(number(2)).await) else {
        panic!("not the budget")
    };
    assert_eq!(opens_at, rig.service.now() + 50 * MINUTE);
    rig.clock.set(opens_at);
    rig.order(number(2)).await.unwrap();
}

#[tokio::test]
async fn an_account_has_rules_of_its_own() {
    let default = AccountId::parse("default").unwrap();
    let own = AccountRules { day: Some(7 * CENT), sms: None, voice: Some(vec!["4477009".into()]) };
    let limits = Spending {
        account_day: Some(1_000 * CENT),
        destinations: Destinations { sms: vec!["44".into()], voice: Vec::new() },
        accounts: [(default, own)].into(),
        ..spending()
    };
    let rig = Rig::with(policy(limits)).await;
    rig.order_by(number(1), CodeMethod::Voice).await.expect_err("10 cents are not 7");
    rig.order(number(1)).await.unwrap();
    assert!(matches!(refusal(rig.order(number(2)).await), Refusal::SpendLimit { .. }));
    let elsewhere = plan_e164("15550100123").or_else(|_| plan_e164("4915223433333")).unwrap();
    let refused = refusal(rig.order(elsewhere).await);
    assert!(matches!(refused, Refusal::DestinationClosed { .. }), "{refused:?}");
}

#[tokio::test]
async fn a_rule_that_only_watches_counts_and_lets_pass() {
    let limits = Spending {
        mode: FuseMode::Shadow,
        account_day: Some(7 * CENT),
        destinations: Destinations { sms: Vec::new(), voice: Vec::new() },
        ..spending()
    };
    let rig = Rig::with(policy(limits)).await;
    for tail in 0..5 {
        rig.order(number(tail)).await.unwrap();
    }
    assert_eq!(rig.service.would_refuse()["destination"], 5);
    let budgets = rig.service.budgets().await.unwrap();
    assert_eq!((budgets[0].spent, budgets[0].would_refuse), (7 * CENT, 4));
    assert_eq!(rig.sends().await.len(), 5);
}

async fn use_code(rig: &Rig, planned: Planned) {
    let record = rig.service.number(planned.number).await.unwrap().unwrap();
    let proof = rig.service.proof(&record, &waba());
    let CodeProof::Expected(_, code) = &proof else { panic!("no code is alive") };
    let submitted = VerificationCode::parse(code.reveal()).ok();
    let command = Command::VerifyCode(VerifyCode {
        requester: Requester { waba: waba(), client: None },
        submitted,
        proof: proof.clone(),
        register: None,
    });
    rig.service.execute(&Caller::operator(), planned.number, &command).await.unwrap();
}

fn watched() -> Policy {
    let rule = Conversion { percent: 30, of: 10, window: Duration::from_hours(2), digits: 6 };
    policy(Spending { conversion: Some(rule), ..Spending::default() })
}

#[tokio::test]
async fn a_range_whose_codes_nobody_uses_is_stopped_until_that_is_long_ago() {
    let rig = Rig::with(watched()).await;
    for tail in 0..12 {
        rig.order(number(tail)).await.unwrap();
        rig.service.deliver_due().await;
        if tail % 6 == 0 {
            use_code(&rig, number(tail)).await;
        }
    }
    rig.service.measure_conversion().await.unwrap();
    rig.order(number(20)).await.expect("codes that live prove nothing");
    rig.clock.advance(11 * MINUTE);
    rig.service.measure_conversion().await.unwrap();
    let Refusal::LowConversion { opens_at } = refusal(rig.order(number(21)).await) else {
        panic!("not stopped")
    };
    let ranges = rig.service.ranges();
    assert_eq!((ranges[0].prefix.as_str(), ranges[0].sent, ranges[0].used), ("447700", 10, 1));
    assert_eq!(ranges[0].stopped_until, Some(opens_at));
    assert!(opens_at > rig.service.now());
    rig.clock.set(opens_at);
    rig.service.measure_conversion().await.unwrap();
    rig.order(number(21)).await.expect("tried again");
}

#[tokio::test]
async fn a_range_with_enough_used_codes_goes_on_and_an_operator_opens_one_again() {
    let rig = Rig::with(watched()).await;
    let order = async |from: u32, used: u32| {
        for tail in from..from + 10 {
            rig.order(number(tail)).await.unwrap();
            rig.service.deliver_due().await;
            if tail < from + used {
                use_code(&rig, number(tail)).await;
            }
        }
        rig.clock.advance(11 * MINUTE);
        rig.service.measure_conversion().await.unwrap();
    };
    order(0, 3).await;
    rig.order(number(500)).await.expect("30 %");
    order(100, 2).await;
    assert!(matches!(refusal(rig.order(number(501)).await), Refusal::LowConversion { .. }));
    rig.service.reset_range("447700").await.unwrap();
    rig.order(number(501)).await.expect("opened");
    rig.clock.advance(MINUTE);
    order(200, 0).await;
    assert!(matches!(refusal(rig.order(number(502)).await), Refusal::LowConversion { .. }));
    rig.service.reset_range("447700").await.unwrap();
    rig.order(number(502)).await.expect("opened a second time");
}

#[tokio::test]
async fn a_send_knows_when_its_code_was_used() {
    let rig = Rig::new().await;
    rig.order(number(1)).await.unwrap();
    rig.service.deliver_due().await;
    use_code(&rig, number(1)).await;
    let send = rig.only_send().await;
    assert_eq!(send.confirmed_at, Some(rig.service.now()));
    assert!(matches!(send.state, SendState::HandedOver { .. }));
    rig.service.measure_conversion().await.unwrap();
    assert_eq!(rig.service.sender_conversion()["smpp"], (1, 1));
}
