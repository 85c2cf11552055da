//! `cargo run -p inbox-admin -- --database sqlite:inbox.db list`; `serve` shows a page at <http://127.0.0.1:8025>

use std::{error::Error, io::Write, net::SocketAddr, process::ExitCode, time::SystemTime};

use clap::{Args, Parser, Subcommand};
use countersign_inbox::{Filter, State};
use inbox_admin::{AnyInbox, Report, parse_instant, serve};

/// Shows and mends the deliveries in an inbox
#[derive(Parser)]
struct Arguments {
    /// The inbox's database: sqlite:FILE or postgres://…
    #[arg(
        long,
        env = "DATABASE_URL",
        global = true,
        default_value = "sqlite:inbox.db",
        hide_env_values = true
    )]
    database: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// How many deliveries are in which state
    Stats {
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Lists deliveries, the oldest first
    List {
        #[command(flatten)]
        selected: Selected,
        /// Only after the delivery with this number
        #[arg(long, default_value_t = 0)]
        after: i64,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// For machines: an object a line
        #[arg(long)]
        json: bool,
    },
    /// Shows a delivery; its body goes to the standard output, byte by byte
    Show {
        /// Its number
        id: i64,
    },
    /// Lets dead letters and pending deliveries be handled now, with all their attempts before them
    Retry(Mended),
    /// Handles deliveries again that were done or discarded
    Replay(Mended),
    /// Decides that deliveries need not be handled
    Discard(Mended),
    /// Shows the inbox on a page, on this machine only
    Serve {
        /// Where to listen: an address of this machine
        #[arg(long, default_value = "127.0.0.1:8025")]
        address: SocketAddr,
    },
}

#[derive(Args)]
struct Selected {
    /// Only the delivery with this number
    #[arg(long)]
    id: Option<i64>,
    /// Only in this state: pending, running, waiting, done, dead or discarded. May be given more than once
    #[arg(long)]
    state: Vec<State>,
    /// Only of this sender, such as moduslink
    #[arg(long)]
    sender: Option<String>,
    /// Only received at this time or later, such as 2026-11-25T07:30:00Z
    #[arg(long, value_parser = parse_instant)]
    from: Option<SystemTime>,
    /// Only received before this time
    #[arg(long, value_parser = parse_instant)]
    before: Option<SystemTime>,
}

#[derive(Args)]
struct Mended {
    #[command(flatten)]
    selected: Selected,
    /// Every delivery that can be changed in this way; needed if nothing else is chosen
    #[arg(long)]
    all: bool,
}

impl Selected {
    fn filter(&self) -> Filter {
        let mut filter = self.state.iter().fold(Filter::all(), |filter, state| filter.state(*state));
        if let Some(id) = self.id {
            filter = filter.id(id);
        }
        if let Some(sender) = &self.sender {
            filter = filter.sender(sender);
        }
        if let Some(from) = self.from {
            filter = filter.received_from(from);
        }
        if let Some(before) = self.before {
            filter = filter.received_before(before);
        }
        filter
    }

    fn is_empty(&self) -> bool {
        let Self { id, state, sender, from, before } = self;
        id.is_none() && state.is_empty() && sender.is_none() && from.is_none() && before.is_none()
    }
}

impl Mended {
    fn filter(&self) -> Result<Filter, &'static str> {
        if self.selected.is_empty() && !self.all {
            return Err("choose deliveries with --id, --state, --sender, --from or --before, or say --all");
        }
        Ok(self.selected.filter())
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(Arguments { database, command }: Arguments) -> Result<(), Box<dyn Error>> {
    let inbox = AnyInbox::open(&database).await?;
    let mut out = std::io::stdout().lock();
    match command {
        Command::Stats { json: true } => writeln!(out, "{}", Report(&inbox.stats().await?).json())?,
        Command::Stats { json: false } => writeln!(out, "{}", Report(&inbox.stats().await?))?,
        Command::List { selected, after, limit, json } => {
            for entry in inbox.list(&selected.filter(), after, limit).await? {
                if json {
                    writeln!(out, "{}", Report(&entry).json())?;
                } else {
                    writeln!(out, "{}", Report(&entry))?;
                }
            }
        }
        Command::Show { id } => {
            let stored = inbox.show(id).await?.ok_or("no such delivery")?;
            eprintln!("{:#}", Report(&stored.entry).json());
            for (name, value) in stored.unsigned_headers.iter() {
                eprintln!("unsigned {name}: {}", value.escape_ascii());
            }
            out.write_all(&stored.body)?;
        }
        Command::Retry(mended) => writeln!(out, "{} retried", inbox.retry(&mended.filter()?).await?)?,
        Command::Replay(mended) => writeln!(out, "{} replayed", inbox.replay(&mended.filter()?).await?)?,
        Command::Discard(mended) => writeln!(out, "{} discarded", inbox.discard(&mended.filter()?).await?)?,
        Command::Serve { address } => {
            drop(out);
            serve(inbox, address).await?;
        }
    }
    Ok(())
}
