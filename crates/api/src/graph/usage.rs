//! `X-App-Usage` and `X-Business-Use-Case-Usage`: how much of its calls and time a caller has used (§6).

use core::time::Duration;
use std::sync::{Mutex, PoisonError};

use http::{HeaderMap, HeaderName, HeaderValue};
use registration::{TextId as _, Timestamp};
use serde_json::{Value, json};
use service::Service;
use service::graph_usage::{GraphParty, GraphUsage};

/// For whom a call counts, noted while it is served.
#[derive(Debug, Default)]
pub struct Counted(Mutex<Noted>);

#[derive(Debug, Clone, Default)]
struct Noted {
    parties: Vec<(GraphParty, u64)>,
    opens_at: Option<Timestamp>,
}

impl Counted {
    /// The app, and how many calls it has.
    pub fn on_app(&self, party: GraphParty, calls_max: u64) {
        self.noted(|it| it.parties.push((party, calls_max)));
    }

    /// The app on a WABA, and how many calls it has there. A call counts once, for the first one.
    pub fn on_waba(&self, party: GraphParty, calls_max: u64) {
        self.noted(|it| it.parties.push((party, calls_max)));
    }

    /// The call was refused until then.
    pub fn opens_at(&self, at: Timestamp) {
        self.noted(|it| it.opens_at = Some(at));
    }

    /// Adds the time that the call took to what its parties have used.
    pub(super) fn spend(&self, service: &Service, took: Duration) {
        for (party, _) in self.read().parties {
            service.spend_graph(&party, took);
        }
    }

    /// Says in the headers of an answer what the parties have used.
    pub(super) fn tell(&self, service: &Service, headers: &mut HeaderMap) {
        let noted = self.read();
        for (party, calls_max) in noted.parties {
            let used = service.graph_usage(&party, calls_max);
            let (name, value) = match &party {
                GraphParty::App(_) => (APP_USAGE, percentages(used)),
                GraphParty::OnWaba(_, waba) => {
                    let wait = noted.opens_at.map_or(Duration::ZERO, |at| at.since(service.now()));
                    let mut value = percentages(used);
                    value["type"] = json!("whatsapp_business_management");
                    value["estimated_time_to_regain_access"] =
                        json!(wait.as_millis().div_ceil(60_000));
                    (WABA_USAGE, json!({ waba.as_str(): [value] }))
                }
            };
            if let Ok(value) = HeaderValue::from_str(&value.to_string()) {
                headers.insert(name, value);
            }
        }
    }

    fn noted(&self, note: impl FnOnce(&mut Noted)) {
        note(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn read(&self) -> Noted {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

const APP_USAGE: HeaderName = HeaderName::from_static("x-app-usage");
const WABA_USAGE: HeaderName = HeaderName::from_static("x-business-use-case-usage");

/// CPU time is not measured per call; it is at most the time that the call took, so that stands for it.
fn percentages(used: GraphUsage) -> Value {
    json!({ "call_count": used.calls, "total_cputime": used.time, "total_time": used.time })
}
