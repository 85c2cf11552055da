//! The one way in which a body is collected.

use std::cmp;

/// The first size of a buffer, in bytes: no peer chooses it.
const FIRST_CAPACITY: usize = 4 * 1024;

/// Appends to a buffer that grows fourfold up to the limit, which the verification has checked already: what is copied on
/// the way is a third of the body, and memory that was never written to costs nothing.
#[inline]
pub(crate) fn append(buffer: &mut Vec<u8>, chunks: &[&[u8]], limit: usize) {
    // Nearly always there is room.
    if let [chunk] = chunks
        && chunk.len() <= buffer.capacity().saturating_sub(buffer.len())
    {
        buffer.extend_from_slice(chunk);
        return;
    }
    let length = chunks.iter().fold(buffer.len(), |sum, chunk| sum.saturating_add(chunk.len()));
    if length > buffer.capacity() {
        let grown = cmp::max(FIRST_CAPACITY, buffer.capacity().saturating_mul(4));
        let capacity = cmp::max(length, cmp::min(grown, limit));
        buffer.reserve_exact(capacity.saturating_sub(buffer.len()));
    }
    for chunk in chunks {
        buffer.extend_from_slice(chunk);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_of_single_bytes_grows_fourfold_and_never_past_the_limit() {
        let limit = 100_000;
        let mut buffer = Vec::new();
        let mut capacities = Vec::new();
        for _ in 0..limit {
            append(&mut buffer, &[b"x"], limit);
            capacities.push(buffer.capacity());
        }
        capacities.dedup();
        assert_eq!(capacities, [4_096, 16_384, 65_536, 100_000]);
    }
}
