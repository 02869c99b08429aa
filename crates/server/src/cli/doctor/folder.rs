//! The data folder: rights, keys, room, and how long a flush takes.

use core::time::Duration;
use std::fs::{self, File, Metadata};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use service::keys::MasterKeys;
use zeroize::Zeroizing;

use super::Check;
use crate::config::Environment;
use crate::config::sections::Data;

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
    vec![
        rights(folder, &metadata),
        master_key(data, environment),
        token(folder),
        room(folder),
        flush(folder),
    ]
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
    const NAME: &str = "master key";
    if let Some(variable) = &data.master_key_variable {
        return match environment.value(variable) {
            Some(text) => parsed(NAME, variable, text),
            None => {
                Check::fail(NAME, format!("{variable} is not set"), "set it, or use a key file")
            }
        };
    }
    let path = data.master_key_file.clone().unwrap_or_else(|| data.dir.join("rollcall.key"));
    match secret(NAME, &path) {
        Ok(text) => parsed(NAME, &path.display().to_string(), &text),
        Err(check) => check,
    }
}

fn parsed(name: &'static str, source: &str, text: &str) -> Check {
    match MasterKeys::parse(text) {
        Ok(keys) => Check::ok(name, format!("{source}, epoch {}", keys.epoch())),
        Err(error) => {
            let cure = "restore the file from its copy: without its keys PINs and tokens are lost";
            Check::fail(name, format!("{source}: {error}"), cure)
        }
    }
}

fn token(folder: &Path) -> Check {
    const NAME: &str = "operator token";
    let path = folder.join("operator.token");
    match secret(NAME, &path) {
        Ok(_) => Check::ok(NAME, path.display().to_string()),
        Err(check) => check,
    }
}

/// The text of a file that nobody else may read, or the check that says what is wrong with it.
fn secret(name: &'static str, path: &Path) -> Result<Zeroizing<String>, Check> {
    let shown = path.display();
    let failed = |error: std::io::Error| {
        let finding = format!("{shown} cannot be read: {error}");
        Check::fail(name, finding, "the first `rollcall serve` makes it; else restore it")
    };
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let finding = format!("{shown} can be read by others (mode {mode:03o})");
        return Err(Check::fail(name, finding, format!("chmod 600 '{shown}'")));
    }
    fs::read_to_string(path).map(Zeroizing::new).map_err(failed)
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
            let finding = format!("cannot write in {}: {error}", folder.display());
            Check::fail(NAME, finding, "run as the user that the server runs as")
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
    use super::*;
    use crate::config::{self, Flag};
    use crate::data_dir::{DataDir, MasterKeySource};
    use crate::entropy::OsEntropy;

    fn data(folder: &Path) -> Data {
        let value = folder.display().to_string();
        let flag = Flag { name: "--data", key: "data.dir", value };
        config::load(None, &Environment::default(), &[flag]).unwrap().config.data
    }

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
