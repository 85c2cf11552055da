//! The minimum that any verification of the same delivery must do: the same primitive over the same signed bytes, in one
//! piece, with a prepared key.

use std::{error::Error, hint::black_box};

use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA512, RsaKeyPair},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::sender::{PRIVATE_KEY, PUBLIC_KEY};

pub(crate) fn hmac(signed: Vec<u8>) -> Result<Box<dyn FnMut()>, Box<dyn Error>> {
    let keyed = Hmac::<Sha256>::new_from_slice(b"a key of less than a block")?;
    Ok(Box::new(move || {
        black_box(keyed.clone().chain_update(black_box(&signed)).finalize());
    }))
}

pub(crate) fn rsa(signed: Vec<u8>) -> Result<Box<dyn FnMut()>, Box<dyn Error>> {
    let private = RsaKeyPair::from_pkcs8(pem::parse(PRIVATE_KEY)?.contents())?;
    let mut claimed = vec![0; private.public_modulus_len()];
    private.sign(&RSA_PKCS1_SHA512, &SystemRandom::new(), &signed, &mut claimed)?;
    let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA512, pem::parse(PUBLIC_KEY)?.contents())?;
    Ok(Box::new(move || {
        let digest = digest::digest(&digest::SHA512, black_box(&signed));
        assert!(key.verify_digest_sig(&digest, &claimed).is_ok(), "signed with this key");
    }))
}
