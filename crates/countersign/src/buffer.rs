//! The one way in which a body is collected.

use std::{cmp, mem, ops::RangeInclusive, sync::Mutex};

/// The first size of a buffer, in bytes: no peer chooses it.
const FIRST_CAPACITY: usize = 16 * 1024;

/// The capacity, in bytes, of a buffer that is worth keeping: from 256 KiB to all that is kept.
const WORTH_KEEPING: RangeInclusive<usize> = 256 * 1024..=KEPT_AT_MOST;

/// The most that all kept buffers have together, in bytes.
const KEPT_AT_MOST: usize = 4 * 1024 * 1024;

/// Large buffers for the bodies to come, the last that was given back at the end. An allocator gives memory of this size back to
/// the kernel, and having it anew, page by page, costs a server up to a fifth of its time.
static KEPT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// A body, as far as it arrived; a large one is given back when it is dropped.
#[derive(Default)]
pub(crate) struct Buffer(Vec<u8>);

impl Buffer {
    /// Appends to a buffer that will have `most` bytes at the most, which the verification has checked already.
    ///
    /// It grows to sixteen times of what arrived, and never past `most`: so that little is copied on the way, and a peer that
    /// announces more than it sends gains little. What is not filled is no memory yet, only addresses.
    #[inline]
    pub(crate) fn append(&mut self, chunk: &[u8], most: usize) {
        let Self(bytes) = self;
        let length = bytes.len().saturating_add(chunk.len());
        if length > bytes.capacity() {
            let grown = cmp::max(FIRST_CAPACITY, length.saturating_mul(16));
            let capacity = cmp::max(length, cmp::min(grown, most));
            match take_kept(capacity) {
                Some(mut kept) => {
                    kept.extend_from_slice(bytes);
                    *bytes = kept;
                }
                None => bytes.reserve_exact(capacity.saturating_sub(bytes.len())),
            }
        }
        bytes.extend_from_slice(chunk);
    }

    fn is_worth_keeping(&self) -> bool {
        WORTH_KEEPING.contains(&self.0.capacity())
    }
}

#[cfg(feature = "bytes")]
impl From<Buffer> for bytes::Bytes {
    fn from(mut buffer: Buffer) -> Self {
        if buffer.is_worth_keeping() { Self::from_owner(buffer) } else { mem::take(&mut buffer.0).into() }
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.is_worth_keeping()
            && let Ok(mut kept) = KEPT.lock()
        {
            let mut bytes = mem::take(&mut self.0);
            bytes.clear();
            kept.push(bytes);
            while kept.iter().map(Vec::capacity).sum::<usize>() > KEPT_AT_MOST {
                kept.remove(0);
            }
        }
    }
}

/// A kept buffer of this capacity, and no more than half as much again.
fn take_kept(capacity: usize) -> Option<Vec<u8>> {
    if !WORTH_KEEPING.contains(&capacity) {
        return None;
    }
    let mut kept = KEPT.lock().ok()?;
    let fitting = capacity..=capacity.saturating_add(capacity / 2);
    let place = kept.iter().rposition(|bytes| fitting.contains(&bytes.capacity()))?;
    Some(kept.remove(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_of_small_chunks_grows_sixteenfold_and_never_past_the_most() {
        let limit = 250_000;
        let mut buffer = Buffer::default();
        let mut capacities = Vec::new();
        for _ in 0..125 {
            buffer.append(&[b'x'; 2_000], limit);
            capacities.push(buffer.0.capacity());
        }
        capacities.dedup();
        assert_eq!(capacities, [32_000, 250_000]);
    }

    /// The only one here that makes large buffers: all threads have them in common.
    #[test]
    fn a_large_buffer_is_used_again_empty_and_no_more_is_kept_than_that() {
        let large = |length: usize| {
            let mut buffer = Buffer::default();
            buffer.append(&vec![b'x'; length], length);
            buffer
        };
        let first = large(1_000_000);
        let place = first.0.as_ptr();
        drop(first);
        let mut again = Buffer::default();
        again.append(&vec![b'y'; 70_000], 900_000);
        assert_eq!((again.0.as_ptr(), again.as_ref()), (place, vec![b'y'; 70_000].as_slice()));
        // It is in use, and what is kept is neither too small nor far too large.
        drop(large(1_500_001));
        let other = large(1_000_000);
        assert_eq!(other.0.capacity(), 1_000_000);
        assert_ne!(other.0.as_ptr(), place);

        let all: Vec<Buffer> = (0..8).map(|_| large(1_000_000)).collect();
        drop((again, other, all, large(KEPT_AT_MOST + 1), large(WORTH_KEEPING.start() - 1)));
        let kept: Vec<usize> = KEPT.lock().unwrap().iter().map(Vec::capacity).collect();
        assert_eq!(kept, [1_000_000; 4]);
    }
}
