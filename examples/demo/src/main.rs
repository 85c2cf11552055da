//! `cargo run -p demo`, or `cargo run -p demo -- actix`
//!
//! Starts two receivers on free ports, one that handles each delivery before it answers and one that stores it in an inbox first.
//! Sends them deliveries from five senders over HTTP and prints the answers. Exits with 1 if any answer is wrong.

mod client;
mod deliveries;
mod receivers;

use std::{
    error::Error,
    net::TcpListener,
    path::Path,
    process::ExitCode,
    sync::{
        Arc,
        mpsc::{self, Receiver},
    },
    thread,
    time::Duration,
};

use clap::Parser;
use client::Client;
use countersign_inbox::{Entry, Filter, SqliteInbox, State};
use receivers::{Framework, Reason, Receivers};

/// Sends valid and invalid deliveries from five senders to a receiver and prints the answers
#[derive(Parser)]
struct Arguments {
    /// The receiver's framework
    #[arg(value_enum, default_value_t = Framework::Axum)]
    framework: Framework,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let Arguments { framework } = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("inbox.db");
    let (handling, accepting) = (TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?);
    let (handler, inbox) = (handling.local_addr()?, accepting.local_addr()?);
    let reason = Reason::default();
    let (worker, handled) = mpsc::channel();
    let receivers =
        Receivers { handling, accepting, file: file.clone(), reason: Arc::clone(&reason), worker };

    let (failed, failure) = mpsc::channel();
    thread::spawn(move || failed.send(receivers.serve(framework)));
    let mut client = Client::new(reason);
    let sent = client.send_all(handler).and_then(|()| {
        let [first, retry] = deliveries::for_the_inbox()?;
        client
            .send(inbox, &first, || Ok(is_handled(&handled, Duration::from_secs(10)).then_some("worker")))?;
        client.send(inbox, &retry, || {
            let again = is_handled(&handled, Duration::from_millis(200));
            let one_row = matches!(rows(&file)?.as_slice(), [row] if row.state == State::Done);
            Ok((again || !one_row).then_some("again"))
        })
    });
    // The receivers should run until the program ends. If they failed earlier, their error explains the client's.
    if let Ok(Err(error)) = failure.try_recv() {
        return Err(error);
    }
    sent?;
    println!("{}", if client.all_right() { "every answer is correct" } else { "some answers are WRONG" });
    Ok(if client.all_right() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether the inbox's worker handles a delivery in time.
fn is_handled(handled: &Receiver<()>, patience: Duration) -> bool {
    handled.recv_timeout(patience).is_ok()
}

/// Everything in the inbox.
fn rows(file: &Path) -> Result<Vec<Entry>, Box<dyn Error>> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let inbox = SqliteInbox::open(file).await?.build().await?;
        Ok(inbox.list(&Filter::all(), 0, 10).await?)
    })
}
