//! JSON with the place of each value, which the parser of the wire formats does not keep.

/// Deepest nesting that is read. A policy needs six: document, statements, statement, conditions,
/// operator, values.
const DEPTH_MAX: usize = 8;

/// A value and where it begins, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) at: usize,
    pub(super) value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Flag(bool),
    /// As it is written.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Member>),
}

/// A name of an object with its value; names may repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) at: usize,
    pub(super) name: String,
    pub(super) value: Node,
}

/// Where a text stops being JSON, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SyntaxFault {
    pub(super) at: usize,
    pub(super) problem: &'static str,
}

/// Reads a text that is one JSON value (RFC 8259).
pub(super) fn read(text: &str) -> Result<Node, SyntaxFault> {
    let mut reader = Reader { text, at: 0 };
    let node = reader.value(0)?;
    reader.skip_space();
    if reader.peek().is_some() {
        return Err(reader.fault("something follows the policy"));
    }
    Ok(node)
}

struct Reader<'a> {
    text: &'a str,
    /// Always on a character's first byte.
    at: usize,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Node, SyntaxFault> {
        self.skip_space();
        if depth == DEPTH_MAX {
            return Err(self.fault("is nested too deeply"));
        }
        let at = self.at;
        let value = match self.peek() {
            Some(b'{') => Value::Map(self.members(depth)?),
            Some(b'[') => Value::List(self.list(depth)?),
            Some(b'"') => Value::Text(self.text()?),
            Some(_) => self.word()?,
            None => return Err(self.fault("a value is missing: the text ends here")),
        };
        Ok(Node { at, value })
    }

    fn members(&mut self, depth: usize) -> Result<Vec<Member>, SyntaxFault> {
        self.items(b'}', "a comma or } should stand here", |reader| {
            let at = reader.at;
            if reader.peek() != Some(b'"') {
                return Err(reader.fault("a name in quotes should stand here"));
            }
            let name = reader.text()?;
            reader.skip_space();
            if !reader.take(b':') {
                return Err(reader.fault("a colon should stand here"));
            }
            Ok(Member { at, name, value: reader.value(depth + 1)? })
        })
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, SyntaxFault> {
        self.items(b']', "a comma or ] should stand here", |reader| reader.value(depth + 1))
    }

    /// What stands between the bracket at the reader's place and `end`, comma by comma.
    fn items<T>(
        &mut self,
        end: u8,
        expected: &'static str,
        mut item: impl FnMut(&mut Self) -> Result<T, SyntaxFault>,
    ) -> Result<Vec<T>, SyntaxFault> {
        let mut items = Vec::new();
        self.at += 1;
        self.skip_space();
        if self.take(end) {
            return Ok(items);
        }
        loop {
            self.skip_space();
            items.push(item(self)?);
            self.skip_space();
            if self.take(end) {
                return Ok(items);
            }
            if !self.take(b',') {
                return Err(self.fault(expected));
            }
        }
    }

    fn text(&mut self) -> Result<String, SyntaxFault> {
        let mut escaped = false;
        let closing = self.text[self.at..].bytes().skip(1).position(|byte| {
            let closes = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            closes
        });
        let Some(length) = closing else {
            return Err(self.fault("the quotes that open here are never closed"));
        };
        let raw = &self.text[self.at..self.at + length + 2];
        let text = serde_json::from_str(raw)
            .map_err(|_| self.fault("has a bad escape, or a control character without one"))?;
        self.at += raw.len();
        Ok(text)
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<Value, SyntaxFault> {
        let rest = &self.text[self.at..];
        let end = |c: char| c.is_ascii_whitespace() || ",:]}[{\"".contains(c);
        let word = &rest[..rest.find(end).unwrap_or(rest.len())];
        let value = match word {
            "true" => Value::Flag(true),
            "false" => Value::Flag(false),
            "null" => Value::Null,
            _ if serde_json::from_str::<serde_json::Number>(word).is_ok() => {
                Value::Number(word.to_owned())
            }
            _ => return Err(self.fault("is no JSON: texts stand in double quotes")),
        };
        self.at += word.len();
        Ok(value)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    const fn fault(&self, problem: &'static str) -> SyntaxFault {
        SyntaxFault { at: self.at, problem }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(node: &Node) -> serde_json::Value {
        match &node.value {
            Value::Null => serde_json::Value::Null,
            Value::Flag(flag) => (*flag).into(),
            Value::Number(text) => serde_json::from_str(text).expect("checked when read"),
            Value::Text(text) => text.as_str().into(),
            Value::List(items) => items.iter().map(plain).collect(),
            Value::Map(members) => {
                members.iter().map(|it| (it.name.clone(), plain(&it.value))).collect()
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Short texts over the characters that mean something, so that many are nearly JSON.
        #[test]
        fn it_reads_what_the_other_parser_reads(
            text in r#"([\[\]{}:, \n"\\a1-]|"[ab\\"/u]{0,3}"|null|true|-?[0-9.e]{1,4}|\{"a":|\[1,){0,12}"#,
        ) {
            match (read(&text), serde_json::from_str::<serde_json::Value>(&text)) {
                (Ok(node), Ok(other)) => prop_assert_eq!(plain(&node), other),
                (Err(fault), Err(_)) => prop_assert!(text.is_char_boundary(fault.at)),
                (Err(fault), Ok(_)) => prop_assert_eq!(fault.problem, "is nested too deeply"),
                (Ok(node), Err(error)) => prop_assert!(false, "{:?} {}", node, error),
            }
        }
    }

    #[test]
    fn a_fault_is_shown_where_it_is() {
        for (text, at, problem) in [
            ("", 0, "a value is missing: the text ends here"),
            ("  {", 3, "a name in quotes should stand here"),
            (r#"{"a" 1}"#, 5, "a colon should stand here"),
            (r#"{"a":1 "b":2}"#, 7, "a comma or } should stand here"),
            (r#"{"a":1,}"#, 7, "a name in quotes should stand here"),
            ("[1 2]", 3, "a comma or ] should stand here"),
            ("[1,]", 3, "is no JSON: texts stand in double quotes"),
            ("['a']", 1, "is no JSON: texts stand in double quotes"),
            (r#"["a"#, 1, "the quotes that open here are never closed"),
            (r#"["\x"]"#, 1, "has a bad escape, or a control character without one"),
            ("[\"a\nb\"]", 1, "has a bad escape, or a control character without one"),
            ("[] []", 3, "something follows the policy"),
            ("[[[[[[[[[1]]]]]]]]]", 8, "is nested too deeply"),
        ] {
            assert_eq!(read(text), Err(SyntaxFault { at, problem }), "{text}");
        }
    }
}
