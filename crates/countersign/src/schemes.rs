//! Schemes: what senders put on the wire, as data.

pub(crate) mod identity_source;
pub(crate) mod list;
pub(crate) mod part;

pub(crate) mod scheme;

pub(crate) mod content;

pub(crate) mod builder;
pub mod senders;
