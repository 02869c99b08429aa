//! Every operation of the three dialects, as data: `operations.json`, read once.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::console::texts::Language;

/// The file.
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    serde_json::from_str(include_str!("operations.json")).expect("a test reads the same text")
});

/// A dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Dialect {
    Cams,
    Onprem,
    Graph,
}

impl Dialect {
    /// In the order of the page.
    pub(super) const ALL: [Self; 3] = [Self::Cams, Self::Onprem, Self::Graph];

    /// Its word in addresses.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Cams => "cams",
            Self::Onprem => "onprem",
            Self::Graph => "graph",
        }
    }

    /// Its name for people.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Cams => "CAMS",
            Self::Onprem => "On-Premises",
            Self::Graph => "Graph",
        }
    }

    /// The dialect of that word.
    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

/// Where a value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    Path,
    Query,
    Form,
    /// A member of the JSON object that is the body.
    Json,
    /// The body itself.
    Raw,
    /// The body itself, in base64.
    Bytes,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Text,
    Number,
    Boolean,
    /// A JSON list, as text.
    List,
    /// Any JSON.
    Json,
}

/// A value of an operation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Field {
    pub name: String,
    #[serde(rename = "in")]
    pub place: Place,
    pub kind: Kind,
    #[serde(default)]
    pub required: bool,
    /// What the form begins with.
    #[serde(default)]
    pub value: String,
    /// An example that is not filled in.
    #[serde(default)]
    pub hint: String,
    #[serde(default)]
    pub choices: Vec<String>,
    /// Has more than one line.
    #[serde(default)]
    pub lines: bool,
    /// Is not shown while it is typed.
    #[serde(default)]
    pub secret: bool,
}

/// How a request shows who sends it, where that differs from its dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Auth {
    Basic,
}

/// An operation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Operation {
    pub dialect: Dialect,
    /// Its word in addresses; in CAMS its name on the wire.
    pub id: String,
    pub method: String,
    pub path: String,
    en: String,
    de: String,
    /// Whether it does more than saying that it is not served.
    #[serde(default = "yes")]
    pub served: bool,
    /// SDKs with a method of its own for it (CAMS).
    #[serde(default)]
    pub typed: Vec<String>,
    #[serde(default)]
    pub auth: Option<Auth>,
    /// Type of the body, if it is neither JSON nor a form.
    #[serde(default)]
    pub content: Option<String>,
    #[serde(default)]
    pub fields: Vec<Field>,
}

impl Operation {
    /// What it does, in a line.
    pub(super) fn summary(&self, language: Language) -> &str {
        match language {
            Language::English => &self.en,
            Language::German => &self.de,
        }
    }

    /// What a list calls it.
    pub(super) fn title(&self) -> String {
        match self.dialect {
            Dialect::Cams => self.id.clone(),
            Dialect::Onprem | Dialect::Graph => format!("{} {}", self.method, self.path),
        }
    }
}

const fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
struct Note {
    en: String,
    de: String,
}

#[derive(Debug, Deserialize)]
struct Catalogue {
    notes: HashMap<String, Note>,
    operations: Vec<Operation>,
}

/// The operations of a dialect.
pub(super) fn of(dialect: Dialect) -> impl Iterator<Item = &'static Operation> {
    CATALOGUE.operations.iter().filter(move |it| it.dialect == dialect)
}

/// The operation of that name.
pub(super) fn find(dialect: Dialect, id: &str) -> Option<&'static Operation> {
    of(dialect).find(|it| it.id == id)
}

/// What a field is for, if its name does not say it.
pub(super) fn note(field: &str, language: Language) -> &'static str {
    CATALOGUE.notes.get(field).map_or("", |note| match language {
        Language::English => &note.en,
        Language::German => &note.de,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;
    use toml::Table;

    use super::*;

    #[test]
    fn every_operation_of_cams_is_there_with_its_parameters() {
        let reference = include_str!("../../../tests/fixtures/cams/operations.json");
        let reference: Value = serde_json::from_str(reference).expect("JSON");
        let reference = reference["operations"].as_array().expect("a list");
        assert_eq!(of(Dialect::Cams).count(), reference.len());
        for known in reference {
            let name = known["name"].as_str().expect("a name");
            let ours = find(Dialect::Cams, name).unwrap_or_else(|| panic!("{name} is missing"));
            let known = known["params"].as_array().expect("parameters").iter();
            let known = known.map(|it| (it["name"].as_str().unwrap_or_default(), &it["required"]));
            let known: Vec<_> = known.map(|(name, needed)| (name, *needed == true)).collect();
            let ours: Vec<_> =
                ours.fields.iter().map(|it| (it.name.as_str(), it.required)).collect();
            assert_eq!(ours, known, "{name}");
        }
    }

    /// Verb and path of an address, what names a thing in it left open.
    fn shape(sent: &str) -> String {
        let (verb, path) = sent.split_once(' ').expect("a verb");
        let path = path.split(['?', ' ']).next().unwrap_or_default().trim_end_matches('/');
        let version = |part: &str| part.starts_with('v') && part.contains('.');
        let open = |part: &str| part.starts_with(['<', '{']) || version(part);
        let parts = path.split('/').map(|part| if open(part) { "{}" } else { part });
        format!("{verb} {}", parts.collect::<Vec<_>>().join("/"))
    }

    #[test]
    fn every_call_that_the_dialects_answer_is_there() {
        let files = [
            (Dialect::Onprem, include_str!("../../../tests/fixtures/onprem/1-account.toml")),
            (Dialect::Onprem, include_str!("../../../tests/fixtures/onprem/2-users.toml")),
            (
                Dialect::Onprem,
                include_str!("../../../tests/fixtures/onprem/3-two-step-4-backup.toml"),
            ),
            (Dialect::Onprem, include_str!("../../../tests/fixtures/onprem/5-settings.toml")),
            (Dialect::Onprem, include_str!("../../../tests/fixtures/onprem/5-operations.toml")),
            (Dialect::Graph, include_str!("../../../tests/fixtures/graph/2-endpoints.toml")),
        ];
        let mut compared = 0;
        for (dialect, file) in files {
            let ours: BTreeSet<_> =
                of(dialect).map(|it| shape(&format!("{} {}", it.method, it.path))).collect();
            let file: Table = file.parse().expect("TOML");
            for row in file["row"].as_array().expect("rows") {
                let status = row.get("status").and_then(toml::Value::as_integer);
                let sent = row["send"].as_str().expect("a request");
                // Other addresses of the same calls.
                let elsewhere = ["/clients/", "://", " /metrics", "HEAD", "OPTIONS"];
                if status.is_none_or(|it| it >= 300) || elsewhere.iter().any(|it| sent.contains(it))
                {
                    continue;
                }
                let named = ["admin", "robert", "alice", "first", "a%20b"];
                let part = |part: &str| {
                    if named.contains(&part) { "<>".to_owned() } else { part.to_owned() }
                };
                let sent = sent.split('/').map(part).collect::<Vec<_>>().join("/");
                assert!(ours.contains(&shape(&sent)), "{} is missing", shape(&sent));
                compared += 1;
            }
        }
        assert!(compared > 60, "{compared}");
    }

    #[test]
    fn words_are_unique_and_every_field_has_its_place() {
        let mut seen = BTreeSet::new();
        for operation in Dialect::ALL.into_iter().flat_map(of) {
            assert!(seen.insert((operation.dialect.as_str(), &operation.id)), "{}", operation.id);
            for field in &operation.fields {
                let named = operation.path.contains(&format!("{{{}}}", field.name));
                assert_eq!(named, field.place == Place::Path, "{} {}", operation.id, field.name);
            }
        }
        assert!(find(Dialect::Cams, "request-code").is_none(), "of another dialect");
    }
}
