use axum::{Router, routing::get};
use http::header::CONTENT_TYPE;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Path, type and text. They are within the program, so that nothing is loaded from elsewhere.
const FILES: &[(&str, &str, &str)] = &[
    ("/", HTML, include_str!("web/index.html")),
    ("/style.css", CSS, include_str!("web/style.css")),
    ("/detail.css", CSS, include_str!("web/detail.css")),
    ("/main.js", SCRIPT, include_str!("web/main.js")),
    ("/api.js", SCRIPT, include_str!("web/api.js")),
    ("/body.js", SCRIPT, include_str!("web/body.js")),
    ("/detail.js", SCRIPT, include_str!("web/detail.js")),
    ("/dom.js", SCRIPT, include_str!("web/dom.js")),
    ("/edit.js", SCRIPT, include_str!("web/edit.js")),
    ("/hex.js", SCRIPT, include_str!("web/hex.js")),
    ("/keys.js", SCRIPT, include_str!("web/keys.js")),
    ("/list.js", SCRIPT, include_str!("web/list.js")),
    ("/tree.js", SCRIPT, include_str!("web/tree.js")),
];

pub(super) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    FILES.iter().fold(Router::new(), |router, (path, kind, text)| {
        router.route(path, get(async || ([(CONTENT_TYPE, *kind)], *text)))
    })
}
