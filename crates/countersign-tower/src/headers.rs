use countersign::{Headers, Verifier};
use http::{HeaderName, request::Parts};

/// A request's head as the core looks at it.
pub(crate) struct RequestHead<'r> {
    pub(crate) head: &'r Parts,
    pub(crate) names: &'r [HeaderName],
}

/// The names that every request is asked for, which are then not parsed for each.
pub(crate) fn names(verifier: &Verifier) -> Vec<HeaderName> {
    verifier.header_names().filter_map(|name| name.parse().ok()).collect()
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
        // What axum's `nest` has cut off is signed, too: a guard inside would take a signature for another path otherwise.
        #[cfg(feature = "axum")]
        let uri =
            self.head.extensions.get::<axum::extract::OriginalUri>().map_or(uri, |original| &original.0);
        uri.path_and_query().map(http::uri::PathAndQuery::as_str)
    }
}
