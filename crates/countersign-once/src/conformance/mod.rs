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
mod rules;

use std::{error::Error, fmt, future::Future, sync::Arc, time::Duration};

use tokio::{task::JoinSet, time::timeout};

use crate::{Store, claim::Tokens};
use rules::Bench;

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
        Err(failure) => return Err(Violations::one(Rule::Finishes, failure.to_string())),
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
            verdict.err().map(|what| Violation { rule, what })
        });
    }
    let violations: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    if violations.is_empty() { Ok(()) } else { Err(Violations(violations)) }
}

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident: $sentence:literal,)+) => {
        /// A rule of [`Store`]. `Display` writes it as a sentence.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $(#[doc = $sentence] $rule,)+
        }

        impl Rule {
            /// Every rule.
            pub const ALL: [Self; [$(Self::$rule),+].len()] = [$(Self::$rule),+];
        }

        impl fmt::Display for Rule {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$rule => $sentence,)+
                })
            }
        }
    };
}

rules! {
    Finishes: "A call ends, and does not panic.",
    HeldIsInProgress: "While a claim holds an identity, no other claim is granted, not even one of the same token.",
    CompletedIsDone: "A completed identity is done.",
    ReleasedIsClaimable: "A released identity can be claimed at once.",
    DoneIsNotReleased: "A release, an extension or a claim of its own token leaves a done identity done.",
    ExpiredIsClaimable: "An identity can be claimed again once its lease has run out, and not before.",
    StaleCannotComplete: "A claim that another took over cannot complete the identity.",
    StaleCannotRelease: "A claim that another took over cannot release the identity.",
    StaleCannotExtend: "A claim that another took over cannot extend the lease.",
    DoneIsFenced: "A claim that another took over cannot change what the other completed.",
    StrangerIsFenced: "A token that was never granted cannot end another's claim.",
    LateCompletionCounts: "A completion after the lease counts if no other claim came in between.",
    CompletionRepeats: "A completion can be repeated under its token.",
    ExtendedIsHeld: "An extended lease holds the identity past the end of the first.",
    KeepTimeEnds: "A done identity is forgotten once its keep time has run out, and not before.",
    OneOfMany: "Of many claims at the same time exactly one is granted.",
    OneTakesOver: "Of many claims at the same time after a lease ran out exactly one is granted.",
    IdentitiesAreApart: "Identities do not touch each other, even if they differ in one bit only.",
    EveryDurationFits: "Leases and keep times may be of any length.",
    DroppedCallsAreHarmless: "A call whose future is dropped at any await leaves the store usable.",
}

/// A broken rule.
#[derive(Debug)]
pub struct Violation {
    rule: Rule,
    what: String,
}

impl Violation {
    /// The rule.
    pub fn rule(&self) -> Rule {
        self.rule
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {} But {}", self.rule, self.rule, self.what)
    }
}

/// The rules that a store breaks: at least one. `Debug` is `Display`, so that `unwrap` shows text that can be read.
pub struct Violations(Vec<Violation>);

impl Violations {
    fn one(rule: Rule, what: String) -> Self {
        Self(vec![Violation { rule, what }])
    }

    /// Each broken rule.
    pub fn iter(&self) -> impl Iterator<Item = &Violation> {
        self.0.iter()
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store breaks {} of {} rules:", self.0.len(), Rule::ALL.len())?;
        self.0.iter().try_for_each(|violation| write!(f, "\n- {violation}"))
    }
}

impl fmt::Debug for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for Violations {}
