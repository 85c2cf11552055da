//! `countersign listen`: a receiver for development, with a page.

mod deliveries;
mod folder;
mod forward;
mod intake;
mod judge;
mod page;
mod receiver;
mod record;
mod resign;
mod search;
mod terminal;

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use aws_lc_rs::rand;
use clap::{Args, value_parser};
use http::Uri;
use hyper_util::service::TowerToHyperService;
use tokio::{net::TcpListener, runtime::Runtime, signal::ctrl_c, sync::mpsc};

use self::{
    deliveries::{Deliveries, Limits},
    folder::Folder,
    forward::Forward,
    intake::Intake,
    judge::Judge,
    page::Page,
    receiver::Receiver,
    terminal::Terminal,
};
use crate::{
    connections::Connections, escaped::Escaped, failure::Failure, key_args::KeyArgs, outcome::Outcome,
    output::Output, signing::address,
};

/// Receives deliveries for development: verifies, shows, keeps and forwards them
///
/// Each delivery is a line here and on a page, whose address is printed. A verified one is forwarded, and its sender gets the
/// service's answer. A rejected one is shown with what is wrong, answered with 401 and not forwarded.
#[derive(Args)]
#[command(after_help = "\
Examples:
  countersign listen --sender github --secret-env GITHUB_SECRET --forward http://localhost:3000/webhooks/github
  countersign listen --config countersign.toml --forward http://localhost:3000
  countersign listen --config countersign.toml --keep 1000 --folder /tmp/deliveries

Then send to it, or let a tunnel to it be the sender's address:
  countersign send --sender github --secret-env GITHUB_SECRET http://localhost:8600/

A secret is never an argument, because every user of the machine can read those.")]
pub(crate) struct Listen {
    #[command(flatten)]
    keys: KeyArgs,
    /// The service that gets verified deliveries. With a path, all go there; without one, each keeps its own path
    #[arg(long, value_name = "URL", value_parser = address)]
    forward: Option<Uri>,
    /// Where to receive
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8600")]
    address: SocketAddr,
    /// Receives also from other machines, if the address is open to them. The page never is
    #[arg(long)]
    beyond_loopback: bool,
    /// Where the page is: an address of this machine alone
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8601")]
    page: SocketAddr,
    /// The folder for deliveries, which Git ignores
    #[arg(long, value_name = "FOLDER", default_value = ".countersign")]
    folder: PathBuf,
    /// How many deliveries to keep
    #[arg(long, value_name = "COUNT", default_value_t = 200, value_parser = value_parser!(u16).range(1..=10_000))]
    keep: u16,
    /// How much of bodies to keep, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = value_parser!(u16).range(1..))]
    keep_mib: u16,
    /// The largest body, in MiB; with --config, the configuration's limit counts
    #[arg(long, value_name = "MIB", default_value_t = 32, conflicts_with = "config",
          value_parser = value_parser!(u16).range(1..=256))]
    body_limit: u16,
    /// How many seconds to wait for the service's answer
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

/// To each port. Most systems allow 1024 open files, and deliveries and the service need some.
const CONNECTIONS: Connections = Connections {
    most: 400,
    head: Duration::from_secs(30),
    send: Duration::from_secs(30),
    end: Duration::from_secs(10),
};

/// The two ports.
struct Ports {
    receiver: TcpListener,
    page: TcpListener,
}

impl Listen {
    pub(crate) fn run(self, out: &mut Output) -> Result<Outcome, Failure> {
        self.check_addresses()?;
        let (verifier, senders) = self.keys.verifier(Some(usize::from(self.body_limit) << 20))?;
        let body_limit = verifier.body_limit();
        let timeout = Duration::from_secs(self.timeout);
        let forward = self.forward.clone().map(|url| Forward::new(url, timeout)).transpose()?;
        let (folder, found) = Folder::open(&self.folder)?;
        let unreadable = found.unreadable;
        let limits = Limits { deliveries: self.keep.into(), bytes: usize::from(self.keep_mib) << 20 };
        let deliveries = Deliveries::new(folder, found, limits);
        let (terminal, lines) = Terminal::new();
        let intake = Arc::new(Intake::new(Judge::new(verifier, senders), forward, deliveries, terminal));
        if unreadable > 0 {
            intake
                .terminal
                .note(&format!("{unreadable} files in the folder are no deliveries, and stay as they are"));
        }
        let runtime = Runtime::new().map_err(Failure::new)?;
        runtime.block_on(self.serve(intake, body_limit, lines, out))?;
        Ok(Outcome::AsWanted)
    }

    async fn serve(
        &self,
        intake: Arc<Intake>,
        body_limit: usize,
        mut lines: mpsc::Receiver<String>,
        out: &mut Output,
    ) -> Result<(), Failure> {
        let ports = Ports { receiver: bind(self.address).await?, page: bind(self.page).await? };
        let receiver = ports.receiver.local_addr().map_err(Failure::new)?;
        let page = ports.page.local_addr().map_err(Failure::new)?;
        let token = token()?;
        self.announce(out, receiver, page, &token)?;
        let page = Page::new(Arc::clone(&intake), receiver).router(page, &token);
        let page = move |_| TowerToHyperService::new(page.clone());
        tokio::spawn(CONNECTIONS.serve(ports.page, page, std::future::pending()));
        let app = Receiver::new(Arc::clone(&intake), body_limit).router();
        let app = |_| TowerToHyperService::new(app.clone());
        let mut receiving = std::pin::pin!(CONNECTIONS.serve(ports.receiver, app, async {
            // Without a way to be told, it runs until it is killed.
            if ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        }));
        let mut is_told = false;
        loop {
            let line = tokio::select! {
                () = &mut receiving => break,
                Some(line) = lines.recv() => line,
            };
            let written = writeln!(out, "{line}").and_then(|()| out.finish());
            // Its output may go to a file on a disk that is full. Deliveries go on.
            if let Err(failure) = written
                && !is_told
            {
                failure.report();
                is_told = true;
            }
        }
        intake.keep().await;
        while let Ok(line) = lines.try_recv() {
            writeln!(out, "{line}")?;
        }
        Ok(())
    }

    fn check_addresses(&self) -> Result<(), Failure> {
        if !self.page.ip().is_loopback() {
            return Err(Failure::new(format_args!(
                "the page shows every delivery, so {} must be an address of this machine alone, such as 127.0.0.1:8601",
                self.page
            )));
        }
        if !self.address.ip().is_loopback() && !self.beyond_loopback {
            return Err(Failure::new(format_args!(
                "other machines could send to {}: if that is wanted, give --beyond-loopback",
                self.address
            )));
        }
        Ok(())
    }

    fn announce(
        &self,
        out: &mut Output,
        receiver: SocketAddr,
        page: SocketAddr,
        token: &str,
    ) -> Result<(), Failure> {
        writeln!(out, "receives    http://{receiver}")?;
        match &self.forward {
            Some(url) => writeln!(out, "forwards to {}", Escaped::line(&url.to_string()))?,
            None => writeln!(out, "forwards to nobody: give --forward")?,
        }
        let folder = self.folder.display().to_string();
        writeln!(out, "keeps       the last {} in {}", self.keep, Escaped::line(&folder))?;
        writeln!(out, "page        http://{page}/#{token}")?;
        out.finish()
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| Failure::new(format_args!("cannot listen on {address}: {error}")))
}

/// What the page's address ends in, new at each start.
fn token() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(|_| Failure::new("the system gives no random bytes"))?;
    Ok(base16ct::lower::encode_string(&bytes))
}
