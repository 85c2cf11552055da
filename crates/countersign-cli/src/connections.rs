//! How the program takes HTTP/1.1 connections: in a bounded number, and with a time for everything.

use std::{convert::Infallible, error::Error, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use http::{Request, Response};
use http_body::Body;
use hyper::{body::Incoming, server::conn::http1, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_io_timeout::TimeoutStream;

/// The bounds on the connections to one port.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connections {
    /// Connections at a time. Others wait in the kernel's queue.
    pub(crate) most: usize,
    /// For a request's head, and for the next request on an open connection.
    pub(crate) head: Duration,
    /// For a caller to take more of its answer.
    pub(crate) send: Duration,
    /// For what is in flight at the end.
    pub(crate) end: Duration,
}

/// Limit on the head of a request, and on what of its body is read at once.
const BUFFER: usize = 32 * 1024;
/// The pause after which a connection is taken again where the process has no file left for one.
const PAUSE: Duration = Duration::from_millis(50);

impl Connections {
    /// Serves each caller until `stop` is ready; then takes no more connections, and gives requests in flight their time.
    pub(crate) async fn serve<S, B>(
        self,
        listener: TcpListener,
        service: impl Fn(SocketAddr) -> S,
        stop: impl Future<Output = ()>,
    ) where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Send + 'static,
        S::Future: Send,
        B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(self.head).max_buf_size(BUFFER);
        let slots = Arc::new(Semaphore::new(self.most.min(Semaphore::MAX_PERMITS)));
        let graceful = GracefulShutdown::new();
        let mut stop = pin!(stop);
        loop {
            let next = async { (Arc::clone(&slots).acquire_owned().await, accept(&listener).await) };
            let (slot, (stream, remote)) = tokio::select! {
                biased;
                () = &mut stop => break,
                next = next => next,
            };
            let mut stream = TimeoutStream::new(stream);
            // A caller that takes no answers must not hold its connection for ever.
            stream.set_write_timeout(Some(self.send));
            let stream = TokioIo::new(Box::pin(stream));
            let connection = graceful.watch(http.serve_connection(stream, service(remote)));
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%remote, "connection closed: {error}");
                }
                drop(slot);
            });
        }
        drop(listener);
        let connections = graceful.count();
        tracing::info!(connections, "no more requests are taken; those in flight end");
        if timeout(self.end, graceful.shutdown()).await.is_err() {
            tracing::warn!("requests were still in flight after the time for the shutdown, and are cut off");
        }
    }
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                // Without it, an answer in two parts would wait for the caller's acknowledgement.
                let _ = stream.set_nodelay(true);
                return (stream, remote);
            }
            Err(error) => {
                tracing::warn!("no connection taken: {error}");
                sleep(PAUSE).await;
            }
        }
    }
}
