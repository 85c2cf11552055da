use std::borrow::Cow;

use super::base::{signed, stated};
use crate::{
    keys::algorithm::Algorithm,
    schemes::{
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
/// ([documentation](https://apiportal-uat.moduslink.com/documentation/webhook)). That the signed bytes are the
/// raw body is inferred: the page does not say so, and no captured delivery was at hand. ModusLink sends no timestamp and no delivery id: a replay is
/// told apart only by the [fingerprint](crate::Verified::fingerprint).
pub fn moduslink() -> Scheme {
    signed(
        "moduslink",
        "X-Moduslink-HMAC-SHA256",
        Algorithm::HmacSha256,
        Encoding::Base64(Padding::Optional),
        Facts {
            inferred: &["that the signed bytes are the raw body"],
            ..stated("https://apiportal-uat.moduslink.com/documentation/webhook")
        },
    )
}

/// eWarehousing: HMAC-SHA256 of the raw body, keyed by the UTF-8 bytes of the webhook's `hash_secret`.
///
/// The header `X-Hmac-SHA256` holds 44 characters of padded base64
/// ([documentation](https://api.docs.ewarehousing-solutions.com/webhook-setup)). Other senders use a header of
/// this name. `X-Webhook-Id` tells duplicates apart but is not signed: whoever holds one signed delivery can
/// send it again under another id.
pub fn ewarehousing() -> Scheme {
    signed(
        "ewarehousing",
        "X-Hmac-SHA256",
        Algorithm::HmacSha256,
        Encoding::Base64(Padding::Required),
        stated("https://api.docs.ewarehousing-solutions.com/webhook-setup"),
    )
}

/// Extend Commerce: HMAC-SHA256 of the raw body, keyed by the client secret's UTF-8 bytes.
///
/// The header `ms-signature` holds `sha256=` and 64 hex digits
/// ([documentation](https://extendcommerce.atlassian.net/wiki/pages/viewpage.action?pageId=4571653)). The
/// sender writes upper case; digits of either case are accepted, as are `sha256` in any case and spaces around
/// its `=`, as the ASP.NET `WebHooks` receiver for the same format does.
///
/// The body has CRLF line ends: whatever changes them breaks the signature. Retries raise `Attempt` in the
/// body, so a retry has another signature and another [fingerprint](crate::Verified::fingerprint): tell
/// duplicates apart by the body's `Id`.
pub fn extend() -> Scheme {
    Scheme {
        layout: Layout::Prefixed(Cow::Borrowed("sha256=")),
        ..signed(
            "extend",
            "ms-signature",
            Algorithm::HmacSha256,
            Encoding::HexUpper,
            stated("https://extendcommerce.atlassian.net/wiki/pages/viewpage.action?pageId=4571653"),
        )
    }
}

/// Fluent Commerce: RSA PKCS#1 v1.5 with SHA-512 (`SHA512withRSA`) of the raw body.
///
/// The header `fluent-signature` holds the signature in padded base64: 172 characters for the 1024-bit keys
/// that Fluent uses ([documentation](https://docs.fluentcommerce.com/essential-knowledge/webhook-receivers)).
/// Fluent has one key pair for each region and environment and names none on the wire: give the verifier the
/// public key of each that you receive from.
///
/// Every Fluent request also carries `flex.signature`, made with MD5. This scheme never looks at it.
#[cfg(feature = "public-key")]
pub fn fluent() -> Scheme {
    Scheme {
        // The keys that Fluent signs with have this modulus: less than what other schemes ask for.
        least_modulus_bits: 1024,
        ..signed(
            "fluent",
            "fluent-signature",
            Algorithm::RsaPkcs1Sha512,
            Encoding::Base64(Padding::Required),
            stated("https://docs.fluentcommerce.com/essential-knowledge/webhook-receivers"),
        )
    }
}

/// Fluent Commerce's old signature: RSA PKCS#1 v1.5 with MD5 (`MD5withRSA`) of the raw body.
///
/// **Use [`fluent`] instead.** MD5 collisions are cheap: whoever can choose a part of an event's content could
/// prepare two bodies of which one signature serves both. It is here for a receiver that sees
/// `flex.signature` only. Its header's name has a dot, which nginx drops unless `ignore_invalid_headers` is
/// off, and other proxies may too.
#[cfg(feature = "legacy-md5")]
pub fn fluent_legacy_md5() -> Scheme {
    Scheme {
        name: Cow::Borrowed("fluent-legacy-md5"),
        header: Cow::Borrowed("flex.signature"),
        algorithm: Algorithm::LegacyRsaPkcs1Md5,
        ..fluent()
    }
}

/// Modern Dropship, formerly Convictional: HMAC-SHA256 of the timestamp's text, `.` and the raw body.
/// **Unconfirmed.**
///
/// The sender's API gives a webhook several secrets, each with an expiry date and new ones active at once; its
/// guide to the header is not public and its public guide still says that webhooks have no authentication
/// ([documentation](https://developers.moderndropship.com/docs/webhooks)). The form here comes from
/// one receiver's code that was never shown to work with real deliveries: the header
/// `Convictional-Signature: 1719342000,<hex>,<hex>`, a timestamp and then at least one signature, 16 items at
/// most. Items may have the labels `t=` and `v1=`; items with other labels are ignored; hex may be of either
/// case. Compare it with a real delivery before you depend on it, and
/// say so if [`Scheme::header`] needs to change.
///
/// The timestamp is signed exactly as its text was received. Its unit is not known: numbers below 10^11 are read as
/// seconds, others as milliseconds, and RFC 3339 is read too. No tolerance is set, since a guess at the unit could
/// reject good deliveries; so old ones pass. Once you have seen real ones, turn it on:
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
