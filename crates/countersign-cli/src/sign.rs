//! `countersign sign`: the headers that a sender would send.

use clap::Args;
use http::Uri;

use crate::{
    escaped::Escaped,
    failure::Failure,
    outcome::Outcome,
    output::Output,
    signing::{SigningArgs, address},
};

/// Signs a body as a sender would, and prints the headers
#[derive(Args)]
#[command(after_help = "\
Examples:
  countersign sign --sender github --secret-env GITHUB_SECRET --body push.json
  countersign sign --sender fluent --private-key-file fluent.pem --as-curl http://localhost:3000/webhooks/fluent
  countersign sign --config countersign.toml --sender acme --as-http | countersign explain --config countersign.toml

A secret is never an argument, because every user of the machine can read those.")]
pub(crate) struct Sign {
    #[command(flatten)]
    signing: SigningArgs,
    /// Where the delivery would go, for a sender that signs its address
    #[arg(value_name = "URL", default_value = "http://localhost/", value_parser = address)]
    url: Uri,
    /// Prints the whole delivery as JSON
    #[arg(long, group = "form")]
    json: bool,
    /// Prints the command that sends the delivery with curl
    #[arg(long, group = "form")]
    as_curl: bool,
    /// Prints the whole delivery as a raw HTTP request
    #[arg(long, group = "form")]
    as_http: bool,
}

impl Sign {
    pub(crate) fn run(self, out: &mut Output) -> Result<Outcome, Failure> {
        let signing = self.signing.signing(&self.url)?;
        if self.json {
            out.json(&signing.delivery()?.json())?;
        } else if self.as_curl {
            writeln!(out, "{}", signing.curl()?)?;
        } else if self.as_http {
            out.raw(&signing.delivery()?.http())?;
        } else {
            for (name, value) in &signing.delivery()?.headers {
                writeln!(out, "{}: {}", Escaped::line(name), Escaped::line(value))?;
            }
        }
        Ok(Outcome::AsWanted)
    }
}
