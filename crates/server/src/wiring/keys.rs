//! The master keys: where they come from, whether they are the right ones, and their rotation.

use core::fmt::Display;
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use service::Service;
use service::key_marks::UnknownKeys;
use service::keys::{KeyRing, MasterKeys};

use crate::config::{Config, Environment};
use crate::data_dir::{DataDir, MASTER_KEY_FILE, MasterKeySource};
use crate::entropy::OsEntropy;
use crate::files;

/// The keys that the settings name.
pub(super) fn open(
    config: &Config,
    environment: &Environment,
    data: &DataDir,
) -> anyhow::Result<KeyRing> {
    let source = MasterKeySource::configured(&config.data, environment);
    let text =
        data.master_key(source, || MasterKeys::generate(&OsEntropy).to_text().to_string())?;
    let keys = MasterKeys::parse(&text).context("cannot understand the master key")?;
    Ok(KeyRing::new(&keys))
}

/// Refuses a master key that is not that of the database, and says what to do; a database that cannot be
/// read is told as such.
pub(super) async fn recognise(
    service: &Service,
    config: &Config,
    data: &DataDir,
) -> anyhow::Result<()> {
    match service.recognise_keys().await {
        Err(UnknownKeys::Service(error)) => Err(error)
            .with_context(|| format!("cannot use the database in {}", data.path().display())),
        other => other.with_context(|| do_not_belong(config, data)),
    }
}

fn do_not_belong(config: &Config, data: &DataDir) -> String {
    let place = match (&config.data.master_key_variable, &config.data.master_key_file) {
        (Some(name), _) => format!("the variable {name}"),
        (None, Some(path)) => path.display().to_string(),
        (None, None) => data.file(MASTER_KEY_FILE).display().to_string(),
    };
    format!(
        "{place} and the database in {} do not belong together; restore both from one backup, or begin in \
         another folder with --data",
        data.path().display()
    )
}

/// Adds an epoch to the key file and takes it into use. The file comes first: a key that is not on disk
/// must never sign or seal anything.
pub(super) fn rotation(
    config: &Config,
    data: &DataDir,
    keys: KeyRing,
) -> Box<dyn Fn() -> Result<u32, String> + Send + Sync> {
    if let Some(name) = &config.data.master_key_variable {
        let refusal = format!(
            "the master key comes from the variable {name}; add an epoch there and start the server again"
        );
        return Box::new(move || Err(refusal.clone()));
    }
    let file = config.data.master_key_file.clone();
    let file = file.unwrap_or_else(|| data.file(MASTER_KEY_FILE));
    let turn = Mutex::new(());
    Box::new(move || {
        // One at a time: each rotation builds on the file that the one before has written.
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = |error: &dyn Display| format!("cannot rotate {}: {error}", file.display());
        let text = std::fs::read_to_string(&file).map_err(|error| shown(&error))?;
        let rotated = MasterKeys::parse(&text).map_err(|error| shown(&error))?.rotated(&OsEntropy);
        files::replace(&file, rotated.to_text().as_bytes()).map_err(|error| shown(&error))?;
        keys.replace(&rotated);
        Ok(rotated.epoch())
    })
}
