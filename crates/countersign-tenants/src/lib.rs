//! A webhook key for each tenant of a service that receives for many.
//!
//! A guard with [`Tenants`] in place of a verifier looks the verifier up for each request, by its path, a header or the host. What
//! it looks up is cached, and a tenant is added or revoked while the service runs.
//!
//! ```
//! use std::{collections::HashMap, sync::Arc};
//! use countersign::{BuildError, Secret, Verifier, senders};
//! use countersign_tenants::{NameFrom, Tenants};
//!
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! // In place of a database: the secret of each shop.
//! let secrets = HashMap::from([("shop-7".to_owned(), "a secret of shop 7".to_owned())]);
//!
//! let resolver = move |tenant: Arc<str>| {
//!     let secret = secrets.get(&*tenant).cloned();
//!     async move {
//!         let Some(secret) = secret else { return Ok(None) };
//!         let builder = Verifier::builder(senders::shopify()).secret("current", Secret::new(secret));
//!         Ok::<_, BuildError>(Some(builder.build()?))
//!     }
//! };
//! // Checks the deliveries to unknown shops, so that these look like deliveries with a wrong signature. It accepts none.
//! let stand_in = Verifier::builder(senders::shopify()).secret("none", Secret::new("fits no shop's deliveries")).build()?;
//!
//! let tenants = Tenants::builder(NameFrom::path("/webhooks/{tenant}"), resolver, stand_in).build()?;
//! // A guard takes it in place of a verifier: `VerifyWebhookLayer::new(tenants.clone())`.
//!
//! // After shop 7 was revoked or its secret changed: the next request looks it up.
//! tenants.invalidate("shop-7");
//! # Ok(())
//! # }
//! # example().unwrap();
//! ```
//!
//! # What is promised
//!
//! - **A delivery passes only with a key of the tenant that it names.** The handler learns the tenant from the verdict
//!   ([`Verified::tenant`](countersign::Verified::tenant)), never from the request.
//! - **Nothing of the body is read** before there is a verifier. The guard's body limit, budget, timeout and lingering are as ever.
//! - **Unknown tenants look like wrong signatures.** Their deliveries go through every check, with the stand-in's keys, and get the same
//!   401 at the same point. [What a caller can learn](#what-a-caller-can-learn) is time.
//! - **One lookup at a time for each tenant**, however many requests wait for it. It runs in a task of its own: a client that goes away
//!   cancels nothing. At most [`concurrent_lookups`](TenantsBuilder::concurrent_lookups) run together.
//! - **No verdict without an answer.** If the resolver fails, panics or takes longer than
//!   [`lookup_timeout`](TenantsBuilder::lookup_timeout), the request gets a 503 with `Retry-After`, and the log the cause at `ERROR`. For
//!   [`failure_ttl`](TenantsBuilder::failure_ttl), this tenant's requests get the same without another lookup.
//! - **Memory is bounded.** Names are short, tenants and unknown names are counted apart, and no made-up name pushes a tenant out
//!   of the cache.
//! - **Revoked is revoked.** [`Tenants::invalidate`] takes effect before it returns; a lookup under way at that moment does not bring
//!   the old keys back. Without it, a change takes at most [`ttl`](TenantsBuilder::ttl) and the time of one lookup.
//! - **Tenants share no identities.** A delivery to one shop is never taken for a duplicate of another's, with handle-once or in an
//!   inbox, even if both have the same id, bytes and key: the tenant's name is a part of the [identity](countersign::Identity).
//!
//! # What is not
//!
//! - A request whose head has passed ends with the keys that it began with, within the guard's body timeout.
//! - A cached tenant outlives a failure of the resolver for as long as `ttl`, and no longer: keys that cannot be confirmed are not used.
//! - Each process has a cache of its own, and `invalidate` reaches no other.
//! - A resolver that blocks its thread cannot be interrupted. The requests get their 503, and its place among the lookups stays taken.
//! - A tenant's name is a part of identities, so a renamed tenant's retries are new deliveries.
//!
//! # What a caller can learn
//!
//! Status, headers and the moment of the answer relative to the body are the same for an unknown tenant and a wrong
//! signature. Time is not: the first request of a name waits for the resolver, whose answer may take longer for tenants that exist, and a
//! name that was asked for recently is answered without. A stand-in whose scheme or body limit differs from the tenants' shows, too. If
//! nobody may learn who your tenants are, give them long random names.
//!
//! # Lookups need Tokio
//!
//! They run on the runtime that polls the guard, with timers enabled. Without a runtime, a tenant that is not cached gets a 503.
//!
//! # Features
//!
//! | feature | default | effect |
//! |---|---|---|
//! | `tracing` | yes | an `ERROR` event for each lookup that fails, a `DEBUG` event for each tenant that there is not |
//! | `metrics` | no | times the lookups: see the module `metrics` |

mod builder;
mod cache;
mod error;
mod failure;
mod log;
#[cfg(feature = "metrics")]
pub mod metrics;
mod name_from;
mod resolve;
mod settings;
mod tenants;

pub use builder::TenantsBuilder;
pub use cache::Cached;
pub use error::BuildError;
pub use name_from::NameFrom;
pub use resolve::{ResolveError, ResolveTenant};
pub use tenants::Tenants;
