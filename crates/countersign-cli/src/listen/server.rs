use std::{sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};

/// Limit on connections to one port. Most systems allow 1024 open files, and deliveries and the service need some.
const CONNECTIONS: usize = 400;

/// How long the head of a request may take.
const HEAD: Duration = Duration::from_secs(30);

/// The pause after which a connection is taken again where the process has no file left for one.
const PAUSE: Duration = Duration::from_millis(50);

/// How long requests in flight may take after the stop.
const LAST: Duration = Duration::from_secs(10);

/// Serves until `stop` is ready; then takes no more connections, and gives requests in flight their time.
pub(crate) async fn serve(listener: TcpListener, app: Router, stop: impl Future<Output = ()>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let next = async { (Arc::clone(&slots).acquire_owned().await, accept(&listener).await) };
        let (slot, stream) = tokio::select! {
            biased;
            () = &mut stop => break,
            next = next => next,
        };
        let service = TowerToHyperService::new(app.clone());
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // A connection that breaks off is the caller's business.
            let _ = connection.await;
            drop(slot);
        });
    }
    drop(listener);
    let _ = timeout(LAST, graceful.shutdown()).await;
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Without it, an answer in two parts would wait for the caller's acknowledgement.
                let _ = stream.set_nodelay(true);
                return stream;
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}
