//! Keys that nobody holds, for a delivery that must be rejected.

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair},
};
use countersign::{Algorithm, BuildError, PrivateKey, Secret, SigningKey};

use crate::failure::Failure;

/// A new key that fits the algorithm.
pub(crate) fn signing_key(algorithm: Algorithm) -> Result<SigningKey, Failure> {
    let random = SystemRandom::new();
    let document = match algorithm {
        Algorithm::Ed25519 => {
            Ed25519KeyPair::generate_pkcs8(&random).map(|document| document.as_ref().to_vec())
        }
        Algorithm::EcdsaP256Sha256 | Algorithm::EcdsaP256Sha256Fixed => {
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random)
                .map(|document| document.as_ref().to_vec())
        }
        Algorithm::RsaPkcs1Sha256
        | Algorithm::RsaPkcs1Sha512
        | Algorithm::RsaPssSha256
        | Algorithm::LegacyRsaPkcs1Md5 => KeyPair::generate(KeySize::Rsa2048).and_then(|pair| {
            AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map(|document| document.as_ref().to_vec())
        }),
        _ => return Ok(secret().into()),
    };
    let document = document.map_err(|_| Failure::new("cannot make a new key"))?;
    let key: Result<PrivateKey, BuildError> =
        PrivateKey::from_pem(&pem::encode(&pem::Pem::new("PRIVATE KEY", document)));
    Ok(key.map_err(Failure::new)?.into())
}

/// Hex digits are also text and base64, so the secret fits every scheme.
fn secret() -> Secret {
    Secret::new(std::iter::repeat_with(|| fastrand::char('a'..='f')).take(64).collect::<String>())
}
