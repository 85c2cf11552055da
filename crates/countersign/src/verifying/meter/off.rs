use std::time::Instant;

pub(crate) struct Meter;

pub(crate) struct Turn;

#[expect(clippy::unused_self, reason = "with the feature, each of these uses it")]
impl Meter {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn set_clock(&mut self, _: fn() -> Instant) {}

    pub(crate) fn begin_turn(&mut self) -> Turn {
        Turn
    }

    pub(crate) fn begin_body(&mut self, _: &str) {}

    pub(crate) fn end_turn(&mut self, _: Turn) {}

    pub(crate) fn end(&mut self, _: Turn, _: usize, _: bool) {}
}
