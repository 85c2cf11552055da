//! The requests that the sender sends.

use data_encoding::HEXLOWER;
use hmac::Mac;
use loopback::key_schedule;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signature {
    Valid,
    Missing,
    /// Has the right length but is not hex.
    Malformed,
    /// Is well-formed but signs another body.
    Wrong,
}

impl Signature {
    pub(crate) const REFUSED: [Self; 3] = [Self::Missing, Self::Malformed, Self::Wrong];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Valid => "accepted",
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::Wrong => "wrong",
        }
    }

    /// The value of the header, for a body of this many bytes.
    pub(crate) fn header(self, body: usize) -> Option<String> {
        let signed = |body: &[u8]| {
            let mut mac = key_schedule();
            mac.update(body);
            format!("sha256={}", HEXLOWER.encode(&mac.finalize().into_bytes()))
        };
        match self {
            Self::Valid => Some(signed(&vec![b'x'; body])),
            Self::Missing => None,
            Self::Malformed => Some(format!("sha256={}", "x".repeat(64))),
            Self::Wrong => Some(signed(b"another body")),
        }
    }
}

/// The bytes of a request.
pub(crate) struct Delivery {
    pub(crate) bytes: Vec<u8>,
    pub(crate) head: usize,
    /// The number of bytes to hold back, so that the last byte of the body is not sent yet.
    pub(crate) tail: usize,
}

impl Delivery {
    /// The headers are those of `post.lua`. The body goes in chunks of this many bytes, or at once with its length.
    pub(crate) fn new(signature: Signature, body: usize, chunk: Option<usize>) -> Self {
        let signature = signature.header(body).map(|value| format!("X-Hub-Signature-256: {value}\r\n"));
        let length = match chunk {
            Some(_) => "Transfer-Encoding: chunked".to_owned(),
            None => format!("Content-Length: {body}"),
        };
        let head = format!(
            "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{}{length}\r\n\r\n",
            signature.unwrap_or_default()
        );
        let (head, mut bytes) = (head.len(), head.into_bytes());
        let body = vec![b'x'; body];
        let end: &[u8] = match chunk {
            Some(chunk) => {
                for chunk in body.chunks(chunk) {
                    bytes.extend(format!("{:x}\r\n", chunk.len()).bytes().chain(chunk.iter().copied()));
                    bytes.extend(b"\r\n");
                }
                bytes.extend(b"0\r\n\r\n");
                b"\r\n0\r\n\r\n"
            }
            None => {
                bytes.extend(body);
                b""
            }
        };
        Self { bytes, head, tail: 1 + end.len() }
    }
}
