//! What the documents say is what the program does.

use api::cams::codes;
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

/// The rows of the refusals in `docs/dialects/cams.md`: those that the dialect has.
fn cams_refusals() -> Vec<String> {
    let now = Timestamp::default();
    let row = |refusal: registration::Refusal| {
        let words = refusals::row(&refusal, now).cams?;
        let (status, id) = (words.status.as_u16(), refusal.id());
        Some(format!("| `{id}` | {status} | `{}` | {} |", words.code, words.message))
    };
    catalogue().into_iter().filter_map(row).collect()
}

/// The rows of everything else that the dialect refuses.
fn cams_codes() -> Vec<String> {
    let row = |words: refusals::CamsWords| {
        format!("| {} | `{}` | {} |", words.status.as_u16(), words.code, words.message)
    };
    codes::ALL.into_iter().map(row).collect()
}

#[test]
fn the_documented_errors_of_cams_are_those_of_the_program() {
    let document = include_str!("../../../../docs/dialects/cams.md");
    for rows in [cams_refusals(), cams_codes()] {
        let all = rows.join("\n");
        assert!(document.contains(&format!("{all}\n\n")), "docs/dialects/cams.md lacks:\n{all}\n");
    }
}
