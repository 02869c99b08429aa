//! What the document says is what the program does.

use api::refusals;
use registration::Timestamp;
use service::explain::catalogue;

/// The rows of the error table in `docs/dialects/graph.md`.
fn error_table() -> Vec<String> {
    let row = |refusal: registration::Refusal| {
        let Some(words) = refusals::row(&refusal, Timestamp::default()).graph else {
            return format!("| `{}` | - | - | - | not a case of this dialect | - |", refusal.id());
        };
        let (status, code) = (words.status.as_u16(), words.code);
        let subcode = words.subcode.map_or_else(|| "-".to_owned(), |it| it.to_string());
        let title = words.user_title.unwrap_or("-");
        format!(
            "| `{}` | {status} | {code} | {subcode} | `{}` | {title} |",
            refusal.id(),
            words.message
        )
    };
    catalogue().into_iter().map(row).collect()
}

#[test]
fn the_documented_error_table_is_that_of_the_program() {
    let document = include_str!("../../../../docs/dialects/graph.md");
    let missing: Vec<_> = error_table().into_iter().filter(|row| !document.contains(row)).collect();
    assert!(missing.is_empty(), "docs/dialects/graph.md lacks:\n{}", missing.join("\n"));
}
