//! What is said of a delivery that was to be stored.

/// What became of a delivery that was to be stored. Answer either with success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It is stored and will be handled.
    New,
    /// It was stored before; nothing changed.
    Duplicate,
}
