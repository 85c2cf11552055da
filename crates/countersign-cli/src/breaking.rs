use std::time::{Duration, SystemTime};

use clap::ValueEnum;
use countersign::{Part, Scheme};

use crate::{delivery::Delivery, failure::Failure};

/// One thing to break in a delivery, so that a receiver must reject it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Break {
    /// Another signature of the right form
    Signature,
    /// A signature that lacks its last characters
    TruncatedSignature,
    /// An empty signature header
    EmptySignature,
    /// No signature header
    MissingHeader,
    /// The signature header twice
    DuplicateHeader,
    /// A body that differs from the signed one by a byte
    Body,
    /// A signature by a key that nobody holds
    Key,
    /// A signed timestamp of 32 days ago
    Timestamp,
    /// A signed timestamp of 32 days ahead
    FutureTimestamp,
    /// No timestamp header
    MissingTimestamp,
}

/// No tolerance is longer than 31 days, unless it is unlimited.
const INTOLERABLE: Duration = Duration::from_secs(32 * 86_400);

impl Break {
    /// Refuses what the sender does not send, and so nobody can break.
    pub(crate) fn check(self, scheme: &Scheme) -> Result<(), Failure> {
        let has_timestamp = scheme.signed_parts().contains(&Part::Timestamp);
        let what = match self {
            Self::Timestamp | Self::FutureTimestamp | Self::MissingTimestamp if !has_timestamp => {
                "signs no timestamp"
            }
            Self::MissingTimestamp if timestamp_is_listed(scheme) => {
                "sends its timestamp within the signature header"
            }
            Self::Body if scheme.signed_parts().is_empty() => "does not sign the body",
            _ => return Ok(()),
        };
        Err(Failure::new(format_args!("{} {what}: break something else", scheme.name())))
    }

    /// The time to sign at.
    pub(crate) fn time(self, now: SystemTime) -> SystemTime {
        match self {
            Self::Timestamp => now.checked_sub(INTOLERABLE).unwrap_or(now),
            Self::FutureTimestamp => now.checked_add(INTOLERABLE).unwrap_or(now),
            _ => now,
        }
    }

    /// Breaks a delivery that is signed already.
    pub(crate) fn apply(self, scheme: &Scheme, delivery: &mut Delivery) {
        let header = scheme.header_name();
        let signature = delivery.headers.iter().position(|(name, _)| name == header);
        match self {
            Self::Signature => change(delivery, signature, another),
            Self::TruncatedSignature => change(delivery, signature, truncated),
            Self::EmptySignature => change(delivery, signature, |_| String::new()),
            Self::MissingHeader => delivery.headers.retain(|(name, _)| name != header),
            Self::DuplicateHeader => {
                let twice = signature.and_then(|at| delivery.headers.get(at)).cloned();
                delivery.headers.splice(0..0, twice);
            }
            Self::Body => delivery.body.push(b' '),
            // The signer puts it right behind the signature.
            Self::MissingTimestamp => {
                if let Some(at) =
                    signature.and_then(|at| at.checked_add(1)).filter(|at| *at < delivery.headers.len())
                {
                    delivery.headers.remove(at);
                }
            }
            Self::Key | Self::Timestamp | Self::FutureTimestamp => {}
        }
    }
}

fn timestamp_is_listed(scheme: &Scheme) -> bool {
    scheme.signature_shape().contains("<timestamp>")
}

fn change(delivery: &mut Delivery, at: Option<usize>, change: impl FnOnce(&str) -> String) {
    if let Some((_, value)) = at.and_then(|at| delivery.headers.get_mut(at)) {
        *value = change(value);
    }
}

/// Changes one character near the end: one that carries data in each encoding, and is in the alphabet of each.
fn another(value: &str) -> String {
    let at = value.trim_end_matches('=').chars().count().saturating_sub(5);
    let swap = |(place, char): (usize, char)| match char {
        _ if place != at => char,
        '0' => '1',
        _ => '0',
    };
    value.chars().enumerate().map(swap).collect()
}

/// Removes a number of characters that leaves each encoding well-formed. Of a short token, half remains.
fn truncated(value: &str) -> String {
    let trimmed = value.trim_end_matches('=');
    let padding = value.len().saturating_sub(trimmed.len());
    let length = trimmed.chars().count();
    let rest = length.saturating_sub(8_usize.saturating_sub(padding)).max(length.div_ceil(2));
    trimmed.chars().take(rest).collect()
}
