//! Placeholders: `{{ to }}` and the like, filled in from a message and the sender's settings.
//!
//! A template is a single value (a field, a header, a part of the URL), never a whole document: the
//! document is put together from rendered values by whoever knows its syntax. So no value can break out
//! of its place, whatever is in it, and there is nothing to escape by hand.

use std::collections::BTreeMap;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use serde_json::{Map, Value as Json};

/// Renders templates; unknown placeholders are errors.
pub(super) struct Templates(Environment<'static>);

/// What placeholders stand for.
pub(super) type Values = BTreeMap<String, String>;

impl Templates {
    pub(super) fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.add_filter("xml", |text: String| xml(&text));
        Self(environment)
    }

    /// One value. An error names the placeholder, never a value.
    pub(super) fn render(&self, template: &str, values: &Values) -> Result<String, String> {
        if !template.contains('{') {
            return Ok(template.to_owned());
        }
        let rendered = self.0.render_str(
            template,
            Value::from_pairs(values.iter().map(|(key, value)| (key.as_str(), value.as_str()))),
        );
        rendered.map_err(|error| format!("`{template}` cannot be filled in: {error}"))
    }

    /// A URL: each value is encoded, but for the base it starts with.
    pub(super) fn url(&self, template: &str, values: &Values) -> Result<String, String> {
        let encoded = values.iter().map(|(key, value)| {
            let raw = key == "base";
            (key.clone(), if raw { value.clone() } else { percent(value) })
        });
        self.render(template, &encoded.collect())
    }

    /// Fields that came out empty are left out.
    pub(super) fn fields(
        &self,
        fields: &BTreeMap<String, String>,
        values: &Values,
    ) -> Result<Vec<(String, String)>, String> {
        let rendered = fields
            .iter()
            .map(|(key, template)| self.render(template, values).map(|value| (key.clone(), value)));
        let filled =
            |field: &Result<(String, String), String>| !matches!(field, Ok((_, v)) if v.is_empty());
        rendered.filter(filled).collect()
    }

    /// Each text in `template` is a template; those that came out empty are left out, and what holds
    /// nothing else with them.
    pub(super) fn json(&self, template: &Json, values: &Values) -> Result<Option<Json>, String> {
        Ok(match template {
            Json::String(text) => {
                let text = self.render(text, values)?;
                (!text.is_empty()).then_some(Json::String(text))
            }
            Json::Array(items) => {
                let mut kept = Vec::new();
                for item in items {
                    kept.extend(self.json(item, values)?);
                }
                (!kept.is_empty()).then_some(Json::Array(kept))
            }
            Json::Object(members) => {
                let mut kept = Map::new();
                for (key, member) in members {
                    if let Some(member) = self.json(member, values)? {
                        kept.insert(key.clone(), member);
                    }
                }
                (!kept.is_empty()).then_some(Json::Object(kept))
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => Some(template.clone()),
        })
    }
}

/// `text` with everything but unreserved characters encoded (RFC 3986 §2.3).
pub(super) fn percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&hex::encode_upper([byte]));
        }
    }
    encoded
}

/// `key=value&…`, both encoded.
pub(super) fn form(fields: &[(String, String)]) -> String {
    let pairs = fields.iter().map(|(key, value)| format!("{}={}", percent(key), percent(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// `text` for use within XML.
pub(super) fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn values() -> Values {
        let pairs = [("base", "http://a/b"), ("text", "a&b=\"c\"</Say> é"), ("from", "")];
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
    }

    #[test]
    fn a_value_stays_in_its_place() {
        let (templates, values) = (Templates::new(), values());
        let url = templates.url("{{ base }}/x?y={{ text }}", &values).expect("rendered");
        assert_eq!(url, "http://a/b/x?y=a%26b%3D%22c%22%3C%2FSay%3E%20%C3%A9");
        let fields = [("b", "{{ text }}"), ("from", "{{ from }}")];
        let fields = fields.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let fields = templates.fields(&fields, &values).expect("rendered");
        assert_eq!(form(&fields), "b=a%26b%3D%22c%22%3C%2FSay%3E%20%C3%A9");
        let body =
            json!({"t": "{{ text }}", "n": [1, {"from": "{{ from }}"}], "o": {"f": "{{ from }}"}});
        let body = templates.json(&body, &values).expect("rendered").expect("not empty");
        assert_eq!(body, json!({"t": "a&b=\"c\"</Say> é", "n": [1]}));
        let say = templates.render("<Say>{{ text|xml }}</Say>", &values).expect("rendered");
        assert_eq!(say, "<Say>a&amp;b=&quot;c&quot;&lt;/Say&gt; é</Say>");
    }

    #[test]
    fn an_unknown_placeholder_is_an_error_that_names_it() {
        let error = Templates::new().render("{{ txet }}", &values()).expect_err("unknown");
        assert!(error.contains("txet") && !error.contains("</Say>"), "{error}");
        assert!(Templates::new().render("{{ text", &values()).is_err());
    }
}
