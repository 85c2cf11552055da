use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use metrics::{Gauge, SharedString, gauge, histogram};

use crate::metrics::{BODIES_IN_FLIGHT, BODY_SIZE, RECEIVING_DURATION, VERIFICATION_DURATION};

/// Measures one delivery, from the first turn of the work on it.
pub(crate) struct Meter {
    clock: Option<fn() -> Instant>,
    began: Option<Instant>,
    busy: Duration,
    /// Once the body is being received.
    body: Option<InFlight>,
}

/// When a turn of the work began.
pub(crate) struct Turn(Option<Instant>);

/// A body that is being received. However that ends, it is counted no longer.
struct InFlight {
    sender: SharedString,
    bodies: Gauge,
}

impl Meter {
    pub(crate) fn new() -> Self {
        Self { clock: None, began: None, busy: Duration::ZERO, body: None }
    }

    pub(crate) fn set_clock(&mut self, clock: fn() -> Instant) {
        self.clock = Some(clock);
    }

    pub(crate) fn begin_turn(&mut self) -> Turn {
        let now = self.clock.map(|clock| clock());
        self.began = self.began.or(now);
        Turn(now)
    }

    pub(crate) fn begin_body(&mut self, sender: &str) {
        let sender = SharedString::from_shared(Arc::from(sender));
        let bodies = gauge!(BODIES_IN_FLIGHT, "sender" => sender.clone());
        bodies.increment(1);
        self.body = Some(InFlight { sender, bodies });
    }

    /// Adds the time of a turn, and returns what the clock says.
    pub(crate) fn end_turn(&mut self, Turn(began): Turn) -> Option<Instant> {
        let (now, began) = (self.clock?(), began?);
        self.busy = self.busy.saturating_add(now.saturating_duration_since(began));
        Some(now)
    }

    /// Records everything, at the verdict on a body of which this many bytes arrived.
    pub(crate) fn end(&mut self, turn: Turn, bytes: usize, is_verified: bool) {
        let now = self.end_turn(turn);
        let Some(body) = self.body.take() else { return };
        let verdict = if is_verified { "verified" } else { "rejected" };
        let record = |name: &'static str, value: f64| {
            histogram!(name, "sender" => body.sender.clone(), "verdict" => verdict).record(value);
        };
        #[expect(clippy::cast_precision_loss, reason = "a histogram's values are floats, exact up to 2^53")]
        record(BODY_SIZE, bytes as f64);
        if let (Some(now), Some(began)) = (now, self.began) {
            record(VERIFICATION_DURATION, self.busy.as_secs_f64());
            record(RECEIVING_DURATION, now.saturating_duration_since(began).as_secs_f64());
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.bodies.decrement(1);
    }
}
