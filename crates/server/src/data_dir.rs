//! The data folder: one server at a time, and its secrets readable by nobody else.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use service::ports::{Entropy, EntropyExt as _};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::config::Environment;
use crate::config::sections::Data;
use crate::files;

/// Why a data folder cannot be used.
#[derive(Debug, Error)]
pub enum DataDirError {
    /// Another server holds the folder.
    #[error(
        "{path} is in use by another server{holder}; stop it, or give this one a folder of its own \
         with --data"
    )]
    InUse {
        /// The folder.
        path: String,
        /// ` (process N)`, where it is known.
        holder: String,
    },
    /// Others may read a file that must stay secret.
    #[error("{path} can be read by others (mode {mode:03o}); run: chmod 600 '{path}'")]
    Exposed {
        /// The file.
        path: String,
        /// Its permission bits.
        mode: u32,
    },
    /// The operator's token is so short that it could be guessed; an empty one lets everybody in.
    #[error(
        "the operator's token in {path} has {found} of at least {OPERATOR_TOKEN_MIN} characters; delete \
         the file, and the next start makes a good one"
    )]
    ShortToken {
        /// The file.
        path: String,
        /// Its characters.
        found: usize,
    },
    /// A variable that should hold a secret is not set.
    #[error("data.master_key_variable names {0}, which is not set")]
    VariableMissing(String),
    /// There is a database, but not the key that its secrets were made with. A new one would open none of
    /// them, and nobody would be told.
    #[error(
        "{path} is missing, and the database beside it cannot be used without: its PINs, access keys and \
         tokens were made with this key; restore the file from a backup, or begin in another folder with \
         --data"
    )]
    KeyLost {
        /// The key file.
        path: String,
    },
    /// There is a file where the folder should be.
    #[error("{path} cannot be a folder, there is a file in the way; name another with --data")]
    NotAFolder {
        /// The file.
        path: String,
    },
    /// This user may not write there.
    #[error(
        "{path} cannot be used by this user; give it to the user that runs the server, or name another \
         folder with --data"
    )]
    Forbidden {
        /// The file or folder.
        path: String,
    },
    /// A file could not be read or written.
    #[error("cannot use {path}")]
    Io {
        /// The file or folder.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl DataDirError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| {
            let path = path.display().to_string();
            let kind = source.kind();
            if kind == io::ErrorKind::PermissionDenied {
                return Self::Forbidden { path };
            }
            if [io::ErrorKind::AlreadyExists, io::ErrorKind::NotADirectory].contains(&kind) {
                return Self::NotAFolder { path };
            }
            Self::Io { path, source }
        }
    }
}

/// The database in a data folder.
pub const DATABASE_FILE: &str = "rollcall.db";

/// The operator's token in a data folder.
pub const OPERATOR_TOKEN_FILE: &str = "operator.token";

/// Characters of an operator's token, at least; a random one of this length is beyond guessing.
pub const OPERATOR_TOKEN_MIN: usize = 16;

/// The master key in a data folder.
pub const MASTER_KEY_FILE: &str = "rollcall.key";

/// Where the master key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MasterKeySource<'a> {
    /// `rollcall.key` in the folder, made if absent.
    Folder,
    /// A file of the operator, which must exist.
    File(&'a Path),
    /// An environment variable: its name and its value, if it has one.
    Variable(&'a str, Option<&'a str>),
}

impl<'a> MasterKeySource<'a> {
    /// The source that the settings name: a variable before a file, a file before the folder.
    #[must_use]
    pub fn configured(data: &'a Data, environment: &'a Environment) -> Self {
        match (&data.master_key_variable, &data.master_key_file) {
            (Some(name), _) => Self::Variable(name, environment.value(name)),
            (None, Some(path)) => Self::File(path),
            (None, None) => Self::Folder,
        }
    }
}

/// An open data folder, held by this process until dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    // The lock is the kernel's and ends with the process, however it ends.
    _lock: File,
}

impl DataDir {
    /// Opens the folder at `path`, made with mode 0700 if absent, and holds it.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700).create(path).map_err(DataDirError::io(path))?;
        let lock = lock(path)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file in the folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The text of the master key; `make` gives a new one for a folder that has none.
    pub fn master_key(
        &self,
        source: MasterKeySource<'_>,
        make: impl FnOnce() -> String,
    ) -> Result<Zeroizing<String>, DataDirError> {
        match source {
            MasterKeySource::Folder => {
                let path = self.file(MASTER_KEY_FILE);
                if self.file(DATABASE_FILE).exists() && !path.exists() {
                    return Err(DataDirError::KeyLost { path: path.display().to_string() });
                }
                self.secret(MASTER_KEY_FILE, make)
            }
            MasterKeySource::File(path) => {
                refuse_exposed(path)?;
                let text = fs::read_to_string(path).map_err(DataDirError::io(path))?;
                Ok(Zeroizing::new(text))
            }
            MasterKeySource::Variable(name, value) => value
                .map(|value| Zeroizing::new(value.to_owned()))
                .ok_or_else(|| DataDirError::VariableMissing(name.to_owned())),
        }
    }

    /// The bearer token of the admin API, from `operator.token`: 64 hex digits, made if absent.
    pub fn operator_token(&self, entropy: &dyn Entropy) -> Result<Zeroizing<String>, DataDirError> {
        let make = || hex::encode(entropy.bytes::<32>()) + "\n";
        let token = Zeroizing::new(self.secret(OPERATOR_TOKEN_FILE, make)?.trim().to_owned());
        match token.len() {
            OPERATOR_TOKEN_MIN.. => Ok(token),
            found => {
                let path = self.file(OPERATOR_TOKEN_FILE).display().to_string();
                Err(DataDirError::ShortToken { path, found })
            }
        }
    }

    fn secret(
        &self,
        name: &str,
        make: impl FnOnce() -> String,
    ) -> Result<Zeroizing<String>, DataDirError> {
        let path = self.file(name);
        let text = files::read_or_create(&path, make).map_err(DataDirError::io(&path))?;
        refuse_exposed(&path)?;
        Ok(Zeroizing::new(text))
    }
}

fn lock(folder: &Path) -> Result<File, DataDirError> {
    let path = folder.join("rollcall.lock");
    let io_error = || DataDirError::io(&path);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(io_error())?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(in_use(folder, &path)),
        Err(TryLockError::Error(error)) => return Err(io_error()(error)),
    }
    // For people and for the message above; the lock itself is the kernel's.
    file.set_len(0).map_err(io_error())?;
    write!(file, "{}", std::process::id()).map_err(io_error())?;
    Ok(file)
}

fn in_use(folder: &Path, lock: &Path) -> DataDirError {
    let pid = fs::read_to_string(lock).ok().and_then(|text| text.trim().parse::<u32>().ok());
    DataDirError::InUse {
        path: folder.display().to_string(),
        holder: pid.map(|pid| format!(" (process {pid})")).unwrap_or_default(),
    }
}

fn refuse_exposed(path: &Path) -> Result<(), DataDirError> {
    match files::shared_mode(path).map_err(DataDirError::io(path))? {
        None => Ok(()),
        Some(mode) => Err(DataDirError::Exposed { path: path.display().to_string(), mode }),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::entropy::OsEntropy;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_database_without_its_key_gets_no_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path()).unwrap();
        fs::write(data.file(DATABASE_FILE), "").unwrap();
        let error = data.master_key(MasterKeySource::Folder, || "new".to_owned()).unwrap_err();
        assert!(error.to_string().contains("restore the file from a backup"), "{error}");
        assert!(!data.file(MASTER_KEY_FILE).exists());
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_told_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        for path in [file.clone(), file.join("below")] {
            let error = DataDir::open(&path).unwrap_err();
            assert!(error.to_string().contains("a file in the way"), "{error}");
        }
    }

    #[test]
    fn a_folder_is_private_and_its_secrets_stay() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("deep/data");
        let data = DataDir::open(&path).unwrap();
        let key = data.master_key(MasterKeySource::Folder, || "made".to_owned()).unwrap();
        let token = data.operator_token(&OsEntropy).unwrap();
        assert_eq!((key.as_str(), token.len()), ("made", 64));
        assert_eq!(mode(&path), 0o700);
        for name in ["rollcall.key", "operator.token", "rollcall.lock"] {
            assert_eq!(mode(&data.file(name)), 0o600, "{name}");
        }
        drop(data);
        let again = DataDir::open(&path).unwrap();
        let kept = again.master_key(MasterKeySource::Folder, || "other".to_owned()).unwrap();
        assert_eq!(kept.as_str(), "made");
        assert_eq!(again.operator_token(&OsEntropy).unwrap(), token);
    }

    #[test]
    fn an_operators_token_that_could_be_guessed_is_refused_with_the_remedy() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(dir.path()).unwrap();
        let own = "sixteen-letters!";
        for (text, taken) in [("", false), ("\n", false), ("secret\n", false), (own, true)] {
            files::replace(&data.file(OPERATOR_TOKEN_FILE), text.as_bytes()).unwrap();
            let token = data.operator_token(&OsEntropy);
            assert_eq!(token.is_ok(), taken, "{text:?}");
            let remedy = token.map_or_else(|error| error.to_string(), |_| "delete the file".into());
            assert!(remedy.contains("delete the file"), "{remedy}");
        }
    }

    #[test]
    fn a_held_folder_is_refused_with_the_holder_named() {
        let dir = tempfile::tempdir().unwrap();
        let _held = DataDir::open(dir.path()).unwrap();
        let message = DataDir::open(dir.path()).unwrap_err().to_string();
        assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_the_remedy() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(dir.path()).unwrap();
        let path = data.file("rollcall.key");
        fs::write(&path, "key").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        for source in [MasterKeySource::Folder, MasterKeySource::File(&path)] {
            let message = data.master_key(source, String::new).unwrap_err().to_string();
            assert!(message.contains("mode 644") && message.contains("chmod 600"), "{message}");
        }
    }

    #[test]
    fn a_key_can_come_from_a_variable() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(dir.path()).unwrap();
        let settings = Data {
            dir: dir.path().to_owned(),
            master_key_file: Some(PathBuf::from("unused")),
            master_key_variable: Some("KEY".to_owned()),
        };
        let environment = Environment([("KEY".to_owned(), "text".to_owned())].into());
        let given = MasterKeySource::configured(&settings, &environment);
        assert_eq!(data.master_key(given, String::new).unwrap().as_str(), "text");
        let missing = MasterKeySource::Variable("KEY", None);
        assert!(data.master_key(missing, String::new).is_err());
        assert!(!data.file("rollcall.key").exists());
    }
}
