use std::process::ExitCode;

/// What a subcommand found, which becomes the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Everything is as wanted: status 0.
    AsWanted,
    /// A verdict or an answer is not the wanted one: status 1.
    NotAsWanted,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::AsWanted => Self::SUCCESS,
            Outcome::NotAsWanted => Self::from(1),
        }
    }
}
