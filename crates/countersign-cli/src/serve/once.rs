use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use countersign_once::{MemoryStore, Once, OnceBuilder, PostgresStore, RedisStore, SqliteStore};
use serde::Deserialize;
use sqlx::{
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};
use zeroize::Zeroizing;

use super::mistake::Mistake;
use crate::failure::Failure;

/// Who remembers which deliveries were handled: this process, unless a store is given.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OnceConfig {
    /// The address of Redis 7.0 or later.
    redis: Option<Reference>,
    /// The address of PostgreSQL.
    postgres: Option<Reference>,
    /// An SQLite database on a local disk.
    sqlite: Option<PathBuf>,
    /// Longer than the slowest answer of the service.
    #[serde(default = "OnceConfig::default_lease")]
    lease_seconds: u16,
}

/// Where an address with its password is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
enum Reference {
    Env(String),
    File(PathBuf),
}

/// The store that a configuration chooses, with its address.
enum Store<'c> {
    Memory,
    Redis(Zeroizing<String>),
    Postgres(Zeroizing<String>),
    Sqlite(&'c Path),
}

impl OnceConfig {
    fn default_lease() -> u16 {
        60
    }

    /// Whether there is at most one store, and its address can be read.
    pub(crate) fn check(&self) -> Result<(), Mistake> {
        self.store().map(drop)
    }

    fn store(&self) -> Result<Store<'_>, Mistake> {
        match (&self.redis, &self.postgres, &self.sqlite) {
            (None, None, None) => Ok(Store::Memory),
            (Some(address), None, None) => address.read("once.redis").map(Store::Redis),
            (None, Some(address), None) => address.read("once.postgres").map(Store::Postgres),
            (None, None, Some(file)) => Ok(Store::Sqlite(file)),
            _ => Err(Mistake::new("once", "give at most one of redis, postgres and sqlite")),
        }
    }

    pub(crate) async fn connect(&self) -> Result<Once, Failure> {
        let builder = self.builder().await?.lease(Duration::from_secs(self.lease_seconds.into()));
        builder.build().map_err(|error| failed("once", &error))
    }

    async fn builder(&self) -> Result<OnceBuilder, Failure> {
        match self.store().map_err(Failure::new)? {
            Store::Memory => Ok(Once::builder(MemoryStore::default())),
            Store::Redis(address) => {
                let store = RedisStore::connect(&address).await;
                Ok(Once::builder(store.map_err(|error| failed("once.redis", &error))?))
            }
            Store::Postgres(address) => {
                let pool =
                    PgPoolOptions::new().acquire_timeout(Duration::from_secs(2)).connect(&address).await;
                let store = PostgresStore::new(pool.map_err(|error| failed("once.postgres", &error))?);
                store.migrate().await.map_err(|error| failed("once.postgres", &error))?;
                Ok(Once::builder(store))
            }
            Store::Sqlite(file) => {
                let options = SqliteConnectOptions::new()
                    .filename(file)
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal);
                let pool = SqlitePoolOptions::new().connect_with(options).await;
                let store = SqliteStore::new(pool.map_err(|error| failed("once.sqlite", &error))?);
                store.migrate().await.map_err(|error| failed("once.sqlite", &error))?;
                Ok(Once::builder(store))
            }
        }
    }
}

fn failed(field: &str, reason: &dyn fmt::Display) -> Failure {
    Failure::new(format_args!("{field}: {reason}"))
}

impl Reference {
    fn read(&self, field: &str) -> Result<Zeroizing<String>, Mistake> {
        let text = match self {
            // The variable is not named: its name may be an address that was written there by mistake.
            Self::Env(variable) => {
                env::var(variable).map_err(|_| Mistake::new(field, "the environment variable is not set"))
            }
            Self::File(path) => fs::read_to_string(path)
                .map_err(|error| Mistake::new(field, format!("cannot read the file: {error}"))),
        };
        let text = Zeroizing::new(text?);
        Ok(Zeroizing::new(text.trim_end().to_owned()))
    }
}

/// The error shows no value, because it may be a password.
impl TryFrom<toml::Value> for Reference {
    type Error = &'static str;

    fn try_from(value: toml::Value) -> Result<Self, Self::Error> {
        let table = value.as_table().filter(|table| table.len() == 1);
        let field = table.and_then(|table| table.iter().next());
        match field.map(|(name, value)| (name.as_str(), value.as_str())) {
            Some(("env", Some(variable))) => Ok(Self::Env(variable.to_owned())),
            Some(("file", Some(path))) => Ok(Self::File(path.into())),
            _ => Err("use { env = \"VARIABLE\" } or { file = \"PATH\" }"),
        }
    }
}
