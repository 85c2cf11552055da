use std::{fmt, io::Write, process::ExitCode};

use anstyle::{AnsiColor, Style};

use crate::escaped::Escaped;

/// A mistake in the arguments or the set-up, for which a subcommand stops: status 2.
///
/// The message names what is wrong and, where it can, what to do. It contains no secret.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        Self(message.to_string())
    }

    /// Prints the message to the standard error, and returns the exit status.
    pub(crate) fn report(self) -> ExitCode {
        let style = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        // If nobody reads it, the status still tells.
        let _ = writeln!(anstream::stderr(), "{style}error:{style:#} {}", Escaped::lines(&self.0));
        ExitCode::from(2)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped::lines(&self.0).fmt(f)
    }
}
