//! What a `PromQL` query asks for.

use rusty_promql_parser::{Expr, VectorSelector, expr};

use crate::emitted::Emitted;

/// The series, the labels and the values that a query names.
#[derive(Default)]
pub(crate) struct Query {
    /// Each series, and the labels that it must have, with a value or several of them.
    pub(crate) selectors: Vec<(String, Vec<(String, String)>)>,
    /// Each label by which series are grouped or matched, and each of those series.
    pub(crate) grouped: Vec<(String, String)>,
}

impl Query {
    pub(crate) fn parse(query: &str) -> Self {
        let mut found = Self::default();
        found.visit(&parse(query));
        found
    }

    /// Whether each series keeps this label to the end, because nothing is grouped.
    pub(crate) fn has(&self, emitted: &Emitted, label: &str) -> bool {
        let has = |series: &str| emitted.labels[emitted.metric(series).unwrap()].contains_key(label);
        self.grouped.is_empty() && self.selectors.iter().all(|(series, _)| has(series))
    }

    fn visit(&mut self, part: &Expr) {
        match part {
            Expr::Number(_) | Expr::String(_) => {}
            Expr::VectorSelector(selector) => self.select(selector),
            Expr::MatrixSelector(matrix) => self.select(&matrix.selector),
            Expr::Call(call) => call.args.iter().for_each(|part| self.visit(part)),
            Expr::Aggregation(aggregation) => {
                let by = aggregation.grouping.as_ref().map(|grouping| grouping.labels.as_slice());
                self.visit_grouped(by, &[&aggregation.expr]);
            }
            Expr::Binary(binary) => {
                let matching = binary.modifier.as_ref().and_then(|modifier| modifier.matching.as_ref());
                let on = matching.map(|matching| matching.labels.as_slice());
                self.visit_grouped(on, &[&binary.lhs, &binary.rhs]);
            }
            Expr::Unary(unary) => self.visit(&unary.expr),
            Expr::Paren(part) => self.visit(part),
            Expr::Subquery(subquery) => self.visit(&subquery.expr),
        }
    }

    fn visit_grouped(&mut self, labels: Option<&[String]>, parts: &[&Expr]) {
        let before = self.selectors.len();
        for part in parts {
            self.visit(part);
        }
        for label in labels.unwrap_or_default() {
            let series = self.selectors[before..].iter().map(|(series, _)| (label.clone(), series.clone()));
            self.grouped.extend(series);
        }
    }

    fn select(&mut self, selector: &VectorSelector) {
        let matchers = selector.matchers.iter().map(|matcher| (matcher.name.clone(), matcher.value.clone()));
        self.selectors.push((selector.name.clone().unwrap(), matchers.collect()));
    }
}

/// Parses all of a query.
pub(crate) fn parse(query: &str) -> Expr {
    let (rest, parsed) = expr(query.trim()).unwrap_or_else(|mistake| panic!("{query}: {mistake}"));
    assert_eq!(rest.trim(), "", "{query}");
    parsed
}

/// The labels that a text shows: `{{ $labels.sender }}` in an alarm, `{{sender}}` in a legend.
pub(crate) fn words(text: &str) -> Vec<String> {
    let shown = text.split("{{").skip(1).filter_map(|rest| rest.split_once("}}"));
    let shown = shown.map(|(shown, _)| shown.trim().trim_start_matches("$labels.").to_owned());
    shown.filter(|shown| !shown.starts_with("$value")).collect()
}
