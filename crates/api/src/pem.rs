//! PEM files, looked at from outside: which blocks, in which order, each the shape of a DER value.
//!
//! Keys and signatures are not checked: whoever uses a file finds out, as with the original.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    /// A private key of any kind.
    PrivateKey,
    /// A certificate.
    Certificate,
    /// Anything else.
    Other,
}

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";

/// The blocks of a file in their order, text between them skipped (RFC 7468 §2); `None` if a block is
/// damaged.
#[must_use]
pub fn blocks(text: &str) -> Option<Vec<Block>> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let Some(label) = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(DASHES))
        else {
            continue;
        };
        let end = format!("-----END {label}{DASHES}");
        let mut body = String::new();
        loop {
            match lines.next()? {
                line if line == end => break,
                line => body.push_str(line),
            }
        }
        if !is_der_sequence(&STANDARD.decode(body).ok()?) {
            return None;
        }
        blocks.push(match label {
            "CERTIFICATE" => Block::Certificate,
            label if label.ends_with("PRIVATE KEY") => Block::PrivateKey,
            _ => Block::Other,
        });
    }
    Some(blocks)
}

/// One SEQUENCE whose length is that of the rest (ITU-T X.690 §8.1).
fn is_der_sequence(der: &[u8]) -> bool {
    const SEQUENCE: u8 = 0x30;
    let [SEQUENCE, first, rest @ ..] = der else { return false };
    let length_bytes = usize::from(first & 0x7f);
    if first & 0x80 == 0 {
        return rest.len() == length_bytes;
    }
    if !(1..=4).contains(&length_bytes) || rest.len() < length_bytes {
        return false;
    }
    let (length, content) = rest.split_at(length_bytes);
    let length = length.iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
    content.len() == length
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block(label: &str, der: &[u8]) -> String {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
    }

    #[test]
    fn blocks_are_told_apart_by_their_labels() {
        let short = [0x30, 1, 7];
        let long = [&[0x30, 0x82, 1, 0][..], &[0; 256]].concat();
        let text = [
            "Bag attributes\n",
            &block("EC PRIVATE KEY", &short),
            &block("CERTIFICATE", &long),
            &block("DH PARAMETERS", &short),
        ]
        .concat();
        let expected = vec![Block::PrivateKey, Block::Certificate, Block::Other];
        assert_eq!(blocks(&text), Some(expected));
        assert_eq!(blocks(""), Some(Vec::new()));
    }

    #[test]
    fn damaged_blocks_are_told() {
        for der in [&[][..], &[0x30], &[0x30, 2, 7], &[0x30, 1, 7, 7], &[4, 1, 7], &[0x30, 0x80]] {
            assert_eq!(blocks(&block("CERTIFICATE", der)), None, "{der:?}");
        }
        let whole = block("CERTIFICATE", &[0x30, 1, 7]);
        assert_eq!(blocks(&whole[..whole.len() - 3]), None, "no end");
        assert_eq!(blocks(&whole.replace('A', "*")), None, "no base64");
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "(-----BEGIN [A-Z ]{0,12}-----|-----END [A-Z ]{0,4}-----|[A-Za-z0-9=\n]{0,9}){0,9}") {
            let _ = blocks(&text);
        }
    }
}
