use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use countersign::{Config, ConfigSenders, Linger};
use serde::{Deserialize, Deserializer, Serialize, de};

use super::{address::UpstreamAddress, once::OnceConfig};

/// The configuration file of `countersign serve`. Unknown fields are errors.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServeConfig {
    /// Where deliveries arrive: plain HTTP/1.1.
    #[serde(default = "ServeConfig::default_listen")]
    pub(crate) listen: SocketAddr,
    /// Where health, readiness and metrics are. Nowhere unless set.
    pub(crate) admin: Option<SocketAddr>,
    /// The service behind every route that names none itself.
    pub(crate) upstream: Option<UpstreamAddress>,
    /// Whether a proxy in front is trusted to set `Forwarded` and `X-Forwarded-*`. Otherwise they are replaced.
    #[serde(default)]
    pub(crate) trust_forwarded: bool,
    #[serde(default)]
    pub(crate) timeouts: Timeouts,
    #[serde(default)]
    pub(crate) limits: Limits,
    pub(crate) once: Option<OnceConfig>,
    pub(crate) inbox: Option<InboxConfig>,
    #[serde(default, rename = "route")]
    pub(crate) routes: Vec<RouteConfig>,
}

impl ServeConfig {
    /// Where the deliveries of a route go.
    pub(crate) fn upstream_of<'c>(&'c self, route: &'c RouteConfig) -> Option<&'c UpstreamAddress> {
        route.upstream.as_ref().or(self.upstream.as_ref())
    }

    fn default_listen() -> SocketAddr {
        (Ipv4Addr::LOCALHOST, 8080).into()
    }
}

/// One path, and who may deliver there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RouteConfig {
    /// Matched byte by byte, without the query.
    pub(crate) path: String,
    pub(crate) upstream: Option<UpstreamAddress>,
    /// Most senders do not sign the method: a captured delivery could be replayed under another one.
    #[serde(default = "RouteConfig::default_methods")]
    pub(crate) methods: Vec<String>,
    #[serde(default)]
    pub(crate) handling: Handling,
    pub(crate) senders: ConfigSenders,
    pub(crate) on_several: Option<String>,
}

impl RouteConfig {
    fn default_methods() -> Vec<String> {
        vec!["POST".to_owned()]
    }

    pub(crate) fn endpoint(&self) -> Config {
        Config::new(self.senders.clone(), self.on_several.clone())
    }
}

/// What happens to a verified delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Handling {
    /// It is forwarded, and the service's answer goes back.
    #[default]
    Forward,
    /// The same, once for each delivery: the field `once` says who remembers them.
    Once,
    /// It is stored and answered; a worker forwards it.
    Inbox,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Timeouts {
    /// For a request's head, and for the next request on an open connection.
    #[serde(rename = "head_seconds", deserialize_with = "seconds")]
    pub(crate) head: Duration,
    #[serde(rename = "body_seconds", deserialize_with = "seconds")]
    pub(crate) body: Duration,
    #[serde(rename = "connect_seconds", deserialize_with = "seconds")]
    pub(crate) connect: Duration,
    /// For the head of the service's answer, and then for each part of its body.
    #[serde(rename = "response_seconds", deserialize_with = "seconds")]
    pub(crate) response: Duration,
    /// For a caller to take more of its answer.
    #[serde(rename = "send_seconds", deserialize_with = "seconds")]
    pub(crate) send: Duration,
    /// For what is in flight when the program is told to stop.
    #[serde(rename = "shutdown_seconds", deserialize_with = "seconds")]
    pub(crate) shutdown: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(30),
            body: Duration::from_secs(30),
            connect: Duration::from_secs(2),
            response: Duration::from_secs(30),
            send: Duration::from_secs(30),
            shutdown: Duration::from_secs(25),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    /// Connections at a time. Others wait in the kernel's queue.
    #[serde(deserialize_with = "positive")]
    pub(crate) connections: usize,
    /// Bytes of all bodies that are in memory at a time.
    #[serde(deserialize_with = "positive")]
    pub(crate) body_budget: usize,
    /// How much of a rejected body is discarded after the answer, so that its sender sees the answer.
    linger_bytes: usize,
    linger_seconds: u16,
}

impl Limits {
    /// Lets the process have as many files open as it may, and warns if there are not enough for all connections.
    pub(crate) fn open_files(&self) {
        // One for each caller, and one for its connection to the service.
        let enough = u64::try_from(self.connections).unwrap_or(u64::MAX).saturating_mul(2);
        match rlimit::increase_nofile_limit(u64::MAX) {
            Ok(limit) if limit < enough => tracing::warn!(
                "limits.connections: {} connections and as many to services need {enough} open files, and {limit} are allowed",
                self.connections
            ),
            Ok(_) => {}
            Err(error) => tracing::warn!("limits.connections: cannot raise the limit on open files: {error}"),
        }
    }

    pub(crate) fn linger(&self) -> Linger {
        Linger::new(self.linger_bytes, Duration::from_secs(self.linger_seconds.into()))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 10_000, body_budget: 256 << 20, linger_bytes: 32 << 20, linger_seconds: 5 }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InboxConfig {
    /// An SQLite database on a local disk.
    pub(crate) file: PathBuf,
    /// Deliveries that are forwarded at a time.
    #[serde(default = "InboxConfig::default_concurrency", deserialize_with = "positive")]
    pub(crate) concurrency: usize,
    /// Attempts at a delivery before it is a dead letter.
    #[serde(default = "InboxConfig::default_max_attempts", deserialize_with = "positive")]
    pub(crate) max_attempts: u32,
}

impl InboxConfig {
    fn default_concurrency() -> usize {
        16
    }

    fn default_max_attempts() -> u32 {
        20
    }
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    positive::<u16, D>(deserializer).map(|seconds| Duration::from_secs(seconds.into()))
}

fn positive<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default + PartialEq,
    D: Deserializer<'de>,
{
    let number = T::deserialize(deserializer)?;
    if number == T::default() { Err(de::Error::custom("it must be at least 1")) } else { Ok(number) }
}
