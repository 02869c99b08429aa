//! What is looked at, and what has happened since.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;
use tokio::time::Instant;

use super::super::client::{Client, Failure};
use super::super::output::text;
use super::picture::{Numbers, Picture, Rates, Sender};

/// Entries in a request: the most that the operator's API gives.
const STRIDE: usize = 200;

/// Pages of the trail in one look; what is beyond is left out, and said so.
const PAGES_MAX: usize = 10;

/// Time over which rates are taken.
const WINDOW: Duration = Duration::from_secs(10);

/// How often the numbers are counted: a count walks along an index.
const COUNT_EVERY: Duration = Duration::from_secs(5);

/// Most numbers among which those without a registration are looked for, and most of those that are looked
/// at: no index leads to them.
const KNOWN_MAX: u64 = 50_000;
const OPEN_MAX: u64 = 1_000;

/// Events that are shown as the latest.
const LATEST: usize = 8;

/// What was counted up to a moment since looking began.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Totals {
    pub(super) requests: f64,
    pub(super) failed: f64,
    pub(super) codes: f64,
    pub(super) registrations: f64,
    pub(super) refusals: f64,
}

/// One look at the server.
#[derive(Debug, Default)]
pub(super) struct Sample {
    status: Value,
    sends: Vec<Value>,
    senders: Vec<Sender>,
}

/// Looks at a server again and again.
#[derive(Debug, Default)]
pub(super) struct Sampler {
    /// Place of the last event seen.
    seen: u64,
    totals: Totals,
    history: VecDeque<(Instant, Totals)>,
    refusals: BTreeMap<String, u64>,
    latest: VecDeque<Value>,
    counted: Option<(Instant, Numbers)>,
    /// Events that could not be looked at.
    left_out: u64,
}

impl Sampler {
    /// From here on events are counted.
    pub(super) async fn begin(client: &Client) -> Result<Self, Failure> {
        let query = [("before", Some("last".to_owned())), ("limit", Some(LATEST.to_string()))];
        let mut page = client.get("/audit", &query).await?;
        let mut sampler = Self::default();
        if let Value::Array(mut newest) = page["items"].take() {
            newest.reverse();
            sampler.seen = newest.last().map_or(0, place);
            sampler.latest = newest.into();
        }
        sampler.look(client).await?;
        sampler.history.push_back((Instant::now(), sampler.totals));
        Ok(sampler)
    }

    pub(super) async fn look(&mut self, client: &Client) -> Result<Sample, Failure> {
        let status = client.get("/status", &[]).await?;
        self.follow_trail(client).await?;
        let now = Instant::now();
        if self.counted.as_ref().is_none_or(|(at, _)| now - *at >= COUNT_EVERY) {
            self.counted = Some((now, Numbers::count(client).await?));
        }
        let mut page = client.get("/sends", &[("limit", Some(STRIDE.to_string()))]).await?;
        let sends = if let Value::Array(sends) = page["items"].take() { sends } else { Vec::new() };
        let (_, _, metrics) = client.public("metrics?format=json", "application/json").await?;
        let metrics: Value = serde_json::from_str(&metrics).unwrap_or_default();
        let senders = self.take_metrics(&metrics["metrics"]);
        Ok(Sample { status, sends, senders })
    }

    async fn follow_trail(&mut self, client: &Client) -> Result<(), Failure> {
        for _ in 0..PAGES_MAX {
            let query =
                [("after", Some(self.seen.to_string())), ("limit", Some(STRIDE.to_string()))];
            let mut page = client.get("/audit", &query).await?;
            let Value::Array(events) = page["items"].take() else { return Ok(()) };
            let full = events.len() == STRIDE;
            for event in events {
                self.take_event(event);
            }
            if !full {
                return Ok(());
            }
        }
        // More happens than can be followed: go on from the end, so that the picture is of now.
        let query = [("before", Some("last".to_owned())), ("limit", Some("1".to_owned()))];
        let end = client.get("/audit", &query).await?;
        let end = end["items"].get(0).map_or(self.seen, place);
        self.left_out += end.saturating_sub(self.seen);
        self.seen = self.seen.max(end);
        Ok(())
    }

    pub(super) fn take_event(&mut self, event: Value) {
        self.seen = self.seen.max(place(&event));
        let along = event["details"]["along"].as_array().into_iter().flatten();
        for it in along.chain([&event]) {
            match it["kind"].as_str() {
                Some("code_requested") => self.totals.codes += 1.0,
                Some("registered") => self.totals.registrations += 1.0,
                _ => {}
            }
        }
        if let Some(refusal) = event["details"]["refusal"].as_str() {
            self.totals.refusals += 1.0;
            *self.refusals.entry(refusal.to_owned()).or_default() += 1;
        }
        self.latest.push_back(event);
        while self.latest.len() > LATEST {
            self.latest.pop_front();
        }
    }

    /// Reads the counters; gives the senders.
    fn take_metrics(&mut self, metrics: &Value) -> Vec<Sender> {
        let samples = |name: &str| {
            metrics[name]["data"].as_array().map(Vec::as_slice).unwrap_or_default().to_vec()
        };
        let value = |sample: &Value| sample["value"].as_f64().unwrap_or(0.0);
        let requests = samples("rollcall_requests_total");
        self.totals.requests = requests.iter().map(value).sum();
        let is_failed = |sample: &&Value| {
            sample["labels"]["result"].as_str().is_some_and(|status| status.starts_with('5'))
        };
        self.totals.failed = requests.iter().filter(is_failed).map(value).sum();
        let mut senders: BTreeMap<String, Sender> = BTreeMap::new();
        let mut each = |name: &str, set: fn(&mut Sender, f64)| {
            for sample in samples(name) {
                let name = text(&sample["labels"]["sender"]);
                let sender = senders.entry(name.clone()).or_insert_with(|| Sender::named(name));
                set(sender, value(&sample));
            }
        };
        each("rollcall_sender_working", |it, value| it.working = Some(value > 0.0));
        each("rollcall_sender_taken_total", |it, value| {
            (it.counted, it.taken) = (true, value);
        });
        each("rollcall_sender_delivered_total", |it, value| it.delivered = value);
        each("rollcall_sender_failed_total", |it, value| it.failed += value);
        each("rollcall_sender_rejected_total", |it, value| it.failed += value);
        each("rollcall_sender_unavailable_total", |it, value| it.unavailable = value);
        each("rollcall_sender_uncertain_total", |it, value| it.uncertain = value);
        each("rollcall_sender_conversion_percent", |it, value| it.used_percent = Some(value));
        senders.into_values().collect()
    }

    /// The picture of a look at `now`.
    pub(super) fn picture(&mut self, sample: Sample, now: Instant) -> Picture {
        self.history.push_back((now, self.totals));
        while self.history.len() > 2
            && self.history.get(1).is_some_and(|(at, _)| now - *at >= WINDOW)
        {
            self.history.pop_front();
        }
        let mut states: BTreeMap<String, u64> = BTreeMap::new();
        for send in &sample.sends {
            *states.entry(text(&send["state"])).or_default() += 1;
        }
        let numbers = self.counted.as_ref().map(|(_, numbers)| numbers.clone()).unwrap_or_default();
        Picture {
            status: sample.status,
            numbers,
            rates: self.rates(now),
            refusals: self.refusals.clone(),
            senders: sample.senders,
            messages: states,
            latest: self.latest.iter().rev().cloned().collect(),
            left_out: self.left_out,
        }
    }

    /// Per second, over the window.
    fn rates(&self, now: Instant) -> Rates {
        let Some((begun, before)) = self.history.front() else { return Rates::default() };
        let seconds = (now - *begun).as_secs_f64();
        // A server that was restarted counts from nothing.
        let rate = |of: fn(&Totals) -> f64| {
            if seconds > 0.0 { ((of(&self.totals) - of(before)) / seconds).max(0.0) } else { 0.0 }
        };
        Rates {
            requests: rate(|it| it.requests),
            failed: rate(|it| it.failed),
            codes: rate(|it| it.codes),
            registrations: rate(|it| it.registrations),
            refusals: rate(|it| it.refusals),
        }
    }
}

impl Numbers {
    async fn count(client: &Client) -> Result<Self, Failure> {
        let counts = client.get("/statistics", &[]).await?;
        let count = |name: &str| counts[name].as_u64().unwrap_or(0);
        let (known, registered) = (count("numbers_known"), count("numbers_registered"));
        let mut numbers = Self { known, registered, others: None };
        if known <= KNOWN_MAX && known.saturating_sub(registered) <= OPEN_MAX {
            let open = client.all("/numbers", &[("registered", Some("false".to_owned()))]).await?;
            let mut others: BTreeMap<String, u64> = BTreeMap::new();
            for number in &open {
                *others.entry(text(&number["state"])).or_default() += 1;
            }
            numbers.others = Some(others);
        }
        Ok(numbers)
    }
}

fn place(event: &Value) -> u64 {
    event["seq"].as_u64().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rates_are_over_the_window_and_a_restart_is_no_negative_rate() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut sampler = Sampler::default();
        sampler.history.push_back((begun, Totals::default()));
        for second in 1..=20 {
            let registered = json!({
                "seq": second, "kind": "registered", "details": { "along": [{ "kind": "code_confirmed" }] },
            });
            for _ in 0..second {
                sampler.take_event(registered.clone());
            }
            sampler.totals.requests += 40.0;
            sampler.picture(Sample::default(), at(second));
        }
        // Seconds 11 to 20 brought 155 registrations.
        let rates = sampler.rates(at(20));
        assert!((rates.registrations - 15.5).abs() < 0.01, "{rates:?}");
        assert!((rates.requests - 40.0).abs() < 0.01, "{rates:?}");
        assert_eq!((sampler.seen, sampler.latest.len()), (20, LATEST));
        sampler.totals.requests = 3.0;
        assert!(sampler.rates(at(21)).requests >= 0.0);
    }

    #[test]
    fn refusals_are_counted_by_rule_and_senders_read_from_the_counters() {
        let mut sampler = Sampler::default();
        for rule in ["code-too-soon", "country-limit", "code-too-soon"] {
            sampler
                .take_event(json!({ "seq": 1, "kind": "refused", "details": { "refusal": rule } }));
        }
        assert_eq!(sampler.refusals["code-too-soon"], 2);
        let sample =
            |sender: &str, value: u64| json!({ "labels": { "sender": sender }, "value": value });
        let senders = sampler.take_metrics(&json!({
            "rollcall_requests_total": { "data": [
                { "labels": { "result": "200" }, "value": 7 },
                { "labels": { "result": "503" }, "value": 2 },
            ] },
            "rollcall_sender_working": { "data": [sample("main", 1), sample("spare", 0)] },
            "rollcall_sender_taken_total": { "data": [sample("main", 5)] },
            "rollcall_sender_rejected_total": { "data": [sample("main", 1)] },
        }));
        assert_eq!((sampler.totals.requests, sampler.totals.failed), (9.0, 2.0));
        let [main, spare] = &senders[..] else { panic!("{senders:?}") };
        assert_eq!((main.working, main.taken, main.failed), (Some(true), 5.0, 1.0));
        assert_eq!(spare.working, Some(false));
    }
}
