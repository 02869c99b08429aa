//! Counters of requests, shown as JSON in the original's form and as Prometheus text.

use core::time::Duration;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

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

    /// The original's JSON form (On-Premises reference §5.4).
    #[must_use]
    pub fn to_json(&self) -> Value {
        let requests = self.snapshot();
        let data: Vec<_> = requests
            .iter()
            .map(|((method, result), series)| {
                json!({ "labels": { "method": method, "result": result.to_string() }, "value": series.count })
            })
            .collect();
        let seconds: Vec<_> = requests
            .iter()
            .map(|((method, result), series)| {
                json!({
                    "labels": { "method": method, "result": result.to_string() },
                    "value": micros_as_seconds(series.micros),
                })
            })
            .collect();
        json!({
            "rollcall_requests_total": {
                "type": "counter", "help": "Requests by operation and HTTP status", "data": data,
            },
            "rollcall_request_seconds_total": {
                "type": "counter", "help": "Time spent on requests", "data": seconds,
            },
        })
    }

    /// Prometheus text format 0.0.4.
    #[must_use]
    pub fn to_prometheus(&self) -> String {
        let mut text = String::from(
            "# HELP rollcall_requests_total Requests by operation and HTTP status\n\
             # TYPE rollcall_requests_total counter\n",
        );
        let requests = self.snapshot();
        for ((method, result), series) in &requests {
            let labels = format!("method=\"{method}\",result=\"{result}\"");
            // Writing into a String cannot fail.
            let _ = writeln!(text, "rollcall_requests_total{{{labels}}} {}", series.count);
        }
        text.push_str(
            "# HELP rollcall_request_seconds_total Time spent on requests\n\
             # TYPE rollcall_request_seconds_total counter\n",
        );
        for ((method, result), series) in &requests {
            let labels = format!("method=\"{method}\",result=\"{result}\"");
            let seconds = micros_as_seconds(series.micros);
            let _ = writeln!(text, "rollcall_request_seconds_total{{{labels}}} {seconds}");
        }
        text
    }

    fn snapshot(&self) -> BTreeMap<(String, u16), Series> {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let flat = requests.iter().flat_map(|(status, by_operation)| {
            by_operation.iter().map(|(name, series)| ((name.clone(), *status), *series))
        });
        flat.collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a sum of time, read to a few digits")]
fn micros_as_seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}
