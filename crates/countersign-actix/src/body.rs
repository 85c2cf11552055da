use std::{
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{dev::Payload, error::PayloadError};
use bytes::Bytes;
use futures_core::Stream;

/// The payload that the handler receives: the verified bytes, in one chunk.
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
