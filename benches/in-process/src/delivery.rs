//! The deliveries: bodies in chunks, as a socket gives them, and the headers that sign them.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use countersign::{BuildError, Signer};
use futures_core::Stream;
use http_body::{Body, Frame, SizeHint};

/// The sizes of bodies in bytes.
pub const SIZES: [usize; 6] = [0, 200, 1 << 10, 16 << 10, 256 << 10, 1 << 20];

/// A signed request that can be sent any number of times.
#[derive(Clone)]
pub struct Delivery {
    pub headers: Vec<(String, String)>,
    chunks: Arc<[Bytes]>,
    stopwatch: Option<Arc<Stopwatch>>,
}

/// JSON of this size, because two of the peers accept only UTF-8.
pub fn body(size: usize) -> Bytes {
    let mut text = br#"{"eventType":"Orders.Created","data":"#.to_vec();
    text.resize(size.max(1) - 1, b'1');
    text.resize(size, b'}');
    Bytes::from(text)
}

impl Delivery {
    /// A delivery of `size` bytes in this number of chunks, or in one-byte chunks if there are fewer bytes.
    pub fn new(signer: &Signer, size: usize, chunks: usize) -> Result<Self, BuildError> {
        let body = body(size);
        let mut headers = signer.headers(&body, SystemTime::now())?;
        for (name, value) in [
            ("host", "shop.example"),
            ("user-agent", "sender/1.0"),
            ("accept", "*/*"),
            ("content-type", "application/json"),
            ("content-length", &size.to_string()),
        ] {
            headers.push((name.to_owned(), value.to_owned()));
        }
        let step = size.div_ceil(chunks).max(1);
        let chunks = (0..size).step_by(step).map(|start| body.slice(start..size.min(start + step)));
        Ok(Self { headers, chunks: chunks.collect(), stopwatch: None })
    }

    /// The same headers with another body, which a guard must reject.
    pub fn forged(&self) -> Self {
        let mut chunks = self.chunks.to_vec();
        match chunks.last_mut() {
            Some(last) => *last = Bytes::from(vec![b' '; last.len()]),
            None => chunks.push(Bytes::from_static(b" ")),
        }
        let mut forged = Self { chunks: chunks.into(), ..self.clone() };
        let length = forged.chunks.iter().map(Bytes::len).sum::<usize>();
        for (name, value) in &mut forged.headers {
            if name == "content-length" {
                *value = length.to_string();
            }
        }
        forged
    }

    /// Times from the last chunk of a body to the answer.
    pub fn timed_by(self, stopwatch: &Arc<Stopwatch>) -> Self {
        Self { stopwatch: Some(Arc::clone(stopwatch)), ..self }
    }

    pub fn chunks(&self) -> &[Bytes] {
        &self.chunks
    }

    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// A body for one request.
    pub fn stream(&self) -> Chunks {
        let left = self.chunks.iter().map(Bytes::len).sum();
        Chunks { all: Arc::clone(&self.chunks), next: 0, left, stopwatch: self.stopwatch.clone() }
    }

    /// Call this as soon as the response is there.
    pub fn answered(&self) {
        if let Some(stopwatch) = &self.stopwatch {
            stopwatch.stop();
        }
    }
}

/// Adds up the times from the last chunk of a body to the answer.
pub struct Stopwatch {
    origin: Instant,
    started: AtomicU64,
    total: AtomicU64,
}

impl Stopwatch {
    #[expect(clippy::new_without_default, reason = "a default would not say that it starts a clock")]
    pub fn new() -> Self {
        Self { origin: Instant::now(), started: AtomicU64::new(0), total: AtomicU64::new(0) }
    }

    /// Takes the total since the last call.
    pub fn take(&self) -> Duration {
        Duration::from_nanos(self.total.swap(0, Relaxed))
    }

    fn start(&self) {
        self.started.store(self.now(), Relaxed);
    }

    fn stop(&self) {
        self.total.fetch_add(self.now() - self.started.load(Relaxed), Relaxed);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// A body whose chunks are all ready, as an `http_body::Body` and as a stream for actix-web.
pub struct Chunks {
    all: Arc<[Bytes]>,
    next: usize,
    left: usize,
    stopwatch: Option<Arc<Stopwatch>>,
}

impl Iterator for Chunks {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let chunk = self.all.get(self.next)?.clone();
        self.next += 1;
        self.left -= chunk.len();
        if let (Some(stopwatch), true) = (&self.stopwatch, self.next == self.all.len()) {
            stopwatch.start();
        }
        Some(chunk)
    }
}

impl Body for Chunks {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.next().map(Frame::data).map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.next == self.all.len()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left as u64)
    }
}

impl Stream for Chunks {
    type Item = Result<Bytes, actix_web::error::PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.next().map(Ok))
    }
}
