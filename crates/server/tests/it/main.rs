//! The server over real sockets, and as a process.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cli;
mod commands;
mod config;
mod harness;
mod lifecycle;
mod listener;
mod slow_clients;
mod tidy;
mod tls;
