use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use registration::{Locale, VerificationCode};
use service::ports::SendId;
use service::testing::ManualClock;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// What a scripted sender does next.
#[derive(Clone)]
enum Does {
    Takes,
    Rejects,
    Fails,
    Throttles(Duration),
    Hangs,
}

/// A sender that does as told, the last word again and again.
struct Scripted {
    script: Mutex<Vec<Does>>,
    asked: AtomicUsize,
    originators: Mutex<Vec<Option<String>>>,
}

impl Scripted {
    fn new(script: &[Does]) -> Arc<Self> {
        Arc::new(Self {
            script: Mutex::new(script.to_vec()),
            asked: AtomicUsize::new(0),
            originators: Mutex::default(),
        })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl CodeDelivery for Scripted {
    async fn hand_over(&self, message: &CodeMessage) -> Result<HandedOver, DeliveryError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.originators.lock().unwrap().push(message.originator.clone());
        let next = {
            let mut script = self.script.lock().unwrap();
            if script.len() > 1 { script.remove(0) } else { script[0].clone() }
        };
        let unavailable = |retry_after| DeliveryError::Unavailable {
            sender: "it".to_owned(),
            reason: "busy".to_owned(),
            uncertain: false,
            retry_after,
        };
        match next {
            Does::Takes => {
                Ok(HandedOver { sender: "it".to_owned(), provider_id: Some("p-1".to_owned()) })
            }
            Does::Rejects => Err(DeliveryError::Rejected {
                sender: "it".to_owned(),
                reason: "no such number".to_owned(),
            }),
            Does::Fails => Err(unavailable(None)),
            Does::Throttles(wait) => Err(unavailable(Some(wait))),
            Does::Hangs => core::future::pending().await,
        }
    }
}

fn message(id: u128) -> CodeMessage {
    CodeMessage {
        id: SendId(id),
        number: PhoneNumber::parse("+447700900123").unwrap(),
        method: CodeMethod::Sms,
        locale: Locale::english(),
        code: VerificationCode::parse("123456").unwrap(),
        text: "123456".to_owned(),
        originator: None,
    }
}

fn member(name: &str, delivery: &Arc<Scripted>) -> Member {
    Member {
        name: name.to_owned(),
        methods: vec![CodeMethod::Sms],
        timeout: 2 * SECOND,
        delivery: Arc::clone(delivery) as Arc<dyn CodeDelivery>,
    }
}

fn one_after_the_other(names: &[&str]) -> RouteTable {
    let steps = names.iter().map(|name| vec![((*name).to_owned(), 1)]).collect();
    RouteTable(vec![Route { method: None, prefixes: Vec::new(), steps, originator: None }])
}

fn routing(members: &[(&str, &Arc<Scripted>)], options: RoutingOptions) -> Routing {
    let names: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    let members = members.iter().map(|(name, it)| member(name, it)).collect();
    let clock = Arc::new(ManualClock::default());
    Routing::new(members, one_after_the_other(&names), options, clock)
}

fn outcomes(dispatched: &Dispatched) -> Vec<(&str, &str)> {
    let word = |it: &AttemptOutcome| match it {
        AttemptOutcome::Taken => "taken",
        AttemptOutcome::Unavailable { uncertain: true, .. } => "uncertain",
        AttemptOutcome::Unavailable { .. } => "unavailable",
        AttemptOutcome::Rejected { .. } => "rejected",
    };
    dispatched.attempts.iter().map(|it| (it.sender.as_str(), word(&it.outcome))).collect()
}

#[tokio::test(start_paused = true)]
async fn the_next_sender_gets_what_the_first_cannot_take() {
    for (does, word) in [
        (Does::Fails, "unavailable"),
        (Does::Rejects, "rejected"),
        (Does::Hangs, "uncertain"),
        (Does::Throttles(SECOND), "unavailable"),
    ] {
        let (first, second) = (Scripted::new(&[does]), Scripted::new(&[Does::Takes]));
        let routing = routing(&[("a", &first), ("b", &second)], RoutingOptions::default());
        let began = Instant::now();
        let dispatched = routing.dispatch(&message(1)).await;
        assert!(began.elapsed() < 3 * SECOND, "{word}");
        assert_eq!(outcomes(&dispatched), [("a", word), ("b", "taken")]);
        let taken = dispatched.outcome.unwrap();
        assert_eq!((taken.sender.as_str(), taken.provider_id.as_deref()), ("b", Some("p-1")));
    }
}

#[tokio::test(start_paused = true)]
async fn never_twice_stops_where_the_end_is_unknown_and_only_there() {
    let options = RoutingOptions { never_twice: true, ..RoutingOptions::default() };
    let (first, second) =
        (Scripted::new(&[Does::Fails, Does::Hangs]), Scripted::new(&[Does::Takes]));
    let routing = routing(&[("a", &first), ("b", &second)], options);
    assert!(routing.dispatch(&message(1)).await.outcome.is_ok(), "it surely was not taken");
    let dispatched = routing.dispatch(&message(2)).await;
    assert_eq!(outcomes(&dispatched), [("a", "uncertain")]);
    let uncertain =
        matches!(dispatched.outcome, Err(DeliveryError::Unavailable { uncertain: true, .. }));
    assert!(uncertain);
    assert_eq!(second.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_is_rejected_only_if_everybody_rejected_it() {
    let rejects = || Scripted::new(&[Does::Rejects]);
    let (first, second) = (rejects(), rejects());
    let both = routing(&[("a", &first), ("b", &second)], RoutingOptions::default());
    let outcome = both.hand_over(&message(1)).await;
    assert!(matches!(outcome, Err(DeliveryError::Rejected { .. })), "{outcome:?}");
    let (first, second) = (Scripted::new(&[Does::Fails]), rejects());
    let one = routing(&[("a", &first), ("b", &second)], RoutingOptions::default());
    let outcome = one.hand_over(&message(1)).await;
    assert!(matches!(outcome, Err(DeliveryError::Unavailable { .. })), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_rests_is_not_asked_and_the_wait_is_told() {
    let options = RoutingOptions {
        breaker: BreakerOptions { failures: 2, rest: 10 * SECOND },
        ..RoutingOptions::default()
    };
    let first = Scripted::new(&[Does::Fails, Does::Fails, Does::Takes]);
    let routing = routing(&[("a", &first)], options);
    for id in 1..=2 {
        assert!(routing.hand_over(&message(id)).await.is_err());
    }
    let dispatched = routing.dispatch(&message(3)).await;
    assert_eq!((first.asked(), dispatched.attempts.len()), (2, 0));
    let Err(DeliveryError::Unavailable { retry_after, uncertain, .. }) = dispatched.outcome else {
        panic!("{:?}", dispatched.outcome)
    };
    assert_eq!((retry_after, uncertain), (Some(10 * SECOND), false));
    tokio::time::advance(10 * SECOND).await;
    assert!(routing.hand_over(&message(4)).await.is_ok(), "the probe");
    assert_eq!(routing.health()["a"], Health::Working);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_sender_is_left_alone_as_long_as_it_asks() {
    let first = Scripted::new(&[Does::Throttles(5 * SECOND), Does::Takes]);
    let second = Scripted::new(&[Does::Takes]);
    let routing = routing(&[("a", &first), ("b", &second)], RoutingOptions::default());
    for id in 1..=10 {
        assert_eq!(routing.hand_over(&message(id)).await.unwrap().sender, "b");
    }
    assert_eq!(first.asked(), 1);
    tokio::time::advance(5 * SECOND).await;
    assert_eq!(routing.hand_over(&message(11)).await.unwrap().sender, "a");
}

#[tokio::test(start_paused = true)]
async fn the_budget_bounds_the_whole_journey() {
    let hangs = || Scripted::new(&[Does::Hangs]);
    let all = [hangs(), hangs(), hangs(), hangs()];
    let options = RoutingOptions { budget: 5 * SECOND, ..RoutingOptions::default() };
    let members: Vec<_> = ["a", "b", "c", "d"].into_iter().zip(&all).collect();
    let routing = routing(&members, options);
    let began = Instant::now();
    let dispatched = routing.dispatch(&message(1)).await;
    assert_eq!(began.elapsed(), 5 * SECOND);
    assert_eq!(dispatched.attempts.len(), 3, "2 + 2 + 1 seconds");
}

#[tokio::test]
async fn the_load_of_a_step_is_shared_by_weight_and_each_message_keeps_its_order() {
    let route = Route {
        method: None,
        prefixes: Vec::new(),
        steps: vec![
            vec![("a".to_owned(), 3), ("b".to_owned(), 1)],
            vec![("c".to_owned(), 1), ("a".to_owned(), 1)],
        ],
        originator: None,
    };
    let firsts: Vec<&str> = (0..400).map(|id| route.order(id)[0]).collect();
    assert_eq!(firsts.iter().filter(|name| **name == "a").count(), 300);
    for id in 0..8 {
        let order = route.order(id);
        assert_eq!(order.len(), 3, "each sender once: {order:?}");
        assert_eq!(order, route.order(id));
    }
}

#[tokio::test]
async fn the_most_particular_route_counts() {
    let route = |method, prefixes: &[&str], name: &str| Route {
        method,
        prefixes: prefixes.iter().map(|it| (*it).to_owned()).collect(),
        steps: vec![vec![(name.to_owned(), 1)]],
        originator: Some(name.to_uppercase()),
    };
    let table = RouteTable(vec![
        route(None, &[], "any"),
        route(Some(CodeMethod::Sms), &[], "sms"),
        route(None, &["44", "1"], "uk"),
        route(None, &["4477"], "mobile"),
        route(None, &["4477"], "second"),
    ]);
    let number = |digits: &str| PhoneNumber::parse(digits).unwrap();
    let chosen = |method, digits: &str| {
        table.route(method, number(digits)).map(|route| route.order(0)[0].to_owned()).unwrap()
    };
    assert_eq!(chosen(CodeMethod::Voice, "+4915123456789"), "any");
    assert_eq!(chosen(CodeMethod::Sms, "+4915123456789"), "sms");
    assert_eq!(chosen(CodeMethod::Sms, "+442079460123"), "uk");
    assert_eq!(chosen(CodeMethod::Sms, "+447700900123"), "mobile");

    let mobile = Scripted::new(&[Does::Takes]);
    let clock = Arc::new(ManualClock::default());
    let members = vec![member("mobile", &mobile)];
    let routing = Routing::new(members, table, RoutingOptions::default(), clock);
    routing.hand_over(&message(1)).await.unwrap();
    assert_eq!(*mobile.originators.lock().unwrap(), [Some("MOBILE".to_owned())]);
    let candidates = |method| routing.candidates(method, number("+447700900123")).unwrap();
    assert_eq!(candidates(CodeMethod::Sms), ["mobile"]);
    assert!(candidates(CodeMethod::Voice).is_empty(), "mobile carries no calls");
}

#[tokio::test]
async fn where_no_route_leads_nothing_is_sent() {
    let clock = Arc::new(ManualClock::default());
    let routing = Routing::new(Vec::new(), RouteTable::default(), RoutingOptions::default(), clock);
    assert_eq!(routing.candidates(CodeMethod::Sms, message(1).number), Some(Vec::new()));
    let outcome = routing.hand_over(&message(1)).await;
    assert!(matches!(outcome, Err(DeliveryError::Rejected { .. })), "{outcome:?}");
}
