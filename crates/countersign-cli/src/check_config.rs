//! `countersign check-config`: mistakes in a configuration file, before it is used.

mod schema;
mod serve_schema;

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use clap::Args;
use countersign::{Config, Key, Scheme};
use serde_json::{Value, json};

use crate::{
    escaped::Escaped,
    failure::Failure,
    outcome::Outcome,
    output::Output,
    serve::{RouteConfig, Routes, ServeConfig},
    toml_file::TomlFile,
};

/// Checks a configuration file, and that all its keys are there
///
/// A file with routes is one for `countersign serve`. Stores and services are not called.
///
/// Exit status: 0 if it is valid, 2 if it is not. An error names file, line and field.
#[derive(Args)]
#[command(after_help = "\
Examples:
  countersign check-config countersign.toml
  countersign check-config --json countersign.toml
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
        if TomlFile::<toml::Table>::read(&path)?.value.contains_key("route") {
            check_routes(&path, self.json, out)?;
        } else {
            check_senders(&path, self.json, out)?;
        }
        Ok(Outcome::AsWanted)
    }
}

fn check_senders(path: &Path, json: bool, out: &mut Output) -> Result<(), Failure> {
    let file: TomlFile<Config> = TomlFile::read(path)?;
    file.checked(file.value.verifier())?;
    let senders = file.checked(file.value.senders())?;
    if json {
        return out.json(&report(&senders));
    }
    valid(path, out)?;
    show("  ", &senders, out)
}

fn check_routes(path: &Path, json: bool, out: &mut Output) -> Result<(), Failure> {
    let file: TomlFile<ServeConfig> = TomlFile::read(path)?;
    Routes::check(&file)?;
    let mut routes = Vec::new();
    for route in &file.value.routes {
        // It is valid, and its keys are there: that was checked.
        let senders = route.endpoint().senders().map_err(|error| file.report(&error))?;
        let upstream = file.value.upstream_of(route).map(ToString::to_string).unwrap_or_default();
        routes.push((route, upstream, senders));
    }
    if json {
        let report = |(route, upstream, senders): &(&RouteConfig, String, Senders)| {
            json!({
                "path": route.path,
                "methods": route.methods,
                "upstream": upstream,
                "handling": route.handling,
                "senders": report(senders),
            })
        };
        return out.json(&json!({ "routes": routes.iter().map(report).collect::<Value>() }));
    }
    valid(path, out)?;
    for (route, upstream, senders) in &routes {
        writeln!(out, "  {} {}: {upstream}", route.methods.join(", "), Escaped::line(&route.path))?;
        show("    ", senders, out)?;
    }
    Ok(())
}

type Senders = Vec<(Scheme, Vec<Key>)>;

fn valid(path: &Path, out: &mut Output) -> Result<(), Failure> {
    writeln!(out, "{}: valid", Escaped::line(&path.to_string_lossy().into_owned()))?;
    Ok(())
}

fn show(indent: &str, senders: &Senders, out: &mut Output) -> Result<(), Failure> {
    for (scheme, keys) in senders {
        let keys: Vec<String> = keys.iter().map(show_key).collect();
        let (name, header) = (Escaped::line(scheme.name()), scheme.header_name());
        let (algorithm, keys) = (scheme.algorithm(), keys.join(", "));
        writeln!(out, "{indent}{name}: {header}, {algorithm}; keys: {}", Escaped::line(&keys))?;
    }
    Ok(())
}

fn show_key(key: &Key) -> String {
    let state = if key.is_active(SystemTime::now()) { "" } else { " (not active now)" };
    format!("{}{state}", key.id())
}

fn report(senders: &Senders) -> Value {
    senders.iter().map(report_sender).collect()
}

fn report_sender((scheme, keys): &(Scheme, Vec<Key>)) -> Value {
    let now = SystemTime::now();
    let keys = keys.iter().map(|key| json!({ "id": key.id().as_str(), "is_active": key.is_active(now) }));
    json!({
        "sender": scheme.name(),
        "header": scheme.header_name(),
        "algorithm": scheme.algorithm().as_str(),
        "keys": keys.collect::<Vec<_>>(),
    })
}
