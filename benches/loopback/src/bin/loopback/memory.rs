//! Measures the memory of many uploads at the limit, all in flight at once.
//!
//! Sends every upload except for the last byte of its body. When `/proc/net/tcp` shows empty socket queues on both sides,
//! the server holds all of them. Then the last bytes go out, so the peak includes what the handler's extractor copies.

use std::{error::Error, fs, net::SocketAddr, time::Duration};

use countersign::DEFAULT_BODY_LIMIT;
use loopback::{Framework, Variant};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    Cpus, Settings,
    delivery::{Delivery, Signature},
    report::{Report, median_of, rotated},
    server::Server,
};

const CONTESTANTS: [Variant; 2] = [Variant::Plain, Variant::Guarded];

/// A limit for one measurement, because a broken connection would never be ready.
const PATIENCE: Duration = Duration::from_mins(4);

/// Resident memory in KiB.
struct Memory {
    idle: f64,
    held: f64,
    peak: f64,
}

pub(crate) fn run(settings: &Settings, cpus: Cpus, report: &mut Report) -> Result<(), Box<dyn Error>> {
    println!(
        "\nmemory           chunks of    idle KiB    held KiB    peak KiB  peak/bodies  peak of plain's"
    );
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    for &framework in &settings.frameworks {
        for &chunk in &settings.chunks {
            let delivery = Delivery::new(Signature::Valid, DEFAULT_BODY_LIMIT, (chunk > 0).then_some(chunk));
            let delivery: &'static Delivery = Box::leak(Box::new(delivery)); // a run has few of these
            let mut memories: [Vec<Memory>; CONTESTANTS.len()] = Default::default();
            for round in 0..settings.rounds.min(3) {
                for contestant in rotated(CONTESTANTS.len(), round) {
                    let variant = CONTESTANTS[contestant];
                    let uploads = measure(framework, variant, delivery, settings.uploads, cpus);
                    let memory = runtime.block_on(async { timeout(PATIENCE, uploads).await })??;
                    memories[contestant].push(memory);
                }
            }
            let peak = |memories: &[Memory]| median_of(memories, |memory| memory.peak);
            let plain = peak(&memories[0]);
            for (variant, own) in CONTESTANTS.iter().zip(&memories) {
                let (idle, held) =
                    (median_of(own, |memory| memory.idle), median_of(own, |memory| memory.held));
                let peak = peak(own);
                let bodies = (settings.uploads * DEFAULT_BODY_LIMIT / 1024) as f64;
                let (per_body, ratio) = ((peak - idle) / bodies, peak / plain);
                let name = format!("{framework} {variant}");
                println!(
                    "{name:<15} {chunk:>10} {idle:>11} {held:>11} {peak:>11} {per_body:>12.2} {ratio:>16.3}"
                );
                report.row(json!({
                    "group": "memory",
                    "name": name,
                    "framework": framework.to_string(),
                    "variant": variant.to_string(),
                    "size": DEFAULT_BODY_LIMIT,
                    "uploads": settings.uploads,
                    "chunk": chunk,
                    "idle_kib": idle,
                    "held_kib": held,
                    "peak_kib": peak,
                    "peak_over_idle_per_body": per_body,
                    "peak_ratio_to_plain": ratio,
                }));
            }
        }
    }
    Ok(())
}

async fn measure(
    framework: Framework,
    variant: Variant,
    delivery: &'static Delivery,
    uploads: usize,
    cpus: Cpus,
) -> Result<Memory, Box<dyn Error>> {
    let server = Server::start(framework, variant, cpus)?;
    server.warm_up(1024)?;
    let idle = server.memory_kib("VmRSS")?;
    let (most, last) = delivery.bytes.split_at(delivery.bytes.len() - delivery.tail);
    let mut senders = JoinSet::new();
    for _ in 0..uploads {
        let mut connection = TcpStream::connect(server.address).await?;
        senders.spawn(async move {
            connection.write_all(most).await?;
            Ok::<_, std::io::Error>(connection)
        });
    }
    let mut connections = Vec::new();
    while let Some(connection) = senders.join_next().await {
        connections.push(connection??);
    }
    received(server.address, uploads).await?;
    let held = server.memory_kib("VmRSS")?;
    for connection in &mut connections {
        connection.set_nodelay(true)?;
        connection.write_all(last).await?;
    }
    for connection in &mut connections {
        let mut answer = [0; 1024];
        let read = connection.read(&mut answer).await?;
        if !answer[..read].starts_with(b"HTTP/1.1 200") {
            return Err(format!("not accepted: {}", String::from_utf8_lossy(&answer[..read])).into());
        }
    }
    let peak = server.memory_kib("VmHWM")?;
    Ok(Memory { idle: idle as f64, held: held as f64, peak: peak as f64 })
}

/// Returns when two checks in a row show that the server has read everything sent to it.
async fn received(server: SocketAddr, uploads: usize) -> Result<(), Box<dyn Error>> {
    let mut empty = 0;
    while empty < 2 {
        sleep(Duration::from_millis(50)).await;
        let all = queues_are_empty(&fs::read_to_string("/proc/net/tcp")?, server.port(), uploads);
        empty = if all { empty + 1 } else { 0 };
    }
    Ok(())
}

/// Returns whether both ends of this many connections are established, with no bytes in transit.
fn queues_are_empty(table: &str, port: u16, uploads: usize) -> bool {
    let port = format!(":{port:04X}");
    let mut ends = 0;
    for line in table.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let &[_, local, remote, state, queues, ..] = fields.as_slice() else { continue };
        if state == "01" && (local.ends_with(&port) || remote.ends_with(&port)) {
            ends += 1;
            if queues != "00000000:00000000" {
                return false;
            }
        }
    }
    ends >= 2 * uploads
}
