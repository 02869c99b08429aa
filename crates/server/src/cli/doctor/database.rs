//! The database: whether it can be read, and whether the master keys are its own.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use service::audit::ChainVerifier;
use service::directory::EntityKind;
use service::key_marks::{UnknownKeys, check_keys};
use service::keys::KeyRing;
use service::ports::{AuditQuery, NumberQuery, Store, StoreError};

use super::super::audit::OpenTrail;
use super::super::fault;
use super::{Check, folder};
use crate::config::Environment;
use crate::config::sections::Data;
use crate::data_dir::DATABASE_FILE;

const NAME: &str = "database";

/// Rows of each table that are read: damage shows where the tables begin, and a check must not take minutes.
const ROWS: usize = 1000;

const RESTORE: &str = "restore it from a backup, together with its key";

/// Looks into the database, whether or not a server is using it. Nothing is said of one that is not there yet.
pub(super) async fn check(
    data: &Data,
    environment: &Environment,
    open: OpenTrail,
) -> Option<Check> {
    let path = data.dir.join(DATABASE_FILE);
    let shown = path.display();
    if fs::metadata(&path).ok()?.len() == 0 {
        let cure =
            "a server would begin with nothing; restore it from a backup if there was something";
        return Some(Check::warn(NAME, format!("{shown} is empty"), cure));
    }
    Some(match read(&data.dir, open).await {
        Err(error) => unread(&path, &error),
        Ok(store) => match folder::keys(data, environment) {
            Ok(keys) => belonging(&path, check_keys(&*store, &KeyRing::new(&keys)).await),
            // The check of the keys has said what is wrong with them.
            Err(_) => Check::ok(NAME, format!("{shown} can be read")),
        },
    })
}

fn belonging(path: &Path, found: Result<(), UnknownKeys>) -> Check {
    let shown = path.display();
    match found {
        Ok(()) => Check::ok(NAME, format!("{shown} can be read, and the master key is its own")),
        Err(UnknownKeys::Service(error)) => unread(path, &error.into()),
        Err(other) => {
            let cure = "put the key file back that was backed up with this database";
            Check::fail(NAME, format!("{shown}: {other}"), cure)
        }
    }
}

fn unread(path: &Path, error: &anyhow::Error) -> Check {
    let shown = path.display();
    let words = fault::in_words(error);
    if words.contains("no such table") || words.contains("no such column") {
        let cure = "an older version made it: the next `rollcall serve` brings it up to date";
        return Check::warn(NAME, format!("{shown} lacks what this version keeps"), cure);
    }
    let words = words.strip_prefix(&format!("cannot open {shown}: ")).unwrap_or(&words);
    Check::fail(NAME, format!("{shown}: {words}"), RESTORE)
}

async fn read(folder: &Path, open: OpenTrail) -> anyhow::Result<Arc<dyn Store>> {
    let store = open(folder)?;
    first_rows(&*store).await?;
    Ok(store)
}

async fn first_rows(store: &dyn Store) -> Result<(), StoreError> {
    for kind in EntityKind::ALL {
        store.entities(kind, None, None, ROWS).await?;
    }
    store.numbers(&NumberQuery { limit: ROWS, ..NumberQuery::default() }).await?;
    let entries = AuditQuery { limit: ROWS, ..AuditQuery::default() };
    let mut chain = ChainVerifier::new();
    for entry in store.audit(&entries).await? {
        if let Err(broken) = chain.push(&entry) {
            let reason = format!("the audit chain is broken: {broken}");
            return Err(StoreError { reason, source: None });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::os::unix::fs::FileExt as _;

    use service::keys::MasterKeys;
    use store::{SqliteOptions, SqliteStore};

    use super::super::Verdict;
    use super::super::tests::data;
    use super::*;
    use crate::data_dir::{DataDir, MasterKeySource};
    use crate::entropy::OsEntropy;
    use crate::wiring::open_trail;

    /// A folder as a server leaves it, as far as it is looked at here.
    async fn kept(folder: &Path) -> Data {
        let made = DataDir::open(folder).unwrap();
        let key = || MasterKeys::generate(&OsEntropy).to_text().to_string();
        let text = made.master_key(MasterKeySource::Folder, key).unwrap();
        let path = made.file(DATABASE_FILE);
        let store = SqliteStore::open(&path, &SqliteOptions::default()).unwrap();
        let keys = KeyRing::new(&MasterKeys::parse(&text).unwrap());
        service::key_marks::recognise(&store, &keys).await.unwrap();
        store.close().await.unwrap();
        data(folder)
    }

    async fn said(data: &Data) -> (Verdict, String) {
        let check = check(data, &Environment::default(), open_trail).await.unwrap();
        (check.verdict, check.finding + &check.cure)
    }

    #[tokio::test]
    async fn a_database_is_sound_with_its_own_key_and_fails_with_another() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(check(&data(folder.path()), &Environment::default(), open_trail).await, None);
        let data = kept(folder.path()).await;
        assert_eq!(said(&data).await.0, Verdict::Ok);
        let other = MasterKeys::generate(&OsEntropy).to_text();
        crate::files::replace(&folder.path().join("rollcall.key"), other.as_bytes()).unwrap();
        let (found, words) = said(&data).await;
        assert!(found == Verdict::Fail && words.contains("put the key file back"), "{words}");
    }

    #[tokio::test]
    async fn a_damaged_and_an_empty_database_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let data = kept(folder.path()).await;
        let file = OpenOptions::new().write(true).open(folder.path().join(DATABASE_FILE)).unwrap();
        let pages = file.metadata().unwrap().len() / 4096;
        for page in 1..pages {
            file.write_all_at(&[0xA5; 4096], page * 4096).unwrap();
        }
        let (found, words) = said(&data).await;
        assert!(found == Verdict::Fail && words.contains("malformed"), "{words}");
        file.write_all_at(b"garbage", 0).unwrap();
        let (found, words) = said(&data).await;
        assert!(found == Verdict::Fail && words.contains("not a database"), "{words}");
        file.set_len(0).unwrap();
        assert_eq!(said(&data).await.0, Verdict::Warn);
    }
}
