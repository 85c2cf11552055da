//! Writes that arrive together share a commit.

use std::{future::Future, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    task::{JoinSet, yield_now},
};

use crate::StoreError;

/// The most writes that share a commit.
const MOST: usize = 256;
/// How many times other tasks may run before a group is written that is smaller than the last one.
const YIELDS: usize = 16;
/// How many writes may wait for a commit to end.
const QUEUE: usize = 4096;

/// Writes in groups: whatever arrives while a commit is under way shares the next one. A write that arrives alone is committed
/// alone, at once. A group waits for no timer, only for tasks that are ready to run.
#[derive(Debug)]
pub(crate) struct Group<T, A> {
    queue: mpsc::Sender<Write<T, A>>,
    _task: JoinSet<()>,
}

#[derive(Debug)]
struct Write<T, A> {
    item: T,
    answer: oneshot::Sender<Result<A, StoreError>>,
}

/// Writes items in one transaction, and has an answer for each.
pub(crate) trait GroupWriter<T, A>: Send + 'static {
    fn write(&mut self, items: &[T]) -> impl Future<Output = Result<Vec<A>, StoreError>> + Send;
}

impl<T: Send + Sync + 'static, A: Send + 'static> Group<T, A> {
    /// Spawns a task on the current runtime. Each transaction may take `limit`.
    pub(crate) fn spawn(writer: impl GroupWriter<T, A>, limit: Duration) -> Self {
        let (queue, writes) = mpsc::channel(QUEUE);
        let mut task = JoinSet::new();
        task.spawn(serve(writes, writer, limit));
        Self { queue, _task: task }
    }

    /// Returns once the item is committed, or failed to be. If the future is dropped, the item may be written nevertheless.
    pub(crate) async fn write(&self, item: T) -> Result<A, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.queue.send(Write { item, answer }).await.map_err(|_| StoreError::stopped())?;
        answered.await.map_err(|_| StoreError::stopped())?
    }
}

async fn serve<T: Send + Sync, A: Send>(
    mut writes: mpsc::Receiver<Write<T, A>>,
    mut writer: impl GroupWriter<T, A>,
    limit: Duration,
) {
    let mut group = Vec::with_capacity(MOST);
    let mut before = 0;
    while writes.recv_many(&mut group, MOST).await > 0 {
        // Who was answered just now is about to write again: let as many as last time share this commit, too.
        for _ in 0..YIELDS {
            if group.len() >= before {
                break;
            }
            yield_now().await;
            while group.len() < MOST
                && let Ok(write) = writes.try_recv()
            {
                group.push(write);
            }
        }
        before = group.len();
        // Whoever has gone away meanwhile wants nothing written.
        let (items, senders): (Vec<T>, Vec<_>) = group
            .drain(..)
            .filter(|write| !write.answer.is_closed())
            .map(|write| (write.item, write.answer))
            .unzip();
        let answers = within(&mut writer, &items, limit).await;
        for (answer, sender) in answers.into_iter().zip(senders) {
            // A receiver that is gone needs no answer.
            let _ = sender.send(answer);
        }
    }
}

/// Writes the group, or each item apart if the database refuses the group: one bad item must not fail the others.
async fn within<T: Sync, A: Send>(
    writer: &mut impl GroupWriter<T, A>,
    items: &[T],
    limit: Duration,
) -> Vec<Result<A, StoreError>> {
    match timely(writer, items, limit).await {
        Ok(answers) => answers.into_iter().map(Ok).collect(),
        Err(failure) if items.len() > 1 && failure.is_refusal() => {
            let mut answers = Vec::with_capacity(items.len());
            for item in items {
                let answer = timely(writer, std::slice::from_ref(item), limit).await;
                answers.push(
                    answer.and_then(|answers| answers.into_iter().next().ok_or_else(StoreError::stopped)),
                );
            }
            answers
        }
        Err(failure) => items.iter().map(|_| Err(failure.clone())).collect(),
    }
}

async fn timely<T: Sync, A: Send>(
    writer: &mut impl GroupWriter<T, A>,
    items: &[T],
    limit: Duration,
) -> Result<Vec<A>, StoreError> {
    tokio::time::timeout(limit, writer.write(items))
        .await
        .unwrap_or_else(|_| Err(StoreError::timed_out(limit)))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Takes a while for each group, refuses groups with a negative number, and remembers what it wrote.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<Vec<i32>>>>);

    impl GroupWriter<i32, i32> for Log {
        async fn write(&mut self, items: &[i32]) -> Result<Vec<i32>, StoreError> {
            tokio::time::sleep(Duration::from_millis(10)).await;
            if items.iter().any(|item| *item < 0) {
                return Err(StoreError::refused("negative"));
            }
            if items.contains(&1000) {
                std::future::pending::<()>().await;
            }
            self.0.lock().unwrap().push(items.to_vec());
            Ok(items.iter().map(|item| item.wrapping_neg()).collect())
        }
    }

    const LIMIT: Duration = Duration::from_secs(5);

    #[tokio::test(start_paused = true)]
    async fn writes_that_arrive_during_a_commit_share_the_next_one_and_each_gets_its_answer() {
        let log = Log::default();
        let group = Arc::new(Group::spawn(log.clone(), LIMIT));
        let mut tasks = JoinSet::new();
        for item in 0..100 {
            let group = Arc::clone(&group);
            tasks.spawn(async move { assert_eq!(group.write(item).await.unwrap(), -item) });
        }
        tasks.join_all().await;
        let groups = log.0.lock().unwrap().clone();
        assert!(groups.len() <= 3, "{groups:?}");
        assert_eq!(groups.concat().len(), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn one_bad_item_does_not_fail_the_others() {
        let group = Arc::new(Group::spawn(Log::default(), LIMIT));
        let mut tasks = JoinSet::new();
        for item in [1, -2, 3] {
            let group = Arc::clone(&group);
            tasks.spawn(async move { (item, group.write(item).await.is_ok()) });
        }
        let mut answers = tasks.join_all().await;
        answers.sort_unstable();
        assert_eq!(answers, [(-2, false), (1, true), (3, true)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_commit_that_hangs_is_given_up_and_the_next_goes_on() {
        let group = Group::spawn(Log::default(), LIMIT);
        assert!(group.write(1000).await.unwrap_err().is_timeout());
        assert_eq!(group.write(2).await.unwrap(), -2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_waits_for_any_more_is_not_written() {
        let log = Log::default();
        let group = Arc::new(Group::spawn(log.clone(), LIMIT));
        let first = tokio::spawn({
            let group = Arc::clone(&group);
            async move { group.write(1).await.unwrap() }
        });
        tokio::task::yield_now().await;
        let second = tokio::time::timeout(Duration::from_millis(1), group.write(2));
        assert!(second.await.is_err());
        first.await.unwrap();
        group.write(3).await.unwrap();
        assert_eq!(log.0.lock().unwrap().concat(), [1, 3]);
    }
}
