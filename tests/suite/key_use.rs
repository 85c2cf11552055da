//! How often each key was used: the answer to "may the old key go?".

use std::time::{Duration, UNIX_EPOCH};

use countersign::{
    Algorithm, Encoding, Key, KeyUse, Part, RejectionKind, Rotating, Scheme, Secret, Signer, Verifier,
    senders,
};

use crate::harness::{Delivery, SURFACES, hmac_delivery, now, verifier};

const OLD: &str = "6093b18f75d8c02dddeb6a93a07f887f";
const NEW: &str = "bUHCGOfbza77Go6GxFuHCRvbyKYxXL";

/// Holds these secrets, each under the id beside it.
fn holding(scheme: Scheme, secrets: &[(&str, &str)]) -> Verifier {
    let builder = Verifier::builder(scheme);
    secrets
        .iter()
        .fold(builder, |builder, (id, secret)| builder.secret(*id, Secret::new(*secret)))
        .build()
        .unwrap()
}

/// A delivery that carries a signature for each of these secrets.
fn signed(scheme: Scheme, secrets: &[&str]) -> Delivery {
    let signer = Signer::new(scheme, secrets.iter().map(|secret| Secret::new(*secret))).unwrap();
    Delivery::new(signer.headers(b"an order", now()).unwrap(), "an order")
}

/// The id of each key, how often it matched, and how often it was needed.
fn counts(verifier: &Verifier) -> Vec<(String, u64, u64)> {
    verifier.key_use().map(|key| (key.key().to_string(), key.matched(), key.needed())).collect()
}

#[track_caller]
fn assert_counts(verifier: &Verifier, wanted: &[(&str, u64, u64)]) {
    let wanted: Vec<_> =
        wanted.iter().map(|(id, matched, needed)| ((*id).to_owned(), *matched, *needed)).collect();
    assert_eq!(counts(verifier), wanted);
}

#[test]
fn each_key_counts_what_it_signed_on_every_surface() {
    for surface in SURFACES {
        let verifier = holding(senders::moduslink(), &[("old", OLD), ("new", NEW), ("never", "unused")]);
        let forged = signed(senders::moduslink(), &["forged"]);
        for delivery in [&[OLD], &[NEW], &[OLD]].map(|secrets| signed(senders::moduslink(), secrets)) {
            (surface.deliver)(&verifier, &delivery);
            (surface.deliver)(&verifier, &delivery.with_body("another order"));
            (surface.deliver)(&verifier, &forged);
        }
        assert_counts(&verifier, &[("old", 2, 2), ("new", 1, 1), ("never", 0, 0)]);
    }
}

#[test]
fn a_key_beside_which_another_one_signed_is_not_needed() {
    let verifier = holding(senders::stripe(), &[("old", OLD), ("new", NEW)]);
    for secrets in [&[OLD, NEW], &[NEW, OLD], &[OLD, "unknown"]] {
        let delivery = signed(senders::stripe(), secrets);
        let _ = verifier.verify(&delivery.headers, b"an order", now()).unwrap();
    }
    assert_counts(&verifier, &[("old", 3, 1), ("new", 2, 0)]);
}

#[test]
fn an_inactive_key_matches_and_is_never_needed() {
    let long_ago = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let verifier = Verifier::builder(senders::stripe())
        .key(Key::secret("expired", Secret::new(OLD)).expires_at(long_ago))
        .key(Key::secret("active", Secret::new(NEW)))
        .build()
        .unwrap();
    for surface in SURFACES {
        let alone = (surface.deliver)(&verifier, &signed(senders::stripe(), &[OLD]));
        assert_eq!(alone.verdict, Err(RejectionKind::KeyExpired));
        // The active key is needed: an expired one verifies nothing.
        let both = (surface.deliver)(&verifier, &signed(senders::stripe(), &[OLD, NEW]));
        assert_eq!(both.verdict, Ok("active".to_owned()));
    }
    let times = SURFACES.len() as u64;
    assert_counts(&verifier, &[("expired", 2 * times, 0), ("active", times, times)]);
}

#[test]
fn a_signature_over_another_body_is_no_use_of_its_key() {
    let scheme = Scheme::builder("acme")
        .signature_header("x-acme")
        .encoding(Encoding::Hex)
        .algorithm(Algorithm::HmacSha256)
        .content([Part::Query])
        .body_digest_in_query("digest")
        .build()
        .unwrap();
    let verifier = holding(scheme.clone(), &[("k", OLD)]);
    let digest = base16ct::lower::encode_string(&<sha2::Sha256 as sha2::Digest>::digest(b"an order"));
    let target = format!("/?digest={digest}");
    let signer = Signer::new(scheme, [Secret::new(OLD)]).unwrap().request("POST", &target);
    let delivery = Delivery::new(signer.headers(b"an order", now()).unwrap(), "an order").to("POST", &target);
    let verify = |body: &[u8]| verifier.verify(&delivery.head(), body, now());
    assert_eq!(verify(b"another order").unwrap_err().kind(), RejectionKind::BodyDigestMismatch);
    assert_counts(&verifier, &[("k", 0, 0)]);
    let _ = verify(b"an order").unwrap();
    assert_counts(&verifier, &[("k", 1, 1)]);
}

#[test]
fn the_last_use_is_the_latest_time_of_a_verification() {
    let verifier = verifier(senders::extend(), OLD);
    let last = || {
        let key: KeyUse = verifier.key_use().next().unwrap();
        (key.last_matched(), key.last_needed())
    };
    assert_eq!(last(), (None, None));
    let delivery = hmac_delivery(senders::extend(), OLD, "an order");
    let noon = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let before_1970 = UNIX_EPOCH.checked_sub(Duration::from_secs(1)).unwrap();
    for (now, wanted) in [
        (before_1970, UNIX_EPOCH),
        (noon + Duration::from_millis(999), noon),
        (noon - Duration::from_secs(60), noon),
        (noon + Duration::from_secs(60), noon + Duration::from_secs(60)),
    ] {
        let _ = verifier.verify(&delivery.headers, b"an order", now).unwrap();
        assert_eq!(last(), (Some(wanted), Some(wanted)));
    }
}

#[test]
fn clones_and_joined_verifiers_count_together() {
    let moduslink = holding(senders::moduslink(), &[("m", OLD)]);
    let extend = holding(senders::extend(), &[("e", OLD)]);
    let joined = Verifier::any_of([moduslink.clone(), extend]).unwrap();
    let delivery = signed(senders::moduslink(), &[OLD]);
    let _ = joined.verify(&delivery.headers, b"an order", now()).unwrap();
    let _ = moduslink.clone().verify(&delivery.headers, b"an order", now()).unwrap();
    assert_counts(&moduslink, &[("m", 2, 2)]);
    assert_counts(&joined, &[("m", 2, 2), ("e", 0, 0)]);
    let senders: Vec<_> = joined.key_use().map(|key| key.sender().to_owned()).collect();
    assert_eq!(senders, ["moduslink", "extend"]);
}

#[test]
fn a_key_that_stays_counts_on_over_a_rotation_and_a_new_one_begins_at_zero() {
    // Whatever its id: the key is the same.
    let steps: [(&[_], _, &[_]); 4] = [
        (&[("current", OLD)], OLD, &[("current", 1, 1)]),
        (&[("current", NEW), ("previous", OLD)], NEW, &[("current", 1, 1), ("previous", 1, 1)]),
        (&[("current", NEW), ("previous", OLD)], OLD, &[("current", 1, 1), ("previous", 2, 2)]),
        (&[("current", NEW)], NEW, &[("current", 2, 2)]),
    ];
    for surface in SURFACES {
        let rotating = Rotating::new(holding(senders::moduslink(), steps[0].0));
        for (secrets, signs, wanted) in steps {
            rotating.replace(holding(senders::moduslink(), secrets));
            let outcome = (surface.deliver)(&rotating.current(), &signed(senders::moduslink(), &[signs]));
            assert!(outcome.verdict.is_ok(), "{}: {outcome:?}", surface.name);
            assert_counts(&rotating.current(), wanted);
        }
        // It was forgotten with its key.
        rotating.replace(holding(senders::moduslink(), &[("current", NEW), ("previous", OLD)]));
        assert_counts(&rotating.current(), &[("current", 2, 2), ("previous", 0, 0)]);
    }
}

#[test]
fn another_senders_key_begins_at_zero_although_the_secret_is_the_same() {
    let before = holding(senders::moduslink(), &[("k", OLD)]);
    let _ = before.verify(&signed(senders::moduslink(), &[OLD]).headers, b"an order", now()).unwrap();
    assert_counts(&holding(senders::extend(), &[("k", OLD)]).replacing(&before), &[("k", 0, 0)]);
    assert_counts(&holding(senders::moduslink(), &[("k", OLD)]).replacing(&before), &[("k", 1, 1)]);
}

#[test]
fn a_verification_that_has_begun_counts_for_the_key_after_a_rotation() {
    let rotating = Rotating::new(holding(senders::moduslink(), &[("k", OLD)]));
    let delivery = signed(senders::moduslink(), &[OLD]);
    let mut begun = rotating.current().begin(&delivery.headers, now()).unwrap();
    rotating.replace(holding(senders::moduslink(), &[("k", OLD), ("next", NEW)]));
    begun.update(b"an order").unwrap();
    let _ = begun.finish().unwrap();
    assert_counts(&rotating.current(), &[("k", 1, 1), ("next", 0, 0)]);
}

#[test]
fn rotations_under_load_lose_no_count() {
    const THREADS: u64 = 4;
    const EACH: u64 = 250;
    let rotating = Rotating::new(holding(senders::moduslink(), &[("stays", OLD)]));
    let delivery = signed(senders::moduslink(), &[OLD]);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..EACH {
                    let _ = rotating.current().verify(&delivery.headers, b"an order", now()).unwrap();
                }
            });
            // Several at once.
            scope.spawn(|| {
                for _ in 0..EACH {
                    rotating.replace(holding(senders::moduslink(), &[("stays", OLD), ("next", NEW)]));
                }
            });
        }
    });
    assert_counts(&rotating.current(), &[("stays", THREADS * EACH, THREADS * EACH), ("next", 0, 0)]);
}

#[test]
fn no_snapshot_shows_a_secret() {
    let verifier = holding(senders::extend(), &[("k", OLD)]);
    let _ = verifier.verify(&signed(senders::extend(), &[OLD]).headers, b"an order", now()).unwrap();
    let shown = format!("{:?}", verifier.key_use().collect::<Vec<_>>());
    let hash = base16ct::lower::encode_string(&<sha2::Sha256 as sha2::Digest>::digest(OLD));
    assert!(
        shown.starts_with("[KeyUse { sender: \"extend\", key: \"k\", matched: 1, last_matched: Some("),
        "{shown}"
    );
    assert!(!shown.contains(OLD) && !shown.contains(&hash), "{shown}");
}
