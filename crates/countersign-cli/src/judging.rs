use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use clap::Args;
use countersign::{BuildError, Key, PublicKey, Verifier};

use crate::{
    capture::{self, Captured, Format},
    failure::Failure,
    instant, read,
    sender_args::SenderArgs,
};

/// A captured request, and what to judge it by.
#[derive(Args)]
pub(crate) struct JudgingArgs {
    /// The file with the captured request, or - for the standard input
    #[arg(value_name = "CAPTURE", default_value = "-")]
    capture: PathBuf,
    #[command(flatten)]
    sender: SenderArgs,
    /// The file with the sender's public key. May be given more than once
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    public_key_file: Vec<PathBuf>,
    /// The format of the capture, if it is not recognized
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Only this request of the capture, counted from 1; without it, all but GET and the like
    #[arg(long, value_name = "NUMBER")]
    entry: Option<usize>,
    /// When the request arrived; without it, as the capture says, or else now
    #[arg(long, value_name = "TIME", value_parser = instant::parse)]
    at: Option<SystemTime>,
    /// The file with the body, for a capture without it
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// Prints JSON, for machines
    #[arg(long)]
    pub(crate) json: bool,
}

/// Deliveries, and the verifier and keys to judge them by.
pub(crate) struct Judging {
    pub(crate) verifier: Verifier,
    pub(crate) keys: Vec<Key>,
    pub(crate) deliveries: Vec<Captured>,
    at: Option<SystemTime>,
    now: SystemTime,
}

impl JudgingArgs {
    /// Reads the keys and the capture.
    pub(crate) fn judging(&self) -> Result<Judging, Failure> {
        let stdin = Path::new("-");
        if self.capture == stdin && self.body.as_deref() == Some(stdin) {
            return Err(Failure::new("the standard input cannot be both the capture and the body"));
        }
        let (verifier, keys) = self.verifier()?;
        let mut deliveries = capture::read(&self.capture, self.format)?;
        if let Some(entry) = self.entry {
            deliveries.retain(|captured| captured.entry == entry);
        }
        if let Some(path) = &self.body {
            let [only] = &mut *deliveries else {
                return Err(Failure::new("--body is for one request: choose it with --entry"));
            };
            only.body = read::bytes(path, 64 << 20)?;
            only.note = None;
        }
        if deliveries.is_empty() {
            return Err(Failure::new(match self.entry {
                Some(entry) => format!("entry {entry} of the capture is no delivery"),
                None => "the capture has no delivery".to_owned(),
            }));
        }
        Ok(Judging { verifier, keys, deliveries, at: self.at, now: SystemTime::now() })
    }

    fn verifier(&self) -> Result<(Verifier, Vec<Key>), Failure> {
        if let Some(file) = self.sender.config()? {
            let verifier = file.checked(file.value.verifier())?;
            let senders = file.checked(file.value.senders())?;
            return Ok((verifier, senders.into_iter().flat_map(|(_, keys)| keys).collect()));
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
        let builder = Verifier::builder(scheme);
        let verifier = keys.iter().cloned().fold(builder, countersign::VerifierBuilder::key).build();
        let verifier = verifier.map_err(|error| match error {
            // No argument insists on one.
            BuildError::PlaceholderSecret { .. } => {
                Failure::new(format_args!("{error} in a configuration, and give that with --config"))
            }
            error => Failure::new(error),
        })?;
        Ok((verifier, keys))
    }
}

impl Judging {
    /// When a delivery arrived, as far as anybody knows.
    pub(crate) fn time_of(&self, delivery: &Captured) -> SystemTime {
        self.at.or(delivery.at).unwrap_or(self.now)
    }
}
