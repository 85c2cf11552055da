use std::{error::Error, fmt};

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident: $sentence:literal,)+) => {
        /// A rule of [`Store`](crate::Store). `Display` writes it as a sentence.
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
    pub(super) fn new(rule: Rule, what: String) -> Self {
        Self { rule, what }
    }

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
    pub(super) fn new(violations: Vec<Violation>) -> Self {
        Self(violations)
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
