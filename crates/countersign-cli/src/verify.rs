//! `countersign verify`: the verdict on captured requests.

use clap::Args;
use countersign::{Rejection, RequestHead, Verified};
use serde_json::{Value, json};

use crate::{
    capture::Captured,
    escaped::Escaped,
    failure::Failure,
    instant,
    judging::{Judging, JudgingArgs},
    outcome::Outcome,
    output::Output,
};

/// Verifies a captured request: a raw HTTP file, a HAR, a command line of curl, or an export of webhook.site or ngrok
///
/// Exit status: 0 if all are verified, 1 if one is rejected.
#[derive(Args)]
#[command(after_help = "\
Examples:
  countersign verify --sender github --secret-env GITHUB_SECRET request.http
  countersign verify --config countersign.toml --entry 3 devtools.har
  pbpaste | countersign verify --sender stripe --secret-file stripe.secret --at 2026-11-25T07:30:00Z
  curl -s http://localhost:4040/api/requests/http | countersign verify --config countersign.toml --json

Options of curl that are read: -X, -H, -d, --data-raw, --data-binary, --json, --url. Nothing is run, and no file that the command
names is read.")]
pub(crate) struct Verify {
    #[command(flatten)]
    judging: JudgingArgs,
}

impl Verify {
    pub(crate) fn run(self, out: &mut Output) -> Result<Outcome, Failure> {
        let judging = self.judging.judging()?;
        let mut outcome = Outcome::AsWanted;
        let mut list = Vec::new();
        for delivery in &judging.deliveries {
            let head = RequestHead::new(&delivery.method, &delivery.target, &delivery.headers);
            let verdict = judging.verifier.verify(&head, &delivery.body, judging.time_of(delivery));
            if verdict.is_err() {
                outcome = Outcome::NotAsWanted;
            }
            if self.judging.json {
                list.push(report(&judging, delivery, verdict.as_ref()));
                continue;
            }
            title(out, &judging, delivery)?;
            match &verdict {
                Ok(verified) => {
                    let (sender, key) = (verified.scheme().name(), verified.key().as_str());
                    writeln!(out, "verified: {}, key {}", Escaped::line(sender), Escaped::line(key))?;
                }
                Err(rejection) => {
                    let text = rejection.to_string();
                    writeln!(out, "rejected as {}: {}", rejection.kind().as_str(), Escaped::line(&text))?;
                }
            }
        }
        if self.judging.json {
            out.json(&list.into())?;
        }
        Ok(outcome)
    }
}

/// Says which delivery it is, if there are several, and what is peculiar about the capture.
pub(crate) fn title(out: &mut Output, judging: &Judging, delivery: &Captured) -> Result<(), Failure> {
    if judging.deliveries.len() > 1 {
        let (method, target) = (Escaped::line(&delivery.method), Escaped::line(&delivery.target));
        let at = instant::show(judging.time_of(delivery));
        write!(out, "{}. {method} {target} at {at}: ", delivery.entry)?;
    }
    if let Some(note) = delivery.note {
        write!(out, "({note}) ")?;
    }
    Ok(())
}

/// The verdict for machines.
pub(crate) fn report(
    judging: &Judging,
    delivery: &Captured,
    verdict: Result<&Verified, &Rejection>,
) -> Value {
    json!({
        "entry": delivery.entry,
        "method": delivery.method,
        "target": delivery.target,
        "at": instant::show(judging.time_of(delivery)),
        "note": delivery.note,
        "verdict": if verdict.is_ok() { "verified" } else { "rejected" },
        "sender": verdict.map_or_else(Rejection::sender, |verified| verified.scheme().name()),
        "key": match verdict {
            Ok(verified) => Some(verified.key().as_str()),
            Err(rejection) => rejection.key().map(countersign::KeyId::as_str),
        },
        "reason": verdict.err().map(|rejection| rejection.kind().as_str()),
        "message": verdict.err().map(ToString::to_string),
    })
}
