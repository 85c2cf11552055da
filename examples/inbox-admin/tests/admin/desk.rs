use std::{path::PathBuf, time::SystemTime};

use countersign::{Secret, Signer, VerifiedDelivery, Verifier, senders};
use countersign_inbox::{Delivery, Failure, Filter, SqliteInbox, State};
use tempfile::TempDir;

/// Runs as a script wherever a page forgets to escape, and draws on a terminal that it is written to.
pub(crate) const HOSTILE: &str = "</pre><script>document.title='EXE'+'CUTED'</script><img src=x onerror=\"document.title='EXE'+'CUTED'\">\u{1b}[2J";

/// An inbox that holds one dead delivery with a hostile body, whose handler repeated it in its error, and one pending one.
pub(crate) struct Desk {
    pub(crate) inbox: SqliteInbox,
    folder: TempDir,
}

impl Desk {
    pub(crate) async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let inbox = SqliteInbox::open(folder.path().join("inbox.db")).await.unwrap();
        let inbox = inbox.keep_headers(["x-note"]).build().await.unwrap();
        let desk = Self { inbox, folder };
        desk.accept(HOSTILE).await;
        desk.work(|delivery| Err(Failure::permanent(String::from_utf8_lossy(delivery.body()).into_owned())))
            .await;
        desk.accept("a pending one").await;
        desk
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("inbox.db")
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite:{}", self.file().display())
    }

    pub(crate) async fn accept(&self, body: &str) {
        self.inbox.accept(&delivery(body), &[("X-Note", HOSTILE)]).await.unwrap();
    }

    /// Handles what is pending, once.
    pub(crate) async fn work(
        &self,
        handler: fn(Delivery<countersign_inbox::sqlx::Sqlite>) -> Result<(), Failure>,
    ) {
        let inbox = self.inbox.clone();
        let idle = async {
            let unfinished = [State::Pending, State::Running].into_iter().fold(Filter::all(), Filter::state);
            while !inbox.list(&unfinished, 0, 1).await.unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        self.inbox.work(move |delivery| async move { handler(delivery) }).run_until(idle).await.unwrap();
    }

    pub(crate) async fn state(&self, id: i64) -> State {
        self.inbox.show(id).await.unwrap().unwrap().entry.state
    }
}

fn delivery(body: &str) -> VerifiedDelivery {
    let signer = Signer::new(senders::moduslink(), [Secret::new("test")]).unwrap();
    let headers = signer.headers(body.as_bytes(), SystemTime::now()).unwrap();
    let verifier = Verifier::builder(senders::moduslink())
        .secret("key", Secret::new("test").dangerously_accept_placeholder())
        .build()
        .unwrap();
    let mut verification = verifier.begin_buffered(&headers, SystemTime::now()).unwrap();
    verification.update(body.to_owned().into()).unwrap();
    verification.finish().unwrap()
}
