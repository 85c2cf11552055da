//! What SIGTERM leaves behind.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

#[path = "../../receiver-setup/tests/terminated/mod.rs"]
mod terminated;

const RECEIVER: &str = env!("CARGO_BIN_EXE_actix-receiver");

#[test]
fn what_was_acknowledged_is_in_the_inbox_and_no_delivery_is_half_handled() {
    terminated::under_load(RECEIVER);
}

#[test]
fn a_client_that_never_ends_its_request_does_not_keep_the_receiver_from_ending() {
    terminated::with_stalled_clients(RECEIVER);
}
