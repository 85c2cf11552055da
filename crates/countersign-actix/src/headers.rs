use actix_web::{
    HttpRequest,
    http::{
        header::HeaderName,
        uri::{Authority, PathAndQuery},
    },
};
use countersign::Headers;

/// A request's head, as the core reads it.
pub(crate) struct RequestHead<'r> {
    pub(crate) request: &'r HttpRequest,
    /// The names that are parsed already.
    pub(crate) names: &'r [HeaderName],
}

impl Headers for RequestHead<'_> {
    fn for_each_value<'h>(&'h self, name: &str, each: &mut dyn FnMut(&'h [u8])) {
        let values = match self.names.iter().find(|known| known.as_str() == name) {
            Some(known) => self.request.headers().get_all(known),
            None => self.request.headers().get_all(name),
        };
        values.for_each(|value| each(value.as_bytes()));
    }

    fn method(&self) -> Option<&str> {
        Some(self.request.method().as_str())
    }

    fn target(&self) -> Option<&str> {
        self.request.uri().path_and_query().map(PathAndQuery::as_str)
    }

    fn authority(&self) -> Option<&str> {
        self.request.uri().authority().map(Authority::as_str)
    }
}
