//! One slice of load by wrk, and what it cost the server.

use std::{error::Error, io, process::Command};

use serde::Deserialize;

use crate::{Cpus, Settings, delivery::Signature, server::Server};

/// What `post.lua` prints.
#[derive(Deserialize)]
struct Summary {
    requests: u64,
    microseconds: u64,
    refused: u64,
    socket_errors: u64,
    timeouts: u64,
    p50: u64,
    p99: u64,
}

pub(crate) struct Slice {
    /// Requests per second that the server accepted or refused, as it counted them.
    pub(crate) rps: f64,
    pub(crate) cpu_ns: f64,
    /// The part of the time for which the server was on a CPU: above 1 for one with a thread that accepts beside it.
    pub(crate) busy: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// Connections that wrk saw reset, for each request.
    pub(crate) resets: f64,
}

/// The connections of a slice: kept, or one for each request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connections {
    Kept,
    Closed,
}

/// Fails unless every request was accepted, or refused if that is what the signature is for.
pub(crate) fn slice(
    server: &mut Server,
    signature: Signature,
    body: usize,
    connections: Connections,
    (settings, cpus): (&Settings, Cpus),
) -> Result<Slice, Box<dyn Error>> {
    let (cpu, counts) = (server.cpu_ns()?, server.counts()?);
    let summary = wrk(server, signature, body, connections, (settings, cpus))?;
    let (cpu, after) = (server.cpu_ns()? - cpu, server.counts()?);
    let (accepted, refused) = (after.accepted - counts.accepted, after.refused - counts.refused);
    let (handled, other, statuses) = match signature {
        Signature::Valid => (accepted, refused, summary.requests - summary.refused),
        _ => (refused, accepted, summary.refused),
    };
    let lost = signature == Signature::Valid && summary.socket_errors > 0;
    // What was under way when wrk stopped has no answer, and what was reset has one that wrk did not see.
    let seen = summary.requests + summary.socket_errors;
    let astray = handled.abs_diff(seen) > 2 * u64::from(settings.connections) + summary.socket_errors;
    if handled == 0 || other > 0 || statuses < summary.requests || lost || astray || summary.timeouts > 0 {
        let Summary { requests, refused, socket_errors, timeouts, .. } = summary;
        let name = signature.name();
        return Err(format!(
            "{name}: {requests} answers, {refused} not 2xx, {socket_errors} socket errors, {timeouts} timeouts; \
             the server: {after:?} after {counts:?}"
        )
        .into());
    }
    let nanoseconds = summary.microseconds as f64 * 1e3;
    Ok(Slice {
        rps: handled as f64 / nanoseconds * 1e9,
        cpu_ns: cpu as f64 / handled as f64,
        busy: cpu as f64 / nanoseconds,
        p50_us: summary.p50 as f64,
        p99_us: summary.p99 as f64,
        resets: summary.socket_errors as f64 / handled as f64,
    })
}

fn wrk(
    server: &Server,
    signature: Signature,
    body: usize,
    connections: Connections,
    (settings, cpus): (&Settings, Cpus),
) -> Result<Summary, Box<dyn Error>> {
    let mut command = Command::new("taskset");
    command
        .args(["--cpu-list", &cpus.load.to_string(), "wrk", "--threads", "1", "--connections"])
        .arg(settings.connections.to_string())
        .args(["--duration", &format!("{}s", settings.seconds), "--timeout", "10s", "--script"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/post.lua"))
        .arg(format!("http://{}/", server.address))
        .env("BODY_BYTES", body.to_string())
        .env_remove("SIGNATURE")
        .env_remove("CONNECTION")
        .envs(signature.header(body).map(|value| ("SIGNATURE", value)));
    if connections == Connections::Closed {
        command.env("CONNECTION", "close");
    }
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find(|line| line.starts_with('{'));
    let line = line.ok_or_else(|| format!("wrk: {text}{}", String::from_utf8_lossy(&output.stderr)))?;
    Ok(serde_json::from_str(line)?)
}

/// The first line that it prints about itself.
pub(crate) fn version() -> Result<String, Box<dyn Error>> {
    let output = Command::new("wrk").arg("--version").output().map_err(|error: io::Error| {
        format!("wrk: {error}; `benches/loopback.sh` installs it, as does `apt-get install wrk`")
    })?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.split(" [").next().unwrap_or_default().to_owned())
}
