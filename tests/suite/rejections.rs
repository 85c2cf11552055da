//! Malformed signature headers: every surface rejects each with its own kind, before reading the body.

use countersign::{RejectionKind, Scheme, senders};

use crate::harness::{Outcome, SURFACES, hmac_delivery, kind_unread, verifier};

const BODY: &[u8] = br#"{"eventType":"Orders.Created"}"#;

/// Asserts that the scheme's own delivery passes, and that each value in place of its signature is rejected.
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
fn malformed_base64_is_rejected_with_its_own_kind() {
    let value = value_of(senders::moduslink);
    let (head, tail) = value.split_at(20);
    let with = |middle: &str| format!("{head}{middle}{}", &tail[middle.len()..]);
    let ending = |end: &str| format!("{}{end}", &value[..44 - end.len()]);
    let flipped = if value.starts_with('A') { "B" } else { "A" };
    let one_bit_off = format!("{flipped}{}", &value[1..]);
    // If padding is optional, 43 unpadded characters may be valid and 44 are too many.
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
fn malformed_hex_is_rejected_with_its_own_kind() {
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
            (&format!("sha256=0x{hex}"), RejectionKind::SignatureLength),
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
fn hex_and_label_may_be_in_either_case_with_spaces_around_the_equals_sign() {
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
fn malformed_lists_are_rejected_with_their_own_kind() {
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
fn a_malformed_list_item_does_not_hide_a_valid_one() {
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
