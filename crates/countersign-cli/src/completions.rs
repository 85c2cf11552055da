//! `countersign completions`: what a shell completes.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{Arguments, failure::Failure, outcome::Outcome, output::Output};

/// Prints the completions for a shell
#[derive(Args)]
#[command(after_help = "\
Examples:
  countersign completions bash > ~/.local/share/bash-completion/completions/countersign
  countersign completions zsh > ~/.zfunc/_countersign
  countersign completions fish > ~/.config/fish/completions/countersign.fish")]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self, out: &mut Output) -> Result<Outcome, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "countersign", &mut script);
        out.raw(&script)?;
        Ok(Outcome::AsWanted)
    }
}
