//! Row ↔ record, the same for every backend.
//!
//! Domain types are not serialisable; each has a twin here that is. A twin becomes compact JSON with
//! short keys and without empty fields, since a record is written on each request. Keys are only ever
//! added: a record written by an older version must stay readable.

mod entity;
mod number;
mod send;

use serde::Serialize;
use serde::de::Deserialize;

pub(crate) use entity::{EntityRow, entity_from_row};
pub(crate) use number::{ClaimChanges, NumberRow, record_from_body};
pub(crate) use send::{SendRow, challenge_to_column, state_to_columns, tries_to_column};

/// A row that does not hold what this program writes into it.
///
/// Names the place, never the content: a body may hold a PIN verifier.
#[derive(Debug, thiserror::Error)]
#[error("{table}.{column} of {id} is damaged: {what}")]
pub(crate) struct BadRow {
    table: &'static str,
    column: &'static str,
    id: String,
    what: String,
}

/// A place in a table, to blame for what stands there.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) table: &'static str,
    pub(crate) id: &'a dyn std::fmt::Display,
}

impl Place<'_> {
    pub(crate) fn bad(&self, column: &'static str, what: impl Into<String>) -> BadRow {
        BadRow { table: self.table, column, id: self.id.to_string(), what: what.into() }
    }

    /// `value`, unless it was not what `column` must hold.
    pub(crate) fn ok<T>(&self, column: &'static str, value: Option<T>) -> Result<T, BadRow> {
        value.ok_or_else(|| self.bad(column, "not in the expected form"))
    }

    /// Reads the JSON in `column`.
    pub(crate) fn json<'a, T: Deserialize<'a>>(
        &self,
        column: &'static str,
        text: &'a str,
    ) -> Result<T, BadRow> {
        // Only kind and position of the mistake: the message of the parser may quote the content.
        serde_json::from_str(text).map_err(|e| {
            self.bad(column, format!("{:?} error at byte {}", e.classify(), e.column()))
        })
    }
}

/// The compact JSON of a twin.
pub(crate) fn to_json(twin: &impl Serialize) -> String {
    serde_json::to_string(twin).expect("twins have string keys and writing to a string cannot fail")
}

/// 128 bits as 32 hexadecimal digits: JSON numbers are not safe beyond 53 bits.
fn hex128(value: u128) -> String {
    format!("{value:032x}")
}

fn from_hex128(text: &str) -> Option<u128> {
    (text.len() == 32).then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
