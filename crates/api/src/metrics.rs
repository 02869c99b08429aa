//! Counters of requests, and the two forms that metrics are shown in: JSON as the original writes it
//! (On-Premises reference §5.4) and Prometheus text.

use core::time::Duration;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Number, Value, json};

/// Requests by operation and status. The operation is a route, so the number of series is bounded.
#[derive(Debug, Default)]
pub struct Metrics {
    /// By status, then by operation, so that counting needs no owned key.
    requests: Mutex<BTreeMap<u16, BTreeMap<String, Series>>>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Series {
    count: u64,
    micros: u64,
}

/// Measurements of one name.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// Name, in Prometheus' form.
    pub name: &'static str,
    /// How to read it.
    pub kind: Kind,
    /// What it says, in a few words.
    pub help: &'static str,
    /// The measurements.
    pub samples: Vec<Sample>,
}

/// How a measurement is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Goes up and down.
    Gauge,
    /// Goes up only.
    Counter,
}

/// One measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// What sets it apart from others of its name.
    pub labels: Vec<(&'static str, String)>,
    /// The value.
    pub value: Number,
}

impl Family {
    /// A family of one measurement without labels.
    #[must_use]
    pub fn single(name: &'static str, kind: Kind, help: &'static str, value: u64) -> Self {
        Self { name, kind, help, samples: vec![Sample { labels: Vec::new(), value: value.into() }] }
    }
}

impl Kind {
    /// The word in both forms.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
        }
    }
}

impl Metrics {
    /// Counts a request: `operation` as in `POST_v1_settings_backup`.
    pub fn count(&self, operation: &str, status: u16, took: Duration) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let by_operation = requests.entry(status).or_default();
        if let Some(series) = by_operation.get_mut(operation) {
            series.count += 1;
            series.micros = series.micros.saturating_add(micros);
        } else {
            by_operation.insert(operation.to_owned(), Series { count: 1, micros });
        }
    }

    /// What was counted, labelled by operation (`method`) and HTTP status (`result`).
    #[must_use]
    pub fn families(&self) -> Vec<Family> {
        let (mut counts, mut seconds) = (Vec::new(), Vec::new());
        for ((operation, status), series) in self.snapshot() {
            let labels = vec![("method", operation), ("result", status.to_string())];
            counts.push(Sample { labels: labels.clone(), value: series.count.into() });
            // A sum of microseconds is finite, so it is a JSON number.
            let value = Number::from_f64(micros_as_seconds(series.micros)).unwrap_or(0.into());
            seconds.push(Sample { labels, value });
        }
        vec![
            Family {
                name: "rollcall_requests_total",
                kind: Kind::Counter,
                help: "Requests by operation and HTTP status",
                samples: counts,
            },
            Family {
                name: "rollcall_request_seconds_total",
                kind: Kind::Counter,
                help: "Time spent on requests",
                samples: seconds,
            },
        ]
    }

    fn snapshot(&self) -> BTreeMap<(String, u16), Series> {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let flat = requests.iter().flat_map(|(status, by_operation)| {
            by_operation.iter().map(|(name, series)| ((name.clone(), *status), *series))
        });
        flat.collect()
    }
}

/// The original's form: an object of families by name.
#[must_use]
pub fn to_json(families: &[Family]) -> Value {
    let members: Map<_, _> = families
        .iter()
        .map(|family| {
            let data: Vec<_> = family.samples.iter().map(sample_to_json).collect();
            let kind = family.kind.as_str();
            let member = json!({ "type": kind, "help": family.help, "data": data });
            (family.name.to_owned(), member)
        })
        .collect();
    members.into()
}

fn sample_to_json(sample: &Sample) -> Value {
    let labels: Map<_, _> =
        sample.labels.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    json!({ "labels": labels, "value": sample.value })
}

/// Prometheus text format 0.0.4.
#[must_use]
pub fn to_prometheus(families: &[Family]) -> String {
    // Writing into a String cannot fail.
    let mut text = String::new();
    for Family { name, kind, help, samples } in families {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {}", kind.as_str());
        for sample in samples {
            let labels: Vec<_> =
                sample.labels.iter().map(|(k, v)| format!("{k}=\"{}\"", escaped(v))).collect();
            let labels =
                if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            let _ = writeln!(text, "{name}{labels} {}", sample.value);
        }
    }
    text
}

/// A label's value with backslash, quote and line feed escaped, as the text format asks.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[expect(clippy::cast_precision_loss, reason = "a sum of time, read to a few digits")]
fn micros_as_seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted() -> Vec<Family> {
        let metrics = Metrics::default();
        for _ in 0..2 {
            metrics.count("POST_v1_settings_backup", 200, Duration::from_millis(750));
        }
        metrics.count("POST_v1_account", 202, Duration::ZERO);
        metrics.families()
    }

    #[test]
    fn json_has_the_form_of_the_original() {
        let shown = to_json(&counted());
        let expected = json!({
            "type": "counter",
            "help": "Requests by operation and HTTP status",
            "data": [
                { "labels": { "method": "POST_v1_account", "result": "202" }, "value": 1 },
                { "labels": { "method": "POST_v1_settings_backup", "result": "200" }, "value": 2 },
            ],
        });
        assert_eq!(shown["rollcall_requests_total"], expected);
        assert_eq!(shown["rollcall_request_seconds_total"]["data"][1]["value"], json!(1.5));
    }

    #[test]
    fn text_has_prometheus_form() {
        let mut families = counted();
        families.truncate(1);
        families.push(Family::single("up", Kind::Gauge, "Serves", 1));
        let expected = "\
# HELP rollcall_requests_total Requests by operation and HTTP status
# TYPE rollcall_requests_total counter
rollcall_requests_total{method=\"POST_v1_account\",result=\"202\"} 1
rollcall_requests_total{method=\"POST_v1_settings_backup\",result=\"200\"} 2
# HELP up Serves
# TYPE up gauge
up 1
";
        assert_eq!(to_prometheus(&families), expected);
        assert_eq!(escaped("a\"\\\n"), "a\\\"\\\\\\n");
    }
}
