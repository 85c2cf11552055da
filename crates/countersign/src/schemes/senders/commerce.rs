use std::borrow::Cow;

use super::base::{FIVE_MINUTES, hours, signed, stated, within};
use crate::{
    keys::algorithm::Algorithm,
    schemes::{
        identity_source::IdentitySource,
        list::{Layout, SignatureList},
        part::Part,
        scheme::Scheme,
    },
    wire::{
        encoding::{Encoding, Padding},
        timestamp::{Timestamp, TimestampFormat},
    },
};

/// Shopify: HMAC-SHA256 of the raw body, keyed by the UTF-8 bytes of the app's client secret.
///
/// The header `X-Shopify-Hmac-SHA256` holds 44 characters of padded base64
/// ([documentation](https://shopify.dev/docs/apps/build/webhooks/verify-deliveries)). Shopify does not sign the headers that
/// name the topic, the shop and the delivery. It may sign with the old secret for up to an hour after a rotation: keep both.
///
/// The identity is the digest of the body, which retries repeat; they go on for 4 hours
/// ([documentation](https://shopify.dev/changelog/updates-to-webhook-retry-mechanism)). It is neither `X-Shopify-Event-Id`,
/// which Shopify recommends for it, nor `X-Shopify-Webhook-Id`: neither is signed. Nor is the topic, and two topics can have
/// the same body, for example `orders/paid` and `orders/updated`: give each topic its own address and its own
/// [`Scheme::identity_scope`].
pub fn shopify() -> Scheme {
    Scheme {
        retry_horizon: hours(4),
        ..signed(
            "shopify",
            "X-Shopify-Hmac-SHA256",
            Algorithm::HmacSha256,
            Encoding::Base64(Padding::Required),
            stated("https://shopify.dev/docs/apps/build/webhooks/verify-deliveries"),
        )
    }
}

/// Stripe: HMAC-SHA256 of the timestamp, `.` and the raw body.
///
/// The header is `Stripe-Signature: t=1719342000,v1=<hex>`, with a `v1` for each secret during a rotation
/// ([documentation](https://docs.stripe.com/webhooks/signature)); `v0` and other versions are ignored. The key is the UTF-8
/// bytes of the whole endpoint secret, including `whsec_`; unlike elsewhere, the rest is not base64. The tolerance is that of
/// Stripe's libraries, 300 s. They check only the past; this scheme checks the future too.
///
/// The identity is the event's `id` ([documentation](https://docs.stripe.com/webhooks)). Stripe retries for 3 days.
pub fn stripe() -> Scheme {
    Scheme {
        layout: Layout::List(SignatureList::separated_by(',').labelled("v1", '=')),
        timestamp: Some(Timestamp::in_list("t", TimestampFormat::Seconds, FIVE_MINUTES)),
        identity: IdentitySource::field("/id"),
        retry_horizon: hours(72),
        content: vec![Part::Timestamp, Part::literal("."), Part::Body],
        ..signed(
            "stripe",
            "Stripe-Signature",
            Algorithm::HmacSha256,
            Encoding::Hex,
            stated("https://docs.stripe.com/webhooks/signature"),
        )
    }
}

/// Square: HMAC-SHA256 of the notification URL and the raw body, keyed by the UTF-8 bytes of the signature key.
///
/// The header `x-square-hmacsha256-signature` holds 44 characters of padded base64
/// ([documentation](https://developer.squareup.com/docs/webhooks/step3validate)). Give the URL exactly as in the
/// subscription: scheme, host, path, query and every slash.
///
/// The identity is the body's `event_id`, which Square generates for this purpose
/// ([documentation](https://developer.squareup.com/docs/webhooks/step4manage)).
pub fn square(notification_url: impl Into<Cow<'static, str>>) -> Scheme {
    Scheme {
        content: vec![Part::Url(notification_url.into()), Part::Body],
        identity: IdentitySource::field("/event_id"),
        ..signed(
            "square",
            "x-square-hmacsha256-signature",
            Algorithm::HmacSha256,
            Encoding::Base64(Padding::Required),
            stated("https://developer.squareup.com/docs/webhooks/step3validate"),
        )
    }
}

/// WooCommerce: HMAC-SHA256 of the raw body, keyed by the UTF-8 bytes of the webhook's secret.
///
/// The header `X-WC-Webhook-Signature` holds 44 characters of padded base64
/// ([documentation](https://developer.woocommerce.com/docs/apis/rest-api/v3/webhooks/)). WooCommerce does not sign the headers
/// that name the topic and the delivery. If a secret contains HTML entities such as `&amp;` or `&lt;`, WooCommerce uses the
/// characters that they stand for. When a webhook is created, the shop sends an unsigned form, `webhook_id=…`, which is
/// rejected.
///
/// The identity is the digest of the body. It is not `X-WC-Webhook-Delivery-ID`, which is not signed. Nor is the topic: if you
/// subscribe to several that can have the same body, give each its own address and its own [`Scheme::identity_scope`].
/// WooCommerce documents no retries, so the horizon is the default.
pub fn woocommerce() -> Scheme {
    signed(
        "woocommerce",
        "X-WC-Webhook-Signature",
        Algorithm::HmacSha256,
        Encoding::Base64(Padding::Required),
        stated("https://developer.woocommerce.com/docs/apis/rest-api/v3/webhooks/"),
    )
}

/// Paddle Billing: HMAC-SHA256 of the timestamp, `:` and the raw body.
///
/// The header is `Paddle-Signature: ts=1719342000;h1=<hex>`, with an `h1` for each secret during a rotation
/// ([documentation](https://developer.paddle.com/webhooks/signature-verification)). The key is the UTF-8 bytes of the whole
/// secret, `pdl_ntfset_…`. The tolerance is that documented for Paddle's libraries, 5 s. If your clock is less accurate,
/// raise it with [`Scheme::tolerance`].
///
/// The identity is the body's `event_id`, which Paddle recommends for it
/// ([documentation](https://developer.paddle.com/webhooks/about/how-webhooks-work)); `notification_id` differs for each
/// destination and replay.
pub fn paddle() -> Scheme {
    Scheme {
        layout: Layout::List(SignatureList::separated_by(';').labelled("h1", '=')),
        timestamp: Some(Timestamp::in_list("ts", TimestampFormat::Seconds, within(5))),
        identity: IdentitySource::field("/event_id"),
        content: vec![Part::Timestamp, Part::literal(":"), Part::Body],
        ..signed(
            "paddle",
            "Paddle-Signature",
            Algorithm::HmacSha256,
            Encoding::Hex,
            stated("https://developer.paddle.com/webhooks/signature-verification"),
        )
    }
}
