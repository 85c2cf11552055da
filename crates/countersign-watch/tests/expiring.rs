//! Keys of a silent sender that expire soon.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a test that goes wrong ends in a panic"
)]

use std::{
    fs, io,
    sync::{Arc, Mutex},
    thread::sleep,
    time::{Duration, Instant, SystemTime},
};

use countersign::{BuildError, Key, Secret, Verifier, senders};
use countersign_watch::{Files, Watch};
use tempfile::TempDir;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn warnings(&self, key: &str) -> usize {
        let log = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let is_one = |line: &&str| {
            line.contains("the only active webhook key expires soon")
                && line.contains(&format!("key=\"{key}\""))
        };
        log.lines().filter(is_one).count()
    }
}

/// A key with this file's text as its id and its secret, which expires tomorrow.
fn load(files: &mut Files, folder: &TempDir) -> Result<Verifier, BuildError> {
    let id = files.text(folder.path().join("id")).unwrap_or_default();
    let tomorrow = SystemTime::now() + Duration::from_secs(24 * 60 * 60);
    let key = Key::secret(&id, Secret::new(id.as_str())).expires_at(tomorrow);
    Verifier::builder(senders::moduslink()).key(key).build()
}

#[track_caller]
fn eventually(is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "not so after 60 seconds");
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_watcher_warns_of_the_keys_of_a_silent_sender_at_once_and_after_a_swap() {
    let log = Log::default();
    let writer = log.clone();
    // The watcher works on a thread of its own.
    tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).init();
    let folder = Arc::new(TempDir::new().unwrap());
    fs::write(folder.path().join("id"), "first").unwrap();
    let loaded = Arc::clone(&folder);
    let watch = Watch::new().poll_every(Duration::from_millis(100));
    let (verifier, _watching) = watch.start(move |files| load(files, &loaded)).unwrap();
    eventually(|| log.warnings("first") == 1);

    fs::write(folder.path().join("next"), "second").unwrap();
    fs::rename(folder.path().join("next"), folder.path().join("id")).unwrap();
    eventually(|| log.warnings("second") == 1);
    assert_eq!(verifier.current().key_ids().next().unwrap().as_str(), "second");
    // Many looks later, both have been warned of once.
    sleep(Duration::from_secs(1));
    assert_eq!([log.warnings("first"), log.warnings("second")], [1, 1]);
}
