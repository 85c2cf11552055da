//! What a verdict may tell about a sender.

use crate::{keys::key::KeyId, schemes::scheme::Scheme, verdicts::tenancy::Tenancy};

/// A sender's scheme, key ids and body limit. None of it is secret.
#[derive(Clone)]
pub(crate) struct Profile {
    pub(crate) scheme: Scheme,
    /// In the order in which the keys were set up.
    pub(crate) keys: Vec<KeyId>,
    pub(crate) body_limit: usize,
    pub(crate) tenancy: Tenancy,
}
