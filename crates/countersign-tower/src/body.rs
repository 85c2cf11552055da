use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

/// The body that the inner service receives: the verified bytes, then the trailers, if any.
///
/// No signature covers trailers, which arrive after the body.
#[derive(Debug, Default)]
pub struct VerifiedBody {
    data: Option<Bytes>,
    trailers: Option<Box<HeaderMap>>,
}

impl VerifiedBody {
    pub(crate) fn new(data: Bytes, trailers: Option<Box<HeaderMap>>) -> Self {
        Self { data: (!data.is_empty()).then_some(data), trailers }
    }
}

impl Body for VerifiedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let body = self.get_mut();
        let data = body.data.take().map(Frame::data);
        Poll::Ready(data.or_else(|| body.trailers.take().map(|trailers| Frame::trailers(*trailers))).map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.as_ref().map_or(0, |data| data.len() as u64))
    }
}
