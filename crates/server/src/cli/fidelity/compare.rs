//! What differs between two answers: status, codes, names of fields, kinds of values.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::exchange::{Dialect, Exchange};
use crate::cli::output::{View, counted, plain};

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Difference {
    /// `status`, `code`, `missing`, `added` or `type`.
    pub(super) what: &'static str,
    /// Which field.
    pub(super) place: String,
    pub(super) recorded: String,
    pub(super) embedded: String,
}

/// What was found, by endpoint.
#[derive(Debug, Default)]
pub(super) struct Report {
    endpoints: BTreeMap<String, Endpoint>,
}

#[derive(Debug, Default)]
struct Endpoint {
    replayed: usize,
    left_out: usize,
    /// Each with how often it was found.
    differences: BTreeMap<Difference, usize>,
}

/// The differences between a recorded answer and one of the embedded registrar.
pub(super) fn differences(recorded: &Exchange, status: u16, answer: &Value) -> Vec<Difference> {
    let mut found = outcome(recorded, status, answer);
    if !found.is_empty() {
        // Another outcome has another form.
        return found;
    }
    let (there, here) = (Form::of(&recorded.answer), Form::of(answer));
    let mut differ = |what, place: &str, recorded: String, embedded: String| {
        found.push(Difference { what, place: place.to_owned(), recorded, embedded });
    };
    for (place, kinds) in &there.0 {
        match here.0.get(place) {
            Some(others) if kinds == others => {}
            Some(others) => differ("type", place, listed(kinds), listed(others)),
            None if here.is_empty_above(place) => {}
            None => differ("missing", place, listed(kinds), NONE.to_owned()),
        }
    }
    for (place, kinds) in &here.0 {
        if !there.0.contains_key(place) && !there.is_empty_above(place) {
            differ("added", place, NONE.to_owned(), listed(kinds));
        }
    }
    found
}

const NONE: &str = "none";

/// Status and codes.
fn outcome(recorded: &Exchange, status: u16, answer: &Value) -> Vec<Difference> {
    let codes: &[&[&str]] = match recorded.dialect {
        Dialect::Graph => &[&["error", "code"], &["error", "error_subcode"]],
        Dialect::Cams => &[&["Code"]],
    };
    let code = |answer: &Value, path: &[&str]| {
        let found = path.iter().fold(answer, |value, key| &value[*key]);
        if found.is_null() { NONE.to_owned() } else { found.to_string() }
    };
    let status = ("status", String::new(), recorded.status.to_string(), status.to_string());
    let codes = codes
        .iter()
        .map(|path| ("code", path.join("."), code(&recorded.answer, path), code(answer, path)));
    core::iter::once(status)
        .chain(codes)
        .filter(|(_, _, there, here)| there != here)
        .map(|(what, place, recorded, embedded)| Difference { what, place, recorded, embedded })
        .collect()
}

/// Every field with the kinds of its values; `data[].id` for those in lists.
struct Form(BTreeMap<String, BTreeSet<&'static str>>);

impl Form {
    fn of(answer: &Value) -> Self {
        let mut form = Self(BTreeMap::new());
        form.take(String::new(), answer);
        form
    }

    fn take(&mut self, place: String, value: &Value) {
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(items) => {
                for item in items {
                    self.take(format!("{place}[]"), item);
                }
                "list"
            }
            Value::Object(fields) => {
                for (key, value) in fields {
                    let dot = if place.is_empty() { "" } else { "." };
                    self.take(format!("{place}{dot}{key}"), value);
                }
                "object"
            }
        };
        self.0.entry(place).or_default().insert(kind);
    }

    /// Whether `place` is inside a list that has no items here: nothing can be said of it then.
    fn is_empty_above(&self, place: &str) -> bool {
        place.match_indices("[]").any(|(end, _)| {
            self.0.contains_key(&place[..end]) && !self.0.contains_key(&place[..end + 2])
        })
    }
}

fn listed(kinds: &BTreeSet<&'static str>) -> String {
    kinds.iter().copied().collect::<Vec<_>>().join(" or ")
}

impl Report {
    pub(super) fn replayed(&mut self, endpoint: String, differences: Vec<Difference>) {
        let endpoint = self.endpoints.entry(endpoint).or_default();
        endpoint.replayed += 1;
        for difference in differences {
            *endpoint.differences.entry(difference).or_default() += 1;
        }
    }

    /// An exchange that could not be said again, for want of what came before it.
    pub(super) fn left_out(&mut self, endpoint: String) {
        self.endpoints.entry(endpoint).or_default().left_out += 1;
    }

    pub(super) fn differs(&self) -> bool {
        self.endpoints.values().any(|endpoint| !endpoint.differences.is_empty())
    }

    pub(super) fn to_json(&self) -> Value {
        let endpoints: Vec<_> = self
            .endpoints
            .iter()
            .map(|(name, endpoint)| {
                let differences: Vec<_> = endpoint
                    .differences
                    .iter()
                    .map(|(it, times)| {
                        json!({ "what": it.what, "field": it.place, "recorded": it.recorded,
                                "embedded": it.embedded, "times": times })
                    })
                    .collect();
                json!({ "endpoint": name, "replayed": endpoint.replayed,
                        "left_out": endpoint.left_out, "differences": differences })
            })
            .collect();
        json!({ "endpoints": endpoints })
    }

    pub(super) fn to_text(&self, view: &View) -> String {
        let mut rows = Vec::new();
        for (name, endpoint) in &self.endpoints {
            let mut first = format!("{} replayed", endpoint.replayed);
            if endpoint.left_out > 0 {
                first = format!("{first}, {} left out", endpoint.left_out);
            }
            if endpoint.differences.is_empty() {
                let same = if endpoint.replayed > 0 { "the same" } else { "-" };
                rows.push([name.clone(), first, same.to_owned(), String::new(), String::new()]);
                continue;
            }
            for (place, (it, times)) in endpoint.differences.iter().enumerate() {
                let (name, first) =
                    if place == 0 { (name.clone(), first.clone()) } else { Default::default() };
                let what = format!("{} {}", it.what, it.place).trim().to_owned();
                let what = if *times > 1 { format!("{what} ({times} times)") } else { what };
                rows.push([name, first, what, it.recorded.clone(), it.embedded.clone()]);
            }
        }
        let count = self.endpoints.values().map(|it| it.differences.len()).sum();
        let headings = ["ENDPOINT", "EXCHANGES", "DIFFERENCE", "RECORDED", "EMBEDDED"];
        let table = view.table(headings, rows.into_iter().map(|row| row.map(plain)));
        format!("{table}{}\n", counted(count, "difference"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    fn recorded(status: u16, answer: Value) -> Exchange {
        Exchange {
            at_ms: 0,
            dialect: Dialect::Graph,
            method: "GET".to_owned(),
            target: "id:1/phone_numbers".to_owned(),
            parameters: Map::new(),
            status,
            answer,
        }
    }

    fn found(recorded: &Exchange, status: u16, answer: &Value) -> Vec<String> {
        let found = differences(recorded, status, answer);
        found.into_iter().map(|it| format!("{} {}", it.what, it.place)).collect()
    }

    #[test]
    fn fields_and_kinds_are_compared_and_values_are_not() {
        let there = recorded(200, json!({ "data": [{ "id": "id:1", "score": null, "old": 1 }] }));
        let here = json!({ "data": [{ "id": "7", "score": "x", "new": true }], "paging": {} });
        assert_eq!(
            found(&there, 200, &here),
            ["missing data[].old", "type data[].score", "added data[].new", "added paging"]
        );
        let same = json!({ "data": [{ "id": "8", "score": null, "old": 5 }] });
        assert_eq!(found(&there, 200, &same), [""; 0]);
    }

    #[test]
    fn of_an_empty_list_nothing_can_be_said() {
        let there = recorded(200, json!({ "data": [{ "id": "id:1" }] }));
        assert_eq!(found(&there, 200, &json!({ "data": [] })), [""; 0]);
    }

    #[test]
    fn another_outcome_is_told_by_status_and_codes_alone() {
        let error = json!({ "error": { "code": 136_025, "error_subcode": 2_388_093, "x": 1 } });
        let there = recorded(400, error);
        let here = json!({ "error": { "code": 133_016 } });
        assert_eq!(found(&there, 400, &here), ["code error.code", "code error.error_subcode"]);
        assert_eq!(found(&there, 200, &json!({ "success": true })).first().unwrap(), "status ");
    }
}
