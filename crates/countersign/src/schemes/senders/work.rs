use std::borrow::Cow;

use super::{
    base::{
        FIVE_MINUTES, RETRIES_REPEAT_THE_BODY, TOLERANCE_IS_OURS, hours, minutes, signed, stated, within,
    },
    commerce::stripe,
};
use crate::{
    keys::algorithm::Algorithm,
    schemes::{
        identity_source::IdentitySource,
        list::Layout,
        part::Part,
        scheme::{Facts, Scheme},
    },
    wire::{
        encoding::{Encoding, Padding},
        timestamp::{Timestamp, TimestampFormat, Tolerance},
    },
};

/// GitHub: HMAC-SHA256 of the raw body, keyed by the UTF-8 bytes of the webhook's secret.
///
/// `X-Hub-Signature-256: sha256=<hex>`
/// ([documentation](https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries)). GitHub does not sign
/// the headers that name the event and the delivery. `X-Hub-Signature`, made with SHA-1, is never read.
///
/// The identity is the digest of the body; that a redelivery repeats the body is inferred. It is not `X-GitHub-Delivery`, which
/// is not signed. GitHub does not retry by itself
/// ([documentation](https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries)): the horizon is
/// for redeliveries that you ask for.
pub fn github() -> Scheme {
    Scheme {
        layout: Layout::Prefixed(Cow::Borrowed("sha256=")),
        ..signed(
            "github",
            "X-Hub-Signature-256",
            Algorithm::HmacSha256,
            Encoding::Hex,
            Facts {
                inferred: &[RETRIES_REPEAT_THE_BODY],
                ..stated("https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries")
            },
        )
    }
}

/// GitLab's secret token, sent unchanged in the header `X-Gitlab-Token`
/// ([documentation](https://docs.gitlab.com/user/project/integrations/webhooks/)). It signs nothing.
///
/// **Weak**: see [`Scheme::unsigned_token`]. Since GitLab 19.0, a webhook can have a signing token instead: use
/// [`standard_webhooks`](super::standard_webhooks). If a webhook has both, verify only the signing token.
///
/// The identity is the digest of the body. It recognizes what GitLab sends again, but is no protection: anyone with the token
/// can send any body, and so take or avoid any identity. `Idempotency-Key` and `X-Gitlab-Event-UUID` would be worth no more.
pub fn gitlab_unsigned_token() -> Scheme {
    Scheme {
        facts: Some(stated("https://docs.gitlab.com/user/project/integrations/webhooks/")),
        ..Scheme::unsigned_token("gitlab-unsigned-token", "X-Gitlab-Token")
    }
}

/// Linear: HMAC-SHA256 of the raw body, keyed by the UTF-8 bytes of the webhook's secret.
///
/// `Linear-Signature` holds 64 hex digits ([documentation](https://linear.app/developers/webhooks)). The signed timestamp is
/// the body's `webhookTimestamp`, in milliseconds: compare it with the clock in your handler. Linear's library allows a
/// minute. The header `Linear-Timestamp` is not signed.
///
/// Linear retries after 1 minute, 1 hour and 6 hours: the horizon is 7 h 1 min. That `webhookTimestamp` changes with each
/// attempt is inferred from that minute of tolerance, so the digest would change too. The identity is therefore `webhookId`,
/// `type`, `action`, `data.id` and `createdAt` together: the webhook, what happened to what, and when, in milliseconds. Events
/// that lack one of these fall back to the digest. It is not the header `Linear-Delivery`, which is not signed.
pub fn linear() -> Scheme {
    Scheme {
        identity: IdentitySource::fields(["/webhookId", "/type", "/action", "/data/id", "/createdAt"]),
        retry_horizon: minutes(7 * 60 + 1),
        ..signed(
            "linear",
            "Linear-Signature",
            Algorithm::HmacSha256,
            Encoding::Hex,
            Facts {
                inferred: &["that retries differ in webhookTimestamp, and in no other field of the identity"],
                ..stated("https://linear.app/developers/webhooks")
            },
        )
    }
}

/// Zendesk: HMAC-SHA256 of the timestamp and the raw body, keyed by the UTF-8 bytes of the signing secret.
///
/// `X-Zendesk-Webhook-Signature` holds 44 characters of padded base64 and `X-Zendesk-Webhook-Signature-Timestamp` the
/// timestamp in RFC 3339 ([documentation](https://developer.zendesk.com/documentation/webhooks/verifying/)).
///
/// The identity is `id`, `account_id` and `zendesk_event_version` together, which are in every event
/// ([documentation](https://developer.zendesk.com/api-reference/webhooks/event-types/webhook-event-types/)). Triggers and
/// automations send a body of your own making, whose `id` may be a ticket's: it lacks the other two and falls back to the
/// digest. It is not `X-Zendesk-Webhook-Invocation-Id`, which is not signed.
pub fn zendesk() -> Scheme {
    Scheme {
        timestamp: Some(Timestamp::in_header(
            "X-Zendesk-Webhook-Signature-Timestamp",
            TimestampFormat::Rfc3339,
            FIVE_MINUTES,
        )),
        content: vec![Part::Timestamp, Part::Body],
        identity: IdentitySource::fields(["/zendesk_event_version", "/account_id", "/id"]),
        ..signed(
            "zendesk",
            "X-Zendesk-Webhook-Signature",
            Algorithm::HmacSha256,
            Encoding::Base64(Padding::Required),
            Facts {
                inferred: &[TOLERANCE_IS_OURS],
                ..stated("https://developer.zendesk.com/documentation/webhooks/verifying/")
            },
        )
    }
}

/// HubSpot, version 3: HMAC-SHA256 of the method, the URL, the raw body and the timestamp, keyed by the UTF-8 bytes of the
/// app's client secret.
///
/// `X-HubSpot-Signature-v3` holds 44 characters of padded base64 and `X-HubSpot-Request-Timestamp` the timestamp in
/// milliseconds
/// ([documentation](https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation)),
/// which asks for a tolerance of five minutes. Give the URL exactly as HubSpot calls it, including its query. HubSpot decodes
/// twelve escapes before it signs, and so does this scheme. It also signs the method, which both adapters supply; without an
/// adapter, wrap the headers in a [`RequestHead`](crate::RequestHead). Versions 1 and 2 of the signature are plain hashes and
/// are never read.
///
/// The identity is the digest of the body, a list of events. A retry raises `attemptNumber` in each, so **it has another
/// identity**: tell events apart in your handler, by `eventId` and `subscriptionId`. HubSpot retries for 24 hours.
pub fn hubspot_v3(url: impl Into<Cow<'static, str>>) -> Scheme {
    Scheme {
        timestamp: Some(Timestamp::in_header(
            "X-HubSpot-Request-Timestamp",
            TimestampFormat::Milliseconds,
            FIVE_MINUTES,
        )),
        content: vec![
            Part::Method,
            Part::Url(Cow::Owned(hubspot_decoded(&url.into()))),
            Part::Body,
            Part::Timestamp,
        ],
        retry_horizon: hours(24),
        ..signed(
            "hubspot-v3",
            "X-HubSpot-Signature-v3",
            Algorithm::HmacSha256,
            Encoding::Base64(Padding::Required),
            Facts {
                inferred: &["that escapes in lower-case hex are decoded too"],
                ..stated(
                    "https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation",
                )
            },
        )
    }
}

/// The only escapes that HubSpot decodes.
const HUBSPOT_ESCAPES: [(&str, &str); 12] = [
    ("%3a", ":"),
    ("%2f", "/"),
    ("%3f", "?"),
    ("%40", "@"),
    ("%21", "!"),
    ("%24", "$"),
    ("%27", "'"),
    ("%28", "("),
    ("%29", ")"),
    ("%2a", "*"),
    ("%2c", ","),
    ("%3b", ";"),
];

fn hubspot_decoded(url: &str) -> String {
    // No decoded character can be part of an escape, so the order does not matter.
    HUBSPOT_ESCAPES.iter().fold(url.to_owned(), |url, (escape, character)| {
        url.replace(escape, character).replace(&escape.to_ascii_uppercase(), character)
    })
}

/// Calendly: HMAC-SHA256 of the timestamp, `.` and the raw body, keyed by the UTF-8 bytes of the signing key.
///
/// `Calendly-Webhook-Signature: t=1719342000,v1=<hex>`
/// ([documentation](https://developer.calendly.com/api-docs/overview/webhooks/webhook-signatures)). The tolerance is that of
/// the documented example: three minutes.
///
/// The identity is the digest of the body; that a retry repeats it is inferred. Calendly retries for 24 hours
/// ([answer](https://community.calendly.com/developer-faq-62/why-am-i-not-receiving-webhook-data-how-does-a-webhook-become-disabled-548)).
pub fn calendly() -> Scheme {
    Scheme {
        name: Cow::Borrowed("calendly"),
        header: Cow::Borrowed("Calendly-Webhook-Signature"),
        timestamp: Some(Timestamp::in_list("t", TimestampFormat::Seconds, within(180))),
        identity: IdentitySource::Digest,
        retry_horizon: hours(24),
        facts: Some(Facts {
            inferred: &[RETRIES_REPEAT_THE_BODY],
            ..stated("https://developer.calendly.com/api-docs/overview/webhooks/webhook-signatures")
        }),
        ..stripe()
    }
}

/// Box: HMAC-SHA256 of the raw body and the timestamp, keyed by the UTF-8 bytes of the primary signature key.
///
/// `BOX-SIGNATURE-PRIMARY` holds 44 characters of padded base64 and `BOX-DELIVERY-TIMESTAMP` the timestamp in RFC 3339
/// ([documentation](https://developer.box.com/guides/webhooks/v2/signatures-v2/)), which asks for a tolerance of ten minutes.
/// Box's library rejects every timestamp from the future; this scheme allows a minute. [`box_secondary`] verifies the
/// signature made with the other key: use it while you change the primary key.
///
/// The identity is the body's `id`, which retries keep; the header `BOX-DELIVERY-ID` changes with each attempt and is not
/// signed. Box retries for 2 hours ([documentation](https://developer.box.com/guides/webhooks/v2)).
pub fn box_primary() -> Scheme {
    let ten_minutes = Tolerance::new(std::time::Duration::from_secs(600), std::time::Duration::from_secs(60));
    Scheme {
        timestamp: Some(Timestamp::in_header(
            "BOX-DELIVERY-TIMESTAMP",
            TimestampFormat::Rfc3339,
            ten_minutes,
        )),
        content: vec![Part::Body, Part::Timestamp],
        identity: IdentitySource::field("/id"),
        identity_scope: Some(Cow::Borrowed("box")),
        retry_horizon: hours(2),
        ..signed(
            "box-primary",
            "BOX-SIGNATURE-PRIMARY",
            Algorithm::HmacSha256,
            Encoding::Base64(Padding::Required),
            Facts {
                inferred: &["the minute of tolerance for the future"],
                ..stated("https://developer.box.com/guides/webhooks/v2/signatures-v2/")
            },
        )
    }
}

/// Box: like [`box_primary`], but with the secondary signature key and the header `BOX-SIGNATURE-SECONDARY`. A delivery has
/// the same identity under both.
pub fn box_secondary() -> Scheme {
    Scheme {
        name: Cow::Borrowed("box-secondary"),
        header: Cow::Borrowed("BOX-SIGNATURE-SECONDARY"),
        ..box_primary()
    }
}
