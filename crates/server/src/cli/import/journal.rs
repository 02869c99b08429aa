//! What an import has done so far, so that it goes on where it was stopped: a file of lines that only
//! grows and is flushed to disk before anything depends on it. It holds neither codes nor PINs.
//!
//! A line is written before a code is ordered and after a row has ended. What lies between is asked of the
//! server itself, so a journal that is lost costs time and nothing else.

use core::fmt;
use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

/// The first line of every journal.
const KIND: &str = "rollcall import 1";

/// What one line says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// When, RFC 3339.
    pub(super) at: String,
    /// Which number.
    pub(super) number: String,
    /// For whom: see [`super::check::Row::party`].
    pub(super) party: String,
    #[serde(flatten)]
    pub(super) what: What,
}

/// What happened to a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub(super) enum What {
    /// A code is about to be ordered.
    Ordering,
    /// A code is on its way.
    Ordered,
    /// The row has ended.
    Ended(Ending),
}

/// How a row ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ending {
    pub(super) outcome: Outcome,
    /// The claim concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) claim: Option<String>,
    /// Since when it is registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<String>,
    /// The rule that said no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<String>,
    /// When it may be tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) opens_at: Option<String>,
    /// Why it did not succeed, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
}

/// What came of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Registered,
    /// It was registered for the same party before.
    AlreadyRegistered,
    /// A rule says no.
    Refused,
    /// A rule says: later than this run waits.
    Postponed,
    /// Something went wrong.
    Failed,
    /// The run was stopped while it was under way.
    Interrupted,
    /// The run was stopped before its turn.
    NotReached,
}

impl Outcome {
    /// The word of the result file.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::AlreadyRegistered => "already_registered",
            Self::Refused => "refused",
            Self::Postponed => "postponed",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::NotReached => "not_reached",
        }
    }

    /// Whether the row needs nothing more.
    pub(super) const fn is_done(self) -> bool {
        matches!(self, Self::Registered | Self::AlreadyRegistered)
    }
}

/// What a journal says about a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct History {
    /// Codes that are known to have been ordered.
    pub(super) codes: u32,
    /// How it ended last.
    pub(super) ending: Option<Ending>,
}

/// Rows by number and party.
pub(super) type Histories = HashMap<(String, String), History>;

#[derive(Serialize, Deserialize)]
struct Head {
    journal: String,
    server: String,
}

/// A journal that is open for writing. Lines that come together are flushed together.
pub(super) struct Journal {
    lines: Option<mpsc::Sender<Line>>,
    writer: Option<JoinHandle<()>>,
    path: PathBuf,
}

struct Line {
    text: String,
    on_disk: oneshot::Sender<io::Result<()>>,
}

impl Journal {
    /// Opens the journal at `path`, or begins one, and reads what it says. Only one run may have it.
    pub(super) fn open(path: &Path, server: &str) -> anyhow::Result<(Self, Histories)> {
        let cannot = || format!("cannot open the journal {}", path.display());
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .with_context(cannot)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("another import is running with the journal {}", path.display())
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(cannot),
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).with_context(cannot)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let head = Head { journal: KIND.to_owned(), server: server.to_owned() };
        let head = serde_json::to_string(&head)?;
        if whole == 0 && !head.as_bytes().starts_with(&text) {
            bail!(foreign(path));
        }
        let histories = read(&text[..whole], server, path)?;
        // A line that was cut off by a crash was never relied on.
        if whole < text.len() {
            text.truncate(whole);
            file.set_len(whole as u64).with_context(cannot)?;
        }
        if text.is_empty() {
            writeln!(file, "{head}").with_context(cannot)?;
            file.sync_all().with_context(cannot)?;
        }
        let (lines, queue) = mpsc::channel();
        let writer = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || write(&mut file, &queue))?;
        Ok((Self { lines: Some(lines), writer: Some(writer), path: path.to_owned() }, histories))
    }

    /// Writes a line; it is on disk when this returns.
    pub(super) async fn note(&self, entry: &Entry) -> anyhow::Result<()> {
        let (on_disk, written) = oneshot::channel();
        let line = Line { text: serde_json::to_string(entry)?, on_disk };
        let sent = self.lines.as_ref().is_some_and(|lines| lines.send(line).is_ok());
        let cannot = || format!("cannot write to the journal {}", self.path.display());
        if !sent {
            bail!(cannot());
        }
        written.await.with_context(cannot)?.with_context(cannot)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // The writer ends once nobody can send any more.
        drop(self.lines.take());
        if let Some(writer) = self.writer.take() {
            _ = writer.join();
        }
    }
}

/// Writes and flushes all lines that have come, then waits for more.
fn write(file: &mut File, queue: &mpsc::Receiver<Line>) {
    while let Ok(first) = queue.recv() {
        let mut lines = vec![first];
        lines.extend(queue.try_iter());
        let mut text = String::new();
        for line in &lines {
            text.push_str(&line.text);
            text.push('\n');
        }
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_data());
        let failed = written.err().map(|error| (error.kind(), error.to_string()));
        for line in lines {
            let result = match &failed {
                None => Ok(()),
                Some((kind, message)) => Err(io::Error::new(*kind, message.clone())),
            };
            // Gone if the row was given up meanwhile.
            _ = line.on_disk.send(result);
        }
    }
}

/// Reads the whole lines of a journal.
fn read(text: &[u8], server: &str, path: &Path) -> anyhow::Result<Histories> {
    let mut histories = Histories::new();
    let mut lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let Some(head) = lines.next() else { return Ok(histories) };
    let head = serde_json::from_slice(head).ok().filter(|head: &Head| head.journal == KIND);
    let shown = path.display();
    let head = head.with_context(|| foreign(path))?;
    if head.server != server {
        bail!(
            "the journal {shown} belongs to an import at {}, not at {server}; name another file with \
             --journal, or the server with --server",
            head.server
        );
    }
    for (place, line) in lines.enumerate() {
        let entry: Entry = serde_json::from_slice(line)
            .with_context(|| format!("line {} of the journal {shown} is damaged", place + 2))?;
        let history = histories.entry((entry.number, entry.party)).or_default();
        match entry.what {
            What::Ordering => {}
            What::Ordered => history.codes += 1,
            What::Ended(ending) => history.ending = Some(ending),
        }
    }
    Ok(histories)
}

fn foreign(path: &Path) -> String {
    format!("{} is no journal of an import; name another file with --journal", path.display())
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = "http://127.0.0.1:8080/";

    fn entry(what: What) -> Entry {
        Entry {
            at: "2027-01-15T08:00:00Z".to_owned(),
            number: "+447700900123".to_owned(),
            party: "waba 1".to_owned(),
            what,
        }
    }

    fn ended(outcome: Outcome) -> What {
        What::Ended(Ending {
            outcome,
            claim: None,
            since: None,
            refusal: None,
            opens_at: None,
            message: None,
        })
    }

    #[tokio::test]
    async fn what_was_noted_is_read_by_the_next_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let (journal, histories) = Journal::open(&path, SERVER).unwrap();
        assert!(histories.is_empty());
        for what in [What::Ordering, What::Ordered, ended(Outcome::Refused), What::Ordering] {
            journal.note(&entry(what)).await.unwrap();
        }
        let busy = Journal::open(&path, SERVER).unwrap_err().to_string();
        assert!(busy.contains("another import"), "{busy}");
        drop(journal);
        let key = ("+447700900123".to_owned(), "waba 1".to_owned());
        let (journal, histories) = Journal::open(&path, SERVER).unwrap();
        let outcome = histories[&key].ending.as_ref().map(|ending| ending.outcome);
        assert_eq!((histories[&key].codes, outcome), (1, Some(Outcome::Refused)));
        journal.note(&entry(ended(Outcome::Registered))).await.unwrap();
        drop(journal);
        let (_, histories) = Journal::open(&path, SERVER).unwrap();
        assert!(histories[&key].ending.as_ref().unwrap().outcome.is_done());
    }

    #[tokio::test]
    async fn a_line_cut_off_by_a_crash_is_dropped_and_a_damaged_one_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let (journal, _) = Journal::open(&path, SERVER).unwrap();
        journal.note(&entry(What::Ordered)).await.unwrap();
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        for cut in [b"{".as_slice(), b"{\"at\":\"2027-01-15T08:00:00Z\",\"num"] {
            std::fs::write(&path, [&whole, cut].concat()).unwrap();
            let (journal, histories) = Journal::open(&path, SERVER).unwrap();
            assert_eq!(histories.len(), 1);
            journal.note(&entry(What::Ordered)).await.unwrap();
            drop(journal);
            let (_, histories) = Journal::open(&path, SERVER).unwrap();
            assert_eq!(histories.values().next().unwrap().codes, 2, "written behind the cut");
        }
        std::fs::write(&path, [&whole, b"{}\n".as_slice()].concat()).unwrap();
        let damaged = Journal::open(&path, SERVER).unwrap_err().to_string();
        assert!(damaged.starts_with("line 3 of the journal"), "{damaged}");
    }

    #[test]
    fn a_journal_of_something_else_is_not_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        for text in ["my notes\n", "my notes", "{\"journal\":\"of a cook\"}\n"] {
            std::fs::write(&path, text).unwrap();
            let problem = Journal::open(&path, SERVER).unwrap_err().to_string();
            assert!(problem.contains("no journal"), "{problem}");
            assert_eq!(std::fs::read(&path).unwrap(), text.as_bytes());
        }
        let path = folder.path().join("journal");
        drop(Journal::open(&path, SERVER).unwrap());
        let problem = Journal::open(&path, "http://127.0.0.1:9/").unwrap_err().to_string();
        assert!(problem.contains("belongs to an import at http://127.0.0.1:8080/"), "{problem}");
    }
}
