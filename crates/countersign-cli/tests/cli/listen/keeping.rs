//! What is kept on disk.

use std::fs;

use serde_json::json;

use super::{
    listening::{Listening, size},
    service::Service,
};

fn ids(listening: &Listening) -> Vec<u64> {
    listening.list().iter().map(|delivery| delivery["id"].as_u64().unwrap()).collect()
}

#[test]
fn deliveries_outlive_a_restart_and_their_numbers_go_on() {
    let service = Service::start(200);
    let listening = Listening::forwarding(&service.url("/"));
    listening.deliver("/a", b"\xff\0");
    listening.forge("/b", &[("X-Bytes", "\u{e9}")], b"{}");
    listening.line_with("#2 ");
    let before = [listening.detail(1), listening.detail(2)];
    let folder = listening.folder();
    assert_eq!(listening.stop(), (Some(0), String::new()));

    let listening = Listening::in_folder(folder, ["--forward", &service.url("/")]);
    assert_eq!([listening.detail(1), listening.detail(2)].map(kept), before.map(kept));
    assert_eq!(listening.get("deliveries/1/body").body, b"\xff\0");
    assert_eq!(listening.replay(&[1])[0]["status"], 200);
    assert_eq!(service.got()[1].body, &b"\xff\0"[..]);
    listening.deliver("/c", b"{}");
    assert_eq!(ids(&listening), [1, 2, 3]);
}

/// The state on disk may be a moment old.
fn kept(mut detail: serde_json::Value) -> serde_json::Value {
    detail["is_kept"] = true.into();
    detail
}

#[test]
fn a_killed_program_loses_nothing_that_it_kept_and_leaves_no_rubbish() {
    let listening = Listening::start([""; 0]);
    listening.deliver("/a", b"{}");
    listening.until("kept", || (listening.list()[0]["is_kept"] == true).then_some(()));
    let (folder, kept) = (listening.folder(), listening.kept());
    drop(listening);
    for rubbish in ["00000002.body", "00000003.json.part"] {
        fs::write(kept.join(rubbish), "half").unwrap();
    }
    fs::write(kept.join("00000004.json"), "{").unwrap();
    for own in ["notes.txt", "film.part", "my.body", "list.json"] {
        fs::write(kept.join(own), "mine").unwrap();
    }
    let listening = Listening::in_folder(folder, [""; 0]);
    assert_eq!(ids(&listening), [1]);
    listening.line_with("2 files in the folder are no deliveries, and stay as they are");
    let there = |name: &str| kept.join(name).exists();
    assert!(!there("00000002.body") && !there("00000003.json.part"));
    for name in ["00000001.body", "00000004.json", "notes.txt", "film.part", "my.body", "list.json"] {
        assert!(there(name), "{name}");
    }
}

#[test]
fn no_more_are_kept_than_asked_for() {
    let listening = Listening::start(["--keep", "3", "--keep-mib", "1"]);
    for body in 0..5 {
        listening.deliver("/", &[body]);
    }
    listening.until("evicted", || (ids(&listening) == [3, 4, 5]).then_some(()));
    assert_eq!(listening.get("deliveries/2").status, 404);
    assert_eq!(listening.get("deliveries/2/body").status, 404);
    // By their bodies' size as well; the newest stays in any case.
    let large = vec![b'x'; 700 << 10];
    listening.deliver("/", &large);
    listening.deliver("/", &large);
    listening.until("evicted", || (ids(&listening) == [7]).then_some(()));
    listening.until("removed", || (size(&listening.kept()) < 800 << 10).then_some(()));
    let folder = listening.folder();
    listening.stop();
    let listening = Listening::in_folder(folder, ["--keep", "1"]);
    listening.deliver("/", b"{}");
    listening.until("evicted", || (ids(&listening) == [8]).then_some(()));
}

#[test]
#[cfg(unix)]
fn nobody_else_reads_the_folder_and_git_ignores_it() {
    use std::os::unix::fs::PermissionsExt;

    let listening = Listening::start([""; 0]);
    listening.deliver("/", b"{}");
    listening.until("kept", || (listening.list()[0]["is_kept"] == true).then_some(()));
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&listening.kept()), 0o700);
    for entry in fs::read_dir(listening.kept()).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    assert_eq!(fs::read_to_string(listening.kept().join(".gitignore")).unwrap(), "*\n");
}

#[test]
#[cfg(unix)]
fn a_folder_that_others_may_use_is_refused() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    for mode in [0o750, 0o701] {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        let program =
            crate::program::Program::new(["listen", "--sender", "github", "--secret-env", "SECRET"]);
        let run =
            program.args(["--folder".as_ref(), folder.path()]).env("SECRET", crate::named::SECRET).run();
        assert_eq!(run.status, 2, "{run:?}");
        assert!(run.stderr.contains(" is open to other users: give another --folder, or "), "{run:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
#[cfg(unix)]
fn links_in_the_folder_lead_nowhere() {
    let folder = std::sync::Arc::new(tempfile::TempDir::new().unwrap());
    let (kept, precious) = (folder.path().join(".countersign"), folder.path().join("precious"));
    fs::create_dir(&kept).unwrap();
    fs::set_permissions(&kept, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    fs::write(&precious, "precious").unwrap();
    for name in ["lock", ".gitignore", "00000001.body.part", "00000001.json.part", "00000001.body"] {
        std::os::unix::fs::symlink(&precious, kept.join(name)).unwrap();
    }
    let listening = Listening::in_folder(folder, [""; 0]);
    listening.deliver("/", b"{}");
    listening.until("kept", || (listening.list()[0]["is_kept"] == true).then_some(()));
    assert_eq!(fs::read_to_string(precious).unwrap(), "precious");
}

#[test]
fn a_folder_serves_one_program_at_a_time() {
    let listening = Listening::start([""; 0]);
    let program = crate::program::Program::new(["listen", "--sender", "github", "--secret-env", "SECRET"]);
    let run = program
        .args(["--address", "127.0.0.1:0", "--page", "127.0.0.1:0", "--folder"])
        .args([listening.kept()])
        .env("SECRET", crate::named::SECRET)
        .run();
    assert_eq!(run.status, 2, "{run:?}");
    assert!(
        run.stderr.starts_with("error: another `countersign listen` keeps its deliveries in "),
        "{run:?}"
    );
}

#[test]
fn a_secret_token_is_neither_kept_nor_shown_and_still_replayed() {
    let folder = std::sync::Arc::new(tempfile::TempDir::new().unwrap());
    let service = Service::start(200);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.args([
        "listen",
        "--sender",
        "gitlab-unsigned-token",
        "--secret-env",
        "SECRET",
        "--forward",
        &service.url("/"),
    ]);
    let listening = Listening::run(command, folder);
    let secret = crate::named::SECRET;
    let deliver = |token: &str| {
        super::http::request(listening.receiver, "POST /", &[("X-Gitlab-Token", token)], b"{}").status
    };
    assert_eq!((deliver(secret), deliver("the secret of another place")), (200, 401));
    assert_eq!(service.got()[0].headers["x-gitlab-token"], secret);
    listening.line_with("#2 ");
    let header = json!({ "name": "x-gitlab-token", "withheld": null });
    for id in [1, 2] {
        assert!(listening.detail(id)["headers"].as_array().unwrap().contains(&header));
        assert_eq!(listening.get(&format!("deliveries/{id}/curl")).status, 409);
    }
    let results = listening.replay(&[1, 2]);
    assert_eq!(results[0]["status"], 200);
    assert_eq!(service.got()[1].headers["x-gitlab-token"], secret);
    let error = results[1]["error"].as_str().unwrap();
    assert!(error.starts_with("its token is not kept"), "{error}");
    assert_eq!(service.got().len(), 2);

    let (folder, kept) = (listening.folder(), listening.kept());
    let lines = listening.lines().concat();
    assert_eq!(listening.stop(), (Some(0), String::new()));
    for entry in fs::read_dir(kept).unwrap() {
        let text = String::from_utf8_lossy(&fs::read(entry.unwrap().path()).unwrap()).into_owned();
        assert!(!text.contains(secret) && !text.contains("another place"), "{text}");
    }
    assert!(!lines.contains(secret), "{lines}");
    drop(folder);
}
