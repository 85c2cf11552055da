use std::time::SystemTime;

use super::{
    Config, Discreet, IdentityConfig, Instant, KeyConfig, SenderConfig,
    error::{ConfigError, one_of},
};
use crate::{
    error::BuildError,
    keys::key::Key,
    schemes::{scheme::Scheme, senders},
    verifying::{builder::VerifierBuilder, verifier::Verifier},
    wire::timestamp::rfc_3339,
};

impl Config {
    /// Reads the keys from their variables and files, and returns each sender's scheme with its keys, for tools: an `Explainer` takes
    /// the keys, a `Signer` their secrets.
    ///
    /// Whether the keys fit the scheme is checked by [`verifier`](Self::verifier).
    ///
    /// ```
    /// use countersign::Config;
    ///
    /// let config: Config = toml::from_str(r#"
    ///     [[senders]]
    ///     sender = "github"
    ///     keys = [{ id = "2026-q4", secret = { insecure_inline = "for this example" } }]
    /// "#)?;
    /// let senders = config.senders()?;
    /// let (scheme, keys) = &senders[0];
    /// assert_eq!((scheme.name(), keys[0].id().as_str()), ("github", "2026-q4"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`verifier`](Self::verifier) that concern a field or a key by itself.
    pub fn senders(&self) -> Result<Vec<(Scheme, Vec<Key>)>, ConfigError> {
        self.each_sender(|sender| Ok((sender.scheme()?, sender.keys()?)))
    }

    /// Reads the keys from their variables and files, and builds the endpoint's verifier.
    ///
    /// # Errors
    /// A [`ConfigError`] for an unknown word, fields that exclude or require each other, a missing variable or file, and every
    /// [`BuildError`] of [`Verifier`] and [`Scheme`].
    pub fn verifier(&self) -> Result<Verifier, ConfigError> {
        let verifiers = self.each_sender(SenderConfig::verifier)?;
        let on_several = self.on_several.as_deref().unwrap_or("reject");
        let make =
            one_of("on_several", on_several, &[("reject", Ordered::No), ("take-first", Ordered::Yes)])?;
        match make {
            Ordered::No => Verifier::any_of(verifiers),
            Ordered::Yes => Verifier::first_of(verifiers),
        }
        .map_err(|error| ConfigError::build("senders", error))
    }

    fn each_sender<T>(
        &self,
        read: impl Fn(&SenderConfig) -> Result<T, ConfigError>,
    ) -> Result<Vec<T>, ConfigError> {
        let each = (0_usize..).zip(&self.senders).map(|(place, sender)| {
            table(sender).and_then(&read).map_err(|error| error.within(&format!("senders[{place}]")))
        });
        each.collect()
    }
}

fn table<T>(value: &Discreet<T>) -> Result<&T, ConfigError> {
    value.0.as_ref().ok_or_else(|| ConfigError::new("", "this is not a table"))
}

#[derive(Clone, Copy)]
enum Ordered {
    Yes,
    No,
}

impl SenderConfig {
    fn verifier(&self) -> Result<Verifier, ConfigError> {
        let mut builder = Verifier::builder(self.scheme()?);
        if let Some(bytes) = self.body_limit {
            builder = builder.body_limit(bytes);
        }
        if let Some(time) = self.warn_before_expiry {
            builder = builder.warn_before_expiry(time.duration());
        }
        let builder = self.keys()?.into_iter().fold(builder, VerifierBuilder::key);
        builder.build().map_err(|error| ConfigError::build(&self.field_of(&error), error))
    }

    fn keys(&self) -> Result<Vec<Key>, ConfigError> {
        let keys = (0_usize..).zip(&self.keys).map(|(place, key)| {
            let key = table(key).and_then(KeyConfig::key);
            key.map_err(|error| error.within(&format!("keys[{place}]")))
        });
        keys.collect()
    }

    fn scheme(&self) -> Result<Scheme, ConfigError> {
        let mut scheme = match (&self.sender, &self.scheme) {
            (Some(name), None) => senders::named(name, self.url.as_ref().map(|url| url.0.as_str())).map_err(
                |error| match error {
                    BuildError::Scheme { field, mistake, .. } => ConfigError::new(field, mistake),
                    other => ConfigError::build("sender", other),
                },
            )?,
            (None, Some(_)) if self.url.is_some() => {
                return Err(ConfigError::new(
                    "url",
                    "a scheme states its address in `content`, as { url = \"…\" }",
                ));
            }
            (None, Some(scheme)) => scheme.scheme().map_err(|error| error.within("scheme"))?,
            (Some(_), Some(_)) | (None, None) => {
                return Err(ConfigError::new("sender", "give either `sender` or `scheme`, and not both"));
            }
        };
        let replaced = [
            ("header", self.header.is_some()),
            ("tolerance", self.tolerance.is_some()),
            ("identity", self.identity.is_some()),
            ("identity_scope", self.identity_scope.is_some()),
            ("retry_horizon", self.retry_horizon.is_some()),
        ];
        if let Some((field, _)) = replaced.iter().find(|(_, given)| *given && self.scheme.is_some()) {
            return Err(ConfigError::new(
                field,
                "it applies only to a named sender: state it inside `scheme`",
            ));
        }
        if let Some(header) = &self.header {
            scheme = scheme.header(header.clone());
        }
        if let Some(tolerance) = &self.tolerance {
            scheme = scheme.tolerance(tolerance.tolerance().map_err(|error| error.within("tolerance"))?);
        }
        if let Some(IdentityConfig(source)) = &self.identity {
            scheme = scheme.identity(source.clone());
        }
        if let Some(scope) = &self.identity_scope {
            scheme = scheme.identity_scope(scope.clone());
        }
        if let Some(horizon) = self.retry_horizon {
            scheme = scheme.with_retry_horizon(horizon.duration());
        }
        Ok(scheme)
    }

    /// The field that caused a build error.
    fn field_of(&self, error: &BuildError) -> String {
        let key = match error {
            BuildError::HeaderName { .. } => return "header".to_owned(),
            BuildError::ToleranceWithoutTimestamp { .. } => return "tolerance".to_owned(),
            BuildError::ZeroBodyLimit => return "body_limit".to_owned(),
            BuildError::Scheme {
                field: field @ ("identity" | "identity_scope" | "retry_horizon"), ..
            } => {
                return (*field).to_owned();
            }
            BuildError::Scheme { .. } => return "scheme".to_owned(),
            BuildError::EmptySecret { key, .. }
            | BuildError::PlaceholderSecret { key, .. }
            | BuildError::SecretForm { key, .. }
            | BuildError::KeyDoesNotFit { key, .. }
            | BuildError::KeyNeverActive { key, .. }
            | BuildError::ModulusSize { key, .. } => key,
            _ => return "keys".to_owned(),
        };
        let place = self.keys.iter().position(|known| known.0.as_ref().is_some_and(|known| known.id == *key));
        place.map_or_else(|| "keys".to_owned(), |place| format!("keys[{place}]"))
    }
}

impl KeyConfig {
    fn key(&self) -> Result<Key, ConfigError> {
        let insists = self.dangerously_accept_placeholder.unwrap_or(false);
        if insists && self.secret.is_none() {
            return Err(ConfigError::new("dangerously_accept_placeholder", "it applies only to a secret"));
        }
        let mut key = match (&self.secret, &self.public_key) {
            (Some(secret), None) => {
                let secret = secret.secret().map_err(|text| ConfigError::new("secret", text))?;
                let secret = secret.map_err(|error| ConfigError::build("secret", error))?;
                Key::secret(&self.id, if insists { secret.dangerously_accept_placeholder() } else { secret })
            }
            #[cfg(feature = "public-key")]
            (None, Some(key)) => {
                let key = key.public_key().map_err(|text| ConfigError::new("public_key", text))?;
                Key::public(&self.id, key.map_err(|error| ConfigError::build("public_key", error))?)
            }
            #[cfg(not(feature = "public-key"))]
            (None, Some(_)) => {
                return Err(ConfigError::new(
                    "public_key",
                    "it needs the feature `public-key` of the crate countersign",
                ));
            }
            (Some(_), Some(_)) => {
                return Err(ConfigError::new(
                    "public_key",
                    "a key has a secret or a public key: remove one of them",
                ));
            }
            (None, None) => {
                return Err(ConfigError::new(
                    "secret",
                    "it is missing: give the key a secret or a public_key",
                ));
            }
        };
        if let Some(text) = &self.not_before {
            key = key.not_before(instant("not_before", text)?);
        }
        if let Some(text) = &self.expires_at {
            key = key.expires_at(instant("expires_at", text)?);
        }
        Ok(key)
    }
}

fn instant(field: &str, Instant(text): &Instant) -> Result<SystemTime, ConfigError> {
    rfc_3339(text).ok_or_else(|| {
        ConfigError::new(field, "this is not an RFC 3339 instant: write \"2027-01-31T00:00:00Z\"")
    })
}
