//! The alert rules, the dashboard and docs/operating.md name what is really emitted.
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a failing test panics")]

mod emitted;
mod queries;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use countersign::RejectionKind;
use serde::Deserialize;

use crate::{
    emitted::Emitted,
    queries::{Query, words},
};

#[derive(Deserialize)]
struct Rules {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    alert: String,
    expr: String,
    annotations: BTreeMap<String, String>,
}

fn here(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

fn read(file: &str) -> String {
    fs::read_to_string(here(file)).unwrap()
}

fn rules() -> Vec<Rule> {
    let rules: Rules = serde_saphyr::from_str(&read("alerts.yml")).unwrap();
    rules.groups.into_iter().flat_map(|group| group.rules).collect()
}

/// The queries of the dashboard, each with its legend.
fn panels() -> Vec<(String, String)> {
    let dashboard: serde_json::Value = serde_json::from_str(&read("dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().unwrap());
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    targets.map(|target| (text(&target["expr"]), text(&target["legendFormat"]))).collect()
}

/// What the guide says of each metric: the words in code font in its row.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let page = read("../../docs/operating.md");
    let rows =
        page.lines().filter(|line| line.starts_with("| `countersign_") && line.matches(" | ").count() == 2);
    let rows = rows
        .filter(|line| ["| counter |", "| gauge |", "| histogram |"].iter().any(|kind| line.contains(kind)));
    rows.map(|row| {
        let mut code = row.split('`').skip(1).step_by(2).map(str::to_owned);
        (code.next().unwrap(), code.collect())
    })
    .collect()
}

#[test]
fn every_metric_that_is_emitted_is_documented_with_its_labels_and_no_other() {
    let emitted = Emitted::by_a_receiver();
    let documented = documented();
    let names = |names: &mut dyn Iterator<Item = &String>| names.cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&mut emitted.labels.keys()), names(&mut documented.keys()));
    for (name, labels) in &emitted.labels {
        let row = &documented[name];
        for (label, values) in labels {
            assert!(row.contains(label), "{name}: the label {label} is not documented");
            // Names that the set-up chooses are not listed.
            if !["sender", "key", "reason", "budget"].contains(&label.as_str()) {
                assert!(values.iter().all(|value| row.contains(value)), "{name}: {label}: {values:?}");
            }
        }
        let is_label = |word: &&String| emitted.labels.values().any(|labels| labels.contains_key(*word));
        for label in row.iter().filter(is_label) {
            assert!(
                labels.contains_key(label),
                "{name} is documented with the label {label}, which it does not have"
            );
        }
    }
}

#[test]
fn every_rule_and_panel_asks_for_what_is_emitted() {
    let emitted = Emitted::by_a_receiver();
    let documented = documented();
    let reasons: BTreeSet<_> = RejectionKind::ALL.iter().map(|kind| kind.as_str().to_owned()).collect();
    let rules: Vec<_> = rules()
        .into_iter()
        .map(|rule| (rule.expr, rule.annotations["summary"].clone(), rule.alert))
        .collect();
    let panels = panels().into_iter().map(|(query, legend)| (query.clone(), legend, query));
    let mut asked = BTreeSet::new();
    let alarms = rules.len();
    for (query, text, place) in rules.into_iter().chain(panels) {
        let query = Query::parse(&query);
        assert!(!query.selectors.is_empty(), "{place}: asks for nothing");
        for (series, matchers) in &query.selectors {
            let name = emitted.metric(series).unwrap_or_else(|| panic!("{place}: nothing emits {series}"));
            asked.insert(name.to_owned());
            for (label, value) in matchers {
                let labels = &emitted.labels[name];
                assert!(labels.contains_key(label), "{place}: {series} has no label {label}");
                let known = if label == "reason" { &reasons } else { &documented[name] };
                for value in value.split('|').filter(|value| *value != "$sender") {
                    assert!(known.contains(value), "{place}: {series}: {label} is never {value}");
                }
            }
        }
        for (label, series) in &query.grouped {
            let name = emitted.metric(series).unwrap();
            let has =
                emitted.labels[name].contains_key(label) || (label == "le" && series.ends_with("_bucket"));
            assert!(has, "{place}: {series} has no label {label}");
        }
        for label in words(&text) {
            assert!(
                query.grouped.iter().any(|(grouped, _)| *grouped == label) || query.has(&emitted, &label),
                "{place}: {text}: no label {label}"
            );
        }
    }
    assert!(alarms > 15, "{alarms}");
    let all: BTreeSet<_> = emitted.labels.keys().cloned().collect();
    assert_eq!(asked, all, "a metric that no rule or panel asks for");
}

#[test]
fn promtool_accepts_the_rules_and_raises_the_alarms() {
    let promtool = |arguments: &[&str]| {
        let command = Command::new("promtool").args(arguments).current_dir(here("")).output();
        command.map(|output| {
            let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
            assert!(output.status.success(), "promtool {arguments:?}: {}", said.concat());
        })
    };
    if Command::new("promtool").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err()
    {
        eprintln!(
            "SKIPPED: promtool is not installed (Debian: prometheus), so the rules were only checked for their names"
        );
        return;
    }
    promtool(&["check", "rules", "alerts.yml"]).unwrap();
    promtool(&["check", "config", "prometheus.yml"]).unwrap();
    promtool(&["test", "rules", "alerts_test.yml"]).unwrap();
}
