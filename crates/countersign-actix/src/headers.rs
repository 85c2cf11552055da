use actix_web::dev::ServiceRequest;
use countersign::Headers;

/// A request's head as the core looks at it.
pub(crate) struct RequestHead<'r>(pub(crate) &'r ServiceRequest);

impl Headers for RequestHead<'_> {
    fn for_each_value<'h>(&'h self, name: &str, each: &mut dyn FnMut(&'h [u8])) {
        self.0.headers().get_all(name).for_each(|value| each(value.as_bytes()));
    }

    fn method(&self) -> Option<&str> {
        Some(self.0.method().as_str())
    }

    fn target(&self) -> Option<&str> {
        self.0.uri().path_and_query().map(actix_web::http::uri::PathAndQuery::as_str)
    }
}
