//! Reads one table of an open section (`[senders.main]`), setting by setting.
//!
//! Sections whose tables the operator names have no defaults in `config.default.toml` to be checked
//! against. Each kind of table has a function instead that takes its settings from a [`Reader`], which
//! notes every mistake with its place and goes on: a broken setting reads as its default, and since a
//! configuration with any mistake is refused as a whole, nobody ever sees it.
//!
//! ```text
//! pub(super) fn read(reader: &mut Reader<'_>) -> Settings {
//!     Settings {
//!         address: reader.required("address"),             // any type that reads itself from text
//!         window: reader.number("window", 10, 1..=1000),
//!         timeout: reader.span("timeout", secs(2), ms(100)..=secs(50)),
//!         password: reader.secret("password"),             // password, password_file or password_env
//!     }
//! }
//! ```
//!
//! Unknown settings are found at the end, with a suggestion: `read` need not know about that.

use core::ops::RangeInclusive;
use core::str::FromStr;
use core::time::Duration;
use std::collections::BTreeMap;

use toml::Value;

use super::duration;
use super::layers::{Environment, Setting};
use super::problem::{Origin, Problem};
use super::secret::Secret;
use super::suggestion::closest;

/// The settings of one named table, to be taken one by one.
pub struct Reader<'a> {
    /// The dotted key of the table: `senders.main`.
    path: &'a str,
    entries: BTreeMap<String, Setting>,
    /// Where each setting stands, also those taken already.
    origins: BTreeMap<String, Origin>,
    /// Where the table was begun, to blame for what is missing.
    origin: Origin,
    known: Vec<String>,
    environment: &'a Environment,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        path: &'a str,
        settings: Vec<Setting>,
        environment: &'a Environment,
        problems: &'a mut Vec<Problem>,
    ) -> Self {
        let origin = settings.first().map_or(Origin::Default, |it| it.origin.clone());
        let below = |it: Setting| (it.key[path.len() + 1..].to_owned(), it);
        let entries: BTreeMap<String, Setting> = settings.into_iter().map(below).collect();
        let place = |(key, it): (&String, &Setting)| (key.clone(), it.origin.clone());
        let origins = entries.iter().map(place).collect();
        Self { path, entries, origins, origin, known: Vec::new(), environment, problems }
    }

    /// The name that the operator gave the table.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.rsplit_once('.').map_or(self.path, |(_, name)| name)
    }

    /// A text; absent or empty is none.
    pub fn text(&mut self, key: &str) -> Option<String> {
        let setting = self.take(key)?;
        let Value::String(text) = setting.value else {
            let message = format!("{} is no text; put it in quotes", setting.value);
            self.blame(&setting.origin, key, message);
            return None;
        };
        Some(text).filter(|text| !text.is_empty())
    }

    /// A value that reads itself from text; none if absent.
    pub fn parsed<T>(&mut self, key: &str) -> Option<T>
    where
        T: FromStr<Err: ToString>,
    {
        let origin = self.origin_of(key);
        let text = self.text(key)?;
        text.parse().map_err(|error: T::Err| self.blame(&origin, key, error.to_string())).ok()
    }

    /// A value that reads itself from text and must be there. `None` once the mistake is noted.
    pub fn required<T>(&mut self, key: &str) -> Option<T>
    where
        T: FromStr<Err: ToString>,
    {
        if self.entries.contains_key(key) {
            return self.parsed(key);
        }
        self.known.push(key.to_owned());
        self.missing(key);
        None
    }

    /// `true` or `false`.
    pub fn flag(&mut self, key: &str, default: bool) -> bool {
        let Some(setting) = self.take(key) else { return default };
        let text = setting.value.as_str().and_then(|text| text.parse().ok());
        setting.value.as_bool().or(text).unwrap_or_else(|| {
            self.blame(
                &setting.origin,
                key,
                format!("{} is neither true nor false", setting.value),
            );
            default
        })
    }

    /// A whole number within a range.
    pub fn number<T>(&mut self, key: &str, default: T, range: RangeInclusive<T>) -> T
    where
        T: TryFrom<i64> + PartialOrd + core::fmt::Display + Copy,
    {
        let Some(setting) = self.take(key) else { return default };
        let text = setting.value.as_str().and_then(|text| text.parse().ok());
        let read = setting.value.as_integer().or(text).and_then(|number| T::try_from(number).ok());
        read.filter(|number| range.contains(number)).unwrap_or_else(|| {
            let (min, max) = (range.start(), range.end());
            let message = format!("{} is not between {min} and {max}", setting.value);
            self.blame(&setting.origin, key, message);
            default
        })
    }

    /// A duration within a range.
    pub fn span(
        &mut self,
        key: &str,
        default: Duration,
        range: RangeInclusive<Duration>,
    ) -> Duration {
        let origin = self.origin_of(key);
        let Some(text) = self.text(key) else { return default };
        let read = duration::parse(&text).and_then(|span| {
            let (min, max) = (duration::display(*range.start()), duration::display(*range.end()));
            let outside = || format!("`{text}` is not between {min} and {max}");
            range.contains(&span).then_some(span).ok_or_else(outside)
        });
        read.unwrap_or_else(|message| {
            self.blame(&origin, key, message);
            default
        })
    }

    /// One of several words.
    pub fn one_of<T: Copy>(&mut self, key: &str, default: T, words: &[(&str, T)]) -> T {
        let origin = self.origin_of(key);
        let Some(text) = self.text(key) else { return default };
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        found.unwrap_or_else(|| {
            let all: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            self.blame(&origin, key, format!("`{text}` is none of {}", all.join(", ")));
            default
        })
    }

    /// A list of texts; a single text counts as a list of one. None if absent.
    pub fn list(&mut self, key: &str) -> Option<Vec<String>> {
        let setting = self.take(key)?;
        let owned = |it: &Value| it.as_str().map(str::to_owned);
        let texts = match setting.value.as_array() {
            Some(list) => list.iter().map(owned).collect::<Option<Vec<_>>>(),
            None => owned(&setting.value).map(|text| vec![text]),
        };
        if texts.is_none() {
            let message = format!("{} is no list of texts", setting.value);
            self.blame(&setting.origin, key, message);
        }
        texts
    }

    /// The texts of a table below this one (`[senders.main.headers]`), in order of their names.
    pub fn texts_below(&mut self, key: &str) -> Vec<(String, String)> {
        let prefix = format!("{key}.");
        let names = self.entries.keys().filter(|name| name.starts_with(&prefix));
        let names: Vec<String> = names.cloned().collect();
        self.known.push(key.to_owned());
        let read = |name: String| Some((name[prefix.len()..].to_owned(), self.text(&name)?));
        names.into_iter().filter_map(read).collect()
    }

    /// A secret from one of three places: `KEY` itself, the file named by `KEY_file` (its last line
    /// break dropped), or the environment variable named by `KEY_env`. None if none of them is set.
    pub fn secret(&mut self, key: &str) -> Option<Secret> {
        let (file_key, variable_key) = (format!("{key}_file"), format!("{key}_env"));
        let given = [key, &file_key, &variable_key].map(|it| self.entries.contains_key(it));
        if given.into_iter().filter(|given| *given).count() > 1 {
            let message = format!("give one of {key}, {file_key} and {variable_key}");
            self.complain(key, message);
        }
        let plain = self.text(key).map(Secret::new);
        let from_file =
            self.text(&file_key).and_then(|path| match std::fs::read_to_string(&path) {
                Ok(text) => Some(Secret::new(text.trim_end_matches(['\n', '\r']))),
                Err(error) => {
                    self.complain(&file_key, format!("cannot read {path}: {error}"));
                    None
                }
            });
        let environment = self.environment;
        let from_variable = self.text(&variable_key).and_then(|name| {
            let value = environment.value(&name).map(Secret::new);
            if value.is_none() {
                self.complain(&variable_key, format!("the variable {name} is not set"));
            }
            value
        });
        plain.or(from_file).or(from_variable)
    }

    /// The raw value of a setting, for one that is neither text, number nor list.
    pub fn value(&mut self, key: &str) -> Option<Value> {
        self.take(key).map(|setting| setting.value)
    }

    /// The names of all settings not taken yet.
    #[must_use]
    pub fn rest(&self) -> Vec<String> {
        self.entries.keys().cloned().collect()
    }

    /// Notes that a setting must be there.
    pub fn missing(&mut self, key: &str) {
        let origin = self.origin.clone();
        self.blame(&origin, key, "is needed here");
    }

    /// Notes a mistake in the table as a whole.
    pub fn complain_of_all(&mut self, message: impl Into<String>) {
        self.problems.push(Problem::new(self.origin.clone(), self.path, message));
    }

    /// Notes a mistake in a setting, for what this reader cannot know.
    pub fn complain(&mut self, key: &str, message: impl Into<String>) {
        let origin = self.origin_of(key);
        self.blame(&origin, key, message);
    }

    /// Notes everything that was not asked for.
    pub(super) fn finish(self) {
        for (name, setting) in self.entries {
            let known = self.known.iter().map(String::as_str);
            let message = match closest(&name, known) {
                Some(name) => format!("unknown setting; did you mean {name}?"),
                None => format!("unknown setting; known here: {}", self.known.join(", ")),
            };
            self.problems.push(Problem::new(setting.origin, &setting.key, message));
        }
    }

    fn take(&mut self, key: &str) -> Option<Setting> {
        if !self.known.iter().any(|known| known == key) {
            self.known.push(key.to_owned());
        }
        self.entries.remove(key)
    }

    fn origin_of(&self, key: &str) -> Origin {
        self.origins.get(key).unwrap_or(&self.origin).clone()
    }

    fn blame(&mut self, origin: &Origin, key: &str, message: impl Into<String>) {
        let key = format!("{}.{key}", self.path);
        self.problems.push(Problem::new(origin.clone(), &key, message));
    }
}
