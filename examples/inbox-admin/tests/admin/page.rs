//! The page, over HTTP.

use axum::{
    Router,
    body::Body,
    http::{Request, Response, StatusCode},
};
use countersign_inbox::State;
use http_body_util::BodyExt;
use inbox_admin::{AnyInbox, router};
use tower::ServiceExt;

use crate::desk::{Desk, HOSTILE};

const ADDRESS: &str = "127.0.0.1:8025";

fn app(desk: &Desk) -> Router {
    router(AnyInbox::Sqlite(desk.inbox.clone()), ADDRESS.parse().unwrap()).unwrap()
}

async fn get(app: &Router, host: &str, path: &str) -> Response<Body> {
    let request = Request::get(path).header("host", host).body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

async fn post(app: &Router, form: String) -> StatusCode {
    let request = Request::post("/mend").header("host", ADDRESS);
    let request =
        request.header("content-type", "application/x-www-form-urlencoded").body(Body::from(form)).unwrap();
    app.clone().oneshot(request).await.unwrap().status()
}

/// The token in a page's forms.
async fn token(app: &Router) -> String {
    let page = text(get(app, ADDRESS, "/deliveries/1").await).await;
    let (_, rest) = page.split_once("name=\"token\" value=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_a_sender_wrote_is_escaped_and_the_browser_may_run_nothing() {
    let desk = Desk::new().await;
    let app = app(&desk);
    for path in ["/", "/deliveries/1", "/?sender=%3Cscript%3E"] {
        let response = get(&app, ADDRESS, path).await;
        assert_eq!(response.status(), StatusCode::OK);
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("script-src"), "{policy}");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        let page = text(response).await;
        assert!(!page.contains("<script"), "{path}: {page}");
        assert!(!page.contains("<img"), "{path}: {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_downloaded_byte_by_byte_and_never_shown_as_a_page() {
    let desk = Desk::new().await;
    let response = get(&app(&desk), ADDRESS, "/deliveries/1/body").await;
    assert_eq!(response.headers()["content-type"], "application/octet-stream");
    assert_eq!(response.headers()["content-disposition"], "attachment");
    assert_eq!(text(response).await, HOSTILE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_another_host_is_refused() {
    let desk = Desk::new().await;
    let app = app(&desk);
    assert_eq!(get(&app, "localhost:8025", "/").await.status(), StatusCode::OK);
    for host in ["evil.example:8025", "127.0.0.1", "127.0.0.1:80", ""] {
        assert_eq!(get(&app, host, "/").await.status(), StatusCode::MISDIRECTED_REQUEST, "{host}");
    }
    let none = Request::get("/").body(Body::empty()).unwrap();
    assert_eq!(app.oneshot(none).await.unwrap().status(), StatusCode::MISDIRECTED_REQUEST);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_our_own_forms_change_anything() {
    let desk = Desk::new().await;
    let app = app(&desk);
    for form in ["token=&action=discard&id=1", "token=0123456789abcdef0123456789abcdef&action=discard&id=1"] {
        assert_eq!(post(&app, form.to_owned()).await, StatusCode::FORBIDDEN);
    }
    assert_eq!(
        get(&app, ADDRESS, "/mend?action=discard&id=1").await.status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
    assert_eq!(desk.state(1).await, State::Dead);
    let token = token(&app).await;
    assert_eq!(post(&app, format!("token={token}&action=discard&id=1")).await, StatusCode::SEE_OTHER);
    assert_eq!(desk.state(1).await, State::Discarded);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_retries_every_dead_letter_and_none_discards_all() {
    let desk = Desk::new().await;
    let app = app(&desk);
    let token = token(&app).await;
    assert_eq!(post(&app, format!("token={token}&action=discard")).await, StatusCode::BAD_REQUEST);
    assert_eq!(post(&app, format!("token={token}&action=retry")).await, StatusCode::SEE_OTHER);
    assert_eq!((desk.state(1).await, desk.state(2).await), (State::Pending, State::Pending));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_is_not_there_is_404() {
    let desk = Desk::new().await;
    for path in ["/deliveries/99", "/deliveries/99/body"] {
        assert_eq!(get(&app(&desk), ADDRESS, path).await.status(), StatusCode::NOT_FOUND);
    }
}
