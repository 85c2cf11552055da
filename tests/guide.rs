//! The pages of the guide, whose code is compiled and run as documentation tests.

#[doc = include_str!("../docs/checks.md")]
mod checks {}

#[doc = include_str!("../docs/deploying.md")]
mod deploying {}

#[doc = include_str!("../docs/rotating-keys.md")]
mod rotating_keys {}

#[doc = include_str!("../docs/tenants.md")]
mod tenants {}

#[doc = include_str!("../docs/custom-senders.md")]
mod custom_senders {}

#[doc = include_str!("../docs/handling-once.md")]
mod handling_once {}

#[doc = include_str!("../docs/inbox.md")]
mod inbox {}

#[doc = include_str!("../docs/typed-events.md")]
mod typed_events {}

#[doc = include_str!("../docs/testing.md")]
mod testing {}

#[doc = include_str!("../docs/operating.md")]
mod operating {}

#[doc = include_str!("../docs/explaining.md")]
mod explaining {}

#[doc = include_str!("../docs/command-line.md")]
mod command_line {}

#[doc = include_str!("../docs/serve.md")]
mod serve {}

#[doc = include_str!("../docs/threat-model.md")]
mod threat_model {}

#[doc = include_str!("../docs/performance.md")]
mod performance {}
