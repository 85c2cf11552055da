//! `cargo run -p demo`
//!
//! Starts the receiver on a free port, sends it deliveries from each of the five senders over HTTP, and prints
//! what came back. Exits with 1 if any answer is not the one that it should be.

mod deliveries;

use std::{
    error::Error,
    net::SocketAddr,
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
};

use deliveries::Delivery;
use tokio::{net::TcpListener, task};

/// What the receiver told its operator of the latest rejection.
type Reason = Arc<Mutex<Option<&'static str>>>;

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
    let reason = Reason::default();
    let heard = Arc::clone(&reason);
    let app = axum_receiver::router(receiver_setup::demo_endpoints()?, move |rejection| {
        *heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(rejection.kind().as_str());
    });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    task::spawn(async { axum::serve(listener, app).await });

    task::spawn_blocking(move || send_all(address, &reason)).await?
}

fn send_all(address: SocketAddr, reason: &Reason) -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
    let client: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut wrong = 0_u32;
    println!("{:<16} {:<36} {:>6}  what the operator is told", "sender", "case", "status");
    for delivery in deliveries::all()? {
        let Delivery { sender, case, headers, body, status } = delivery;
        let mut request = client.post(format!("http://{address}/webhooks/{sender}"));
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        let response = request.send(&body)?;
        let told = reason.lock().unwrap_or_else(PoisonError::into_inner).take();
        let verdict = if response.status() == status { "" } else { "  <-- WRONG" };
        wrong = wrong.saturating_add(u32::from(response.status() != status));
        println!(
            "{sender:<16} {case:<36} {:>6}  {}{verdict}",
            response.status().as_u16(),
            told.unwrap_or("-")
        );
    }
    println!("{}", if wrong == 0 { "every answer is as it should be" } else { "some answers are WRONG" });
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
