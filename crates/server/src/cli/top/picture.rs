//! What one look shows: a page for people, an object for programs.

use core::fmt::Write as _;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::audit::what;
use super::super::output::{Tone, View, number, plain, text};

/// Rules that are shown at most.
const RULES_MAX: usize = 8;

/// How many numbers there are, by state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) known: u64,
    pub(super) registered: u64,
    /// Those that are not registered, by state; absent where there are too many to look at.
    pub(super) others: Option<BTreeMap<String, u64>>,
}

/// Per second.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Rates {
    pub(super) requests: f64,
    /// Answered with 5xx.
    pub(super) failed: f64,
    pub(super) codes: f64,
    pub(super) registrations: f64,
    pub(super) refusals: f64,
}

/// A sender, since the server started.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sender {
    pub(super) name: String,
    /// Whether it takes messages; unknown where there is nothing to choose.
    pub(super) working: Option<bool>,
    /// Whether its messages are counted: those of the sandbox's inbox are not.
    pub(super) counted: bool,
    pub(super) taken: f64,
    pub(super) delivered: f64,
    /// Rejected, or reported as failed.
    pub(super) failed: f64,
    pub(super) unavailable: f64,
    pub(super) uncertain: f64,
    /// Share of its codes that were used lately.
    pub(super) used_percent: Option<f64>,
}

/// The server at a moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Picture {
    pub(super) status: Value,
    pub(super) numbers: Numbers,
    pub(super) rates: Rates,
    /// By rule, since looking began.
    pub(super) refusals: BTreeMap<String, u64>,
    pub(super) senders: Vec<Sender>,
    /// The latest messages by state.
    pub(super) messages: BTreeMap<String, u64>,
    /// The latest events, newest first.
    pub(super) latest: Vec<Value>,
    /// Events that came too fast to be counted.
    pub(super) left_out: u64,
}

impl Sender {
    pub(super) fn named(name: String) -> Self {
        Self { name, ..Self::default() }
    }
}

impl Numbers {
    const fn not_registered(&self) -> u64 {
        self.known.saturating_sub(self.registered)
    }

    fn to_text(&self) -> String {
        let mut text = format!("{} known, {} registered", self.known, self.registered);
        match &self.others {
            Some(others) => {
                for (state, count) in others {
                    // Writing into a String cannot fail.
                    let _ = write!(text, ", {count} {}", state.replace('_', " "));
                }
            }
            None => {
                let _ = write!(text, ", {} not", self.not_registered());
            }
        }
        text
    }
}

impl Picture {
    pub(super) fn to_json(&self) -> Value {
        let rates = self.rates;
        let senders = self.senders.iter().map(|it| {
            json!({
                "sender": it.name, "working": it.working, "taken": it.taken,
                "delivered": it.delivered, "failed": it.failed, "unavailable": it.unavailable,
                "uncertain": it.uncertain, "used_percent": it.used_percent,
            })
        });
        json!({
            "at": self.status["now"], "mode": self.status["mode"], "version": self.status["version"],
            "numbers": {
                "known": self.numbers.known, "registered": self.numbers.registered,
                "not_registered": self.numbers.not_registered(),
                "not_registered_by_state": self.numbers.others,
            },
            "rates": {
                "requests": rates.requests, "failed": rates.failed, "codes": rates.codes,
                "registrations": rates.registrations, "refusals": rates.refusals,
            },
            "refusals": self.refusals,
            "senders": senders.collect::<Vec<_>>(),
            "latest_messages": self.messages,
            "events_left_out": self.left_out,
        })
    }

    /// The picture in at most `rows` lines: the latest events give way first.
    pub(super) fn to_text(&self, view: &View, rows: usize) -> String {
        let mut page = self.head(view);
        page.push_str(&self.refused(view));
        page.push_str(&self.senders(view));
        let room = rows.saturating_sub(page.lines().count() + 2);
        if room > 0 && !self.latest.is_empty() {
            page.push_str("\nLATEST\n");
            for event in self.latest.iter().take(room) {
                let _ = writeln!(page, "{}", line(view, event));
            }
        }
        page
    }

    fn head(&self, view: &View) -> String {
        let rates = self.rates;
        let failed = if rates.failed > 0.0 {
            view.word(&format!(", {:.1} of them failed", rates.failed), Tone::Bad)
        } else {
            String::new()
        };
        let left_out = if self.left_out > 0 {
            format!("; {} events came too fast to be counted", self.left_out)
        } else {
            String::new()
        };
        let messages: Vec<String> = self
            .messages
            .iter()
            .map(|(state, count)| format!("{count} {}", state.replace('_', " ")))
            .collect();
        view.facts(&[
            (
                "Rollcall",
                format!(
                    "{} {}  {}",
                    text(&self.status["version"]),
                    text(&self.status["mode"]),
                    view.moment(&self.status["now"]),
                ),
            ),
            ("Numbers", self.numbers.to_text()),
            ("Requests", format!("{:.1}/s{failed}", rates.requests)),
            (
                "Happening",
                format!(
                    "{:.1} codes/s, {:.1} registrations/s, {:.1} refusals/s{left_out}",
                    rates.codes, rates.registrations, rates.refusals,
                ),
            ),
            ("Messages", messages.join(", ")),
        ])
    }

    fn refused(&self, view: &View) -> String {
        if self.refusals.is_empty() {
            return String::new();
        }
        let mut rules: Vec<_> = self.refusals.iter().collect();
        rules.sort_by_key(|(_, count)| core::cmp::Reverse(**count));
        let rows = rules.into_iter().take(RULES_MAX);
        let rows = rows.map(|(rule, count)| [plain(rule.clone()), plain(count.to_string())]);
        format!("\n{}", view.table(["REFUSED SINCE THE START OF THIS", "TIMES"], rows))
    }

    fn senders(&self, view: &View) -> String {
        if self.senders.is_empty() {
            return String::new();
        }
        let rows = self.senders.iter().map(|it| {
            let state = match it.working {
                Some(true) => ("works".to_owned(), Tone::Good),
                Some(false) => ("rests".to_owned(), Tone::Bad),
                None => plain("-"),
            };
            let used = it.used_percent.map_or("-".to_owned(), |percent| format!("{percent:.0} %"));
            let counted = it.counted;
            let count =
                |count: f64| plain(if counted { format!("{count:.0}") } else { "-".to_owned() });
            [
                plain(text(&json!(it.name))),
                state,
                count(it.taken),
                count(it.delivered),
                count(it.failed),
                count(it.unavailable),
                count(it.uncertain),
                plain(used),
            ]
        });
        let head =
            ["SENDER", "STATE", "TAKEN", "DELIVERED", "FAILED", "AWAY", "UNCERTAIN", "CODES USED"];
        format!("\n{}", view.table(head, rows))
    }
}

/// An event in one line.
fn line(view: &View, event: &Value) -> String {
    let about = match event["subject"]["kind"].as_str() {
        Some("number") => number(&event["subject"]["id"]),
        _ => format!("{} {}", text(&event["subject"]["kind"]), text(&event["subject"]["id"])),
    };
    view.cut(&format!(
        "{}  {about}  {}",
        view.short_moment(&event["at"]),
        what(event).replace('\n', " ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Picture {
        let event = |place: u32| {
            json!({
                "seq": place, "at": "2027-01-15T08:00:00Z", "kind": "code_requested",
                "subject": { "kind": "number", "id": "+447700900123" }, "details": {},
            })
        };
        Picture {
            status: json!({ "now": "2027-01-15T08:00:00Z", "mode": "sandbox", "version": "0.1.0" }),
            numbers: Numbers {
                known: 12,
                registered: 10,
                others: Some(
                    [("awaiting_code".to_owned(), 1), ("unverified".to_owned(), 1)].into(),
                ),
            },
            rates: Rates {
                requests: 41.26,
                failed: 0.5,
                codes: 3.0,
                registrations: 2.9,
                refusals: 0.1,
            },
            refusals: [("code-too-soon".to_owned(), 1), ("country-limit".to_owned(), 4)].into(),
            senders: vec![Sender {
                working: Some(false),
                counted: true,
                taken: 9.0,
                delivered: 7.0,
                used_percent: Some(88.0),
                ..Sender::named("main".to_owned())
            }],
            messages: [("delivered".to_owned(), 7), ("handed_over".to_owned(), 2)].into(),
            latest: (0..8).map(event).collect(),
            left_out: 0,
        }
    }

    #[test]
    fn the_page_fits_the_terminal_and_the_latest_give_way() {
        let expected = "\
Rollcall   0.1.0 sandbox  2027-01-15 09:00:00 CET (08:00:00 UTC)
Numbers    12 known, 10 registered, 1 awaiting code, 1 unverified
Requests   41.3/s, 0.5 of them failed
Happening  3.0 codes/s, 2.9 registrations/s, 0.1 refusals/s
Messages   7 delivered, 2 handed over

REFUSED SINCE THE START OF THIS  TIMES
country-limit                    4
code-too-soon                    1

SENDER  STATE  TAKEN  DELIVERED  FAILED  AWAY  UNCERTAIN  CODES USED
main    rests  9      7          0       0     0          88 %

LATEST
2027-01-15 09:00:00  +44 7700 900123  code requested
2027-01-15 09:00:00  +44 7700 900123  code requested
";
        assert_eq!(picture().to_text(&View::for_tests(), 16), expected);
        let whole = picture().to_text(&View::for_tests(), 60);
        assert_eq!(whole.lines().count(), 14 + 8);
    }

    #[test]
    fn programs_get_figures() {
        let json = picture().to_json();
        assert_eq!(
            (&json["numbers"]["not_registered"], &json["refusals"]["country-limit"]),
            (&json!(2), &json!(4))
        );
        assert_eq!(json["senders"][0]["working"], false);
        let many = Numbers { known: 2_000_000, registered: 1_000_000, others: None };
        assert_eq!(many.to_text(), "2000000 known, 1000000 registered, 1000000 not");
    }
}
