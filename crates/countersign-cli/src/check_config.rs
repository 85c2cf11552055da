//! `countersign check-config`: mistakes in a configuration file, before it is used.

mod schema;

use std::{path::PathBuf, time::SystemTime};

use clap::Args;
use countersign::{Config, Key, Scheme};
use serde_json::{Value, json};

use crate::{escaped::Escaped, failure::Failure, outcome::Outcome, output::Output, toml_file::TomlFile};

/// Checks a configuration file, and that all its keys are there
///
/// Exit status: 0 if it is valid, 2 if it is not. An error names file, line and field.
#[derive(Args)]
#[command(after_help = "\
Examples:
  countersign check-config countersign.toml
  countersign check-config --schema > countersign.schema.json

With the schema, an editor completes and checks the file. Even Better TOML and Taplo find it by its first line:
  #:schema ./countersign.schema.json")]
pub(crate) struct CheckConfig {
    /// The configuration file, in TOML
    #[arg(value_name = "FILE", required_unless_present = "schema")]
    file: Option<PathBuf>,
    /// Prints JSON, for machines
    #[arg(long, conflicts_with = "schema")]
    json: bool,
    /// Prints the JSON Schema of a configuration, for editors
    #[arg(long, conflicts_with = "file")]
    schema: bool,
}

impl CheckConfig {
    pub(crate) fn run(self, out: &mut Output) -> Result<Outcome, Failure> {
        let Some(path) = self.file else {
            out.json(&schema::schema())?;
            return Ok(Outcome::AsWanted);
        };
        let file: TomlFile<Config> = TomlFile::read(&path)?;
        file.checked(file.value.verifier())?;
        let senders = file.checked(file.value.senders())?;
        if self.json {
            out.json(&senders.iter().map(report).collect())?;
            return Ok(Outcome::AsWanted);
        }
        writeln!(out, "{}: valid", Escaped::line(&path.to_string_lossy().into_owned()))?;
        for (scheme, keys) in &senders {
            let keys: Vec<String> = keys.iter().map(show).collect();
            let (name, header) = (Escaped::line(scheme.name()), scheme.header_name());
            writeln!(
                out,
                "  {name}: {header}, {}; keys: {}",
                scheme.algorithm(),
                Escaped::line(&keys.join(", "))
            )?;
        }
        Ok(Outcome::AsWanted)
    }
}

fn show(key: &Key) -> String {
    let state = if key.is_active(SystemTime::now()) { "" } else { " (not active now)" };
    format!("{}{state}", key.id())
}

fn report((scheme, keys): &(Scheme, Vec<Key>)) -> Value {
    let now = SystemTime::now();
    let keys = keys.iter().map(|key| json!({ "id": key.id().as_str(), "is_active": key.is_active(now) }));
    json!({
        "sender": scheme.name(),
        "header": scheme.header_name(),
        "algorithm": scheme.algorithm().as_str(),
        "keys": keys.collect::<Vec<_>>(),
    })
}
