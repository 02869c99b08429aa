//! `fields=a,b{c,d},e.limit(5){f}`: what of a node a caller wants to see (§2.3).

use serde_json::{Map, Value};

/// Longest text that is read: the widest request of a public client has some 500 characters.
const BYTES_MAX: usize = 8 * 1024;

/// Deepest nesting: no answer here has more than three levels.
const DEPTH_MAX: usize = 8;

/// The fields asked for, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<Field>);

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Name.
    pub name: String,
    /// Modifiers: `.limit(5)` is `("limit", "5")`.
    pub modifiers: Vec<(String, String)>,
    /// What of it; empty means all.
    pub of_it: Fields,
}

/// Why the text is no list of fields. Worded as Graph does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Syntax error \"{what}.\" at character {at}")]
pub struct FieldsFault {
    what: &'static str,
    at: usize,
}

impl Fields {
    /// Reads the parameter. White space and empty places are tolerated.
    pub fn parse(text: &str) -> Result<Self, FieldsFault> {
        if text.len() > BYTES_MAX {
            return Err(FieldsFault { what: "Expected fewer fields", at: BYTES_MAX });
        }
        let mut reader = Reader { text: text.as_bytes(), at: 0 };
        let fields = reader.list(DEPTH_MAX)?;
        match reader.peek() {
            None => Ok(fields),
            Some(_) => Err(reader.fault("Expected end of string")),
        }
    }

    /// Those with these names, all of each.
    #[must_use]
    pub fn named(names: &[&str]) -> Self {
        let whole = |name: &&str| Field {
            name: (*name).to_owned(),
            modifiers: vec![],
            of_it: Self(vec![]),
        };
        Self(names.iter().map(whole).collect())
    }

    /// Whether nothing is asked for in particular.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &Field> {
        self.0.iter()
    }

    /// What is asked for of `value`; all if nothing in particular is.
    #[must_use]
    pub fn of(&self, value: Value) -> Value {
        if self.is_empty() {
            return value;
        }
        match value {
            Value::Object(mut members) => {
                let mut shown = Map::new();
                for field in &self.0 {
                    if let Some(value) = members.remove(&field.name) {
                        shown.insert(field.name.clone(), field.of_it.of(value));
                    }
                }
                Value::Object(shown)
            }
            Value::Array(items) => items.into_iter().map(|item| self.of(item)).collect(),
            plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => plain,
        }
    }
}

impl Field {
    /// The text in the brackets of a modifier.
    #[must_use]
    pub fn modifier(&self, name: &str) -> Option<&str> {
        self.modifiers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
}

impl Reader<'_> {
    fn list(&mut self, depth: usize) -> Result<Fields, FieldsFault> {
        if depth == 0 {
            return Err(self.fault("Expected less nesting"));
        }
        let mut fields = Vec::new();
        loop {
            while self.peek() == Some(b',') {
                self.at += 1;
            }
            if matches!(self.peek(), None | Some(b'}')) {
                return Ok(Fields(fields));
            }
            fields.push(self.field(depth)?);
            if !matches!(self.peek(), None | Some(b',' | b'}')) {
                return Err(self.fault("Expected end of string"));
            }
        }
    }

    fn field(&mut self, depth: usize) -> Result<Field, FieldsFault> {
        let name = self.name()?;
        let mut modifiers = Vec::new();
        while self.peek() == Some(b'.') {
            self.at += 1;
            let name = self.name()?;
            modifiers.push((name, self.brackets()?));
        }
        let mut of_it = Fields::default();
        if self.peek() == Some(b'{') {
            self.at += 1;
            of_it = self.list(depth - 1)?;
            if self.peek() != Some(b'}') {
                return Err(self.fault("Expected ending brace"));
            }
            self.at += 1;
        }
        Ok(Field { name, modifiers, of_it })
    }

    fn name(&mut self) -> Result<String, FieldsFault> {
        self.peek();
        let rest = &self.text[self.at..];
        let length =
            rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        if length == 0 {
            return Err(self.fault("Expected name"));
        }
        self.at += length;
        Ok(rest[..length].iter().map(|byte| char::from(*byte)).collect())
    }

    fn brackets(&mut self) -> Result<String, FieldsFault> {
        if self.peek() != Some(b'(') {
            return Err(self.fault("Expected parenthesis"));
        }
        let inside = &self.text[self.at + 1..];
        let Some(length) = inside.iter().position(|byte| *byte == b')') else {
            return Err(self.fault("Expected ending parenthesis"));
        };
        self.at += length + 2;
        Ok(String::from_utf8_lossy(&inside[..length]).into_owned())
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn fault(&self, what: &'static str) -> FieldsFault {
        FieldsFault { what, at: self.at }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn sub_selections_and_modifiers_are_read() {
        let fields =
            Fields::parse(" id, throughput{level} ,phone_numbers.limit(5){id},").expect("ok");
        let names: Vec<_> = fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["id", "throughput", "phone_numbers"]);
        let last = fields.iter().last().expect("three");
        assert_eq!(last.modifier("limit"), Some("5"));
        let node = json!({ "id": "1", "throughput": { "level": "HIGH", "x": 1 }, "other": true });
        assert_eq!(fields.of(node), json!({ "id": "1", "throughput": { "level": "HIGH" } }));
    }

    #[test]
    fn other_texts_are_named_as_faults() {
        for (text, what) in [
            ("a{b", "Syntax error \"Expected ending brace.\" at character 3"),
            ("a}b", "Syntax error \"Expected end of string.\" at character 1"),
            ("a b", "Syntax error \"Expected end of string.\" at character 2"),
            ("-", "Syntax error \"Expected name.\" at character 0"),
            ("a.limit", "Syntax error \"Expected parenthesis.\" at character 7"),
            ("a.limit(", "Syntax error \"Expected ending parenthesis.\" at character 7"),
            ("ä", "Syntax error \"Expected name.\" at character 0"),
        ] {
            assert_eq!(Fields::parse(text).expect_err(text).to_string(), what, "{text}");
        }
        let deep = format!("{}{}", "a{".repeat(50), "}".repeat(50));
        assert!(Fields::parse(&deep).is_err());
        assert!(Fields::parse(&"a,".repeat(10_000)).is_err());
        assert!(Fields::parse("").expect("nothing").is_empty());
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "[a-b.,(){} \\PC]{0,60}") {
            let _ = Fields::parse(&text);
        }
    }
}
