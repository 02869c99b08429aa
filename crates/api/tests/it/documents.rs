//! What the documents say is what the program does.

use api::refusals;
use registration::Timestamp;
use service::explain::catalogue;

/// The rows of the error table in `docs/dialects/onprem.md`.
fn error_table() -> Vec<String> {
    let now = Timestamp::default();
    let row = |refusal: registration::Refusal| {
        let words = refusals::row(&refusal, now).onprem;
        let (status, code) = (words.status.as_u16(), words.code);
        format!("| `{}` | {status} | {code} | `{}` |", refusal.id(), words.details)
    };
    catalogue().into_iter().map(row).collect()
}

#[test]
fn the_documented_error_table_is_that_of_the_program() {
    let document = include_str!("../../../../docs/dialects/onprem.md");
    let missing: Vec<_> = error_table().into_iter().filter(|row| !document.contains(row)).collect();
    assert!(missing.is_empty(), "docs/dialects/onprem.md lacks:\n{}", missing.join("\n"));
}
