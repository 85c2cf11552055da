//! Everything that can be wrong with a signature header: each is rejected everywhere, with its own kind, and
//! before the body is read.

use std::time::{Duration, SystemTime};

use countersign::{RejectionKind, Scheme, Tolerance, Verifier, senders};

use crate::harness::{Delivery, Outcome, SURFACES, hmac_delivery, kind_unread, verifier};

const BODY: &[u8] = br#"{"eventType":"Orders.Created"}"#;

/// A scheme and what its sender sent; then one value after another in the place of the signature.
#[track_caller]
fn assert_refused(scheme: fn() -> Scheme, values: &[(&dyn AsRef<[u8]>, RejectionKind)]) {
    let verifier = verifier(scheme(), "secret");
    let sent = hmac_delivery(scheme(), "secret", BODY);
    for surface in SURFACES {
        assert_eq!((surface.deliver)(&verifier, &sent), Outcome::verified("k", BODY.to_vec()));
        for (value, kind) in values {
            let value = value.as_ref();
            let shown = value.escape_ascii().to_string();
            let changed = sent.with_signature(value);
            let outcome = (surface.deliver)(&verifier, &changed);
            assert_eq!(outcome, Outcome::rejected(*kind), "{shown:.100} through {}", surface.name);
            if *kind != RejectionKind::SignatureMismatch {
                assert_eq!(kind_unread(&verifier, &changed), *kind, "{shown:.100}");
            }
        }
    }
}

fn value_of(scheme: fn() -> Scheme) -> String {
    hmac_delivery(scheme(), "secret", BODY).signature()
}

#[test]
fn malformed_base64_is_refused_with_its_own_kind() {
    let value = value_of(senders::moduslink);
    let (head, tail) = value.split_at(20);
    let with = |middle: &str| format!("{head}{middle}{}", &tail[middle.len()..]);
    let ending = |end: &str| format!("{}{end}", &value[..44 - end.len()]);
    let flipped = if value.starts_with('A') { "B" } else { "A" };
    let one_bit_off = format!("{flipped}{}", &value[1..]);
    // Where the padding is optional, 44 characters without it are too many and 43 may be right.
    let (length, encoding) = (RejectionKind::SignatureLength, RejectionKind::SignatureEncoding);
    for (scheme, unpadded_43, unpadded_44) in
        [(senders::moduslink as fn() -> Scheme, encoding, length), (senders::ewarehousing, length, encoding)]
    {
        assert_refused(
            scheme,
            &[
                (&"", RejectionKind::SignatureEmpty),
                (&" \t ", RejectionKind::SignatureEmpty),
                (&"=", RejectionKind::SignatureLength),
                (&"AAAA", RejectionKind::SignatureLength),
                (&format!("{value}AAAA"), RejectionKind::SignatureLength),
                (&format!("{value}="), RejectionKind::SignatureLength),
                (&format!("{value}, {value}"), RejectionKind::SignatureLength),
                (&format!("{value}garbage"), RejectionKind::SignatureLength),
                (&format!("sha256={value}"), RejectionKind::SignatureLength),
                (&"A".repeat(44), unpadded_44),
                (&format!("{}==", "A".repeat(42)), RejectionKind::SignatureEncoding),
                (&with("-"), RejectionKind::SignatureEncoding),
                (&with("_"), RejectionKind::SignatureEncoding),
                (&with(" "), RejectionKind::SignatureEncoding),
                (&with("\t"), RejectionKind::SignatureEncoding),
                (&with("="), RejectionKind::SignatureEncoding),
                (&with("AA=="), RejectionKind::SignatureEncoding),
                (&format!("{}!", "A".repeat(42)), unpadded_43),
                (&with("é"), RejectionKind::SignatureNotAscii),
                (&[value.as_bytes(), b"\xff"].concat(), RejectionKind::SignatureNotAscii),
                (&[b'\xff'; 44], RejectionKind::SignatureNotAscii),
                (&ending("B="), RejectionKind::SignatureNotCanonical),
                (&ending("/="), RejectionKind::SignatureNotCanonical),
                (&"A".repeat(8193), RejectionKind::SignatureTooLong),
                (&"A".repeat(64 * 1024), RejectionKind::SignatureTooLong),
                (&"A".repeat(8192), RejectionKind::SignatureLength),
                (&one_bit_off, RejectionKind::SignatureMismatch),
                (&format!("{}=", "A".repeat(43)), RejectionKind::SignatureMismatch),
            ],
        );
    }
}

#[test]
fn padding_is_optional_for_moduslink_and_required_for_ewarehousing() {
    let unpadded = |scheme: fn() -> Scheme| {
        let sent = hmac_delivery(scheme(), "secret", BODY);
        let value = sent.signature();
        (verifier(scheme(), "secret"), sent.with_signature(value.trim_end_matches('=')))
    };
    for surface in SURFACES {
        let (verifier, delivery) = unpadded(senders::moduslink);
        assert_eq!((surface.deliver)(&verifier, &delivery), Outcome::verified("k", BODY.to_vec()));
        let (verifier, delivery) = unpadded(senders::ewarehousing);
        assert_eq!(
            (surface.deliver)(&verifier, &delivery),
            Outcome::rejected(RejectionKind::SignatureLength)
        );
    }
}

#[test]
fn malformed_hex_is_refused_with_its_own_kind() {
    let value = value_of(senders::extend);
    let hex = value.strip_prefix("sha256=").unwrap();
    let with =
        |place: usize, text: &str| format!("sha256={}{text}{}", &hex[..place], &hex[place + text.len()..]);
    assert_refused(
        senders::extend,
        &[
            (&"", RejectionKind::SignatureEmpty),
            (&"sha256=", RejectionKind::SignatureEmpty),
            (&"sha256= ", RejectionKind::SignatureEmpty),
            (&"=", RejectionKind::SignatureLabel),
            (&"==", RejectionKind::SignatureLabel),
            (&"invalid", RejectionKind::SignatureLabel),
            (&"sha256", RejectionKind::SignatureLabel),
            (&"k1=v1;k2=v2", RejectionKind::SignatureLabel),
            (&hex, RejectionKind::SignatureLabel),
            (&format!("sha1={hex}"), RejectionKind::SignatureLabel),
            (&format!("sha512={hex}"), RejectionKind::SignatureLabel),
            (&format!("sha256:{hex}"), RejectionKind::SignatureLabel),
            (&format!("xsha256={hex}"), RejectionKind::SignatureLabel),
            (&format!("sha256={value}"), RejectionKind::SignatureLabel),
            (&format!("={value}"), RejectionKind::SignatureLabel),
            (&"sha256=invalid", RejectionKind::SignatureLength),
            (&format!("{value}00"), RejectionKind::SignatureLength),
            (&format!("{value}0"), RejectionKind::SignatureLength),
            (&&value[..value.len() - 1], RejectionKind::SignatureLength),
            (&format!("{value},{value}"), RejectionKind::SignatureLength),
            (&format!("sha256={}", "a".repeat(10_000)), RejectionKind::SignatureTooLong),
            (&with(0, "+f"), RejectionKind::SignatureEncoding),
            (&with(30, "+f"), RejectionKind::SignatureEncoding),
            (&with(0, "0x"), RejectionKind::SignatureEncoding),
            (&with(5, " "), RejectionKind::SignatureEncoding),
            (&with(63, "g"), RejectionKind::SignatureEncoding),
            (&with(10, "é"), RejectionKind::SignatureNotAscii),
            (&format!("sha256={}", "é".repeat(32)), RejectionKind::SignatureNotAscii),
            (&format!("sha256={}", "0".repeat(64)), RejectionKind::SignatureMismatch),
        ],
    );
}

#[test]
fn hex_and_label_are_taken_in_either_case_and_with_spaces_round_the_sign() {
    let sent = hmac_delivery(senders::extend(), "secret", BODY);
    let hex = sent.signature().split_off("sha256=".len());
    let verifier = verifier(senders::extend(), "secret");
    for value in [
        format!("sha256={}", hex.to_lowercase()),
        format!("sha256={}", hex.to_uppercase()),
        format!("SHA256={hex}"),
        format!("sha256 = {hex}"),
        format!(" \tsha256={hex}\t "),
    ] {
        for surface in SURFACES {
            let outcome = (surface.deliver)(&verifier, &sent.with_signature(value.as_str()));
            assert_eq!(outcome, Outcome::verified("k", BODY.to_vec()), "{value:?} through {}", surface.name);
        }
    }
}

#[test]
fn malformed_lists_are_refused_with_their_own_kind() {
    let value = value_of(senders::modern_dropship);
    let (time, hex) = value.split_once(',').unwrap();
    let many = |count: usize| format!("{time}{}", ",00".repeat(count));
    assert_refused(
        senders::modern_dropship,
        &[
            (&"", RejectionKind::SignatureEmpty),
            (&time, RejectionKind::SignatureUnlisted),
            (&format!("{time},"), RejectionKind::SignatureEmpty),
            (&format!("t={time},v1="), RejectionKind::SignatureEmpty),
            (&format!("t={time},v2={hex}"), RejectionKind::SignatureUnlisted),
            (&",", RejectionKind::SignatureEmpty),
            (&format!("{time},{hex}0"), RejectionKind::SignatureLength),
            (&format!("{time};{hex}"), RejectionKind::SignatureUnlisted),
            (&format!("{time} {hex}"), RejectionKind::SignatureUnlisted),
            (&format!("{time},+f{}", &hex[2..]), RejectionKind::SignatureEncoding),
            (&format!("v1={hex}"), RejectionKind::TimestampMissing),
            (&format!("v1={hex},{hex}"), RejectionKind::TimestampMissing),
            (&format!("t={time},t={time},v1={hex}"), RejectionKind::TimestampRepeated),
            (&format!("{time},t={time},v1={hex}"), RejectionKind::TimestampRepeated),
            (&format!(",{hex}"), RejectionKind::TimestampMalformed),
            (&format!("t=,v1={hex}"), RejectionKind::TimestampMalformed),
            (&format!("t={time},t={time},v1=zz"), RejectionKind::SignatureLength),
            (&format!("{time},,00,+f{}", &hex[2..]), RejectionKind::SignatureEncoding),
            (&format!("{time},+f{},00,", &hex[2..]), RejectionKind::SignatureEncoding),
            (&format!("-{time},{hex}"), RejectionKind::SignatureMismatch),
            (&format!("+{time},{hex}"), RejectionKind::SignatureMismatch),
            (&format!("{time}.0,{hex}"), RejectionKind::TimestampMalformed),
            (&format!("{time}.,{hex}"), RejectionKind::TimestampMalformed),
            (&format!("2024-06-25T19:00:00,{hex}"), RejectionKind::TimestampMalformed),
            (&format!("99999999999999999999999999,{hex}"), RejectionKind::SignatureMismatch),
            (&format!("{}{time},{hex}", "0".repeat(40)), RejectionKind::TimestampMalformed),
            (&many(15), RejectionKind::SignatureLength),
            (&many(16), RejectionKind::TooManySignatures),
            (&many(2_000), RejectionKind::TooManySignatures),
            (&format!("0{time},{hex}"), RejectionKind::SignatureMismatch),
            (&format!("1719342000,{hex}"), RejectionKind::SignatureMismatch),
        ],
    );
}

#[test]
fn a_malformed_entry_of_a_list_hides_no_valid_one_beside_it() {
    let sent = hmac_delivery(senders::modern_dropship(), "secret", BODY);
    let value = sent.signature();
    let (time, hex) = value.split_once(',').unwrap();
    let verifier = verifier(senders::modern_dropship(), "secret");
    for value in [
        format!("{time},zz,{hex}"),
        format!("{time},{hex},zz"),
        format!("{time},,{hex},"),
        format!("{time} , v0=unknown , v1=short , v1={hex}"),
        format!("v1={hex},t={time}"),
        format!("{time}{},{hex}", ",00".repeat(14)),
    ] {
        for surface in SURFACES {
            let outcome = (surface.deliver)(&verifier, &sent.with_signature(value.as_str()));
            assert_eq!(outcome, Outcome::verified("k", BODY.to_vec()), "{value} through {}", surface.name);
        }
    }
}

#[test]
fn no_byte_moves_between_the_timestamp_and_the_body() {
    // What was signed is `1719342000.5.{}`; cut at the other dot it is another timestamp and another body.
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
    // Extend's scheme signs the message alone, in hex.
    let value = hmac_delivery(senders::extend(), secret, message).signature();
    value.trim_start_matches("sha256=").to_owned()
}

#[test]
fn without_a_tolerance_a_timestamp_of_any_form_is_signed_as_it_was_received() {
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

/// Each request below is wrong in all that follows as well: the first check in the contract's order decides.
#[test]
fn checks_run_in_the_order_of_the_contract() {
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    let tolerance = Tolerance::within(Duration::from_secs(300));
    let build = |expired: bool| {
        let key = countersign::Key::secret("k", countersign::Secret::new("secret"));
        let key = if expired { key.expires_at(long_ago) } else { key };
        let scheme = senders::modern_dropship().tolerance(tolerance);
        Verifier::builder(scheme).key(key).body_limit(100).build().unwrap()
    };
    let body = vec![b'x'; 101];
    let wrong = "0".repeat(64);
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let with = |values: &[String]| {
        let mut delivery =
            Delivery::new([], body.clone()).in_chunks_of(50).with_header("Content-Length", "101");
        for value in values {
            delivery = delivery.with_header("Convictional-Signature", value.as_str());
        }
        delivery
    };
    let stale = format!("1,{wrong}");
    let fresh = format!("{seconds},{wrong}");
    let without_length = |delivery: Delivery| {
        let headers = delivery.headers.into_iter().filter(|(name, _)| name != "Content-Length").collect();
        Delivery { headers, ..delivery }
    };

    let steps = [
        (build(true), with(&[]), RejectionKind::SignatureMissing),
        (build(true), with(&["1,zz".into(), "1,zz".into()]), RejectionKind::SignatureRepeated),
        (build(true), with(&["1,zz".into()]), RejectionKind::SignatureLength),
        (build(true), with(&["1".into()]), RejectionKind::SignatureUnlisted),
        (build(true), with(&[format!("x,{wrong}")]), RejectionKind::TimestampMalformed),
        (build(true), with(&[format!("x.,{wrong}")]), RejectionKind::TimestampMalformed),
        (build(true), with(&[stale]), RejectionKind::TimestampTooOld),
        (build(true), with(std::slice::from_ref(&fresh)), RejectionKind::NoActiveKey),
        (build(false), with(std::slice::from_ref(&fresh)), RejectionKind::BodyTooLarge),
        (build(false), without_length(with(std::slice::from_ref(&fresh))), RejectionKind::BodyTooLarge),
        (build(false), without_length(with(&[fresh]).with_body("x")), RejectionKind::SignatureMismatch),
    ];
    for (number, (verifier, delivery, kind)) in steps.iter().enumerate() {
        for surface in SURFACES {
            let outcome = (surface.deliver)(verifier, delivery);
            assert_eq!(outcome, Outcome::rejected(*kind), "step {number} through {}", surface.name);
        }
    }
}

#[test]
fn content_length_is_refused_over_the_limit_and_where_it_is_no_number() {
    let verifier = verifier(senders::moduslink(), "secret");
    let sent = hmac_delivery(senders::moduslink(), "secret", BODY);
    let length = BODY.len().to_string();
    let over = RejectionKind::BodyTooLarge;
    let malformed = RejectionKind::ContentLengthMalformed;
    for surface in SURFACES {
        let deliver = |value: &str| (surface.deliver)(&verifier, &sent.with_header("content-length", value));
        for good in [length.as_str(), "0", "1048576", "0000000000000000000000001"] {
            assert_eq!(deliver(good), Outcome::verified("k", BODY.to_vec()), "{good}");
        }
        for (value, kind) in [
            ("1048577", over),
            ("1000000000000000", over),
            ("18446744073709551616", over),
            ("99999999999999999999999999999999999999", over),
            ("", malformed),
            ("-1", malformed),
            ("+1", malformed),
            ("1e3", malformed),
            ("12 34", malformed),
            ("12, 12", malformed),
        ] {
            assert_eq!(deliver(value), Outcome::rejected(kind), "{value:?} through {}", surface.name);
        }
        let twice = sent.with_header("content-length", "1").with_header("content-length", "1048577");
        assert_eq!((surface.deliver)(&verifier, &twice), Outcome::rejected(over));
    }
}

#[test]
fn a_body_at_the_limit_passes_and_one_byte_more_does_not() {
    let build = |limit| {
        let secret = countersign::Secret::new("secret");
        Verifier::builder(senders::moduslink()).secret("k", secret).body_limit(limit).build().unwrap()
    };
    let body = vec![0xff_u8; 10_000];
    let sent = hmac_delivery(senders::moduslink(), "secret", body.clone());
    for delivery in [sent.clone(), sent.in_chunks_of(7), sent.split_at(9_999)] {
        for surface in SURFACES {
            let deliver = |limit| (surface.deliver)(&build(limit), &delivery);
            assert_eq!(deliver(10_000), Outcome::verified("k", body.clone()));
            assert_eq!(deliver(9_999), Outcome::rejected(RejectionKind::BodyTooLarge));
        }
    }
}

#[test]
fn an_empty_body_that_is_signed_is_a_valid_delivery() {
    for scheme in [senders::moduslink, senders::ewarehousing, senders::extend, senders::modern_dropship] {
        let sent = hmac_delivery(scheme(), "secret", "");
        for delivery in [sent.clone(), Delivery { chunks: Vec::new(), ..sent }] {
            for surface in SURFACES {
                let outcome = (surface.deliver)(&verifier(scheme(), "secret"), &delivery);
                assert_eq!(outcome, Outcome::verified("k", Vec::new()), "{}", surface.name);
            }
        }
    }
}

#[test]
fn chunks_without_a_byte_are_counted_and_change_nothing_below_the_budget() {
    let verifier = verifier(senders::moduslink(), "secret");
    let mut sent = hmac_delivery(senders::moduslink(), "secret", BODY);
    sent.chunks.extend(vec![bytes::Bytes::new(); 1024]);
    for surface in SURFACES {
        assert_eq!((surface.deliver)(&verifier, &sent), Outcome::verified("k", BODY.to_vec()));
    }
    sent.chunks.push(bytes::Bytes::new());
    for surface in SURFACES.iter().filter(|surface| surface.name != "core, one-shot") {
        let outcome = (surface.deliver)(&verifier, &sent);
        assert_eq!(outcome, Outcome::rejected(RejectionKind::BodyUnreadable), "{}", surface.name);
    }
}
