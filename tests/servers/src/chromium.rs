use std::{path::PathBuf, process::Command};

use tempfile::TempDir;

use crate::{Tab, find};

/// A browser without a window.
#[derive(Debug)]
pub struct Chromium {
    program: PathBuf,
    profile: TempDir,
}

impl Chromium {
    /// `None` where it is not installed: see the crate.
    pub fn find() -> Option<Self> {
        let program = find("chromium", &["/usr/bin".into()], "chromium")?;
        Some(Self { program, profile: TempDir::new().expect("a temporary folder") })
    }

    /// Opens the page and keeps it open.
    pub fn open(&self, url: &str) -> Tab {
        Tab::open(&self.program, url)
    }

    /// Opens the page, lets its scripts run, and returns the document as it is then.
    pub fn document(&self, url: &str) -> String {
        let output = Command::new(&self.program)
            // It cannot make its sandbox as root. What it opens here is ours.
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--virtual-time-budget=3000", "--dump-dom"])
            .arg(format!("--user-data-dir={}", self.profile.path().display()))
            .arg(url)
            .output()
            .expect("chromium runs");
        assert!(output.status.success(), "chromium: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("the document is text")
    }
}
