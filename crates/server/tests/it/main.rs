//! The server over real sockets, and as a process.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bench;
mod callbacks;
mod cli;
mod commands;
mod config;
mod delivery;
mod gateway;
mod harness;
mod hostile;
mod import;
mod lifecycle;
mod listener;
mod parallel;
mod production;
mod redaction;
mod sandbox;
mod senders;
mod slow_clients;
mod soak;
mod tidy;
mod tls;
mod upstream_words;
mod views;
