use std::{
    cell::RefCell,
    convert::Infallible,
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    dev::Payload,
};
use bytes::Bytes;
use countersign::Linger;
use futures_core::Stream;

/// The part of a refused request's payload that has not been read, for the response to hold.
///
/// actix drains a chunked payload that was dropped before the response for as long as its sender likes. While the response
/// holds one, actix closes the connection afterwards, as it was told to. The response's head holds it as well as its body,
/// because middleware may replace the body.
#[derive(Clone)]
pub(crate) struct Unread(Rc<RefCell<Payload>>);

impl Unread {
    pub(crate) fn new(payload: Payload) -> Self {
        Self(Rc::new(RefCell::new(payload)))
    }

    /// An empty body whose end comes when the rest is discarded: actix reads a request until the response's body ends.
    pub(crate) fn discarded_by(&self, linger: Linger) -> BoxBody {
        let Self(payload) = self.clone();
        let next = move |cx: &mut Context<'_>| Pin::new(&mut *payload.borrow_mut()).poll_next(cx);
        let discarding = Box::pin(linger.discard(tokio::time::sleep, next));
        BoxBody::new(Discarding { discarding, _unread: self.clone() })
    }
}

struct Discarding<F> {
    discarding: Pin<Box<F>>,
    // The future drops its own with its end, before actix looks.
    _unread: Unread,
}

impl<F: Future<Output = ()>> MessageBody for Discarding<F> {
    type Error = Infallible;

    /// Unknown, or actix would not poll it.
    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        self.discarding.as_mut().poll(cx).map(|()| None)
    }
}
