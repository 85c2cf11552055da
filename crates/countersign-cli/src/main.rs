//! The program `countersign`: sends, signs, verifies and explains webhook deliveries.

mod breaking;
mod capture;
mod check_config;
mod completions;
mod connections;
mod delivery;
mod escaped;
mod explain;
mod failure;
mod hop_by_hop;
mod instant;
mod judging;
mod key_args;
mod listen;
mod made_up_key;
mod man;
mod outcome;
mod output;
mod read;
mod sample;
mod send;
mod sender_args;
mod senders;
mod serve;
mod sign;
mod signing;
mod toml_file;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::{
    check_config::CheckConfig, completions::Completions, explain::Explain, failure::Failure, listen::Listen,
    man::Man, outcome::Outcome, output::Output, send::Send, senders::Senders, serve::Serve, sign::Sign,
    verify::Verify,
};

/// Receives, guards, sends, signs, verifies and explains webhook deliveries
///
/// Exit status: 0 if everything is as wanted, 1 if it is not (a delivery is rejected, an answer is another), 2 for a mistake in
/// the arguments or the set-up.
#[derive(Parser)]
#[command(name = "countersign", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Senders(Senders),
    Sign(Sign),
    Send(Send),
    Verify(Verify),
    Explain(Explain),
    Listen(Listen),
    CheckConfig(CheckConfig),
    Completions(Completions),
    Man(Man),
    Serve(Serve),
}

impl Command {
    fn run(self, out: &mut Output) -> Result<Outcome, Failure> {
        match self {
            Self::Senders(senders) => senders.run(out),
            Self::Sign(sign) => sign.run(out),
            Self::Send(send) => send.run(out),
            Self::Verify(verify) => verify.run(out),
            Self::Explain(explain) => explain.run(out),
            Self::Listen(listen) => listen.run(out),
            Self::CheckConfig(check) => check.run(out),
            Self::Completions(completions) => completions.run(out),
            Self::Man(man) => man.run(out),
            Self::Serve(serve) => serve.run(),
        }
    }
}

fn main() -> ExitCode {
    // For usage mistakes, clap exits with status 2 itself.
    let Arguments { command } = Arguments::parse();
    let mut out = Output::stdout();
    match command.run(&mut out).and_then(|outcome| out.finish().map(|()| outcome)) {
        Ok(outcome) => outcome.into(),
        Err(failure) => failure.report(),
    }
}
