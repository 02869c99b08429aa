//! Settings as a table: which keys there are, what each may hold, what it holds until it is set.
//!
//! Only what a caller set is stored, so a default that changes with a release reaches everybody who
//! never touched that key. Unknown keys are ignored: callers of old builds send some that are gone.

use serde_json::{Map, Value, json};
use service::directory::Document;

use super::call::{Call, Visit};
use super::reply::Fault;

/// A document of settings, and where a reply shows it.
pub struct Sheet {
    /// Name of the document.
    pub document: &'static str,
    /// Members of `settings` that lead to it: `business`, `profile`.
    pub place: &'static [&'static str],
    /// Its keys.
    pub keys: &'static [Key],
}

/// One key of a [`Sheet`].
#[derive(Debug)]
pub struct Key {
    /// Its name, with the objects around it: `webhooks.message.sent`.
    pub path: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// What it holds until it is set.
    pub default: Initial,
    /// What it is for, in a few words; stands in the details of a 1009.
    pub note: &'static str,
}

/// What a key may hold.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// A whole number from the first to the second, quoted or not (callers do both).
    Number(u64, u64),
    /// One of these numbers, quoted or not.
    OneOf(&'static [u64]),
    /// A text of at most so many characters.
    Text(usize),
    /// A list of some of these words.
    Words(&'static [&'static str]),
    /// One of these words, or nothing.
    Word(&'static [&'static str]),
    /// A list of at most so many texts, each of at most so many characters.
    Texts(usize, usize),
    /// An `https` address, or nothing.
    HttpsUrl,
}

/// What a key holds until it is set.
#[derive(Debug, Clone, Copy)]
pub enum Initial {
    /// Nothing: the key does not show.
    Hidden,
    /// A flag.
    Flag(bool),
    /// A number.
    Number(u64),
    /// A text.
    Text(&'static str),
    /// A list.
    Words(&'static [&'static str]),
}

/// Longest address that is kept. (Not documented; browsers and proxies agree on about so much.)
const URL_CHARS_MAX: usize = 2_048;

impl Sheet {
    /// The settings in force, in the form of a reply.
    pub async fn show(&self, visit: &Visit) -> Result<Value, Fault> {
        let found = visit.app.service.document(&visit.client.id, self.document).await;
        let found = found.map_err(|error| visit.fault(error))?;
        let settings = self.render(&stored(found.as_ref()));
        let around = |inner, name: &&str| json!({ *name: inner });
        Ok(json!({ "settings": self.place.iter().rev().fold(settings, around) }))
    }

    /// Changes the keys that `body` has and leaves the others, also when another change comes between.
    pub async fn change(&self, call: &Call, body: &Map<String, Value>) -> Result<(), Fault> {
        let app = &call.visit.app;
        let changes = self.read(body).map_err(|details| Fault::invalid(app, details))?;
        if changes.is_empty() {
            return Ok(());
        }
        let edit = |old: Option<&Document>| {
            let mut settings = stored(old);
            settings.extend(changes.clone());
            Some(("application/json".to_owned(), Value::Object(settings).to_string().into_bytes()))
        };
        let client = &call.visit.client.id;
        let done = app.service.edit_document(&call.caller(), client, self.document, edit).await;
        done.map_err(|error| call.visit.fault(error))
    }

    /// Returns every key to its default.
    pub async fn reset(&self, call: &Call) -> Result<(), Fault> {
        let (service, client) = (&call.visit.app.service, &call.visit.client.id);
        let done = service.edit_document(&call.caller(), client, self.document, |_| None).await;
        done.map_err(|error| call.visit.fault(error))
    }

    /// The known keys of `body`, by path, in the form they are kept in; else what is wrong with which.
    fn read(&self, body: &Map<String, Value>) -> Result<Map<String, Value>, String> {
        let mut changes = Map::new();
        for key in self.keys {
            let Some(given) = find(body, key.path)? else { continue };
            let kept = key.kind.accept(given).ok_or_else(|| {
                format!("{} must be {} ({})", key.path, key.kind.in_words(), key.note)
            })?;
            changes.insert(key.path.to_owned(), kept);
        }
        Ok(changes)
    }

    /// All keys as nested objects: what was set, else the default.
    fn render(&self, set: &Map<String, Value>) -> Value {
        let mut settings = Map::new();
        for key in self.keys {
            if let Some(value) = set.get(key.path).cloned().or_else(|| key.default.value()) {
                put(&mut settings, key.path, value);
            }
        }
        Value::Object(settings)
    }
}

impl Key {
    /// Whether the default is a value that a caller might set.
    #[cfg(test)]
    pub(super) fn default_fits(&self) -> bool {
        self.default.value().is_none_or(|value| self.kind.accept(&value).as_ref() == Some(&value))
    }
}

impl Kind {
    /// The value as it is kept, if this kind may hold it.
    fn accept(self, given: &Value) -> Option<Value> {
        match self {
            Self::Flag => given.as_bool().map(Value::from),
            Self::Number(least, most) => {
                number(given).filter(|n| (least..=most).contains(n)).map(Value::from)
            }
            Self::OneOf(numbers) => number(given).filter(|n| numbers.contains(n)).map(Value::from),
            Self::Text(chars_max) => short(given, chars_max).map(Value::from),
            Self::Word(words) => {
                let fits = |word: &&str| word.is_empty() || words.contains(word);
                given.as_str().filter(fits).map(Value::from)
            }
            Self::Words(words) => {
                let all = given.as_array()?.iter();
                let mut kept: Vec<&str> = Vec::new();
                for word in all {
                    let word = word.as_str().filter(|word| words.contains(word))?;
                    if !kept.contains(&word) {
                        kept.push(word);
                    }
                }
                Some(json!(kept))
            }
            Self::Texts(items_max, chars_max) => {
                let items = given.as_array().filter(|items| items.len() <= items_max)?;
                items.iter().all(|item| short(item, chars_max).is_some()).then(|| given.clone())
            }
            Self::HttpsUrl => short(given, URL_CHARS_MAX)
                .filter(|url| url.is_empty() || https(url))
                .map(Value::from),
        }
    }

    fn in_words(self) -> String {
        let list = |words: &[&str]| words.join(", ");
        match self {
            Self::Flag => "true or false".to_owned(),
            Self::Number(least, most) => format!("a whole number from {least} to {most}"),
            Self::OneOf(numbers) => {
                let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
                format!("one of {}", numbers.join(", "))
            }
            Self::Text(chars_max) => format!("a text of at most {chars_max} characters"),
            Self::Word(words) => format!("one of {}", list(words)),
            Self::Words(words) => format!("a list of some of {}", list(words)),
            Self::Texts(items_max, chars_max) => {
                format!("a list of at most {items_max} texts of at most {chars_max} characters")
            }
            Self::HttpsUrl => "an https address".to_owned(),
        }
    }
}

impl Initial {
    fn value(self) -> Option<Value> {
        match self {
            Self::Hidden => None,
            Self::Flag(flag) => Some(flag.into()),
            Self::Number(number) => Some(number.into()),
            Self::Text(text) => Some(text.into()),
            Self::Words(words) => Some(json!(words)),
        }
    }
}

/// What was set, by path. A document that does not read counts as empty and is reported.
fn stored(document: Option<&Document>) -> Map<String, Value> {
    let Some(document) = document else { return Map::new() };
    serde_json::from_slice(&document.body).unwrap_or_else(|error| {
        tracing::error!(document = document.name, %error, "stored settings do not read");
        Map::new()
    })
}

/// The value at `path`; `None` if it is left out. `null` leaves out, as in the rest of the dialect.
fn find<'b>(body: &'b Map<String, Value>, path: &str) -> Result<Option<&'b Value>, String> {
    let Some((group, rest)) = path.split_once('.') else {
        return Ok(body.get(path).filter(|value| !value.is_null()));
    };
    match body.get(group) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(inner)) => {
            find(inner, rest).map_err(|details| format!("{group}.{details}"))
        }
        Some(_) => Err(format!("{group} must be an object")),
    }
}

fn put(settings: &mut Map<String, Value>, path: &str, value: Value) {
    let Some((group, rest)) = path.split_once('.') else {
        settings.insert(path.to_owned(), value);
        return;
    };
    let inner = settings.entry(group).or_insert_with(|| json!({}));
    if let Value::Object(inner) = inner {
        put(inner, rest, value);
    }
}

fn number(given: &Value) -> Option<u64> {
    match given {
        Value::Number(number) => number.as_u64(),
        Value::String(text) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}

fn short(given: &Value, chars_max: usize) -> Option<&str> {
    given.as_str().filter(|text| text.chars().count() <= chars_max)
}

/// `https://`, a host, and nothing that an address cannot have.
fn https(url: &str) -> bool {
    url.parse::<http::Uri>().is_ok_and(|uri| {
        uri.scheme_str() == Some("https") && uri.host().is_some_and(|host| !host.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHEET: Sheet = Sheet {
        document: "test",
        place: &[],
        keys: &[
            Key {
                path: "delay",
                kind: Kind::Number(1, 10),
                default: Initial::Number(3),
                note: "wait",
            },
            Key { path: "a.b.flag", kind: Kind::Flag, default: Initial::Flag(true), note: "on" },
            Key { path: "a.url", kind: Kind::HttpsUrl, default: Initial::Text(""), note: "where" },
            Key { path: "old", kind: Kind::Flag, default: Initial::Hidden, note: "gone" },
        ],
    };

    fn read(body: &Value) -> Result<Map<String, Value>, String> {
        SHEET.read(body.as_object().expect("an object"))
    }

    #[test]
    fn what_is_not_set_shows_its_default_and_hidden_keys_show_once_set() {
        let defaults = json!({ "delay": 3, "a": { "b": { "flag": true }, "url": "" } });
        assert_eq!(SHEET.render(&Map::new()), defaults);
        let set = read(&json!({ "old": false, "a": { "b": { "flag": false } } })).expect("fits");
        let shown = json!({ "delay": 3, "a": { "b": { "flag": false }, "url": "" }, "old": false });
        assert_eq!(SHEET.render(&set), shown);
    }

    #[test]
    fn left_out_null_and_unknown_keys_change_nothing() {
        for body in
            [json!({}), json!({ "delay": null, "a": null }), json!({ "a": { "c": 1 }, "b": 2 })]
        {
            assert_eq!(read(&body), Ok(Map::new()));
        }
    }

    #[test]
    fn a_wrong_value_names_its_key_in_full() {
        for (body, named) in [
            (json!({ "delay": 0 }), "delay must be a whole number from 1 to 10 (wait)"),
            (json!({ "delay": "ten" }), "delay must be"),
            (json!({ "delay": 1.5 }), "delay must be"),
            (json!({ "a": { "b": { "flag": "yes" } } }), "a.b.flag must be true or false"),
            (json!({ "a": { "b": 1 } }), "a.b must be an object"),
            (json!({ "a": [] }), "a must be an object"),
            (json!({ "a": { "url": "http://x.example" } }), "a.url must be an https address"),
            (json!({ "a": { "url": "https://" } }), "a.url must be"),
        ] {
            let details = read(&body).expect_err("does not fit");
            assert!(details.starts_with(named), "{details}");
        }
    }

    #[test]
    fn numbers_may_come_quoted_and_are_kept_as_numbers() {
        assert_eq!(read(&json!({ "delay": "7" })).expect("fits")["delay"], json!(7));
        assert!(read(&json!({ "delay": "" })).is_err());
    }
}
