//! What Meta says about how much of its limits is used, and how that slows us down (§6).

use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use registration::{ForeignWords, Refusal, Timestamp};
use serde_json::Value;
use service::ports::{Link, Pace, UpstreamError};
use tokio::time::Instant;

use crate::registrar::http::Reply;

/// Percent of a limit from which calls are slowed down.
const SLOW_FROM: u64 = 75;

/// Percent of a limit from which no more calls are made for a while.
const STOP_FROM: u64 = 98;

/// Longest pause before a call that is slowed down: at 97 percent.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// How long no calls are made where it is not said.
const STOP: Duration = Duration::from_mins(1);

/// Longest time for which no calls are made, whatever is said: limits are per hour.
const STOP_MAX: u64 = 24 * 60;

/// A figure older than this says nothing any more: the limits are per hour and roll on.
const STALE: Duration = Duration::from_mins(5);

/// Accounts remembered; more than any installation has.
const ACCOUNTS_MAX: usize = 10_000;

/// The latest figures of each account.
#[derive(Debug, Default)]
pub(super) struct Usage(Mutex<HashMap<String, Figures>>);

#[derive(Debug, Clone, Copy)]
struct Figures {
    percent: u64,
    at: Instant,
    closed_until: Option<Instant>,
}

impl Figures {
    /// Whether calls wait a little.
    fn slow_down(&self, present: Instant) -> bool {
        self.percent >= SLOW_FROM && present - self.at < STALE
    }
}

impl Usage {
    /// Waits a little when a limit is near, refuses when it is all but reached. Costs nothing there.
    pub(super) async fn pass(&self, link: &Link, now: Timestamp) -> Result<(), UpstreamError> {
        let Some(figures) = self.figures(link) else { return Ok(()) };
        let present = Instant::now();
        if let Some(until) = figures.closed_until.filter(|until| *until > present) {
            return Err(held_back(now + (until - present)));
        }
        if figures.slow_down(present) {
            tokio::time::sleep(pause(figures.percent)).await;
        }
        Ok(())
    }

    /// What a call would meet now.
    pub(super) fn pace(&self, link: &Link, now: Timestamp) -> Option<Pace> {
        let figures = self.figures(link)?;
        let present = Instant::now();
        let closed_until = figures.closed_until.filter(|until| *until > present);
        let is_known = closed_until.is_some() || present - figures.at < STALE;
        is_known.then(|| Pace {
            percent: figures.percent,
            slowed: figures.slow_down(present),
            closed_until: closed_until.map(|until| now + (until - present)),
        })
    }

    /// Takes the figures of an answer.
    pub(super) fn learn(&self, link: &Link, reply: &Reply) {
        let header = |name| reply.header(name).and_then(|text| serde_json::from_str(text).ok());
        let app: Option<Value> = header("x-app-usage");
        let business: Option<Value> = header("x-business-use-case-usage");
        let (percent, minutes) = read(app.as_ref(), business.as_ref());
        let is_limit = matches!(
            reply.body["error"]["code"].as_u64(),
            Some(4 | 17 | 32 | 341 | 613 | 80007 | 80008 | 130_429)
        );
        let closed_for = match (minutes, is_limit, percent >= STOP_FROM) {
            (1.., _, _) => Some(Duration::from_mins(minutes)),
            (0, true, _) => Some(reply.retry_after().unwrap_or(STOP)),
            (0, false, true) => Some(STOP),
            (0, false, false) => None,
        };
        if app.is_none() && business.is_none() && closed_for.is_none() {
            return;
        }
        let at = Instant::now();
        let figures = Figures { percent, at, closed_until: closed_for.map(|span| at + span) };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() < ACCOUNTS_MAX || all.contains_key(&key(link)) {
            all.insert(key(link), figures);
        }
    }

    fn figures(&self, link: &Link) -> Option<Figures> {
        // Nothing is known of most accounts most of the time: no key is made for them.
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.is_empty() { None } else { all.get(&key(link)).copied() }
    }
}

fn key(link: &Link) -> String {
    format!("{} {}", link.base_url, link.remote_id)
}

/// The refusal that a call would meet.
fn held_back(opens_at: Timestamp) -> UpstreamError {
    let message = "The registrar's own limit is all but reached; the call was not made".to_owned();
    UpstreamError::Refused {
        refusal: Refusal::TooManyRequests { opens_at },
        words: Box::new(ForeignWords { message, ..ForeignWords::default() }),
        is_vague: false,
    }
}

fn pause(percent: u64) -> Duration {
    let over = u32::try_from(percent.saturating_sub(SLOW_FROM)).unwrap_or(u32::MAX);
    (PAUSE_MAX / 22).saturating_mul(over.max(1)).min(PAUSE_MAX)
}

/// The highest percentage of all, and the minutes until access is regained.
fn read(app: Option<&Value>, business: Option<&Value>) -> (u64, u64) {
    let number = |value: &Value| value.as_f64().unwrap_or(0.0).clamp(0.0, 1e6);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped above")]
    let of = |figures: &Value| {
        ["call_count", "total_cputime", "total_time"]
            .iter()
            .map(|name| number(&figures[*name]) as u64)
            .max()
            .unwrap_or(0)
    };
    let mut percent = app.map_or(0, of);
    let mut minutes = 0;
    let accounts = business.and_then(Value::as_object).into_iter().flat_map(|all| all.values());
    for figures in accounts.filter_map(Value::as_array).flatten() {
        percent = percent.max(of(figures));
        minutes = minutes.max(figures["estimated_time_to_regain_access"].as_u64().unwrap_or(0));
    }
    (percent, minutes.min(STOP_MAX))
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
    use serde_json::json;
    use service::ports::Credentials;
    use service::seed::SecretText;

    use super::*;

    const USAGE: HeaderName = HeaderName::from_static("x-business-use-case-usage");

    #[test]
    fn the_highest_figure_counts() {
        let app = json!({ "call_count": 12, "total_cputime": 3, "total_time": 40 });
        let business = json!({ "102290129340398": [
            { "type": "whatsapp_business_management", "call_count": 80.5, "total_cputime": 1,
              "total_time": 2, "estimated_time_to_regain_access": 0 },
            { "type": "whatsapp", "call_count": 1, "estimated_time_to_regain_access": 19 },
        ] });
        assert_eq!(read(Some(&app), Some(&business)), (80, 19));
        assert_eq!(read(Some(&app), None), (40, 0));
        assert_eq!(read(Some(&json!("odd")), Some(&json!([1]))), (0, 0));
        // No figure, however large, makes a moment that cannot be told.
        let absurd =
            json!({ "1": [{ "estimated_time_to_regain_access": u64::MAX, "call_count": 1e300 }] });
        assert_eq!(read(None, Some(&absurd)), (1_000_000, STOP_MAX));
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_call_would_meet_is_told_while_it_is_known() {
        let link = Link {
            base_url: "http://127.0.0.1:9".to_owned(),
            remote_id: "102290129340398".to_owned(),
            credentials: Credentials::Meta {
                token: SecretText::new("t"),
                app_secret: None,
                version: "v25.0".to_owned(),
            },
        };
        let (usage, now) = (Usage::default(), Timestamp::from_millis(1_000_000));
        let told = |percent: u64, minutes: u64| {
            let figures = json!({ "1": [{ "call_count": percent,
                                          "estimated_time_to_regain_access": minutes }] });
            let value = HeaderValue::from_str(&figures.to_string()).expect("plain");
            let headers = HeaderMap::from_iter([(USAGE, value)]);
            usage.learn(&link, &Reply { status: StatusCode::OK, headers, body: Value::Null });
            usage.pace(&link, now)
        };
        assert_eq!(usage.pace(&link, now), None);
        let open = Pace { percent: 74, slowed: false, closed_until: None };
        assert_eq!(told(74, 0), Some(open));
        assert_eq!(told(75, 0), Some(Pace { percent: 75, slowed: true, closed_until: None }));
        tokio::time::advance(STALE).await;
        assert_eq!(usage.pace(&link, now), None);
        let until = now + Duration::from_mins(9);
        let closed = Pace { percent: 100, slowed: true, closed_until: Some(until) };
        assert_eq!(told(100, 9), Some(closed));
        tokio::time::advance(Duration::from_mins(8)).await;
        let closed =
            Pace { slowed: false, closed_until: Some(now + Duration::from_mins(1)), ..closed };
        assert_eq!(usage.pace(&link, now), Some(closed));
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!(usage.pace(&link, now), None);
    }

    #[test]
    fn the_pause_grows_and_has_an_end() {
        assert!(pause(75) < pause(90));
        assert_eq!(pause(5000), PAUSE_MAX);
    }
}
