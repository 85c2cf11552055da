use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use countersign::{BuildError, PublicKey, Secret};

use crate::log;

/// Reads files for a loader, and remembers which: those are followed.
#[derive(Debug, Default)]
pub struct Files {
    pub(crate) read: BTreeSet<PathBuf>,
}

impl Files {
    /// Reads a secret, as [`Secret::from_file`] does.
    ///
    /// # Errors
    ///
    /// As [`Secret::from_file`].
    pub fn secret(&mut self, path: impl AsRef<Path>) -> Result<Secret, BuildError> {
        let path = self.note(path.as_ref());
        if is_readable_by_all(path) {
            log::readable_by_all(path);
        }
        Secret::from_file(path)
    }

    /// Reads a public key, as [`PublicKey::from_file`] does.
    ///
    /// # Errors
    ///
    /// As [`PublicKey::from_file`].
    pub fn public_key(&mut self, path: impl AsRef<Path>) -> Result<PublicKey, BuildError> {
        PublicKey::from_file(self.note(path.as_ref()))
    }

    /// Reads a text, such as a configuration.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is not UTF-8.
    pub fn text(&mut self, path: impl AsRef<Path>) -> io::Result<String> {
        fs::read_to_string(self.note(path.as_ref()))
    }

    /// Follows files that the loader reads otherwise, such as [`Config::files`](countersign#features).
    pub fn follow<P: AsRef<Path>>(&mut self, paths: impl IntoIterator<Item = P>) {
        for path in paths {
            self.note(path.as_ref());
        }
    }

    fn note<'p>(&mut self, path: &'p Path) -> &'p Path {
        self.read.insert(path.to_owned());
        path
    }
}

#[cfg(unix)]
fn is_readable_by_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn is_readable_by_all(_: &Path) -> bool {
    false
}
