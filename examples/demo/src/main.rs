//! `cargo run -p demo`, or `cargo run -p demo -- actix`
//!
//! Starts a receiver on a free port, sends it deliveries from each of five senders over HTTP, and prints the
//! answers. Exits with 1 if any answer is wrong.

mod deliveries;

use std::{
    error::Error,
    io,
    net::{SocketAddr, TcpListener},
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

use clap::{Parser, ValueEnum};
use countersign::Rejection;
use deliveries::Delivery;

/// The reason for the latest rejection, as the receiver's operator sees it.
type Reason = Arc<Mutex<Option<&'static str>>>;

/// Sends valid and invalid deliveries from five senders to a receiver and prints the answers
#[derive(Parser)]
struct Arguments {
    /// The receiver's framework
    #[arg(value_enum, default_value_t = Framework::Axum)]
    framework: Framework,
}

#[derive(Clone, Copy, ValueEnum)]
enum Framework {
    Axum,
    Actix,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let Arguments { framework } = Arguments::parse();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let endpoints = receiver_setup::demo_endpoints()?;
    let once = receiver_setup::once_in_memory()?;
    let reason = Reason::default();
    let heard = Arc::clone(&reason);
    let on_reject = move |rejection: &Rejection| {
        *heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(rejection.kind().as_str());
    };

    let (failed, failure) = mpsc::channel();
    thread::spawn(move || {
        let served = match framework {
            Framework::Axum => serve_axum(listener, axum_receiver::router(endpoints, once, on_reject)),
            Framework::Actix => actix_web::rt::System::new()
                .block_on(async { actix_receiver::serve(listener, endpoints, once, on_reject)?.await }),
        };
        failed.send(served)
    });
    let outcome = send_all(address, &reason);
    // The receiver should run until the program ends. If it failed earlier, its error explains the client's.
    match failure.try_recv() {
        Ok(Err(error)) => Err(error.into()),
        Ok(Ok(())) | Err(_) => outcome,
    }
}

fn serve_axum(listener: TcpListener, app: axum::Router) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    tokio::runtime::Runtime::new()?
        .block_on(async { axum::serve(tokio::net::TcpListener::from_std(listener)?, app).await })
}

fn send_all(address: SocketAddr, reason: &Reason) -> Result<ExitCode, Box<dyn Error>> {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None) // the receiver is local, so ignore proxies from the environment
        .timeout_global(Some(Duration::from_secs(30)));
    let client: ureq::Agent = config.build().into();
    let mut wrong = 0_u32;
    println!(
        "{:<16} {:<31} {:>6}  {:<7}  reason shown to the operator",
        "sender", "case", "status", "handler"
    );
    for delivery in deliveries::all()? {
        let Delivery { sender, case, headers, body, status, handled } = delivery;
        let mut request = client.post(format!("http://{address}/webhooks/{sender}"));
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        let mut response = request.send(&body)?;
        // The handler's answer describes the delivery. No other answer to a verified delivery has a body.
        let ran = response.status() == 200 && !response.body_mut().read_to_vec()?.is_empty();
        let told = reason.lock().unwrap_or_else(PoisonError::into_inner).take();
        let is_right = response.status() == status && ran == handled;
        let verdict = if is_right { "" } else { "  <-- WRONG" };
        wrong = wrong.saturating_add(u32::from(!is_right));
        println!(
            "{sender:<16} {case:<31} {:>6}  {:<7}  {}{verdict}",
            response.status().as_u16(),
            if ran { "ran" } else { "-" },
            told.unwrap_or("-")
        );
    }
    println!("{}", if wrong == 0 { "every answer is correct" } else { "some answers are WRONG" });
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
