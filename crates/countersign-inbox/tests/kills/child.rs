//! What the processes do that are killed.

use std::{future::pending, io::Read, time::Duration};

use countersign_inbox::{Accepted, Backoff, Delivery, Failure};
use tokio::{task::JoinSet, time::sleep};

use crate::{
    database::{Database, open},
    senders::{Content, Sender},
    signing::NO_HEADERS,
};

/// Of so many deliveries, one can never be handled.
pub(crate) const HOPELESS: u32 = 20;
/// The number of a delivery that ends its worker's process at once.
pub(crate) const POISON: u32 = u32::MAX;

/// Accepts deliveries of all senders without end, and prints sender and identity of each that it acknowledges. Each sender has two
/// accounts: the deliveries of one have an order key. An account sends one after the other, so that their order is certain. A tenth
/// of what is acknowledged it sends once more.
pub(crate) async fn receive<DB: Database>(name: &str, address: &str) {
    let inbox = open::<DB>(address).await;
    let mut accounts = JoinSet::new();
    for is_ordered in [true, false] {
        for (index, sender) in Sender::all().into_iter().enumerate() {
            let inbox = inbox.clone();
            let account = format!("{name}.{index}.{is_ordered}");
            accounts.spawn(async move {
                for number in 0_u32.. {
                    let id = format!("{account}.{number}");
                    let content = Content { order: is_ordered.then(|| account.clone()), number };
                    let first = sender.delivery(&id, &content, false);
                    while inbox.accept(&first, &NO_HEADERS).await.is_err() {
                        sleep(Duration::from_millis(20)).await;
                    }
                    println!("{} {};", first.scheme().name(), first.identify().identity);
                    if fastrand::u8(..10) == 0 {
                        let again = inbox.accept(&sender.delivery(&id, &content, true), &NO_HEADERS).await;
                        assert!(matches!(again, Ok(Accepted::Duplicate) | Err(_)), "{id}: {again:?}");
                    }
                    sleep(Duration::from_millis(20)).await;
                }
            });
        }
    }
    accounts.join_all().await;
}

/// Handles deliveries without end. Each effect is in the delivery's own transaction; a tenth of the attempts fail after the effect.
pub(crate) async fn work<DB: Database>(address: &str, max_attempts: u32) {
    let inbox = open::<DB>(address).await;
    let work = inbox.work(async |delivery: Delivery<DB>| {
        let number = Content::of(delivery.body())?.number;
        if number == POISON {
            std::process::abort();
        }
        if number % HOPELESS == HOPELESS - 1 {
            return Err(Failure::permanent("hopeless"));
        }
        sleep(Duration::from_millis(fastrand::u64(..3))).await;
        let mut transaction = delivery.begin().await?;
        DB::add_effect(&mut **transaction, delivery.entry().id).await?;
        if fastrand::u8(..10) == 0 {
            return Err(Failure::retry("one in ten"));
        }
        Ok(transaction.commit().await?)
    });
    let work = work
        .max_attempts(max_attempts)
        .lease(Duration::from_secs(1))
        .backoff(Backoff::new(Duration::from_millis(10), Duration::from_millis(50)))
        .poll_every(Duration::from_millis(50));
    work.run_until(pending()).await.unwrap();
}

/// Ends this process once the one that started it is gone.
pub(crate) fn end_with_the_parent() {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(1);
    });
}
