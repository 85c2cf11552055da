//! A body as it arrives: one chunk as it is, several in one buffer.

use std::{cmp, fmt, mem};

use bytes::Bytes;

/// The least capacity of a buffer, in bytes.
const LEAST_CAPACITY: usize = 16 * 1024;

/// The bytes of a body received so far.
pub(crate) enum Buffer {
    /// One chunk or none, uncopied.
    One(Bytes),
    Many(Vec<u8>),
}

impl Buffer {
    pub(crate) fn new() -> Self {
        Self::One(Bytes::new())
    }

    /// Appends a chunk to a body of at most `most` bytes.
    ///
    /// Capacity grows to 16 times the bytes received, capped at `most`. That keeps copies rare and gives nothing to a peer that
    /// announces more than it sends.
    #[inline]
    pub(crate) fn append(&mut self, chunk: Bytes, most: usize) {
        match self {
            _ if chunk.is_empty() => {}
            Self::One(first) if first.is_empty() => *first = chunk,
            Self::One(first) => {
                let first = mem::take(first);
                let mut buffer = Vec::new();
                extend(&mut buffer, &first, most);
                extend(&mut buffer, &chunk, most);
                *self = Self::Many(buffer);
            }
            Self::Many(buffer) => extend(buffer, &chunk, most),
        }
    }
}

#[inline]
fn extend(buffer: &mut Vec<u8>, chunk: &[u8], most: usize) {
    let length = buffer.len().saturating_add(chunk.len());
    if length > buffer.capacity() {
        let grown = cmp::max(LEAST_CAPACITY, length.saturating_mul(16));
        let capacity = cmp::max(length, cmp::min(grown, most));
        buffer.reserve_exact(capacity.saturating_sub(buffer.len()));
    }
    buffer.extend_from_slice(chunk);
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::One(only) => only,
            Self::Many(buffer) => buffer,
        }
    }
}

impl From<Buffer> for Bytes {
    fn from(buffer: Buffer) -> Self {
        match buffer {
            Buffer::One(only) => only,
            Buffer::Many(buffer) => buffer.into(),
        }
    }
}

/// Shows only the length: the content is the sender's business.
impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.as_ref().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "takes minutes")]
    fn a_body_of_single_bytes_grows_sixteenfold_and_never_exceeds_the_most() {
        let most = 300_000;
        let mut buffer = Buffer::new();
        let mut capacities = Vec::new();
        for _ in 0..most {
            buffer.append(Bytes::from_static(b"x"), most);
            if let Buffer::Many(buffer) = &buffer {
                capacities.push(buffer.capacity());
            }
        }
        capacities.dedup();
        assert_eq!(capacities, [16_384, 262_160, 300_000]);
        assert_eq!(buffer.as_ref(), vec![b'x'; most]);
    }

    #[test]
    fn a_body_of_one_chunk_is_not_copied() {
        let chunk = Bytes::from(vec![b'x'; 100]);
        let mut buffer = Buffer::new();
        buffer.append(Bytes::new(), 100);
        buffer.append(chunk.clone(), 100);
        buffer.append(Bytes::new(), 100);
        assert_eq!(Bytes::from(buffer).as_ptr(), chunk.as_ptr());
    }
}
