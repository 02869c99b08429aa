//! The embedded defaults, which are also the list of all settings.

use toml::{Table, Value};

/// `config.default.toml`: each setting with its default, meaning and reason.
pub const DEFAULTS: &str = include_str!("../../config.default.toml");

/// What a dotted key means to this program.
pub(super) enum Known<'a> {
    /// A setting with this default.
    Setting(&'a Value),
    /// A section that holds settings.
    Section,
    /// Nothing.
    No,
}

/// The defaults as a table.
pub(super) fn table() -> Table {
    DEFAULTS.parse().expect("the embedded defaults are TOML, as a test shows")
}

/// Looks up a dotted key among the defaults.
pub(super) fn known<'a>(defaults: &'a Table, key: &str) -> Known<'a> {
    let mut parts = key.split('.');
    let mut found = parts.next().and_then(|part| defaults.get(part));
    for part in parts {
        found = found.and_then(Value::as_table).and_then(|table| table.get(part));
    }
    match found {
        None => Known::No,
        Some(Value::Table(_)) => Known::Section,
        Some(value) => Known::Setting(value),
    }
}

/// Every setting as dotted key and default, in the order of the table.
pub(super) fn settings(defaults: &Table) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    collect(defaults, "", &mut found);
    found
}

/// `key` below `prefix`, dotted.
pub(super) fn dotted(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") }
}

/// Puts `value` at the dotted `key`, whose sections exist.
pub(super) fn put(table: &mut Table, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
        }
        Some((section, rest)) => {
            if let Some(Value::Table(inner)) = table.get_mut(section) {
                put(inner, rest, value);
            }
        }
    }
}

fn collect(table: &Table, prefix: &str, found: &mut Vec<(String, Value)>) {
    for (key, value) in table {
        let key = dotted(prefix, key);
        match value.as_table() {
            Some(inner) => collect(inner, &key, found),
            None => found.push((key, value.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_found_by_its_key() {
        let defaults = table();
        let all = settings(&defaults);
        assert!(all.len() > 40, "{} settings", all.len());
        for (key, value) in all {
            assert!(matches!(known(&defaults, &key), Known::Setting(found) if *found == value));
        }
        assert!(matches!(known(&defaults, "listen"), Known::Section));
        assert!(matches!(known(&defaults, "listen.http.port"), Known::No));
    }
}
