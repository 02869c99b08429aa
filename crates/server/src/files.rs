//! Small files that must be whole or absent, and readable by nobody else.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Puts `contents` at `path` with mode 0600: after a crash the file is the old or the new one, whole.
pub fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut draft = Draft::begin(path)?;
    draft.write_all(contents)?;
    draft.finish()
}

/// A file that is written bit by bit and stands at its place only once it is whole.
#[derive(Debug)]
pub struct Draft {
    file: BufWriter<File>,
    at: PathBuf,
    path: PathBuf,
}

impl Draft {
    /// Begins a file that shall stand at `path`, with mode 0600.
    pub fn begin(path: &Path) -> io::Result<Self> {
        let draft = draft_of(path);
        let file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        Ok(Self { file: BufWriter::new(file), at: draft, path: path.to_owned() })
    }

    /// Puts the file at its place, in place of whatever stands there.
    pub fn finish(self) -> io::Result<()> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        fs::rename(&self.at, &self.path)?;
        sync_folder(&self.path)
    }
}

impl io::Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The text at `path`, or the text that `make` gives, which is put there first.
pub fn read_or_create(path: &Path, make: impl FnOnce() -> String) -> io::Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = make();
            replace(path, text.as_bytes())?;
            Ok(text)
        }
        read => read,
    }
}

/// The permission bits of `path` if group or others have any right to it.
pub fn shared_mode(path: &Path) -> io::Result<Option<u32>> {
    let mode = fs::metadata(path)?.permissions().mode() & 0o777;
    Ok((mode & 0o077 != 0).then_some(mode))
}

fn draft_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

/// Makes a rename durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_created_file_is_private_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        assert_eq!(read_or_create(&path, || "first".to_owned()).unwrap(), "first");
        assert_eq!(read_or_create(&path, || "second".to_owned()).unwrap(), "first");
        assert_eq!(shared_mode(&path).unwrap(), None);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(shared_mode(&path).unwrap(), Some(0o640));
        replace(&path, b"third").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"third");
        assert_eq!(shared_mode(&path).unwrap(), None);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
