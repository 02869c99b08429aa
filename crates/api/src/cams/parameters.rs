//! Parameters: a query string and a form body, read the same way and merged (§1.1).

use service::acs3::canonical_query;

pub use service::acs3::encode_into;

/// Most parameters of a request. The widest operation has some 20; the limit keeps a body of a million
/// ampersands from costing anything.
pub const COUNT_MAX: usize = 256;

/// A parameter, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Name.
    pub name: String,
    /// Value; empty where there was none.
    pub value: String,
}

/// All parameters of a request, in the order they came in.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Those of the query string.
    pub query: Vec<Parameter>,
    /// Those of the form body.
    pub form: Vec<Parameter>,
}

/// Why parameters could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParameterFault {
    /// Decoded, a name or value is not UTF-8.
    #[error("a parameter is not UTF-8")]
    NotText,
    /// More than [`COUNT_MAX`].
    #[error("there are too many parameters")]
    TooMany,
}

impl Parameters {
    /// Decodes a query string and a form body.
    pub fn parse(query: &[u8], form: &[u8]) -> Result<Self, ParameterFault> {
        let parameters = Self { query: pairs(query)?, form: pairs(form)? };
        if parameters.query.len() + parameters.form.len() > COUNT_MAX {
            return Err(ParameterFault::TooMany);
        }
        Ok(parameters)
    }

    /// All of them, the query's first.
    pub fn iter(&self) -> impl Iterator<Item = &Parameter> {
        self.query.iter().chain(&self.form)
    }

    /// The value called `name`, which may be empty. The query wins over the form.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.iter().find(|it| it.name == name).map(|it| it.value.as_str())
    }

    /// The value called `name` unless it is empty: clients send what was left out as `Name=` (§1).
    #[must_use]
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.value(name).filter(|value| !value.is_empty())
    }
}

impl core::fmt::Debug for Parameters {
    /// Names only: among the values are codes, tokens and phone numbers.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter().map(|it| &it.name)).finish()
    }
}

fn pairs(text: &[u8]) -> Result<Vec<Parameter>, ParameterFault> {
    let pieces = text.split(|byte| *byte == b'&').filter(|piece| !piece.is_empty());
    let parsed = pieces.take(COUNT_MAX + 1).map(|piece| {
        let equals = piece.iter().position(|byte| *byte == b'=');
        let (name, value) = equals.map_or((piece, &[][..]), |at| (&piece[..at], &piece[at + 1..]));
        Ok(Parameter { name: decode(name)?, value: decode(value)? })
    });
    parsed.collect()
}

/// Form decoding: `+` is a space, `%XX` a byte; a stray `%` stands for itself, as SDK servers take it.
fn decode(text: &[u8]) -> Result<String, ParameterFault> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => match tail.split_at_checked(2).and_then(|(digits, tail)| {
                Some((hex_digit(digits[0])? << 4 | hex_digit(digits[1])?, tail))
            }) {
                Some((byte, tail)) => {
                    bytes.push(byte);
                    rest = tail;
                }
                None => bytes.push(b'%'),
            },
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).map_err(|_| ParameterFault::NotText)
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// `name=value` of `parameters`, encoded strictly, sorted by name, joined with `&`.
///
/// Parameters of one name keep their order, so a request in which two of them changed places is another
/// request.
#[must_use]
pub fn canonical<'p>(parameters: impl Iterator<Item = &'p Parameter>) -> String {
    canonical_query(parameters.map(|it| (it.name.as_str(), it.value.as_str())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(query: &str) -> Parameters {
        Parameters::parse(query.as_bytes(), b"").expect("parameters")
    }

    #[test]
    fn every_way_clients_escape_reads_the_same() {
        let name = "测试 Name & Co+~*";
        for query in [
            "VerifiedName=%E6%B5%8B%E8%AF%95%20Name%20%26%20Co%2B~*",
            "VerifiedName=%E6%B5%8B%E8%AF%95+Name+%26+Co%2B%7E%2A",
            "VerifiedName=%e6%b5%8b%e8%af%95+Name+%26+Co%2b%7e%2a",
        ] {
            let parameters = parse(query);
            assert_eq!(parameters.value("VerifiedName"), Some(name));
            let encoded = "VerifiedName=%E6%B5%8B%E8%AF%95%20Name%20%26%20Co%2B~%2A";
            assert_eq!(canonical(parameters.iter()), encoded);
        }
    }

    #[test]
    fn the_query_wins_and_an_empty_value_counts_as_there() {
        let parameters = Parameters::parse(b"A=1&B=&&C", b"A=2&D=4").expect("parameters");
        let values = ["A", "B", "C", "D", "E"].map(|name| parameters.value(name));
        assert_eq!(values, [Some("1"), Some(""), Some(""), Some("4"), None]);
        assert_eq!(parameters.filled("B"), None);
        assert_eq!(canonical(parameters.iter()), "A=1&A=2&B=&C=&D=4");
    }

    #[test]
    fn odd_escapes_stand_for_themselves_and_other_bytes_are_refused() {
        assert_eq!(parse("a=100%&b=%zz&c=%4&d=a=b").value("a"), Some("100%"));
        assert_eq!(parse("b=%zz").value("b"), Some("%zz"));
        assert_eq!(parse("c=%4").value("c"), Some("%4"));
        assert_eq!(parse("d=a=b").value("d"), Some("a=b"));
        assert_eq!(Parameters::parse(b"a=%ff", b""), Err(ParameterFault::NotText));
        assert_eq!(Parameters::parse(b"", b"a=\xff"), Err(ParameterFault::NotText));
        assert_eq!(Parameters::parse(b"", &b"a&".repeat(1 << 19)), Err(ParameterFault::TooMany));
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(name in "\\PC{1,20}", value in "\\PC{0,20}") {
            let parameter = Parameter { name, value };
            let text = canonical([&parameter].into_iter());
            prop_assert!(text.is_ascii());
            prop_assert_eq!(parse(&text).query, vec![parameter]);
        }
    }
}
