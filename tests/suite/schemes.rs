//! Custom schemes: what the builder accepts, what it refuses, and what the scheme signs.

use std::time::Duration;

use countersign::{
    Algorithm, BuildError, Encoding, Padding, Part, PrivateKey, PublicKey, RejectionKind, Scheme,
    SchemeBuilder, Secret, SecretForm, SignatureList, Signer, SigningKey, Timestamp, TimestampFormat,
    Tolerance, Verifier, senders,
};

use crate::harness::{Delivery, Outcome, SURFACES, hmac_delivery, now, vectors_folder, verifier};

const UNLIMITED: Tolerance = Tolerance::dangerously_unlimited();

/// A scheme with the required fields only.
pub(crate) fn acme() -> SchemeBuilder {
    Scheme::builder("acme")
        .signature_header("X-Acme-Signature")
        .encoding(Encoding::Hex)
        .algorithm(Algorithm::HmacSha256)
}

pub(crate) fn stamped(format: TimestampFormat) -> Timestamp {
    Timestamp::in_header("X-Acme-Time", format, UNLIMITED)
}

fn listed() -> Timestamp {
    Timestamp::in_list("t", TimestampFormat::Seconds, UNLIMITED)
}

#[track_caller]
fn assert_mistake(builder: SchemeBuilder, message: &str) {
    assert_eq!(builder.build().unwrap_err().to_string(), format!("scheme \"acme\", {message}"));
}

#[test]
fn a_missing_field_is_named() {
    let builder = || Scheme::builder("acme");
    assert_mistake(builder(), "signature_header: it is missing");
    assert_mistake(builder().signature_header("X"), "encoding: it is missing");
    assert_mistake(builder().signature_header("X").encoding(Encoding::Hex), "algorithm: it is missing");
    let unnamed =
        Scheme::builder("").signature_header("X").encoding(Encoding::Hex).algorithm(Algorithm::HmacSha256);
    assert_eq!(
        unnamed.build().unwrap_err().to_string(),
        "scheme \"\", name: it is empty: logs tell senders apart by it"
    );
}

#[test]
fn contradictory_fields_do_not_build() {
    let list = || SignatureList::separated_by(',').labelled("v1", '=');
    let seconds = TimestampFormat::Seconds;
    for (builder, message) in [
        (acme().prefix("v1=").list(list()), "prefix: a list has labels instead of a prefix: remove it"),
        (acme().prefix(""), "prefix: it is empty, not ASCII, or surrounded by white space"),
        (acme().prefix("v1= "), "prefix: it is empty, not ASCII, or surrounded by white space"),
        (
            acme().algorithm(Algorithm::UnsignedToken),
            "algorithm: a static token is not a signature: use `Scheme::unsigned_token`",
        ),
        (
            acme().legacy_least_modulus_bits(1023),
            "legacy_least_modulus_bits: it is not between 1024 and 4096",
        ),
        (
            acme().legacy_least_modulus_bits(4097),
            "legacy_least_modulus_bits: it is not between 1024 and 4096",
        ),
        (
            acme().timestamp(listed()).content([Part::Timestamp, Part::Body]),
            "timestamp: it is an item of a list, but the header contains only one signature: declare the list",
        ),
        (
            acme()
                .list(SignatureList::separated_by(','))
                .timestamp(listed())
                .content([Part::Timestamp, Part::Body]),
            "timestamp: it is an item of a list whose items have no labels",
        ),
        (
            acme().list(list()).timestamp(Timestamp::in_list("V1", seconds, UNLIMITED)),
            "timestamp: it has the label of the signatures",
        ),
        (
            acme().list(list()).timestamp(Timestamp::in_list("", seconds, UNLIMITED)),
            "timestamp: \"\" is not a label: it must not contain '=', ',' or white space",
        ),
        (
            acme().timestamp(Timestamp::in_header("x-acme-signature", seconds, UNLIMITED)),
            "timestamp: it is in the signature's header: declare it as an item of the list",
        ),
    ] {
        assert_mistake(builder, message);
    }
}

#[test]
fn a_list_that_cannot_be_split_does_not_build() {
    for separator in ['a', '7', '+', '/', '-', '_', '=', '\u{e9}'] {
        let message =
            format!("list: a signature can contain {separator:?}: separate items by a comma, for example");
        assert_mistake(acme().list(SignatureList::separated_by(separator)), &message);
    }
    for assignment in ['a', '+', ' ', ',', '\u{e9}'] {
        let message = format!(
            "list: a label or signature can contain {assignment:?}: put = after the label, for example"
        );
        assert_mistake(acme().list(SignatureList::separated_by(',').labelled("v1", assignment)), &message);
    }
    let labels = ["", "v1=", "v,1", "v1 ", " v1", "v 1", "\u{e9}"];
    for label in labels {
        let message = format!("{label:?} is not a label: it must not contain '=', ',' or white space");
        let list = SignatureList::separated_by(',').labelled(label, '=');
        assert_mistake(acme().list(list), &format!("list: {message}"));
        let timestamp = Timestamp::in_list(label, TimestampFormat::Seconds, UNLIMITED);
        let list = SignatureList::separated_by(',').labelled("v1", '=');
        assert_mistake(acme().list(list).timestamp(timestamp), &format!("timestamp: {message}"));
    }
    for separator in [':', '.', ' '] {
        let timestamp = Timestamp::in_list("t", TimestampFormat::Rfc3339, UNLIMITED);
        let list = SignatureList::separated_by(separator).labelled("v1", '=');
        assert_mistake(
            acme().list(list).timestamp(timestamp),
            "timestamp: it can contain the separator of the list",
        );
    }
}

#[test]
fn content_must_sign_the_body_exactly_once() {
    let twice = "content: it signs the body more than once: keep one part of it";
    assert_mistake(acme().content([]), "content: it does not sign the body: add it as a part");
    assert_mistake(
        acme().content([Part::literal("x")]),
        "content: it does not sign the body: add it as a part",
    );
    assert_mistake(acme().content([Part::Body, Part::Body]), twice);
    assert_mistake(acme().content([Part::SortedForm, Part::Body]), twice);
    assert_mistake(
        acme().content([Part::Query, Part::literal("?"), Part::Body]).body_digest_in_query("d"),
        twice,
    );
    assert_mistake(
        acme().content([Part::Path]).body_digest_in_query("d"),
        "content: the body's digest is in the query, which the content does not sign: add the query as a part",
    );
}

#[test]
fn a_timestamp_must_be_declared_if_and_only_if_it_is_signed() {
    assert_mistake(
        acme().timestamp(stamped(TimestampFormat::Seconds)),
        "content: it does not sign the timestamp: add it as a part",
    );
    assert_mistake(
        acme().content([Part::Timestamp, Part::Body]),
        "timestamp: the content signs one: declare where it is sent, its format and its tolerance",
    );
    let twice = [Part::Timestamp, Part::literal("."), Part::Body, Part::literal("."), Part::Timestamp];
    assert_mistake(
        acme().timestamp(stamped(TimestampFormat::Seconds)).content(twice),
        "content: it signs the timestamp more than once: keep one part of it",
    );
    let untimed = acme().build().unwrap().tolerance(UNLIMITED);
    let built = Verifier::builder(untimed).secret("k", Secret::new("s")).build();
    assert_eq!(
        built.unwrap_err().to_string(),
        "acme signs no timestamp, so a tolerance has nothing to check: remove it"
    );
}

#[test]
fn a_tolerance_over_31_days_must_be_declared_unlimited() {
    let month = Duration::from_secs(31 * 86_400);
    let with = |tolerance| {
        let timestamp = Timestamp::in_header("X-Acme-Time", TimestampFormat::Seconds, tolerance);
        acme().timestamp(timestamp).content([Part::Timestamp, Part::literal("."), Part::Body])
    };
    assert!(with(Tolerance::within(month)).build().is_ok());
    let more = month + Duration::from_nanos(1);
    let message = "tolerance: it is more than 31 days: use `dangerously_unlimited` to accept any timestamp";
    assert_mistake(with(Tolerance::new(more, Duration::ZERO)), message);
    assert_mistake(with(Tolerance::new(Duration::ZERO, more)), message);
    assert_mistake(with(Tolerance::within(Duration::MAX)), message);
}

#[test]
fn parts_without_a_recognizable_end_do_not_build() {
    let after = |part: &str| format!("content: nothing marks where {part} ends: put a literal after it");
    let before = |part: &str| format!("content: nothing marks where {part} ends: put a literal before it");
    let id = || Part::header("X-Id");
    for (content, message) in [
        (vec![id(), Part::Body], after("the header X-Id")),
        (vec![id(), Part::Method, Part::literal("."), Part::Body], after("the header X-Id")),
        (vec![Part::Method, Part::literal(""), Part::Body], after("the method")),
        (vec![Part::Path, Part::Body], after("the path")),
        (vec![Part::Query, Part::SortedForm], after("the query")),
        (
            vec![Part::Path, Part::literal("/"), Part::Body],
            "content: every path contains \"/\": separate it by another literal".to_owned(),
        ),
        (vec![Part::Body, id()], before("the header X-Id")),
        (vec![Part::Body, Part::literal("."), id(), Part::Path], before("the path")),
        (
            vec![Part::header("X Id"), Part::literal("."), Part::Body],
            "content: \"X Id\" is not a valid header name".to_owned(),
        ),
        (
            vec![Part::header("x-acme-SIGNATURE"), Part::literal("."), Part::Body],
            "content: it signs the signature header itself".to_owned(),
        ),
        (
            vec![Part::Url("ftp://example.com".into()), Part::Body],
            "url: it does not begin with https:// or http://, or is not visible ASCII".to_owned(),
        ),
        (
            vec![Part::Url("https://example.com/ a".into()), Part::Body],
            "url: it does not begin with https:// or http://, or is not visible ASCII".to_owned(),
        ),
    ] {
        assert_mistake(acme().content(content), &message);
    }
    let any = acme().timestamp(stamped(TimestampFormat::Any)).content([Part::Timestamp, Part::Body]);
    let before = "content: nothing marks where a timestamp of any format ends: put it before the body, with a literal after it";
    assert_mistake(any, before);
    // A timestamp with a fraction contains the literal "." itself.
    let after = [Part::Body, Part::literal("."), Part::Timestamp];
    assert_mistake(acme().timestamp(stamped(TimestampFormat::Any)).content(after), before);
}

#[test]
fn an_invalid_header_name_does_not_build() {
    for header in ["", "X Acme", "X-Acme:", "\u{e9}"] {
        let error = acme().signature_header(header).build().unwrap_err();
        assert_eq!(error, BuildError::HeaderName { header: header.to_owned() });
        let timestamp = Timestamp::in_header(header, TimestampFormat::Seconds, UNLIMITED);
        let error = acme().timestamp(timestamp).content([Part::Timestamp, Part::Body]).build().unwrap_err();
        assert_eq!(error, BuildError::HeaderName { header: header.to_owned() });
    }
}

fn pem(name: &str) -> String {
    std::fs::read_to_string(vectors_folder().join("keys").join(name)).unwrap()
}

/// A signing key and the verifying key that fits it, for this algorithm.
fn keys(algorithm: Algorithm) -> (SigningKey, countersign::Key) {
    let pair = |name: &str| {
        let private = PrivateKey::from_pem(&pem(&format!("{name}-private.pem"))).unwrap();
        let public = PublicKey::from_pem(&pem(&format!("{name}-public.pem"))).unwrap();
        (SigningKey::from(private), countersign::Key::public("k", public))
    };
    match algorithm {
        Algorithm::RsaPkcs1Sha256
        | Algorithm::RsaPkcs1Sha512
        | Algorithm::RsaPssSha256
        | Algorithm::LegacyRsaPkcs1Md5 => pair("rsa-2048"),
        Algorithm::EcdsaP256Sha256 | Algorithm::EcdsaP256Sha256Fixed => pair("p256"),
        Algorithm::Ed25519 => pair("ed25519"),
        _ => (
            Secret::new("secret").dangerously_accept_placeholder().into(),
            countersign::Key::secret("k", Secret::new("secret").dangerously_accept_placeholder()),
        ),
    }
}

#[test]
fn every_algorithm_signs_and_verifies_in_every_encoding_on_every_surface() {
    let encodings = [Encoding::Hex, Encoding::HexUpper].into_iter().chain(
        [Padding::Required, Padding::Optional, Padding::Absent]
            .into_iter()
            .flat_map(|padding| [Encoding::Base64(padding), Encoding::Base64Url(padding)]),
    );
    let mut ran = 0;
    for encoding in encodings {
        for &algorithm in Algorithm::ALL.iter().filter(|&&algorithm| algorithm != Algorithm::UnsignedToken) {
            let scheme = acme()
                .algorithm(algorithm)
                .encoding(encoding)
                .prefix("sig:")
                .timestamp(stamped(TimestampFormat::Milliseconds))
                .content([Part::literal("v0:"), Part::Timestamp, Part::literal(":"), Part::Body])
                .build()
                .unwrap();
            let (signing, key) = keys(algorithm);
            let verifier = Verifier::builder(scheme.clone()).key(key).build().unwrap();
            let headers = Signer::new(scheme, [signing]).unwrap().headers(b"the body", now()).unwrap();
            let sent = Delivery::new(headers, "the body");
            for surface in SURFACES {
                let name = format!("{algorithm:?} {encoding:?} through {}", surface.name);
                let verified = Outcome::verified("k", b"the body".to_vec());
                assert_eq!((surface.deliver)(&verifier, &sent.in_chunks_of(3)), verified, "{name}");
                let changed = (surface.deliver)(&verifier, &sent.with_body("the bodz"));
                assert_eq!(changed, Outcome::rejected(RejectionKind::SignatureMismatch), "{name}");
                ran += 1;
            }
        }
    }
    assert_eq!(ran, 8 * 11 * 5);
}

#[test]
fn padding_is_required_optional_or_absent_as_the_scheme_says() {
    let takes = |encoding, value: &str| {
        let scheme = acme().encoding(encoding).build().unwrap();
        let sent = Delivery::new([("X-Acme-Signature".to_owned(), value.to_owned())], "body");
        (SURFACES[0].deliver)(&verifier(scheme, "secret"), &sent).verdict.map(drop)
    };
    // printf body | openssl dgst -sha256 -hmac secret -binary | base64
    let padded = "3EaYNVf+oSe0OvchRn65s/3iM4/j4U9RlSqoR4wT01U=".to_owned();
    let bare = padded.trim_end_matches('=').to_owned();
    let url = |text: &str| text.replace('+', "-").replace('/', "_");
    let wrong = Err(RejectionKind::SignatureLength);
    for (encode, alphabet) in [
        (Encoding::Base64 as fn(Padding) -> Encoding, (|text: &str| text.to_owned()) as fn(&str) -> String),
        (Encoding::Base64Url, url),
    ] {
        let (padded, bare) = (alphabet(&padded), alphabet(&bare));
        assert_eq!(takes(encode(Padding::Required), &padded), Ok(()));
        assert_eq!(takes(encode(Padding::Required), &bare), wrong);
        assert_eq!(takes(encode(Padding::Optional), &padded), Ok(()));
        assert_eq!(takes(encode(Padding::Optional), &bare), Ok(()));
        assert_eq!(takes(encode(Padding::Absent), &bare), Ok(()));
        assert_eq!(takes(encode(Padding::Absent), &padded), wrong);
    }
    // Characters of the other alphabet are rejected.
    let encoding = Err(RejectionKind::SignatureEncoding);
    assert_eq!(takes(Encoding::Base64Url(Padding::Required), &padded), encoding);
    assert_eq!(takes(Encoding::Base64(Padding::Required), &url(&padded)), encoding);
}

#[test]
fn optional_padding_is_there_whole_or_not_at_all() {
    let scheme = acme().encoding(Encoding::Base64(Padding::Optional)).algorithm(Algorithm::HmacSha512);
    let verifier = verifier(scheme.build().unwrap(), "secret");
    // printf body | openssl dgst -sha512 -hmac secret -binary | base64 -w0
    let bare = "3kpnHoIzmHxGqQSLgEG9pilpAZYAIoNsFcKAI9P2bDcgRJryQb3+LlksWyJzcwzR33Ywc+AY5g1zEwd8U0L96Q";
    let verdicts = ["", "=", "==", "==="].map(|padding| {
        let sent = Delivery::new([("X-Acme-Signature".to_owned(), format!("{bare}{padding}"))], "body");
        (SURFACES[0].deliver)(&verifier, &sent).verdict.map(drop)
    });
    let wrong = Err(RejectionKind::SignatureLength);
    assert_eq!(verdicts, [Ok(()), wrong, Ok(()), wrong]);
}

#[test]
fn a_prefix_must_be_whole_and_occur_once_in_either_case() {
    for prefix in ["sha256=", "v0:", "HMAC", "keyId=a,signature="] {
        let scheme = acme().prefix(prefix).build().unwrap();
        let sent = hmac_delivery(scheme.clone(), "secret", "body");
        let value = sent.signature();
        let bare = value[prefix.len()..].to_owned();
        let verdict = |value: String| {
            (SURFACES[0].deliver)(&verifier(scheme.clone(), "secret"), &sent.with_signature(value))
                .verdict
                .map(drop)
        };
        assert_eq!(verdict(value.clone()), Ok(()), "{prefix}");
        assert_eq!(verdict(format!("{}{bare}", prefix.to_uppercase())), Ok(()), "{prefix}");
        assert_eq!(verdict(bare.clone()), Err(RejectionKind::SignatureLabel), "{prefix}");
        // A prefix of letters only could be the start of the signature.
        let doubled = match prefix {
            "HMAC" => RejectionKind::SignatureLength,
            _ => RejectionKind::SignatureLabel,
        };
        assert_eq!(verdict(format!("{prefix}{value}")), Err(doubled), "{prefix}");
        assert_eq!(verdict(prefix.to_owned()), Err(RejectionKind::SignatureEmpty), "{prefix}");
        assert_eq!(verdict(format!("x{value}")), Err(RejectionKind::SignatureLabel), "{prefix}");
        let spaced = prefix.replace('=', " = ");
        let is_label = prefix.ends_with('=') && prefix.matches('=').count() == 1;
        let expected = if is_label || spaced == prefix { Ok(()) } else { Err(RejectionKind::SignatureLabel) };
        assert_eq!(verdict(format!("{spaced}{bare}")), expected, "{prefix}");
    }
}

#[test]
fn a_secret_is_decoded_from_the_form_its_sender_shows() {
    let built = |form: SecretForm, secret: &str| {
        let scheme = acme().secret_form(form).build().unwrap();
        Verifier::builder(scheme).secret("k", Secret::new(secret).dangerously_accept_placeholder()).build()
    };
    let base64 = || SecretForm::Base64 { prefix: "whsec_".into() };
    let sent = hmac_delivery(acme().build().unwrap(), "secret", "body");
    // "secret" in each of the three forms.
    for (form, secret) in [
        (SecretForm::Text, "secret"),
        (base64(), "whsec_c2VjcmV0"),
        (base64(), "c2VjcmV0"),
        (SecretForm::Hex, "736563726574"),
        (SecretForm::Hex, "73656372657\u{34}"),
    ] {
        let verifier = built(form, secret).unwrap();
        assert_eq!(
            (SURFACES[0].deliver)(&verifier, &sent),
            Outcome::verified("k", b"body".to_vec()),
            "{secret}"
        );
    }
    for (form, secret, message) in [
        (base64(), "whsec_!", "has the wrong form: it must be base64, with or without \"whsec_\" before it"),
        (
            base64(),
            "whsec_",
            "is empty, blank or only zero bytes, so anyone could sign with it: set it to the secret that the sender gave you",
        ),
        (SecretForm::Base64 { prefix: "".into() }, "!", "has the wrong form: it must be base64"),
        (SecretForm::Hex, "7", "has the wrong form: it must be hex"),
        (
            SecretForm::Hex,
            "0000",
            "is empty, blank or only zero bytes, so anyone could sign with it: set it to the secret that the sender gave you",
        ),
    ] {
        let error = built(form, secret).unwrap_err().to_string();
        assert_eq!(error, format!("the secret of key \"k\" of acme {message}"));
    }
}

#[test]
fn the_smallest_rsa_modulus_is_2048_bits_unless_the_scheme_says_otherwise() {
    let built = |builder: SchemeBuilder| {
        let scheme = builder.algorithm(Algorithm::RsaPkcs1Sha256).build().unwrap();
        let key = PublicKey::from_pem(&pem("rsa-1024-public.pem")).unwrap();
        Verifier::builder(scheme).public_key("k", key).build().map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(built(acme().legacy_least_modulus_bits(1024)), Ok(()));
    let message = "key \"k\" of acme has an RSA modulus of 1024 bits: use a key of 2048 to 4096 bits";
    assert_eq!(built(acme()), Err(message.to_owned()));
}

#[test]
fn a_key_of_another_algorithm_does_not_build() {
    let mut refused = 0;
    for &algorithm in Algorithm::ALL {
        for &other in Algorithm::ALL {
            let scheme = match algorithm {
                Algorithm::UnsignedToken => senders::gitlab_unsigned_token(),
                _ => acme().algorithm(algorithm).build().unwrap(),
            };
            let (signing, key) = keys(other);
            let fits = format!("{key:?}") == format!("{:?}", keys(algorithm).1);
            let built = Verifier::builder(scheme.clone()).key(key).build();
            assert_eq!(built.is_ok(), fits, "{algorithm:?} {other:?}");
            assert_eq!(Signer::new(scheme, [signing]).is_ok(), fits, "{algorithm:?} {other:?}");
            if let Err(error) = built {
                assert!(matches!(error, BuildError::KeyDoesNotFit { .. }), "{error}");
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 12 * 12 - 5 * 5 - 4 * 4 - 2 * 2 - 1);
}

#[test]
fn a_signer_says_what_it_lacks() {
    let scheme = acme()
        .content([Part::Method, Part::literal(" "), Part::header("X-Id"), Part::literal(" "), Part::Body])
        .build()
        .unwrap();
    let signer = || Signer::new(scheme.clone(), [Secret::new("secret")]).unwrap();
    let fails = |signer: Signer| signer.headers(b"body", now()).map(drop).map_err(|error| error.to_string());
    let cannot = |reason: &str| Err(format!("acme cannot sign this: {reason}"));
    assert_eq!(
        fails(signer()),
        cannot("a signed part of the request is missing: the method: give it to `Signer::request`")
    );
    let posting = || signer().request("POST", "/");
    assert_eq!(fails(posting()), cannot("a signed header is missing: x-id: give it to `Signer::header`"));
    let malformed = "a signed header is empty, too long or not visible ASCII: x-id";
    assert_eq!(fails(posting().header("X-Id", "\u{e9}")), cannot(malformed));
    let ambiguous = "a signed part of the request contains the text that marks its end: the header x-id";
    assert_eq!(fails(posting().header("X-Id", "a b")), cannot(ambiguous));
    assert_eq!(fails(posting().header("X-Id", "a")), Ok(()));
}

#[test]
fn a_scheme_tells_what_it_signs() {
    assert_eq!(senders::github().signed_parts(), [Part::Body]);
    assert_eq!(Scheme::unsigned_token("acme", "X-Token").signed_parts(), []);
    assert_eq!(senders::github().body_digest_parameter(), None);
    let twilio = senders::twilio_json("https://example.com/hook");
    assert_eq!(twilio.body_digest_parameter(), Some("bodySHA256"));
}
