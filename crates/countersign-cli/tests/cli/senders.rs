//! `countersign senders`

use serde_json::Value;

use crate::program::Program;

#[test]
fn the_table_has_a_line_for_each_named_sender() {
    let run = Program::new(["senders"]).run();
    assert_eq!(run.status, 0, "{run:?}");
    assert!(run.stdout.contains("  https://docs.stripe.com/webhooks/signature, 2026-"), "{run:?}");
    for name in countersign::senders::names() {
        assert!(run.stdout.lines().any(|line| line.starts_with(&format!("{name} "))), "{name}: {run:?}");
    }
    assert!(!run.stdout.contains('\u{1b}'), "no colours in a pipe: {run:?}");
}

#[test]
fn the_json_says_what_is_signed_and_where_that_is_stated() {
    let run = Program::new(["senders", "--json"]).run();
    let senders: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(senders.len(), countersign::senders::names().count());
    let stripe = senders.iter().find(|sender| sender["sender"] == "stripe").unwrap();
    assert_eq!(stripe["header"], "Stripe-Signature");
    assert_eq!(stripe["value"], "t=<timestamp>,v1=<hex>");
    assert_eq!(stripe["algorithm"], "hmac-sha256");
    assert_eq!(stripe["signed"], serde_json::json!(["the timestamp", "\".\"", "the body"]));
    for sender in &senders {
        assert!(sender["source"].as_str().unwrap().starts_with("https://"), "{sender}");
        assert_eq!(sender["checked"].as_str().unwrap().len(), "2026-11-21".len(), "{sender}");
    }
}

#[test]
fn one_sender_is_shown_in_detail() {
    let run = Program::new(["senders", "modern-dropship"]).run();
    assert_eq!(run.status, 0, "{run:?}");
    assert!(run.stdout.contains("  header:        Convictional-Signature: "), "{run:?}");
    assert!(run.stdout.contains("  inferred:      "), "{run:?}");
}

#[test]
fn an_unknown_sender_is_a_mistake_in_the_arguments() {
    let run = Program::new(["senders", "strip\u{1b}[2Je"]).run();
    assert_eq!((run.status, &*run.stdout), (2, ""), "{run:?}");
    assert!(run.stderr.contains(r"\u{1b}[2J"), "escaped: {run:?}");
    assert!(run.stderr.contains("unknown sender: use one of moduslink, "), "{run:?}");
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let run = Program::new(["senders", "--json"]).run_without_reader();
    assert_eq!((run.status, &*run.stderr), (0, ""), "{run:?}");
}
