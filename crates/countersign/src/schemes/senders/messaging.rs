use std::borrow::Cow;

use super::base::{FIVE_MINUTES, RETRIES_REPEAT_THE_BODY, TOLERANCE_IS_OURS, hours, minutes, signed, stated};
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
        timestamp::{Timestamp, TimestampFormat},
    },
};

/// Slack: HMAC-SHA256 of `v0:`, the timestamp, `:` and the raw body, keyed by the UTF-8 bytes of the signing secret.
///
/// `X-Slack-Signature: v0=<hex>` and `X-Slack-Request-Timestamp` in seconds
/// ([documentation](https://docs.slack.dev/authentication/verifying-requests-from-slack/)), which asks for a tolerance of five
/// minutes.
///
/// The identity is the body's `event_id`, unique across all workspaces
/// ([documentation](https://docs.slack.dev/apis/events-api/)). Commands and interactions are forms: they fall back to the
/// digest. Slack retries an event three times within minutes; the horizon is the default, since apps can ask for more.
pub fn slack() -> Scheme {
    Scheme {
        layout: Layout::Prefixed(Cow::Borrowed("v0=")),
        timestamp: Some(Timestamp::in_header(
            "X-Slack-Request-Timestamp",
            TimestampFormat::Seconds,
            FIVE_MINUTES,
        )),
        content: vec![Part::literal("v0:"), Part::Timestamp, Part::literal(":"), Part::Body],
        identity: IdentitySource::field("/event_id"),
        ..signed(
            "slack",
            "X-Slack-Signature",
            Algorithm::HmacSha256,
            Encoding::Hex,
            stated("https://docs.slack.dev/authentication/verifying-requests-from-slack/"),
        )
    }
}

/// Discord's interactions and webhook events: Ed25519 over the timestamp and the raw body.
///
/// `X-Signature-Ed25519` holds 128 hex digits and `X-Signature-Timestamp` the timestamp
/// ([documentation](https://discord.com/developers/docs/interactions/overview#setting-up-an-endpoint-validating-security-request-headers)).
/// The public key is 64 hex digits. Nothing separates the timestamp from the body, so only a timestamp of ten digits is
/// accepted. Discord sends invalid signatures on purpose and expects a 401 for each.
///
/// The identity is an interaction's `id`. Webhook events have none and fall back to the digest. Discord retries events for
/// 10 minutes ([documentation](https://discord.com/developers/docs/events/webhook-events)) and interactions not at all.
#[cfg(feature = "public-key")]
pub fn discord() -> Scheme {
    Scheme {
        timestamp: Some(Timestamp::in_header(
            "X-Signature-Timestamp",
            TimestampFormat::Seconds,
            FIVE_MINUTES,
        )),
        content: vec![Part::Timestamp, Part::Body],
        identity: IdentitySource::field("/id"),
        retry_horizon: minutes(10),
        ..signed(
            "discord",
            "X-Signature-Ed25519",
            Algorithm::Ed25519,
            Encoding::Hex,
            Facts {
                inferred: &["that the timestamp is in seconds", TOLERANCE_IS_OURS],
                ..stated(
                    "https://discord.com/developers/docs/interactions/overview#setting-up-an-endpoint-validating-security-request-headers",
                )
            },
        )
    }
}

/// Twilio's form deliveries (calls, messages): HMAC-SHA1 of the URL and of the sorted fields of the body, each name
/// followed by its value.
///
/// The header `X-Twilio-Signature` holds 28 characters of padded base64, keyed by the UTF-8 bytes of the auth token
/// ([documentation](https://www.twilio.com/docs/usage/security)). Give the URL as configured at Twilio, without user
/// name and password. For HTTPS addresses, Twilio drops the port when it signs calls and keeps it when it signs messages:
/// give the form that it signs.
///
/// **Weak where fields meet.** Nothing separates a name from its value or a field from the next, so `ab=c` and `a=bc` have the
/// same signature. It covers neither the order of the fields nor repeated pairs. Read only fields that you know. There is no
/// timestamp, so old deliveries pass. [`twilio_json`] uses the same header and key, and a form whose URL and fields look like
/// a URL with `bodySHA256` would pass for it: give each kind its own address.
///
/// The identity is the digest of the fields as signed, so neither their order nor the moved bytes above make a new one. It is
/// not the header `I-Twilio-Idempotency-Token`, which is not signed. Retries are a setting of the URL
/// ([documentation](https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides)) and end within seconds, but a
/// captured delivery never expires: the horizon is the default.
pub fn twilio_form(url: impl Into<Cow<'static, str>>) -> Scheme {
    Scheme { content: vec![Part::Url(url.into()), Part::SortedForm], ..twilio("twilio-form") }
}

/// Twilio's JSON deliveries: HMAC-SHA1 of the URL, whose query holds the SHA-256 of the raw body in `bodySHA256`.
///
/// Header and key are those of [`twilio_form`]. Give the URL as configured at Twilio. The query is read from the request and
/// must contain `bodySHA256` once, in lower-case hex. Both adapters supply the request's target; without an adapter, wrap the
/// headers in a [`RequestHead`](crate::RequestHead). The identity is the digest of the body.
pub fn twilio_json(url: impl Into<Cow<'static, str>>) -> Scheme {
    let mut url = url.into().into_owned();
    url.truncate(url.find('?').unwrap_or(url.len()));
    Scheme {
        content: vec![Part::Url(Cow::Owned(url)), Part::literal("?"), Part::Query],
        body_digest: Some(Cow::Borrowed("bodySHA256")),
        ..twilio("twilio-json")
    }
}

fn twilio(name: &'static str) -> Scheme {
    signed(
        name,
        "X-Twilio-Signature",
        Algorithm::LegacyHmacSha1,
        Encoding::Base64(Padding::Required),
        stated("https://www.twilio.com/docs/usage/security"),
    )
}

/// Twilio SendGrid's event webhook: ECDSA P-256 with SHA-256 over the timestamp and the raw body.
///
/// `X-Twilio-Email-Event-Webhook-Signature` holds the DER-encoded signature in padded base64, and
/// `X-Twilio-Email-Event-Webhook-Timestamp` the timestamp in seconds
/// ([documentation](https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features)).
/// The public key is the base64 text on the settings page. The body ends in CRLF, which the signature covers.
///
/// The identity is the digest of the body, a list of events; that a retry repeats the list is inferred. An event can come again
/// in another list: tell events apart in your handler, by `sg_event_id`. SendGrid retries for 24 hours
/// ([documentation](https://docs.sendgrid.com/for-developers/tracking-events/troubleshooting)).
#[cfg(feature = "public-key")]
pub fn sendgrid() -> Scheme {
    Scheme {
        timestamp: Some(Timestamp::in_header(
            "X-Twilio-Email-Event-Webhook-Timestamp",
            TimestampFormat::Seconds,
            FIVE_MINUTES,
        )),
        content: vec![Part::Timestamp, Part::Body],
        retry_horizon: hours(24),
        ..signed(
            "sendgrid",
            "X-Twilio-Email-Event-Webhook-Signature",
            Algorithm::EcdsaP256Sha256,
            Encoding::Base64(Padding::Required),
            Facts {
                inferred: &[TOLERANCE_IS_OURS, RETRIES_REPEAT_THE_BODY],
                ..stated(
                    "https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features",
                )
            },
        )
    }
}

/// Zoom: HMAC-SHA256 of `v0:`, the timestamp, `:` and the raw body, keyed by the UTF-8 bytes of the secret token.
///
/// `x-zm-signature: v0=<hex>` and `x-zm-request-timestamp`
/// ([documentation](https://developers.zoom.us/docs/api/webhooks/#verify-webhook-events)). Zoom signs its request to validate
/// an address like any other; your handler must answer it.
///
/// Zoom documents no unique field, so the identity is the digest of the body; that a retry repeats it is inferred. It is not the
/// header `x-zm-trackingid`, which is not signed. Zoom retries after 5, 20 and 60 minutes, each counted from the attempt before
/// ([documentation](https://devsupport.zoom.us/hc/en-us/articles/360059893812-Webhook-delays)): the horizon is 85 minutes.
pub fn zoom() -> Scheme {
    Scheme {
        name: Cow::Borrowed("zoom"),
        header: Cow::Borrowed("x-zm-signature"),
        timestamp: Some(Timestamp::in_header(
            "x-zm-request-timestamp",
            TimestampFormat::Seconds,
            FIVE_MINUTES,
        )),
        identity: IdentitySource::Digest,
        retry_horizon: minutes(85),
        facts: Some(Facts {
            inferred: &[
                "that the timestamp is in seconds",
                "that the raw body is signed: Zoom's sample serializes the parsed JSON again, which gives the same bytes",
                TOLERANCE_IS_OURS,
                RETRIES_REPEAT_THE_BODY,
            ],
            ..stated("https://developers.zoom.us/docs/api/webhooks/#verify-webhook-events")
        }),
        ..slack()
    }
}

/// Meta's Graph, WhatsApp, Messenger and Instagram webhooks: HMAC-SHA256 of the raw body, keyed by the UTF-8 bytes of the
/// app secret.
///
/// `X-Hub-Signature-256: sha256=<hex>`
/// ([documentation](https://developers.facebook.com/docs/graph-api/webhooks/getting-started)). Meta does not sign the `GET`
/// that validates an address: route it around the guard.
///
/// The identity is the digest of the body, a list of updates; that a retry repeats the list is inferred. Tell the updates in it
/// apart in your handler, for example by a message's `id`. Meta retries for 36 hours and WhatsApp for 7 days
/// ([documentation](https://developers.facebook.com/docs/whatsapp/webhooks/)): the horizon is 7 days.
pub fn meta() -> Scheme {
    Scheme {
        layout: Layout::Prefixed(Cow::Borrowed("sha256=")),
        retry_horizon: hours(7 * 24),
        ..signed(
            "meta",
            "X-Hub-Signature-256",
            Algorithm::HmacSha256,
            Encoding::Hex,
            Facts {
                inferred: &[
                    "that the signed bytes are the raw body, with characters escaped as they were sent",
                    RETRIES_REPEAT_THE_BODY,
                ],
                ..stated("https://developers.facebook.com/docs/graph-api/webhooks/getting-started")
            },
        )
    }
}
