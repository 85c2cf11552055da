use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    body::{BodySize, MessageBody},
    dev::Payload,
    error::PayloadError,
};
use bytes::Bytes;
use futures_core::Stream;

/// The payload that the handler gets: the bytes that were verified, in one chunk.
pub(crate) struct VerifiedPayload(Option<Bytes>);

impl VerifiedPayload {
    pub(crate) fn payload(body: Bytes) -> Payload {
        if body.is_empty() { Payload::None } else { Payload::Stream { payload: Box::pin(Self(Some(body))) } }
    }
}

impl Stream for VerifiedPayload {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.take().map(Ok))
    }
}

/// The body of a rejection: no byte. It holds what was not read of the request's.
///
/// actix drains a chunked payload that was dropped before the response, for as long as its sender likes; with one that
/// is still held it closes the connection after the response, as it was told to.
pub(crate) struct RejectionBody {
    _unread: Payload,
}

impl RejectionBody {
    pub(crate) fn new(unread: Payload) -> Self {
        Self { _unread: unread }
    }
}

impl MessageBody for RejectionBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(0)
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(None)
    }
}

impl fmt::Debug for RejectionBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RejectionBody").finish_non_exhaustive()
    }
}
