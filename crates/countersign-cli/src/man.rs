//! `countersign man`: the manual pages.

use clap::{Args, CommandFactory};
use clap_mangen::Man as Page;

use crate::{Arguments, failure::Failure, outcome::Outcome, output::Output};

/// Prints the manual page of the program or of a subcommand
#[derive(Args)]
#[command(after_help = "\
Examples:
  countersign man > /usr/local/share/man/man1/countersign.1
  countersign man send > /usr/local/share/man/man1/countersign-send.1")]
pub(crate) struct Man {
    /// The subcommand
    subcommand: Option<String>,
}

impl Man {
    pub(crate) fn run(self, out: &mut Output) -> Result<Outcome, Failure> {
        let mut program = Arguments::command();
        // Gives each subcommand its whole name.
        program.build();
        let command = match &self.subcommand {
            None => program,
            Some(name) => program
                .find_subcommand(name)
                .cloned()
                .ok_or_else(|| Failure::new(format_args!("there is no subcommand {name}")))?,
        };
        let mut page = Vec::new();
        Page::new(command).render(&mut page).map_err(Failure::new)?;
        out.raw(&page)?;
        Ok(Outcome::AsWanted)
    }
}
