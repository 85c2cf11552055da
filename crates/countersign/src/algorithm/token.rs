use sha2::{Digest, Sha256};

use super::{Comparison, MOST_KEYS, is_any_of};
use crate::{error::BuildError, key::Key, scheme::Scheme, signature::Claimed, verification::Computed};

/// The hashes of static tokens: comparing those hides how long a token is.
pub(crate) struct Tokens(Vec<[u8; 32]>);

impl Tokens {
    pub(crate) fn new(scheme: &Scheme, keys: &[Key]) -> Result<Self, BuildError> {
        let hashed = |key: &Key| {
            let id = key.id.as_str();
            let secret = key.material.secret().ok_or_else(|| scheme.does_not_take(id))?;
            let token = secret.key(scheme, id)?;
            let sendable = token.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ')
                && token.trim_ascii() == &**token;
            if sendable {
                Ok(hash(&token))
            } else {
                Err(BuildError::SecretForm {
                    key: id.to_owned(),
                    scheme: scheme.name().to_owned(),
                    form: "visible ASCII characters, as a header can carry".into(),
                })
            }
        };
        keys.iter().map(hashed).collect::<Result<_, _>>().map(Self)
    }

    /// `body` is the running hash of what no signature covers, to notice a plain retry by.
    pub(crate) fn conclude(&self, mut body: Sha256, content: [&[u8]; 3], claimed: &[Claimed]) -> Comparison {
        for part in content {
            body.update(part);
        }
        let mut made_by_key = [false; MOST_KEYS];
        for (made, token) in made_by_key.iter_mut().zip(&self.0) {
            *made = is_any_of(token, claimed);
        }
        Comparison { made_by_key, computed: Computed::new(&body.finalize()) }
    }
}

pub(crate) fn hash(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}
