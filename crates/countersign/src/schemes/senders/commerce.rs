use std::borrow::Cow;

use super::base::{FIVE_MINUTES, signed, stated, within};
use crate::{
    keys::algorithm::Algorithm,
    schemes::{
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
/// ([documentation](https://shopify.dev/docs/apps/build/webhooks/verify-deliveries)). The headers with the topic, the shop
/// and the id are not signed. For an hour after the secret was rotated the old one may still sign: hold both.
pub fn shopify() -> Scheme {
    signed(
        "shopify",
        "X-Shopify-Hmac-SHA256",
        Algorithm::HmacSha256,
        Encoding::Base64(Padding::Required),
        stated("https://shopify.dev/docs/apps/build/webhooks/verify-deliveries"),
    )
}

/// Stripe: HMAC-SHA256 of the timestamp, `.` and the raw body.
///
/// The header is `Stripe-Signature: t=1719342000,v1=<hex>`, with a `v1` for each secret while one is rotated
/// ([documentation](https://docs.stripe.com/webhooks/signature)); `v0` and others are ignored. The key is the UTF-8 bytes of
/// the whole endpoint secret with its `whsec_`, which is not base64 here. The tolerance is that of Stripe's libraries, 300 s;
/// they check the past only.
pub fn stripe() -> Scheme {
    Scheme {
        layout: Layout::List(SignatureList::separated_by(',').labelled("v1", '=')),
        timestamp: Some(Timestamp::in_list("t", TimestampFormat::Seconds, FIVE_MINUTES)),
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
/// ([documentation](https://developer.squareup.com/docs/webhooks/step3validate)). Give the URL exactly as the subscription
/// has it: scheme, host, path, query, and no slash more or less.
pub fn square(notification_url: impl Into<Cow<'static, str>>) -> Scheme {
    Scheme {
        content: vec![Part::Url(notification_url.into()), Part::Body],
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
/// ([documentation](https://developer.woocommerce.com/docs/apis/rest-api/v3/webhooks/)). The headers with the topic and the
/// id are not signed. A secret with `&amp;`, `&lt;` or the like in it is used with the characters that these stand for. When a
/// webhook is created the shop sends an unsigned form, `webhook_id=…`, which is rejected.
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
/// The header is `Paddle-Signature: ts=1719342000;h1=<hex>`, with an `h1` for each secret while one is rotated
/// ([documentation](https://developer.paddle.com/webhooks/signature-verification)). The key is the UTF-8 bytes of the whole
/// secret, `pdl_ntfset_…`. The tolerance is the documented one of Paddle's libraries, 5 s: where your clock is not that
/// good, [`Scheme::tolerance`] raises it.
pub fn paddle() -> Scheme {
    Scheme {
        layout: Layout::List(SignatureList::separated_by(';').labelled("h1", '=')),
        timestamp: Some(Timestamp::in_list("ts", TimestampFormat::Seconds, within(5))),
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
