//! `countersign explain`: why captured requests are rejected.

use clap::Args;
use countersign::{Cause, Explainer, Explanation, RequestHead};
use serde_json::{Value, json};

use crate::{
    escaped::Escaped,
    failure::Failure,
    judging::JudgingArgs,
    outcome::Outcome,
    output::Output,
    verify::{report, title},
};

/// Explains why a captured request is rejected, by undoing what goes wrong in practice
///
/// It reads what `countersign verify` reads. Exit status: 0 if all are verified, 1 if one is rejected.
#[derive(Args)]
#[command(after_help = "\
Examples:
  countersign explain --sender github --secret-env GITHUB_SECRET request.http
  countersign explain --sender square --secret-file square.secret --signed-url https://shop.example/square devtools.har
  countersign sign --config countersign.toml --break body --as-http | countersign explain --config countersign.toml")]
pub(crate) struct Explain {
    #[command(flatten)]
    judging: JudgingArgs,
}

impl Explain {
    pub(crate) fn run(self, out: &mut Output) -> Result<Outcome, Failure> {
        let judging = self.judging.judging()?;
        let explainer = judging.keys.iter().cloned().fold(Explainer::new(&judging.verifier), Explainer::key);
        let mut outcome = Outcome::AsWanted;
        let mut list = Vec::new();
        for delivery in &judging.deliveries {
            let head = RequestHead::new(&delivery.method, &delivery.target, &delivery.headers);
            let time = judging.time_of(delivery);
            let explanation = explainer.explain(&head, &delivery.body, time);
            if explanation.rejection().is_some() {
                outcome = Outcome::NotAsWanted;
            }
            if self.judging.json {
                let verdict = judging.verifier.verify(&head, &delivery.body, time);
                list.push(with_causes(report(&judging, delivery, verdict.as_ref()), &explanation));
            } else {
                title(out, &judging, delivery)?;
                writeln!(out, "{}", Escaped::lines(&explanation.to_string()))?;
            }
        }
        if self.judging.json {
            out.json(&list.into())?;
        }
        Ok(outcome)
    }
}

fn with_causes(mut report: Value, explanation: &Explanation) -> Value {
    let cause = |cause: &Cause| {
        json!({
            "hypothesis": cause.hypothesis().as_str(),
            "about": cause.about(),
            "message": cause.to_string(),
        })
    };
    if let Value::Object(fields) = &mut report {
        fields.insert("causes".to_owned(), explanation.causes().iter().map(cause).collect());
        fields.insert("key".to_owned(), explanation.key().map(countersign::KeyId::as_str).into());
        fields.insert("is_proven".to_owned(), explanation.is_proven().into());
        fields.insert("is_complete".to_owned(), explanation.is_complete().into());
    }
    report
}
