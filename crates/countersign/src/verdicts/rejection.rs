//! Why a delivery was rejected, for the operator, and the little that its caller may see.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    keys::key::KeyId,
    log::{self, Rejected},
    schemes::scheme::Scheme,
    verdicts::{kind::RejectionKind, profile::Profile, tenancy::Tenancy},
};

/// Why a delivery was rejected.
///
/// `Display` is one line for the operator: it names the sender, the header, the reason and what was expected. It
/// contains no secret, no computed signature and no byte that the caller sent. Tell the caller only
/// [`status`](Self::status) and [`headers`](Self::headers), which are the same for every cause of a 401, and send no
/// body.
#[derive(Clone)]
pub struct Rejection {
    fault: Fault,
    origin: Origin,
}

/// What the delivery was rejected as.
#[derive(Clone)]
pub(crate) enum Origin {
    /// A delivery of this sender.
    Sender(Arc<Profile>),
    /// A delivery of one of several senders: nothing told which.
    Senders(Arc<Names>),
}

/// The senders of one verifier, joined for a log: `shopify or stripe`.
#[derive(Clone)]
pub(crate) struct Names {
    pub(crate) senders: String,
    pub(crate) headers: String,
    pub(crate) tenancy: Tenancy,
}

impl Origin {
    fn tenancy(&self) -> &Tenancy {
        match self {
            Self::Sender(profile) => &profile.tenancy,
            Self::Senders(names) => &names.tenancy,
        }
    }
}

/// What is wrong with a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: RejectionKind,
    pub(crate) detail: Detail,
}

/// A size or name that explains a fault: never bytes that the caller sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    None,
    /// How long the claimed signature's text is, and how long it should be.
    Characters {
        claimed: usize,
        wanted: usize,
    },
    /// How far the timestamp is from now, and how far it may be.
    Apart {
        apart: Duration,
        most: Duration,
    },
    /// The inactive key that signed.
    Key(KeyId),
    /// The signed part at fault.
    Part(String),
}

impl Fault {
    pub(crate) fn new(kind: RejectionKind, detail: Detail) -> Self {
        Self { kind, detail }
    }
}

impl From<RejectionKind> for Fault {
    fn from(kind: RejectionKind) -> Self {
        Self { kind, detail: Detail::None }
    }
}

impl Rejection {
    /// Makes a rejection and logs it: the only place that does, so each is logged once.
    pub(crate) fn new(fault: impl Into<Fault>, origin: Origin) -> Self {
        let fault = fault.into();
        // What else is wrong does not matter, and must not show: a 401 is the same for every tenant.
        let fault = match origin.tenancy().refusal() {
            Some(refusal) if fault.kind.status() == refusal.status() => refusal.into(),
            _ => fault,
        };
        let rejection = Self { fault, origin };
        let told = || Rejected {
            sender: rejection.sender(),
            reason: rejection.kind().as_str(),
            tenant: rejection.tenant(),
            key: rejection.key().map(KeyId::as_str),
        };
        log::rejected(told, &rejection);
        rejection
    }

    /// The reason.
    pub fn kind(&self) -> RejectionKind {
        self.fault.kind
    }

    /// The sender's name; if nothing told which of the verifier's senders it was, the names of all: `shopify or stripe`.
    pub fn sender(&self) -> &str {
        match &self.origin {
            Origin::Sender(profile) => profile.scheme.name(),
            Origin::Senders(names) => &names.senders,
        }
    }

    /// The scheme of the sender; `None` if nothing told which of the verifier's senders it was.
    pub fn scheme(&self) -> Option<&Scheme> {
        match &self.origin {
            Origin::Sender(profile) => Some(&profile.scheme),
            Origin::Senders(_) => None,
        }
    }

    /// The tenant whose verifier rejected the delivery; `None` in a service without tenants, and if there is no such tenant.
    pub fn tenant(&self) -> Option<&str> {
        self.origin.tenancy().tenant()
    }

    /// The inactive key that made the signature, with [`KeyExpired`](RejectionKind::KeyExpired) and
    /// [`KeyNotYetActive`](RejectionKind::KeyNotYetActive); `None` with every other kind.
    pub fn key(&self) -> Option<&KeyId> {
        match &self.fault.detail {
            Detail::Key(key) => Some(key),
            Detail::None | Detail::Characters { .. } | Detail::Apart { .. } | Detail::Part(_) => None,
        }
    }

    /// The HTTP status to answer: 400, 401, 408, 413 or 503.
    pub fn status(&self) -> u16 {
        self.kind().status()
    }

    /// The headers to answer, as pairs of a lower-case name and a value.
    ///
    /// A 401 carries the challenge that [RFC 9110 §15.5.2] requires. On HTTP/1, an adapter adds `connection: close`,
    /// because part of the body may be unread.
    ///
    /// [RFC 9110 §15.5.2]: https://www.rfc-editor.org/rfc/rfc9110#section-15.5.2
    pub fn headers(&self) -> &'static [(&'static str, &'static str)] {
        match self.status() {
            401 => &[("www-authenticate", "Webhook-Signature")],
            // Seconds. Bodies and failures of a lookup come and go within that time, and senders wait longer anyway.
            503 => &[("retry-after", "5")],
            _ => &[],
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let profile = match &self.origin {
            Origin::Sender(profile) => profile,
            Origin::Senders(names) => {
                return write!(f, "{} ({}): {}", names.senders, names.headers, self.fault);
            }
        };
        write!(f, "{} ({}): ", profile.scheme.name(), profile.scheme.header_name())?;
        let keys = || profile.keys.iter().map(KeyId::as_str).collect::<Vec<_>>().join(", ");
        match self.kind() {
            RejectionKind::SignatureMismatch if !profile.scheme.algorithm().signs() => {
                write!(f, "the token is none of ours; keys: {}", keys())
            }
            RejectionKind::SignatureMismatch if profile.scheme.signs_the_body_alone() => {
                write!(f, "{}; keys: {}", self.fault, keys())
            }
            RejectionKind::SignatureMismatch => {
                let parts: Vec<String> = profile.scheme.content.iter().map(ToString::to_string).collect();
                write!(f, "{}; signed: {}; keys: {}", self.fault, parts.join(", "), keys())
            }
            RejectionKind::NoActiveKey => write!(f, "{}; keys: {}", self.fault, keys()),
            RejectionKind::BodyTooLarge => write!(f, "{} of {} bytes", self.fault, profile.body_limit),
            _ => self.fault.fmt(f),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        match &self.detail {
            Detail::None => Ok(()),
            Detail::Characters { claimed, wanted } => {
                write!(f, ": it has {claimed} characters instead of {wanted}")
            }
            Detail::Apart { apart, most } => {
                write!(f, ": {} s from now, with {} s allowed", apart.as_secs(), most.as_secs())
            }
            Detail::Key(key) => write!(f, ": {key}"),
            Detail::Part(part) => write!(f, ": {part}"),
        }
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejection")
            .field("kind", &self.kind())
            .field("reason", &self.to_string())
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Rejection {}
