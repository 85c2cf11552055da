//! How a claim ends.

use std::time::Duration;

/// What ends a claim.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    Complete(Duration),
    Release,
}
