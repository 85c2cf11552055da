use std::borrow::Cow;

use super::base::{FIVE_MINUTES, hours, signed, stated};
use crate::{
    keys::{algorithm::Algorithm, secret::SecretForm},
    schemes::{
        identity_source::{DEFAULT_RETRY_HORIZON, IdentitySource},
        list::{Layout, SignatureList},
        part::Part,
        scheme::{Facts, Scheme},
    },
    wire::{
        encoding::{Encoding, Padding},
        timestamp::{Timestamp, TimestampFormat},
    },
};

/// Standard Webhooks, `v1`: HMAC-SHA256 of `webhook-id`, `.`, `webhook-timestamp`, `.` and the raw body.
///
/// The header `webhook-signature` lists signatures separated by spaces, each `v1,` and 44 characters of padded base64;
/// other versions are ignored
/// ([specification](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md)).
/// The secret is `whsec_` followed by the key in base64. The tolerance is that of the reference libraries: 300 s in both
/// directions. An id that contains a dot is rejected, because nothing would mark its end.
///
/// The identity is the signed header `webhook-id`, which the specification calls an idempotency key. The retry horizon is that
/// of its example schedule, 75 h 35 min, rounded up. Ids are unique for one sender only: if several send you Standard
/// Webhooks, give each its own [`Scheme::identity_scope`].
///
/// GitLab's signing tokens (19.0 and later), OpenAI and others use this scheme.
pub fn standard_webhooks() -> Scheme {
    Scheme {
        layout: Layout::List(SignatureList::separated_by(' ').labelled("v1", ',')),
        secret_form: SecretForm::Base64 { prefix: Cow::Borrowed("whsec_") },
        identity: IdentitySource::signed_header("webhook-id"),
        retry_horizon: hours(76),
        timestamp: Some(Timestamp::in_header("webhook-timestamp", TimestampFormat::Seconds, FIVE_MINUTES)),
        content: vec![
            Part::header("webhook-id"),
            Part::literal("."),
            Part::Timestamp,
            Part::literal("."),
            Part::Body,
        ],
        ..signed(
            "standard-webhooks",
            "webhook-signature",
            Algorithm::HmacSha256,
            Encoding::Base64(Padding::Required),
            stated(
                "https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md",
            ),
        )
    }
}

/// Standard Webhooks, `v1a`: Ed25519 over the same bytes as [`standard_webhooks`].
///
/// The public key is `whpk_` followed by its 32 bytes in base64. Only `v1a` signatures count here, and only `v1` signatures
/// count for `standard_webhooks`. A delivery has the same identity under both.
#[cfg(feature = "public-key")]
pub fn standard_webhooks_ed25519() -> Scheme {
    Scheme {
        name: Cow::Borrowed("standard-webhooks-ed25519"),
        layout: Layout::List(SignatureList::separated_by(' ').labelled("v1a", ',')),
        algorithm: Algorithm::Ed25519,
        identity_scope: Some(Cow::Borrowed("standard-webhooks")),
        ..standard_webhooks()
    }
}

/// Svix and the many senders that use it: [`standard_webhooks`] under other header names.
///
/// `svix-id`, `svix-timestamp` and `svix-signature`
/// ([documentation](https://docs.svix.com/receiving/verifying-payloads/how-manual)). For a sender that has renamed them to
/// `webhook-…`, use `standard_webhooks`.
///
/// The identity is the signed header `svix-id`. Svix retries for 27 h 35 min, rounded up to 28 hours
/// ([documentation](https://docs.svix.com/retries)). As with `standard_webhooks`, give each of several senders its own
/// [`Scheme::identity_scope`].
pub fn svix() -> Scheme {
    Scheme {
        name: Cow::Borrowed("svix"),
        header: Cow::Borrowed("svix-signature"),
        timestamp: Some(Timestamp::in_header("svix-timestamp", TimestampFormat::Seconds, FIVE_MINUTES)),
        content: vec![
            Part::header("svix-id"),
            Part::literal("."),
            Part::Timestamp,
            Part::literal("."),
            Part::Body,
        ],
        identity: IdentitySource::signed_header("svix-id"),
        retry_horizon: hours(28),
        facts: Some(stated("https://docs.svix.com/receiving/verifying-payloads/how-manual")),
        ..standard_webhooks()
    }
}

/// BigCommerce: [`standard_webhooks`], keyed by the UTF-8 bytes of the app's `client_secret`.
///
/// BigCommerce's documentation passes the base64 of the client secret to the Standard Webhooks library
/// ([documentation](https://developer.bigcommerce.com/docs/integrations/webhooks/https-webhook-overview)). Give the secret
/// here as BigCommerce shows it.
///
/// The identity is the signed header `webhook-id`. The body's `hash` is the same for every attempt too, but nothing says that
/// it is unique to one event.
pub fn bigcommerce() -> Scheme {
    Scheme {
        name: Cow::Borrowed("bigcommerce"),
        secret_form: SecretForm::Text,
        retry_horizon: DEFAULT_RETRY_HORIZON,
        facts: Some(Facts {
            inferred: &["the headers' names, from the library that the documentation uses"],
            ..stated("https://developer.bigcommerce.com/docs/integrations/webhooks/https-webhook-overview")
        }),
        ..standard_webhooks()
    }
}
