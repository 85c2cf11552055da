//! Heads that do not fit the scheme.

use std::time::{Duration, SystemTime};

use countersign::{Algorithm, Encoding, Hypothesis as H, Padding, Part, Scheme, TimestampFormat, senders};

use crate::{
    broken::{Broken, Rows, SECRET, now},
    schemes::{COMPACT, SPACED, acme, acme_with_path, acme_with_time, listed, seconds},
};

pub(crate) fn signatures() -> Rows {
    vec![
        (
            "hex instead of base64",
            Broken::scheme(
                acme().build().unwrap(),
                acme().encoding(Encoding::Base64(Padding::Required)).build().unwrap(),
            ),
            H::SignatureInHex,
        ),
        (
            "base64 instead of hex",
            Broken::scheme(
                acme().encoding(Encoding::Base64(Padding::Required)).build().unwrap(),
                acme().build().unwrap(),
            ),
            H::SignatureInBase64,
        ),
        (
            "URL-safe base64 instead of hex",
            Broken::scheme(
                acme().encoding(Encoding::Base64Url(Padding::Absent)).build().unwrap(),
                acme().build().unwrap(),
            ),
            H::SignatureInBase64Url,
        ),
        (
            "no prefix",
            Broken {
                rewrite: |value| value.replace("sha256=", ""),
                ..Broken::of(senders::github(), COMPACT)
            },
            H::SignatureLacksPrefix,
        ),
        (
            "an unexpected prefix",
            Broken {
                rewrite: |value| format!("sha256={value}"),
                ..Broken::of(acme().build().unwrap(), COMPACT)
            },
            H::SignaturePrefixed,
        ),
        (
            "SHA-1 for SHA-256",
            Broken::scheme(
                acme().algorithm(Algorithm::LegacyHmacSha1).build().unwrap(),
                acme().build().unwrap(),
            ),
            H::AnotherAlgorithm,
        ),
        (
            "SHA-512 for SHA-256",
            Broken::scheme(acme().algorithm(Algorithm::HmacSha512).build().unwrap(), acme().build().unwrap()),
            H::AnotherAlgorithm,
        ),
        (
            "a hand-written client that signs the body only",
            Broken {
                added_headers: vec![("X-Acme-Time", "1760000000")],
                ..Broken::scheme(acme().build().unwrap(), seconds())
            },
            H::OnlyBodySigned,
        ),
        (
            "no dot after the timestamp",
            Broken::scheme(
                acme_with_time(TimestampFormat::Seconds)
                    .content([Part::Timestamp, Part::Body])
                    .build()
                    .unwrap(),
                seconds(),
            ),
            H::PartsNotSeparated,
        ),
    ]
}

pub(crate) fn times() -> Rows {
    let at = |minutes: i64, scheme: Scheme| Broken {
        signed_at: minutes_from_now(minutes),
        ..Broken::of(scheme, COMPACT)
    };
    let time = |format| acme_with_time(format).build().unwrap();
    vec![
        (
            "Date.now() for seconds",
            Broken::scheme(time(TimestampFormat::Milliseconds), seconds()),
            H::TimestampInMilliseconds,
        ),
        (
            "time.time() for milliseconds",
            Broken::scheme(seconds(), time(TimestampFormat::Milliseconds)),
            H::TimestampInSeconds,
        ),
        (
            "an ISO timestamp for seconds",
            Broken::scheme(time(TimestampFormat::Rfc3339), seconds()),
            H::TimestampInRfc3339,
        ),
        (
            "Date.now() in a list of labels",
            Broken::scheme(listed(TimestampFormat::Milliseconds), listed(TimestampFormat::Seconds)),
            H::TimestampInMilliseconds,
        ),
        (
            "a padded secret and a rewritten body",
            Broken { held_secret: format!("{SECRET}\n").into(), ..Broken::body(SPACED, COMPACT) },
            H::SecretPadded,
        ),
        ("local time as UTC, two hours ahead", at(120, seconds()), H::ClockOffByZone),
        ("local time as UTC, five and a half hours behind", at(-330, senders::stripe()), H::ClockOffByZone),
        ("a delivery from a queue", at(-24, senders::stripe()), H::DeliveryLate),
        ("a receiver's clock that stands", at(24, senders::stripe()), H::ClockWrong),
    ]
}

pub(crate) fn addresses() -> Rows {
    let square = |sender: &'static str, receiver: &'static str| {
        Broken::scheme(senders::square(sender), senders::square(receiver))
    };
    let target = |signed, arrived| Broken {
        signed_target: signed,
        target: arrived,
        ..Broken::of(acme_with_path(), COMPACT)
    };
    vec![
        (
            "TLS ends at the proxy",
            square("https://a.test/hooks?id=1", "http://a.test/hooks?id=1"),
            H::UrlScheme,
        ),
        (
            "the internal host",
            Broken {
                added_headers: vec![("X-Forwarded-Host", "a.test")],
                ..square("https://a.test/hooks", "https://internal/hooks")
            },
            H::UrlHost,
        ),
        (
            "the internal host and http",
            Broken {
                added_headers: vec![("Host", "a.test")],
                ..square("https://a.test/hooks", "http://10.0.0.1/hooks")
            },
            H::UrlHost,
        ),
        ("the port of the process", square("https://a.test/hooks", "https://a.test:8080/hooks"), H::UrlPort),
        ("a slash at the end", square("https://a.test/hooks/", "https://a.test/hooks"), H::UrlPath),
        ("the query left out", square("https://a.test/hooks?id=1", "https://a.test/hooks"), H::UrlPath),
        (
            "nginx strips a prefix",
            Broken {
                added_headers: vec![("X-Forwarded-Prefix", "/api")],
                ..target("/api/hooks?id=1", "/hooks?id=1")
            },
            H::TargetChanged,
        ),
        (
            "a rewrite that keeps the original",
            Broken {
                added_headers: vec![("X-Original-URI", "/in/shop?id=1")],
                ..target("/in/shop?id=1", "/hooks?id=1")
            },
            H::TargetChanged,
        ),
        ("a redirect to a slash", target("/hooks/?id=1", "/hooks?id=1"), H::TargetChanged),
        (
            "GitHub's delivery at Shopify's address",
            Broken::scheme(senders::github(), senders::shopify()),
            H::AnotherSender,
        ),
        (
            "BigCommerce's scheme for Standard Webhooks",
            Broken {
                sender_secret: SECRET.into(),
                signed_headers: vec![("webhook-id", "msg_1")],
                ..Broken::scheme(senders::standard_webhooks(), senders::bigcommerce())
            },
            H::AnotherSender,
        ),
    ]
}

fn minutes_from_now(minutes: i64) -> SystemTime {
    let apart = Duration::from_secs(minutes.unsigned_abs() * 60);
    if minutes < 0 { now() - apart } else { now() + apart }
}
