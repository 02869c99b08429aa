//! JSON as Graph writes it: compact, `/` as `\/`, everything beyond ASCII as `\uXXXX` (§5.1, §7.1).

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{CharEscape, Formatter, Serializer};

/// Serialises compactly with Graph's escapes.
#[must_use]
pub fn to_bytes(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    // Writing into a Vec cannot fail, and a `Value` has string keys.
    match value.serialize(&mut Serializer::with_formatter(&mut bytes, Escaping)) {
        Ok(()) => bytes,
        Err(error) => {
            tracing::error!(%error, "an answer could not be serialised");
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
        let mut rest = fragment;
        while let Some(at) = rest.find(|c: char| c == '/' || !c.is_ascii()) {
            writer.write_all(&rest.as_bytes()[..at])?;
            let Some(c) = rest[at..].chars().next() else { break };
            if c == '/' {
                writer.write_all(b"\\/")?;
            } else {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    write!(writer, "\\u{unit:04x}")?;
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
        match escape {
            CharEscape::Quote => writer.write_all(b"\\\""),
            CharEscape::ReverseSolidus => writer.write_all(b"\\\\"),
            CharEscape::Solidus => writer.write_all(b"\\/"),
            CharEscape::Backspace => writer.write_all(b"\\b"),
            CharEscape::FormFeed => writer.write_all(b"\\f"),
            CharEscape::LineFeed => writer.write_all(b"\\n"),
            CharEscape::CarriageReturn => writer.write_all(b"\\r"),
            CharEscape::Tab => writer.write_all(b"\\t"),
            CharEscape::AsciiControl(byte) => write!(writer, "\\u{byte:04x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(text: &str) -> String {
        String::from_utf8(to_bytes(&Value::from(text))).expect("JSON is UTF-8")
    }

    #[test]
    fn slashes_and_other_scripts_are_escaped_and_nothing_else() {
        assert_eq!(written("https://a/b"), r#""https:\/\/a\/b""#);
        assert_eq!(written("Grüße 😀"), r#""Gr\u00fc\u00dfe \ud83d\ude00""#);
        assert_eq!(written("it's <b> & \"q\"\n"), r#""it's <b> & \"q\"\n""#);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(text in "\\PC{0,40}") {
            prop_assert!(written(&text).is_ascii());
            prop_assert_eq!(serde_json::from_str::<String>(&written(&text)).expect("JSON"), text);
        }
    }
}
