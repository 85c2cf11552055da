//! What a receiver emits while it does everything once.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::{Duration, SystemTime},
};

use axum::{Router, body::Body, http::Request};
use countersign::{Scheme, Secret, Signer, senders};
use countersign_inbox::{Delivery, Failure, SqliteInbox, sqlx::Sqlite};
use countersign_once::{MemoryStore, Once};
use metrics_exporter_prometheus::PrometheusHandle;
use operations::{Keys, operator, receiver, recorder, schemes};
use rusty_promql_parser::Expr;
use tower::ServiceExt;

use crate::queries::parse;

/// The labels of each metric, and the values of each label.
pub(crate) struct Emitted {
    pub(crate) labels: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    histograms: BTreeSet<String>,
}

impl Emitted {
    /// Runs the receiver of this example, without a network, and reads what Prometheus would.
    pub(crate) fn by_a_receiver() -> Self {
        let recorder = recorder().unwrap();
        let handle = recorder.handle();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let text = metrics::with_local_recorder(&recorder, || runtime.block_on(receive(handle)));
        Self::read(&text)
    }

    /// The metric of a series: that of `a_bucket` is the histogram `a`.
    pub(crate) fn metric<'m>(&self, series: &'m str) -> Option<&'m str> {
        let parts = ["_bucket", "_sum", "_count"].iter().filter_map(|part| series.strip_suffix(part));
        let histogram = parts.into_iter().find(|name| self.histograms.contains(*name));
        let is_metric = self.labels.contains_key(series) && !self.histograms.contains(series);
        histogram.or(is_metric.then_some(series))
    }

    fn read(text: &str) -> Self {
        let kinds = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
        let (mut labels, mut histograms) = (BTreeMap::new(), BTreeSet::new());
        for (name, kind) in kinds {
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{name}: {kind}");
            labels.insert(name.to_owned(), BTreeMap::new());
            if kind == "histogram" {
                histograms.insert(name.to_owned());
            }
        }
        let mut emitted = Self { labels, histograms };
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (series, _) = line.rsplit_once(' ').unwrap();
            let Expr::VectorSelector(series) = parse(series) else { panic!("{line}") };
            let name = emitted.metric(series.name.as_ref().unwrap()).unwrap().to_owned();
            let labels = emitted.labels.get_mut(&name).unwrap();
            for label in series.matchers.into_iter().filter(|label| label.name != "le") {
                labels.entry(label.name).or_default().insert(label.value);
            }
        }
        emitted
    }
}

async fn receive(handle: PrometheusHandle) -> String {
    let folder = tempfile::tempdir().unwrap();
    for file in ["moduslink", "moduslink-previous", "extend"] {
        fs::write(folder.path().join(file), secret_of(file)).unwrap();
    }
    let [moduslink, extend] = schemes().map(|scheme| Keys::follow(scheme, folder.path()).unwrap());
    let inbox = SqliteInbox::open(folder.path().join("inbox.db")).await.unwrap().build().await.unwrap();
    let once = Once::new(MemoryStore::default()).unwrap();
    let app = receiver(&moduslink, &extend, once, inbox.clone());
    let order = || signed(senders::moduslink(), secret_of("moduslink"), "/webhooks/moduslink");
    assert_eq!([status(&app, order()).await, status(&app, order()).await], [200, 200]);
    let stored = signed(senders::extend(), secret_of("extend"), "/webhooks/extend");
    assert_eq!(status(&app, stored).await, 200);
    let unsigned = Request::post("/webhooks/extend").body(Body::from("an order")).unwrap();
    assert_eq!(status(&app, unsigned).await, 401);
    let forged = signed(senders::extend(), secret_of("another sender"), "/webhooks/extend");
    assert_eq!(status(&app, forged).await, 401);

    let work = inbox.work(async |_: Delivery<Sqlite>| Ok::<_, Failure>(()));
    let is_done = async {
        while !handle.render().contains("countersign_inbox_done_seconds") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), work.run_until(is_done)).await.unwrap().unwrap();

    let verifiers = vec![moduslink.verifier.clone(), extend.verifier.clone()];
    let watched = operator(handle, verifiers);
    let keys = text(&watched, "/keys").await;
    assert!(keys.contains("moduslink current: matched 2 times, last at "), "{keys}");
    assert!(keys.contains("moduslink previous: matched 0 times, never; needed 0 times, never\n"), "{keys}");
    text(&watched, "/metrics").await
}

/// No placeholder: a verifier refuses those.
fn secret_of(sender: &str) -> String {
    format!("{sender}-9tWm4KzQ7cXv2LpR")
}

fn signed(scheme: Scheme, secret: String, path: &str) -> Request<Body> {
    let signer = Signer::new(scheme, [Secret::new(secret)]).unwrap();
    let headers = signer.headers(b"an order", SystemTime::now()).unwrap();
    let request =
        headers.into_iter().fold(Request::post(path), |request, (name, value)| request.header(name, value));
    request.body(Body::from("an order")).unwrap()
}

async fn status(app: &Router, request: Request<Body>) -> u16 {
    app.clone().oneshot(request).await.unwrap().status().as_u16()
}

async fn text(app: &Router, path: &str) -> String {
    let response = app.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}
