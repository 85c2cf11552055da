use std::{
    future::Future,
    pin::pin,
    task::{Context, Waker},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use countersign_once::Once;
use http_body_util::BodyExt;
use order_desk::{Order, Orders};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::sender::{SENDERS, Sender, sender};

/// A desk with an empty database.
struct Desk {
    app: Router,
    orders: Orders,
    _folder: TempDir,
}

impl Desk {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let orders = Orders::open(&folder.path().join("orders.db")).await.unwrap();
        let once = Once::new(orders.store().clone()).unwrap();
        let endpoints = receiver_setup::demo_endpoints().unwrap();
        let app = order_desk::router(orders.clone(), once, endpoints).unwrap();
        Self { app, orders, _folder: folder }
    }

    async fn deliver(&self, sender: &Sender, body: &str) -> StatusCode {
        let mut request = Request::post(format!("/webhooks/{}", sender.name));
        for (name, value) in sender.headers(body) {
            request = request.header(name, value);
        }
        self.app.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap().status()
    }

    async fn page(&self) -> String {
        let response =
            self.app.clone().oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    /// Sender, id, last event and number of changes of each order.
    async fn orders(&self) -> Vec<(String, String, String, i64)> {
        let row = |order: Order| (order.sender, order.id, order.last_event, order.changes);
        self.orders.all().await.unwrap().into_iter().map(row).collect()
    }

    async fn execute(&self, statement: &'static str) {
        sqlx::query(statement).execute(self.orders.store().pool()).await.unwrap();
    }

    async fn remembered(&self) -> i64 {
        let count = "SELECT count(*) FROM countersign_once WHERE done";
        sqlx::query_scalar(count).fetch_one(self.orders.store().pool()).await.unwrap()
    }
}

fn row(sender: &Sender, changes: i64) -> (String, String, String, i64) {
    (sender.name.to_owned(), sender.order.to_owned(), sender.event.to_owned(), changes)
}

#[tokio::test]
async fn each_senders_delivery_is_one_order_and_its_retry_changes_nothing() {
    for sender in SENDERS {
        let desk = Desk::new().await;
        for body in [sender.body, sender.retry, sender.body] {
            assert_eq!(desk.deliver(sender, body).await, StatusCode::OK, "{}", sender.name);
            assert_eq!(desk.orders().await, [row(sender, 1)]);
        }
    }
}

#[tokio::test]
async fn another_event_of_an_order_is_a_change_of_it() {
    let (desk, moduslink) = (Desk::new().await, sender("moduslink"));
    assert_eq!(desk.deliver(moduslink, moduslink.body).await, StatusCode::OK);
    let shipped = r#"{"eventType":"Orders.Shipped","eventObjectId":"42000631","eventObjectName":"orders"}"#;
    assert_eq!(desk.deliver(moduslink, shipped).await, StatusCode::OK);
    let text = |text: &str| text.to_owned();
    assert_eq!(desk.orders().await, [(text("moduslink"), text("42000631"), text("Orders.Shipped"), 2)]);
}

#[tokio::test]
async fn several_notifications_of_one_delivery_are_recorded_together_or_not_at_all() {
    let (desk, extend) = (Desk::new().await, sender("extend"));
    let body = r#"{"Id":"1","Notifications":[{"Action":"OrderPicked","Details":{"OrderId":7}},{"Action":"BalanceChanged"},{"Action":"OrderCancelled","Details":{"OrderId":"8"}}]}"#;
    desk.execute("CREATE TRIGGER refuse BEFORE INSERT ON orders WHEN NEW.id = '8' BEGIN SELECT RAISE(ABORT, 'refused'); END").await;
    assert_eq!(desk.deliver(extend, body).await, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!((desk.orders().await, desk.remembered().await), (vec![], 0));
    desk.execute("DROP TRIGGER refuse").await;
    assert_eq!(desk.deliver(extend, body).await, StatusCode::OK);
    assert_eq!((desk.orders().await.len(), desk.remembered().await), (2, 1));
}

#[tokio::test]
async fn a_failed_handler_answers_500_records_nothing_and_its_retry_is_handled() {
    for sender in SENDERS {
        let desk = Desk::new().await;
        desk.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON orders BEGIN SELECT RAISE(ABORT, 'refused'); END",
        )
        .await;
        assert_eq!(desk.deliver(sender, sender.body).await, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!((desk.orders().await, desk.remembered().await), (vec![], 0), "{}", sender.name);
        desk.execute("DROP TRIGGER refuse").await;
        assert_eq!(desk.deliver(sender, sender.retry).await, StatusCode::OK);
        assert_eq!((desk.orders().await, desk.remembered().await), (vec![row(sender, 1)], 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_dropped_at_any_await_keeps_no_other_from_the_database() {
    let (desk, moduslink) = (Desk::new().await, sender("moduslink"));
    let body = |event: &str| {
        format!(r#"{{"eventType":"Orders.{event}","eventObjectId":"1","eventObjectName":"orders"}}"#)
    };
    for polls in 0_usize.. {
        let ended = {
            let dropped = body(&format!("Dropped{polls}"));
            let mut request = pin!(desk.deliver(moduslink, &dropped));
            let mut cx = Context::from_waker(Waker::noop());
            let mut ended = false;
            for _ in 0..polls {
                ended = ended || request.as_mut().poll(&mut cx).is_ready();
                // What the database does goes on in between.
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            ended
        };
        assert_eq!(desk.deliver(moduslink, &body(&format!("Next{polls}"))).await, StatusCode::OK, "{polls}");
        if ended {
            break;
        }
    }
}

#[tokio::test]
async fn a_closed_database_refuses_deliveries_and_the_page() {
    let (desk, moduslink) = (Desk::new().await, sender("moduslink"));
    desk.orders.store().pool().close().await;
    assert_eq!(desk.deliver(moduslink, moduslink.body).await, StatusCode::SERVICE_UNAVAILABLE);
    let page = desk.app.clone().oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(page.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn events_about_something_else_are_answered_and_change_no_order() {
    let desk = Desk::new().await;
    for (name, body) in [
        ("moduslink", r#"{"eventType":"Rmas.Created","eventObjectId":"1","eventObjectName":"rmas"}"#),
        ("modern-dropship", r#"{"_id":"1","type":"product.selected"}"#),
        ("fluent", r#"{"id":"1","name":"Stock","entityType":"INVENTORY","entityRef":"1"}"#),
        ("ewarehousing", r#"{"group":"stock","action":"updated","entityId":"1"}"#),
        ("extend", r#"{"Id":"1","Notifications":[{"Action":"BalanceChanged"}]}"#),
    ] {
        assert_eq!(desk.deliver(sender(name), body).await, StatusCode::OK, "{name}");
    }
    assert_eq!((desk.orders().await, desk.remembered().await), (vec![], 5));
}

#[tokio::test]
async fn events_that_name_no_order_are_422() {
    let desk = Desk::new().await;
    for (name, body) in [
        ("moduslink", r#"{"eventType":"Orders.Created"}"#),
        ("modern-dropship", r#"{"_id":"1","type":"order.fulfilled","data":{"_id":null}}"#),
        ("fluent", r#"{"id":"1","name":"OrderShipped","entityType":"ORDER"}"#),
        ("ewarehousing", r#"{"group":"order","action":"shipped"}"#),
        ("extend", r#"{"Id":"1","Notifications":[{"Action":"OrderPicked"}]}"#),
    ] {
        assert_eq!(desk.deliver(sender(name), body).await, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
    }
    assert_eq!((desk.orders().await, desk.remembered().await), (vec![], 0));
}

#[tokio::test]
async fn unsigned_deliveries_are_401() {
    let desk = Desk::new().await;
    for sender in SENDERS {
        let request =
            Request::post(format!("/webhooks/{}", sender.name)).body(Body::from(sender.body)).unwrap();
        let status = desk.app.clone().oneshot(request).await.unwrap().status();
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{}", sender.name);
    }
    assert_eq!(desk.orders().await, []);
}

#[tokio::test]
async fn hostile_text_is_escaped_on_the_page_and_in_the_list() {
    let (desk, moduslink) = (Desk::new().await, sender("moduslink"));
    assert!(desk.page().await.contains("No orders yet."));
    let body = r#"{"eventType":"<script>alert(1)</script>\u001b[2J","eventObjectId":"\"'><img src=x onerror=alert(1)>&amp;","eventObjectName":"orders"}"#;
    assert_eq!(desk.deliver(moduslink, body).await, StatusCode::OK);
    let page = desk.page().await;
    assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{page}");
    assert!(page.contains("&quot;'&gt;&lt;img src=x onerror=alert(1)&gt;&amp;amp;"), "{page}");
    let line = desk.orders.all().await.unwrap()[0].to_string();
    assert!(line.contains(r"\u{1b}[2J") && !line.contains('\x1b'), "{line}");
}
