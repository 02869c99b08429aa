//! The data folder: rights, keys, room, and how long a flush takes.

use core::time::Duration;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use service::keys::MasterKeys;
use zeroize::Zeroizing;

use super::super::fault;
use super::Check;
use crate::config::Environment;
use crate::config::sections::Data;
use crate::data_dir::{DATABASE_FILE, MASTER_KEY_FILE, OPERATOR_TOKEN_FILE, OPERATOR_TOKEN_MIN};

const MASTER_KEY: &str = "master key";

const MADE_BY_SERVE: &str = "the first `rollcall serve` makes it";

/// Free bytes below which a server should not go on: a day of a busy audit trail.
const FREE_FAIL: u64 = 100 << 20;

/// Free bytes below which somebody should look.
const FREE_WARN: u64 = 1 << 30;

/// Flushes that are measured; the median of so many is steady to a few percent.
const FLUSHES: usize = 32;

/// A flush above this is felt: every registration waits for one (a local disk takes 0.1 to 2 ms).
const FLUSH_SLOW: Duration = Duration::from_millis(10);

/// No disk flushes faster than this; memory does, and disks that only say so.
const FLUSH_UNLIKELY: Duration = Duration::from_micros(10);

/// Looks at the folder and what lies in it.
pub(super) fn checks(data: &Data, environment: &Environment) -> Vec<Check> {
    let folder = &data.dir;
    let Ok(metadata) = fs::metadata(folder) else {
        let finding = format!("{} is not there yet", folder.display());
        let cure =
            "the first `rollcall serve` makes it, with its keys; or name another with --data";
        return vec![Check::warn("data folder", finding, cure)];
    };
    let mut checks = vec![rights(folder, &metadata)];
    checks.extend(strangers(folder, &metadata));
    checks.extend([master_key(data, environment), token(folder), room(folder), flush(folder)]);
    checks
}

/// Files of somebody else: what a command that was run as another user leaves behind.
fn strangers(folder: &Path, metadata: &Metadata) -> Option<Check> {
    let files = fs::read_dir(folder).ok()?.flatten();
    let owned = files.filter_map(|file| Some((file.path(), file.metadata().ok()?.uid())));
    judged_owners(folder, metadata.uid(), owned.collect())
}

fn judged_owners(folder: &Path, owner: u32, mut files: Vec<(PathBuf, u32)>) -> Option<Check> {
    files.retain(|(_, of)| *of != owner);
    files.sort();
    let (file, of) = files.first()?;
    let finding = format!("{} belongs to user {of}, the folder to user {owner}", file.display());
    Some(Check::fail("owner", finding, format!("chown -R {owner} '{}'", folder.display())))
}

fn rights(folder: &Path, metadata: &Metadata) -> Check {
    const NAME: &str = "data folder";
    let shown = folder.display();
    if !metadata.is_dir() {
        return Check::fail(NAME, format!("{shown} is no folder"), "name a folder with --data");
    }
    let (owner, own) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != own {
        let finding = format!("{shown} belongs to user {owner}, this is user {own}");
        return Check::warn(NAME, finding, "run as the user that the server runs as");
    }
    match metadata.permissions().mode() & 0o777 {
        mode if mode & 0o077 != 0 => {
            let finding = format!("{shown} is open to others (mode {mode:03o})");
            Check::fail(NAME, finding, format!("chmod 700 '{shown}'"))
        }
        mode => Check::ok(NAME, format!("{shown}, mode {mode:03o}")),
    }
}

fn master_key(data: &Data, environment: &Environment) -> Check {
    match keys(data, environment) {
        Ok(keys) => Check::ok(MASTER_KEY, format!("{}, epoch {}", key_source(data), keys.epoch())),
        Err(check) => check,
    }
}

fn key_source(data: &Data) -> String {
    match (&data.master_key_variable, &data.master_key_file) {
        (Some(variable), _) => variable.clone(),
        (None, Some(file)) => file.display().to_string(),
        (None, None) => data.dir.join(MASTER_KEY_FILE).display().to_string(),
    }
}

/// The master keys that the settings name, or the check that says what is wrong with them.
pub(super) fn keys(data: &Data, environment: &Environment) -> Result<MasterKeys, Check> {
    let source = key_source(data);
    let text = if let Some(variable) = &data.master_key_variable {
        let text = environment.value(variable).map(|text| Zeroizing::new(text.to_owned()));
        text.ok_or_else(|| {
            let cure = "set it, or use a key file";
            Check::fail(MASTER_KEY, format!("{variable} is not set"), cure)
        })?
    } else {
        let missing = match &data.master_key_file {
            None if data.dir.join(DATABASE_FILE).exists() => {
                "restore it from a backup: the database beside it cannot be used without"
            }
            None => MADE_BY_SERVE,
            Some(_) => "restore it, or name another with data.master_key_file",
        };
        secret(MASTER_KEY, Path::new(&source), missing)?
    };
    MasterKeys::parse(&text).map_err(|error| {
        let cure = "restore the file from its copy: without its keys PINs and tokens are lost";
        Check::fail(MASTER_KEY, format!("{source}: {error}"), cure)
    })
}

fn token(folder: &Path) -> Check {
    const NAME: &str = "operator token";
    let path = folder.join(OPERATOR_TOKEN_FILE);
    let shown = path.display();
    match secret(NAME, &path, MADE_BY_SERVE) {
        Ok(text) if text.trim().len() < OPERATOR_TOKEN_MIN => {
            let cure = format!("rm '{shown}': the next start makes a good one");
            Check::fail(NAME, format!("{shown} is too short to be a secret"), cure)
        }
        Ok(_) => Check::ok(NAME, shown.to_string()),
        Err(check) => check,
    }
}

/// The text of a file that nobody else may read, or the check that says what is wrong with it; `missing` is
/// the cure where there is none.
fn secret(
    name: &'static str,
    path: &Path,
    missing: &'static str,
) -> Result<Zeroizing<String>, Check> {
    let shown = path.display();
    let failed = |error: io::Error| {
        let cure = if error.kind() == ErrorKind::NotFound { missing } else { cure_of(&error) };
        Check::fail(
            name,
            format!("{shown} cannot be read: {}", fault::plain(&error.to_string())),
            cure,
        )
    };
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let finding = format!("{shown} can be read by others (mode {mode:03o})");
        return Err(Check::fail(name, finding, format!("chmod 600 '{shown}'")));
    }
    fs::read_to_string(path).map(Zeroizing::new).map_err(failed)
}

fn cure_of(error: &io::Error) -> &'static str {
    let kind = error.kind();
    if kind == ErrorKind::PermissionDenied {
        "run as the user that the server runs as"
    } else if matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
        "make room"
    } else if kind == ErrorKind::ReadOnlyFilesystem {
        "mount it for writing, or name another folder with --data"
    } else {
        "see to the disk, or name another folder with --data"
    }
}

fn room(folder: &Path) -> Check {
    const NAME: &str = "disk";
    const CURE: &str = "make room: a full disk stops every registration";
    let free = match rustix::fs::statvfs(folder) {
        Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
        Err(error) => return Check::warn(NAME, format!("cannot be asked: {error}"), ""),
    };
    let finding = format!("{} free", size(free));
    match free {
        ..FREE_FAIL => Check::fail(NAME, finding, CURE),
        FREE_FAIL..FREE_WARN => Check::warn(NAME, finding, CURE),
        FREE_WARN.. => Check::ok(NAME, finding),
    }
}

fn flush(folder: &Path) -> Check {
    const NAME: &str = "flush";
    match median_flush(folder) {
        Ok(median) => judged_flush(median),
        Err(error) => {
            let finding = format!(
                "cannot write in {}: {}",
                folder.display(),
                fault::plain(&error.to_string())
            );
            Check::fail(NAME, finding, cure_of(&error))
        }
    }
}

fn judged_flush(median: Duration) -> Check {
    const NAME: &str = "flush";
    let finding = format!("{:.2} ms to bring 4 KiB to disk (median)", median.as_secs_f64() * 1e3);
    if median > FLUSH_SLOW {
        let cure = "every registration waits for this; use a local disk, not a network share";
        return Check::warn(NAME, finding, cure);
    }
    if median < FLUSH_UNLIKELY {
        let finding = format!("{finding}: faster than any disk");
        let cure =
            "this folder is in memory, or its disk only pretends: a power loss would cost data";
        return Check::warn(NAME, finding, cure);
    }
    Check::ok(NAME, finding)
}

/// How long appending 4 KiB and flushing takes, in a file that is gone afterwards.
fn median_flush(folder: &Path) -> std::io::Result<Duration> {
    let mut file: File = tempfile::tempfile_in(folder)?;
    let mut taken = Vec::with_capacity(FLUSHES);
    for _ in 0..FLUSHES {
        #[expect(clippy::disallowed_methods, reason = "measures the disk")]
        let begun = std::time::Instant::now();
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        taken.push(begun.elapsed());
    }
    taken.sort_unstable();
    Ok(taken[FLUSHES / 2])
}

fn size(bytes: u64) -> String {
    match bytes >> 20 {
        mib @ 0..10_240 => format!("{mib} MiB"),
        mib => format!("{} GiB", mib >> 10),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::super::tests::data;
    use super::*;
    use crate::data_dir::{DataDir, MasterKeySource};
    use crate::entropy::OsEntropy;

    fn verdict(data: &Data, name: &str) -> (Verdict, String) {
        let checks = checks(data, &Environment::default());
        let check = checks.into_iter().find(|check| check.name == name).unwrap();
        assert_eq!(check.verdict == Verdict::Ok, check.cure.is_empty(), "{check:?}");
        (check.verdict, check.finding + &check.cure)
    }

    #[test]
    fn a_folder_as_the_server_makes_it_is_sound() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("data");
        let data = data(&folder);
        assert_eq!(verdict(&data, "data folder").0, Verdict::Warn);
        let made = DataDir::open(&folder).unwrap();
        assert_eq!(verdict(&data, "master key").0, Verdict::Fail);
        let key = || MasterKeys::generate(&OsEntropy).to_text().to_string();
        made.master_key(MasterKeySource::Folder, key).unwrap();
        made.operator_token(&OsEntropy).unwrap();
        for name in ["data folder", "master key", "operator token"] {
            assert_eq!(verdict(&data, name).0, Verdict::Ok, "{name}");
        }
    }

    #[test]
    fn what_others_can_read_fails_with_the_command_that_cures_it() {
        let folder = tempfile::tempdir().unwrap();
        let data = data(folder.path());
        let key = folder.path().join("rollcall.key");
        fs::write(&key, MasterKeys::generate(&OsEntropy).to_text().as_bytes()).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let (found, said) = verdict(&data, "master key");
        assert!(found == Verdict::Fail && said.contains("chmod 600"), "{said}");
        let (found, said) = verdict(&data, "data folder");
        assert!(found == Verdict::Fail && said.contains("chmod 700"), "{said}");
    }

    #[test]
    fn a_key_file_at_fault_is_named_without_what_stands_there() {
        let folder = tempfile::tempdir().unwrap();
        let data = data(folder.path());
        let key = folder.path().join("rollcall.key");
        crate::files::replace(&key, b"1 abcdef\n").unwrap();
        let (found, said) = verdict(&data, "master key");
        assert!(found == Verdict::Fail && said.contains("line 1"), "{said}");
        assert!(!said.contains("abcdef"), "{said}");
    }

    #[test]
    fn what_is_missing_or_useless_is_cured_by_what_helps() {
        let folder = tempfile::tempdir().unwrap();
        let data = data(folder.path());
        assert!(verdict(&data, "master key").1.contains("serve"));
        fs::write(folder.path().join(DATABASE_FILE), "x").unwrap();
        let (_, said) = verdict(&data, "master key");
        assert!(said.contains("restore it from a backup") && !said.contains("os error"), "{said}");
        crate::files::replace(&folder.path().join(OPERATOR_TOKEN_FILE), b"\n").unwrap();
        let (found, said) = verdict(&data, "operator token");
        assert!(found == Verdict::Fail && said.contains("rm '"), "{said}");
        for (number, cure) in [(28, "make room"), (30, "mount it"), (13, "run as the user")] {
            let error = io::Error::from_raw_os_error(number);
            assert!(cure_of(&error).contains(cure), "{error}");
        }
    }

    #[test]
    fn a_file_of_somebody_else_is_named() {
        let folder = Path::new("data");
        let files = |of| vec![("data/rollcall.key".into(), 7), ("data/rollcall.db".into(), of)];
        assert_eq!(judged_owners(folder, 7, files(7)), None);
        let check = judged_owners(folder, 7, files(0)).unwrap();
        assert_eq!(check.finding, "data/rollcall.db belongs to user 0, the folder to user 7");
        assert_eq!((check.verdict, check.cure.as_str()), (Verdict::Fail, "chown -R 7 'data'"));
    }

    #[test]
    fn a_flush_is_judged_by_what_disks_can_do() {
        for (micros, expected) in
            [(1, Verdict::Warn), (170, Verdict::Ok), (9_999, Verdict::Ok), (25_000, Verdict::Warn)]
        {
            let check = judged_flush(Duration::from_micros(micros));
            assert_eq!(check.verdict, expected, "{check:?}");
        }
        assert_eq!(
            judged_flush(Duration::from_micros(170)).finding.split(' ').next(),
            Some("0.17")
        );
    }

    #[test]
    fn sizes_are_read_at_a_glance() {
        assert_eq!((size(FREE_FAIL), size(20 << 30)), ("100 MiB".to_owned(), "20 GiB".to_owned()));
    }
}
