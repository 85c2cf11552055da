//! The bare cryptography: only the primitive, from the same library.

use std::error::Error;

use aws_lc_rs::{digest, signature};
use countersign::Algorithm;
use ed25519_dalek::Verifier as _;
use hmac::{Hmac, KeyInit, Mac};
use rsa::{Pkcs1v15Sign, pkcs8::DecodePublicKey};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// Returns whether the body has the signature that this was made for.
pub type Bare = Box<dyn Fn(&[u8]) -> bool>;

/// `key` is a secret or a public key in PEM, and `claimed` is the bytes of the signature.
pub fn bare(algorithm: Algorithm, key: &str, claimed: &[u8]) -> Result<Bare, Box<dyn Error>> {
    let library = |verify: &'static dyn signature::VerificationAlgorithm,
                   hash: &'static digest::Algorithm|
     -> Result<Bare, Box<dyn Error>> {
        let key = signature::ParsedPublicKey::new(verify, pem::parse(key)?.contents())?;
        let claimed = claimed.to_vec();
        Ok(Box::new(move |body| key.verify_digest_sig(&digest::digest(hash, body), &claimed).is_ok()))
    };
    match algorithm {
        Algorithm::HmacSha256 => mac::<Hmac<Sha256>>(key, claimed),
        Algorithm::HmacSha384 => mac::<Hmac<Sha384>>(key, claimed),
        Algorithm::HmacSha512 => mac::<Hmac<Sha512>>(key, claimed),
        Algorithm::LegacyHmacSha1 => mac::<Hmac<Sha1>>(key, claimed),
        Algorithm::RsaPkcs1Sha256 => library(&signature::RSA_PKCS1_2048_8192_SHA256, &digest::SHA256),
        Algorithm::RsaPkcs1Sha512 => library(&signature::RSA_PKCS1_2048_8192_SHA512, &digest::SHA512),
        Algorithm::RsaPssSha256 => library(&signature::RSA_PSS_2048_8192_SHA256, &digest::SHA256),
        Algorithm::EcdsaP256Sha256 => library(&signature::ECDSA_P256_SHA256_ASN1, &digest::SHA256),
        Algorithm::EcdsaP256Sha256Fixed => library(&signature::ECDSA_P256_SHA256_FIXED, &digest::SHA256),
        Algorithm::LegacyRsaPkcs1Md5 => {
            let key = rsa::RsaPublicKey::from_public_key_pem(key)?;
            let claimed = claimed.to_vec();
            Ok(Box::new(move |body| {
                let hashed = <md5::Md5 as md5::Digest>::digest(body);
                key.verify(Pkcs1v15Sign::new::<md5::Md5>(), &hashed, &claimed).is_ok()
            }))
        }
        Algorithm::Ed25519 => {
            let document = pem::parse(key)?;
            let raw = document.contents().last_chunk().ok_or("an Ed25519 key has 32 bytes")?;
            let key = ed25519_dalek::VerifyingKey::from_bytes(raw)?;
            let claimed = ed25519_dalek::Signature::from_slice(claimed)?;
            Ok(Box::new(move |body| key.verify(body, &claimed).is_ok()))
        }
        // A token signs nothing, so only the hash for the fingerprint remains.
        Algorithm::UnsignedToken => Ok(Box::new(|body| {
            std::hint::black_box(Sha256::digest(body));
            true
        })),
        other => Err(format!("{other} has nothing to be compared with: add it here").into()),
    }
}

fn mac<M: Mac + KeyInit + Clone + 'static>(key: &str, claimed: &[u8]) -> Result<Bare, Box<dyn Error>> {
    let keyed = <M as KeyInit>::new_from_slice(key.as_bytes())?;
    let claimed = claimed.to_vec();
    Ok(Box::new(move |body| keyed.clone().chain_update(body).verify_slice(&claimed).is_ok()))
}
