//! A bound on how many values a body of JSON holds: it takes as long to read as there are, and a megabyte of tiny ones
//! would hold up every other caller, sent by anybody who can connect.

/// Most values: no request has a hundred.
const VALUES_MAX: usize = 10_000;

/// Whether a text of JSON may hold more values than any request has. Commas and brackets inside texts count, too.
#[must_use]
pub(crate) fn has_too_many_values(text: &[u8]) -> bool {
    text.iter().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count() > VALUES_MAX
}
