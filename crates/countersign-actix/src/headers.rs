use actix_web::http::header::HeaderMap;
use countersign::Headers;

/// A request's headers, as the core looks at them.
pub(crate) struct RequestHeaders<'r>(pub(crate) &'r HeaderMap);

impl Headers for RequestHeaders<'_> {
    fn for_each_value<'h>(&'h self, name: &str, each: &mut dyn FnMut(&'h [u8])) {
        for value in self.0.get_all(name) {
            each(value.as_bytes());
        }
    }
}
