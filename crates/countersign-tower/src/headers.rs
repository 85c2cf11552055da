use countersign::Headers;
use http::request::Parts;

/// A request's head as the core looks at it.
pub(crate) struct RequestHead<'r>(pub(crate) &'r Parts);

impl Headers for RequestHead<'_> {
    fn for_each_value<'h>(&'h self, name: &str, each: &mut dyn FnMut(&'h [u8])) {
        self.0.headers.get_all(name).iter().for_each(|value| each(value.as_bytes()));
    }

    fn method(&self) -> Option<&str> {
        Some(self.0.method.as_str())
    }

    fn target(&self) -> Option<&str> {
        let uri = &self.0.uri;
        // What axum's `nest` has cut off is signed, too: a guard inside would take a signature for another path otherwise.
        #[cfg(feature = "axum")]
        let uri = self.0.extensions.get::<axum::extract::OriginalUri>().map_or(uri, |original| &original.0);
        uri.path_and_query().map(http::uri::PathAndQuery::as_str)
    }
}
