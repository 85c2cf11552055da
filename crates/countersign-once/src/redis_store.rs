//! A store for many machines (feature `redis`).

use std::{fmt, sync::Arc, time::Duration};

use redis::{
    Client, Cmd, ErrorKind, ExistenceCheck, IntoConnectionInfo, Script, ServerErrorKind, SetExpiry,
    SetOptions,
    aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig},
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};

use crate::{Claim, ClaimAnswer, Fence, Store, StoreError, millis::millis};

/// How long the server may leave sent bytes unacknowledged, or a keep-alive unanswered, before the connection counts as
/// dead.
const DEAD_AFTER: Duration = Duration::from_secs(10);
/// The longest pause between two attempts to connect again.
const LONGEST_DELAY: Duration = Duration::from_millis(500);

/// A store in Redis 7.0 or later, or Valkey, for any number of machines.
///
/// Each identity has one key: `countersign:once:` and 64 hex digits. A claim is one `SET … NX GET PX`; a completion, an
/// extension and a release are one script each (`EVALSHA`, loaded again if the server lost it). Each of them is one round trip.
/// The server expires the keys. A value is `p` (in progress) or `d` (done), followed by the token's 16 bytes. With its key, it
/// takes about 150 bytes of Redis memory.
///
/// # What the server must be set to
///
/// - `maxmemory-policy noeviction`. Any other policy may forget claims in progress, and two handlers run.
/// - `appendonly yes` if deliveries are to be remembered over a restart. With `appendfsync everysec`, the last second may be
///   forgotten after a power cut.
/// - Replication is asynchronous: a failover may forget the last claims and completions. Where that matters, use
///   `PostgresStore`.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use countersign_once::{Once, RedisStore};
///
/// let once = Once::new(RedisStore::connect("redis://127.0.0.1/").await?)?;
/// # Ok(())
/// # }
/// ```
///
/// # TLS
///
/// With the feature `redis-tls`, [`connect`](Self::connect) takes `rediss://` addresses and trusts the system's certificates.
/// To trust a private authority, name its PEM file in the environment variable `SSL_CERT_FILE`, or build a connection with
/// `redis::Client::build_with_tls` and pass it to [`new`](Self::new).
///
/// # Redis Cluster
///
/// A call uses one key, so every call works on a cluster. Turn the feature `cluster-async` of the crate `redis` on, connect
/// with `redis::cluster::ClusterClient`, and pass the connection to [`new`](Self::new). If a node fails, the deliveries whose
/// keys it holds are refused until it, or a replica, is back; the others are handled.
///
/// A cluster connection may repeat a call whose answer was lost. A repeated claim finds itself in progress, so that delivery is
/// refused until the lease runs out.
#[derive(Clone)]
pub struct RedisStore<C = ConnectionManager> {
    connection: C,
    prefix: Arc<str>,
    scripts: Arc<Scripts>,
}

impl RedisStore {
    /// Connects to `redis://[user:password@]host[:port][/database]`, or `rediss://…` (feature `redis-tls`), and
    /// [checks](Self::check) the server.
    ///
    /// All calls share one connection, which is made again when it breaks; a call that is under way then fails.
    ///
    /// # Errors
    ///
    /// The address is malformed, the server does not answer, or it is too old.
    pub async fn connect(address: &str) -> Result<Self, StoreError> {
        #[cfg(feature = "redis-tls")]
        install_crypto_provider();
        let address = address.into_connection_info().map_err(StoreError::new)?;
        let keepalive = TcpKeepalive::new().with_time(DEAD_AFTER).with_interval(DEAD_AFTER);
        let tcp = TcpSettings::default().set_keepalive(keepalive);
        #[cfg(target_os = "linux")]
        let tcp = tcp.set_user_timeout(DEAD_AFTER);
        let client = Client::open(address.set_tcp_settings(tcp)).map_err(StoreError::new)?;
        // `Once` has the time limit: a second one in here would be a setting that nobody sees.
        let config = ConnectionManagerConfig::new().set_response_timeout(None).set_max_delay(LONGEST_DELAY);
        let connection = ConnectionManager::new_with_config(client, config).await.map_err(StoreError::new)?;
        let store = Self::new(connection);
        store.check().await?;
        Ok(store)
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> RedisStore<C> {
    /// Uses a connection that you set up: a `ConnectionManager`, a `MultiplexedConnection` or an asynchronous
    /// `ClusterConnection` of the crate [`redis`]. [Check](Self::check) the server at start-up.
    ///
    /// Clones of the connection must be able to make calls at the same time. Let it make a new connection when one breaks, as
    /// `ConnectionManager` and `ClusterConnection` do: otherwise every delivery is refused from then on.
    pub fn new(connection: C) -> Self {
        Self { connection, prefix: "countersign:once:".into(), scripts: Arc::new(Scripts::new()) }
    }

    /// Starts the keys with `prefix` instead of `countersign:once:`. Receivers that handle the same deliveries need the same.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Checks that the server answers and can do what the store asks of it.
    ///
    /// # Errors
    ///
    /// The server does not answer, is too old, or refuses a command.
    pub async fn check(&self) -> Result<(), StoreError> {
        let key = format!("{}check", self.prefix);
        let mut connection = self.connection.clone();
        set_if_absent(&key, b"", 1).query_async::<Option<Vec<u8>>>(&mut connection).await.map_err(
            |failure| {
                StoreError::new(format!(
                    "the server cannot SET with NX and GET, which needs Redis 7.0: {failure}"
                ))
            },
        )?;
        for script in [&self.scripts.complete, &self.scripts.extend, &self.scripts.release] {
            script.load_async(&mut connection).await.map_err(StoreError::new)?;
        }
        Ok(())
    }

    fn key(&self, claim: &Claim) -> String {
        format!("{}{}", self.prefix, claim.identity())
    }

    /// Runs a script. `ScriptInvocation` would copy every argument on its own.
    async fn run(
        &self,
        script: &Script,
        claim: &Claim,
        arguments: impl FnOnce(&mut Cmd),
    ) -> Result<Fence, StoreError> {
        let mut command = redis::cmd("EVALSHA");
        command.arg(script.get_hash()).arg(1).arg(self.key(claim)).arg(&held(claim));
        arguments(&mut command);
        let mut connection = self.connection.clone();
        let answer = match command.query_async::<bool>(&mut connection).await {
            Err(failure) if failure.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                script.load_async(&mut connection).await.map_err(StoreError::new)?;
                command.query_async(&mut connection).await
            }
            answer => answer,
        };
        match answer {
            Ok(true) => Ok(Fence::Passed),
            Ok(false) => Ok(Fence::Lost),
            Err(failure) => Err(StoreError::new(failure)),
        }
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> Store for RedisStore<C> {
    async fn claim(&self, claim: Claim, lease: Duration) -> Result<ClaimAnswer, StoreError> {
        let set = set_if_absent(&self.key(&claim), &held(&claim), millis(lease));
        let before: Option<Vec<u8>> =
            set.query_async(&mut self.connection.clone()).await.map_err(StoreError::new)?;
        match before.as_deref() {
            None => Ok(ClaimAnswer::Granted),
            Some([HELD, ..]) => Ok(ClaimAnswer::InProgress { lease_left: None }),
            Some([DONE, ..]) => Ok(ClaimAnswer::Done),
            Some(_) => Err(StoreError::new("the key holds something that this store did not write")),
        }
    }

    async fn complete(&self, claim: Claim, keep_for: Duration) -> Result<Fence, StoreError> {
        let arguments = |command: &mut Cmd| {
            command.arg(&done(&claim)).arg(millis(keep_for));
        };
        self.run(&self.scripts.complete, &claim, arguments).await
    }

    async fn extend(&self, claim: Claim, lease: Duration) -> Result<Fence, StoreError> {
        let arguments = |command: &mut Cmd| {
            command.arg(millis(lease));
        };
        self.run(&self.scripts.extend, &claim, arguments).await
    }

    async fn release(&self, claim: Claim) -> Result<Fence, StoreError> {
        self.run(&self.scripts.release, &claim, |_| {}).await
    }
}

impl<C> fmt::Debug for RedisStore<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

const HELD: u8 = b'p';
const DONE: u8 = b'd';

fn held(claim: &Claim) -> [u8; 17] {
    value(HELD, claim)
}

fn done(claim: &Claim) -> [u8; 17] {
    value(DONE, claim)
}

fn value(state: u8, claim: &Claim) -> [u8; 17] {
    let mut value = [state; 17];
    let [_, token @ ..] = &mut value;
    token.copy_from_slice(claim.token().as_bytes());
    value
}

fn set_if_absent(key: &str, value: &[u8], expiry: u64) -> Cmd {
    let options = SetOptions::default()
        .conditional_set(ExistenceCheck::NX)
        .get(true)
        .with_expiration(SetExpiry::PX(expiry));
    Cmd::set_options(key, value, options)
}

struct Scripts {
    complete: Script,
    extend: Script,
    release: Script,
}

impl Scripts {
    fn new() -> Self {
        Self {
            complete: Script::new(
                "local value = redis.call('GET', KEYS[1])
                 if value and value ~= ARGV[1] and value ~= ARGV[2] then return 0 end
                 redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
                 return 1",
            ),
            extend: Script::new(
                "local value = redis.call('GET', KEYS[1])
                 if value and value ~= ARGV[1] then return 0 end
                 redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
                 return 1",
            ),
            release: Script::new(
                "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
                 redis.call('DEL', KEYS[1])
                 return 1",
            ),
        }
    }
}

/// rustls panics where its features leave the choice of a provider open, unless the process has made it.
#[cfg(feature = "redis-tls")]
fn install_crypto_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another thread may have been faster, with a choice that is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
}
