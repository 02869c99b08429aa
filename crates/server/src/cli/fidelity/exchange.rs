//! One request and its answer, as they stand in a record: a line of JSON each, without anything secret.

use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Which dialect an exchange is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Dialect {
    Graph,
    Cams,
}

/// A request and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Exchange {
    /// Milliseconds since the first one.
    pub(super) at_ms: u64,
    pub(super) dialect: Dialect,
    /// Graph: the method.
    pub(super) method: String,
    /// Graph: `id:1/register`. CAMS: the action.
    pub(super) target: String,
    /// Query, form and body merged.
    pub(super) parameters: Map<String, Value>,
    pub(super) status: u16,
    /// The JSON of the answer; `null` if it was none.
    pub(super) answer: Value,
}

impl Exchange {
    /// What was asked, whoever it was about: `POST /{id}/register`, or the action.
    pub(super) fn endpoint(&self) -> String {
        match self.dialect {
            Dialect::Cams => self.target.clone(),
            Dialect::Graph => match self.target.split_once('/') {
                Some((_, edge)) => format!("{} /{{id}}/{edge}", self.method),
                None => format!("{} /{{id}}", self.method),
            },
        }
    }

    /// Whether what was asked was done.
    pub(super) fn succeeded(&self) -> bool {
        match self.dialect {
            Dialect::Graph => (200..300).contains(&self.status),
            Dialect::Cams => self.status == 200 && self.answer["Code"] == "OK",
        }
    }
}

/// All exchanges of a file, in their order.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Exchange>> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(place, line)| {
            serde_json::from_str(line)
                .with_context(|| format!("{}, line {}: no exchange", path.display(), place + 1))
        })
        .collect()
}
