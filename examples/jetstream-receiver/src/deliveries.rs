use std::{error::Error, fmt, time::Duration};

use async_nats::{
    ConnectOptions,
    jetstream::{
        Context,
        context::{ContextBuilder, PublishError},
        message::PublishMessage,
        stream::{Config, DiscardPolicy, StorageType, Stream},
    },
};
use countersign::{VerifiedDelivery, Verifier};

/// Where deliveries are published, under the name of their sender.
const SUBJECT: &str = "webhooks";
/// Where the worker publishes those that failed for good.
const DEAD_SUBJECT: &str = "webhooks-dead";

/// How long an acknowledgement of the stream may take: well below the 10 seconds that eWarehousing waits for ours.
const ACK_TIMEOUT: Duration = Duration::from_secs(5);

/// The stream of verified deliveries, and the stream of dead letters.
#[derive(Clone, Debug)]
pub struct Deliveries {
    context: Context,
    stream: Stream,
    max_payload: usize,
}

/// What the stream did with a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// It is stored.
    New,
    /// It was stored before, within the duplicate window.
    Duplicate,
}

impl Deliveries {
    /// Connects, and creates the streams unless they are there. `remember_for` is the duplicate window: how long the stream knows
    /// a copy again. `replicas` is how many servers keep each delivery.
    ///
    /// # Errors
    ///
    /// The server is away, has no JetStream, or has a stream of that name that is set up otherwise.
    pub async fn open(url: &str, remember_for: Duration, replicas: usize) -> Result<Self, OpenError> {
        let client = ConnectOptions::new()
            .request_timeout(Some(ACK_TIMEOUT))
            .connect(url)
            .await
            .map_err(OpenError::new)?;
        let max_payload = client.server_info().max_payload;
        let context = ContextBuilder::new().timeout(ACK_TIMEOUT).ack_timeout(ACK_TIMEOUT).build(client);
        let stream = |name: &str, subject: &str| Config {
            name: name.to_owned(),
            subjects: vec![format!("{subject}.*")],
            storage: StorageType::File,
            num_replicas: replicas,
            // A full stream must refuse a delivery, so that its sender comes again, and not drop an old one.
            discard: DiscardPolicy::New,
            duplicate_window: remember_for,
            ..Config::default()
        };
        context.get_or_create_stream(stream("WEBHOOKS_DEAD", DEAD_SUBJECT)).await.map_err(OpenError::new)?;
        let stream =
            context.get_or_create_stream(stream("WEBHOOKS", SUBJECT)).await.map_err(OpenError::new)?;
        let found = &stream.cached_info().config;
        if found.duplicate_window < remember_for || found.discard != DiscardPolicy::New {
            return Err(OpenError(
                "the stream WEBHOOKS is there and is set up otherwise: edit it with `nats stream edit`"
                    .into(),
            ));
        }
        Ok(Self { context, stream, max_payload })
    }

    /// Checks that the server takes every body that the verifier lets in.
    ///
    /// # Errors
    ///
    /// It does not: a delivery of that size would be refused again and again.
    pub fn check(&self, verifier: &Verifier) -> Result<(), OpenError> {
        // Headers count, too.
        let needed = verifier.body_limit().saturating_add(1024);
        if needed > self.max_payload {
            let limits = format!(
                "bodies may have {} bytes, and NATS takes {}",
                verifier.body_limit(),
                self.max_payload
            );
            return Err(OpenError(
                format!("{limits}: raise its `max_payload`, or lower the verifier's body limit").into(),
            ));
        }
        Ok(())
    }

    /// Publishes the delivery under its identity, and returns once the stream has acknowledged it.
    ///
    /// # Errors
    ///
    /// The stream did not acknowledge it in time, or refused it. It may be stored nevertheless: the retry is then a duplicate.
    pub async fn publish(&self, delivery: &VerifiedDelivery) -> Result<Published, PublishError> {
        let sender = delivery.scheme().name();
        let message = PublishMessage::build()
            .message_id(delivery.identify().identity.to_string())
            .header("Countersign-Sender", sender)
            .header("Countersign-Key", delivery.key().to_string())
            .payload(delivery.body().clone());
        let acknowledgement =
            self.context.send_publish(format!("{SUBJECT}.{sender}"), message).await?.await?;
        Ok(if acknowledgement.duplicate { Published::Duplicate } else { Published::New })
    }

    pub(crate) async fn bury(&self, sender: &str, message: PublishMessage) -> Result<(), PublishError> {
        self.context.send_publish(format!("{DEAD_SUBJECT}.{sender}"), message).await?.await?;
        Ok(())
    }

    pub(crate) fn stream(&self) -> &Stream {
        &self.stream
    }
}

/// The streams cannot be used.
#[derive(Debug)]
pub struct OpenError(Box<dyn Error + Send + Sync>);

impl OpenError {
    pub(crate) fn new(failure: impl Error + Send + Sync + 'static) -> Self {
        Self(failure.into())
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for OpenError {}
