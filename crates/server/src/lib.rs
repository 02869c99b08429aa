//! Reads the configuration, wires everything together, serves; the command line.
//!
//! A library besides the binary only so that the integration tests can reach the parts; nothing depends
//! on it.

pub mod cli;
pub mod clock;
pub mod config;
pub mod data_dir;
pub mod entropy;
pub mod files;
pub mod listener;
pub mod logging;
pub mod tls;
pub mod wiring;
