//! Schemes, stated for the library and for the reference.

use std::{sync::LazyLock, time::Duration};

use countersign::{
    Algorithm, ContentEncoding, Encoding, Padding, Part, SchemeBuilder, SecretForm, SignatureList, Timestamp,
    TimestampFormat, Tolerance, senders,
};

use crate::reference::{Form, Place, Scheme, Time};

/// One scheme, stated for both.
pub struct Case {
    pub library: countersign::Scheme,
    pub reference: Scheme,
}

/// Every scheme that the fuzzer makes deliveries for.
pub static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| built().into_iter().chain(named()).collect());

pub const URL: &str = "https://receiver.example/hooks?tenant=1";
pub const DIGEST_PARAMETER: &str = "bodySHA256";

/// States the scheme through the library's builder.
pub fn builder(scheme: &Scheme) -> SchemeBuilder {
    let mut builder = countersign::Scheme::builder("fuzzed")
        .signature_header(scheme.header.clone())
        .encoding(scheme.encoding)
        .algorithm(scheme.algorithm)
        .secret_form(scheme.secret_form.clone())
        .content(scheme.content.clone());
    builder = match &scheme.form {
        Form::Bare => builder,
        Form::Prefixed(prefix) => builder.prefix(prefix.clone()),
        Form::List { separator, label, .. } => {
            let list = SignatureList::separated_by(*separator);
            builder.list(match label {
                Some((label, assignment)) => list.labelled(label.clone(), *assignment),
                None => list,
            })
        }
    };
    if let Some(Time { place, format, limits }) = &scheme.time {
        let tolerance = limits.map_or(Tolerance::dangerously_unlimited(), |(past, future)| {
            Tolerance::new(Duration::from_secs(past), Duration::from_secs(future))
        });
        builder = builder.timestamp(match place {
            Place::Header(name) => Timestamp::in_header(name.clone(), *format, tolerance),
            Place::Listed(label) => Timestamp::in_list(label.clone(), *format, tolerance),
        });
    }
    if let Some(parameter) = &scheme.digest_parameter {
        builder = builder.body_digest_in_query(parameter.clone());
    }
    if scheme.refuses_encoded {
        builder = builder.content_encoding(ContentEncoding::Refused);
    }
    builder
}

fn of_body(header: &str, algorithm: Algorithm, encoding: Encoding) -> Scheme {
    Scheme {
        header: header.to_owned(),
        form: Form::Bare,
        encoding,
        algorithm,
        secret_form: SecretForm::Text,
        time: None,
        content: vec![Part::Body],
        digest_parameter: None,
        refuses_encoded: false,
    }
}

fn hex(header: &str) -> Scheme {
    of_body(header, Algorithm::HmacSha256, Encoding::Hex)
}

fn base64(header: &str) -> Scheme {
    of_body(header, Algorithm::HmacSha256, Encoding::Base64(Padding::Required))
}

fn prefixed(prefix: &str) -> Form {
    Form::Prefixed(prefix.to_owned())
}

fn list(separator: char, label: &str, assignment: char) -> Form {
    Form::List { separator, label: Some((label.to_owned(), assignment)), bare_items: false }
}

fn in_header(name: &str, format: TimestampFormat, past: u64, future: u64) -> Option<Time> {
    Some(Time { place: Place::Header(name.to_owned()), format, limits: Some((past, future)) })
}

fn in_list(label: &str, format: TimestampFormat, limits: Option<(u64, u64)>) -> Option<Time> {
    Some(Time { place: Place::Listed(label.to_owned()), format, limits })
}

fn timed(separator: &'static str) -> Vec<Part> {
    vec![Part::Timestamp, Part::literal(separator), Part::Body]
}

fn built() -> Vec<Case> {
    let unlabelled = Form::List { separator: ',', label: None, bare_items: false };
    let schemes = [
        of_body("X-Signature", Algorithm::HmacSha512, Encoding::Base64Url(Padding::Absent)),
        Scheme {
            form: prefixed("sha1="),
            refuses_encoded: true,
            ..of_body("X-Signature", Algorithm::LegacyHmacSha1, Encoding::HexUpper)
        },
        Scheme {
            form: unlabelled,
            ..of_body("X-Signatures", Algorithm::HmacSha384, Encoding::Base64(Padding::Absent))
        },
        Scheme {
            form: list(' ', "v1", ','),
            secret_form: SecretForm::Hex,
            time: in_header("X-Time", TimestampFormat::Milliseconds, 60, 0),
            content: ["X-Id", "X-Topic"]
                .into_iter()
                .flat_map(|name| [Part::header(name), Part::literal("--")])
                .chain(timed(";"))
                .collect(),
            ..of_body("X-Signature", Algorithm::HmacSha512, Encoding::Base64(Padding::Optional))
        },
        Scheme {
            form: list(';', "sig", ':'),
            time: in_list("at", TimestampFormat::Rfc3339, Some((300, 300))),
            content: vec![Part::Timestamp, Part::Body, Part::literal("\n"), Part::header("X-Id")],
            ..of_body("X-Signature", Algorithm::HmacSha256, Encoding::Base64Url(Padding::Optional))
        },
        Scheme {
            form: prefixed("Signature:"),
            content: [Part::Method, Part::Path, Part::Query]
                .into_iter()
                .flat_map(|part| [part, Part::literal("\n")])
                .chain([Part::Body])
                .collect(),
            ..of_body("Authorization", Algorithm::HmacSha384, Encoding::Base64Url(Padding::Required))
        },
        Scheme {
            time: in_header("X-Time", TimestampFormat::Any, 300, 300),
            content: timed("|"),
            ..hex("X-Signature")
        },
    ];
    let case = |reference: Scheme| Case {
        library: builder(&reference).build().expect("the scheme is valid"),
        reference,
    };
    schemes.into_iter().map(case).collect()
}

fn named() -> Vec<Case> {
    let slack = vec![Part::literal("v0:"), Part::Timestamp, Part::literal(":"), Part::Body];
    let case = |library, reference| Case { library, reference };
    vec![
        case(
            senders::moduslink(),
            of_body("X-Moduslink-HMAC-SHA256", Algorithm::HmacSha256, Encoding::Base64(Padding::Optional)),
        ),
        case(
            senders::extend(),
            Scheme {
                form: prefixed("sha256="),
                ..of_body("ms-signature", Algorithm::HmacSha256, Encoding::HexUpper)
            },
        ),
        case(
            senders::stripe(),
            Scheme {
                form: list(',', "v1", '='),
                time: in_list("t", TimestampFormat::Seconds, Some((300, 300))),
                content: timed("."),
                ..hex("Stripe-Signature")
            },
        ),
        case(
            senders::modern_dropship(),
            Scheme {
                form: Form::List { separator: ',', label: Some(("v1".to_owned(), '=')), bare_items: true },
                time: in_list("t", TimestampFormat::Any, None),
                content: timed("."),
                ..hex("Convictional-Signature")
            },
        ),
        case(
            senders::standard_webhooks(),
            Scheme {
                form: list(' ', "v1", ','),
                secret_form: SecretForm::Base64 { prefix: "whsec_".into() },
                time: in_header("webhook-timestamp", TimestampFormat::Seconds, 300, 300),
                content: [Part::header("webhook-id"), Part::literal(".")]
                    .into_iter()
                    .chain(timed("."))
                    .collect(),
                ..base64("webhook-signature")
            },
        ),
        case(
            senders::slack(),
            Scheme {
                form: prefixed("v0="),
                time: in_header("X-Slack-Request-Timestamp", TimestampFormat::Seconds, 300, 300),
                content: slack,
                ..hex("X-Slack-Signature")
            },
        ),
        case(
            senders::zendesk(),
            Scheme {
                time: in_header("X-Zendesk-Webhook-Signature-Timestamp", TimestampFormat::Rfc3339, 300, 300),
                content: vec![Part::Timestamp, Part::Body],
                ..base64("X-Zendesk-Webhook-Signature")
            },
        ),
        case(
            senders::hubspot_v3(URL),
            Scheme {
                time: in_header("X-HubSpot-Request-Timestamp", TimestampFormat::Milliseconds, 300, 300),
                content: vec![Part::Method, Part::Url(URL.into()), Part::Body, Part::Timestamp],
                ..base64("X-HubSpot-Signature-v3")
            },
        ),
        case(
            senders::box_primary(),
            Scheme {
                time: in_header("BOX-DELIVERY-TIMESTAMP", TimestampFormat::Rfc3339, 600, 60),
                content: vec![Part::Body, Part::Timestamp],
                ..base64("BOX-SIGNATURE-PRIMARY")
            },
        ),
        case(
            senders::gitlab_unsigned_token(),
            Scheme {
                content: Vec::new(),
                ..of_body("X-Gitlab-Token", Algorithm::UnsignedToken, Encoding::Hex)
            },
        ),
        case(
            senders::twilio_form(URL),
            Scheme {
                content: vec![Part::Url(URL.into()), Part::SortedForm],
                ..of_body(
                    "X-Twilio-Signature",
                    Algorithm::LegacyHmacSha1,
                    Encoding::Base64(Padding::Required),
                )
            },
        ),
        case(
            senders::twilio_json(URL),
            Scheme {
                content: vec![
                    Part::Url("https://receiver.example/hooks".into()),
                    Part::literal("?"),
                    Part::Query,
                ],
                digest_parameter: Some(DIGEST_PARAMETER.to_owned()),
                ..of_body(
                    "X-Twilio-Signature",
                    Algorithm::LegacyHmacSha1,
                    Encoding::Base64(Padding::Required),
                )
            },
        ),
    ]
}
