use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use clap::Args;
use countersign::{Key, Verifier};

use crate::{
    capture::{self, Captured, Format},
    failure::Failure,
    instant,
    key_args::KeyArgs,
    read,
};

/// A captured request, and what to judge it by.
#[derive(Args)]
pub(crate) struct JudgingArgs {
    /// The file with the captured request, or - for the standard input
    #[arg(value_name = "CAPTURE", default_value = "-")]
    capture: PathBuf,
    #[command(flatten)]
    keys: KeyArgs,
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
        let (verifier, senders) = self.keys.verifier(None)?;
        let keys = senders.into_iter().flat_map(|(_, keys)| keys).collect();
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
}

impl Judging {
    /// When a delivery arrived, as far as anybody knows.
    pub(crate) fn time_of(&self, delivery: &Captured) -> SystemTime {
        self.at.or(delivery.at).unwrap_or(self.now)
    }
}
