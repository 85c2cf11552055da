//! The worker that runs.

use std::{
    collections::{HashMap, HashSet},
    future::Future,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use sqlx::Database;
use tokio::{
    task::{AbortHandle, Id, JoinError, JoinSet},
    time::{Interval, MissedTickBehavior, interval, sleep},
};

use crate::{
    Delivery, Failure, Inbox, StoreError,
    claim::{Claims, claim},
    delivery::Attempt,
    failure::{Verdict, tidy},
    inbox::Shared,
    log,
    millis::millis,
    store::{Dialect, Ending, Finish, Token},
    work_settings::WorkSettings,
};

/// How often finished deliveries are removed and gauges set.
const KEEP_UP_EVERY: Duration = Duration::from_secs(15);
/// How many deliveries are removed in one transaction.
const REMOVE_STEP: i64 = 500;

pub(crate) struct Worker<DB: Database, H> {
    inbox: Inbox<DB>,
    handler: Arc<H>,
    settings: Arc<WorkSettings>,
    handlers: JoinSet<Result<(), Failure>>,
    /// The deliveries that this worker has, by the attempt that has them.
    held: HashMap<(i64, Token), Held>,
    /// The attempt that each handler is for.
    attempts: HashMap<Id, (i64, Token)>,
    chores: JoinSet<Chore>,
    busy: Busy,
    /// Whether there may be something to claim.
    hungry: bool,
}

/// The chores that are under way, one of a kind at a time.
#[derive(Default)]
struct Busy {
    claiming: bool,
    extending: bool,
    keeping_up: bool,
}

/// A delivery that this worker has.
struct Held {
    attempt: Attempt,
    number: u32,
    received_at: SystemTime,
    sender: String,
    /// Whether its last attempt vanished.
    had_vanished: bool,
    /// The handler, while it runs.
    handler: Option<AbortHandle>,
}

/// What is done beside the handlers.
enum Chore {
    Claimed(Result<Claims, StoreError>),
    /// `None`: given up, since the database was away for as long as a lease.
    Finished(Box<Finish>, Option<bool>),
    Extended(HashSet<(i64, Token)>, Result<HashSet<(i64, Token)>, StoreError>),
    KeptUp,
}

impl<DB, H, F> Worker<DB, H>
where
    DB: Dialect,
    H: Fn(Delivery<DB>) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    pub(crate) fn new(inbox: Inbox<DB>, handler: Arc<H>, settings: WorkSettings) -> Self {
        Self {
            inbox,
            handler,
            settings: Arc::new(settings),
            handlers: JoinSet::new(),
            held: HashMap::new(),
            attempts: HashMap::new(),
            chores: JoinSet::new(),
            busy: Busy::default(),
            hungry: true,
        }
    }

    pub(crate) async fn run_until(mut self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let mut news = self.shared().news.subscribe();
        let mut poll = ticks(self.settings.poll_every);
        let mut heartbeat = ticks(self.heartbeat());
        let mut upkeep = ticks(KEEP_UP_EVERY);
        loop {
            self.claim();
            tokio::select! {
                () = &mut shutdown => break,
                Some(handled) = self.handlers.join_next_with_id() => self.handled(handled),
                Some(chore) = self.chores.join_next() => self.joined(chore),
                Ok(()) = news.changed() => self.hungry = true,
                _ = poll.tick() => self.hungry = true,
                _ = heartbeat.tick() => self.extend(),
                _ = upkeep.tick() => self.keep_up(),
            }
        }
        self.shut_down().await;
    }

    /// Waits for what is under way, at most for the time of grace, and hands the rest back.
    async fn shut_down(mut self) {
        log::shutting_down(self.handlers.len());
        let mut over = pin!(sleep(self.settings.grace));
        let mut heartbeat = ticks(self.heartbeat());
        while !(self.handlers.is_empty() && self.chores.is_empty()) {
            tokio::select! {
                Some(handled) = self.handlers.join_next_with_id() => self.handled(handled),
                Some(Ok(chore)) = self.chores.join_next() => self.hand_back_or(chore),
                _ = heartbeat.tick() => self.extend(),
                () = &mut over => break,
            }
        }
        // A handler is gone once it is joined, and its transaction with it.
        self.handlers.shutdown().await;
        let dropped: Vec<_> = self
            .held
            .values()
            .filter(|held| held.handler.is_some())
            .map(|held| held.attempt.clone())
            .collect();
        for attempt in dropped {
            self.finish(attempt.ends(Ending::HandedBack));
        }
        let mut over = pin!(sleep(self.shared().timeout()));
        while !self.chores.is_empty() {
            tokio::select! {
                Some(Ok(chore)) = self.chores.join_next() => self.hand_back_or(chore),
                () = &mut over => break,
            }
        }
    }

    /// A claim that comes in during the shutdown is handed back.
    fn hand_back_or(&mut self, chore: Chore) {
        let Chore::Claimed(Ok(claims)) = chore else { return self.chore_done(chore) };
        for claimed in claims.claimed {
            let delivery = Delivery::new(self.inbox.clone(), claimed);
            self.finish(delivery.attempt_at().ends(Ending::HandedBack));
        }
    }

    fn shared(&self) -> &Arc<Shared<DB>> {
        self.inbox.shared()
    }

    fn heartbeat(&self) -> Duration {
        self.settings.lease.checked_div(3).unwrap_or_default().max(Duration::from_millis(1))
    }

    /// Claims as many deliveries as there is room for, unless there is nothing to claim.
    fn claim(&mut self) {
        let room = self.settings.concurrency.saturating_sub(self.held.len());
        if self.busy.claiming || !self.hungry || room == 0 {
            return;
        }
        (self.busy.claiming, self.hungry) = (true, false);
        let takes_vanished = !self.held.values().any(|held| held.had_vanished);
        let (shared, settings) = (Arc::clone(self.shared()), Arc::clone(&self.settings));
        self.chores
            .spawn(async move { Chore::Claimed(claim(&shared, &settings, room, takes_vanished).await) });
    }

    fn start(&mut self, delivery: Delivery<DB>, had_vanished: bool) {
        let entry = delivery.entry();
        let (number, received_at, sender) = (entry.attempts, entry.received_at, entry.sender.clone());
        let attempt = delivery.attempt_at().clone();
        let (handler, limit) = (Arc::clone(&self.handler), self.settings.attempt_timeout);
        let handle = self.handlers.spawn(async move {
            match tokio::time::timeout(limit, async { handler(delivery).await }).await {
                Ok(result) => result,
                Err(_) => Err(Failure::retry(format!("the handler took longer than {limit:?}"))),
            }
        });
        let key = (attempt.id, attempt.token);
        self.attempts.insert(handle.id(), key);
        self.held
            .insert(key, Held { attempt, number, received_at, sender, had_vanished, handler: Some(handle) });
    }

    /// A handler has ended.
    fn handled(&mut self, handled: Result<(Id, Result<(), Failure>), JoinError>) {
        let (id, result) = match handled {
            Ok((id, result)) => (id, result),
            Err(failure) => (failure.id(), Err(Failure::retry(panic_message(failure)))),
        };
        // A handler whose lease was lost is not held any more.
        let Some(key) = self.attempts.remove(&id) else { return };
        let Some(held) = self.held.get_mut(&key) else { return };
        held.handler = None;
        let attempt = held.attempt.clone();
        if attempt.is_committed() {
            if let Err(failure) = &result {
                log::failed_after_commit(attempt.id, failure);
            }
            self.finished(&attempt.ends(Ending::Done { keep_for: Duration::ZERO }), true);
            return;
        }
        let ending = self.ending(key, result);
        self.finish(attempt.ends(ending));
    }

    fn ending(&self, key: (i64, Token), result: Result<(), Failure>) -> Ending {
        let Err(failure) = result else {
            return Ending::Done { keep_for: self.shared().settings.keep_for };
        };
        let number = self.held.get(&key).map_or(u32::MAX, |held| held.number);
        let text = failure.text();
        let is_last = number >= self.settings.max_attempts;
        match failure.verdict() {
            Verdict::Retry if !is_last => {
                Ending::Retry { after: self.settings.backoff.pause(number), failure: text }
            }
            Verdict::RetryAfter(after) if !is_last => Ending::Retry { after, failure: text },
            Verdict::Retry | Verdict::RetryAfter(_) | Verdict::Permanent => Ending::Dead { failure: text },
        }
    }

    /// Writes the end of an attempt, again and again for as long as a lease if the database fails.
    fn finish(&mut self, finish: Finish) {
        let (shared, settings) = (Arc::clone(self.shared()), Arc::clone(&self.settings));
        self.chores.spawn(async move {
            let began = Instant::now();
            loop {
                match shared.finish(finish.clone()).await {
                    Ok(held) => return Chore::Finished(Box::new(finish), Some(held)),
                    Err(failure) => log::not_finished(finish.id, &failure),
                }
                if began.elapsed() > settings.lease {
                    return Chore::Finished(Box::new(finish), None);
                }
                sleep(settings.poll_every).await;
            }
        });
    }

    fn finished(&mut self, finish: &Finish, was_held: bool) {
        let Some(held) = self.held.remove(&(finish.id, finish.token)) else { return };
        if was_held {
            log::finished(finish, &held.sender, held.number, held.received_at);
        } else {
            log::lost(finish.id, &held.sender);
        }
        // The next of its order key, or the next that vanished, may have its turn now.
        self.hungry |= finish.order_key.is_some() || held.had_vanished;
    }

    fn joined(&mut self, chore: Result<Chore, JoinError>) {
        match chore {
            Ok(chore) => self.chore_done(chore),
            // A chore that panics must not be waited for for ever.
            Err(_) => self.busy = Busy::default(),
        }
    }

    fn chore_done(&mut self, chore: Chore) {
        match chore {
            Chore::Claimed(claims) => {
                self.busy.claiming = false;
                match claims {
                    Ok(claims) => {
                        self.hungry |= claims.more;
                        log::buried(&claims.buried);
                        for claimed in claims.claimed {
                            let had_vanished = Some(claimed.stored.entry.id) == claims.vanished;
                            self.start(Delivery::new(self.inbox.clone(), claimed), had_vanished);
                        }
                    }
                    Err(failure) => log::not_claimed(&failure),
                }
            }
            Chore::Finished(finish, Some(was_held)) => self.finished(&finish, was_held),
            Chore::Finished(finish, None) => {
                self.held.remove(&(finish.id, finish.token));
            }
            Chore::Extended(asked, Ok(extended)) => {
                self.busy.extending = false;
                for key in asked.difference(&extended) {
                    self.drop_lost(key);
                }
            }
            Chore::Extended(_, Err(failure)) => {
                self.busy.extending = false;
                log::not_extended(&failure);
            }
            Chore::KeptUp => self.busy.keeping_up = false,
        }
    }

    /// Drops a handler whose delivery another worker may have by now. One that has ended finds out as its end is written.
    fn drop_lost(&mut self, key: &(i64, Token)) {
        if let Some(Held { handler: Some(handler), attempt, .. }) = self.held.get(key)
            && !attempt.is_committed()
        {
            handler.abort();
            if let Some(held) = self.held.remove(key) {
                log::lost(key.0, &held.sender);
            }
        }
    }

    /// Extends all leases.
    fn extend(&mut self) {
        if self.busy.extending || self.held.is_empty() {
            return;
        }
        self.busy.extending = true;
        let asked: HashSet<_> = self.held.keys().copied().collect();
        let (shared, lease) = (Arc::clone(self.shared()), millis(self.settings.lease));
        self.chores.spawn(async move {
            let held: Vec<_> = asked.iter().copied().collect();
            let extended = tokio::time::timeout(shared.timeout(), extend(&shared, &held, lease)).await;
            Chore::Extended(asked, extended.unwrap_or_else(|_| Err(StoreError::timed_out(shared.timeout()))))
        });
    }

    /// Removes what is finished and whose time is over, and sets the gauges.
    fn keep_up(&mut self) {
        if self.busy.keeping_up {
            return;
        }
        self.busy.keeping_up = true;
        let inbox = self.inbox.clone();
        self.chores.spawn(async move {
            #[cfg(feature = "metrics")]
            if let Ok(stats) = inbox.stats().await {
                log::filled(&stats);
            }
            loop {
                match inbox.remove_finished(REMOVE_STEP).await {
                    Ok(removed) if removed == REMOVE_STEP.unsigned_abs() => {}
                    Ok(_) => return Chore::KeptUp,
                    Err(failure) => {
                        log::not_removed(&failure);
                        return Chore::KeptUp;
                    }
                }
            }
        });
    }
}

/// Extends the leases and returns those of the attempts that have their delivery still, or have made it done.
async fn extend<DB: Dialect>(
    shared: &Shared<DB>,
    held: &[(i64, Token)],
    lease: i64,
) -> Result<HashSet<(i64, Token)>, StoreError> {
    let mut writing = shared.tables.write().await?;
    let connection = &mut *writing.transaction;
    let mut extended = DB::extend(connection, held, lease).await?;
    for attempt @ (id, token) in held {
        // Its handler has just committed, and may not have been told yet.
        if !extended.contains(attempt) && DB::is_done_by(connection, *id, token).await? {
            extended.insert(*attempt);
        }
    }
    writing.commit().await?;
    Ok(extended)
}

fn ticks(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn panic_message(failure: JoinError) -> String {
    let Ok(panic) = failure.try_into_panic() else { return "the handler was dropped".to_owned() };
    let message =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tidy(&format!("the handler panicked: {}", message.unwrap_or("without a message")))
}
