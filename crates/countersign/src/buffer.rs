//! The one way in which a body is collected.

use std::{cmp, mem, ops::RangeInclusive, sync::Mutex};

/// The first size of a buffer, in bytes: no peer chooses it.
const FIRST_CAPACITY: usize = 16 * 1024;

/// The capacity, in bytes, of a buffer that is worth keeping: from 256 KiB to all that is kept.
const WORTH_KEEPING: RangeInclusive<usize> = 256 * 1024..=KEPT_AT_MOST;

/// The most that all kept buffers have together, in bytes.
const KEPT_AT_MOST: usize = 4 * 1024 * 1024;

/// Large buffers for the bodies to come, the last that was given back at the end. glibc gives memory of this size back to the
/// kernel between one body and the next, and having it anew, page by page, costs a server up to a fifth of its time.
static KEPT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// A body, as far as it arrived; a large one is given back when it is dropped.
#[derive(Default)]
pub(crate) struct Buffer(Vec<u8>);

impl Buffer {
    /// Appends to a buffer that will have `most` bytes at the most, which the verification has checked already; `limit` is the
    /// body limit.
    ///
    /// It grows to sixteen times of what arrived, and never past `most`: so that little is copied on the way, and a peer that
    /// announces more than it sends gains little. What is not filled is no memory yet, only addresses. A kept buffer may be
    /// half as large again, and never larger than the limit.
    #[inline]
    pub(crate) fn append(&mut self, chunk: &[u8], most: usize, limit: usize) {
        let Self(bytes) = self;
        let length = bytes.len().saturating_add(chunk.len());
        if length > bytes.capacity() {
            let grown = cmp::max(FIRST_CAPACITY, length.saturating_mul(16));
            let capacity = cmp::max(length, cmp::min(grown, most));
            match take_kept(capacity, limit) {
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
        if self.is_worth_keeping() {
            let mut bytes = mem::take(&mut self.0);
            bytes.clear();
            // Freed here, where no lock is held.
            drop(keep(bytes));
        }
    }
}

/// Keeps this one, and gives those that there is no room for then: the oldest.
fn keep(bytes: Vec<u8>) -> Vec<Vec<u8>> {
    let Ok(mut kept) = KEPT.lock() else { return vec![bytes] };
    kept.push(bytes);
    let mut capacity = 0_usize;
    let newest = kept.iter().rev().take_while(|bytes| {
        capacity = capacity.saturating_add(bytes.capacity());
        capacity <= KEPT_AT_MOST
    });
    let oldest = kept.len().saturating_sub(newest.count());
    kept.drain(..oldest).collect()
}

/// A kept buffer of this capacity, or up to half as much again.
fn take_kept(capacity: usize, limit: usize) -> Option<Vec<u8>> {
    if !WORTH_KEEPING.contains(&capacity) {
        return None;
    }
    let mut kept = KEPT.lock().ok()?;
    let fitting = capacity..=cmp::min(capacity.saturating_add(capacity / 2), limit);
    let place = kept.iter().rposition(|bytes| fitting.contains(&bytes.capacity()))?;
    Some(kept.remove(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_of_single_bytes_grows_sixteenfold_and_never_past_the_most() {
        let limit = 300_000;
        let mut buffer = Buffer::default();
        let mut capacities = Vec::new();
        for _ in 0..limit {
            buffer.append(b"x", limit, limit);
            capacities.push(buffer.0.capacity());
        }
        capacities.dedup();
        assert_eq!(capacities, [16_384, 262_160, 300_000]);
        // It is not to be kept: all threads have those in common.
        drop(mem::take(&mut buffer.0));
    }

    /// The only one here that keeps any.
    #[test]
    fn a_large_buffer_is_used_again_for_a_body_that_it_fits_and_holds_nothing_but_that() {
        let large = |length: usize| {
            let mut buffer = Buffer::default();
            buffer.append(&vec![b'x'; length], length, length);
            buffer
        };
        let place = |buffer: &Buffer| buffer.0.as_ptr();

        let first = large(1_000_000);
        let kept = place(&first);
        drop(first);
        // Too small for one, too large for the other, and over the limit of the third.
        for (length, limit) in [(1_000_001, 2_000_000), (600_000, 2_000_000), (900_000, 999_999)] {
            let mut other = Buffer::default();
            other.append(&vec![b'x'; length], length, limit);
            assert_eq!(other.0.capacity(), length);
            // It is not to be kept.
            drop(mem::take(&mut other.0));
        }
        let mut again = Buffer::default();
        again.append(&[b'y'; 10_000], 900_000, 2_000_000);
        assert_ne!(place(&again), kept);
        again.append(&vec![b'z'; 300_000], 900_000, 2_000_000);
        assert_eq!(place(&again), kept);
        assert_eq!(again.as_ref(), [vec![b'y'; 10_000], vec![b'z'; 300_000]].concat());
        // It is in use.
        assert_ne!(place(&large(1_000_000)), kept);

        #[cfg(feature = "bytes")]
        {
            let lent = bytes::Bytes::from(again);
            let clone = lent.clone();
            drop(lent);
            assert!(KEPT.lock().unwrap().iter().all(|bytes| bytes.as_ptr() != kept));
            drop(clone);
            assert!(KEPT.lock().unwrap().iter().any(|bytes| bytes.as_ptr() == kept));
        }

        let all: Vec<Buffer> = (0..8).map(|_| large(1_000_000)).collect();
        drop((all, large(KEPT_AT_MOST + 1), large(WORTH_KEEPING.start() - 1)));
        let kept: Vec<usize> = KEPT.lock().unwrap().iter().map(Vec::capacity).collect();
        assert_eq!(kept, [1_000_000; 4]);
    }
}
