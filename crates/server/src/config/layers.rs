//! The layers above the defaults, each reduced to single settings with their origin.

use core::fmt;
use core::ops::Range;
use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use toml::de::{DeTable, DeValue, ValueDeserializer};
use toml::{Spanned, Table, Value};

use super::defaults::{self, Known, dotted};
use super::open;
use super::problem::{Origin, Problem};
use super::suggestion::closest;

const PREFIX: &str = "ROLLCALL__";

/// The environment as the program found it at its start.
#[derive(Clone, Default)]
pub struct Environment(pub BTreeMap<String, String>);

impl Environment {
    /// The value of a variable that is set and not empty.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for Environment {
    /// Names only: values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A setting given on the command line.
#[derive(Debug, Clone, PartialEq)]
pub struct Flag {
    /// The flag with its dashes.
    pub name: &'static str,
    /// The setting that it changes.
    pub key: &'static str,
    /// The value given.
    pub value: String,
}

/// One value of one setting, and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The dotted key, `listen.http`.
    pub key: String,
    /// The value as written.
    pub value: Value,
    /// Where it was written.
    pub origin: Origin,
}

/// Collects settings and problems of all layers, lowest first.
pub(super) struct Layers<'a> {
    defaults: &'a Table,
    pub(super) settings: Vec<Setting>,
    /// Settings below sections whose tables the operator names, in the order they were written.
    pub(super) open: Vec<Setting>,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Layers<'a> {
    pub(super) const fn new(defaults: &'a Table) -> Self {
        Self { defaults, settings: Vec::new(), open: Vec::new(), problems: Vec::new() }
    }

    /// Adds the settings of a configuration file.
    pub(super) fn add_file(&mut self, path: &Path, text: &str) {
        let file = SourceFile { path, text };
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let origin = file.origin(&error.span().unwrap_or(0..0));
            self.problems.push(Problem::new(origin, "", error.message()));
        }
        self.add_table(&file, "", table.get_ref());
    }

    /// Adds the settings of the environment.
    pub(super) fn add_environment(&mut self, environment: &Environment) {
        for (variable, text) in &environment.0 {
            let Some(name) = variable.strip_prefix(PREFIX) else {
                self.report_slip(variable);
                continue;
            };
            let key = name.to_ascii_lowercase().replace("__", ".");
            let origin = Origin::Environment { variable: variable.clone() };
            self.add_text(key, text, origin);
        }
    }

    /// Adds the settings of the command line.
    pub(super) fn add_flags(&mut self, flags: &[Flag]) {
        for flag in flags {
            let origin = Origin::Flag { name: flag.name };
            self.add_text(flag.key.to_owned(), &flag.value, origin);
        }
    }

    fn add_table(&mut self, file: &SourceFile<'_>, prefix: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let key = dotted(prefix, name.get_ref());
            let origin = file.origin(&name.span());
            if prefix.is_empty() && open::is_open(name.get_ref()) {
                self.add_open(file, &key, value, origin);
                continue;
            }
            match (defaults::known(self.defaults, &key), value.get_ref()) {
                (Known::Section, DeValue::Table(inner)) => self.add_table(file, &key, inner),
                (Known::Section, _) => self.report_section(&key, origin),
                (Known::Setting(_), DeValue::Table(_)) => {
                    let message = "is one setting; write it with = and a value";
                    self.problems.push(Problem::new(origin, &key, message));
                }
                (Known::Setting(_), _) => match plain(value) {
                    Ok(value) => self.settings.push(Setting { key, value, origin }),
                    Err(message) => self.problems.push(Problem::new(origin, &key, message)),
                },
                (Known::No, _) => self.report_unknown(&key, origin),
            }
        }
    }

    /// Everything below an open section, flattened: what it means is told by who reads the table.
    fn add_open(
        &mut self,
        file: &SourceFile<'_>,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        origin: Origin,
    ) {
        if let DeValue::Table(table) = value.get_ref() {
            for (name, value) in table {
                let origin = file.origin(&name.span());
                self.add_open(file, &dotted(key, name.get_ref()), value, origin);
            }
            return;
        }
        match plain(value) {
            Ok(value) => self.set_open(Setting { key: key.to_owned(), value, origin }),
            Err(message) => self.problems.push(Problem::new(origin, key, message)),
        }
    }

    /// Adds a setting of an open section, in the place of one from a lower layer.
    fn set_open(&mut self, setting: Setting) {
        match self.open.iter_mut().find(|held| held.key == setting.key) {
            Some(held) => *held = setting,
            None => self.open.push(setting),
        }
    }

    /// A text is taken as the kind of value that the default is; a wrong kind is found by the check.
    fn add_text(&mut self, key: String, text: &str, origin: Origin) {
        if key.split_once('.').is_some_and(|(section, _)| open::is_open(section)) {
            let value = Value::String(text.to_owned());
            return self.set_open(Setting { key, value, origin });
        }
        let value = match defaults::known(self.defaults, &key) {
            Known::Section => return self.report_section(&key, origin),
            Known::No => return self.report_unknown(&key, origin),
            Known::Setting(Value::String(_)) => Value::String(text.to_owned()),
            Known::Setting(_) => text.parse().unwrap_or_else(|_| Value::String(text.to_owned())),
        };
        self.settings.push(Setting { key, value, origin });
    }

    /// `ROLLCALL_MODE`: one underscore too few would silently leave the setting as it was.
    fn report_slip(&mut self, variable: &str) {
        let Some(slip) = variable.strip_prefix("ROLLCALL_") else { return };
        let settings = defaults::settings(self.defaults);
        let meant = settings
            .iter()
            .map(|(key, _)| format!("{PREFIX}{}", key.to_uppercase().replace('.', "__")))
            .find(|name| name[PREFIX.len()..].replace("__", "_") == slip.replace("__", "_"));
        if let Some(meant) = meant {
            let origin = Origin::Environment { variable: variable.to_owned() };
            self.problems.push(Problem::new(origin, "", format!("did you mean {meant}?")));
        }
    }

    fn report_section(&mut self, key: &str, origin: Origin) {
        let message = format!("is a section; write [{key}] and its settings below it");
        self.problems.push(Problem::new(origin, key, message));
    }

    fn report_unknown(&mut self, key: &str, origin: Origin) {
        let settings = defaults::settings(self.defaults);
        let sections = self.defaults.iter().filter(|(_, value)| value.is_table());
        let names = settings
            .iter()
            .map(|(name, _)| name.as_str())
            .chain(sections.map(|(name, _)| name.as_str()))
            .chain(open::SECTIONS);
        let message = match closest(key, names) {
            Some(name) => format!("unknown setting; did you mean {name}?"),
            None => "unknown setting; `rollcall config default` lists all".to_owned(),
        };
        self.problems.push(Problem::new(origin, key, message));
    }
}

struct SourceFile<'a> {
    path: &'a Path,
    text: &'a str,
}

impl SourceFile<'_> {
    fn origin(&self, span: &Range<usize>) -> Origin {
        let before = self.text.as_bytes().iter().take(span.start);
        let line = before.filter(|byte| **byte == b'\n').count() + 1;
        Origin::File { path: self.path.to_owned(), line }
    }
}

fn plain(value: &Spanned<DeValue<'_>>) -> Result<Value, String> {
    Value::deserialize(ValueDeserializer::from(value.clone()))
        .map_err(|error| error.message().to_owned())
}
