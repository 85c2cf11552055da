//! The one way in which a body is collected.

use std::cmp;

/// The first size of a buffer, in bytes: no peer chooses it.
const FIRST_CAPACITY: usize = 16 * 1024;

/// Appends to a buffer that will have `most` bytes at the most, which the verification has checked already.
///
/// It grows to sixteen times of what arrived, and never past `most`: so that little is copied on the way, and a peer that
/// announces more than it sends gains little. What is not filled is no memory yet, only addresses.
#[inline]
pub(crate) fn append(buffer: &mut Vec<u8>, chunk: &[u8], most: usize) {
    let length = buffer.len().saturating_add(chunk.len());
    if length > buffer.capacity() {
        let grown = cmp::max(FIRST_CAPACITY, length.saturating_mul(16));
        let capacity = cmp::max(length, cmp::min(grown, most));
        buffer.reserve_exact(capacity.saturating_sub(buffer.len()));
    }
    buffer.extend_from_slice(chunk);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_of_single_bytes_grows_sixteenfold_and_never_past_the_most() {
        let limit = 300_000;
        let mut buffer = Vec::new();
        let mut capacities = Vec::new();
        for _ in 0..limit {
            append(&mut buffer, b"x", limit);
            capacities.push(buffer.capacity());
        }
        capacities.dedup();
        assert_eq!(capacities, [16_384, 262_160, 300_000]);
    }
}
