use std::{
    future::{Future, IntoFuture, pending},
    io,
    pin::Pin,
    time::Duration,
};

use tokio::{
    signal::{
        ctrl_c,
        unix::{SignalKind, signal},
    },
    sync::oneshot,
    time::sleep,
};

/// How long open requests may go on after the shutdown began. A client that never ends its request would keep the receiver from
/// ending for ever.
pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);

/// Ready once the process is told to end.
pub type Shutdown = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Ready at SIGINT or SIGTERM.
///
/// # Errors
/// If the process cannot listen for signals.
pub fn shutdown() -> io::Result<Shutdown> {
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(Box::pin(async move {
        tokio::select! {
            _ = ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    }))
}

/// Runs a server that shuts down gracefully once the process is told to end. It drops requests that are still open when the time of
/// [`SHUTDOWN_GRACE`] is over: nobody has acknowledged them.
///
/// # Errors
/// If the process cannot listen for signals, or the server fails.
pub async fn serve<S>(server: impl FnOnce(Shutdown) -> S) -> io::Result<()>
where
    S: IntoFuture<Output = io::Result<()>>,
{
    let (shutdown, (tell, told)) = (shutdown()?, oneshot::channel());
    let stop = async move {
        shutdown.await;
        tracing::info!("shutting down: finishing open requests, refusing new ones");
        // An error means that the server has ended.
        let _ = tell.send(());
    };
    tokio::select! {
        served = server(Box::pin(stop)).into_future() => served,
        () = grace_is_over(told) => {
            tracing::warn!("dropping requests that are still open after {SHUTDOWN_GRACE:?}");
            Ok(())
        }
    }
}

async fn grace_is_over(told: oneshot::Receiver<()>) {
    match told.await {
        Ok(()) => sleep(SHUTDOWN_GRACE).await,
        Err(_) => pending().await,
    }
}
