use std::{fmt, path::Path};

use countersign_inbox::{BuildError, Delivery, SqliteInbox, sqlx::Sqlite};
use tokio::{sync::oneshot, task::JoinHandle};

use crate::SetupError;

/// An inbox in an SQLite file, and a worker in this process that handles its deliveries.
pub struct WorkedInbox {
    inbox: SqliteInbox,
    stop: oneshot::Sender<()>,
    worker: JoinHandle<Result<(), BuildError>>,
}

impl WorkedInbox {
    /// Opens the file, or creates it, and starts the worker. It calls `handle` for each delivery.
    ///
    /// # Errors
    /// If the file cannot be opened or is no inbox.
    pub async fn open(
        file: impl AsRef<Path>,
        handle: impl Fn(&Delivery<Sqlite>) + Clone + Send + Sync + 'static,
    ) -> Result<Self, SetupError> {
        let inbox = SqliteInbox::open(file).await?.build().await?;
        let work = inbox.work(move |delivery: Delivery<Sqlite>| {
            let handle = handle.clone();
            async move {
                handle(&delivery);
                Ok(())
            }
        });
        let (stop, stopped) = oneshot::channel();
        let worker = tokio::spawn(work.run_until(async {
            // An error means that the inbox was dropped, which stops the worker too.
            let _ = stopped.await;
        }));
        Ok(Self { inbox, stop, worker })
    }

    /// Where to accept deliveries into.
    pub fn inbox(&self) -> SqliteInbox {
        self.inbox.clone()
    }

    /// Lets running handlers finish. Deliveries that no handler has yet stay in the file for the next start.
    ///
    /// # Errors
    /// If the worker could not work or panicked.
    pub async fn close(self) -> Result<(), SetupError> {
        drop(self.stop);
        self.worker.await.map_err(|error| SetupError::new(&error.to_string()))??;
        Ok(())
    }
}

/// Logs that a delivery is handled.
pub fn log_handled(delivery: &Delivery<Sqlite>) {
    let (id, sender, bytes) = (delivery.entry().id, delivery.sender(), delivery.body().len());
    tracing::info!(id, sender, bytes, "handled a delivery from the inbox");
}

impl fmt::Debug for WorkedInbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkedInbox").field("inbox", &self.inbox).finish_non_exhaustive()
    }
}
