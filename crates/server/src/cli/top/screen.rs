//! A terminal that is drawn on as a whole, and given back as it was, whatever happens.

use core::fmt::Write as _;
use std::io::{self, Read as _, Write as _};

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize, tcsetattr,
};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

/// The second screen of a terminal, without cursor; and back.
const ENTER: &str = "\u{1b}[?1049h\u{1b}[?25l";
const LEAVE: &str = "\u{1b}[?25h\u{1b}[?1049l";

/// Rows of a terminal that does not know.
const ROWS: u16 = 24;

/// A terminal that belongs to this program until it is dropped.
pub(super) struct Screen {
    before: Option<Termios>,
    keys: mpsc::UnboundedReceiver<()>,
    interrupt: Signal,
    terminate: Signal,
    /// Rows when it was last measured.
    rows: usize,
}

impl Screen {
    /// Takes the terminal. Keys are read only if somebody can type them.
    pub(super) fn take() -> io::Result<Self> {
        let (interrupt, terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let stdin = io::stdin();
        // No echo, no lines; Ctrl-C stays a signal, and Ctrl-Z would leave the second screen behind.
        let before = tcgetattr(&stdin).ok();
        if let Some(before) = &before {
            let mut raw = before.clone();
            raw.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON);
            raw.special_codes[SpecialCodeIndex::VSUSP] = 0;
            tcsetattr(&stdin, OptionalActions::Flush, &raw)?;
        }
        let (sender, keys) = mpsc::unbounded_channel();
        if before.is_some() {
            std::thread::spawn(move || {
                // A thread that is never waited for: nothing else could end its reading.
                for key in io::stdin().lock().bytes().map_while(Result::ok) {
                    if matches!(key, b'q' | b'Q' | 3 | 27) && sender.send(()).is_err() {
                        return;
                    }
                }
            });
        } else {
            // Nobody can type: the channel must not look as if somebody had.
            core::mem::forget(sender);
        }
        let screen = Self { before, keys, interrupt, terminate, rows: 0 };
        write(ENTER)?;
        Ok(screen)
    }

    /// Rows that can be drawn on; a window may have changed its size.
    pub(super) fn measure(&mut self) -> usize {
        let size = tcgetwinsize(io::stdout()).map_or(ROWS, |size| size.ws_row);
        self.rows = usize::from(if size == 0 { ROWS } else { size });
        self.rows
    }

    /// Shows `text` in place of what was there, without flicker; what does not fit is left out.
    pub(super) fn show(&self, text: &str) -> io::Result<()> {
        let mut out = String::from("\u{1b}[H");
        for (place, line) in text.lines().take(self.rows).enumerate() {
            let line_break = if place == 0 { "" } else { "\r\n" };
            // Writing into a String cannot fail.
            let _ = write!(out, "{line_break}{line}\u{1b}[K");
        }
        out.push_str("\u{1b}[J");
        write(&out)
    }

    /// Ends when somebody wants the picture to end.
    pub(super) async fn ended(&mut self) {
        tokio::select! {
            _ = self.keys.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // If the terminal is gone there is nothing to give back.
        _ = write(LEAVE);
        if let Some(before) = &self.before {
            _ = tcsetattr(io::stdin(), OptionalActions::Flush, before);
        }
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
