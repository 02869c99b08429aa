//! The HTTP sender against a provider that misbehaves on demand.

use core::time::Duration;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, StatusCode};
use outbound::delivery::contract::{Counterpart, Mood, check, message};
use outbound::delivery::http::{CallbackAddress, HttpDelivery, HttpOptions, Spec};
use outbound::delivery::{Callbacks as _, SenderPorts};
use registration::{CodeMethod, PhoneNumber};
use service::ports::{CodeDelivery, DeliveryError, ReceiptOutcome};
use service::testing::{ManualClock, SeededEntropy};

use crate::common::{Ledger, clock};
use crate::provider::{Asked, Provider, Reply};

const NAME: &str = "provider";

const CUSTOM: &str = r#"
url = "{{ base }}/send?key={{ from }}"
idempotency_header = "Idempotency-Key"
settings = { base = "", from = "a&b" }
json = { to = "{{ to }}", text = "{{ text }}", from = "{{ from }}", n = 1 }
id = { json = "/id" }
success = { reason = { json = "/why" } }
"#;

struct Stage {
    provider: Provider,
    ledger: Arc<Ledger>,
    clock: Arc<ManualClock>,
    sender: Arc<HttpDelivery>,
    method: CodeMethod,
}

impl Stage {
    async fn custom() -> Self {
        Self::with(None, CUSTOM, false).await
    }

    /// A sender with this preset and these settings, whose base is the provider under test.
    async fn with(preset: Option<&str>, settings: &str, reachable: bool) -> Self {
        let provider = Provider::start().await;
        let mut table: toml::Table = settings.parse().unwrap();
        match table.get_mut("settings").and_then(toml::Value::as_table_mut) {
            Some(inner) => inner.insert("base".to_owned(), provider.url().into()),
            None => table.insert("base".to_owned(), provider.url().into()),
        };
        let spec = Spec::configured(preset, table).unwrap();
        let method = match spec.channels.as_slice() {
            [outbound::delivery::http::Channel::Voice] => CodeMethod::Voice,
            _ => CodeMethod::Sms,
        };
        let mut options = HttpOptions::new(NAME, spec);
        options.timeout = Duration::from_secs(2);
        if reachable {
            let url = "https://rollcall.example.org/delivery/v1/provider".to_owned();
            options.callback = Some(CallbackAddress { url, token: None, secret: [7; 32] });
        }
        let (ledger, clock) = (Arc::new(Ledger::default()), clock());
        let ports = SenderPorts {
            clock: Arc::clone(&clock) as _,
            entropy: Arc::new(SeededEntropy::new(7)),
            receipts: Arc::clone(&ledger) as _,
        };
        let sender = Arc::new(HttpDelivery::new(options, ports).unwrap());
        Self { provider, ledger, clock, sender, method }
    }

    async fn send(&self, place: u64) -> Result<Option<String>, DeliveryError> {
        let taken = self.sender.hand_over(&message(place, self.method)).await;
        taken.map(|taken| taken.provider_id)
    }

    /// What came of one message that was answered so: `taken`, `rejected`, `later` or `unsure`.
    async fn outcome(&self, reply: Reply) -> (&'static str, String) {
        self.provider.then(&[reply]);
        match self.send(0).await {
            Ok(_) => ("taken", String::new()),
            Err(DeliveryError::Rejected { reason, .. }) => ("rejected", reason),
            Err(DeliveryError::Unavailable { uncertain: true, reason, .. }) => ("unsure", reason),
            Err(DeliveryError::Unavailable { reason, .. }) => ("later", reason),
        }
    }

    /// Posts a report to the address that the provider was given.
    async fn report(&self, address: &str, headers: &[(&str, &str)], body: &str) -> StatusCode {
        let (path, verb) = (path_of(address), if body.is_empty() { "GET" } else { "POST" });
        let mut request = Request::builder().method(verb).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
        self.sender.answer(request).await.status()
    }

    async fn fetch(&self, url: &str) -> (StatusCode, String, Bytes) {
        let request = Request::builder().uri(path_of(url)).body(Bytes::new()).unwrap();
        let response = self.sender.answer(request).await;
        let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap());
        (response.status(), kind.unwrap_or_default().to_owned(), response.into_body())
    }

    fn outcomes(&self) -> Vec<(String, ReceiptOutcome)> {
        self.ledger.all().into_iter().map(|it| (it.provider_id, it.outcome)).collect()
    }
}

fn path_of(url: &str) -> &str {
    let path = url.strip_prefix("https://rollcall.example.org/delivery/v1/provider").unwrap();
    if path.is_empty() { "/" } else { path }
}

/// The fields of a form or query.
fn fields(text: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let (mut bytes, mut rest) = (Vec::new(), text.bytes());
        while let Some(byte) = rest.next() {
            if byte == b'%' {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                bytes.extend(hex::decode(digits).unwrap());
            } else {
                bytes.push(byte);
            }
        }
        String::from_utf8(bytes).unwrap()
    };
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=').unwrap();
        (decode(key), decode(value))
    };
    text.split('&').map(pair).collect()
}

fn field(asked: &Asked, name: &str) -> Option<String> {
    let query = asked.line.split(' ').nth(1).and_then(|path| path.split_once('?'));
    let text = if asked.body.is_empty() { query.unwrap().1 } else { &asked.body };
    fields(text).into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

#[async_trait]
impl Counterpart for Stage {
    fn name(&self) -> &str {
        NAME
    }

    fn method(&self) -> CodeMethod {
        self.method
    }

    fn delivery(&self) -> Arc<dyn CodeDelivery> {
        Arc::clone(&self.sender) as Arc<dyn CodeDelivery>
    }

    async fn arrived(&self) -> Vec<(PhoneNumber, String)> {
        let read = |asked: Asked| {
            let body: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
            let number = PhoneNumber::parse(body["to"].as_str().unwrap()).unwrap();
            (number, body["text"].as_str().unwrap().to_owned())
        };
        self.provider.asked().into_iter().map(read).collect()
    }

    async fn turn(&self, mood: Mood) -> bool {
        let quoting = message(300, self.method).text;
        let why = serde_json::json!({ "why": format!("will not send {quoting}") }).to_string();
        match mood {
            Mood::Well => {
                self.provider.stand(None);
                self.provider.restart().await;
            }
            Mood::Refusing => self.provider.stand(Some(Reply::json(400, &why))),
            Mood::Throttling => {
                let reply = Reply::Http(429, "Retry-After: 1\r\n", String::new());
                self.provider.stand(Some(reply));
            }
            Mood::Gone => self.provider.stop().await,
        }
        true
    }
}

#[tokio::test]
async fn the_sender_keeps_the_contract() {
    check(&Stage::custom().await).await;
}

#[tokio::test]
async fn a_request_is_what_the_spec_says() {
    let stage = Stage::custom().await;
    assert_eq!(stage.send(5).await.unwrap().as_deref(), Some("m1"));
    let asked = stage.provider.last();
    assert_eq!(asked.line, "POST /send?key=a%26b HTTP/1.1");
    let sent = message(5, CodeMethod::Sms);
    assert_eq!(asked.header("idempotency-key"), Some(sent.id.to_string().as_str()));
    let body: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
    let expected = serde_json::json!({
        "to": sent.number.to_string(), "text": sent.text, "from": "a&b", "n": 1,
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn what_a_provider_does_decides_what_becomes_of_the_send() {
    let stage = Stage::custom().await;
    let html = |status| Reply::Http(status, "Content-Type: text/html\r\n", "<html>".to_owned());
    let huge = format!("{{\"id\":\"{}\"}}", "x".repeat(70_000));
    let moved = Reply::Http(302, "Location: http://127.0.0.1:9/\r\n", String::new());
    for (reply, outcome, said) in [
        (Reply::json(200, r#"{"id":"a"}"#), "taken", ""),
        (Reply::json(422, r#"{"why":"no such number"}"#), "rejected", "no such number"),
        (html(403), "rejected", "403"),
        (html(201), "unsure", "text/html"),
        (Reply::json(200, &huge), "unsure", "too long"),
        (Reply::HalfAnAnswer, "unsure", "broke off"),
        (Reply::Reset, "unsure", "broke"),
        (Reply::Silence, "unsure", "within 2s"),
        (html(500), "unsure", "500"),
        (html(503), "later", "503"),
        (html(401), "later", "401"),
        (moved, "later", "redirect"),
    ] {
        let shown = format!("{reply:?}");
        let before = stage.provider.asked().len();
        let (became, reason) = stage.outcome(reply).await;
        assert_eq!(became, outcome, "{shown}: {reason}");
        assert!(reason.contains(said), "{shown}: {reason}");
        assert_eq!(stage.provider.asked().len(), before + 1, "{shown}: asked once");
    }
    stage.provider.stop().await;
    let (became, reason) = stage.outcome(Reply::Reset).await;
    assert_eq!(became, "later", "{reason}");
}

#[tokio::test]
async fn a_provider_that_names_a_time_is_left_alone_so_long() {
    let stage = Stage::custom().await;
    for (value, seconds) in [("Retry-After: 7\r\n", Some(7)), ("", None)] {
        stage.provider.then(&[Reply::Http(429, value, String::new())]);
        let error = stage.send(0).await.unwrap_err();
        let DeliveryError::Unavailable { retry_after, uncertain, .. } = error else { panic!() };
        assert_eq!((retry_after, uncertain), (seconds.map(Duration::from_secs), false));
    }
}

#[tokio::test]
async fn twilio_gets_its_form_and_its_signed_reports_count() {
    let settings = "account = 'AC0123'\nsecret = 'tok'\nfrom = '+15550100'";
    let stage = Stage::with(Some("twilio"), settings, true).await;
    stage.provider.then(&[Reply::json(201, r#"{"sid":"SM1","status":"queued"}"#)]);
    assert_eq!(stage.send(1).await.unwrap().as_deref(), Some("SM1"));
    let (asked, sent) = (stage.provider.last(), message(1, CodeMethod::Sms));
    assert_eq!(asked.line, "POST /2010-04-01/Accounts/AC0123/Messages.json HTTP/1.1");
    assert_eq!(asked.header("authorization"), Some("Basic QUMwMTIzOnRvaw=="));
    assert_eq!(field(&asked, "To"), Some(sent.number.to_string()));
    assert_eq!(field(&asked, "Body"), Some(sent.text));
    assert_eq!(field(&asked, "MessagingServiceSid"), None);

    let address = field(&asked, "StatusCallback").unwrap();
    let body = "MessageSid=SM1&MessageStatus=delivered&To=%2B15550101";
    let form = ("content-type", "application/x-www-form-urlencoded");
    let signature = twilio_signature("tok", &address, body);
    let signed = [form, ("x-twilio-signature", signature.as_str())];
    assert_eq!(stage.report(&address, &signed, body).await, StatusCode::NO_CONTENT);
    assert_eq!(stage.outcomes(), [("SM1".to_owned(), ReceiptOutcome::Delivered)]);
    // Twice is no concern of the sender's; forged, unsigned, or to a guessed address it counts nothing.
    for (address, headers, body, status) in [
        (address.as_str(), &signed[..], body, 204),
        (&address, &signed, "MessageSid=SM2&MessageStatus=delivered", 403),
        (&address, &[form], body, 403),
        (&address[..address.len() - 1], &signed, body, 404),
        ("https://rollcall.example.org/delivery/v1/provider", &signed, body, 404),
    ] {
        assert_eq!(stage.report(address, headers, body).await.as_u16(), status, "{address}");
    }
    let failed = "ErrorCode=30005&MessageSid=SM9&MessageStatus=undelivered";
    let signature = twilio_signature("tok", &address, failed);
    let signed = [form, ("x-twilio-signature", signature.as_str())];
    stage.report(&address, &signed, failed).await;
    let reason = "undelivered: 30005".to_owned();
    assert_eq!(stage.outcomes()[2], ("SM9".to_owned(), ReceiptOutcome::Failed { reason }));
    let sent = "MessageSid=SM1&MessageStatus=sent";
    let signature = twilio_signature("tok", &address, sent);
    let signed = [form, ("x-twilio-signature", signature.as_str())];
    assert_eq!(stage.report(&address, &signed, sent).await, StatusCode::NO_CONTENT);
    assert_eq!(stage.outcomes().len(), 3, "a state on the way is no end");
}

fn twilio_signature(key: &str, url: &str, body: &str) -> String {
    use base64::Engine as _;
    use hmac::{KeyInit as _, Mac as _};
    let mut sorted = fields(body);
    sorted.sort();
    let text = sorted.iter().fold(String::new(), |text, (key, value)| text + key + value);
    let mac = hmac::Hmac::<sha1::Sha1>::new_from_slice(key.as_bytes()).unwrap();
    let mac = mac.chain_update(format!("{url}{text}")).finalize().into_bytes();
    base64::engine::general_purpose::STANDARD.encode(mac)
}

#[tokio::test]
async fn a_call_fetches_its_words_by_a_link_that_ends_and_that_nobody_guesses() {
    let settings = "account = 'AC0123'\nsecret = ''\nkey = 'SK1'\nfrom = '+15550100'";
    let settings = settings.replace("secret = ''", "secret = 'tok'");
    let stage = Stage::with(Some("twilio-voice"), &settings, true).await;
    stage
        .provider
        .then(&[Reply::json(201, r#"{"sid":"CA1"}"#), Reply::json(201, r#"{"sid":"CA2"}"#)]);
    assert_eq!(stage.send(1).await.unwrap().as_deref(), Some("CA1"));
    let (asked, sent) = (stage.provider.last(), message(1, CodeMethod::Voice));
    let link = field(&asked, "Url").unwrap();
    assert!(!link.contains(sent.code.reveal()) && field(&asked, "Twiml").is_none());
    let (status, kind, words) = stage.fetch(&link).await;
    assert_eq!((status, kind.as_str()), (StatusCode::OK, "text/xml; charset=utf-8"));
    let words = String::from_utf8(words.to_vec()).unwrap();
    assert!(words.contains("<Say language=\"en-US\" loop=\"3\">"), "{words}");
    assert!(words.contains(&sent.text), "{words}");
    let audio = link.replace("/say/", "/audio/") + ".wav";
    let (status, kind, sound) = stage.fetch(&audio).await;
    assert_eq!((status, kind.as_str(), &sound[..4]), (StatusCode::OK, "audio/wav", &b"RIFF"[..]));

    stage.send(2).await.unwrap();
    let other = field(&stage.provider.last(), "Url").unwrap();
    assert_ne!(link, other);
    let flipped = if link.ends_with('A') { "B" } else { "A" };
    let forged = format!("{}{flipped}", &link[..link.len() - 1]);
    assert_eq!(stage.fetch(&forged).await.0, StatusCode::NOT_FOUND);
    stage.clock.advance(Duration::from_mins(10));
    assert_eq!(stage.fetch(&link).await.0, StatusCode::NOT_FOUND);
    assert_eq!(stage.fetch(&audio).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_call_carries_its_words_where_the_server_cannot_be_reached() {
    let settings = "account = 'AC0123'\nsecret = 'tok'\nfrom = '+15550100'";
    let stage = Stage::with(Some("twilio-voice"), settings, false).await;
    stage.provider.then(&[Reply::json(201, r#"{"sid":"CA1"}"#)]);
    stage.send(1).await.unwrap();
    let asked = stage.provider.last();
    let words = field(&asked, "Twiml").unwrap();
    assert!(words.contains(&message(1, CodeMethod::Voice).text), "{words}");
    assert_eq!((field(&asked, "Url"), field(&asked, "StatusCallback")), (None, None));
}

#[tokio::test]
async fn vonage_answers_200_to_everything_and_says_inside() {
    let settings = "key = 'k'\nsecret = 's'\nfrom = 'Rollcall'\nsignature_secret = 'sig-secret'";
    let stage = Stage::with(Some("vonage"), settings, true).await;
    let said = |status: &str, more: &str| {
        Reply::json(200, &format!(r#"{{"messages":[{{"status":"{status}",{more}}}]}}"#))
    };
    stage.provider.then(&[said("0", r#""message-id":"V1""#)]);
    assert_eq!(stage.send(1).await.unwrap().as_deref(), Some("V1"));
    assert_eq!(field(&stage.provider.last(), "type").as_deref(), Some("text"));
    assert_eq!(stage.outcome(said("1", r#""x":0"#)).await.0, "later");
    let (became, reason) = stage.outcome(said("6", r#""error-text":"Bad number""#)).await;
    assert_eq!((became, reason.as_str()), ("rejected", "it answered 200: Bad number"));

    let address = field(&stage.provider.last(), "callback").unwrap();
    let now = 1_764_000_000;
    let query = format!("err-code=0&messageId=V1&status=delivered&timestamp={now}");
    let sign = |query: &str| {
        use hmac::{KeyInit as _, Mac as _};
        let mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(b"sig-secret").unwrap();
        hex::encode_upper(mac.chain_update(format!("&{query}")).finalize().into_bytes())
    };
    let good = format!("{address}?{query}&sig={}", sign(&query));
    assert_eq!(stage.report(&good, &[], "").await, StatusCode::NO_CONTENT);
    let changed = good.replace("status=delivered", "status=failed");
    assert_eq!(stage.report(&changed, &[], "").await, StatusCode::FORBIDDEN);
    stage.clock.advance(Duration::from_mins(16));
    assert_eq!(stage.report(&good, &[], "").await, StatusCode::FORBIDDEN, "too old");
    assert_eq!(stage.outcomes(), [("V1".to_owned(), ReceiptOutcome::Delivered)]);
}

#[tokio::test]
async fn infobip_reports_several_at_once() {
    let stage = Stage::with(Some("infobip"), "key = 'k'\nfrom = 'Rollcall'", true).await;
    let answer = r#"{"messages":[{"messageId":"I1","status":{"groupId":1}}]}"#;
    stage.provider.then(&[Reply::json(200, answer)]);
    assert_eq!(stage.send(1).await.unwrap().as_deref(), Some("I1"));
    let asked = stage.provider.last();
    assert_eq!(asked.header("authorization"), Some("App k"));
    let body: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
    let address = body["messages"][0]["webhooks"]["delivery"]["url"].as_str().unwrap();
    let report = r#"{"results":[
        {"messageId":"I1","status":{"groupName":"DELIVERED","name":"DELIVERED_TO_HANDSET"}},
        {"messageId":"I2","status":{"groupName":"PENDING","name":"PENDING_ENROUTE"}},
        {"messageId":"I3","status":{"groupName":"EXPIRED","name":"EXPIRED_EXPIRED"}}]}"#;
    let json = [("content-type", "application/json")];
    assert_eq!(stage.report(address, &json, report).await, StatusCode::NO_CONTENT);
    let reason = "EXPIRED: EXPIRED_EXPIRED".to_owned();
    let failed = ReceiptOutcome::Failed { reason };
    let expected = [("I1".to_owned(), ReceiptOutcome::Delivered), ("I3".to_owned(), failed)];
    assert_eq!(stage.outcomes(), expected);
    for body in ["{", "[]", r#"{"results":[{}]}"#, r#"{"results":{}}"#] {
        assert_eq!(stage.report(address, &json, body).await, StatusCode::BAD_REQUEST, "{body}");
    }
    assert_eq!(stage.outcomes().len(), 2, "a report that cannot be read changes nothing");
}

#[tokio::test]
async fn sns_is_signed_and_answers_in_xml() {
    let settings = "region = 'eu-central-1'\naccess_key = 'AK'\nsecret_key = 'SK'";
    let stage = Stage::with(Some("sns"), settings, false).await;
    let xml = "<PublishResponse><PublishResult><MessageId>S-1</MessageId></PublishResult></PublishResponse>";
    let kind = "Content-Type: text/xml\r\n";
    stage.provider.then(&[Reply::Http(200, kind, xml.to_owned())]);
    assert_eq!(stage.send(1).await.unwrap().as_deref(), Some("S-1"));
    let asked = stage.provider.last();
    let authorization = asked.header("authorization").unwrap();
    let scope = "AWS4-HMAC-SHA256 Credential=AK/20251124/eu-central-1/sns/aws4_request, \
                 SignedHeaders=host;x-amz-date, Signature=";
    assert!(authorization.starts_with(scope), "{authorization}");
    assert_eq!(asked.header("host"), Some(stage.provider.address.to_string().as_str()));
    assert_eq!(field(&asked, "Action").as_deref(), Some("Publish"));
    assert_eq!(field(&asked, "MessageAttributes.entry.2.Name"), None);
    let fault = "<ErrorResponse><Error><Code>OptedOut</Code></Error></ErrorResponse>".to_owned();
    let (became, reason) = stage.outcome(Reply::Http(400, kind, fault)).await;
    assert_eq!((became, reason.as_str()), ("rejected", "it answered 400: OptedOut"));
}

#[tokio::test]
async fn kannel_and_a_telephone_name_messages_by_our_id() {
    let kannel =
        Stage::with(Some("kannel"), "user = 'u'\npassword = 'p'\nfrom = '12345'", true).await;
    let accepted = "0: Accepted for delivery".to_owned();
    kannel.provider.then(&[Reply::Http(202, "Content-Type: text/html\r\n", accepted)]);
    let id = kannel.send(1).await.unwrap().unwrap();
    let asked = kannel.provider.last();
    assert!(asked.line.starts_with("GET /cgi-bin/sendsms?"), "{}", asked.line);
    assert_eq!(field(&asked, "coding").as_deref(), Some("0"));
    let report = field(&asked, "dlr-url").unwrap().replace("%d", "1");
    assert_eq!(kannel.report(&report, &[], "").await, StatusCode::NO_CONTENT);
    assert_eq!(kannel.outcomes(), [(id, ReceiptOutcome::Delivered)]);

    let settings = "user = 'u'\npassword = 'p'\nsigning_key = 'k'";
    let phone = Stage::with(Some("android-sms-gateway"), settings, true).await;
    let sent = message(1, CodeMethod::Sms);
    let answer = format!(r#"{{"id":"{}","state":"Pending"}}"#, sent.id);
    phone.provider.then(&[Reply::json(202, &answer)]);
    let id = phone.send(1).await.unwrap().unwrap();
    let body: serde_json::Value = serde_json::from_str(&phone.provider.last().body).unwrap();
    assert_eq!(body["textMessage"]["text"], sent.text.as_str());
    assert_eq!(body["phoneNumbers"][0], sent.number.to_string().as_str());
    let address = phone.sender.callback_url().unwrap();
    let report = format!(r#"{{"event":"sms:delivered","payload":{{"messageId":"{id}"}}}}"#);
    let signature = {
        use hmac::{KeyInit as _, Mac as _};
        let mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(b"k").unwrap();
        hex::encode(mac.chain_update(format!("{report}1764000000")).finalize().into_bytes())
    };
    let headers = [
        ("content-type", "application/json"),
        ("x-timestamp", "1764000000"),
        ("x-signature", signature.as_str()),
    ];
    assert_eq!(phone.report(&address, &headers, &report).await, StatusCode::NO_CONTENT);
    let changed = report.replace("delivered", "failed");
    assert_eq!(phone.report(&address, &headers, &changed).await, StatusCode::FORBIDDEN);
    assert_eq!(phone.outcomes(), [(id, ReceiptOutcome::Delivered)]);
}

#[tokio::test]
async fn a_mistake_in_a_spec_shows_at_the_start() {
    let ports = || SenderPorts {
        clock: clock(),
        entropy: Arc::new(SeededEntropy::new(1)),
        receipts: Arc::new(Ledger::default()),
    };
    for (text, said) in [
        ("url = 'http://h/{{ txet }}'", "txet"),
        ("url = 'http://h/'\nheaders = { A = \"{{ text }\" }", "A"),
        ("url = 'no url'", "cannot be made"),
        ("url = 'http://h/'\nheaders = { 'not a name' = 'x' }", "cannot be made"),
    ] {
        let spec = Spec::configured(None, text.parse().unwrap()).unwrap();
        let error = HttpDelivery::new(HttpOptions::new("x", spec), ports()).err().expect(text);
        assert!(error.contains(said) || said == "A", "{text}: {error}");
    }
}
