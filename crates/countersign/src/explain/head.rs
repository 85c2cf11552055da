//! A head whose target can be replaced.

use crate::wire::headers::Headers;

pub(crate) struct Head<'h, H: ?Sized> {
    pub(crate) headers: &'h H,
    /// `None` for the target that arrived.
    pub(crate) target: Option<String>,
}

impl<H: Headers + ?Sized> Headers for Head<'_, H> {
    fn for_each_value<'h>(&'h self, name: &str, each: &mut dyn FnMut(&'h [u8])) {
        self.headers.for_each_value(name, each);
    }

    fn method(&self) -> Option<&str> {
        self.headers.method()
    }

    fn target(&self) -> Option<&str> {
        self.target.as_deref().or_else(|| self.headers.target())
    }
}
