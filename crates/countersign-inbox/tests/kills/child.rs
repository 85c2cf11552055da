//! What the processes do that are killed.

use std::{future::pending, io::Read, time::Duration};

use countersign_inbox::{Backoff, Delivery, Failure};
use tokio::{task::JoinSet, time::sleep};

use crate::{
    database::{Database, open},
    deliveries::{NO_HEADERS, delivery},
};

const SENDERS: usize = 8;
/// Of so many deliveries of one sender, one can never be handled.
pub(crate) const HOPELESS: u32 = 20;

/// Accepts deliveries without end, and prints the identity of each that it acknowledges. The deliveries of half the senders have
/// the sender as their order key; each sender sends one after the other, so that their order is certain.
pub(crate) async fn receive<DB: Database>(name: &str, address: &str) {
    let inbox = open::<DB>(address).await;
    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        let inbox = inbox.clone();
        let (key, rest) = if sender % 2 == 0 {
            (format!("{name}.{sender}"), String::new())
        } else {
            (String::new(), format!("{name}.{sender}."))
        };
        senders.spawn(async move {
            for number in 0_u32.. {
                let verified = delivery(format!("{key}/{rest}{number}"));
                while inbox.accept(&verified, &NO_HEADERS).await.is_err() {
                    sleep(Duration::from_millis(20)).await;
                }
                println!("{};", verified.identify().identity);
                sleep(Duration::from_millis(20)).await;
            }
        });
    }
    senders.join_all().await;
}

/// Handles deliveries without end. Each effect is in the delivery's own transaction; a tenth of the attempts fail after the effect.
///
/// The body `poison` ends the process at once.
pub(crate) async fn work<DB: Database>(address: &str, max_attempts: u32) {
    let inbox = open::<DB>(address).await;
    let work = inbox.work(async |delivery: Delivery<DB>| {
        if delivery.body() == "poison" {
            std::process::abort();
        }
        let number = str::from_utf8(delivery.body())?.rsplit(['/', '.']).next().unwrap_or_default();
        if number.parse::<u32>()? % HOPELESS == HOPELESS - 1 {
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
