//! The command line.

use std::process::{Command, Output};

use countersign_inbox::State;

use crate::desk::{Desk, HOSTILE};

fn run(desk: &Desk, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_inbox-admin"))
        .args(["--database", &desk.url()])
        .args(arguments)
        .output()
        .unwrap()
}

fn printed(desk: &Desk, arguments: &[&str]) -> String {
    let output = run(desk, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_counts_and_lists_what_is_in_the_inbox() {
    let desk = Desk::new().await;
    let stats = printed(&desk, &["stats"]);
    assert!(stats.starts_with("pending 1, running 0, waiting 0, dead 1, finished 0"), "{stats}");
    assert!(printed(&desk, &["stats", "--json"]).contains(r#""dead":1"#));
    let all = printed(&desk, &["list"]);
    assert_eq!(all.lines().count(), 2, "{all}");
    let dead = printed(&desk, &["list", "--state", "dead", "--json"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&dead).unwrap()["state"], "dead");
    assert_eq!(printed(&desk, &["list", "--sender", "fluent"]), "");
    assert_eq!(printed(&desk, &["list", "--before", "2020-01-01T00:00:00Z"]), "");
    assert_eq!(
        printed(&desk, &["list", "--from", "2020-01-01T00:00:00Z", "--after", "1"]).lines().count(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_shows_a_body_byte_by_byte_and_no_control_character_in_a_list() {
    let desk = Desk::new().await;
    assert_eq!(printed(&desk, &["show", "1"]), HOSTILE);
    let list = printed(&desk, &["list"]);
    assert!(!list.contains('\u{1b}'), "{list:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_retries_discards_and_replays() {
    let desk = Desk::new().await;
    assert_eq!(printed(&desk, &["retry", "--state", "dead"]), "1 retried\n");
    assert_eq!(desk.state(1).await, State::Pending);
    desk.work(|_| Ok(())).await;
    assert_eq!(desk.state(1).await, State::Done);
    assert_eq!(printed(&desk, &["replay", "--id", "1"]), "1 replayed\n");
    assert_eq!(desk.state(1).await, State::Pending);
    assert_eq!(printed(&desk, &["discard", "--all"]), "1 discarded\n");
    assert_eq!((desk.state(1).await, desk.state(2).await), (State::Discarded, State::Done));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_changes_nothing_unless_told_what() {
    let desk = Desk::new().await;
    for command in ["retry", "replay", "discard"] {
        assert!(!run(&desk, &[command]).status.success(), "{command}");
    }
    assert_eq!((desk.state(1).await, desk.state(2).await), (State::Dead, State::Pending));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_creates_no_inbox_where_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("none.db");
    let output = Command::new(env!("CARGO_BIN_EXE_inbox-admin"))
        .args(["--database", &format!("sqlite:{}", file.display()), "stats"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(!file.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_serves_on_this_machine_only() {
    let desk = Desk::new().await;
    let output = run(&desk, &["serve", "--address", "0.0.0.0:0"]);
    assert!(!output.status.success());
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("not an address of this machine alone"), "{message}");
}
