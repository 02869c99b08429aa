//! Senders and registrars upstream against servers under the test's control.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;
mod http;
mod inbox;
mod provider;
mod smpp;
mod smsc;
mod telephone;
mod tls;
mod upstream;
mod voice;
