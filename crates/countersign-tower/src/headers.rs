use countersign::Headers;
use http::{
    HeaderName,
    request::Parts,
    uri::{Authority, PathAndQuery},
};

/// A request's head, as the core reads it.
pub(crate) struct RequestHead<'r> {
    pub(crate) head: &'r Parts,
    /// The names that are parsed already.
    pub(crate) names: &'r [HeaderName],
}

impl Headers for RequestHead<'_> {
    fn for_each_value<'h>(&'h self, name: &str, each: &mut dyn FnMut(&'h [u8])) {
        let headers = &self.head.headers;
        let values = match self.names.iter().find(|known| known.as_str() == name) {
            Some(known) => headers.get_all(known),
            None => headers.get_all(name),
        };
        values.iter().for_each(|value| each(value.as_bytes()));
    }

    fn method(&self) -> Option<&str> {
        Some(self.head.method.as_str())
    }

    fn target(&self) -> Option<&str> {
        let uri = &self.head.uri;
        // The sender signed the path that axum's `nest` has shortened: without this, a guard inside `nest` would accept a
        // signature for another path.
        #[cfg(feature = "axum")]
        let uri =
            self.head.extensions.get::<axum::extract::OriginalUri>().map_or(uri, |original| &original.0);
        uri.path_and_query().map(PathAndQuery::as_str)
    }

    fn authority(&self) -> Option<&str> {
        self.head.uri.authority().map(Authority::as_str)
    }
}
