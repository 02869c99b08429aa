//! What came of an import: a file with a row per number, and a summary.

use core::fmt::Write as _;
use core::time::Duration;
use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::super::output::{View, counted, plain};
use super::check::Row;
use super::faults::Fault;
use super::journal::{Ending, Outcome};
use super::rows::Format;
use crate::files;

/// How a row ended, with the codes that were ordered for it in all runs.
#[derive(Debug, Clone)]
pub(super) struct RowResult {
    pub(super) line: u64,
    pub(super) number: String,
    pub(super) waba: Option<String>,
    pub(super) client: Option<String>,
    pub(super) ending: Ending,
    pub(super) codes: u32,
}

/// What came of the whole.
pub(super) struct Results {
    pub(super) rows: Vec<RowResult>,
    /// What was wrong with rows that were passed over.
    pub(super) faults: Vec<Fault>,
    /// Rows that an earlier run had registered.
    pub(super) before: usize,
    pub(super) took: Duration,
    /// Whether somebody ended the run.
    pub(super) stopped: bool,
}

impl RowResult {
    pub(super) fn of(row: &Row, ending: Ending, codes: u32) -> Self {
        Self {
            line: row.line,
            number: row.number.to_string(),
            waba: row.waba.clone(),
            client: row.client.clone(),
            ending,
            codes,
        }
    }
}

const HEAD: [&str; 11] = [
    "line",
    "number",
    "waba",
    "client",
    "outcome",
    "claim",
    "registered_since",
    "codes_ordered",
    "refusal",
    "opens_at",
    "message",
];

impl Results {
    /// How many rows ended so.
    pub(super) fn count(&self, outcome: Outcome) -> usize {
        self.rows.iter().filter(|row| row.ending.outcome == outcome).count()
    }

    /// Whether every row is registered.
    pub(super) fn is_complete(&self) -> bool {
        self.faults.is_empty() && self.rows.iter().all(|row| row.ending.outcome.is_done())
    }

    /// Puts a row per number into a file, in the order of the list.
    pub(super) fn write(&mut self, path: &Path, format: Format) -> anyhow::Result<()> {
        self.rows.sort_by_key(|row| row.line);
        let mut lines: Vec<(u64, [Value; HEAD.len()])> =
            self.rows.iter().map(|row| (row.line, fields(row))).collect();
        // A row with several faults stands there once for each.
        lines.extend(self.faults.iter().map(|fault| (fault.line, fault_fields(fault))));
        lines.sort_by_key(|(line, _)| *line);
        let contents = match format {
            Format::Csv => csv(&lines)?,
            Format::Jsonl => json_lines(&lines)?,
        };
        files::replace(path, &contents)
            .with_context(|| format!("cannot write the results to {}", path.display()))
    }

    /// The exit code: 0 if all are registered, 3 if rules alone were in the way, 130 if somebody ended the
    /// run, else 1.
    pub(super) fn code(&self) -> u8 {
        let refused = self.count(Outcome::Refused) + self.count(Outcome::Postponed);
        if self.stopped {
            130
        } else if !self.faults.is_empty() || self.count(Outcome::Failed) > 0 {
            super::super::FAILURE
        } else if refused > 0 {
            super::super::client::REFUSED
        } else {
            0
        }
    }

    pub(super) fn to_json(&self, results: &Path) -> Value {
        json!({
            "rows": self.rows.len(),
            "registered": self.count(Outcome::Registered),
            "already_registered": self.count(Outcome::AlreadyRegistered),
            "refused": self.count(Outcome::Refused),
            "postponed": self.count(Outcome::Postponed),
            "failed": self.count(Outcome::Failed),
            "interrupted": self.count(Outcome::Interrupted),
            "not_reached": self.count(Outcome::NotReached),
            "faults": self.faults.iter().map(Fault::to_json).collect::<Vec<_>>(),
            "codes_ordered": self.rows.iter().map(|row| row.codes).sum::<u32>(),
            "done_before": self.before,
            "seconds": self.took.as_secs_f64(),
            "results": results,
        })
    }

    pub(super) fn to_text(&self, view: &View, results: &Path) -> String {
        let registered = self.count(Outcome::Registered) + self.count(Outcome::AlreadyRegistered);
        let mut text = format!("{}: {registered} registered", counted(self.rows.len(), "number"));
        for (outcome, word) in [
            (Outcome::Refused, "refused"),
            (Outcome::Postponed, "postponed"),
            (Outcome::Failed, "failed"),
            (Outcome::Interrupted, "interrupted"),
            (Outcome::NotReached, "not reached"),
        ] {
            if self.count(outcome) > 0 {
                // Writing into a String cannot fail.
                let _ = write!(text, ", {} {word}", self.count(outcome));
            }
        }
        if !self.faults.is_empty() {
            let _ =
                write!(text, ", {} in the list passed over", counted(self.faults.len(), "fault"));
        }
        let seconds = self.took.as_secs_f64();
        let _ = writeln!(text, "; {seconds:.1} s{}.", self.rate(registered, seconds));
        text.push_str(&self.reasons(view));
        let _ = writeln!(text, "A row per number: {}", results.display());
        if !self.is_complete() {
            let _ = writeln!(text, "The same command goes on with those that are not registered.");
        }
        text
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate, read to a few digits")]
    fn rate(&self, registered: usize, seconds: f64) -> String {
        let now = registered.saturating_sub(self.before) as f64;
        if now > 0.0 && seconds > 0.0 { format!(", {:.1}/s", now / seconds) } else { String::new() }
    }

    /// Why rows are not registered, the most frequent reason first.
    fn reasons(&self, view: &View) -> String {
        let mut reasons: BTreeMap<(String, String), usize> = BTreeMap::new();
        for row in &self.rows {
            let ending = &row.ending;
            let in_the_way =
                matches!(ending.outcome, Outcome::Refused | Outcome::Postponed | Outcome::Failed);
            if in_the_way {
                let rule =
                    ending.refusal.clone().unwrap_or_else(|| ending.outcome.word().to_owned());
                let message = ending.message.clone().unwrap_or_default();
                // Messages with moments and numbers in them are told apart by their rule alone.
                let message = if ending.refusal.is_some() { String::new() } else { message };
                *reasons.entry((rule, message)).or_default() += 1;
            }
        }
        if reasons.is_empty() {
            return String::new();
        }
        let mut reasons: Vec<_> = reasons.into_iter().collect();
        reasons.sort_by_key(|(_, count)| core::cmp::Reverse(*count));
        let shown = reasons.into_iter().take(10).map(|((rule, message), count)| {
            let what =
                if message.is_empty() { format!("rollcall explain {rule}") } else { message };
            [plain(count.to_string()), plain(rule), plain(what)]
        });
        view.table(["ROWS", "WHY", "MORE"], shown)
    }
}

fn fields(row: &RowResult) -> [Value; HEAD.len()] {
    let ending = &row.ending;
    [
        json!(row.line),
        json!(row.number),
        json!(row.waba),
        json!(row.client),
        json!(ending.outcome.word()),
        json!(ending.claim),
        json!(ending.since),
        json!(row.codes),
        json!(ending.refusal),
        json!(ending.opens_at),
        json!(ending.message),
    ]
}

fn fault_fields(fault: &Fault) -> [Value; HEAD.len()] {
    let mut fields = [const { Value::Null }; HEAD.len()];
    fields[0] = json!(fault.line);
    fields[4] = json!("invalid");
    fields[HEAD.len() - 1] = json!(fault.to_string());
    fields
}

fn csv(lines: &[(u64, [Value; HEAD.len()])]) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEAD)?;
    for (_, fields) in lines {
        writer.write_record(fields.each_ref().map(csv_cell))?;
    }
    Ok(writer.into_inner()?)
}

/// A value as it stands in CSV: nothing if there is none.
pub(in crate::cli) fn csv_cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

fn json_lines(lines: &[(u64, [Value; HEAD.len()])]) -> anyhow::Result<Vec<u8>> {
    let mut text = Vec::new();
    for (_, fields) in lines {
        let members =
            HEAD.iter().zip(fields).map(|(name, value)| ((*name).to_owned(), value.clone()));
        serde_json::to_writer(&mut text, &Value::Object(members.collect()))?;
        text.push(b'\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(line: u64, ending: Ending, codes: u32) -> RowResult {
        let number = format!("+4477009001{line:02}");
        RowResult { line, number, waba: Some("1".to_owned()), client: None, ending, codes }
    }

    fn results() -> Results {
        let registered = Ending {
            claim: Some("9".to_owned()),
            since: Some("2027-01-15T08:00:00Z".to_owned()),
            ..Ending::with_error(Outcome::Registered, &Value::Null)
        };
        let refused = json!({ "refusal": "pin-required", "message": "A PIN, please." });
        Results {
            rows: vec![
                row(4, Ending::saying(Outcome::Failed, "no code came within 600 s"), 1),
                row(2, registered, 1),
                row(3, Ending::with_error(Outcome::Refused, &refused), 0),
            ],
            faults: vec![Fault::new(5, "name", "is missing")],
            before: 0,
            took: Duration::from_millis(2500),
            stopped: false,
        }
    }

    #[test]
    fn the_file_has_a_row_per_number_in_the_order_of_the_list() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result.csv");
        results().write(&path, Format::Csv).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            "\
line,number,waba,client,outcome,claim,registered_since,codes_ordered,refusal,opens_at,message
2,+447700900102,1,,registered,9,2027-01-15T08:00:00Z,1,,,
3,+447700900103,1,,refused,,,0,pin-required,,\"A PIN, please.\"
4,+447700900104,1,,failed,,,1,,,no code came within 600 s
5,,,,invalid,,,,,,\"line 5, name: is missing\"
"
        );
        results().write(&path, Format::Jsonl).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((lines.len(), &lines[1]["refusal"]), (4, &json!("pin-required")));
    }

    #[test]
    fn the_summary_counts_and_says_why() {
        let shown = results().to_text(&View::for_tests(), Path::new("numbers.result.csv"));
        assert_eq!(
            shown,
            "\
3 numbers: 1 registered, 1 refused, 1 failed, 1 fault in the list passed over; 2.5 s, 0.4/s.
ROWS  WHY           MORE
1     failed        no code came within 600 s
1     pin-required  rollcall explain pin-required
A row per number: numbers.result.csv
The same command goes on with those that are not registered.
"
        );
    }

    #[test]
    fn the_exit_code_tells_rules_from_failures() {
        let mut results = results();
        assert_eq!(results.code(), 1);
        results.faults.clear();
        assert_eq!(results.code(), 1);
        results.rows.retain(|row| row.ending.outcome != Outcome::Failed);
        assert_eq!(results.code(), 3);
        results.stopped = true;
        assert_eq!(results.code(), 130);
        results.stopped = false;
        results.rows.retain(|row| row.ending.outcome.is_done());
        assert_eq!(results.code(), 0);
    }
}
