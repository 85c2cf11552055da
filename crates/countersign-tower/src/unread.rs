use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use countersign::Linger;
use http::{HeaderMap, header};
use http_body::{Body, Frame};
use tokio::runtime::Handle;

/// The part of a request's body that has not been read.
pub(crate) struct Unread<B> {
    // `None` after the last frame: a body must not be polled after its end.
    body: Option<B>,
    polled: bool,
}

impl<B> Unread<B> {
    pub(crate) fn new(body: B) -> Self {
        Self { body: Some(body), polled: false }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Unread<B> {
    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        self.polled = true;
        let next = ready!(Pin::new(body).poll_frame(cx));
        if !matches!(next, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(next)
    }

    /// Discards the rest in a task of its own, because a server reads a body only while somebody polls it.
    pub(crate) fn discard(&mut self, cx: &mut Context<'_>, headers: &HeaderMap, linger: Linger)
    where
        B: Send + 'static,
    {
        // The sender is waiting for `100 Continue`, which the server sends once the body is polled.
        let waits = !self.polled && headers.contains_key(header::EXPECT);
        if waits || linger.is_off() || self.ends_here(cx) {
            return;
        }
        if let (Some(mut body), Ok(runtime)) = (self.body.take(), Handle::try_current()) {
            runtime.spawn(linger.discard(tokio::time::sleep, move |cx| {
                let frame = Pin::new(&mut body).poll_frame(cx);
                frame.map_ok(|frame| frame.into_data().unwrap_or_default())
            }));
        }
    }

    /// Whether all of it has arrived: a small body comes with the head, in one frame, and needs no task.
    fn ends_here(&mut self, cx: &mut Context<'_>) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
            || (self.poll_frame(cx).is_ready() && self.poll_frame(cx).is_ready() && self.body.is_none())
    }
}
