//! A query whose conditions depend on what the caller asked for.

use rusqlite::types::Value;
use rusqlite::{CachedStatement, Connection, Row, params_from_iter};

use super::failure::Failure;

/// The text of a query and its parameters, numbered as they come: the form PostgreSQL wants too.
pub(super) struct Select {
    sql: String,
    values: Vec<Value>,
}

impl Select {
    /// Starts with `sql`, which ends in a condition and uses `$1` for `first`.
    pub(super) fn new(sql: &str, first: impl Into<Value>) -> Self {
        Self { sql: sql.to_owned(), values: vec![first.into()] }
    }

    /// Adds `condition`, in which `?` stands for `value`, if there is a value.
    pub(super) fn and(&mut self, condition: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            let name = self.next(value.into());
            self.and_that(&condition.replace('?', &name));
        }
    }

    /// Adds `condition`.
    pub(super) fn and_that(&mut self, condition: &str) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
    }

    /// Adds `condition`, in which `?` stands for the list of `values`.
    pub(super) fn and_in(&mut self, condition: &str, values: impl Iterator<Item = String>) {
        let names: Vec<String> = values.map(|value| self.next(value.into())).collect();
        self.and_that(&condition.replace('?', &names.join(", ")));
    }

    /// Runs it: at most `limit` rows in this order, each through `read`.
    pub(super) fn page<T>(
        mut self,
        conn: &Connection,
        order: &str,
        limit: usize,
        mut read: impl FnMut(&Row<'_>) -> Result<T, Failure>,
    ) -> Result<Vec<T>, Failure> {
        let limit = self.next(Value::from(i64::try_from(limit).unwrap_or(i64::MAX)));
        self.sql += " ORDER BY ";
        self.sql += order;
        self.sql += " LIMIT ";
        self.sql += &limit;
        let mut statement: CachedStatement<'_> = conn.prepare_cached(&self.sql)?;
        let mut rows = statement.query(params_from_iter(self.values))?;
        let mut page = Vec::new();
        while let Some(row) = rows.next()? {
            page.push(read(row)?);
        }
        Ok(page)
    }

    fn next(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }
}
