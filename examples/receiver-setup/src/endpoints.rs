use std::{env, error::Error, fmt, time::SystemTime};

use countersign::{BuildError, Key, PublicKey, Scheme, Secret, Verifier, senders};
use countersign_once::StoreError;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::demo_keys;

/// A route and the verifier that guards it.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The path of the route, such as `/webhooks/moduslink`.
    pub path: &'static str,
    /// Verifies the deliveries to this path.
    pub verifier: Verifier,
}

/// A route, its sender, the source of its keys, and the demo keys to use without one.
struct Source {
    path: &'static str,
    scheme: fn() -> Scheme,
    variable: &'static str,
    from_env: fn(&str) -> Result<Vec<Key>, SetupError>,
    demo: fn() -> Result<Vec<Key>, SetupError>,
}

const SOURCES: &[Source] = &[
    Source {
        path: "/webhooks/moduslink",
        scheme: senders::moduslink,
        variable: "MODUSLINK_SECRET",
        from_env: secret,
        demo: || demo_secrets(demo_keys::MODUSLINK),
    },
    Source {
        path: "/webhooks/ewarehousing",
        scheme: senders::ewarehousing,
        variable: "EWAREHOUSING_SECRET",
        from_env: secret,
        demo: || demo_secrets(demo_keys::EWAREHOUSING),
    },
    Source {
        path: "/webhooks/extend",
        scheme: senders::extend,
        variable: "EXTEND_SECRET",
        from_env: secret,
        demo: || demo_secrets(demo_keys::EXTEND),
    },
    Source {
        path: "/webhooks/fluent",
        scheme: senders::fluent,
        variable: "FLUENT_PUBLIC_KEY",
        from_env: |variable| Ok(vec![Key::public(variable, PublicKey::from_env(variable)?)]),
        demo: || {
            let expired = PublicKey::from_pem(demo_keys::FLUENT_EXPIRED_PUBLIC)?;
            Ok(vec![
                Key::public("demo", PublicKey::from_pem(demo_keys::FLUENT_PUBLIC)?),
                Key::public("demo-expired", expired).expires_at(instant(demo_keys::EXPIRED_AT)?),
            ])
        },
    },
    Source {
        path: "/webhooks/modern-dropship",
        scheme: senders::modern_dropship,
        variable: "MODERN_DROPSHIP_SECRETS",
        from_env: secrets_with_expiry,
        demo: || demo_secrets(demo_keys::MODERN_DROPSHIP),
    },
];

/// Builds an endpoint for each sender, with keys from the environment. If a sender's variable is not set, its endpoint
/// accepts demo keys, and a warning says so.
///
/// # Errors
/// If a variable is set to an unusable value. It never falls back to the demo keys then.
pub fn endpoints_from_env() -> Result<Vec<Endpoint>, SetupError> {
    let endpoint = |source: &Source| {
        if env::var_os(source.variable).is_some() {
            return source.endpoint((source.from_env)(source.variable)?);
        }
        tracing::warn!("{} is not set: {} accepts a PUBLICLY KNOWN DEMO KEY", source.variable, source.path);
        source.endpoint((source.demo)()?)
    };
    SOURCES.iter().map(endpoint).collect()
}

/// Builds an endpoint for each sender with the [`demo_keys`], regardless of the environment.
///
/// # Errors
/// Never, as the keys in this package are valid.
pub fn demo_endpoints() -> Result<Vec<Endpoint>, SetupError> {
    SOURCES.iter().map(|source| source.endpoint((source.demo)()?)).collect()
}

impl Source {
    fn endpoint(&self, keys: Vec<Key>) -> Result<Endpoint, SetupError> {
        let builder = Verifier::builder((self.scheme)());
        let verifier = keys.into_iter().fold(builder, countersign::VerifierBuilder::key).build()?;
        tracing::info!("{} accepts deliveries: {verifier:?}", self.path);
        Ok(Endpoint { path: self.path, verifier })
    }
}

fn secret(variable: &str) -> Result<Vec<Key>, SetupError> {
    Ok(vec![Key::secret(variable, Secret::from_env(variable)?)])
}

/// Reads `secret` or `secret@expiry`, separated by commas.
fn secrets_with_expiry(variable: &str) -> Result<Vec<Key>, SetupError> {
    // Checks the whole value like any secret: set, not empty, no white space around it.
    Secret::from_env(variable)?;
    let text = env::var(variable).unwrap_or_default();
    let key = |(place, item): (usize, &str)| {
        // The message must not show the item, which may be a secret.
        let wrong = |what| SetupError(format!("item {place} of {variable} {what}"));
        let (secret, expiry) = match item.rsplit_once('@') {
            Some((secret, expiry)) => (secret, Some(expiry)),
            None => (item, None),
        };
        if secret.trim() != secret {
            return Err(wrong("has white space around its secret: remove it"));
        }
        let key = Key::secret(format!("{variable}-{place}"), Secret::new(secret));
        match expiry.map(instant) {
            None => Ok(key),
            Some(Ok(expiry)) => Ok(key.expires_at(expiry)),
            Some(Err(_)) => {
                Err(wrong("has no RFC 3339 instant after its @: write secret@2027-01-31T00:00:00Z"))
            }
        }
    };
    (1..).zip(text.split(',')).map(key).collect()
}

fn demo_secrets(active: &str) -> Result<Vec<Key>, SetupError> {
    Ok(vec![
        Key::secret("demo", Secret::new(active).dangerously_accept_placeholder()),
        Key::secret("demo-expired", Secret::new(demo_keys::EXPIRED).dangerously_accept_placeholder())
            .expires_at(instant(demo_keys::EXPIRED_AT)?),
    ])
}

fn instant(rfc_3339: &str) -> Result<SystemTime, SetupError> {
    OffsetDateTime::parse(rfc_3339, &Rfc3339)
        .map(SystemTime::from)
        .map_err(|error| SetupError(format!("not an RFC 3339 instant: {error}")))
}

/// The reason a receiver does not start.
pub struct SetupError(String);

impl SetupError {
    pub(crate) fn new(reason: &str) -> Self {
        Self(reason.to_owned())
    }
}

impl From<BuildError> for SetupError {
    fn from(error: BuildError) -> Self {
        Self(error.to_string())
    }
}

impl From<countersign_once::BuildError> for SetupError {
    fn from(error: countersign_once::BuildError) -> Self {
        Self(error.to_string())
    }
}

impl From<countersign_inbox::BuildError> for SetupError {
    fn from(error: countersign_inbox::BuildError) -> Self {
        Self(error.to_string())
    }
}

impl From<StoreError> for SetupError {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

impl From<sqlx::Error> for SetupError {
    fn from(error: sqlx::Error) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for SetupError {}

/// Prints the message: a `main` that returns an error prints its `Debug` form.
impl fmt::Debug for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
