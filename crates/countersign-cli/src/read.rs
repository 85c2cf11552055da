use std::{
    fs::File,
    io::{self, ErrorKind, Read},
    path::Path,
};

use zeroize::Zeroizing;

use crate::failure::Failure;

/// Opens a file, or the standard input for `-`.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Read>, Failure> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdin()));
    }
    Ok(Box::new(File::open(path).map_err(|error| unreadable(path, &error))?))
}

/// Reads a file, or the standard input for `-`, of at most `limit` bytes.
pub(crate) fn bytes(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    match at_most(open(path)?, limit) {
        Err(error) if error.kind() == ErrorKind::FileTooLarge => {
            Err(Failure::new(format_args!("{} is larger than {} MiB", path.display(), limit >> 20)))
        }
        read => read.map_err(|error| unreadable(path, &error)),
    }
}

/// Reads to the end, but not past `limit` bytes: more are an error of the kind [`FileTooLarge`](ErrorKind::FileTooLarge).
pub(crate) fn at_most(reader: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > limit) {
        return Err(io::Error::new(
            ErrorKind::FileTooLarge,
            format!("it is larger than {} MiB", limit >> 20),
        ));
    }
    Ok(bytes)
}

/// Reads a private key's file, wiped from memory when dropped.
pub(crate) fn private(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = String::from_utf8(bytes(path, 1 << 20)?);
    text.map(Zeroizing::new)
        .map_err(|_| Failure::new(format_args!("{} is not text: give a key in PEM", path.display())))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format_args!("cannot read {}: {error}", path.display()))
}
