//! The console in memory: who gets in, what a form needs, what a page shows. What only a browser can tell
//! is in `tests/console`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod harness;
mod names;

mod entry;
mod explorer;
mod forms;
mod operators;
mod pages;
mod wizard;
