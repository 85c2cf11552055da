//! Where keys are read from at start-up: environment variables and files.

use std::{env, fs, path::Path};

use zeroize::Zeroizing;

use crate::error::BuildError;

/// The value of an environment variable that holds a key; never empty.
pub(crate) fn read_env(variable: &str) -> Result<Zeroizing<String>, BuildError> {
    let variable = variable.to_owned();
    match env::var(&variable) {
        Ok(value) if value.is_empty() => Err(BuildError::EnvEmpty { variable }),
        Ok(value) => Ok(Zeroizing::new(value)),
        Err(env::VarError::NotPresent) => Err(BuildError::EnvUnset { variable }),
        Err(env::VarError::NotUnicode(_)) => Err(BuildError::EnvNotUnicode { variable }),
    }
}

/// The content of a file that holds a key, without the one line end that editors add; never empty.
pub(crate) fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, BuildError> {
    let file = || path.display().to_string();
    let mut bytes = fs::read(path)
        .map(Zeroizing::new)
        .map_err(|error| BuildError::FileUnreadable { file: file(), reason: error.kind().to_string() })?;
    // Only one: other white space could belong to the secret.
    for end in [b'\n', b'\r'] {
        if bytes.last() == Some(&end) {
            bytes.pop();
        }
    }
    if bytes.is_empty() { Err(BuildError::FileEmpty { file: file() }) } else { Ok(bytes) }
}
