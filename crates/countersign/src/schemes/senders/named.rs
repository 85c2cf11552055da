//! The named senders, by their names in a configuration.

use super::{commerce, fulfilment, messaging, standard, work};
use crate::{error::BuildError, schemes::scheme::Scheme};

/// How to make a named sender's scheme.
#[derive(Clone, Copy)]
enum Named {
    Plain(fn() -> Scheme),
    /// The signature covers the address that the sender has on file.
    WithUrl(fn(String) -> Scheme),
    /// It needs this feature, which is disabled.
    #[cfg_attr(feature = "legacy-md5", expect(dead_code, reason = "every sender is compiled in"))]
    Needs(&'static str),
}

const NAMED: &[(&str, Named)] = &[
    ("moduslink", Named::Plain(fulfilment::moduslink)),
    ("ewarehousing", Named::Plain(fulfilment::ewarehousing)),
    ("extend", Named::Plain(fulfilment::extend)),
    #[cfg(feature = "public-key")]
    ("fluent", Named::Plain(fulfilment::fluent)),
    #[cfg(not(feature = "public-key"))]
    ("fluent", Named::Needs("public-key")),
    #[cfg(feature = "legacy-md5")]
    ("fluent-legacy-md5", Named::Plain(fulfilment::fluent_legacy_md5)),
    #[cfg(not(feature = "legacy-md5"))]
    ("fluent-legacy-md5", Named::Needs("legacy-md5")),
    ("modern-dropship", Named::Plain(fulfilment::modern_dropship)),
    ("standard-webhooks", Named::Plain(standard::standard_webhooks)),
    #[cfg(feature = "public-key")]
    ("standard-webhooks-ed25519", Named::Plain(standard::standard_webhooks_ed25519)),
    #[cfg(not(feature = "public-key"))]
    ("standard-webhooks-ed25519", Named::Needs("public-key")),
    ("svix", Named::Plain(standard::svix)),
    ("bigcommerce", Named::Plain(standard::bigcommerce)),
    ("shopify", Named::Plain(commerce::shopify)),
    ("stripe", Named::Plain(commerce::stripe)),
    ("square", Named::WithUrl(commerce::square)),
    ("woocommerce", Named::Plain(commerce::woocommerce)),
    ("paddle", Named::Plain(commerce::paddle)),
    ("github", Named::Plain(work::github)),
    ("gitlab-unsigned-token", Named::Plain(work::gitlab_unsigned_token)),
    ("linear", Named::Plain(work::linear)),
    ("zendesk", Named::Plain(work::zendesk)),
    ("hubspot-v3", Named::WithUrl(work::hubspot_v3)),
    ("calendly", Named::Plain(work::calendly)),
    ("box-primary", Named::Plain(work::box_primary)),
    ("box-secondary", Named::Plain(work::box_secondary)),
    ("slack", Named::Plain(messaging::slack)),
    #[cfg(feature = "public-key")]
    ("discord", Named::Plain(messaging::discord)),
    #[cfg(not(feature = "public-key"))]
    ("discord", Named::Needs("public-key")),
    ("twilio-form", Named::WithUrl(messaging::twilio_form)),
    ("twilio-json", Named::WithUrl(messaging::twilio_json)),
    #[cfg(feature = "public-key")]
    ("sendgrid", Named::Plain(messaging::sendgrid)),
    #[cfg(not(feature = "public-key"))]
    ("sendgrid", Named::Needs("public-key")),
    ("zoom", Named::Plain(messaging::zoom)),
    ("meta", Named::Plain(messaging::meta)),
];

/// The names of all senders, as [`named`] accepts them.
pub fn names() -> impl Iterator<Item = &'static str> {
    NAMED.iter().map(|(name, _)| *name)
}

/// The scheme of the sender with this name, such as `shopify`, for configurations.
///
/// `url` is your address as configured at the sender, for senders that sign it.
///
/// # Errors
/// [`BuildError::Scheme`] for an unknown name, a sender whose feature is disabled, a missing `url`, and a `url` that the
/// sender does not sign.
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
        (Some((_, Named::WithUrl(_))), None) => mistake(
            "url",
            "it is missing: give your address as configured at the sender, which signs it".to_owned(),
        ),
        (Some((_, Named::Needs(feature))), _) => {
            mistake("sender", format!("it needs the feature `{feature}`"))
        }
        (None, _) => mistake(
            "sender",
            format!("unknown sender: use one of {}", names().collect::<Vec<_>>().join(", ")),
        ),
    }
}
