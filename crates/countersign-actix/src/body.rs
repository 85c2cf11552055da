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
use countersign::Rejection;
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

/// The body of a rejection, which holds what was not read of the request's.
///
/// actix drains a chunked payload that was dropped before the response, for as long as its sender likes; with one that
/// is still held it closes the connection after the response, as it was told to.
pub(crate) struct RejectionBody {
    text: Bytes,
    _unread: Payload,
}

impl RejectionBody {
    pub(crate) fn new(rejection: &Rejection, unread: Payload) -> Self {
        Self { text: Bytes::from_static(rejection.body().as_bytes()), _unread: unread }
    }
}

impl MessageBody for RejectionBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.text.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let text = std::mem::take(&mut self.text);
        Poll::Ready((!text.is_empty()).then_some(Ok(text)))
    }
}

impl fmt::Debug for RejectionBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RejectionBody").field("text", &self.text).finish_non_exhaustive()
    }
}
