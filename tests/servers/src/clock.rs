use std::{
    ffi::OsString,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    time::Duration,
};

use tempfile::TempDir;

use crate::find;

/// A wall clock that can be set, for processes that start under it: libfaketime. Their monotonic clock is the machine's.
#[derive(Debug)]
pub struct Clock {
    library: PathBuf,
    folder: TempDir,
}

impl Clock {
    /// The machine's time, until it is [set](Self::set). `None` where libfaketime is not installed: see the crate.
    pub fn start() -> Option<Self> {
        let folders: Vec<_> = fs::read_dir("/usr/lib")
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path().join("faketime")))
            .collect();
        let library = find("libfaketimeMT.so.1", &folders, "faketime")?;
        let folder = TempDir::new().expect("a temporary folder");
        // PostgreSQL may run as another user.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("a folder of ours");
        let clock = Self { library, folder };
        clock.set(Duration::ZERO);
        Some(clock)
    }

    /// Sets it to this much ahead of the machine's, at once and in every process.
    pub fn set(&self, ahead: Duration) {
        let next = self.folder.path().join("next");
        fs::write(&next, format!("+{}\n", ahead.as_secs())).expect("a file for the time");
        fs::rename(next, self.file()).expect("a file for the time");
    }

    /// The environment variables that put a process under it.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        vec![
            ("LD_PRELOAD", self.library.clone().into()),
            ("FAKETIME_TIMESTAMP_FILE", self.file().into()),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            ("FAKETIME_DISABLE_SHM", "1".into()),
        ]
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("time")
    }
}
