//! The page in a real browser.

use inbox_admin::{AnyInbox, router};
use test_servers::Chromium;
use tokio::net::TcpListener;

use crate::desk::{Desk, HOSTILE};

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_shows_a_hostile_delivery_and_runs_nothing_of_it() {
    let Some(browser) = Chromium::find() else { return };
    // The same bytes as a page do run, so this test can fail.
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    std::fs::write(&page, format!("<!DOCTYPE html><title>page</title><pre>{HOSTILE}")).unwrap();
    assert!(browser.document(&format!("file://{}", page.display())).contains("<title>EXECUTED</title>"));

    let desk = Desk::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = router(AnyInbox::Sqlite(desk.inbox.clone()), address).unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    for path in ["/", "/deliveries/1"] {
        let url = format!("http://{address}{path}");
        let document = tokio::task::block_in_place(|| browser.document(&url));
        assert!(document.contains("document.title="), "the hostile text is shown: {document}");
        assert!(!document.contains("EXECUTED"), "{document}");
    }
}
