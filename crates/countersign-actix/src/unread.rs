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

/// The part of a rejected request's payload that has not been read. The response holds it.
///
/// If a chunked payload is dropped before the response, actix-web drains it for as long as its sender likes. While the
/// response holds it, actix-web closes the connection afterwards, as the response asks. Both the head and the body of the
/// response hold it, because middleware may replace the body.
#[derive(Clone)]
pub(crate) struct Unread(Rc<RefCell<Payload>>);

impl Unread {
    pub(crate) fn new(payload: Payload) -> Self {
        Self(Rc::new(RefCell::new(payload)))
    }

    /// An empty body that ends once the rest is discarded: actix-web reads a request until the response's body ends.
    pub(crate) fn discarded_by(&self, linger: Linger) -> BoxBody {
        let Self(payload) = self.clone();
        let next = move |cx: &mut Context<'_>| Pin::new(&mut *payload.borrow_mut()).poll_next(cx);
        let discarding = Box::pin(linger.discard(tokio::time::sleep, next));
        BoxBody::new(Discarding { discarding, _unread: self.clone() })
    }
}

struct Discarding<F> {
    discarding: Pin<Box<F>>,
    // The future drops its own when it ends, before actix-web looks.
    _unread: Unread,
}

impl<F: Future<Output = ()>> MessageBody for Discarding<F> {
    type Error = Infallible;

    /// Unknown: actix-web does not poll a body without bytes.
    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        self.discarding.as_mut().poll(cx).map(|()| None)
    }
}
