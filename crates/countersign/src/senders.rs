//! The named senders: each is a [`Scheme`] value with the source of its facts.
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
//! Those with a public key need the feature `public-key`, and `fluent_legacy_md5` the feature `legacy-md5`.
//!
//! Senders change what they send. [`Scheme::facts`] says where a value's facts come from, on which day they
//! were last compared with that source, and what of them is inferred. [`Scheme::builder`] states any other sender.
//!
//! Left out, since a header and the parts around a body do not state them: Adyen's payment webhooks and Mailgun's, whose
//! signatures are in the body and cover some of its fields only.

mod commerce;
mod fulfilment;
mod messaging;
mod standard;
mod work;

use std::{borrow::Cow, time::Duration};

#[cfg(feature = "legacy-md5")]
pub use self::fulfilment::fluent_legacy_md5;
pub use self::{
    commerce::{paddle, shopify, square, stripe, woocommerce},
    fulfilment::{ewarehousing, extend, modern_dropship, moduslink},
    messaging::{meta, slack, twilio_form, twilio_json, zoom},
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
use crate::{
    algorithm::Algorithm,
    error::BuildError,
    scheme::{Encoding, Facts, Scheme},
    timestamp::Tolerance,
};

/// How a named sender's scheme is made.
#[derive(Clone, Copy)]
enum Named {
    Plain(fn() -> Scheme),
    /// Its signature covers the address that the sender has on file.
    WithUrl(fn(String) -> Scheme),
    /// It is not compiled in.
    #[cfg_attr(feature = "legacy-md5", expect(dead_code, reason = "every feature is on"))]
    Needs(&'static str),
}

#[cfg(feature = "public-key")]
macro_rules! public_key {
    ($sender:ident) => {
        Named::Plain($sender)
    };
}
#[cfg(not(feature = "public-key"))]
macro_rules! public_key {
    ($sender:ident) => {
        Named::Needs("public-key")
    };
}

const NAMED: &[(&str, Named)] = &[
    ("moduslink", Named::Plain(moduslink)),
    ("ewarehousing", Named::Plain(ewarehousing)),
    ("extend", Named::Plain(extend)),
    ("fluent", public_key!(fluent)),
    #[cfg(feature = "legacy-md5")]
    ("fluent-legacy-md5", Named::Plain(fluent_legacy_md5)),
    #[cfg(not(feature = "legacy-md5"))]
    ("fluent-legacy-md5", Named::Needs("legacy-md5")),
    ("modern-dropship", Named::Plain(modern_dropship)),
    ("standard-webhooks", Named::Plain(standard_webhooks)),
    ("standard-webhooks-ed25519", public_key!(standard_webhooks_ed25519)),
    ("svix", Named::Plain(svix)),
    ("bigcommerce", Named::Plain(bigcommerce)),
    ("shopify", Named::Plain(shopify)),
    ("stripe", Named::Plain(stripe)),
    ("square", Named::WithUrl(square)),
    ("woocommerce", Named::Plain(woocommerce)),
    ("paddle", Named::Plain(paddle)),
    ("github", Named::Plain(github)),
    ("gitlab-unsigned-token", Named::Plain(gitlab_unsigned_token)),
    ("linear", Named::Plain(linear)),
    ("zendesk", Named::Plain(zendesk)),
    ("hubspot-v3", Named::WithUrl(hubspot_v3)),
    ("calendly", Named::Plain(calendly)),
    ("box-primary", Named::Plain(box_primary)),
    ("box-secondary", Named::Plain(box_secondary)),
    ("slack", Named::Plain(slack)),
    ("discord", public_key!(discord)),
    ("twilio-form", Named::WithUrl(twilio_form)),
    ("twilio-json", Named::WithUrl(twilio_json)),
    ("sendgrid", public_key!(sendgrid)),
    ("zoom", Named::Plain(zoom)),
    ("meta", Named::Plain(meta)),
];

/// The names of all senders, as [`named`] takes them.
pub fn names() -> impl Iterator<Item = &'static str> {
    NAMED.iter().map(|(name, _)| *name)
}

/// The sender of this name, `shopify`, for a name that comes from a configuration; `url` is the address that the sender has
/// on file, for those that sign it.
///
/// # Errors
/// [`BuildError::Scheme`] for a name that is none of [`names`], for a sender whose feature is not on, for a `url` that is
/// missing, and for one that the sender does not sign.
pub fn named(name: &str, url: Option<&str>) -> Result<Scheme, BuildError> {
    let mistake = |field, mistake: String| {
        Err(BuildError::Scheme { scheme: name.to_owned(), field, mistake: mistake.into() })
    };
    match (NAMED.iter().find(|(known, _)| *known == name), url) {
        (Some((_, Named::Plain(scheme))), None) => Ok(scheme()),
        (Some((_, Named::Plain(_))), Some(_)) => {
            mistake("url", "the sender does not sign it: remove it".to_owned())
        }
        (Some((_, Named::WithUrl(scheme))), Some(url)) => Ok(scheme(url.to_owned())),
        (Some((_, Named::WithUrl(_))), None) => {
            mistake("url", "it is missing: the sender signs the address that it has on file".to_owned())
        }
        (Some((_, Named::Needs(feature))), _) => {
            mistake("sender", format!("it needs the feature `{feature}`"))
        }
        (None, _) => mistake(
            "sender",
            format!("there is none of this name: use one of {}", names().collect::<Vec<_>>().join(", ")),
        ),
    }
}

/// A scheme with one signature of the body alone, to be changed where a sender does more.
fn signed(
    name: &'static str,
    header: &'static str,
    algorithm: Algorithm,
    encoding: Encoding,
    facts: Facts,
) -> Scheme {
    let plain = Scheme::plain(Cow::Borrowed(name), Cow::Borrowed(header), algorithm, encoding);
    Scheme { facts: Some(facts), ..plain }
}

/// Facts that are all stated on one page.
const fn stated(source: &'static str) -> Facts {
    Facts { source, checked: "2026-11-21", inferred: &[] }
}

const fn within(seconds: u64) -> Tolerance {
    Tolerance::within(Duration::from_secs(seconds))
}

const FIVE_MINUTES: Tolerance = within(300);

const TOLERANCE_IS_OURS: &str = "the tolerance: the sender documents none";
