//! `[routes.NAME]`: which senders carry a code, by method and number.

use registration::CodeMethod;

use super::reader::Reader;
use super::senders::Sender;

/// The numbers that a route is for, and its senders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The operator's name for it.
    pub name: String,
    /// Only codes by this method; both if absent.
    pub method: Option<CodeMethod>,
    /// Only numbers whose digits start with one of these; all if empty.
    pub prefixes: Vec<String>,
    /// Senders in the order they are tried. Those of one step share the load by weight.
    pub steps: Vec<Vec<Weighted>>,
    /// Whom the message seems to come from.
    pub originator: Option<String>,
}

/// A sender and its part of the load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weighted {
    /// Its name.
    pub sender: String,
    /// Its part of the load, 1 or more.
    pub weight: u32,
}

pub(super) fn read(reader: &mut Reader<'_>, senders: &[Sender]) -> Option<Route> {
    let words = [("sms", Some(CodeMethod::Sms)), ("voice", Some(CodeMethod::Voice))];
    let route = Route {
        name: reader.name().to_owned(),
        method: reader.one_of("method", None, &words),
        prefixes: prefixes(reader, "prefixes"),
        steps: steps(reader, senders),
        originator: reader.text("originator"),
    };
    (!route.steps.is_empty()).then_some(route)
}

/// Beginnings of numbers, `+49` or `+1876`; the plus is dropped.
fn prefixes(reader: &mut Reader<'_>, key: &str) -> Vec<String> {
    prefixes_or_none(reader, key).unwrap_or_default()
}

/// The same, and `*` for all numbers; none if nothing is said.
pub(super) fn prefixes_or_none(reader: &mut Reader<'_>, key: &str) -> Option<Vec<String>> {
    let mut read = Vec::new();
    for text in reader.list(key)? {
        if text == "*" {
            read.push(String::new());
            continue;
        }
        let digits = text.strip_prefix('+').filter(|it| is_prefix(it));
        match digits {
            Some(digits) => read.push(digits.to_owned()),
            None => reader.complain(
                key,
                format!("`{text}` is no beginning of a number such as \"+49\" or \"+1876\""),
            ),
        }
    }
    Some(read)
}

pub(super) fn is_prefix(digits: &str) -> bool {
    (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

/// `["main", "backup"]`: one after the other; `[["main:3", "second:1"], "backup"]`: three quarters of
/// the codes go to `main`, one to `second`, and whichever fails hands over to the other.
fn steps(reader: &mut Reader<'_>, senders: &[Sender]) -> Vec<Vec<Weighted>> {
    let Some(value) = reader.value("senders") else {
        reader.missing("senders");
        return Vec::new();
    };
    let mut steps = Vec::new();
    for step in value.as_array().map(Vec::as_slice).unwrap_or_default() {
        let texts: Vec<&str> = match (step.as_str(), step.as_array()) {
            (Some(text), _) => vec![text],
            (None, Some(list)) => list.iter().filter_map(toml::Value::as_str).collect(),
            (None, None) => Vec::new(),
        };
        let read = texts.into_iter().map(|text| weighted(text, senders));
        match read.collect::<Result<Vec<_>, _>>() {
            Ok(step) if !step.is_empty() => steps.push(step),
            Ok(_) => reader.complain("senders", format!("{step} is no sender and no list of them")),
            Err(message) => reader.complain("senders", message),
        }
    }
    if value.as_array().is_none_or(Vec::is_empty) {
        reader.complain("senders", "write a list, for example [\"main\", \"backup\"]");
    }
    steps
}

fn weighted(text: &str, senders: &[Sender]) -> Result<Weighted, String> {
    let (name, weight) = match text.split_once(':') {
        None => (text, Some(1)),
        Some((name, weight)) => (name, weight.parse().ok().filter(|it| (1..=1000).contains(it))),
    };
    let weight =
        weight.ok_or_else(|| format!("the weight in `{text}` is not between 1 and 1000"))?;
    if senders.iter().any(|sender| sender.name == name) {
        return Ok(Weighted { sender: name.to_owned(), weight });
    }
    let known: Vec<&str> = senders.iter().map(|sender| sender.name.as_str()).collect();
    Err(match super::suggestion::closest(name, known.iter().copied()) {
        Some(near) => format!("there is no sender `{name}`; did you mean {near}?"),
        None => format!("there is no sender `{name}`; write a section [senders.{name}]"),
    })
}
