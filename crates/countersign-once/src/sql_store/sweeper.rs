use std::time::Duration;

use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use super::{Dialect, SqlStore};
use crate::log;

/// Rows that the sweeper removes in one transaction.
const STEP: u32 = 1000;

/// Removes expired rows in the background, until it is dropped.
#[derive(Debug)]
#[must_use = "dropping it ends the sweeping"]
pub struct Sweeper {
    _task: JoinSet<()>,
}

impl<DB: Dialect> SqlStore<DB> {
    /// Removes expired rows now and every `period`, in transactions of up to 1,000 rows. A failure is a log event (feature
    /// `tracing`), and the next period tries again. A period of less than a second counts as one.
    ///
    /// # Panics
    ///
    /// If called outside a Tokio runtime.
    pub fn sweeper(&self, period: Duration) -> Sweeper {
        let store = self.clone();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut ticks = interval(period.max(Duration::from_secs(1)));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                loop {
                    match store.sweep(STEP).await {
                        Ok(removed) if removed == u64::from(STEP) => {}
                        Ok(_) => break,
                        Err(failure) => {
                            log::not_swept(&failure);
                            break;
                        }
                    }
                }
            }
        });
        Sweeper { _task: task }
    }
}
