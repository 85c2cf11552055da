//! Identities that no delivery had before.

use std::sync::atomic::{AtomicU64, Ordering};

use countersign_once::Identity;

/// An identity that nobody has seen in this process.
pub fn new() -> Identity {
    static NEXT: AtomicU64 = AtomicU64::new(1 << 32);
    numbered(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The same identity for the same number. Numbers below 2³² are never [`new`].
pub fn numbered(number: u64) -> Identity {
    let mut bytes = [0; 32];
    // Spread as a digest is.
    for (part, factor) in bytes.chunks_exact_mut(8).zip([0x9E37_79B9_7F4A_7C15, 3, 5, 7]) {
        part.copy_from_slice(&number.wrapping_mul(factor).to_be_bytes());
    }
    Identity::from_bytes(bytes)
}
