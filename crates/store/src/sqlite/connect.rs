//! Opening the database file: one owner at a time, mode 0600, every connection set up alike.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process (or another store of this one) writes to it.
    #[error("{0} is in use by another process")]
    InUse(PathBuf),
    /// The file belongs to another program.
    #[error("{0} is not a Rollcall database")]
    Foreign(PathBuf),
    /// A newer program has migrated it; an old one must not write to it.
    #[error("the database has schema {found}, this program knows {known}: use a newer program")]
    Newer {
        /// Schema version of the file.
        found: i64,
        /// Latest version that this program knows.
        known: i64,
    },
    /// A migration that the database went through is not the one in this program.
    #[error("migration {version} ({name}) is not the one this database was made with")]
    ChangedMigration {
        /// Number of the migration.
        version: i64,
        /// Its name in this program.
        name: &'static str,
    },
    /// The file system said no.
    #[error("cannot open {0}")]
    File(PathBuf, #[source] io::Error),
    /// SQLite said no.
    #[error("cannot open the database")]
    Sqlite(#[from] rusqlite::Error),
    /// A thread could not be started.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
}

/// Longest wait for a lock of SQLite's own. Nobody holds one for long: there is one writer, and the
/// checkpointer never blocks it.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Size to which the log file shrinks when it starts again. Kept, not cut to nothing: overwriting is
/// faster than appending (measured 106 against 169 µs per flush). Twice what the log may reach before it
/// starts again ([`super::SqliteOptions::log_bytes_max`]), because it grows on until the checkpointer
/// looks, and cutting off a tail that comes back takes milliseconds each time.
const LOG_KEPT_BYTES: u32 = 128 << 20;

/// `path` with `suffix` behind its file name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes this process the only writer for as long as the file lives.
///
/// The audit chain's head is kept in memory, so a second writer would fork the chain.
pub(super) fn lock(path: &Path) -> Result<File, OpenError> {
    let lock_path = beside(path, ".lock");
    let failed = |error| OpenError::File(lock_path.clone(), error);
    let mut options = OpenOptions::new();
    let file = options.append(true).create(true).mode(0o600).open(&lock_path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Makes the file at `path` if it is missing and readable by its owner only. SQLite gives the files
/// beside a database the same mode.
pub(super) fn make_private(path: &Path) -> Result<(), OpenError> {
    // An existing database is not opened here: closing it would drop the locks that another
    // connection of this process holds on it (POSIX).
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map(drop);
    let private = match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            std::fs::set_permissions(path, Permissions::from_mode(0o600))
        }
        other => other,
    };
    private.map_err(|error| OpenError::File(path.to_owned(), error))
}

/// A connection that may write. Only the writer thread and the checkpointer have one.
pub(super) fn writing(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.execute_batch(&format!(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA journal_size_limit = {LOG_KEPT_BYTES};
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -4096;"
    ))?;
    keep_plans(&conn)?;
    Ok(conn)
}

/// A connection that cannot write, and keeps up to `cache_kib` of pages.
pub(super) fn reading(path: &Path, cache_kib: u32) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.execute_batch(&format!("PRAGMA query_only = ON; PRAGMA cache_size = -{cache_kib};"))?;
    keep_plans(&conn)?;
    Ok(conn)
}

/// Keeps prepared statements prepared. Without the planner's stability guarantee, a look-up through a
/// partial index is planned anew whenever a parameter changes, which costs more than the look-up.
fn keep_plans(conn: &Connection) -> rusqlite::Result<()> {
    conn.set_prepared_statement_cache_capacity(64);
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}
