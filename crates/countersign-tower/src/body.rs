use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

/// The body that the inner service gets: the bytes that were verified, then the trailers, if there were any.
///
/// Trailers arrive after the body and no signature covers them.
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

pin_project! {
    /// The body of a response: the inner service's, or that of a rejection.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        inner: Inner<B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = InnerProjection]
    enum Inner<B> {
        Answered { #[pin] body: B },
        Rejected { text: Option<&'static str> },
    }
}

impl<B> ResponseBody<B> {
    pub(crate) fn answered(body: B) -> Self {
        Self { inner: Inner::Answered { body } }
    }

    pub(crate) fn rejected(text: &'static str) -> Self {
        Self { inner: Inner::Rejected { text: Some(text) } }
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body<Data = Bytes>,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().inner.project() {
            InnerProjection::Answered { body } => body.poll_frame(cx),
            InnerProjection::Rejected { text } => {
                Poll::Ready(text.take().map(|text| Ok(Frame::data(Bytes::from_static(text.as_bytes())))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Answered { body } => body.is_end_stream(),
            Inner::Rejected { text } => text.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Answered { body } => body.size_hint(),
            Inner::Rejected { text } => SizeHint::with_exact(text.map_or(0, |text| text.len() as u64)),
        }
    }
}
