//! What all clones of a [`Once`](crate::Once) and all its running handlers share.

use std::sync::Arc;

use crate::{call::AnyStore, claim::Tokens, settings::Settings};

pub(crate) struct Shared {
    pub(crate) store: Arc<dyn AnyStore>,
    pub(crate) settings: Settings,
    pub(crate) tokens: Tokens,
}
