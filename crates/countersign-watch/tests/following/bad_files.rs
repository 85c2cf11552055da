//! Files that hold no key: each keeps the keys in use, says why, and does no harm once it is right again.

use std::{
    env, fs,
    os::unix::{
        fs::{PermissionsExt, symlink},
        process::CommandExt,
    },
    path::Path,
    process::Command,
    sync::atomic::Ordering,
    thread::sleep,
    time::Duration,
};

use countersign::{BuildError, PublicKey, Secret};
use countersign_watch::{Files, Watch};
use tempfile::TempDir;

use crate::{accepts, counted, eventually, load, replace, start};

/// Puts something at a path.
type Make = fn(&Path);

#[test]
fn a_bad_file_keeps_the_old_keys_and_recovers_by_itself() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file");
    let make_bad: [(&str, Make, &str); 8] = [
        ("missing", |_| {}, "cannot be read: entity not found"),
        ("empty", |path| fs::write(path, "").unwrap(), "is empty"),
        ("only a line end", |path| fs::write(path, "\r\n").unwrap(), "is empty"),
        ("blank", |path| fs::write(path, "  \n").unwrap(), "white space"),
        ("with two line ends", |path| fs::write(path, "good\n\n").unwrap(), "white space"),
        ("a directory", |path| fs::create_dir(path).unwrap(), "cannot be read: is a directory"),
        // No user can read it, root neither.
        ("a link to itself", |path| symlink(path, path).unwrap(), "cannot be read"),
        ("a placeholder", |path| fs::write(path, "changeme\n").unwrap(), "is a placeholder"),
    ];
    fs::write(&path, "good").unwrap();
    let (verifier, watching) = start(&path);
    for (what, make, reason) in make_bad {
        fs::remove_file(&path).unwrap();
        make(&path);
        let tells = || watching.status().failure.is_some_and(|failure| failure.contains(reason));
        eventually(what, tells);
        assert!(accepts(&verifier.current(), "good"), "{what}");
        fs::remove_dir(&path).or_else(|_| fs::remove_file(&path)).unwrap_or_default();
        fs::write(&path, "good").unwrap();
        eventually("it recovers", || watching.status().failure.is_none());
    }
}

#[test]
fn a_file_that_the_user_may_not_read_is_an_error_that_says_so() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "good").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let mut child = Command::new(env::current_exe().unwrap());
    child
        .args(["--exact", "bad_files::reads_in_a_child_process", "--nocapture"])
        .env("COUNTERSIGN_TEST_FILE", &path);
    if fs::read(&path).is_ok() {
        // Root may read everything, so the child runs as nobody.
        child.uid(65534).gid(65534).current_dir("/");
    }
    match child.output() {
        Ok(output) => {
            let shown = String::from_utf8_lossy(&output.stdout);
            assert!(shown.contains("cannot be read: permission denied"), "{output:?}");
        }
        Err(error) => eprintln!("SKIPPED: nobody cannot run this program: {error}"),
    }
}

#[test]
fn reads_in_a_child_process() {
    if let Some(path) = env::var_os("COUNTERSIGN_TEST_FILE") {
        println!("{}", Secret::from_file(path).unwrap_err());
    }
}

#[test]
fn a_secret_need_not_be_utf_8_but_a_text_and_a_public_key_must() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file");
    let bytes = [0xff, 0xfe, b'k', b'\n'];
    fs::write(&path, bytes).unwrap();
    assert_eq!(Files::default().secret(&path).unwrap(), Secret::new(bytes.split_last().unwrap().1));
    assert!(Files::default().text(&path).is_err());
    assert!(matches!(Files::default().public_key(&path), Err(BuildError::PublicKey { .. })));
}

#[test]
fn a_half_written_public_key_is_not_used_and_the_whole_one_is() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file");
    let (old, new) = (
        "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    );
    fs::write(&path, old).unwrap();
    let read = path.clone();
    let (key, watching) = Watch::new()
        .start(move |files| -> Result<PublicKey, BuildError> { files.public_key(&read) })
        .unwrap();
    let (half, rest) = new.split_at(40);
    fs::write(&path, half).unwrap();
    eventually("the half is refused", || watching.status().failure.is_some());
    assert!(*key.current() == PublicKey::from_text(old).unwrap());
    fs::write(&path, [half, rest].concat()).unwrap();
    eventually("the whole is used", || *key.current() == PublicKey::from_text(new).unwrap());
}

#[test]
fn files_that_turn_bad_and_good_a_thousand_times_end_right_and_never_cost_the_keys() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "good").unwrap();
    let (counted, loads) = counted(&path);
    let (verifier, watching) = Watch::new().start(counted).unwrap();
    let begun = std::time::Instant::now();
    for number in 0..1000 {
        replace(&path, ["", "changeme", "  ", "good"][number % 4]);
        assert!(accepts(&verifier.current(), "good"));
        sleep(Duration::from_millis(1));
    }
    let most = 20 + begun.elapsed().as_secs();
    eventually("the last one is used", || {
        watching.status().failure.is_none() && accepts(&verifier.current(), "good")
    });
    assert!(u64::try_from(loads.load(Ordering::SeqCst)).unwrap() < most, "{loads:?}");
}

#[test]
fn a_failure_is_told_once_and_a_service_does_not_start_with_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("secret");
    let failure = Watch::new().start(load(&path)).map(drop).unwrap_err();
    assert!(matches!(failure, BuildError::FileUnreadable { .. }), "{failure:?}");

    fs::write(&path, "good").unwrap();
    let (counted, loads) = counted(&path);
    let watch = Watch::new().poll_every(Duration::from_millis(100));
    let (_verifier, watching) = watch.start(counted).unwrap();
    eventually("it has looked again", || loads.load(Ordering::SeqCst) == 2);
    replace(&path, "");
    eventually("it has failed", || watching.status().failure.is_some());
    sleep(Duration::from_millis(600));
    assert_eq!(loads.load(Ordering::SeqCst), 3, "the same bad file is not loaded again");
}
