//! The guide: one page a subject.
//!
//! | page | subject |
//! |---|---|
//! | [`checks`] | the checks, in order; what the caller sees; what a verified delivery proves |
//! | [`deploying`] | layers, timeouts, limits and budgets, lingering, proxies, probes |
//! | [`rotating_keys`] | replacing a key without downtime; where keys come from |
//! | [`tenants`] | a key for each tenant, looked up by the request, cached and revoked live |
//! | [`custom_senders`] | schemes of your own, in code or in a file; several senders at one address |
//! | [`handling_once`] | duplicates and replays: each delivery handled once, and effects in one transaction with the memory of it |
//! | [`inbox`] | store durably, answer at once, work later; dead letters, order, sizing |
//! | [`typed_events`] | bodies as types, from a verified delivery only |
//! | [`testing`] | being the sender in your own tests, and by hand |
//! | [`operating`] | log events, alarms, and every reason for a rejection |
//! | [`explaining`] | why a delivery is rejected, found by undoing what goes wrong in practice |
//! | [`command_line`] | the program `countersign`: send, sign, verify and explain by hand |
//! | [`serve`] | `countersign serve`: the guard as a reverse proxy in front of a service in any language |
//! | [`threat_model`] | what is protected, from whom, and what is not covered |
//! | [`performance`] | what a guard costs |
//!
//! This module exists in the documentation only.

// `links.md` comes first because the first definition of a link wins: here, links between pages lead to modules, not files.

#[doc = include_str!("guide/links.md")]
#[doc = include_str!("../docs/checks.md")]
pub mod checks {}

#[doc = include_str!("guide/links.md")]
#[doc = include_str!("../docs/deploying.md")]
pub mod deploying {}

#[doc = include_str!("guide/links.md")]
#[doc = include_str!("../docs/rotating-keys.md")]
pub mod rotating_keys {}

#[doc = include_str!("guide/links.md")]
#[doc = include_str!("../docs/tenants.md")]
pub mod tenants {}

#[doc = include_str!("guide/links.md")]
#[doc = include_str!("../docs/custom-senders.md")]
pub mod custom_senders {}

#[doc = include_str!("guide/links.md")]
#[doc = include_str!("../docs/handling-once.md")]
pub mod handling_once {}

#[doc = include_str!("guide/links.md")]
#[doc = include_str!("../docs/inbox.md")]
pub mod inbox {}

#[doc = include_str!("guide/links.md")]
#[doc = include_str!("../docs/typed-events.md")]
pub mod typed_events {}

#[doc = include_str!("guide/links.md")]
#[doc = include_str!("../docs/testing.md")]
pub mod testing {}

#[doc = include_str!("guide/links.md")]
#[doc = include_str!("../docs/operating.md")]
pub mod operating {}

#[doc = include_str!("guide/links.md")]
#[doc = include_str!("../docs/explaining.md")]
pub mod explaining {}

#[doc = include_str!("guide/links.md")]
#[doc = include_str!("../docs/command-line.md")]
pub mod command_line {}

#[doc = include_str!("guide/links.md")]
#[doc = include_str!("../docs/serve.md")]
pub mod serve {}

#[doc = include_str!("guide/links.md")]
#[doc = include_str!("../docs/threat-model.md")]
pub mod threat_model {}

#[doc = include_str!("guide/links.md")]
#[doc = include_str!("../docs/performance.md")]
pub mod performance {}
