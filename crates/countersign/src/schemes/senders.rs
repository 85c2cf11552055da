//! The named senders: each is a [`Scheme`](crate::Scheme) value with the source of its facts.
//!
//! | sender | header | signature | key |
//! |---|---|---|---|
//! | [`moduslink`] | `X-Moduslink-HMAC-SHA256` | HMAC-SHA256 of the body, base64, padding optional | secret |
//! | [`ewarehousing`] | `X-Hmac-SHA256` | HMAC-SHA256 of the body, base64 | secret |
//! | [`extend`] | `ms-signature` | `sha256=` and HMAC-SHA256 of the body, hex | secret |
//! | `fluent` | `fluent-signature` | RSA PKCS#1 v1.5 with SHA-512 of the body, base64 | public key |
//! | `fluent_legacy_md5` | `flex.signature` | RSA PKCS#1 v1.5 with MD5 of the body, base64 | public key |
//! | [`modern_dropship`] (unconfirmed) | `Convictional-Signature` | HMAC-SHA256 of timestamp, `.`, body, hex | secret |
//! | [`standard_webhooks`] | `webhook-signature` | `v1,` HMAC-SHA256 of id, `.`, timestamp, `.`, body, base64 | `whsec_…` |
//! | `standard_webhooks_ed25519` | `webhook-signature` | `v1a,` Ed25519 of the same | `whpk_…` |
//! | [`svix`] | `svix-signature` | as `standard_webhooks` | `whsec_…` |
//! | [`bigcommerce`] | `webhook-signature` | as `standard_webhooks` | client secret |
//! | [`shopify`] | `X-Shopify-Hmac-SHA256` | HMAC-SHA256 of the body, base64 | client secret |
//! | [`stripe`] | `Stripe-Signature` | `t=…,v1=` HMAC-SHA256 of timestamp, `.`, body, hex | `whsec_…` |
//! | [`square`] | `x-square-hmacsha256-signature` | HMAC-SHA256 of URL, body, base64 | signature key |
//! | [`woocommerce`] | `X-WC-Webhook-Signature` | HMAC-SHA256 of the body, base64 | secret |
//! | [`paddle`] | `Paddle-Signature` | `ts=…;h1=` HMAC-SHA256 of timestamp, `:`, body, hex | `pdl_ntfset_…` |
//! | [`github`] | `X-Hub-Signature-256` | `sha256=` HMAC-SHA256 of the body, hex | secret |
//! | [`gitlab_unsigned_token`] | `X-Gitlab-Token` | **none: a static token** | token |
//! | [`linear`] | `Linear-Signature` | HMAC-SHA256 of the body, hex | secret |
//! | [`zendesk`] | `X-Zendesk-Webhook-Signature` | HMAC-SHA256 of timestamp, body, base64 | signing secret |
//! | [`hubspot_v3`] | `X-HubSpot-Signature-v3` | HMAC-SHA256 of method, URL, body, timestamp, base64 | client secret |
//! | [`calendly`] | `Calendly-Webhook-Signature` | `t=…,v1=` HMAC-SHA256 of timestamp, `.`, body, hex | signing key |
//! | [`box_primary`], [`box_secondary`] | `BOX-SIGNATURE-PRIMARY`, `…-SECONDARY` | HMAC-SHA256 of body, timestamp, base64 | signature key |
//! | [`slack`] | `X-Slack-Signature` | `v0=` HMAC-SHA256 of `v0:`, timestamp, `:`, body, hex | signing secret |
//! | `discord` | `X-Signature-Ed25519` | Ed25519 of timestamp, body, hex | public key |
//! | [`twilio_form`] | `X-Twilio-Signature` | HMAC-SHA1 of URL, sorted form fields, base64 | auth token |
//! | [`twilio_json`] | `X-Twilio-Signature` | HMAC-SHA1 of URL with the body's SHA-256 in its query, base64 | auth token |
//! | `sendgrid` | `X-Twilio-Email-Event-Webhook-Signature` | ECDSA P-256 of timestamp, body, base64 | public key |
//! | [`zoom`] | `x-zm-signature` | `v0=` HMAC-SHA256 of `v0:`, timestamp, `:`, body, hex | secret token |
//! | [`meta`] | `X-Hub-Signature-256` | `sha256=` HMAC-SHA256 of the body, hex | app secret |
//!
//! # Identities and retries
//!
//! What tells a sender's deliveries apart ([`IdentitySource`](crate::IdentitySource)), and how long it may send one again
//! ([`Scheme::retry_horizon`](crate::Scheme::retry_horizon)). Each function's page names the sources and what is inferred.
//! Where a sender documents no schedule, the horizon is 3 days.
//!
//! | sender | identity | retry horizon |
//! |---|---|---|
//! | `moduslink` | the body's digest | 25 min |
//! | `ewarehousing` | the body's digest | 10 h |
//! | `extend` | the body's `/Id` | 72 h |
//! | `fluent` | the body's `/id` | 24 h |
//! | `fluent-legacy-md5` | the body's `/id` | 24 h |
//! | `modern-dropship` | the body's `/_id` | 72 h |
//! | `standard-webhooks` | the signed header `webhook-id` | 76 h |
//! | `standard-webhooks-ed25519` | the signed header `webhook-id` | 76 h |
//! | `svix` | the signed header `svix-id` | 28 h |
//! | `bigcommerce` | the signed header `webhook-id` | 72 h |
//! | `shopify` | the body's digest | 4 h |
//! | `stripe` | the body's `/id` | 72 h |
//! | `square` | the body's `/event_id` | 72 h |
//! | `woocommerce` | the body's digest | 72 h |
//! | `paddle` | the body's `/event_id` | 72 h |
//! | `github` | the body's digest | 72 h |
//! | `gitlab-unsigned-token` | the body's digest | 72 h |
//! | `linear` | the body's `/webhookId`, `/type`, `/action`, `/data/id`, `/createdAt` | 7 h 1 min |
//! | `zendesk` | the body's `/zendesk_event_version`, `/account_id`, `/id` | 72 h |
//! | `hubspot-v3` | the body's digest | 24 h |
//! | `calendly` | the body's digest | 24 h |
//! | `box-primary` | the body's `/id` | 2 h |
//! | `box-secondary` | the body's `/id` | 2 h |
//! | `slack` | the body's `/event_id` | 72 h |
//! | `discord` | the body's `/id` | 10 min |
//! | `twilio-form` | the body's digest | 72 h |
//! | `twilio-json` | the body's digest | 72 h |
//! | `sendgrid` | the body's digest | 24 h |
//! | `zoom` | the body's digest | 1 h 25 min |
//! | `meta` | the body's digest | 168 h |
//!
//! Senders with a public key need the feature `public-key`; `fluent_legacy_md5` needs `legacy-md5`.
//!
//! Senders change what they send. [`Scheme::facts`](crate::Scheme::facts) says where a value's facts come from, when they
//! were last compared with that source, and which of them are inferred. [`Scheme::builder`](crate::Scheme::builder)
//! describes any other sender.
//!
//! Adyen's payment webhooks and Mailgun's are missing: their signatures are in the body and cover only some of its
//! fields.

mod base;
mod commerce;
mod fulfilment;
mod messaging;
mod named;
mod standard;
mod work;

#[cfg(feature = "legacy-md5")]
pub use self::fulfilment::fluent_legacy_md5;
pub use self::{
    commerce::{paddle, shopify, square, stripe, woocommerce},
    fulfilment::{ewarehousing, extend, modern_dropship, moduslink},
    messaging::{meta, slack, twilio_form, twilio_json, zoom},
    named::{named, names},
    standard::{bigcommerce, standard_webhooks, svix},
    work::{
        box_primary, box_secondary, calendly, github, gitlab_unsigned_token, hubspot_v3, linear, zendesk,
    },
};
#[cfg(feature = "public-key")]
pub use self::{
    fulfilment::fluent,
    messaging::{discord, sendgrid},
    standard::standard_webhooks_ed25519,
};
