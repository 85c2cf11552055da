//! Keys: which ones a verifier accepts, which ones do not build, and rotation.

use std::{
    env,
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt,
    process::Command,
    time::{Duration, SystemTime},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use countersign::{
    BuildError, Key, PrivateKey, PublicKey, RejectionKind, Secret, Signer, SigningKey, Tolerance, Verifier,
    VerifierSource, senders,
};

use crate::harness::{Delivery, Outcome, SURFACES, hmac_delivery, now, vectors_folder};

const HOUR: Duration = Duration::from_secs(3600);

fn pem(name: &str) -> String {
    fs::read_to_string(vectors_folder().join("keys").join(name)).unwrap()
}

fn public_key(bits: usize) -> PublicKey {
    PublicKey::from_pem(&pem(&format!("rsa-{bits}-public.pem"))).unwrap()
}

fn secret(id: &str) -> Key {
    Key::secret(id, Secret::new(format!("the secret of {id}")).dangerously_accept_placeholder())
}

#[track_caller]
fn assert_verdict(verifier: &Verifier, delivery: &Delivery, verdict: Result<&str, RejectionKind>) {
    let outcome = match verdict {
        Ok(key) => Outcome::verified(key, delivery.body()),
        Err(kind) => Outcome::rejected(kind),
    };
    for surface in SURFACES {
        assert_eq!((surface.deliver)(verifier, delivery), outcome, "{}", surface.name);
    }
}

fn signed_by(id: &str) -> Delivery {
    hmac_delivery(senders::moduslink(), &format!("the secret of {id}"), "body")
}

#[test]
fn during_a_rotation_each_key_verifies_and_is_named() {
    let builder = Verifier::builder(senders::moduslink())
        .key(secret("old").expires_at(now() + HOUR))
        .key(secret("new"));
    let verifier = builder.build().unwrap();
    assert_verdict(&verifier, &signed_by("old"), Ok("old"));
    assert_verdict(&verifier, &signed_by("new"), Ok("new"));
    assert_verdict(&verifier, &signed_by("other"), Err(RejectionKind::SignatureMismatch));
}

#[test]
fn a_key_is_active_from_not_before_until_just_before_expires_at() {
    let start = now();
    let key = secret("k").not_before(start).expires_at(start + HOUR);
    let verifier = Verifier::builder(senders::moduslink()).key(key).key(secret("other")).build().unwrap();
    let delivery = signed_by("k");
    let kind_at = |instant: SystemTime| {
        verifier.verify(&delivery.headers, b"body", instant).map(drop).map_err(|rejection| rejection.kind())
    };
    let nanosecond = Duration::from_nanos(1);
    assert_eq!(kind_at(start - nanosecond), Err(RejectionKind::KeyNotYetActive));
    assert_eq!(kind_at(start), Ok(()));
    assert_eq!(kind_at(start + HOUR - nanosecond), Ok(()));
    assert_eq!(kind_at(start + HOUR), Err(RejectionKind::KeyExpired));
}

#[test]
fn a_delivery_signed_with_an_inactive_key_is_rejected_and_the_key_named() {
    let verifier = Verifier::builder(senders::moduslink())
        .key(secret("past").expires_at(now() - HOUR))
        .key(secret("future").not_before(now() + HOUR))
        .key(secret("present"))
        .build()
        .unwrap();
    for (id, kind) in [("past", RejectionKind::KeyExpired), ("future", RejectionKind::KeyNotYetActive)] {
        assert_verdict(&verifier, &signed_by(id), Err(kind));
        let rejection = verifier.verify(&signed_by(id).headers, b"body", now()).unwrap_err();
        assert_eq!(rejection.key().unwrap().as_str(), id);
        assert_eq!(rejection.status(), 401);
    }
    assert_verdict(&verifier, &signed_by("present"), Ok("present"));
}

#[test]
fn a_verifier_with_no_active_key_says_so_whichever_key_signed() {
    for key in [secret("k").expires_at(now() - HOUR), secret("k").not_before(now() + HOUR)] {
        let verifier = Verifier::builder(senders::moduslink()).key(key).build().unwrap();
        assert_verdict(&verifier, &signed_by("k"), Err(RejectionKind::NoActiveKey));
        assert_verdict(&verifier, &signed_by("other"), Err(RejectionKind::NoActiveKey));
    }
}

#[test]
fn rsa_keys_of_different_sizes_work_side_by_side() {
    let verifier = Verifier::builder(senders::fluent())
        .public_key("eu", public_key(1024))
        .key(Key::public("us", public_key(2048)).expires_at(now() - HOUR))
        .public_key("au", public_key(4096))
        .build()
        .unwrap();
    for (bits, verdict) in [(1024, Ok("eu")), (2048, Err(RejectionKind::KeyExpired)), (4096, Ok("au"))] {
        let key = PrivateKey::from_pem(&pem(&format!("rsa-{bits}-private.pem"))).unwrap();
        let signer = Signer::new(senders::fluent(), [key]).unwrap();
        let delivery = Delivery::new(signer.headers(b"event", now()).unwrap(), "event");
        assert_verdict(&verifier, &delivery, verdict);
    }
}

#[test]
fn base64_padded_in_the_middle_is_not_a_signature_by_a_smaller_key() {
    // 344 characters, the length of a 2048-bit signature, that a lax decoder turns into the 128 bytes of a
    // 1024-bit one.
    let builder = Verifier::builder(senders::fluent())
        .public_key("a", public_key(1024))
        .public_key("b", public_key(2048));
    let key = PrivateKey::from_pem(&pem("rsa-1024-private.pem")).unwrap();
    let signer = Signer::new(senders::fluent(), [key]).unwrap();
    let sent = Delivery::new(signer.headers(b"event", now()).unwrap(), "event");
    let signature = BASE64_STANDARD.decode(sent.signature()).unwrap();
    let (single, double) = signature.split_at(44);
    let quads = single.chunks(1).chain(double.chunks(2)).map(|chunk| BASE64_STANDARD.encode(chunk));
    let padded: String = quads.collect();
    assert_eq!(padded.len(), 344);
    let verifier = builder.build().unwrap();
    assert_verdict(&verifier, &sent, Ok("a"));
    assert_verdict(&verifier, &sent.with_signature(padded), Err(RejectionKind::SignatureEncoding));
}

#[test]
fn pem_base64_and_der_give_the_same_public_key() {
    let pem = pem("rsa-1024-public.pem");
    let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let wrapped: Vec<&str> = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = BASE64_STANDARD.decode(&base64).unwrap();
    assert!(base64.starts_with("MIGf"));
    let signer =
        Signer::new(senders::fluent(), [PrivateKey::from_pem(&self::pem("rsa-1024-private.pem")).unwrap()]);
    let delivery = Delivery::new(signer.unwrap().headers(b"event", now()).unwrap(), "event");
    for key in [
        PublicKey::from_pem(&pem),
        PublicKey::from_pem(&format!("\n  {}\r\n", pem.replace('\n', "\r\n"))),
        PublicKey::from_pem(&format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----")),
        PublicKey::from_base64(&base64),
        PublicKey::from_base64(&format!("{base64}\n")),
        PublicKey::from_base64(&wrapped.join("\r\n")),
        PublicKey::from_der(&der),
    ] {
        let key = key.unwrap();
        assert_eq!(format!("{key:?}"), "PublicKey(RSA, 1024 bits)");
        let verifier = Verifier::builder(senders::fluent()).public_key("k", key).build().unwrap();
        assert_verdict(&verifier, &delivery, Ok("k"));
    }
}

#[track_caller]
fn assert_not_a_key(result: Result<PublicKey, BuildError>, reason: &str) {
    let message = format!("not a usable public key: {reason}");
    assert_eq!(result.unwrap_err().to_string(), message);
}

const NOT_PEM: &str = "the text is not valid PEM: it must begin with -----BEGIN PUBLIC KEY-----";

/// Another implementation of Standard Webhooks writes the DER `SubjectPublicKeyInfo` behind `whpk_`, in place of the 32
/// bytes at its end.
#[test]
fn a_standard_webhooks_key_is_the_same_as_32_bytes_and_as_der() {
    let der = "MCowBQYDK2VwAyEAkp3dScDPIzT1CwUFUMdzyPbWOAQaCF9z4ucuKuZD7Io=";
    let bytes = BASE64_STANDARD.decode(der).unwrap();
    let raw = BASE64_STANDARD.encode(&bytes[bytes.len() - 32..]);
    let key = PublicKey::from_text(&format!("whpk_{der}")).unwrap();
    assert!(key == PublicKey::from_text(&format!("whpk_{raw}")).unwrap());
    assert!(key == PublicKey::from_base64(der).unwrap());
}

#[test]
fn an_unusable_public_key_is_refused_with_advice() {
    let public = pem("rsa-1024-public.pem");
    let base64: String = public.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = BASE64_STANDARD.decode(&base64).unwrap();
    let private = "this is a private key, which only the sender may have: ask for the public key";
    let not_spki = "it is not an X.509 SubjectPublicKeyInfo";
    assert_not_a_key(PublicKey::from_pem(""), NOT_PEM);
    assert_not_a_key(PublicKey::from_pem(&base64), NOT_PEM);
    assert_not_a_key(PublicKey::from_pem(&public[..200]), NOT_PEM);
    assert_not_a_key(
        PublicKey::from_pem(&public.replace('\n', "\\n")),
        "the text is not valid PEM: it contains the two characters \\n instead of line ends",
    );
    assert_not_a_key(PublicKey::from_pem(&pem("rsa-1024-private.pem")), private);
    assert_not_a_key(
        PublicKey::from_pem(&public.replace("PUBLIC KEY", "RSA PUBLIC KEY")),
        "this is PKCS#1: convert it with `openssl rsa -RSAPublicKey_in -pubout -in FILE`",
    );
    assert_not_a_key(
        PublicKey::from_pem(&public.replace("PUBLIC KEY", "CERTIFICATE")),
        "this is a certificate: extract its key with `openssl x509 -pubkey -noout -in FILE`",
    );
    assert_not_a_key(
        PublicKey::from_pem(&public.replace("PUBLIC KEY", "THING")),
        "the PEM label is not PUBLIC KEY",
    );
    assert_not_a_key(PublicKey::from_base64(&public), "the text is neither PEM nor padded base64");
    assert_not_a_key(PublicKey::from_base64(""), not_spki);
    assert_not_a_key(PublicKey::from_der(&der[..der.len() - 1]), not_spki);
    assert_not_a_key(PublicKey::from_der(&[&der[..], b"\0"].concat()), not_spki);
    // openssl ecparam -name secp384r1 -genkey | openssl ec -pubout
    let p384 = "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEOuuLzvExgAAYCI5gVCdqABKGbUt5LeyQ+DSGdgMDpeiuwCb2Hiu3195gXFwUHS+ZqYVS0o98AHjPeylk+BwD7hSklFaDJFY3yw8wX11F4bfY6/xPuo+wDwPsawF6S3oW";
    assert_not_a_key(PublicKey::from_base64(p384), "it is on a curve other than P-256");
    // openssl genpkey -algorithm x25519 | openssl pkey -pubout
    let x25519 = "MCowBQYDK2VuAyEA9YqfYYEutrD7YbuCZsPAcYNNV3/j4cEKvV7NDhjLEgI=";
    let other = "it is not an RSA, ECDSA or Ed25519 key";
    assert_not_a_key(PublicKey::from_base64(x25519), other);
    // The neutral element of the curve: under this key, one signature fits every body.
    let weak = format!("01{}", "00".repeat(31));
    assert_not_a_key(PublicKey::from_text(&weak), "its bytes are not an Ed25519 key, or are a weak one");
    let not_ed25519 =
        "`whpk_` must precede the base64 of an Ed25519 key: its 32 bytes, or its SubjectPublicKeyInfo";
    assert_not_a_key(PublicKey::from_text("whpk_AAAA"), not_ed25519);
    assert_not_a_key(PublicKey::from_text(&format!("whpk_{}", BASE64_STANDARD.encode(&der))), not_ed25519);
    assert_not_a_key(PublicKey::from_text("whpk_?"), "the text is neither PEM nor padded base64");
    // The public exponent, the last bytes of the structure, is changed from 65537 to 1 and to an even number.
    for exponent in [[0, 0, 1], [1, 0, 0]] {
        let mut weak = der.clone();
        let end = weak.len();
        weak[end - 3..].copy_from_slice(&exponent);
        assert!(PublicKey::from_der(&weak).is_err(), "{exponent:?}");
    }
}

#[track_caller]
fn assert_unbuildable(builder: countersign::VerifierBuilder, message: &str) {
    assert_eq!(builder.build().unwrap_err().to_string(), message);
}

#[test]
fn a_misconfigured_verifier_does_not_build() {
    let moduslink = || Verifier::builder(senders::moduslink());
    let fluent = || Verifier::builder(senders::fluent());
    assert_unbuildable(moduslink(), "moduslink was given no key: give it at least one");
    assert_unbuildable(
        (0..9).fold(moduslink(), |builder, number| builder.key(secret(&number.to_string()))),
        "moduslink was given 9 keys but takes at most 8: remove those that have expired",
    );
    assert_unbuildable(
        moduslink()
            .key(secret("a").expires_at(now()))
            .secret("b", Secret::new("the secret of a").dangerously_accept_placeholder()),
        "keys \"a\" and \"b\" of moduslink are the same key: remove one",
    );
    assert_unbuildable(
        moduslink().key(secret("")),
        "a key of moduslink has an empty id: name it, for example \"2026-q1\"",
    );
    assert_unbuildable(
        moduslink().key(secret("a")).key(secret("b")).key(secret("a")),
        "two keys of moduslink have the id \"a\": give each its own id",
    );
    assert_unbuildable(
        moduslink().key(secret("a")).secret("b", Secret::new("")),
        "the secret of key \"b\" of moduslink is empty, blank or only zero bytes, so anyone could sign with it: set it to the secret that the sender gave you",
    );
    assert_unbuildable(
        moduslink().secret("b", Secret::new(" \t\r\n ")),
        "the secret of key \"b\" of moduslink is empty, blank or only zero bytes, so anyone could sign with it: set it to the secret that the sender gave you",
    );
    assert_unbuildable(
        moduslink().secret("b", Secret::new(vec![0; 32])),
        "the secret of key \"b\" of moduslink is empty, blank or only zero bytes, so anyone could sign with it: set it to the secret that the sender gave you",
    );
    assert_unbuildable(
        moduslink().key(secret("a").not_before(now()).expires_at(now() - HOUR)),
        "key \"a\" of moduslink is never active: set its not-before to an instant before its expiry",
    );
    assert_unbuildable(
        moduslink().public_key("a", public_key(2048)),
        "key \"a\" does not fit moduslink, which needs a secret",
    );
    assert_unbuildable(
        fluent().public_key("a", public_key(2048)).key(secret("b")),
        "key \"b\" does not fit fluent, which needs an RSA key",
    );
    assert_unbuildable(
        moduslink().key(secret("a")).body_limit(0),
        "a body limit of 0 bytes rejects every delivery: raise it",
    );
    for name in ["", "X Signature", "X-Signatur\u{e9}", "X:Y", "a\nb"] {
        assert_unbuildable(
            Verifier::builder(senders::moduslink().header(name)).key(secret("a")),
            &format!("{name:?} is not an HTTP field name: use ASCII letters, digits and hyphens"),
        );
    }
    assert_unbuildable(
        Verifier::builder(senders::moduslink().tolerance(Tolerance::within(HOUR))).key(secret("a")),
        "moduslink signs no timestamp, so a tolerance has nothing to check: remove it",
    );
}

#[test]
fn eight_keys_build_and_each_is_tried() {
    let ids: Vec<String> = (0..8).map(|number| number.to_string()).collect();
    let builder =
        ids.iter().fold(Verifier::builder(senders::moduslink()), |builder, id| builder.key(secret(id)));
    let verifier = builder.build().unwrap();
    for id in &ids {
        assert_verdict(&verifier, &signed_by(id), Ok(id));
    }
}

#[test]
fn an_rsa_modulus_outside_the_schemes_range_does_not_build() {
    for scheme in [senders::fluent, senders::fluent_legacy_md5] {
        for (bits, allowed) in [(1023, false), (1024, true), (2048, true), (4096, true), (4104, false)] {
            let built = Verifier::builder(scheme()).public_key("k", public_key(bits)).build();
            let name = scheme().name().to_owned();
            let message = format!(
                "key \"k\" of {name} has an RSA modulus of {bits} bits: use a key of 1024 to 4096 bits"
            );
            match built {
                Ok(_) => assert!(allowed, "{bits}"),
                Err(error) => assert_eq!((error.to_string(), allowed), (message, false)),
            }
        }
    }
}

/// The results of `Secret::from_env` and `PublicKey::from_env` for this value. They run in a child process,
/// because setting a variable in a process with threads is unsafe.
fn from_env_with(value: Option<&OsStr>) -> [String; 2] {
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "keys::from_env_in_a_child_process", "--nocapture"]).env("PRINT_FROM_ENV", "yes");
    match value {
        Some(value) => child.env("TEST_KEY", value),
        None => child.env_remove("TEST_KEY"),
    };
    let printed = String::from_utf8(child.output().unwrap().stdout).unwrap();
    let line =
        |start: &str| printed.lines().find_map(|line| Some(line.split_once(start)?.1.to_owned())).unwrap();
    [line("secret: "), line("public key: ")]
}

#[test]
fn from_env_in_a_child_process() {
    if env::var_os("PRINT_FROM_ENV").is_some() {
        let outcome = |result: Result<(), BuildError>| {
            result.map_or_else(|error| error.to_string(), |()| "ok".to_owned())
        };
        println!("\nsecret: {}", outcome(Secret::from_env("TEST_KEY").map(drop)));
        println!("public key: {}", outcome(PublicKey::from_env("TEST_KEY").map(drop)));
    }
}

#[test]
fn from_env_refuses_unset_empty_and_padded_values_and_says_what_to_do() {
    let variable = |is: &str| format!("environment variable TEST_KEY {is}");
    let unset = variable("is not set: set it to the key that the sender gave you");
    assert_eq!(from_env_with(None), [unset.clone(), unset]);
    let empty = variable("is empty: set it to the key that the sender gave you");
    assert_eq!(from_env_with(Some("".as_ref())), [empty.clone(), empty]);
    let not_unicode = variable("is not valid UTF-8: pass such a secret to `Secret::new` as bytes");
    assert_eq!(from_env_with(Some(OsStr::from_bytes(b"\xff"))), [not_unicode.clone(), not_unicode]);
    let padded = variable(
        "begins or ends with white space: remove it (many editors, and `echo` without -n, add a line end)",
    );
    for value in ["secret\n", " secret", "secret\t", "\u{a0}secret", " "] {
        assert_eq!(from_env_with(Some(value.as_ref()))[0], padded, "{value:?}");
    }
    assert_eq!(
        from_env_with(Some("a secret".as_ref())),
        ["ok".to_owned(), variable("is not a usable public key: the text is neither PEM nor padded base64")]
    );
    let pem = pem("rsa-1024-public.pem");
    let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    assert_eq!(from_env_with(Some(pem.as_ref()))[1], "ok");
    assert_eq!(from_env_with(Some(base64.as_ref()))[1], "ok");
}

#[test]
fn a_signer_refuses_what_a_verifier_refuses() {
    let private = |bits: usize| PrivateKey::from_pem(&pem(&format!("rsa-{bits}-private.pem"))).unwrap();
    let refusal = |scheme, keys: Vec<SigningKey>| Signer::new(scheme, keys).unwrap_err().to_string();
    assert_eq!(refusal(senders::extend(), vec![]), "extend was given no key: give it at least one");
    assert_eq!(
        refusal(senders::extend(), vec![Secret::new("a").into(), Secret::new("b").into()]),
        "extend was given 2 keys but takes at most 1: remove those that have expired"
    );
    assert_eq!(
        refusal(senders::extend(), vec![Secret::new("").into()]),
        "the secret of key \"signing key\" of extend is empty, blank or only zero bytes, so anyone could sign with it: set it to the secret that the sender gave you"
    );
    assert_eq!(
        refusal(senders::extend(), vec![private(1024).into()]),
        "key \"signing key\" does not fit extend, which needs a secret"
    );
    assert_eq!(
        refusal(senders::fluent(), vec![Secret::new("a").into()]),
        "key \"signing key\" does not fit fluent, which needs an RSA key"
    );
    assert_eq!(
        PrivateKey::from_pem(&pem("rsa-1024-public.pem")).unwrap_err().to_string(),
        "not a usable private key: it is not unencrypted PKCS#8 or PKCS#1 PEM"
    );
}

#[test]
fn a_verifier_names_its_schemes_its_keys_and_the_headers_that_it_reads() {
    let of = |scheme, id| Verifier::builder(scheme).secret(id, Secret::new("correct-horse")).build().unwrap();
    let slack = of(senders::slack(), "s1");
    let both = Verifier::any_of([slack.clone(), of(senders::github(), "g1")]).unwrap();
    let ids: Vec<&str> = both.key_ids().map(countersign::KeyId::as_str).collect();
    assert_eq!(ids, ["s1", "g1"]);
    let names: Vec<&str> = both.schemes().map(countersign::Scheme::name).collect();
    assert_eq!(names, ["slack", "github"]);
    let headers: Vec<&str> = slack.header_names().collect();
    let read = ["x-slack-signature", "content-length", "content-encoding", "x-slack-request-timestamp"];
    assert_eq!(headers, read);
    assert_eq!(VerifierSource::from(slack).header_names(), read);
}
