//! From a scheme's keys to the ring of its algorithm.

use std::sync::Arc;

use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

#[cfg(feature = "public-key")]
use crate::keys::{ed25519, public};
use crate::{
    error::BuildError,
    keys::{
        algorithm::Algorithm,
        hmac::{self, Hmac},
        key::Key,
        ring::{KeyRing, KeyRules},
        token,
    },
};

impl KeyRules<'_> {
    /// Prepares the keys. `keys` is not empty and holds at most [`MOST_KEYS`].
    pub(crate) fn ring(&self, keys: &[Key]) -> Result<Arc<dyn KeyRing>, BuildError> {
        Ok(match self.algorithm {
            Algorithm::HmacSha256 => Arc::new(hmac::Ring::<Hmac<Sha256>>::new(self, keys)?),
            Algorithm::HmacSha384 => Arc::new(hmac::Ring::<Hmac<Sha384>>::new(self, keys)?),
            Algorithm::HmacSha512 => Arc::new(hmac::Ring::<Hmac<Sha512>>::new(self, keys)?),
            Algorithm::LegacyHmacSha1 => Arc::new(hmac::Ring::<Hmac<Sha1>>::new(self, keys)?),
            Algorithm::UnsignedToken => Arc::new(token::Ring::new(self, keys)?),
            #[cfg(feature = "public-key")]
            Algorithm::Ed25519 => Arc::new(ed25519::Ring::new(self, keys)?),
            #[cfg(not(feature = "legacy-md5"))]
            Algorithm::LegacyRsaPkcs1Md5 => return Err(self.needs_feature("legacy-md5")),
            #[cfg(feature = "public-key")]
            _ => Arc::new(public::Ring::new(self, keys)?),
            #[cfg(not(feature = "public-key"))]
            _ => return Err(self.needs_feature("public-key")),
        })
    }

    #[cfg(not(feature = "legacy-md5"))]
    fn needs_feature(&self, feature: &str) -> BuildError {
        BuildError::Scheme {
            scheme: self.scheme.to_owned(),
            field: "algorithm",
            mistake: format!("it needs the feature `{feature}`").into(),
        }
    }
}
