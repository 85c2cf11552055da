//! Senders and keys, checked and frozen at start-up.

mod builder;

use std::{fmt, sync::Arc, time::SystemTime};

pub use self::builder::VerifierBuilder;
#[cfg(feature = "bytes")]
use crate::buffered::BufferedVerification;
use crate::{
    error::BuildError,
    headers::{Headers, Occurrence, occurrence},
    key::KeyId,
    rejection::{Rejection, RejectionKind},
    scheme::Scheme,
    sender::Sender,
    verification::{Verification, Verified},
};

/// The body limit where none is set: 1 MiB. Most senders' deliveries are a few KiB.
pub const DEFAULT_BODY_LIMIT: usize = 1 << 20;

/// What a sender puts on the wire and the keys we hold, ready to verify deliveries.
///
/// Built once, at start-up; cheap to clone and shared between threads. The secrets that it was built from are
/// wiped; what it keeps are the HMACs' key schedules, which are wiped when the last clone is dropped.
///
/// ```
/// use std::time::SystemTime;
/// use countersign::{RejectionKind, Secret, Verifier, senders};
///
/// let verifier = Verifier::builder(senders::extend()).secret("2026-q1", Secret::new("secret123")).build()?;
///
/// // The sample that the sender documents.
/// let headers = [("ms-signature", "sha256=25FB6994568A75CD233E04BA1C653AF1BF476041CC543AF04F82CAAC482C201A")];
/// let verified = verifier.verify(&headers, b"{'test':'test2'}", SystemTime::now())?;
/// assert_eq!(verified.key().as_str(), "2026-q1");
///
/// let rejection = verifier.verify(&headers, b"{'test':'test3'}", SystemTime::now()).unwrap_err();
/// assert_eq!(rejection.kind(), RejectionKind::SignatureMismatch);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Verifier(Arc<Shared>);

struct Shared {
    /// Never empty; no two have the same signature header.
    senders: Vec<Arc<Sender>>,
    on_several: OnSeveral,
    depends_on_time: bool,
    names: String,
    header_names: String,
}

/// What becomes of a request with the signature headers of several senders.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OnSeveral {
    Reject,
    TakeFirst,
}

impl Verifier {
    /// Starts a verifier for deliveries of this scheme.
    pub fn builder(scheme: Scheme) -> VerifierBuilder {
        VerifierBuilder::new(scheme)
    }

    /// One verifier for an endpoint with several senders: a delivery is verified as that of the sender whose signature
    /// header it has. One with the headers of two is rejected.
    ///
    /// Whoever calls chooses the header, and so the sender: the address is as strong as the weakest of them. A handler that
    /// does not treat all alike looks at [`Verified::scheme`].
    ///
    /// ```
    /// use countersign::{Secret, Verifier, senders};
    ///
    /// let shopify = Verifier::builder(senders::shopify()).secret("2026-q1", Secret::new("shpss_…")).build()?;
    /// let stripe = Verifier::builder(senders::stripe()).secret("2026-q1", Secret::new("whsec_…")).build()?;
    /// let verifier = Verifier::any_of([shopify, stripe])?;
    /// # let _ = verifier;
    /// # Ok::<(), countersign::BuildError>(())
    /// ```
    ///
    /// # Errors
    /// [`NoSender`](BuildError::NoSender) for an empty list, [`NestedSenders`](BuildError::NestedSenders) for a verifier that
    /// is itself of several, and [`SameHeader`](BuildError::SameHeader) where two senders
    /// have the same signature header.
    pub fn any_of(verifiers: impl IntoIterator<Item = Self>) -> Result<Self, BuildError> {
        Self::several(verifiers, OnSeveral::Reject)
    }

    /// As [`any_of`](Self::any_of), but of several senders whose signature headers are there, the first in this list
    /// counts, and no other is looked at: for a sender that sends an old and a new signature. It is no protection from the
    /// weaker of two: a caller can leave the stronger one's header out.
    ///
    /// # Errors
    /// Those of [`any_of`](Self::any_of).
    pub fn first_of(verifiers: impl IntoIterator<Item = Self>) -> Result<Self, BuildError> {
        Self::several(verifiers, OnSeveral::TakeFirst)
    }

    fn several(verifiers: impl IntoIterator<Item = Self>, on_several: OnSeveral) -> Result<Self, BuildError> {
        let mut senders = Vec::new();
        for verifier in verifiers {
            match verifier.0.senders.as_slice() {
                [sender] => senders.push(Arc::clone(sender)),
                _ => return Err(BuildError::NestedSenders { senders: verifier.0.names.clone() }),
            }
        }
        Self::new(senders, on_several)
    }

    fn new(senders: Vec<Arc<Sender>>, on_several: OnSeveral) -> Result<Self, BuildError> {
        let names = |name: fn(&Scheme) -> &str| {
            let names: Vec<&str> = senders.iter().map(|sender| name(&sender.scheme)).collect();
            names.join(" or ")
        };
        let (names, header_names) = (names(Scheme::name), names(Scheme::header_name));
        if senders.is_empty() {
            return Err(BuildError::NoSender);
        }
        for (place, sender) in (1..).zip(&senders) {
            let same = |other: &&Arc<Sender>| other.scheme.header_name() == sender.scheme.header_name();
            if let Some(other) = senders.iter().skip(place).find(same) {
                return Err(BuildError::SameHeader {
                    first: sender.scheme.name().to_owned(),
                    second: other.scheme.name().to_owned(),
                    header: sender.scheme.header_name().to_owned(),
                });
            }
        }
        let depends_on_time = senders.iter().any(|sender| sender.depends_on_time());
        Ok(Self(Arc::new(Shared { senders, on_several, depends_on_time, names, header_names })))
    }

    /// Verifies a delivery whose body is at hand: [`begin`](Self::begin), [`update`](Verification::update) and
    /// [`finish`](Verification::finish) in one.
    ///
    /// `headers` come with a [`RequestHead`](crate::RequestHead) where the scheme signs the method or the address. `body`
    /// is the exact bytes that arrived, before decompression or parsing; `now` is the receiver's clock.
    ///
    /// # Errors
    /// A [`Rejection`] for the first check that fails, in the order of [`RejectionKind`].
    pub fn verify(
        &self,
        headers: &(impl Headers + ?Sized),
        body: &[u8],
        now: SystemTime,
    ) -> Result<Verified, Rejection> {
        let mut verification = self.begin(headers, now)?;
        verification.admit(body.len())?;
        verification.conclude(body, 0)
    }

    /// Begins as [`begin`](Self::begin) does, and keeps the body for the handler.
    ///
    /// # Errors
    /// Those of [`begin`](Self::begin).
    #[cfg(feature = "bytes")]
    pub fn begin_buffered(
        &self,
        headers: &(impl Headers + ?Sized),
        now: SystemTime,
    ) -> Result<BufferedVerification, Rejection> {
        self.begin(headers, now).map(BufferedVerification::new)
    }

    /// Checks all that can be checked before the body is read.
    ///
    /// # Errors
    /// A [`Rejection`] for the first of these that fails: one sender's signature header is there, once, and decodes to a
    /// signature of the right length; the timestamp, where the scheme signs one, is within the tolerance; what else of the
    /// head is signed is there, once; some key is active `now`; `Content-Length`, where there is one, is within the body
    /// limit.
    pub fn begin(
        &self,
        headers: &(impl Headers + ?Sized),
        now: SystemTime,
    ) -> Result<Verification, Rejection> {
        let Shared { senders, on_several, .. } = &*self.0;
        let mut found = None;
        for sender in senders {
            match (occurrence(headers, &sender.scheme.header), found) {
                (Occurrence::Never, _) => {}
                (_, Some(_)) => return Err(Rejection::by_verifier(RejectionKind::SenderAmbiguous, self)),
                (occurrence, None) => {
                    found = Some((sender, occurrence));
                    if *on_several == OnSeveral::TakeFirst {
                        break;
                    }
                }
            }
        }
        match (found, senders.as_slice()) {
            (Some((sender, Occurrence::Once(value))), _) => sender.begin(headers, value, now),
            (Some((sender, _)), _) => Err(sender.reject(RejectionKind::SignatureRepeated)),
            (None, [sender]) => Err(sender.reject(RejectionKind::SignatureMissing)),
            (None, _) => Err(Rejection::by_verifier(RejectionKind::SignatureMissing, self)),
        }
    }

    /// The schemes that deliveries are verified under: one, or several for [`any_of`](Self::any_of).
    pub fn schemes(&self) -> impl Iterator<Item = &Scheme> {
        self.0.senders.iter().map(|sender| &sender.scheme)
    }

    /// The ids of the keys, in the order in which they were set up: to log at start-up.
    pub fn key_ids(&self) -> impl Iterator<Item = &KeyId> {
        self.0.senders.iter().flat_map(|sender| sender.key_ids())
    }

    /// The names of all headers that a verification may look at, in lower case: for an adapter that has them parsed once.
    pub fn header_names(&self) -> impl Iterator<Item = &str> {
        self.0.senders.iter().flat_map(|sender| sender.header_names())
    }

    /// Whether the clock decides about anything: a timestamp that is signed, or a key that is not active always. Where it does
    /// not, [`begin`](Self::begin) may be told any time.
    pub fn depends_on_time(&self) -> bool {
        self.0.depends_on_time
    }

    /// The most bytes that a body may have: of any of the senders.
    pub fn body_limit(&self) -> usize {
        self.0.senders.iter().map(|sender| sender.body_limit).max().unwrap_or_default()
    }

    pub(crate) fn names(&self) -> &str {
        &self.0.names
    }

    pub(crate) fn signature_headers(&self) -> &str {
        &self.0.header_names
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        for sender in &self.0.senders {
            list.entry(&format_args!(
                "Verifier {{ sender: {:?}, keys: {:?}, body_limit: {} }}",
                sender.scheme.name(),
                sender.key_ids().collect::<Vec<_>>(),
                sender.body_limit
            ));
        }
        list.finish()
    }
}
