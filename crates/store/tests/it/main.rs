//! The SQLite store: the contract of all stores, then what is its own.

mod contract;
mod durability;
mod files;
mod load;

use std::path::PathBuf;
use std::sync::Arc;

use service::audit::{chain_hash, genesis};
use service::ports::{AuditEntry, AuditQuery, Store};
use store::{SqliteOptions, SqliteStore};
use tempfile::TempDir;

/// A database in a folder of its own.
struct Database {
    folder: TempDir,
}

impl Database {
    fn new() -> Self {
        Self { folder: TempDir::new().expect("a temporary folder") }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("rollcall.db")
    }

    fn open(&self) -> Arc<SqliteStore> {
        self.open_with(&SqliteOptions::default())
    }

    fn open_with(&self, options: &SqliteOptions) -> Arc<SqliteStore> {
        Arc::new(SqliteStore::open(&self.path(), options).expect("opens"))
    }
}

/// All events, after each hash was computed anew.
async fn verified_chain(store: &SqliteStore) -> Vec<AuditEntry> {
    let all = AuditQuery { limit: usize::MAX, ..AuditQuery::default() };
    let chain = store.audit(&all).await.expect("readable");
    let mut previous = genesis();
    for (seq, entry) in (1..).zip(&chain) {
        previous = chain_hash(&previous, seq, &entry.event);
        assert_eq!((entry.seq, entry.hash), (seq, previous));
    }
    chain
}
