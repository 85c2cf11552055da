//! Two receivers on two ports, one of each framework, behind a round-robin: they share the memory of one Redis.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use countersign::senders;
use countersign_once::{Once, RedisStore};
use test_servers::Redis;
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    harness::{Delivery, hmac_delivery},
    sockets::{last, send, serve_actix, serve_axum},
};

const COPIES: usize = 1000;
const DELIVERIES: usize = 200;
/// Long enough for no lease to run out while Redis is down, and short enough to wait for one afterwards.
const LEASE: Duration = Duration::from_secs(10);

/// What the sender sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// 200 with the handler's body: it ran.
    Handled,
    /// 200 without one.
    Duplicate,
    /// 503.
    Refused,
}

/// Sends each request to the next receiver in turn.
#[derive(Clone)]
struct RoundRobin([SocketAddr; 2]);

impl RoundRobin {
    /// Each receiver has a connection of its own to Redis.
    fn over(axum: Once, actix: Once) -> Self {
        let endpoints = || receiver_setup::demo_endpoints().unwrap();
        Self([
            serve_axum(move || axum_receiver::router(endpoints(), axum, |_| {})),
            serve_actix(move |listener| actix_receiver::serve(listener, endpoints(), actix, |_| {}).unwrap()),
        ])
    }

    async fn send(&self, turn: usize, delivery: &Delivery) -> Answer {
        let answer = send(self.0[turn % 2], &last(delivery, "moduslink")).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        match (head.split(' ').nth(1).unwrap(), body) {
            ("200", "") => Answer::Duplicate,
            ("200", body) => {
                assert!(body.starts_with(r#"{"sender":"moduslink""#), "{answer}");
                Answer::Handled
            }
            ("503", "") => Answer::Refused,
            _ => panic!("{answer}"),
        }
    }

    /// Sends a delivery until it is answered with success, and four times more. Returns how often the handler ran.
    async fn deliver(&self, number: usize) -> usize {
        let delivery = moduslink(number);
        let (mut runs, mut successes) = (0, 0);
        for turn in number.. {
            match self.send(turn, &delivery).await {
                Answer::Handled => (runs, successes) = (runs + 1, successes + 1),
                Answer::Duplicate => successes += 1,
                Answer::Refused => sleep(Duration::from_millis(50)).await,
            }
            if successes == 5 {
                break;
            }
        }
        runs
    }
}

fn moduslink(number: usize) -> Delivery {
    hmac_delivery(senders::moduslink(), receiver_setup::demo_keys::MODUSLINK, format!("order {number}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_copies_over_two_receivers_run_one_handler() {
    let Some(redis) = Redis::start() else { return };
    let memory = async || receiver_setup::Memory::at(Some(redis.url()), None).await.unwrap();
    let (one, other) = (memory().await, memory().await);
    let receivers = RoundRobin::over(one.once(), other.once());
    let connections = Arc::new(Semaphore::new(100));
    let mut copies = JoinSet::new();
    for turn in 0..COPIES {
        let (receivers, connections) = (receivers.clone(), Arc::clone(&connections));
        copies.spawn(async move {
            let _one = connections.acquire().await.unwrap();
            receivers.send(turn, &moduslink(0)).await
        });
    }
    let answers = copies.join_all().await;
    let count = |wanted| answers.iter().filter(|answer| **answer == wanted).count();
    assert_eq!(count(Answer::Handled), 1);
    // The others came while it ran or afterwards.
    assert_eq!(count(Answer::Duplicate) + count(Answer::Refused), COPIES - 1);
    for turn in 0..2 {
        assert_eq!(receivers.send(turn, &moduslink(0)).await, Answer::Duplicate);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_killed_and_started_again_lets_no_delivery_be_handled_twice_or_lost() {
    let Some(mut redis) = Redis::start() else { return };
    let once = async || {
        let store = RedisStore::connect(&redis.url()).await.unwrap();
        Once::builder(store).lease(LEASE).store_timeout(Duration::from_secs(1)).build().unwrap()
    };
    let receivers = RoundRobin::over(once().await, once().await);
    assert_eq!(receivers.send(0, &moduslink(DELIVERIES)).await, Answer::Handled);

    let mut senders = JoinSet::new();
    for number in 0..DELIVERIES {
        let receivers = receivers.clone();
        senders.spawn(async move {
            sleep(Duration::from_millis(5) * u32::try_from(number).unwrap()).await;
            receivers.deliver(number).await
        });
    }
    sleep(Duration::from_millis(400)).await;
    redis.kill();
    // Neither a new delivery nor one that was handled gets past a store that is away.
    for turn in 0..4 {
        let began = Instant::now();
        assert_eq!(receivers.send(turn, &moduslink(DELIVERIES)).await, Answer::Refused);
        assert_eq!(receivers.send(turn, &moduslink(DELIVERIES + 1)).await, Answer::Refused);
        assert!(began.elapsed() < LEASE, "{:?}", began.elapsed());
    }
    redis.restart();

    let runs = tokio::time::timeout(Duration::from_secs(90), senders.join_all()).await.unwrap();
    assert_eq!(runs, [1; DELIVERIES]);
    assert_eq!(receivers.deliver(DELIVERIES).await, 0);
    assert_eq!(receivers.deliver(DELIVERIES + 1).await, 1);
}
