//! What a PromQL query asks for.

use std::convert::Infallible;

use promql_parser::{
    parser::{Expr, LabelModifier, VectorSelector, parse},
    util::{ExprVisitor, walk_expr},
};

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
        let query = parse(query).unwrap_or_else(|mistake| panic!("{query}: {mistake}"));
        Self::of(&query)
    }

    /// Whether each series keeps this label to the end, because nothing is grouped.
    pub(crate) fn has(&self, emitted: &Emitted, label: &str) -> bool {
        let has = |series: &str| emitted.labels[emitted.metric(series).unwrap()].contains_key(label);
        self.grouped.is_empty() && self.selectors.iter().all(|(series, _)| has(series))
    }

    fn of(query: &Expr) -> Self {
        let mut found = Self::default();
        let Ok(_) = walk_expr(&mut found, query);
        found
    }

    fn select(&mut self, selector: &VectorSelector) {
        let matchers = selector.matchers.matchers.iter();
        let matchers = matchers.map(|matcher| (matcher.name.clone(), matcher.value.clone())).collect();
        self.selectors.push((selector.name.clone().unwrap(), matchers));
    }

    fn group(&mut self, by: Option<&LabelModifier>, parts: &[&Expr]) {
        let Some(by) = by else { return };
        for (series, _) in parts.iter().flat_map(|part| Self::of(part).selectors) {
            self.grouped.extend(by.labels().labels.iter().map(|label| (label.clone(), series.clone())));
        }
    }
}

impl ExprVisitor for Query {
    type Error = Infallible;

    fn pre_visit(&mut self, part: &Expr) -> Result<bool, Infallible> {
        match part {
            Expr::VectorSelector(selector) => self.select(selector),
            Expr::MatrixSelector(matrix) => self.select(&matrix.vs),
            Expr::Aggregate(aggregate) => self.group(aggregate.modifier.as_ref(), &[&aggregate.expr]),
            Expr::Binary(binary) => {
                let on = binary.modifier.as_ref().and_then(|modifier| modifier.matching.as_ref());
                self.group(on, &[&binary.lhs, &binary.rhs]);
            }
            _ => {}
        }
        Ok(true)
    }
}

/// The labels that a text shows: `{{ $labels.sender }}` in an alarm, `{{sender}}` in a legend.
pub(crate) fn words(text: &str) -> Vec<String> {
    let shown = text.split("{{").skip(1).filter_map(|rest| rest.split_once("}}"));
    let shown = shown.map(|(shown, _)| shown.trim().trim_start_matches("$labels.").to_owned());
    shown.filter(|shown| !shown.starts_with("$value")).collect()
}
