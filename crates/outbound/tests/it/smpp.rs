//! The SMPP sender against an SMSC that misbehaves on demand.

use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use futures_util::future::join_all;
use outbound::delivery::SenderPorts;
use outbound::delivery::contract::{Counterpart, Mood, check, message};
use outbound::delivery::smpp::{MessageIds, SmppDelivery, SmppOptions, SmppVersion};
use registration::{CodeMethod, PhoneNumber};
use service::message_text::{SmsAlphabet, alphabet};
use service::ports::{CodeDelivery, CodeMessage, DeliveryError, ReceiptOutcome};
use service::testing::SeededEntropy;
use tokio::time::{sleep, timeout};

use crate::common::{Ledger, PATIENCE, clock, until};
use crate::smsc::{Reply, Smsc, deliver};

const NAME: &str = "smsc";

struct Stage {
    smsc: Smsc,
    ledger: Arc<Ledger>,
    sender: Arc<SmppDelivery>,
}

fn options(smsc: &Smsc) -> SmppOptions {
    let port = smsc.address.port();
    SmppOptions {
        response_timeout: Duration::from_secs(5),
        reconnect_max: Duration::from_secs(1),
        ..SmppOptions::new(NAME, "127.0.0.1", port, "rollcall", "secret")
    }
}

impl Stage {
    async fn with(change: impl FnOnce(&mut SmppOptions)) -> Self {
        Self::on(Smsc::start().await, Ledger::default(), change)
    }

    fn on(smsc: Smsc, ledger: Ledger, change: impl FnOnce(&mut SmppOptions)) -> Self {
        let mut options = options(&smsc);
        change(&mut options);
        let ledger = Arc::new(ledger);
        let ports = SenderPorts {
            clock: clock(),
            entropy: Arc::new(SeededEntropy::new(7)),
            receipts: Arc::clone(&ledger) as _,
        };
        let sender = Arc::new(SmppDelivery::start(options, ports));
        Self { smsc, ledger, sender }
    }

    async fn send(&self, place: u64) -> Result<Option<String>, DeliveryError> {
        self.send_this(&message(place, CodeMethod::Sms)).await
    }

    async fn send_this(&self, message: &CodeMessage) -> Result<Option<String>, DeliveryError> {
        let done = timeout(PATIENCE, self.sender.hand_over(message)).await;
        done.expect("it gives up in time").map(|taken| taken.provider_id)
    }

    async fn bound_again(&self, binds: usize) {
        until("bound again", || {
            self.smsc.state.binds.load(Ordering::Relaxed) >= binds
                && self.sender.trouble().is_none()
        })
        .await;
    }
}

#[async_trait]
impl Counterpart for Stage {
    fn name(&self) -> &str {
        NAME
    }

    fn method(&self) -> CodeMethod {
        CodeMethod::Sms
    }

    fn delivery(&self) -> Arc<dyn CodeDelivery> {
        Arc::clone(&self.sender) as Arc<dyn CodeDelivery>
    }

    async fn arrived(&self) -> Vec<(PhoneNumber, String)> {
        let read = |submit: crate::smsc::Submit| {
            let number = PhoneNumber::parse(&submit.destination.2).unwrap();
            (number, String::from_utf8_lossy(&submit.octets).into_owned())
        };
        self.smsc.submits().into_iter().map(read).collect()
    }

    async fn turn(&self, mood: Mood) -> bool {
        match mood {
            Mood::Well => {
                self.smsc.stand(None);
                self.smsc.restart().await;
            }
            Mood::Refusing => self.smsc.stand(Some(Reply::Status(0x0b))),
            Mood::Throttling => self.smsc.stand(Some(Reply::Status(0x58))),
            Mood::Gone => self.smsc.stop().await,
        }
        true
    }
}

fn lost(result: Result<Option<String>, DeliveryError>) -> (bool, Option<Duration>, String) {
    match result {
        Err(DeliveryError::Unavailable { uncertain, retry_after, reason, .. }) => {
            (uncertain, retry_after, reason)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_sender_keeps_the_contract() {
    check(&Stage::with(|_| ()).await).await;
}

#[tokio::test]
async fn a_submit_says_what_it_is_and_asks_for_a_receipt() {
    let stage = Stage::with(|options| options.originator = Some("Rollcall".to_owned())).await;
    let mut sent = message(1, CodeMethod::Sms);
    stage.send_this(&sent).await.unwrap();
    sent.originator = Some("+447700900100".to_owned());
    sent.text = "код 123".to_owned();
    stage.send_this(&sent).await.unwrap();
    sent.text = "long ".repeat(60);
    stage.send_this(&sent).await.unwrap();

    let [plain, wide, long] = stage.smsc.submits().try_into().unwrap();
    assert_eq!(plain.source, (5, 0, "Rollcall".to_owned()));
    assert_eq!(plain.destination, (1, 1, sent.number.digits()));
    assert_eq!((plain.registered_delivery, plain.validity.as_str()), (1, "000000001000000R"));
    assert_eq!(plain.esm_class, 0);
    assert_eq!(alphabet(&message(1, CodeMethod::Sms).text), SmsAlphabet::Gsm7);
    assert_eq!(plain.data_coding, 0);
    assert_eq!(wide.source, (1, 1, "447700900100".to_owned()));
    assert_eq!(wide.data_coding, 8);
    let units: Vec<u8> = "код 123".encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(wide.octets, units);
    assert_eq!((long.octets.len(), long.payload.len()), (0, 300), "cut by the SMSC");

    sent.method = CodeMethod::Voice;
    assert!(matches!(stage.send_this(&sent).await, Err(DeliveryError::Rejected { .. })));
    assert_eq!(stage.smsc.submits().len(), 3);
}

#[tokio::test]
async fn the_window_is_filled_and_never_exceeded() {
    let stage = Stage::with(|options| options.window = 5).await;
    *stage.smsc.state.pause.lock().unwrap() = Duration::from_millis(20);
    let sent = join_all((0..40).map(|place| stage.send(place))).await;
    assert!(sent.iter().all(Result::is_ok), "{sent:?}");
    assert_eq!(stage.smsc.state.most_unanswered.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn throttling_is_obeyed() {
    let stage = Stage::with(|_| ()).await;
    for (place, status) in [(0, 0x58), (1, 0x14)] {
        stage.smsc.then(&[Reply::Status(status)]);
        let (uncertain, rest, _) = lost(stage.send(place).await);
        let rest = rest.expect("how long");
        assert!(!uncertain && rest <= Duration::from_secs(2), "{rest:?}");
        let asked = stage.smsc.submits().len();
        // Within the rest nothing leaves, and the caller learns how long it lasts.
        let (uncertain, rest, _) = lost(stage.send(10 + place).await);
        assert!(!uncertain);
        assert_eq!(stage.smsc.submits().len(), asked);
        sleep(rest.unwrap()).await;
        stage.send(20 + place).await.unwrap();
    }
}

#[tokio::test]
async fn a_refusal_is_final_and_trouble_is_not() {
    let stage = Stage::with(|_| ()).await;
    stage.smsc.then(&[Reply::Status(0x0b), Reply::Status(0x08), Reply::Garbled]);
    let refused = stage.send(0).await.unwrap_err();
    let DeliveryError::Rejected { reason, .. } = &refused else { panic!("{refused:?}") };
    assert_eq!(reason, "ESME_RINVDSTADR (0x0b)");
    assert_eq!(lost(stage.send(1).await), (false, None, "ESME_RSYSERR (0x08)".to_owned()));
    assert_eq!(stage.send(2).await, Ok(None), "taken, though its id cannot be read");
    assert_eq!(stage.smsc.state.binds.load(Ordering::Relaxed), 1, "on one and the same link");
}

#[tokio::test]
async fn a_link_that_breaks_leaves_submits_uncertain_and_is_made_again() {
    let stage = Stage::with(|_| ()).await;
    stage.smsc.then(&[Reply::Silence, Reply::Silence, Reply::Reset]);
    let sent = join_all((0..3).map(|place| stage.send(place))).await;
    for result in sent {
        let (uncertain, _, reason) = lost(result);
        assert!(uncertain, "{reason}");
    }
    // While it is down, nothing can have been taken.
    stage.smsc.stop().await;
    until("noticed", || stage.sender.trouble().is_some()).await;
    let (uncertain, _, reason) = lost(stage.send(5).await);
    assert!(!uncertain, "{reason}");
    stage.smsc.restart().await;
    stage.bound_again(2).await;
    assert!(stage.send(6).await.unwrap().is_some());
}

#[tokio::test]
async fn an_smsc_that_falls_silent_is_noticed() {
    let stage = Stage::with(|options| options.response_timeout = Duration::from_secs(2)).await;
    stage.send(0).await.unwrap();
    stage.smsc.state.deaf.store(true, Ordering::Relaxed);
    let (uncertain, _, reason) = lost(stage.send(1).await);
    assert!(uncertain, "{reason}");
    until("given up", || stage.sender.trouble().is_some()).await;
    assert_eq!(stage.smsc.state.enquiries.load(Ordering::Relaxed), 1, "it was asked first");
    stage.smsc.state.deaf.store(false, Ordering::Relaxed);
    stage.bound_again(2).await;
    stage.send(2).await.unwrap();
}

#[tokio::test]
async fn a_slow_smsc_is_waited_for_and_a_late_answer_harms_nothing() {
    let stage = Stage::with(|options| options.response_timeout = Duration::from_secs(2)).await;
    *stage.smsc.state.pause.lock().unwrap() = Duration::from_millis(2500);
    assert!(lost(stage.send(0).await).0, "uncertain");
    sleep(Duration::from_secs(1)).await;
    *stage.smsc.state.pause.lock().unwrap() = Duration::from_millis(10);
    let second = stage.send(1).await.unwrap();
    assert_eq!(second.as_deref(), Some("a1"), "not the id of the late answer");
    assert_eq!(stage.smsc.state.binds.load(Ordering::Relaxed), 1, "slow is not gone");
}

#[tokio::test]
async fn both_sides_may_ask_whether_the_other_is_there() {
    let stage = Stage::with(|options| options.enquire_interval = Duration::from_millis(100)).await;
    stage.send(0).await.unwrap();
    until("asked twice", || stage.smsc.state.enquiries.load(Ordering::Relaxed) >= 2).await;
    stage.smsc.push(0x15, 77, b"");
    let answered = |id, status| {
        let answers = stage.smsc.state.answers.lock().unwrap().clone();
        answers.into_iter().any(|it| it == (id, status, 77))
    };
    until("answered", || answered(0x8000_0015, 0)).await;
    // What is not understood is refused, and the link lives on.
    stage.smsc.push(0x0b, 77, b"x\0");
    until("refused", || answered(0x8000_0000, 3)).await;
    stage.smsc.push(5, 77, b"no such body");
    until("refused", || answered(0x8000_0005, 0xc0)).await;
    stage.send(1).await.unwrap();
}

#[tokio::test]
async fn receipts_reach_the_ledger_early_late_twice_and_unknown() {
    let stage = Stage::with(|_| ()).await;
    stage.smsc.then(&[Reply::ReceiptFirst("early"), Reply::TakenAs("late")]);
    assert_eq!(stage.send(0).await.unwrap().as_deref(), Some("early"));
    assert_eq!(stage.send(1).await.unwrap().as_deref(), Some("late"));
    stage.smsc.receipt(1, "id:late stat:ENROUTE err:000");
    for sequence in [2, 3] {
        stage.smsc.receipt(sequence, "id:late stat:UNDELIV err:027 text:code");
    }
    stage.smsc.receipt(4, "id:nobody stat:DELIVRD");
    stage.smsc.push(5, 5, &deliver(0, b"hello, id:late stat:DELIVRD"));
    until("all acknowledged", || stage.smsc.state.answers.lock().unwrap().len() == 6).await;
    let failed = ReceiptOutcome::Failed { reason: "undeliverable, network error 027".to_owned() };
    let told: Vec<_> =
        stage.ledger.all().into_iter().map(|it| (it.provider_id, it.outcome)).collect();
    let expected = [
        ("early", ReceiptOutcome::Delivered),
        ("late", failed.clone()),
        ("late", failed),
        ("nobody", ReceiptOutcome::Delivered),
    ];
    assert_eq!(told, expected.map(|(id, outcome)| (id.to_owned(), outcome)));
    assert!(stage.ledger.all().iter().all(|receipt| receipt.sender == NAME));
}

#[tokio::test]
async fn a_receipt_is_acknowledged_only_once_it_is_recorded() {
    let ledger = Ledger { slow: Some(Duration::from_secs(2)), ..Ledger::default() };
    let stage = Stage::on(Smsc::start().await, ledger, |_| ());
    stage.send(0).await.unwrap();
    stage.smsc.receipt(1, "id:a0 stat:DELIVRD");
    // The link goes on meanwhile.
    stage.send(1).await.unwrap();
    assert!(stage.smsc.state.answers.lock().unwrap().is_empty());
    until("acknowledged", || !stage.smsc.state.answers.lock().unwrap().is_empty()).await;
    assert_eq!(stage.ledger.all().len(), 1);
}

#[tokio::test]
async fn ids_that_the_smsc_writes_in_two_ways_are_one_in_the_ledger() {
    let stage = Stage::with(|options| options.message_ids = MessageIds::HexThenDecimal).await;
    stage.smsc.then(&[Reply::TakenAs("00A1B2")]);
    let id = stage.send(0).await.unwrap();
    stage.smsc.receipt(1, "id:41394 stat:DELIVRD");
    until("recorded", || !stage.ledger.all().is_empty()).await;
    assert_eq!(stage.ledger.all()[0].provider_id, id.unwrap());
}

#[tokio::test]
async fn closing_waits_for_answers_and_unbinds() {
    let stage = Stage::with(|options| options.version = SmppVersion::V50).await;
    *stage.smsc.state.pause.lock().unwrap() = Duration::from_millis(200);
    let sending = tokio::spawn({
        let sender = Arc::clone(&stage.sender);
        async move { sender.hand_over(&message(0, CodeMethod::Sms)).await }
    });
    until("under way", || !stage.smsc.submits().is_empty()).await;
    timeout(PATIENCE, stage.sender.close()).await.unwrap();
    assert!(sending.await.unwrap().is_ok(), "its answer was waited for");
    assert_eq!(stage.smsc.state.unbinds.load(Ordering::Relaxed), 1);
    assert_eq!(stage.smsc.state.version.load(Ordering::Relaxed), 0x50);
    let (uncertain, _, reason) = lost(stage.send(1).await);
    assert!(!uncertain && reason.contains("stopping"), "{reason}");
    assert_eq!(stage.smsc.submits().len(), 1);
}

#[tokio::test]
async fn a_refused_bind_says_why_and_is_tried_again() {
    let smsc = Smsc::start().await;
    smsc.state.bind_status.store(0x0d, Ordering::Relaxed);
    let stage = Stage::on(smsc, Ledger::default(), |_| ());
    until("refused", || stage.sender.trouble().is_some_and(|it| it.contains("RBINDFAIL"))).await;
    let (uncertain, rest, reason) = lost(stage.send(0).await);
    assert!(!uncertain && rest.is_some(), "{reason}");
    assert!(reason.contains("it refused the bind: ESME_RBINDFAIL (0x0d)"), "{reason}");
    assert!(!reason.contains("secret"));
    stage.smsc.state.bind_status.store(0, Ordering::Relaxed);
    stage.bound_again(1).await;
    stage.send(1).await.unwrap();
}

#[tokio::test]
async fn an_smsc_that_unbinds_is_bound_to_again() {
    let stage = Stage::with(|_| ()).await;
    stage.send(0).await.unwrap();
    stage.smsc.push(6, 12, b"");
    stage.bound_again(2).await;
    stage.send(1).await.unwrap();
}
