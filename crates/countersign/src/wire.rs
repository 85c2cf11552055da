//! Wire facts: texts and bytes, without policy.

pub(crate) mod encoding;
pub(crate) mod form;
pub(crate) mod headers;
pub(crate) mod timestamp;
