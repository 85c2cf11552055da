//! `countersign senders`: the named senders and the facts about them.

use anstyle::Style;
use clap::Args;
use countersign::{Algorithm, BuildError, Facts, Scheme, senders};
use serde_json::{Value, json};

use crate::{escaped::Escaped, failure::Failure, outcome::Outcome, output::Output};

/// Lists the named senders: what they sign, how, and where those facts come from
#[derive(Args)]
#[command(after_help = "\
Examples:
  countersign senders
  countersign senders stripe
  countersign senders --json | jq -r '.[] | select(.key == \"public key\") | .sender'")]
pub(crate) struct Senders {
    /// Only this sender, in detail
    sender: Option<String>,
    /// Prints JSON, for machines
    #[arg(long)]
    json: bool,
}

impl Senders {
    pub(crate) fn run(self, out: &mut Output) -> Result<Outcome, Failure> {
        let schemes: Vec<Scheme> = match &self.sender {
            Some(name) => vec![named(name).map_err(Failure::new)?],
            None => senders::names().map(named).collect::<Result<_, _>>().map_err(Failure::new)?,
        };
        match (&self.sender, &*schemes, self.json) {
            (Some(_), [scheme], true) => out.json(&report(scheme))?,
            (_, schemes, true) => out.json(&schemes.iter().map(report).collect())?,
            (Some(_), [scheme], false) => detail(scheme, out)?,
            (_, schemes, false) => table(schemes, out)?,
        }
        Ok(Outcome::AsWanted)
    }
}

/// The scheme of a named sender. One that signs the receiver's address is shown with an address that means nothing.
fn named(name: &str) -> Result<Scheme, BuildError> {
    senders::named(name, None).or_else(|error| match error {
        BuildError::Scheme { field: "url", .. } => senders::named(name, Some("https://receiver.example/")),
        error => Err(error),
    })
}

/// What a receiver holds to verify the sender's deliveries.
fn key(scheme: &Scheme) -> &'static str {
    match scheme.algorithm() {
        Algorithm::HmacSha256 | Algorithm::HmacSha384 | Algorithm::HmacSha512 | Algorithm::LegacyHmacSha1 => {
            "secret"
        }
        Algorithm::UnsignedToken => "token",
        _ => "public key",
    }
}

/// What the sender signs, in words.
fn signed(scheme: &Scheme) -> String {
    let parts: Vec<String> = scheme.signed_parts().iter().map(ToString::to_string).collect();
    match (&*parts, scheme.body_digest_parameter()) {
        ([], _) => "nothing".to_owned(),
        (parts, None) => parts.join(", "),
        (parts, Some(parameter)) => {
            format!("{} (with the body's SHA-256 as {parameter})", parts.join(", "))
        }
    }
}

fn report(scheme: &Scheme) -> Value {
    let facts = scheme.facts();
    json!({
        "sender": scheme.name(),
        "header": scheme.header_name(),
        "value": scheme.signature_shape(),
        "algorithm": scheme.algorithm().as_str(),
        "signed": scheme.signed_parts().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "body_digest_parameter": scheme.body_digest_parameter(),
        "key": key(scheme),
        "identity": scheme.identity_source().to_string(),
        "retry_horizon_seconds": scheme.retry_horizon().as_secs(),
        "source": facts.map(|facts| facts.source),
        "checked": facts.map(|facts| facts.checked),
        "inferred": facts.map(|facts| facts.inferred),
    })
}

/// Two lines for each sender: what it sends, and where that is stated.
fn table(schemes: &[Scheme], out: &mut Output) -> Result<(), Failure> {
    let row = |scheme: &Scheme| {
        [
            scheme.name().to_owned(),
            scheme.header_name().to_owned(),
            scheme.algorithm().to_string(),
            signed(scheme),
        ]
    };
    let rows: Vec<[String; 4]> = schemes.iter().map(row).collect();
    let titles = ["SENDER", "HEADER", "ALGORITHM", "SIGNED"].map(str::to_owned);
    let width = |column: fn(&[String; 4]) -> &String| {
        rows.iter().chain([&titles]).map(|row| column(row).chars().count()).max().unwrap_or_default()
    };
    let widths = (width(|[cell, ..]| cell), width(|[_, cell, ..]| cell), width(|[_, _, cell, _]| cell));
    let mut line = |[sender, header, algorithm, signed]: &[String; 4], below: &str| {
        let (first, second, third) = widths;
        let dimmed = Style::new().dimmed();
        writeln!(out, "{sender:first$}  {header:second$}  {algorithm:third$}  {}", Escaped::line(signed))?;
        writeln!(out, "{dimmed}{:first$}  {below}{dimmed:#}", "")
    };
    line(&titles, "SOURCE, CHECKED")?;
    for (row, scheme) in rows.iter().zip(schemes) {
        let below = scheme.facts().map(|facts| format!("{}, {}", facts.source, facts.checked));
        line(row, &below.unwrap_or_default())?;
    }
    writeln!(out, "\n`countersign senders NAME` shows what is inferred.")
}

fn detail(scheme: &Scheme, out: &mut Output) -> Result<(), Failure> {
    writeln!(out, "{}", scheme.name())?;
    writeln!(out, "  header:        {}: {}", scheme.header_name(), scheme.signature_shape())?;
    writeln!(out, "  algorithm:     {}", scheme.algorithm())?;
    writeln!(out, "  signed:        {}", Escaped::line(&signed(scheme)))?;
    writeln!(out, "  key:           {}", key(scheme))?;
    writeln!(out, "  identity:      {}", scheme.identity_source())?;
    writeln!(out, "  retry horizon: {} s", scheme.retry_horizon().as_secs())?;
    let Some(Facts { source, checked, inferred, .. }) = scheme.facts() else { return Ok(()) };
    writeln!(out, "  source:        {source}")?;
    writeln!(out, "  checked:       {checked}")?;
    for what in inferred {
        writeln!(out, "  inferred:      {what}")?;
    }
    Ok(())
}
