//! Secrets that anyone can know are refused, and short ones are warned of.

use crate::{
    error::BuildError,
    keys::{key::Key, ring::KeyRules},
};

/// The least length of a key in bytes that passes without a warning: half of what SHA-256 puts out, as FIPS 198 requires in section 3.
///
/// RFC 2104 discourages keys shorter than the whole output. Senders do not keep to that: Svix's keys have 24 bytes, Zoom's 22.
#[cfg(feature = "tracing")]
const LEAST_LENGTH: usize = 16;

impl KeyRules<'_> {
    /// Refuses a placeholder, unless its set-up insists on it.
    pub(crate) fn refuse_placeholder(&self, key: &Key) -> Result<(), BuildError> {
        let Some(secret) = key.material.secret() else { return Ok(()) };
        if !secret.accepts_placeholder() && secret.is_placeholder(self.secret_form) {
            return Err(BuildError::PlaceholderSecret {
                key: key.id.to_string(),
                scheme: self.scheme.to_owned(),
            });
        }
        Ok(())
    }

    /// Logs a secret that can be guessed. It says neither which it is nor how long.
    #[cfg(feature = "tracing")]
    pub(crate) fn warn_if_weak(&self, key: &Key) {
        let Some(secret) = key.material.secret() else { return };
        let (sender, id) = (self.scheme, key.id.as_str());
        // Any other placeholder was refused.
        if secret.accepts_placeholder() && secret.is_placeholder(self.secret_form) {
            tracing::warn!(target: "countersign", sender, key = id, "the webhook secret is a placeholder, so anyone can sign with it");
        } else if secret.key(self.secret_form).is_ok_and(|bytes| bytes.len() < LEAST_LENGTH) {
            tracing::warn!(
                target: "countersign",
                sender,
                key = id,
                "the webhook secret has fewer than {LEAST_LENGTH} bytes, so it may be guessed: set a longer one at the sender"
            );
        }
    }
}
