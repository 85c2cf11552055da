//! Timestamps signed before the body: where they end, and how far from now they may be.

use std::time::{Duration, SystemTime};

use countersign::{RejectionKind, Tolerance, senders};

use crate::harness::{Delivery, Outcome, SURFACES, hmac_delivery, verifier};

#[test]
fn bytes_cannot_move_between_the_timestamp_and_the_body() {
    // The signed content is `1719342000.5.{}`. Split at the other dot, it gives another timestamp and body.
    let verifier = verifier(senders::modern_dropship(), "secret");
    let signed = |time: &str, body: &str| {
        let mac = hmac_of("secret", &format!("{time}.{body}"));
        Delivery::new([("Convictional-Signature".to_owned(), format!("{time},{mac}"))], body)
    };
    for surface in SURFACES {
        let honest = signed("1719342000", "5.{}");
        assert_eq!((surface.deliver)(&verifier, &honest), Outcome::verified("k", b"5.{}".to_vec()));
        for (time, body) in
            [("1719342000.5", "{}"), ("1719342000.5.", "{}"), ("2024-06-25T19:00:00", "5Z.{}")]
        {
            let moved = signed(time, body);
            let outcome = (surface.deliver)(&verifier, &moved);
            assert_eq!(outcome, Outcome::rejected(RejectionKind::TimestampMalformed), "{time}");
        }
    }
}

fn hmac_of(secret: &str, message: &str) -> String {
    // Extend's scheme signs the body alone and sends hex.
    let value = hmac_delivery(senders::extend(), secret, message).signature();
    value.trim_start_matches("sha256=").to_owned()
}

#[test]
fn without_a_tolerance_a_timestamp_of_any_form_is_verified_as_received() {
    let verifier = verifier(senders::modern_dropship(), "secret");
    for time in ["noon", "+1719342000", "99999999999999999999999999", "Tue 25 Jun 2024"] {
        let mac = hmac_of("secret", &format!("{time}.body"));
        let delivery =
            Delivery::new([("Convictional-Signature".to_owned(), format!("{time},{mac}"))], "body");
        for surface in SURFACES {
            assert_eq!(
                (surface.deliver)(&verifier, &delivery),
                Outcome::verified("k", b"body".to_vec()),
                "{time}"
            );
        }
        let verified = verifier.verify(&delivery.headers, b"body", SystemTime::now()).unwrap();
        assert_eq!(verified.timestamp(), None);
    }
}

#[test]
fn a_tolerance_is_checked_in_both_directions_and_in_every_unit() {
    let tolerance = Tolerance::new(Duration::from_secs(300), Duration::from_secs(60));
    let verifier = verifier(senders::modern_dropship().tolerance(tolerance), "secret");
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let at = |time: String| {
        let mac = hmac_of("secret", &format!("{time}.body"));
        Delivery::new([("Convictional-Signature".to_owned(), format!("{time},{mac}"))], "body")
    };
    let good = Outcome::verified("k", b"body".to_vec());
    let too_old = Outcome::rejected(RejectionKind::TimestampTooOld);
    let in_future = Outcome::rejected(RejectionKind::TimestampInFuture);
    for surface in SURFACES {
        let deliver = |time: String| (surface.deliver)(&verifier, &at(time));
        assert_eq!(deliver(seconds.to_string()), good);
        assert_eq!(deliver((seconds - 290).to_string()), good);
        assert_eq!(deliver((seconds - 310).to_string()), too_old);
        assert_eq!(deliver((seconds + 50).to_string()), good);
        assert_eq!(deliver((seconds + 70).to_string()), in_future);
        assert_eq!(deliver(format!("{seconds}000")), good);
        assert_eq!(deliver(format!("{}000", seconds - 310)), too_old);
        assert_eq!(deliver("2024-06-25T19:00:00Z".to_owned()), too_old);
        assert_eq!(deliver("9999-12-31T23:59:59Z".to_owned()), in_future);
        assert_eq!(deliver("0000-01-01T00:00:00Z".to_owned()), too_old);
        assert_eq!(deliver("0".to_owned()), too_old);
        assert_eq!(deliver(u64::MAX.to_string()), in_future);
        let malformed = Outcome::rejected(RejectionKind::TimestampMalformed);
        assert_eq!(deliver("noon".to_owned()), malformed);
        assert_eq!(deliver(format!("+{seconds}")), malformed);
    }
}
