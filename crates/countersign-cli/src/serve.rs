//! `countersign serve`: the guard as a reverse proxy in front of a service in any language.

mod accept;
mod access_log;
mod address;
mod admin;
mod config;
mod facts;
mod forward;
mod header_hygiene;
mod measure;
mod mistake;
mod once;
mod routes;
mod server;
mod upstream;

use std::{
    fmt,
    io::{self, IsTerminal},
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use clap::Args;
use countersign::{BodyBudget, Rotating};
use countersign_watch::{Files, Watch, Watching};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};
use tracing_appender::non_blocking::NonBlocking;
use tracing_subscriber::EnvFilter;

use self::{
    accept::Accept, access_log::AccessLog, admin::Admin, routes::Shared, server::Server, upstream::Upstream,
};
pub(crate) use self::{
    config::{RouteConfig, ServeConfig},
    routes::Routes,
};
use crate::{failure::Failure, outcome::Outcome, toml_file::TomlFile};

/// Guards a service in any language: verifies deliveries, and forwards those that pass
///
/// It speaks HTTP/1.1; a proxy in front ends TLS. Each request is a line of JSON on the standard output; everything else goes to
/// the standard error, as much as the variable `RUST_LOG` says.
///
/// Routes and keys are loaded again when a file changes, and on SIGHUP; a configuration that does not load changes nothing.
/// SIGTERM and SIGINT let requests in flight end.
#[derive(Args)]
#[command(after_help = "\
Examples:
  countersign serve --config countersign.toml
  RUST_LOG=info countersign serve --config countersign.toml >> access.log

A configuration:
  listen = \"0.0.0.0:8080\"
  upstream = \"http://127.0.0.1:3000\"

  [[route]]
  path = \"/webhooks/shopify\"
  senders = [{ sender = \"shopify\", keys = [{ id = \"2026-q4\", secret = { env = \"SHOPIFY_SECRET\" } }] }]")]
pub(crate) struct Serve {
    /// The configuration file, in TOML
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// What is told on the standard error. Rejections, which have the field `reason`, are in the access log already.
const TOLD: &str = "info,countersign[{reason}]=error";

/// How often the keys are looked at, to warn of those that expire soon.
const REPORTS: Duration = Duration::from_secs(10);

/// Settings that a running program cannot change.
type Fixed = (
    SocketAddr,
    Option<SocketAddr>,
    bool,
    config::Timeouts,
    config::Limits,
    Option<once::OnceConfig>,
    Option<config::InboxConfig>,
);

impl Serve {
    pub(crate) fn run(self) -> Result<Outcome, Failure> {
        let file = TomlFile::<ServeConfig>::read(&self.config)?;
        let told = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(TOLD));
        tracing_subscriber::fmt()
            .with_env_filter(told)
            .with_writer(io::stderr)
            .with_ansi(io::stderr().is_terminal())
            .init();
        file.value.limits.open_files();
        // Dropped last: what the end of the runtime cuts off is logged, too.
        let (writer, _written) = tracing_appender::non_blocking(io::stdout());
        let runtime = tokio::runtime::Runtime::new()
            .map_err(|error| Failure::new(format_args!("cannot start: {error}")))?;
        runtime.block_on(serve(self.config, file.value, writer))
    }
}

async fn serve(path: PathBuf, config: ServeConfig, writer: NonBlocking) -> Result<Outcome, Failure> {
    // Before anything else: what arrives until the end of the start must not be lost.
    let (stop, hang_up) = (Stop::new()?, on(SignalKind::hangup())?);
    let metrics = config.admin.map(|_| measure::install()).transpose()?;
    let shared = shared(&config).await?;
    let fixed = fixed(&config);
    let (inbox, upstream) = (shared.inbox.clone(), shared.upstream.clone());
    let (routes, watching) = Watch::new().start(move |files| load(&path, files, &fixed, &shared))?;
    let watching = Arc::new(watching);

    let listener = listen("listen", config.listen).await?;
    let (stopping, is_stopping) = watch::channel(false);
    let stopped = || {
        let mut is_stopping = is_stopping.clone();
        async move {
            // An error means that the other end is gone, and with it the program.
            let _ = is_stopping.wait_for(|is_stopping| *is_stopping).await;
        }
    };
    let is_not_ready = Arc::new(AtomicBool::new(false));
    if let (Some(address), Some(metrics)) = (config.admin, metrics) {
        let listener = listen("admin", address).await?;
        tokio::spawn(measure::upkeep(metrics.clone(), writer.error_counter()));
        let watching = Arc::clone(&watching);
        let admin = Admin { watching, metrics, is_stopping: Arc::clone(&is_not_ready) };
        tokio::spawn(admin.run(listener));
    }
    tokio::spawn(reload_on(hang_up, watching));
    tokio::spawn(report_keys(routes.clone()));
    tokio::spawn(async move {
        stop.wait().await;
        is_not_ready.store(true, Ordering::Release);
        stopping.send_replace(true);
    });

    let server = Server { routes: routes.clone(), log: AccessLog::new(writer) };
    let serving = server.run(listener, &config.limits, &config.timeouts, stopped());
    let working = async {
        match (inbox, &config.inbox) {
            (Some(inbox), Some(settings)) => {
                inbox.work(settings, &config.timeouts, upstream, routes, stopped()).await
            }
            _ => Ok(()),
        }
    };
    let ((), worked) = tokio::join!(serving, working);
    worked.map(|()| Outcome::AsWanted)
}

async fn shared(config: &ServeConfig) -> Result<Shared, Failure> {
    Ok(Shared {
        upstream: Upstream::new(&config.timeouts),
        budget: BodyBudget::new(config.limits.body_budget),
        linger: config.limits.linger(),
        timeouts: config.timeouts.clone(),
        trust_forwarded: config.trust_forwarded,
        once: match &config.once {
            Some(once) => Some(once.connect().await?),
            None => None,
        },
        inbox: match &config.inbox {
            Some(inbox) => Some(Accept::open(inbox).await?),
            None => None,
        },
    })
}

/// Loads the routes and their keys.
fn load(path: &PathBuf, files: &mut Files, fixed: &Fixed, shared: &Shared) -> Result<Routes, Failure> {
    files.follow([path]);
    let file = TomlFile::<ServeConfig>::read(path)?;
    for route in &file.value.routes {
        files.follow(route.endpoint().files());
    }
    let checked = Routes::check(&file)?;
    if self::fixed(&file.value) != *fixed {
        return Err(Failure::new(
            "only routes, their keys and `upstream` can change while the program runs: restart it for the rest",
        ));
    }
    Ok(Routes::new(checked, shared))
}

fn fixed(config: &ServeConfig) -> Fixed {
    let ServeConfig { listen, admin, trust_forwarded, timeouts, limits, once, inbox, .. } = config;
    (*listen, *admin, *trust_forwarded, timeouts.clone(), limits.clone(), once.clone(), inbox.clone())
}

async fn listen(field: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    let failed =
        |error: &dyn fmt::Display| Failure::new(format_args!("{field}: cannot listen on {address}: {error}"));
    let listener = TcpListener::bind(address).await.map_err(|error| failed(&error))?;
    let bound = listener.local_addr().map_err(|error| failed(&error))?;
    tracing::info!("{field}: listening on {bound}");
    Ok(listener)
}

async fn reload_on(mut hang_up: Signal, watching: Arc<Watching>) {
    while hang_up.recv().await.is_some() {
        watching.reload();
    }
}

async fn report_keys(routes: Rotating<Routes>) {
    let mut ticks = tokio::time::interval(REPORTS);
    loop {
        ticks.tick().await;
        routes.current().report_keys();
    }
}

/// The signals that end the program.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn new() -> Result<Self, Failure> {
        Ok(Self { terminate: on(SignalKind::terminate())?, interrupt: on(SignalKind::interrupt())? })
    }

    async fn wait(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

fn on(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|error| Failure::new(format_args!("cannot take signals: {error}")))
}
