use countersign::{Algorithm, Encoding, Padding, PublicKey, Scheme, Verifier};

use crate::receiver::now;
use base64::prelude::{BASE64_STANDARD, Engine};

const ALGORITHMS: [Algorithm; 6] = [
    Algorithm::RsaPkcs1Sha256,
    Algorithm::RsaPkcs1Sha512,
    Algorithm::RsaPssSha256,
    Algorithm::EcdsaP256Sha256,
    Algorithm::EcdsaP256Sha256Fixed,
    Algorithm::Ed25519,
];

/// Signature lengths in bytes: P-256 in DER, two fixed-length numbers, and RSA from 1024 to 4096 bits.
const LENGTHS: [usize; 7] = [8, 64, 70, 128, 256, 384, 512];

/// Reads the bytes as a public key in every form, and asserts that no key accepts a made-up signature. Returns the
/// number of verifiers built.
pub fn public_key(data: &[u8]) -> usize {
    let text = str::from_utf8(data).ok();
    let texts = [PublicKey::from_text, PublicKey::from_pem, PublicKey::from_base64];
    let from_text = texts.iter().filter_map(|from| from(text?).ok());
    let binary = [PublicKey::from_der(data), PublicKey::from_ed25519(data)];
    let keys = from_text.chain(binary.into_iter().flatten()).collect::<Vec<_>>();
    let verifiers = keys.iter().flat_map(|key| ALGORITHMS.map(|algorithm| (key.clone(), algorithm)));
    verifiers.filter(|(key, algorithm)| rejects_made_up_signatures(key.clone(), *algorithm, data)).count()
}

/// Returns `false` if the key does not fit the algorithm.
fn rejects_made_up_signatures(key: PublicKey, algorithm: Algorithm, data: &[u8]) -> bool {
    let scheme = Scheme::builder("fuzzed")
        .signature_header("x-signature")
        .encoding(Encoding::Base64(Padding::Required))
        .algorithm(algorithm)
        .legacy_least_modulus_bits(1024)
        .build()
        .expect("the scheme is valid");
    let Ok(verifier) = Verifier::builder(scheme).public_key("only", key).build() else { return false };
    for length in LENGTHS {
        let of_key: Vec<u8> = data.iter().rev().copied().cycle().take(length).collect();
        let mut one = vec![0; length];
        one[length - 1] = 1;
        for made_up in [of_key, one, vec![0; length], vec![0xff; length]] {
            let headers = [("x-signature", BASE64_STANDARD.encode(&made_up))];
            let verdict = verifier.verify(&headers, b"{}", now());
            assert!(verdict.is_err(), "{algorithm:?}: {made_up:?} was accepted");
        }
    }
    true
}
