//! Codes that somebody hands over, by number: lines of a file or of standard input, or requests.

use core::time::Duration;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use registration::{PhoneNumber, VerificationCode};
use serde_json::Value;
use tokio::io::AsyncReadExt as _;
use tokio::sync::{Notify, mpsc};

use super::super::super::terminal::Secret;

/// How often a file is looked at for new lines.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Codes by number; clones share them. The newest code of a number counts: an older one is dead.
#[derive(Debug, Clone, Default)]
pub(in crate::cli::import) struct Given {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    codes: HashMap<PhoneNumber, Secret>,
    /// Nothing more will come.
    ended: bool,
}

impl Given {
    /// Takes a code in.
    pub(super) fn put(&self, number: PhoneNumber, code: Secret) {
        self.lock().codes.insert(number, code);
        self.shared.changed.notify_waiters();
    }

    /// Nothing more will come: whoever waits goes away empty-handed.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.shared.changed.notify_waiters();
    }

    /// Takes the code of a number out once it is there; `None` if none can come any more.
    pub(in crate::cli::import) async fn next(&self, number: PhoneNumber) -> Option<Secret> {
        loop {
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            // From here on no change is missed.
            changed.as_mut().enable();
            {
                let mut state = self.lock();
                if let Some(code) = state.codes.remove(&number) {
                    return Some(code);
                }
                if state.ended {
                    return None;
                }
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes in lines until there are no more.
pub(super) async fn take_lines(given: Given, mut lines: mpsc::UnboundedReceiver<String>) {
    while let Some(line) = lines.recv().await {
        take_line(&given, &line);
    }
    given.end();
}

/// Takes in the lines of a file, those that are there and those that come.
pub(super) async fn follow(given: Given, path: &Path) -> anyhow::Result<()> {
    let opened = tokio::fs::File::open(path).await;
    let mut file = opened.with_context(|| {
        format!(
            "cannot read codes from {}; make the file first, lines are added to it",
            path.display()
        )
    })?;
    tokio::spawn(async move {
        let mut text = Vec::new();
        // A file that cannot be read any more brings nothing; rows then end for want of a code.
        while file.read_to_end(&mut text).await.is_ok() {
            if let Some(end) = text.iter().rposition(|byte| *byte == b'\n') {
                let rest = text.split_off(end + 1);
                let lines = core::mem::replace(&mut text, rest);
                String::from_utf8_lossy(&lines).lines().for_each(|line| take_line(&given, line));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        given.end();
    });
    Ok(())
}

fn take_line(given: &Given, line: &str) {
    match read_line(line) {
        Some((number, code)) => given.put(number, code),
        None if line.trim().is_empty() || line.starts_with("number") => {}
        // Not the line itself: it may hold a code.
        None => eprintln!("warning: a line of codes is not understood; write +447700900123,123456"),
    }
}

/// `+447700900123,123456`, also with `;`, `=`, tab or space between, or an object with both.
fn read_line(line: &str) -> Option<(PhoneNumber, Secret)> {
    let line = line.trim();
    if line.starts_with('{') {
        return read_object(&serde_json::from_str(line).ok()?);
    }
    let (number, code) = line.split_once([',', ';', '=', '\t']).or_else(|| line.split_once(' '))?;
    pair(number, code)
}

/// Number and code of an object, by the names that gateways use: the number that received, and the code or
/// a text with it.
pub(super) fn read_object(object: &Value) -> Option<(PhoneNumber, Secret)> {
    let field = |names: &[&str]| {
        names.iter().find_map(|name| match &object[*name] {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        })
    };
    let number = field(&["number", "to", "To", "msisdn"])?;
    let code = field(&["code", "text", "Body", "body", "message"])?;
    pair(&number, &code)
}

fn pair(number: &str, text: &str) -> Option<(PhoneNumber, Secret)> {
    let digits: String = number.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    Some((PhoneNumber::parse(&digits).ok()?, find_code(text)?))
}

/// The code in a text: the first six digits that stand alone, in one piece or as `123-456`.
fn find_code(text: &str) -> Option<Secret> {
    let text = text.trim().trim_matches('"');
    if VerificationCode::parse(text).is_ok() {
        return Some(Secret::from(text));
    }
    let mut words = text.split(|c: char| !(c.is_ascii_digit() || c == '-'));
    let code = words.find(|word| {
        let word = word.trim_matches('-');
        VerificationCode::parse(word).is_ok()
    })?;
    Some(Secret::from(code.trim_matches('-')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number() -> PhoneNumber {
        PhoneNumber::parse("+447700900123").unwrap()
    }

    #[test]
    fn codes_are_read_however_they_are_handed_over() {
        for line in [
            "+447700900123,123456",
            "+44 7700 900123;123-456",
            "447700900123=123456",
            "+447700900123 123 456",
            "+447700900123\tYour code is 123-456. Share it with nobody.",
            r#"{"number":"+447700900123","code":"123456"}"#,
            r#"{"To":"+447700900123","Body":"<#> 123-456 is your code, valid for 10 min"}"#,
        ] {
            let (read, code) = read_line(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(read, number(), "{line}");
            let digits: String = code.reveal().chars().filter(char::is_ascii_digit).collect();
            assert_eq!(digits, "123456", "{line}");
        }
        for line in ["", "number,code", "+447700900123", "+447700900123,12345", "x,123456", "{"] {
            assert!(read_line(line).is_none(), "{line}");
        }
    }

    #[tokio::test]
    async fn a_code_waits_for_its_row_and_a_row_for_its_code() {
        let given = Given::default();
        given.put(number(), Secret::from("111111"));
        given.put(number(), Secret::from("222222"));
        let newest = given.next(number()).await.unwrap();
        assert_eq!(newest.reveal(), "222222");
        let waiting = tokio::spawn({
            let given = given.clone();
            async move { given.next(number()).await }
        });
        tokio::task::yield_now().await;
        given.put(number(), Secret::from("333333"));
        assert_eq!(waiting.await.unwrap().unwrap().reveal(), "333333");
        given.end();
        assert!(given.next(number()).await.is_none(), "nothing more comes");
    }

    #[tokio::test]
    async fn lines_that_are_added_to_a_file_are_taken_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("codes");
        std::fs::write(&path, "number,code\n+447700900123,111111\n+447700900124,12").unwrap();
        let given = Given::default();
        follow(given.clone(), &path).await.unwrap();
        assert_eq!(given.next(number()).await.unwrap().reveal(), "111111");
        let mut text = std::fs::read(&path).unwrap();
        text.extend_from_slice(b"3456\n");
        std::fs::write(&path, text).unwrap();
        let other = PhoneNumber::parse("+447700900124").unwrap();
        assert_eq!(given.next(other).await.unwrap().reveal(), "123456");
    }
}
