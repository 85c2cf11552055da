use std::{error::Error, future::Future, time::Duration};

use async_nats::jetstream::{
    AckKind, Message,
    consumer::{AckPolicy, Consumer, pull::Config},
    message::PublishMessage,
};
use futures_util::StreamExt;

use crate::{Deliveries, OpenError};

/// How long the stream waits for the end of an attempt before it gives the delivery to another worker. A handler that lives says so
/// three times in that period.
const ACK_WAIT: Duration = Duration::from_secs(30);
const PROGRESS_EVERY: Duration = Duration::from_secs(10);
/// The last attempt.
const MAX_ATTEMPTS: i64 = 20;
/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// Takes deliveries out of the stream. Any number of workers, on any number of machines, share the consumer `workers`.
#[derive(Debug)]
pub struct Worker {
    deliveries: Deliveries,
    consumer: Consumer<Config>,
}

/// A verified delivery.
#[derive(Debug)]
pub struct Delivery {
    message: Message,
    attempt: i64,
}

impl Delivery {
    /// The body, exactly as it was signed.
    pub fn body(&self) -> &[u8] {
        &self.message.payload
    }

    /// The sender's scheme, such as `moduslink`.
    pub fn sender(&self) -> &str {
        self.header("Countersign-Sender")
    }

    /// Which delivery it is. A handler can be run twice for one: use this as the key under which it has its effect.
    pub fn identity(&self) -> &str {
        self.header("Nats-Msg-Id")
    }

    /// Which attempt this is; the first is 1.
    pub fn attempt(&self) -> i64 {
        self.attempt
    }

    fn header(&self, name: &str) -> &str {
        self.message.headers.as_ref().and_then(|headers| headers.get(name)).map_or("", |value| value.as_str())
    }
}

impl Worker {
    /// Joins the workers of the stream, or is the first.
    ///
    /// # Errors
    ///
    /// The server is away, or has a consumer of that name that is set up otherwise.
    pub async fn join(deliveries: Deliveries) -> Result<Self, OpenError> {
        let config = Config {
            durable_name: Some("workers".to_owned()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            ..Config::default()
        };
        let consumer =
            deliveries.stream().get_or_create_consumer("workers", config).await.map_err(OpenError::new)?;
        Ok(Self { deliveries, consumer })
    }

    /// Handles deliveries, one at a time, until the server closes the consumer. A handler that fails is tried again after a pause.
    ///
    /// # Errors
    ///
    /// The consumer is gone. A server that is away is waited for.
    pub async fn run<F>(&self, handler: impl Fn(Delivery) -> F) -> Result<(), OpenError>
    where
        F: Future<Output = Result<(), Box<dyn Error + Send + Sync>>>,
    {
        let mut messages = self.consumer.messages().await.map_err(OpenError::new)?;
        while let Some(message) = messages.next().await {
            let message = match message {
                Ok(message) => message,
                Err(failure) => {
                    tracing::warn!(%failure, "no webhook delivery from the stream");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    continue;
                }
            };
            if let Err(failure) = self.handle(message, &handler).await {
                tracing::warn!(failure, "the end of a webhook delivery's handler was not acknowledged");
            }
        }
        Ok(())
    }

    async fn handle<F>(
        &self,
        message: Message,
        handler: &impl Fn(Delivery) -> F,
    ) -> Result<(), Box<dyn Error + Send + Sync>>
    where
        F: Future<Output = Result<(), Box<dyn Error + Send + Sync>>>,
    {
        let attempt = message.info()?.delivered;
        let delivery = Delivery { message: message.clone(), attempt };
        let sender = delivery.sender().to_owned();
        let handled = {
            let mut handling = std::pin::pin!(handler(delivery));
            loop {
                tokio::select! {
                    handled = &mut handling => break handled,
                    () = tokio::time::sleep(PROGRESS_EVERY) => {
                        if let Err(failure) = message.ack_with(AckKind::Progress).await {
                            tracing::warn!(sender, failure, "the stream was not told that a handler still runs");
                        }
                    }
                }
            }
        };
        let Err(failure) = handled else {
            // The stream confirms it, so that a lost acknowledgement shows.
            return message.double_ack().await;
        };
        if attempt < MAX_ATTEMPTS {
            let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(0);
            let pause = Duration::from_secs(2_u64.saturating_pow(doublings)).min(LONGEST_PAUSE);
            tracing::warn!(
                sender,
                attempt,
                failure,
                ?pause,
                "webhook delivery failed and will be tried again"
            );
            return message.ack_with(AckKind::Nak(Some(pause))).await;
        }
        tracing::error!(
            sender,
            attempt,
            failure,
            "webhook delivery failed for good: it is a dead letter now"
        );
        let headers = message.headers.clone().unwrap_or_default();
        let dead = PublishMessage::build().headers(headers).payload(message.payload.clone());
        self.deliveries.bury(&sender, dead).await?;
        message.ack_with(AckKind::Term).await
    }
}
