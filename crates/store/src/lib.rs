//! Durable storage behind the port [`service::ports::Store`].
//!
//! A backend is a folder: [`sqlite`] for one machine; a second one would stand beside it with the same
//! file names. What backends share is how a record looks in a row (`row`). No rule of registration lives
//! here: whole records go in and come out, and a unit is stored as a whole or not at all.

mod row;
pub mod sqlite;

pub use sqlite::{OpenError, SqliteOptions, SqliteStats, SqliteStore};
