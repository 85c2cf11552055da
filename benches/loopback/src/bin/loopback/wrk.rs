//! Runs one slice of load with wrk, and measures its cost to the servers.

use std::{
    error::Error,
    io,
    process::{Child, Command, Stdio},
};

use loopback::Counts;
use serde::Deserialize;

use crate::{Cpus, Settings, delivery::Signature, server::Server};

/// The output of `post.lua`.
#[derive(Deserialize)]
struct Summary {
    requests: u64,
    microseconds: u64,
    refused: u64,
    socket_errors: u64,
    timeouts: u64,
}

pub(crate) struct Slice {
    /// The server's CPU time for each request that it counted as accepted or rejected.
    pub(crate) cpu_ns: f64,
    /// The share of the time that the server was on a CPU.
    pub(crate) busy: f64,
    /// Connections that wrk saw reset, per request.
    pub(crate) resets: f64,
}

/// The connections of a slice: kept open, or one for each request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connections {
    Kept,
    Closed,
}

/// Puts all servers under load at the same time, each with its own wrk. Fails unless every request was accepted, or
/// rejected if its signature calls for that.
pub(crate) fn slices(
    servers: &mut [(Server, Signature)],
    body: usize,
    connections: Connections,
    (settings, cpus): (&Settings, Cpus),
) -> Result<Vec<Slice>, Box<dyn Error>> {
    let read = |server: &mut Server| Ok::<_, Box<dyn Error>>((server.cpu_ns()?, server.counts()?));
    let before: Vec<_> = servers.iter_mut().map(|(server, _)| read(server)).collect::<Result<_, _>>()?;
    let start = |(server, signature): &(Server, Signature)| {
        start(server, *signature, body, connections, (settings, cpus))
    };
    let started: Vec<Child> = servers.iter().map(start).collect::<Result<_, _>>()?;
    let ended: Vec<Summary> = started.into_iter().map(summary).collect::<Result<_, _>>()?;
    let measured =
        servers.iter_mut().zip(before).zip(ended).map(|(((server, signature), before), summary)| {
            slice(*signature, before, read(server)?, &summary, settings)
        });
    measured.collect()
}

fn slice(
    signature: Signature,
    (cpu_before, counts): (u64, Counts),
    (cpu_after, after): (u64, Counts),
    summary: &Summary,
    settings: &Settings,
) -> Result<Slice, Box<dyn Error>> {
    let (accepted, refused) = (after.accepted - counts.accepted, after.refused - counts.refused);
    let (handled, other, statuses) = match signature {
        Signature::Valid => (accepted, refused, summary.requests - summary.refused),
        _ => (refused, accepted, summary.refused),
    };
    let lost = signature == Signature::Valid && summary.socket_errors > 0;
    // Requests in flight when wrk stopped have no answer, and wrk did not see the answers on reset connections.
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
    let cpu = (cpu_after - cpu_before) as f64;
    Ok(Slice {
        cpu_ns: cpu / handled as f64,
        busy: cpu / (summary.microseconds as f64 * 1e3),
        resets: summary.socket_errors as f64 / handled as f64,
    })
}

fn start(
    server: &Server,
    signature: Signature,
    body: usize,
    connections: Connections,
    (settings, cpus): (&Settings, Cpus),
) -> io::Result<Child> {
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
        .envs(signature.header(body).map(|value| ("SIGNATURE", value)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if connections == Connections::Closed {
        command.env("CONNECTION", "close");
    }
    command.spawn()
}

fn summary(wrk: Child) -> Result<Summary, Box<dyn Error>> {
    let output = wrk.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find(|line| line.starts_with('{'));
    let line = line.ok_or_else(|| format!("wrk: {text}{}", String::from_utf8_lossy(&output.stderr)))?;
    Ok(serde_json::from_str(line)?)
}

/// wrk's version line.
pub(crate) fn version() -> Result<String, Box<dyn Error>> {
    let output = Command::new("wrk").arg("--version").output().map_err(|error: io::Error| {
        format!("cannot run wrk: {error}; install it with `benches/loopback.sh` or `apt-get install wrk`")
    })?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.split(" [").next().unwrap_or_default().to_owned())
}
