use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, ErrorKind},
    path::PathBuf,
};

use sha2::{Digest, Sha256, digest::Output};

/// What files hold, so that a change shows: a digest of each, since they are secret, or why it cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint(BTreeMap<PathBuf, Result<Output<Sha256>, ErrorKind>>);

impl Fingerprint {
    pub(crate) fn of(files: &BTreeSet<PathBuf>) -> Self {
        Self(
            files.iter().map(|path| (path.clone(), digest(path).map_err(|failure| failure.kind()))).collect(),
        )
    }
}

fn digest(path: &PathBuf) -> io::Result<Output<Sha256>> {
    let mut digest = Sha256::new();
    io::copy(&mut fs::File::open(path)?, &mut Writer(&mut digest))?;
    Ok(digest.finalize())
}

/// A digest as a writer.
struct Writer<'d>(&'d mut Sha256);

impl io::Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
