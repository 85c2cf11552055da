//! What the watcher tells the operator.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc, thread::sleep, time::Duration};

use countersign_watch::Watch;
use tempfile::TempDir;

use crate::{eventually, load};

fn write_for(path: &Path, mode: u32, text: &str) {
    let next = path.with_extension("next");
    fs::write(&next, text).unwrap();
    fs::set_permissions(&next, fs::Permissions::from_mode(mode)).unwrap();
    fs::rename(next, path).unwrap();
}

#[test]
fn a_bad_file_is_one_error_and_a_secret_that_all_may_read_is_a_warning() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("of-the-log-test");
    let log = folder.path().join("log");
    let writer = Arc::new(fs::File::create(&log).unwrap());
    // For the watcher's own thread too. The other tests' events are told apart by the file that they name.
    tracing_subscriber::fmt().with_ansi(false).with_writer(writer).init();
    let lines = |level: &str| {
        let text = fs::read_to_string(&log).unwrap();
        assert!(!text.contains("open sesame"), "{text}");
        text.lines().filter(|line| line.contains("of-the-log-test") && line.contains(level)).count()
    };

    write_for(&path, 0o600, "open sesame");
    let watch = Watch::new().poll_every(Duration::from_millis(100));
    let (_verifier, watching) = watch.start(load(&path)).unwrap();
    assert_eq!(lines(" WARN "), 0);
    write_for(&path, 0o644, "open sesame 2");
    eventually("the warning is logged", || lines(" WARN ") > 0);

    write_for(&path, 0o600, "");
    eventually("the error is logged", || lines("ERROR") == 1);
    assert!(watching.status().failure.is_some());
    // It is looked at ten times more.
    sleep(Duration::from_secs(1));
    assert_eq!(lines("ERROR"), 1);
    write_for(&path, 0o600, "open sesame 3");
    eventually("it recovers", || watching.status().failure.is_none());
    write_for(&path, 0o600, " ");
    eventually("the next failure is logged", || lines("ERROR") == 2);
}
