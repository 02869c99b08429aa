//! I7: no code, PIN or password where anybody could read it.

use std::collections::BTreeSet;

use registration::PhoneNumber;
use service::ports::SendReport;

use super::{Verdict, ensure};
use crate::journal::Commit;
use crate::workload::{Answer, PASSWORD, PINS};

/// Everything that must not be found.
#[derive(Debug)]
pub(super) struct Secrets {
    digits: BTreeSet<String>,
    codes: Vec<(PhoneNumber, String)>,
}

impl Secrets {
    pub(super) fn new() -> Self {
        let digits = PINS.iter().map(|pin| (*pin).to_owned()).collect();
        Self { digits, codes: Vec::new() }
    }

    pub(super) fn codes(&self) -> &[(PhoneNumber, String)] {
        &self.codes
    }

    pub(super) fn learn_code(&mut self, number: PhoneNumber, code: String) {
        self.digits.insert(code.clone());
        self.codes.push((number, code));
    }

    /// Looks for six digits that stand alone, in one piece or in two groups as people write codes.
    pub(super) fn scan(&self, place: &str, text: &str) -> Verdict {
        ensure(!text.contains(PASSWORD), "I7", || format!("{place} shows a password"))?;
        let mut group: Option<(usize, &str)> = None;
        for word in text.split(|c: char| !c.is_ascii_alphanumeric()) {
            let at = word.as_ptr().addr() - text.as_ptr().addr();
            let joined = match group {
                Some((end, first)) if end + 1 == at && word.len() == 3 => format!("{first}{word}"),
                _ => String::new(),
            };
            let found = self.digits.contains(word) || self.digits.contains(&joined);
            ensure(!found, "I7", || format!("{place} shows a code or a PIN"))?;
            group = (word.len() == 3).then_some((at + word.len(), word));
        }
        Ok(())
    }

    pub(super) fn scan_commit(&self, commit: &Commit) -> Verdict {
        for event in &commit.events {
            let text = format!("{} {} {}", event.actor, event.kind, event.details);
            self.scan("the audit trail", &text)?;
        }
        for change in &commit.changes {
            if let Some(two_step) = &change.after.two_step {
                self.scan("the verifier of a PIN", two_step.verifier.as_str())?;
            }
            self.scan("a record", &format!("{:?}", change.after))?;
        }
        Ok(())
    }

    pub(super) fn scan_reports(&self, reports: &[SendReport]) -> Verdict {
        self.scan("the ledger", &format!("{reports:?}"))
    }

    pub(super) fn scan_answer(&self, answer: &Answer) -> Verdict {
        if let Answer::Backup(blob) = answer {
            self.scan("a backup", &String::from_utf8_lossy(blob))
        } else {
            self.scan("an answer", &format!("{answer:?}"))
        }
    }
}
