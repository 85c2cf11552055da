//! A statistical test, in the style of [dudect](https://eprint.iacr.org/2016/1123), that the time of a comparison does not
//! depend on where a claimed signature differs from the computed one.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "statistics over some thousand nanoseconds"
)]

use std::{hint::black_box, time::Instant};

use ::hmac::digest::FixedOutputReset;
use sha2::Sha256;

use crate::{
    keys::{
        algorithm::Algorithm,
        hmac::{self, Hmac, keyed},
        key::Key,
        ring::{KeyRing, KeyRules, is_any_of},
        secret::{Secret, SecretForm},
        token,
    },
    wire::encoding::SignatureBytes,
};

const SAMPLES: usize = 60_000;
/// dudect calls a difference beyond this |t| probable.
const PROBABLE: f64 = 10.0;
/// Noise may look like a leak once. A leak looks like one each time.
const ATTEMPTS: usize = 5;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Differs {
    Early,
    Late,
    Nowhere,
}

const PAIRS: [(Differs, Differs); 2] = [(Differs::Early, Differs::Late), (Differs::Late, Differs::Nowhere)];

impl Differs {
    /// Writes each byte the same way in every class, so that only the values differ.
    fn change(self, right: &[u8]) -> SignatureBytes {
        let changed = match self {
            Self::Early => 0,
            Self::Late => right.len() - 1,
            Self::Nowhere => right.len(),
        };
        right.iter().enumerate().map(|(at, byte)| byte ^ u8::from(at == changed)).collect()
    }
}

/// Whether `compare` takes longer for one class of a pair than for the other, at every attempt.
///
/// `compare` returns the nanoseconds that it took.
fn leaks(right: &[u8], mut compare: impl FnMut(SignatureBytes) -> f64) -> bool {
    PAIRS.into_iter().any(|pair| (0..ATTEMPTS).all(|_| greatest_t(right, pair, &mut compare) > PROBABLE))
}

/// The greatest |t| of Welch's test, over all samples and without the slowest, which are mostly noise.
fn greatest_t(
    right: &[u8],
    (one, other): (Differs, Differs),
    compare: &mut impl FnMut(SignatureBytes) -> f64,
) -> f64 {
    let mut samples: Vec<(Differs, f64)> = (0..SAMPLES)
        .map(|_| if fastrand::bool() { one } else { other })
        .map(|class| (class, compare(class.change(right))))
        .skip(SAMPLES / 10)
        .collect();
    samples.sort_by(|(_, one), (_, other)| one.total_cmp(other));
    let kept = [0.25, 0.5, 0.75, 0.9, 0.99, 1.0].map(|share| {
        let kept = (samples.len() as f64 * share) as usize;
        // All samples of the same duration, or none: a cut between them would favour a class.
        let limit = samples[kept - 1].1;
        samples.partition_point(|(_, took)| *took <= limit)
    });
    kept.map(|kept| welch(&samples[..kept], one).abs()).into_iter().fold(0.0, f64::max)
}

fn welch(samples: &[(Differs, f64)], one: Differs) -> f64 {
    let (ones, others): (Vec<_>, Vec<_>) = samples.iter().partition(|(class, _)| *class == one);
    let [(mean, error), (other_mean, other_error)] = [ones, others].map(|class| {
        let count = class.len() as f64;
        let mean = class.iter().map(|(_, took)| took).sum::<f64>() / count;
        let variance = class.iter().map(|(_, took)| (took - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    });
    let error = (error + other_error).sqrt();
    if error > 0.0 { (mean - other_mean) / error } else { 0.0 }
}

fn timed<T>(run: impl FnOnce() -> T) -> f64 {
    let began = Instant::now();
    black_box(run());
    began.elapsed().as_nanos() as f64
}

fn rules(form: &SecretForm) -> KeyRules<'_> {
    KeyRules { scheme: "timing", algorithm: Algorithm::HmacSha256, secret_form: form, least_modulus_bits: 0 }
}

fn hmac_ring() -> hmac::Ring<Hmac<Sha256>> {
    hmac::Ring::new(&rules(&SecretForm::Text), &[Key::secret("only", Secret::new("a secret"))]).unwrap()
}

/// The signature that is right for an empty body.
fn right() -> Vec<u8> {
    keyed::<Hmac<Sha256>>(b"a secret").finalize_fixed_reset().to_vec()
}

#[test]
#[cfg_attr(miri, ignore = "the times of an interpreter say nothing")]
fn an_hmac_takes_the_same_time_wherever_the_claimed_signature_differs() {
    let ring = hmac_ring();
    let compare = |claimed| {
        let (running, claimed) = (ring.start(&[]), [claimed]);
        timed(|| running.finish(&claimed).made_by_key)
    };
    assert!(!leaks(&right(), compare));
}

#[test]
#[cfg_attr(miri, ignore = "the times of an interpreter say nothing")]
fn a_token_takes_the_same_time_wherever_it_differs() {
    const TOKEN: &[u8] = b"a token that nobody else has, of any length";
    let stored = token::hash(TOKEN);
    let compare = |claimed: SignatureBytes| {
        timed(|| is_any_of(&stored, &[SignatureBytes::from_slice(&token::hash(&claimed))]))
    };
    assert!(!leaks(TOKEN, compare));
}

#[test]
#[cfg_attr(miri, ignore = "the times of an interpreter say nothing")]
fn a_comparison_that_stops_at_the_first_difference_is_caught() {
    let state: Hmac<Sha256> = keyed(b"a secret");
    let compare = |claimed: SignatureBytes| {
        let mut state = state.clone();
        timed(|| {
            state.finalize_fixed_reset().iter().zip(&claimed).all(|(computed, claimed)| computed == claimed)
        })
    };
    assert!(leaks(&right(), compare));
}
