//! JSON as the original writes it: compact, with PHP's default escapes.
//!
//! `/` becomes `\/` and `'` becomes `\u0027` (both captured); `"`, `&`, `<`, `>` become `\u00XX` and
//! non-ASCII `\uXXXX`, as the framework behind the captures does (On-Premises reference §6.2).

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};

/// Serialises compactly with the original's escapes.
#[must_use]
pub fn to_bytes<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(128);
    // Writing into a Vec cannot fail, and the values given here are plain trees of strings and numbers.
    match value.serialize(&mut Serializer::with_formatter(&mut bytes, Escaping)) {
        Ok(()) => bytes,
        Err(error) => {
            tracing::error!(%error, "a reply could not be serialised");
            b"null".to_vec()
        }
    }
}

struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + Write,
    {
        let plain = |c: char| c.is_ascii() && !matches!(c, '/' | '\'' | '&' | '<' | '>');
        let mut rest = fragment;
        while let Some(at) = rest.find(|c| !plain(c)) {
            writer.write_all(&rest.as_bytes()[..at])?;
            let Some(c) = rest[at..].chars().next() else { break };
            match c {
                '/' => writer.write_all(b"\\/")?,
                '\'' | '&' | '<' | '>' => write!(writer, "\\u{:04X}", u32::from(c))?,
                other => {
                    let mut units = [0; 2];
                    for unit in other.encode_utf16(&mut units) {
                        write!(writer, "\\u{unit:04x}")?;
                    }
                }
            }
            rest = &rest[at + c.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }

    fn write_char_escape<W>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()>
    where
        W: ?Sized + Write,
    {
        let text: &[u8] = match escape {
            CharEscape::Quote => b"\\u0022",
            CharEscape::ReverseSolidus => b"\\\\",
            CharEscape::Solidus => b"\\/",
            CharEscape::Backspace => b"\\b",
            CharEscape::FormFeed => b"\\f",
            CharEscape::LineFeed => b"\\n",
            CharEscape::CarriageReturn => b"\\r",
            CharEscape::Tab => b"\\t",
            CharEscape::AsciiControl(byte) => return write!(writer, "\\u{byte:04x}"),
        };
        writer.write_all(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn escapes_are_those_of_the_captures() {
        let text = |value| String::from_utf8(to_bytes(&value)).expect("UTF-8");
        assert_eq!(text(json!("a/b")), r#""a\/b""#);
        assert_eq!(text(json!("User doesn't")), r#""User doesn\u0027t""#);
        assert_eq!(text(json!("<&>\"é😀")), r#""\u003C\u0026\u003E\u0022\u00e9\ud83d\ude00""#);
        assert_eq!(text(json!({"a":[1,true,null]})), r#"{"a":[1,true,null]}"#);
    }

    proptest! {
        #[test]
        fn any_text_reads_back_as_it_was(text in ".*") {
            let bytes = to_bytes(&json!({ "t": text }));
            prop_assert!(bytes.is_ascii());
            let back: serde_json::Value = serde_json::from_slice(&bytes).expect("valid JSON");
            prop_assert_eq!(back["t"].as_str(), Some(text.as_str()));
        }
    }
}
