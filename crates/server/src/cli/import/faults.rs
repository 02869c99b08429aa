//! What is wrong with a list of numbers: where, why, and what would be right.

use core::fmt;

use serde_json::{Value, json};

use super::super::output::{View, plain};

/// Most faults that a table for people shows.
const SHOWN_MAX: usize = 100;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The line it stands on, from 1; 0 for the file as a whole.
    pub(super) line: u64,
    /// The column; empty for the whole line.
    pub(super) column: String,
    /// What is wrong. Never repeats a PIN.
    pub(super) reason: String,
    /// What would be right, where that can be told.
    pub(super) suggestion: Option<String>,
}

impl Fault {
    pub(super) fn new(line: u64, column: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { line, column: column.into(), reason: reason.into(), suggestion: None }
    }

    pub(super) fn whole_file(reason: impl Into<String>) -> Self {
        Self::new(0, "", reason)
    }

    pub(super) fn hint(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "line": self.line, "column": self.column,
            "reason": self.reason, "suggestion": self.suggestion,
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column.as_str()) {
            (0, _) => {}
            (line, "") => write!(f, "line {line}: ")?,
            (line, column) => write!(f, "line {line}, {column}: ")?,
        }
        f.write_str(&self.reason)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "; {suggestion}"),
            None => Ok(()),
        }
    }
}

/// The faults as people read them: one table, cut where it gets too long.
pub(super) fn table(view: &View, faults: &[Fault]) -> String {
    let rows = faults.iter().take(SHOWN_MAX).map(|fault| {
        let shown = |text: &str| if text.is_empty() { "-".to_owned() } else { clean(text) };
        let line = if fault.line == 0 { "-".to_owned() } else { fault.line.to_string() };
        [
            plain(line),
            plain(shown(&fault.column)),
            plain(clean(&fault.reason)),
            plain(shown(fault.suggestion.as_deref().unwrap_or_default())),
        ]
    });
    let table = view.table(["LINE", "COLUMN", "WHAT IS WRONG", "WHAT WOULD BE RIGHT"], rows);
    let more = faults.len().saturating_sub(SHOWN_MAX);
    let note =
        if more > 0 { format!("… and {more} more; --json shows all.\n") } else { String::new() };
    table + &note
}

/// Text of a file as it may reach a terminal.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_faults_are_cut_for_people() {
        let faults: Vec<Fault> =
            (0..130).map(|line| Fault::new(line, "name", "is\u{1b}[31m missing")).collect();
        let shown = table(&View::for_tests(), &faults);
        assert_eq!(shown.lines().count(), 1 + SHOWN_MAX + 1, "{shown}");
        assert!(shown.ends_with("… and 30 more; --json shows all.\n"), "{shown}");
        assert!(!shown.contains('\u{1b}'), "text of a file cannot steer a terminal");
    }
}
