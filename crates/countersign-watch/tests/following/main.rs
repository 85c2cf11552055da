//! Files that change under a running watcher.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that goes wrong ends in a panic")]

mod bad_files;
mod log;

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant, SystemTime},
};

use countersign::{BuildError, Config, Rotating, Secret, Signer, Verifier, senders};
use countersign_watch::{Files, Watch, Watching};
use tempfile::TempDir;

const BODY: &[u8] = b"{\"order\":1}";

pub(crate) fn accepts(verifier: &Verifier, secret: &str) -> bool {
    let signer = Signer::new(senders::extend(), [Secret::new(secret.to_owned())]).unwrap();
    let now = SystemTime::now();
    verifier.verify(&signer.headers(BODY, now).unwrap(), BODY, now).is_ok()
}

pub(crate) fn load(path: &Path) -> impl Fn(&mut Files) -> Result<Verifier, BuildError> + Send + use<> {
    let path = path.to_owned();
    move |files| Verifier::builder(senders::extend()).secret("current", files.secret(&path)?).build()
}

/// A loader, and how often it has run.
pub(crate) fn counted(
    path: &Path,
) -> (impl Fn(&mut Files) -> Result<Verifier, BuildError> + Send + use<>, Arc<AtomicUsize>) {
    let (load, loads) = (load(path), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&loads);
    let counted = move |files: &mut Files| {
        counter.fetch_add(1, Ordering::SeqCst);
        load(files)
    };
    (counted, loads)
}

pub(crate) fn start(path: &Path) -> (Rotating, Watching) {
    Watch::new().poll_every(Duration::from_secs(60)).start(load(path)).unwrap()
}

#[track_caller]
pub(crate) fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "not so after a minute: {what}");
        sleep(Duration::from_millis(10));
    }
}

/// Replaces a file by a rename, as it should be done.
pub(crate) fn replace(path: &Path, content: impl AsRef<[u8]>) {
    let next = path.with_extension("next");
    fs::write(&next, content).unwrap();
    fs::rename(next, path).unwrap();
}

#[test]
fn a_load_that_is_asked_for_happens_although_no_file_has_changed() {
    let loads = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&loads);
    let (_, watching) = Watch::new()
        .poll_every(Duration::from_secs(60))
        .start(move |_| Ok::<_, BuildError>(counter.fetch_add(1, Ordering::SeqCst)))
        .unwrap();
    // The first load, and the look that follows it.
    eventually("the watcher waits", || loads.load(Ordering::SeqCst) == 2);
    watching.reload();
    eventually("it loads again", || loads.load(Ordering::SeqCst) == 3);
}

#[test]
fn a_secret_that_is_replaced_is_used_without_a_restart() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, "one\n").unwrap();
    let (verifier, watching) = start(&path);
    assert!(accepts(&verifier.current(), "one"));
    for (before, secret) in [("one", "two"), ("two", "three")] {
        replace(&path, secret);
        eventually("the new secret is used", || accepts(&verifier.current(), secret));
        assert!(!accepts(&verifier.current(), before));
    }
    assert!(watching.status().failure.is_none());
}

#[test]
fn a_secret_that_is_written_in_place_is_used() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, "one").unwrap();
    let (verifier, _watching) = start(&path);
    fs::write(&path, "two").unwrap();
    eventually("the new secret is used", || accepts(&verifier.current(), "two"));
}

#[test]
fn a_directory_that_kubernetes_replaces_is_followed() {
    let folder = TempDir::new().unwrap();
    let version = |name: &str, secret: &str| {
        let directory = folder.path().join(name);
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("secret"), secret).unwrap();
    };
    version("..2026_01", "one");
    symlink("..2026_01", folder.path().join("..data")).unwrap();
    let path = folder.path().join("secret");
    symlink("..data/secret", &path).unwrap();
    let (verifier, _watching) = start(&path);
    assert!(accepts(&verifier.current(), "one"));
    for (old, new, secret) in [("..2026_01", "..2026_02", "two"), ("..2026_02", "..2026_03", "three")] {
        version(new, secret);
        symlink(new, folder.path().join("..data_tmp")).unwrap();
        fs::rename(folder.path().join("..data_tmp"), folder.path().join("..data")).unwrap();
        fs::remove_dir_all(folder.path().join(old)).unwrap();
        eventually("the new secret is used", || accepts(&verifier.current(), secret));
    }
}

#[test]
fn a_file_that_is_replaced_a_thousand_times_is_loaded_a_few_times_and_ends_right() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, "first").unwrap();
    let began = Instant::now();
    let (counted, loads) = counted(&path);
    let (verifier, watching) = Watch::new().start(counted).unwrap();
    for number in 0..1000 {
        replace(&path, format!("number {number}"));
        sleep(Duration::from_micros(500));
    }
    eventually("the last one is used", || accepts(&verifier.current(), "number 999"));
    assert!(watching.status().failure.is_none());
    // A file must stay the same for a tenth of a second before it is loaded, as it does here and there on a loaded machine.
    let most = began.elapsed().as_millis() / 100 + 1;
    assert!(loads.load(Ordering::SeqCst) as u128 <= most, "{loads:?} of {most}");
}

#[test]
fn a_configuration_and_the_files_that_it_names_are_followed() {
    let folder = TempDir::new().unwrap();
    let config = folder.path().join("countersign.toml");
    let secret = folder.path().join("secret");
    let other = folder.path().join("other");
    let write = |path: &Path| {
        let text = format!(
            "[[senders]]\nsender = \"extend\"\nkeys = [{{ id = \"k\", secret = {{ file = {path:?} }} }}]"
        );
        replace(&config, text);
    };
    fs::write(&secret, "one").unwrap();
    fs::write(&other, "three").unwrap();
    write(&secret);
    let path = config.clone();
    let load = move |files: &mut Files| -> Result<BTreeMap<&str, Verifier>, String> {
        let text = files.text(&path).map_err(|failure| failure.to_string())?;
        // The message of `toml` alone: its `Display` quotes the line, which may hold a secret.
        let config: Config = toml::from_str(&text).map_err(|failure| failure.message().to_owned())?;
        files.follow(config.files());
        let verifier = config.verifier().map_err(|failure| failure.to_string())?;
        Ok(BTreeMap::from([("/webhooks/extend", verifier)]))
    };
    let (endpoints, watching) = Watch::new().poll_every(Duration::from_secs(60)).start(load).unwrap();
    let uses = |secret: &str| accepts(endpoints.current().get("/webhooks/extend").unwrap(), secret);
    assert!(uses("one"));
    replace(&secret, "two");
    eventually("the secret's file is followed", || uses("two"));
    write(&other);
    eventually("the configuration is followed", || uses("three"));
    replace(&other, "four");
    eventually("so is the file that it names now", || uses("four"));
    replace(&config, "[[senders]]\nsender = \"ext");
    eventually("a half-written configuration fails", || watching.status().failure.is_some());
    assert!(uses("four"));
}

#[test]
fn a_dropped_watcher_follows_no_more() -> io::Result<()> {
    let folder = TempDir::new()?;
    let path = folder.path().join("secret");
    fs::write(&path, "one")?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    let (verifier, watching) = start(&path);
    drop(watching);
    sleep(Duration::from_millis(300));
    replace(&path, "two");
    sleep(Duration::from_millis(500));
    assert!(accepts(&verifier.current(), "one"));
    Ok(())
}
