//! Log lines on standard error: text with colours for people, JSON for machines.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

use crate::config::sections::{Log, LogFormat};

/// Starts logging; further calls change nothing. `colours` is what the terminal's user wants.
pub fn start(log: &Log, colours: bool) {
    let terminal = std::io::stderr().is_terminal();
    // The configuration has checked the level already.
    let filter =
        log.level.parse().unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO));
    // Its lines hold whole SIP messages, and so numbers in full; the voice sender tells what matters.
    let filter = filter.with_target("rsipstack", LevelFilter::OFF);
    let text = match log.format {
        LogFormat::Auto => terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let registry = tracing_subscriber::registry().with(filter);
    let lines = fmt::layer().with_writer(std::io::stderr);
    _ = if text {
        registry.with(lines.with_ansi(terminal && colours)).try_init()
    } else {
        registry.with(lines.json().flatten_event(true)).try_init()
    };
    report_panics();
}

/// Sends panics to the log, with their place but without their words, which may hold anything.
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "bug: a part of the program panicked");
    }));
}
