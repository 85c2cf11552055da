use std::{
    error::Error,
    net::TcpListener,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, mpsc::Sender},
};

use clap::ValueEnum;
use countersign::Rejection;
use receiver_setup::{WorkedInbox, demo_endpoints, once_in_memory};

/// The reason for the latest rejection, as the receiver's operator sees it.
pub(crate) type Reason = Arc<Mutex<Option<&'static str>>>;

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Framework {
    Axum,
    Actix,
}

/// A receiver that handles each delivery before it answers, and one that stores it in an inbox first.
pub(crate) struct Receivers {
    pub(crate) handling: TcpListener,
    pub(crate) accepting: TcpListener,
    /// The file of the inbox.
    pub(crate) file: PathBuf,
    pub(crate) reason: Reason,
    /// Told of each delivery that the inbox's worker handles.
    pub(crate) worker: Sender<()>,
}

impl Receivers {
    /// Serves until a receiver fails.
    pub(crate) fn serve(self, framework: Framework) -> Result<(), Box<dyn Error + Send + Sync>> {
        match framework {
            Framework::Axum => tokio::runtime::Runtime::new()?.block_on(self.in_axum()),
            Framework::Actix => actix_web::rt::System::new().block_on(self.in_actix()),
        }
    }

    async fn in_axum(self) -> Result<(), Box<dyn Error + Send + Sync>> {
        let (inbox, on_reject) = (self.inbox().await?, self.on_reject());
        let handling = axum_receiver::router(demo_endpoints()?, once_in_memory()?, on_reject.clone());
        let accepting = axum_receiver::inbox_router(demo_endpoints()?, inbox.inbox(), on_reject);
        let listener = |listener: TcpListener| {
            listener.set_nonblocking(true)?;
            tokio::net::TcpListener::from_std(listener)
        };
        tokio::try_join!(
            axum::serve(listener(self.handling)?, handling).into_future(),
            axum::serve(listener(self.accepting)?, accepting).into_future()
        )?;
        Ok(())
    }

    async fn in_actix(self) -> Result<(), Box<dyn Error + Send + Sync>> {
        let (inbox, on_reject) = (self.inbox().await?, self.on_reject());
        let once = once_in_memory()?;
        tokio::try_join!(
            actix_receiver::serve(self.handling, demo_endpoints()?, once, on_reject.clone())?,
            actix_receiver::serve_inbox(self.accepting, demo_endpoints()?, inbox.inbox(), on_reject)?
        )?;
        Ok(())
    }

    async fn inbox(&self) -> Result<WorkedInbox, Box<dyn Error + Send + Sync>> {
        let worker = self.worker.clone();
        let handle = move |_: &_| {
            // Nobody listens any more once the program ends.
            let _ = worker.send(());
        };
        Ok(WorkedInbox::open(&self.file, handle).await?)
    }

    fn on_reject(&self) -> impl Fn(&Rejection) + Clone + Send + Sync + 'static {
        let reason = Arc::clone(&self.reason);
        move |rejection| {
            *reason.lock().unwrap_or_else(PoisonError::into_inner) = Some(rejection.kind().as_str());
        }
    }
}
