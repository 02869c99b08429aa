//! The server is killed under load and held to what it said.

use crate::harness::rollcall;

#[test]
fn what_was_answered_2xx_survives_kill_nine() {
    let folder = tempfile::tempdir().unwrap();
    let rounds = ["soak", "--rounds", "20", "--seconds-per-round", "0.4", "--folder"];
    let output = rollcall(&rounds).arg(folder.path()).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{out}{said}");
    let last = out.lines().rev().find(|line| line.trim_start().starts_with("20 ")).unwrap();
    let figures: Vec<u64> = last.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let [_, codes, registered, pins, refused, sends, ..] = figures[..] else { panic!("{out}") };
    assert!(registered > 0 && pins > 0 && refused > 0 && sends >= codes, "no load: {out}");
}
