//! A test kit for stores (feature `conformance`).
//!
//! ```
//! # use countersign_once::MemoryStore;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use countersign_once::conformance;
//!
//! // In a `#[tokio::test]`, with your own store:
//! conformance::check(|| async { MemoryStore::default() }).await?;
//! # Ok(())
//! # }
//! ```

mod attempt;
mod rule;
mod rules;

use std::{future::Future, sync::Arc, time::Duration};

use tokio::{task::JoinSet, time::timeout};

use self::attempt::Bench;
use crate::{Store, claim::Tokens};

pub use self::rule::{Rule, Violation, Violations};

/// The longest that one rule may take.
const LIMIT: Duration = Duration::from_secs(15);

/// Tests every rule that [`Store`] states, all at the same time, in about two seconds.
///
/// `open` gives each rule its store. They may share one server or one file, and what is in there already does no harm: the kit
/// uses identities that nobody used before, and leaves them behind. It needs a tokio runtime with timers; a runtime of
/// several threads finds more.
///
/// # Errors
///
/// The rules that the store breaks, each with what the kit did and what came of it. `unwrap` shows the same text.
pub async fn check<S, F>(open: impl Fn() -> F) -> Result<(), Violations>
where
    S: Store,
    F: Future<Output = S>,
{
    let tokens = match Tokens::new() {
        Ok(tokens) => Arc::new(tokens),
        Err(failure) => {
            return Err(Violations::new(vec![Violation::new(Rule::Finishes, failure.to_string())]));
        }
    };
    let mut tasks = JoinSet::new();
    for rule in Rule::ALL {
        let bench = Bench::new(open().await, Arc::clone(&tokens));
        tasks.spawn(async move {
            // A task of its own, so that a panic of the store is a violation of this rule.
            let mut task = JoinSet::new();
            task.spawn(rules::check(rule, bench));
            let verdict = match timeout(LIMIT, task.join_next()).await {
                Ok(Some(Ok(verdict))) => verdict,
                Ok(Some(Err(panic))) => Err(panic.to_string()),
                Ok(None) | Err(_) => Err(format!("the rule did not end within {LIMIT:?}")),
            };
            verdict.err().map(|what| Violation::new(rule, what))
        });
    }
    let violations: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    if violations.is_empty() { Ok(()) } else { Err(Violations::new(violations)) }
}
