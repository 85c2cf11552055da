//! `countersign send`: deliveries as a sender would send them.

pub(crate) mod client;
mod summary;

use std::{sync::Arc, time::Duration};

use clap::{Args, value_parser};
use http::{StatusCode, Uri};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::{
    runtime::Runtime,
    signal::ctrl_c,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use self::{
    client::{Answer, Client, NoAnswer},
    summary::Summary,
};
use crate::{
    failure::Failure,
    outcome::Outcome,
    output::Output,
    signing::{Signing, SigningArgs, address},
};

/// Sends a delivery as a sender would, or many, and reports the answers
///
/// Exit status: 0 if every answer is as wanted, 1 if one is not or none comes. Wanted is a 2xx, with --break a 401, and with --expect
/// that status.
#[derive(Args)]
#[command(after_help = "\
Examples:
  countersign send --sender github --secret-env GITHUB_SECRET http://localhost:3000/webhooks/github
  countersign send --config countersign.toml --sender acme --body order.json http://localhost:3000/webhooks/acme
  countersign send --sender stripe --secret-file stripe.secret --break timestamp http://localhost:3000/webhooks/stripe
  countersign send --sender extend --secret-env EXTEND --repeat 1000 --rate 100 --concurrency 8 http://localhost:3000/

A secret is never an argument, because every user of the machine can read those.")]
pub(crate) struct Send {
    #[command(flatten)]
    signing: SigningArgs,
    /// Where to send it
    #[arg(value_name = "URL", value_parser = address)]
    url: Uri,
    /// How many to send; each is signed anew
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = value_parser!(u64).range(1..))]
    repeat: u64,
    /// How many to send a second, at most
    #[arg(long, value_name = "COUNT", value_parser = value_parser!(u32).range(1..=1_000_000))]
    rate: Option<u32>,
    /// How many may wait for their answers at the same time
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = value_parser!(u16).range(1..=1024))]
    concurrency: u16,
    /// The wanted status
    #[arg(long, value_name = "STATUS")]
    expect: Option<StatusCode>,
    /// How many seconds to wait for an answer
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// Prints JSON, for machines
    #[arg(long)]
    json: bool,
    /// Prints the command that sends it with curl, instead of sending it
    #[arg(long, conflicts_with = "json")]
    as_curl: bool,
}

/// The status that an answer should have.
#[derive(Clone, Copy, Debug)]
enum Wanted {
    Success,
    Exactly(StatusCode),
}

impl Wanted {
    fn is(self, status: StatusCode) -> bool {
        match self {
            Self::Success => status.is_success(),
            Self::Exactly(wanted) => status == wanted,
        }
    }
}

impl Send {
    pub(crate) fn run(self, out: &mut Output) -> Result<Outcome, Failure> {
        let wanted = match (self.expect, self.signing.broken) {
            (Some(status), _) => Wanted::Exactly(status),
            (None, Some(_)) => Wanted::Exactly(StatusCode::UNAUTHORIZED),
            (None, None) => Wanted::Success,
        };
        let signing = self.signing.signing(&self.url)?;
        if self.as_curl {
            writeln!(out, "{}", signing.curl()?)?;
            return Ok(Outcome::AsWanted);
        }
        let client = Client::new(&self.url, Duration::from_secs(self.timeout))?;
        let load =
            Load { repeat: self.repeat, rate: self.rate, concurrency: self.concurrency.into(), wanted };
        let runtime = Runtime::new().map_err(Failure::new)?;
        let summary = runtime.block_on(load.send(Arc::new(client), Arc::new(signing)))?;
        if self.json {
            out.json(&summary.json())?;
        } else {
            summary.write(out)?;
        }
        Ok(if summary.is_as_wanted() { Outcome::AsWanted } else { Outcome::NotAsWanted })
    }
}

/// How many deliveries to send, and how fast.
struct Load {
    repeat: u64,
    rate: Option<u32>,
    concurrency: usize,
    wanted: Wanted,
}

impl Load {
    /// Sends until all answers are there, or the user interrupts.
    async fn send(self, client: Arc<Client>, signing: Arc<Signing>) -> Result<Summary, Failure> {
        let progress = if self.repeat > 1 { progress(self.repeat) } else { ProgressBar::hidden() };
        let mut summary = Summary::new(self.wanted);
        tokio::select! {
            // It listens before anything is sent.
            biased;
            _ = ctrl_c() => summary.interrupt(),
            result = self.send_all(&client, &signing, &mut summary, &progress) => result?,
        }
        progress.finish_and_clear();
        Ok(summary)
    }

    async fn send_all(
        &self,
        client: &Arc<Client>,
        signing: &Arc<Signing>,
        summary: &mut Summary,
        progress: &ProgressBar,
    ) -> Result<(), Failure> {
        let mut due = self.rate.and_then(|rate| Duration::from_secs(1).checked_div(rate)).map(interval);
        if let Some(due) = &mut due {
            // A slow answer is made up for by at most what `concurrency` allows.
            due.set_missed_tick_behavior(MissedTickBehavior::Burst);
        }
        let mut under_way = JoinSet::new();
        for _ in 0..self.repeat {
            if let Some(due) = &mut due {
                due.tick().await;
            }
            while under_way.len() >= self.concurrency {
                finish(&mut under_way, summary, progress).await?;
            }
            let (client, signing) = (Arc::clone(client), Arc::clone(signing));
            under_way.spawn(async move { Ok(client.post(signing.delivery()?).await) });
        }
        while !under_way.is_empty() {
            finish(&mut under_way, summary, progress).await?;
        }
        Ok(())
    }
}

/// Waits for one of the answers under way.
async fn finish(
    under_way: &mut JoinSet<Result<Result<Answer, NoAnswer>, Failure>>,
    summary: &mut Summary,
    progress: &ProgressBar,
) -> Result<(), Failure> {
    if let Some(done) = under_way.join_next().await {
        summary.add(done.map_err(Failure::new)??);
        progress.inc(1);
    }
    Ok(())
}

/// A bar on the standard error, if that is a terminal.
fn progress(count: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec} {eta}");
    ProgressBar::new(count).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
