use std::borrow::Cow;

use super::base::{RETRIES_REPEAT_THE_BODY, hours, minutes, signed, stated};
use crate::{
    keys::algorithm::Algorithm,
    schemes::{
        identity_source::IdentitySource,
        list::{Layout, SignatureList},
        part::Part,
        scheme::{Facts, Scheme},
    },
    wire::{
        encoding::{Encoding, Padding},
        timestamp::{Timestamp, TimestampFormat, Tolerance},
    },
};

/// ModusLink: HMAC-SHA256 of the raw body, keyed by the shared secret's UTF-8 bytes.
///
/// The header `X-Moduslink-HMAC-SHA256` holds 44 characters of base64, or 43 without the `=`
/// ([documentation](https://apiportal-uat.moduslink.com/documentation/webhook)). The page does not say which bytes are
/// signed, and we had no captured delivery: the raw body is inferred. ModusLink sends neither a timestamp nor a delivery id.
///
/// So the identity is the digest of the body; that a retry repeats the body is inferred. ModusLink documents five retries, one
/// every 5 minutes: the horizon is 25 minutes.
pub fn moduslink() -> Scheme {
    Scheme {
        retry_horizon: minutes(25),
        ..signed(
            "moduslink",
            "X-Moduslink-HMAC-SHA256",
            Algorithm::HmacSha256,
            Encoding::Base64(Padding::Optional),
            Facts {
                inferred: &["that the signed bytes are the raw body", RETRIES_REPEAT_THE_BODY],
                ..stated("https://apiportal-uat.moduslink.com/documentation/webhook")
            },
        )
    }
}

/// eWarehousing: HMAC-SHA256 of the raw body, keyed by the UTF-8 bytes of the webhook's `hash_secret`.
///
/// The header `X-Hmac-SHA256` holds 44 characters of padded base64
/// ([documentation](https://api.docs.ewarehousing-solutions.com/webhook-setup)). Other senders use the same header name.
///
/// The identity is the digest of the body. It is not `X-Webhook-Id`, which eWarehousing recommends for it but does not sign:
/// anyone who has captured a delivery can send it again under another id. eWarehousing retries hourly, at most 10 times: the
/// horizon is 10 hours. That a retry repeats the body is inferred.
pub fn ewarehousing() -> Scheme {
    Scheme {
        retry_horizon: hours(10),
        ..signed(
            "ewarehousing",
            "X-Hmac-SHA256",
            Algorithm::HmacSha256,
            Encoding::Base64(Padding::Required),
            Facts {
                inferred: &[RETRIES_REPEAT_THE_BODY],
                ..stated("https://api.docs.ewarehousing-solutions.com/webhook-setup")
            },
        )
    }
}

/// Extend Commerce: HMAC-SHA256 of the raw body, keyed by the client secret's UTF-8 bytes.
///
/// The header `ms-signature` holds `sha256=` and 64 hex digits
/// ([documentation](https://extendcommerce.atlassian.net/wiki/pages/viewpage.action?pageId=4571653)). Extend writes the
/// digits in upper case. This scheme accepts both cases, `sha256` in any case, and spaces around the `=`, like the ASP.NET
/// `WebHooks` receiver for the same format.
///
/// The body has CRLF line ends, and anything that changes them breaks the signature. A retry raises `Attempt` in the body,
/// so it has another signature and another [fingerprint](crate::Verified::fingerprint).
///
/// The identity is the body's `Id`, which retries keep: inferred from the ASP.NET `WebHooks` sender on which Extend seems to
/// build, like its retries after 1 and 4 minutes. Since Extend documents no schedule, the horizon is the default, 3 days.
pub fn extend() -> Scheme {
    Scheme {
        layout: Layout::Prefixed(Cow::Borrowed("sha256=")),
        identity: IdentitySource::field("/Id"),
        ..signed(
            "extend",
            "ms-signature",
            Algorithm::HmacSha256,
            Encoding::HexUpper,
            Facts {
                inferred: &["that retries keep Id"],
                ..stated("https://extendcommerce.atlassian.net/wiki/pages/viewpage.action?pageId=4571653")
            },
        )
    }
}

/// Fluent Commerce: RSA PKCS#1 v1.5 with SHA-512 (`SHA512withRSA`) of the raw body.
///
/// The header `fluent-signature` holds the signature in padded base64: 172 characters for the 1024-bit keys
/// that Fluent uses ([documentation](https://docs.fluentcommerce.com/essential-knowledge/webhook-receivers)).
/// Fluent has one key pair for each region and environment, and its requests do not say which one signed. Give the verifier
/// the public key of every region and environment that you receive from.
///
/// Every Fluent request also carries `flex.signature`, made with MD5. This scheme never reads it.
///
/// The identity is the event's `id`; that retries keep it is inferred. The last documented retry comes after 1 day.
#[cfg(feature = "public-key")]
pub fn fluent() -> Scheme {
    Scheme {
        // Fluent's keys have this modulus.
        least_modulus_bits: 1024,
        identity: IdentitySource::field("/id"),
        retry_horizon: hours(24),
        ..signed(
            "fluent",
            "fluent-signature",
            Algorithm::RsaPkcs1Sha512,
            Encoding::Base64(Padding::Required),
            Facts {
                inferred: &["that retries keep id"],
                ..stated("https://docs.fluentcommerce.com/essential-knowledge/webhook-receivers")
            },
        )
    }
}

/// Fluent Commerce's old signature: RSA PKCS#1 v1.5 with MD5 (`MD5withRSA`) of the raw body.
///
/// **Use [`fluent`] instead.** MD5 collisions are cheap: anyone who can choose part of an event's content could prepare two
/// bodies that share one signature. This scheme exists for receivers that get only `flex.signature`. nginx drops that header
/// because of the dot in its name, unless `ignore_invalid_headers` is off; other proxies may drop it too.
///
/// A delivery has the same identity as under `fluent`, so leaving out the stronger signature does not make it a new one.
#[cfg(feature = "legacy-md5")]
pub fn fluent_legacy_md5() -> Scheme {
    Scheme {
        name: Cow::Borrowed("fluent-legacy-md5"),
        header: Cow::Borrowed("flex.signature"),
        algorithm: Algorithm::LegacyRsaPkcs1Md5,
        identity_scope: Some(Cow::Borrowed("fluent")),
        ..fluent()
    }
}

/// Modern Dropship, formerly Convictional: HMAC-SHA256 of the timestamp's text, `.` and the raw body.
/// **Unconfirmed.**
///
/// The sender's API gives a webhook several secrets, each with an expiry date; a new secret is active at once. Its guide to
/// the signature header is not public, and its public guide still says that webhooks have no authentication
/// ([documentation](https://developers.moderndropship.com/docs/webhooks)). The form here comes from one receiver's code,
/// which was never shown to work with real deliveries: the header `Convictional-Signature: 1719342000,<hex>,<hex>` holds a
/// timestamp and at least one signature, 16 items at most. Items may have the labels `t=` and `v1=`; items with other labels
/// are ignored; hex may have either case. Compare this with a real delivery before you depend on it. If the header has
/// another name, set it with [`Scheme::header`] and tell us.
///
/// The sender signs the timestamp's text exactly as it was received. Its unit is unknown: numbers below 10^11 are read as
/// seconds, larger ones as milliseconds, and RFC 3339 is read too. No tolerance is set, because a wrong guess at the unit
/// would reject good deliveries, so old deliveries pass. The identity is the body's `_id`: the documentation asks receivers to
/// look at the id, since a delivery can come more than once, and disables a webhook after 3 days of failure, which is the
/// horizon. Once you have seen real deliveries, set a tolerance:
///
/// ```
/// use std::time::Duration;
/// use countersign::{Tolerance, senders};
///
/// let scheme = senders::modern_dropship().tolerance(Tolerance::within(Duration::from_secs(300)));
/// # let _ = scheme;
/// ```
pub fn modern_dropship() -> Scheme {
    Scheme {
        layout: Layout::List(SignatureList {
            bare_items: true,
            ..SignatureList::separated_by(',').labelled("v1", '=')
        }),
        timestamp: Some(Timestamp::in_list("t", TimestampFormat::Any, Tolerance::dangerously_unlimited())),
        content: vec![Part::Timestamp, Part::literal("."), Part::Body],
        identity: IdentitySource::field("/_id"),
        retry_horizon: hours(72),
        ..signed(
            "modern-dropship",
            "Convictional-Signature",
            Algorithm::HmacSha256,
            Encoding::Hex,
            Facts {
                inferred: &["the header", "its form", "the algorithm", "the encoding", "the signed bytes"],
                ..stated("https://developers.moderndropship.com/docs/webhooks")
            },
        )
    }
}
