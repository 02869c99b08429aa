//! What was measured, for people and for programs.

use serde_json::{Value, json};

/// A figure and the bound it must keep.
pub(super) struct Row {
    what: String,
    value: f64,
    bound: f64,
    at_least: bool,
}

impl Row {
    pub(super) fn at_least(what: &str, value: f64, bound: f64) -> Self {
        Self { what: what.to_owned(), value, bound, at_least: true }
    }

    pub(super) fn at_most(what: &str, value: f64, bound: f64) -> Self {
        Self { what: what.to_owned(), value, bound, at_least: false }
    }

    fn held(&self) -> bool {
        if self.at_least { self.value >= self.bound } else { self.value <= self.bound }
    }
}

/// All figures of a run.
pub(super) struct Report {
    notes: Vec<(String, String)>,
    rows: Vec<Row>,
}

impl Report {
    pub(super) const fn new() -> Self {
        Self { notes: Vec::new(), rows: Vec::new() }
    }

    /// A figure without a bound, for the context.
    pub(super) fn note(&mut self, what: &str, value: String) {
        self.notes.push((what.to_owned(), value));
    }

    pub(super) fn row(&mut self, row: Row) {
        self.rows.push(row);
    }

    pub(super) fn all_held(&self) -> bool {
        self.rows.iter().all(Row::held)
    }

    pub(super) fn to_table(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
        table.set_header(["figure", "measured", "asked", ""]);
        for (what, value) in &self.notes {
            table.add_row([what.as_str(), value, "", ""]);
        }
        for row in &self.rows {
            let sign = if row.at_least { "≥" } else { "≤" };
            let verdict = if row.held() { "held" } else { "MISSED" };
            let asked = format!("{sign} {}", rounded(row.bound));
            table.add_row([row.what.clone(), rounded(row.value), asked, verdict.to_owned()]);
        }
        format!("{table}\n")
    }

    pub(super) fn to_json(&self) -> Value {
        let rows: Vec<_> = self
            .rows
            .iter()
            .map(|row| {
                let key = if row.at_least { "at_least" } else { "at_most" };
                json!({ "figure": row.what, "measured": row.value, key: row.bound, "held": row.held() })
            })
            .collect();
        let notes: serde_json::Map<_, _> =
            self.notes.iter().map(|(what, value)| (what.clone(), json!(value))).collect();
        json!({ "context": notes, "figures": rows })
    }
}

/// Three significant digits are what such a measurement is worth.
fn rounded(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_on_its_bound_is_held() {
        assert!(Row::at_least("a", 20.0, 20.0).held());
        assert!(Row::at_most("a", 1.3, 1.3).held());
        assert!(!Row::at_least("a", 19.9, 20.0).held());
        assert!(!Row::at_most("a", f64::NAN, 1.0).held(), "no figure is no success");
    }
}
