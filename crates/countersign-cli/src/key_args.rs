use std::path::PathBuf;

use clap::Args;
use countersign::{BuildError, Key, PublicKey, Scheme, Verifier, VerifierBuilder};

use crate::{failure::Failure, sender_args::SenderArgs};

/// What to verify with: a named sender and where its secrets or public keys are, or a configuration file.
#[derive(Args)]
pub(crate) struct KeyArgs {
    #[command(flatten)]
    sender: SenderArgs,
    /// The file with the sender's public key. May be given more than once
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    public_key_file: Vec<PathBuf>,
}

/// Senders, each with its keys.
pub(crate) type Senders = Vec<(Scheme, Vec<Key>)>;

impl KeyArgs {
    /// Reads the keys, and returns the senders with theirs beside the verifier. A named sender's bodies have at most `body_limit`
    /// bytes, or what the library allows; a configuration has a limit of its own.
    pub(crate) fn verifier(&self, body_limit: Option<usize>) -> Result<(Verifier, Senders), Failure> {
        if let Some(file) = self.sender.config()? {
            return Ok((file.checked(file.value.verifier())?, file.checked(file.value.senders())?));
        }
        let (scheme, mut keys) = self.sender.named(None)?;
        for path in &self.public_key_file {
            let key = PublicKey::from_file(path).map_err(Failure::new)?;
            keys.push(Key::public(path.to_string_lossy(), key));
        }
        if keys.is_empty() {
            return Err(Failure::new(
                "no key to verify with: give --secret-env or --secret-file, or --public-key-file for a sender with a public key",
            ));
        }
        let builder = Verifier::builder(scheme.clone());
        let builder = match body_limit {
            Some(limit) => builder.body_limit(limit),
            None => builder,
        };
        let verifier = keys.iter().cloned().fold(builder, VerifierBuilder::key).build();
        let verifier = verifier.map_err(|error| match error {
            // No argument insists on one.
            BuildError::PlaceholderSecret { .. } => {
                Failure::new(format_args!("{error} in a configuration, and give that with --config"))
            }
            error => Failure::new(error),
        })?;
        Ok((verifier, vec![(scheme, keys)]))
    }
}
