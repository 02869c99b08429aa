//! Reads TOML key by key and collects what is wrong instead of stopping at it.

use core::cell::RefCell;
use core::fmt;
use core::ops::Range;
use std::collections::HashMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Something wrong with a seed file. Never repeats a value, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedProblem {
    /// Line, from 1.
    pub line: usize,
    /// Which key: `account[0].space[1].waba[0].id`; empty where the text is no TOML.
    pub key: String,
    /// What is wrong.
    pub problem: String,
}

/// A table of the file.
pub(super) struct Section<'a> {
    table: &'a DeTable<'a>,
    path: String,
    at: usize,
    notes: &'a Notes,
}

/// What is known about the whole file.
struct Notes {
    /// Where each line but the first begins.
    breaks: Vec<usize>,
    problems: RefCell<Vec<SeedProblem>>,
    /// Line on which an id of a kind was given.
    taken: RefCell<HashMap<(&'static str, String), usize>>,
}

/// Reads a file: `build` is asked only if the text is TOML, and counts only if nothing was wrong.
pub(super) fn read<T>(
    text: &str,
    build: impl FnOnce(&Section<'_>) -> T,
) -> Result<T, Vec<SeedProblem>> {
    let breaks = text.match_indices('\n').map(|(at, _)| at + 1).collect();
    let notes = Notes { breaks, problems: RefCell::default(), taken: RefCell::default() };
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        notes.add(error.span().map_or(0, |span| span.start), "", error.message());
    }
    let root = Section { table: table.get_ref(), path: String::new(), at: 0, notes: &notes };
    let result = errors.is_empty().then(|| build(&root));
    let mut problems = notes.problems.take();
    problems.sort_by_key(|problem| problem.line);
    result.filter(|_| problems.is_empty()).ok_or(problems)
}

impl<'a> Section<'a> {
    /// Names the keys that may stand here; any other is a problem.
    pub(super) fn knows(&self, keys: &[&str]) {
        for key in self.table.keys() {
            if !keys.contains(&&**key.get_ref()) {
                let known = keys.join(", ");
                self.problem_at(key.span(), key.get_ref(), &format!("unknown; known: {known}"));
            }
        }
    }

    /// Whether the key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// A text that `parse` takes; `None` if the key is absent or wrong.
    pub(super) fn text<T, E: fmt::Display>(
        &self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.table.get(key)?;
        let Some(text) = value.get_ref().as_str() else {
            self.problem_at(value.span(), key, "must be a text");
            return None;
        };
        match parse(text) {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                self.problem_at(value.span(), key, &error.to_string());
                None
            }
        }
    }

    /// The same, and the key must be there.
    pub(super) fn needed<T, E: fmt::Display>(
        &self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if !self.has(key) {
            self.problem(key, "is missing");
        }
        self.text(key, parse)
    }

    /// One of these words.
    pub(super) fn word<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Option<T> {
        self.text(key, |text| {
            let found = words.iter().find(|(word, _)| *word == text);
            let names = || words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
            found.map(|(_, meaning)| *meaning).ok_or_else(|| format!("is one of {}", names()))
        })
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        let value = self.table.get(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.problem_at(value.span(), key, "must be true or false");
        }
        flag
    }

    /// A whole number from 0 to `max`.
    pub(super) fn count(&self, key: &str, max: u32) -> Option<u32> {
        let value = self.table.get(key)?;
        let integer = value.get_ref().as_integer();
        let count = integer.and_then(|it| u32::from_str_radix(it.as_str(), it.radix()).ok());
        let count = count.filter(|count| *count <= max);
        if count.is_none() {
            self.problem_at(value.span(), key, &format!("must be a whole number from 0 to {max}"));
        }
        count
    }

    /// A moment: RFC 3339 as a text, or TOML's own form with an offset.
    pub(super) fn moment(&self, key: &str) -> Option<registration::Timestamp> {
        let value = self.table.get(key)?;
        let native = value.get_ref().as_datetime().map(ToString::to_string);
        let text = native.as_deref().or_else(|| value.get_ref().as_str());
        let moment = text.and_then(|text| text.parse::<jiff::Timestamp>().ok());
        if moment.is_none() {
            self.problem_at(value.span(), key, "must be a moment such as 2030-01-01T00:00:00Z");
        }
        moment.map(|moment| registration::Timestamp::from_millis(moment.as_millisecond()))
    }

    /// A list of texts.
    pub(super) fn texts(&self, key: &str) -> Vec<String> {
        let Some(value) = self.table.get(key) else { return Vec::new() };
        let items = value.get_ref().as_array().map(|items| items.iter());
        let texts = items.and_then(|items| {
            items.map(|item| item.get_ref().as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        texts.unwrap_or_else(|| {
            self.problem_at(value.span(), key, "must be a list of texts");
            Vec::new()
        })
    }

    /// The tables of `[[key]]`, in order.
    pub(super) fn sections(&self, key: &str) -> Vec<Section<'a>> {
        let Some(value) = self.table.get(key) else { return Vec::new() };
        let tables = value.get_ref().as_array().map(|items| {
            let section = |(index, item): (usize, &'a Spanned<DeValue<'a>>)| {
                let path = format!("{}[{index}]", self.key(key));
                let table = item.get_ref().as_table()?;
                Some(Section { table, path, at: item.span().start, notes: self.notes })
            };
            items.iter().enumerate().map(section).collect::<Option<Vec<_>>>()
        });
        tables.flatten().unwrap_or_else(|| {
            let form = format!("must be a list of tables: [[{}]]", without_places(&self.key(key)));
            self.problem_at(value.span(), key, &form);
            Vec::new()
        })
    }

    /// Notes an id; a second one of the same kind is a problem.
    pub(super) fn unique(&self, kind: &'static str, key: &str, id: &str) {
        let line = self.notes.line(self.place(key));
        let mut taken = self.notes.taken.borrow_mut();
        if let Some(first) = taken.insert((kind, id.to_owned()), line) {
            self.problem(key, &format!("stands on line {first} already"));
        }
    }

    /// Notes something wrong with a key, or with the section that lacks it.
    pub(super) fn problem(&self, key: &str, problem: &str) {
        self.notes.add(self.place(key), &self.key(key), problem);
    }

    fn problem_at(&self, span: Range<usize>, key: &str, problem: &str) {
        self.notes.add(span.start, &self.key(key), problem);
    }

    fn place(&self, key: &str) -> usize {
        self.table.get_key_value(key).map_or(self.at, |(key, _)| key.span().start)
    }

    fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

impl Notes {
    fn add(&self, at: usize, key: &str, problem: &str) {
        let (line, key, problem) = (self.line(at), key.to_owned(), problem.to_owned());
        self.problems.borrow_mut().push(SeedProblem { line, key, problem });
    }

    fn line(&self, at: usize) -> usize {
        self.breaks.partition_point(|begin| *begin <= at) + 1
    }
}

impl fmt::Display for SeedProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key.as_str() {
            "" => write!(f, "line {}: {}", self.line, self.problem),
            key => write!(f, "line {}: {key}: {}", self.line, self.problem),
        }
    }
}

/// `account[0].space` as it stands in a header: `account.space`.
fn without_places(path: &str) -> String {
    let outside = path.split('[').map(|part| part.split_once(']').map_or(part, |(_, rest)| rest));
    outside.collect()
}
