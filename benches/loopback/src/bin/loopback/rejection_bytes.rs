//! Counts how much of a body is read for a rejected request.
//!
//! An otherwise idle server takes two counts. The bytes that the guard took from the framework are the guard's own doing
//! and the same each time. The bytes after the head that the framework read from the socket depend on its read-ahead and
//! on how soon the sender sends. Each request goes out in one write, as from a sender that waits for nothing.

use std::{
    error::Error,
    io::{Read, Write},
    thread::sleep,
    time::Duration,
};

use loopback::{Counts, Framework, Variant};
use serde_json::json;

use crate::{
    Cpus, Settings,
    delivery::{Delivery, Signature},
    report::{Report, median},
    server::Server,
};

const REQUESTS: usize = 50;

pub(crate) fn run(settings: &Settings, cpus: Cpus, report: &mut Report) -> Result<(), Box<dyn Error>> {
    println!("\nrejection_bytes      bytes  taken by guard  most  read from socket     most  answers seen");
    for &framework in &settings.frameworks {
        for &size in &settings.refused_sizes {
            for signature in Signature::REFUSED {
                let mut bytes = measure(framework, signature, size, cpus)?;
                let [taken, read] = [&mut bytes.taken, &mut bytes.read].map(|counts| {
                    let most = counts.iter().copied().fold(0.0, f64::max);
                    (median(counts.clone()), most)
                });
                let name = format!("{framework} {}", signature.name());
                println!(
                    "{name:<15} {size:>10} {:>15} {:>5} {:>17} {:>8} {:>10}/{REQUESTS}",
                    taken.0, taken.1, read.0, read.1, bytes.answers
                );
                report.row(json!({
                    "group": "rejection_bytes",
                    "name": name,
                    "framework": framework.to_string(),
                    "signature": signature.name(),
                    "size": size,
                    "taken_by_guard": taken.0,
                    "taken_by_guard_max": taken.1,
                    "read_from_socket": read.0,
                    "read_from_socket_max": read.1,
                    "requests": REQUESTS,
                    "answers_seen": bytes.answers,
                }));
            }
        }
    }
    Ok(())
}

#[derive(Default)]
struct Bytes {
    taken: Vec<f64>,
    read: Vec<f64>,
    /// The number of answers that reached the client before a reset.
    answers: usize,
}

fn measure(
    framework: Framework,
    signature: Signature,
    size: usize,
    cpus: Cpus,
) -> Result<Bytes, Box<dyn Error>> {
    let mut server = Server::start_counting(framework, Variant::Guarded, cpus)?;
    server.warm_up(size)?;
    let delivery = Delivery::new(signature, size, None);
    let mut before = settled(&mut server)?;
    let mut bytes = Bytes::default();
    for _ in 0..REQUESTS {
        let mut connection = server.connect()?;
        let mut answer = Vec::new();
        // A server that rejects may close while the body is in transit, so its own count is what matters.
        connection.write_all(&delivery.bytes).ok();
        connection.read_to_end(&mut answer).ok();
        drop(connection);
        let after = settled(&mut server)?;
        if after.refused != before.refused + 1 {
            return Err(format!("{framework} {}: not refused once: {after:?}", signature.name()).into());
        }
        bytes.taken.push((after.taken - before.taken) as f64);
        bytes.read.push((after.read - before.read) as f64 - delivery.head as f64);
        bytes.answers += usize::from(answer.starts_with(b"HTTP/1.1 401"));
        before = after;
    }
    Ok(bytes)
}

/// Returns the counts once they stop changing.
fn settled(server: &mut Server) -> Result<Counts, Box<dyn Error>> {
    let mut counts = server.counts()?;
    loop {
        sleep(Duration::from_millis(3));
        let now = server.counts()?;
        if now == counts {
            return Ok(now);
        }
        counts = now;
    }
}
