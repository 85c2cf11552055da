#![expect(clippy::unused_self, reason = "the same as with metrics")]

use crate::{Fence, Outcome, StoreError, end::End};

#[derive(Clone)]
pub(crate) struct Sender;

impl Sender {
    pub(crate) fn unknown() -> Self {
        Self
    }

    pub(crate) fn named(_: &str) -> Self {
        Self
    }

    pub(crate) fn decided(&self, _: Outcome) {}

    pub(crate) fn ended(&self, _: End, _: Fence) {}

    pub(crate) fn gave_up(&self) {}
}

#[derive(Clone, Copy)]
pub(crate) struct Method;

impl Method {
    pub(crate) fn claim() -> Self {
        Self
    }

    pub(crate) fn extend() -> Self {
        Self
    }

    pub(crate) fn of(_: End) -> Self {
        Self
    }
}

pub(crate) struct Wait;

impl Wait {
    pub(crate) fn begin(_: Method) -> Self {
        Self
    }

    pub(crate) fn end<T>(self, _: Option<&Result<T, StoreError>>) {}
}
