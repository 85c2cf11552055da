//! Times `Verifier::verify`, and `begin`, `update`, `finish`, against the bare cryptography, for every algorithm and size.
//!
//! ```sh
//! cargo run --release --manifest-path benches/Cargo.toml -p in-process --bin core [-- SAMPLES]
//! ```

use std::{
    error::Error,
    hint::black_box,
    time::{Duration, Instant, SystemTime},
};

use countersign::{
    Algorithm, Encoding, Key, PrivateKey, PublicKey, Rejection, Scheme, Secret, Signer, SigningKey, Verified,
    Verifier,
};
use data_encoding::HEXLOWER;
use in_process::{
    bare::bare,
    delivery::{SIZES, body},
    measure::{Figures, Timed, interleaved},
    report,
};
use serde::Serialize;

const SECRET: &str = "a secret of thirty-two characters";
/// The chunk size of the case that takes the body in chunks.
const CHUNK: usize = 16 << 10;

macro_rules! key_pair {
    ($name:literal) => {
        [
            include_str!(concat!("../../../../tests/vectors/keys/", $name, "-private.pem")),
            include_str!(concat!("../../../../tests/vectors/keys/", $name, "-public.pem")),
        ]
    };
}

#[derive(Serialize)]
struct Row {
    algorithm: &'static str,
    size: usize,
    name: &'static str,
    #[serde(flatten)]
    figures: Figures,
}

fn main() -> Result<(), Box<dyn Error>> {
    let samples = report::samples()?;
    let mut rows = Vec::new();
    for &algorithm in Algorithm::ALL {
        for size in SIZES {
            rows.extend(measured(algorithm, size, samples)?);
        }
    }
    let notes = [
        "bare: hmac with a prepared key; aws-lc-rs with a parsed key, digest and verification of the digest; rsa for MD5",
        "bare Ed25519: ed25519-dalek, one pass over the body; the library makes a second pass for the fingerprint",
        "bare unsigned token: SHA-256 of the body",
        "begin/update/finish: chunks of 16 KiB; RSA keys of 2048 bits",
    ];
    report::write("in-process", "core", samples, &notes, &rows)
}

fn measured(algorithm: Algorithm, size: usize, samples: usize) -> Result<Vec<Row>, Box<dyn Error>> {
    let (signing, key, public) = keys(algorithm)?;
    let scheme = match algorithm {
        Algorithm::UnsignedToken => Scheme::unsigned_token("bench", "x-signature"),
        _ => Scheme::builder("bench")
            .signature_header("x-signature")
            .encoding(Encoding::Hex)
            .algorithm(algorithm)
            .build()?,
    };
    let verifier = Verifier::builder(scheme.clone()).key(key).build()?;
    let body = body(size);
    let headers = Signer::new(scheme, [signing])?.headers(&body, SystemTime::now())?;
    let claimed = HEXLOWER.decode(headers[0].1.as_bytes()).unwrap_or_default();
    let bare = bare(algorithm, public, &claimed)?;

    let verify = |body: &[u8]| verifier.verify(&headers, body, SystemTime::now());
    let step_by_step = |body: &[u8]| -> Result<Verified, Rejection> {
        let mut verification = verifier.begin(&headers, SystemTime::now())?;
        body.chunks(CHUNK).try_for_each(|chunk| verification.update(chunk))?;
        verification.finish()
    };
    if !bare(&body) || verify(&body).is_err() || step_by_step(&body).is_err() {
        return Err(format!("{algorithm} does not verify").into());
    }
    let mut contestants: [Timed<'_>; 3] = [
        timed(|| bare(black_box(&body))),
        timed(|| verify(black_box(&body))),
        timed(|| step_by_step(black_box(&body))),
    ];
    let figures = interleaved(&mut contestants, samples);
    let rows = ["bare", "verify", "begin/update/finish"].into_iter().zip(figures).map(|(name, figures)| {
        let row = Row { algorithm: algorithm.as_str(), size, name, figures };
        println!(
            "{:24} {size:>8} B  {name:20} {:>12.1} ns  {:>6.3}",
            row.algorithm, figures.median_ns, figures.ratio
        );
        row
    });
    Ok(rows.collect())
}

/// The sender's key, the verifier's key, and the latter as text.
fn keys(algorithm: Algorithm) -> Result<(SigningKey, Key, &'static str), Box<dyn Error>> {
    let [private, public] = match algorithm {
        Algorithm::RsaPkcs1Sha256
        | Algorithm::RsaPkcs1Sha512
        | Algorithm::RsaPssSha256
        | Algorithm::LegacyRsaPkcs1Md5 => key_pair!("rsa-2048"),
        Algorithm::EcdsaP256Sha256 | Algorithm::EcdsaP256Sha256Fixed => key_pair!("p256"),
        Algorithm::Ed25519 => key_pair!("ed25519"),
        _ => return Ok((Secret::new(SECRET).into(), Key::secret("bench", Secret::new(SECRET)), SECRET)),
    };
    Ok((PrivateKey::from_pem(private)?.into(), Key::public("bench", PublicKey::from_pem(public)?), public))
}

fn timed<'a, T>(work: impl Fn() -> T + 'a) -> Timed<'a> {
    Box::new(move |times| -> Duration {
        let start = Instant::now();
        for _ in 0..times {
            black_box(work());
        }
        start.elapsed()
    })
}
