//! What a provider's answer means for a send.

use core::time::Duration;

use registration::Timestamp;
use serde_json::Value as Json;

use super::spec::{Place, Success};

/// An answer, or as much of it as came.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) retry_after: Option<Duration>,
    /// `None`: it broke off, or was longer than any answer has to be.
    pub(super) body: Option<Vec<u8>>,
}

/// What came of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The provider has it; its id for it.
    Taken(Option<String>),
    /// It will never take it.
    Rejected(String),
    /// It did not take it now, or perhaps it did.
    Unavailable { reason: String, uncertain: bool, retry_after: Option<Duration> },
}

/// Longest wait that a provider is believed in.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);

/// Longest reason kept.
const REASON_MAX: usize = 200;

/// Reads `answer`; `own` is our id of the message.
pub(super) fn judge(answer: &Answer, success: &Success, id: &Place, own: &str) -> Verdict {
    let status = answer.status;
    let content = Content::of(answer);
    let said = success.reason.as_ref().and_then(|place| content.find(place));
    let reason = match said {
        Some(said) => format!("it answered {status}: {}", plain(&said)),
        None => format!("it answered {status}"),
    };
    let unavailable = |uncertain: bool| Verdict::Unavailable {
        reason: reason.clone(),
        uncertain,
        retry_after: answer.retry_after,
    };
    let succeeded = match success.statuses.as_slice() {
        [] => (200..=299).contains(&status),
        statuses => statuses.contains(&status),
    };
    if succeeded {
        return taken(answer, &content, success, id, own, reason);
    }
    match status {
        // Told to slow down, not there for now, or our credentials or credit: nothing wrong with the
        // message, and not taken.
        401 | 402 | 407 | 408 | 425 | 429 | 503 => unavailable(false),
        300..=399 => Verdict::Unavailable {
            reason: format!("{reason}, a redirect; set the URL to where it leads"),
            uncertain: false,
            retry_after: None,
        },
        // It failed somewhere along the way, or is another success than the one that means "taken".
        100..=299 | 500..=599 => unavailable(true),
        _ => Verdict::Rejected(reason),
    }
}

/// The status is one of success: does the content agree?
fn taken(
    answer: &Answer,
    content: &Content,
    success: &Success,
    id: &Place,
    own: &str,
    reason: String,
) -> Verdict {
    let unsure = |what: &str| Verdict::Unavailable {
        reason: format!("it answered {}, {what}", answer.status),
        uncertain: true,
        retry_after: None,
    };
    let reads = [Some(id), success.place.as_ref()].into_iter().flatten();
    if reads.clone().any(|place| matches!(place, Place::Json(_) | Place::Xml(_))) {
        match content {
            Content::Broken => return unsure("and the answer broke off or was too long"),
            Content::Other => {
                let kind: String = answer.content_type.chars().take(60).collect();
                return unsure(&format!("with content that is not what it should be ({kind:?})"));
            }
            Content::Json(_) | Content::Xml(_) => {}
        }
    }
    if let Some(place) = &success.place {
        let Some(value) = content.find(place) else {
            return unsure("without saying whether it took the message");
        };
        if success.retry.contains(&value) {
            let retry_after = answer.retry_after.or(Some(Duration::from_secs(1)));
            return Verdict::Unavailable { reason, uncertain: false, retry_after };
        }
        if !success.values.contains(&value) {
            return Verdict::Rejected(reason);
        }
    }
    Verdict::Taken(match id {
        Place::Own => Some(own.to_owned()),
        place @ (Place::Nowhere | Place::Json(_) | Place::Xml(_)) => {
            content.find(place).map(|id| plain(&id))
        }
    })
}

/// An answer's body, as far as it can be read.
enum Content {
    Json(Json),
    Xml(String),
    Other,
    Broken,
}

impl Content {
    fn of(answer: &Answer) -> Self {
        let Some(body) = &answer.body else { return Self::Broken };
        // By what it is, not by what it is called: providers mislabel JSON as text.
        if let Ok(json) = serde_json::from_slice(body) {
            return Self::Json(json);
        }
        match core::str::from_utf8(body) {
            Ok(text) if text.trim_start().starts_with("<?xml") || is_xml(&answer.content_type) => {
                Self::Xml(text.to_owned())
            }
            _ => Self::Other,
        }
    }

    /// The value at `place`, if there is one.
    fn find(&self, place: &Place) -> Option<String> {
        match (self, place) {
            (Self::Json(json), Place::Json(pointer)) => json.pointer(pointer).and_then(word),
            (Self::Xml(text), Place::Xml(name)) => {
                let (_, rest) = text.split_once(&format!("<{name}>"))?;
                let (value, _) = rest.split_once('<')?;
                Some(value.trim().to_owned()).filter(|value| !value.is_empty())
            }
            _ => None,
        }
    }
}

fn is_xml(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("text/xml") || kind.eq_ignore_ascii_case("application/xml")
}

/// A text, number or truth value as text.
pub(super) fn word(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(it) => Some(it.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// `text` without control characters, and not too long.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(REASON_MAX).collect()
}

/// Reads `Retry-After`: seconds, or a date (RFC 9110 §10.2.3).
pub(super) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    let span = if let Ok(seconds) = value.parse() {
        Duration::from_secs(seconds)
    } else {
        let at = jiff::fmt::rfc2822::parse(value).ok()?.timestamp().as_millisecond();
        Timestamp::from_millis(at).since(now)
    };
    Some(span.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, content_type: &str, body: &str) -> Answer {
        let body = Some(body.as_bytes().to_vec());
        Answer { status, content_type: content_type.to_owned(), retry_after: None, body }
    }

    fn vonage() -> Success {
        Success {
            place: Some(Place::Json("/s".to_owned())),
            values: vec!["0".to_owned()],
            retry: vec!["1".to_owned()],
            reason: Some(Place::Json("/why".to_owned())),
            statuses: Vec::new(),
        }
    }

    #[test]
    fn status_and_content_both_have_a_say() {
        let id = Place::Json("/id".to_owned());
        let json = "application/json";
        for (status, kind, body, verdict) in [
            (200, json, r#"{"s":0,"id":"a"}"#, "taken a"),
            (200, "text/plain", r#"{"s":"0","id":7}"#, "taken 7"),
            (200, json, r#"{"s":"0"}"#, "taken"),
            (200, json, r#"{"s":"1"}"#, "later"),
            (200, json, r#"{"s":"9","why":"no\ncredit"}"#, "rejected it answered 200: nocredit"),
            (200, json, r#"{"id":"a"}"#, "unsure"),
            (200, "text/html", "<html>hello</html>", "unsure"),
            (200, json, r#"{"s":"0","#, "unsure"),
            (200, json, "", "unsure"),
            (400, json, r#"{"why":"bad number"}"#, "rejected it answered 400: bad number"),
            (404, "text/html", "<h1>", "rejected it answered 404"),
            (401, json, "{}", "later"),
            (429, "", "", "later"),
            (503, "", "", "later"),
            (500, "", "", "unsure"),
            (502, "", "", "unsure"),
            (302, "", "", "later"),
        ] {
            let got = match judge(&answer(status, kind, body), &vonage(), &id, "own") {
                Verdict::Taken(Some(id)) => format!("taken {id}"),
                Verdict::Taken(None) => "taken".to_owned(),
                Verdict::Rejected(reason) => format!("rejected {reason}"),
                Verdict::Unavailable { uncertain: true, .. } => "unsure".to_owned(),
                Verdict::Unavailable { .. } => "later".to_owned(),
            };
            assert_eq!(got, verdict, "{status} {body}");
        }
    }

    #[test]
    fn xml_is_read_where_a_provider_speaks_it() {
        let body = "<R xmlns=\"x\"><P><MessageId> 1-2 </MessageId></P></R>";
        let id = Place::Xml("MessageId".to_owned());
        let verdict = judge(&answer(200, "text/xml", body), &Success::default(), &id, "own");
        assert_eq!(verdict, Verdict::Taken(Some("1-2".to_owned())));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = Timestamp::from_millis(784_111_777_000); // Sun, 06 Nov 1994 08:49:37 GMT
        for (value, seconds) in [
            ("120", Some(120)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("999999999", Some(3600)),
            ("-1", None),
            ("soon", None),
        ] {
            assert_eq!(retry_after(value, now), seconds.map(Duration::from_secs), "{value}");
        }
    }
}
