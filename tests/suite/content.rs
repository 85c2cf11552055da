//! Signed content: its parts in order, none of whose bytes could belong to two parts.

use axum::{Router, body::Body, routing::post};
use countersign::{ContentEncoding, Part, RejectionKind, Scheme, TimestampFormat};

use countersign_tower::VerifyWebhookLayer;
use tower::ServiceExt;

use crate::{
    harness::{Delivery, Outcome, SURFACES, block_on, hmac_delivery, now, request, verifier},
    schemes::{acme, stamped},
};

/// The delivery with a signature of `content` in the scheme's header.
fn signed_as(scheme: &Scheme, content: &str, sent: &Delivery) -> Delivery {
    let plain = acme().build().unwrap();
    let signature = hmac_delivery(plain, "secret", content).signature();
    let mut sent = sent.clone();
    sent.headers.insert(0, (scheme.header_name().to_owned(), signature.into_bytes()));
    sent
}

#[track_caller]
fn assert_signs(scheme: &Scheme, sent: &Delivery, content: &str) {
    let verifier = verifier(scheme.clone(), "secret");
    for surface in SURFACES {
        let outcome = (surface.deliver)(&verifier, &signed_as(scheme, content, sent));
        assert_eq!(outcome, Outcome::verified("k", sent.body()), "{content} through {}", surface.name);
        let outcome = (surface.deliver)(&verifier, &signed_as(scheme, &format!("{content}x"), sent));
        assert_eq!(outcome, Outcome::rejected(RejectionKind::SignatureMismatch), "{}", surface.name);
    }
}

#[track_caller]
fn assert_refused(scheme: &Scheme, sent: &Delivery, kind: RejectionKind) {
    let verifier = verifier(scheme.clone(), "secret");
    for surface in SURFACES {
        let outcome = (surface.deliver)(&verifier, &signed_as(scheme, "whatever", sent));
        assert_eq!(outcome, Outcome::rejected(kind), "{}", surface.name);
    }
}

fn delivery(headers: &[(&str, &str)], body: &str) -> Delivery {
    Delivery::new(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())), body)
}

#[test]
fn parts_are_signed_in_order_however_the_body_is_chunked() {
    let scheme = acme()
        .timestamp(stamped(TimestampFormat::Seconds))
        .content([
            Part::Method,
            Part::literal("\n"),
            Part::Path,
            Part::literal("?"),
            Part::Query,
            Part::literal("\n"),
            Part::header("X-Id"),
            Part::literal("\n"),
            Part::Body,
            Part::literal(":"),
            Part::header("X-Topic"),
            Part::literal(":"),
            Part::Timestamp,
            Part::literal(".end"),
        ])
        .build()
        .unwrap();
    let headers = [("x-id", "e1"), ("X-TOPIC", "orders paid"), ("X-Acme-Time", "1719342000")];
    let sent = delivery(&headers, "a:b:c").to("PUT", "/hooks/a?b=c&d=%20");
    let content = "PUT\n/hooks/a?b=c&d=%20\ne1\na:b:c:orders paid:1719342000.end";
    assert_signs(&scheme, &sent, content);
    assert_signs(&scheme, &sent.in_chunks_of(1), content);
    assert_signs(&scheme, &sent.split_at(2), content);
}

#[test]
fn the_signed_url_is_the_configured_one_whatever_the_request_says() {
    let scheme = acme().content([Part::Url("https://example.com/a?b".into()), Part::Body]).build().unwrap();
    let headers =
        [("host", "evil.example"), ("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "ftp")];
    for target in ["/a?b", "/elsewhere"] {
        assert_signs(&scheme, &delivery(&headers, "body").to("POST", target), "https://example.com/a?bbody");
    }
    assert!(!format!("{scheme:?}").contains("example.com"), "a URL may hold a password");
}

#[test]
fn a_part_that_contains_its_separator_is_rejected_on_every_surface() {
    let id = |before: bool| {
        let id = [Part::header("X-Id"), Part::literal("::"), Part::Body];
        let parts = if before { id.to_vec() } else { id.into_iter().rev().collect() };
        acme().content(parts).build().unwrap()
    };
    let with = |value: &str| delivery(&[("X-Id", value)], "body");
    for value in ["a::b", "::", "a::", "::a"] {
        assert_refused(&id(true), &with(value), RejectionKind::PartAmbiguous);
        assert_refused(&id(false), &with(value), RejectionKind::PartAmbiguous);
    }
    // Half a separator at the edge that touches the separator is ambiguous too.
    assert_refused(&id(true), &with("a:"), RejectionKind::PartAmbiguous);
    assert_refused(&id(false), &with(":a"), RejectionKind::PartAmbiguous);
    assert_signs(&id(true), &with(":a"), ":a::body");
    assert_signs(&id(false), &with("a:"), "body::a:");

    let path = acme().content([Part::Path, Part::literal("/x"), Part::Body]).build().unwrap();
    assert_refused(&path, &delivery(&[], "body").to("POST", "/x"), RejectionKind::PartAmbiguous);
    assert_refused(&path, &delivery(&[], "body").to("POST", "/a/xy"), RejectionKind::PartAmbiguous);
    let query = acme().content([Part::Query, Part::literal("&"), Part::Body]).build().unwrap();
    assert_refused(&query, &delivery(&[], "body").to("POST", "/?a&b"), RejectionKind::PartAmbiguous);
    assert_signs(&query, &delivery(&[], "body").to("POST", "/?a?b"), "a?b&body");
}

#[test]
fn a_signed_header_must_occur_once_and_be_visible_ascii() {
    let scheme = acme().content([Part::header("X-Id"), Part::literal("."), Part::Body]).build().unwrap();
    assert_signs(&scheme, &delivery(&[("x-id", " e 1 ")], "body"), "e 1.body");
    assert_refused(&scheme, &delivery(&[], "body"), RejectionKind::SignedHeaderMissing);
    assert_refused(
        &scheme,
        &delivery(&[("X-Id", "1"), ("x-id", "1")], "body"),
        RejectionKind::SignedHeaderRepeated,
    );
    for value in ["", "a\tb", "\u{e9}", &"a".repeat(1025)] {
        assert_refused(&scheme, &delivery(&[("X-Id", value)], "body"), RejectionKind::SignedHeaderMalformed);
    }
}

#[test]
fn the_proof_holds_the_signed_headers_and_no_others() {
    let scheme = acme().content([Part::header("X-Id"), Part::literal("."), Part::Body]).build().unwrap();
    let sent = delivery(&[("x-id", "e1"), ("X-Topic", "paid"), ("X-Id-2", "e2")], "body");
    let sent = signed_as(&scheme, "e1.body", &sent);
    let verified = verifier(scheme, "secret").verify(&sent.head(), b"body", now()).unwrap();
    assert_eq!(verified.signed_header("X-ID"), Some("e1"));
    for other in ["X-Topic", "X-Id-2", "X-Acme-Signature", ""] {
        assert_eq!(verified.signed_header(other), None);
    }

    // Signed headers can stand anywhere in the content.
    let parts = [
        Part::literal("v0:"),
        Part::header("X-Id-2"),
        Part::literal("."),
        Part::header("X-Id"),
        Part::literal("."),
        Part::Body,
        Part::literal("."),
        Part::header("X-Topic"),
    ];
    let scheme = acme().content(parts).build().unwrap();
    let sent = delivery(&[("x-id", "e1"), ("X-Topic", "paid"), ("X-Id-2", "e2")], "body");
    let sent = signed_as(&scheme, "v0:e2.e1.body.paid", &sent);
    let verified = verifier(scheme, "secret").verify(&sent.head(), b"body", now()).unwrap();
    let values = ["x-id", "x-id-2", "x-topic"].map(|name| verified.signed_header(name));
    assert_eq!(values, [Some("e1"), Some("e2"), Some("paid")]);
}

#[test]
fn a_request_without_a_signed_part_is_rejected() {
    let scheme = |part| acme().content([part, Part::literal("|"), Part::Body]).build().unwrap();
    assert_refused(&scheme(Part::Query), &delivery(&[], "body").to("POST", "/a"), RejectionKind::PartMissing);
    assert_signs(&scheme(Part::Query), &delivery(&[], "body").to("POST", "/a?"), "|body");
    // Headers alone have neither a method nor a target.
    for part in [Part::Method, Part::Path, Part::Query] {
        let scheme = scheme(part);
        let sent = signed_as(&scheme, "whatever", &delivery(&[], "body"));
        let verdict = verifier(scheme, "secret").verify(&sent.headers, b"body", now());
        assert_eq!(verdict.unwrap_err().kind(), RejectionKind::PartMissing);
    }
}

/// Nothing separates the timestamp from the body, so only its form shows where it ends.
#[test]
fn a_timestamp_next_to_the_body_must_have_a_fixed_form() {
    let scheme = |format, parts: [Part; 2]| acme().timestamp(stamped(format)).content(parts).build().unwrap();
    let with = |time: &str, body: &str| delivery(&[("X-Acme-Time", time)], body);
    for parts in [[Part::Timestamp, Part::Body], [Part::Body, Part::Timestamp]] {
        let is_first = parts[0] == Part::Timestamp;
        let joined =
            |time: &str, body: &str| if is_first { format!("{time}{body}") } else { format!("{body}{time}") };
        for (format, time, shorter) in [
            (TimestampFormat::Seconds, "1719342000", "171934200"),
            (TimestampFormat::Milliseconds, "1719342000000", "719342000000"),
            (TimestampFormat::Rfc3339, "2024-06-25T19:00:00Z", "2024-06-25T19:00:00"),
        ] {
            let scheme = scheme(format, parts.clone());
            assert_signs(&scheme, &with(time, "1body1"), &joined(time, "1body1"));
            assert_refused(&scheme, &with(shorter, "body"), RejectionKind::TimestampMalformed);
            assert_refused(&scheme, &with(&format!("{time}0"), "body"), RejectionKind::TimestampMalformed);
        }
    }
    // A literal that begins with a digit does not separate a number from what follows.
    let literal = [Part::Timestamp, Part::literal("0."), Part::Body];
    let scheme = acme().timestamp(stamped(TimestampFormat::Seconds)).content(literal).build().unwrap();
    assert_signs(&scheme, &with("1719342000", "body"), "17193420000.body");
    assert_refused(&scheme, &with("171934200", "body"), RejectionKind::TimestampMalformed);
}

#[test]
fn a_compressed_body_is_verified_as_sent_or_rejected() {
    let encoded = |encoding: &str| delivery(&[("Content-Encoding", encoding)], "body");
    let wire = acme().build().unwrap();
    assert_signs(&wire, &delivery(&[], "body"), "body");
    let refused = acme().content_encoding(ContentEncoding::Refused).build().unwrap();
    for encoding in ["gzip", "identity, gzip", "br", ""] {
        assert_refused(&refused, &encoded(encoding), RejectionKind::ContentEncoded);
    }
    let twice = encoded("identity").with_header("content-encoding", "identity");
    assert_refused(&refused, &twice, RejectionKind::ContentEncoded);
    assert_signs(&refused, &encoded("Identity"), "body");
    assert_signs(&refused, &delivery(&[], "body"), "body");
}

/// axum's `nest` strips the prefix from the inner path; a signature over that shorter path must not pass.
#[test]
fn the_signed_path_is_the_full_path_even_in_a_nested_router() {
    let scheme = acme().content([Part::Path, Part::literal("?"), Part::Body]).build().unwrap();
    let guard = VerifyWebhookLayer::new(verifier(scheme.clone(), "secret"));
    let inner = Router::new().route("/acme", post(|| async {}).layer(guard));
    let app = Router::new().nest("/hooks", Router::new().nest("/v1", inner));
    let status = |path: &str| {
        let sent =
            signed_as(&scheme, &format!("{path}?body"), &delivery(&[], "body")).to("POST", "/hooks/v1/acme");
        block_on(app.clone().oneshot(request(&sent).map(Body::new))).unwrap().status().as_u16()
    };
    assert_eq!(status("/hooks/v1/acme"), 200);
    assert_eq!(status("/v1/acme"), 401);
    assert_eq!(status("/acme"), 401);
}
