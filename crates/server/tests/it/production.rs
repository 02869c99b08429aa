//! What production must not do by accident.

use crate::harness::Rollcall;

#[test]
fn production_without_a_sender_does_not_start_and_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let ended = Rollcall::serve_to_end(&data, &["--mode", "production"]);
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!((ended.status.code(), ended.stdout.len()), (Some(1), 0), "{said}");
    assert!(said.contains("production needs a sender"), "{said}");
    assert!(said.contains("mode = \"sandbox\""), "{said}");
    assert!(!data.join("rollcall.db").exists(), "nothing was begun");
}
