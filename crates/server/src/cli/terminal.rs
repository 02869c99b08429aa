//! Questions to a person at a terminal.

use core::fmt;
use std::io::{self, IsTerminal as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// A secret from the command line or a terminal: redacted in `Debug`, wiped on drop.
#[derive(Clone)]
pub(super) struct Secret(Zeroizing<String>);

impl Secret {
    /// The text, for the request that carries it.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(……)")
    }
}

/// Whether somebody is there to be asked.
pub(super) fn somebody_is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks on standard error and reads a line; an empty one means `preset`, if there is one.
pub(super) fn ask(question: &str, preset: Option<&str>) -> io::Result<String> {
    loop {
        match preset {
            Some(preset) => eprint!("{question} [{preset}]: "),
            None => eprint!("{question}: "),
        }
        let answer = line()?;
        match (answer.as_str(), preset) {
            ("", Some(preset)) => return Ok(preset.to_owned()),
            ("", None) => {}
            _ => return Ok(answer),
        }
    }
}

/// Asks for a secret without showing what is typed.
pub(super) fn ask_secret(question: &str) -> io::Result<Secret> {
    eprint!("{question}: ");
    let stdin = io::stdin();
    let before = tcgetattr(&stdin)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Flush, &silent)?;
    let answer = line();
    tcsetattr(&stdin, OptionalActions::Flush, &before)?;
    eprintln!();
    answer.map(|text| Secret(Zeroizing::new(text)))
}

fn line() -> io::Result<String> {
    io::stderr().flush()?;
    let mut line = String::new();
    if io::stdin().read_line(&mut line)? == 0 {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the input ended"));
    }
    Ok(line.trim().to_owned())
}
