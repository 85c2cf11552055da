//! Senders and keys, checked and frozen at start-up.

use std::{fmt, sync::Arc, time::SystemTime};

#[cfg(feature = "identity")]
use crate::verdicts::identified::Identified;
use crate::{
    error::BuildError,
    keys::key::KeyId,
    schemes::scheme::Scheme,
    verdicts::{
        kind::RejectionKind,
        rejection::{Names, Origin, Rejection},
        tenancy::{NoTenant, Tenancy},
        verified::Verified,
    },
    verifying::{sender::Sender, verification::Verification},
    wire::headers::{Headers, Occurrence, occurrence},
};

/// The default body limit, in bytes: 1 MiB. Most senders' deliveries are a few KiB.
pub const DEFAULT_BODY_LIMIT: usize = 1 << 20;

/// What a sender puts on the wire and the keys we hold, ready to verify deliveries.
///
/// Build it once, at start-up, then clone it cheaply and share it between threads. It wipes the secrets that it was built
/// from and keeps only the HMAC key schedules and a hash of each key, which it wipes when the last clone is dropped.
///
/// ```
/// use std::time::SystemTime;
/// use countersign::{RejectionKind, Secret, Verifier, senders};
///
/// // The sample that the sender documents. Its secret is public, and a verifier refuses such a one unless told not to.
/// let secret = Secret::new("secret123").dangerously_accept_placeholder();
/// let verifier = Verifier::builder(senders::extend()).secret("2026-q1", secret).build()?;
///
/// let headers = [("ms-signature", "sha256=25FB6994568A75CD233E04BA1C653AF1BF476041CC543AF04F82CAAC482C201A")];
/// let verified = verifier.verify(&headers, b"{'test':'test2'}", SystemTime::now())?;
/// assert_eq!(verified.key().as_str(), "2026-q1");
///
/// let rejection = verifier.verify(&headers, b"{'test':'test3'}", SystemTime::now()).unwrap_err();
/// assert_eq!(rejection.kind(), RejectionKind::SignatureMismatch);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Verifier(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    /// Never empty; no two have the same signature header.
    pub(crate) senders: Vec<Arc<Sender>>,
    on_several: OnSeveral,
    names: Arc<Names>,
}

/// What to do with a request that has the signature headers of several senders.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OnSeveral {
    Reject,
    TakeFirst,
}

impl Verifier {
    /// Joins the verifiers of several senders that share one endpoint.
    ///
    /// The signature header that is present decides whose delivery it is; a delivery with the headers of two senders is
    /// rejected. The caller chooses the header and so the sender: the endpoint is as strong as the weakest of them. A
    /// handler that does not treat all senders alike must look at [`Verified::scheme`].
    ///
    /// ```no_run
    /// use countersign::{Secret, Verifier, senders};
    ///
    /// let shopify = Verifier::builder(senders::shopify()).secret("2026-q1", Secret::from_env("SHOPIFY_SECRET")?).build()?;
    /// let stripe = Verifier::builder(senders::stripe()).secret("2026-q1", Secret::from_env("STRIPE_SECRET")?).build()?;
    /// let verifier = Verifier::any_of([shopify, stripe])?;
    /// # let _ = verifier;
    /// # Ok::<(), countersign::BuildError>(())
    /// ```
    ///
    /// # Errors
    /// [`NoSender`](BuildError::NoSender) for an empty list, [`NestedSenders`](BuildError::NestedSenders) for a verifier
    /// that already has several senders, and [`SameHeader`](BuildError::SameHeader) for two senders with the same
    /// signature header.
    pub fn any_of(verifiers: impl IntoIterator<Item = Self>) -> Result<Self, BuildError> {
        Self::several(verifiers, OnSeveral::Reject)
    }

    /// Like [`any_of`](Self::any_of), but if the headers of several senders are present, the first in this list counts and
    /// the others are ignored: for a sender that sends an old and a new signature.
    ///
    /// It does not protect from the weaker of two, because a caller can leave out the header of the stronger.
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
                _ => return Err(BuildError::NestedSenders { senders: verifier.0.names.senders.clone() }),
            }
        }
        Self::new(senders, on_several)
    }

    pub(crate) fn of_one(sender: Sender) -> Result<Self, BuildError> {
        Self::new(vec![Arc::new(sender)], OnSeveral::Reject)
    }

    fn new(senders: Vec<Arc<Sender>>, on_several: OnSeveral) -> Result<Self, BuildError> {
        if senders.is_empty() {
            return Err(BuildError::NoSender);
        }
        let schemes: Vec<&Scheme> = senders.iter().map(|sender| sender.scheme()).collect();
        for (place, scheme) in (1..).zip(&schemes) {
            let same = |other: &&&Scheme| other.header_name() == scheme.header_name();
            if let Some(other) = schemes.iter().skip(place).find(same) {
                return Err(BuildError::SameHeader {
                    first: scheme.name().to_owned(),
                    second: other.name().to_owned(),
                    header: scheme.header_name().to_owned(),
                });
            }
        }
        let join = |name: fn(&Scheme) -> &str| {
            schemes.iter().map(|scheme| name(scheme)).collect::<Vec<_>>().join(" or ")
        };
        let names =
            Names { senders: join(Scheme::name), headers: join(Scheme::header_name), tenancy: Tenancy::Own };
        Ok(Self(Arc::new(Shared { senders, on_several, names: Arc::new(names) })))
    }

    /// The same verifier with each sender changed.
    pub(crate) fn map_senders(&self, change: impl Fn(&Sender) -> Sender) -> Self {
        self.map(Arc::clone(&self.0.names), change)
    }

    fn map(&self, names: Arc<Names>, change: impl Fn(&Sender) -> Sender) -> Self {
        let senders = self.0.senders.iter().map(|sender| Arc::new(change(sender))).collect();
        Self(Arc::new(Shared { senders, on_several: self.0.on_several, names }))
    }

    /// The same verifier, for deliveries to this tenant of a service that receives for many. The crate `countersign-tenants`
    /// looks it up for each request.
    ///
    /// [`Verified::tenant`] names the tenant, the log events do (feature `tracing`), and identities depend on the name: a
    /// delivery to one tenant is never taken for a duplicate of another's, even if both have the same id, bytes and key.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use countersign::{Secret, Verifier, senders};
    ///
    /// let secret = Secret::new("secret123").dangerously_accept_placeholder(); // a public sample
    /// let shop = Verifier::builder(senders::extend()).secret("2026-q1", secret).build()?.for_tenant("shop-7");
    /// let headers = [("ms-signature", "sha256=25FB6994568A75CD233E04BA1C653AF1BF476041CC543AF04F82CAAC482C201A")];
    /// let verified = shop.verify(&headers, b"{'test':'test2'}", SystemTime::now())?;
    /// assert_eq!(verified.tenant(), Some("shop-7"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn for_tenant(&self, tenant: impl Into<Arc<str>>) -> Self {
        self.with_tenancy(&Tenancy::Of(tenant.into()))
    }

    /// The same verifier, for a request that belongs to no tenant. It makes every check in the usual order and accepts nothing,
    /// so a caller cannot tell an unknown tenant from a wrong signature.
    ///
    /// Every rejection with status 401 has the kind [`TenantUnnamed`](RejectionKind::TenantUnnamed) or
    /// [`TenantUnknown`](RejectionKind::TenantUnknown); the others, such as that of a body over the limit, stay as they are.
    pub fn for_no_tenant(&self, cause: NoTenant) -> Self {
        self.with_tenancy(&Tenancy::Nobody(cause))
    }

    /// Rejects a request whose tenant could not be looked up: a 503, which is no verdict on the delivery.
    pub fn tenant_unresolved(&self) -> Rejection {
        Rejection::new(RejectionKind::TenantUnresolved, Origin::Senders(Arc::clone(&self.0.names)))
    }

    fn with_tenancy(&self, tenancy: &Tenancy) -> Self {
        let names = Names { tenancy: tenancy.clone(), ..Names::clone(&self.0.names) };
        self.map(Arc::new(names), |sender| sender.with_tenancy(tenancy.clone()))
    }

    /// Verifies a delivery whose body is at hand: [`begin`](Self::begin), [`update`](Verification::update) and
    /// [`finish`](Verification::finish) in one call.
    ///
    /// If the scheme signs the method or the address, wrap `headers` in a [`RequestHead`](crate::RequestHead). `body` is
    /// the exact bytes that arrived, before decompression or parsing; `now` is the receiver's clock.
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
        verification.update(body)?;
        verification.finish()
    }

    /// Verifies a delivery whose body is at hand, as [`verify`](Self::verify) does, and says which delivery it is.
    ///
    /// Both come from one call so that the identity is always that of the verified body. To get the identity of a body that
    /// arrives in chunks, use `begin_buffered` (feature `bytes`) and `VerifiedDelivery::identify`.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use countersign::{Secret, Signer, Verifier, senders};
    ///
    /// # #[cfg(feature = "sign")] {
    /// let secret = Secret::new("secret123").dangerously_accept_placeholder(); // a public sample
    /// let verifier = Verifier::builder(senders::extend()).secret("2026-q1", secret.clone()).build()?;
    /// let signer = Signer::new(senders::extend(), [secret])?;
    /// let identify = |body: &[u8]| {
    ///     let headers = signer.headers(body, SystemTime::now()).unwrap();
    ///     let (_, identified) = verifier.identify(&headers, body, SystemTime::now()).unwrap();
    ///     identified.identity
    /// };
    /// assert_eq!(identify(br#"{"Id":"a1","Attempt":1}"#), identify(br#"{"Attempt":2,"Id":"a1"}"#));
    /// # }
    /// # Ok::<(), countersign::BuildError>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`verify`](Self::verify).
    #[cfg(feature = "identity")]
    pub fn identify(
        &self,
        headers: &(impl Headers + ?Sized),
        body: &[u8],
        now: SystemTime,
    ) -> Result<(Verified, Identified), Rejection> {
        let verified = self.verify(headers, body, now)?;
        let identified = verified.identify(body);
        Ok((verified, identified))
    }

    /// Makes every check that needs no byte of the body.
    ///
    /// # Errors
    /// A [`Rejection`] for the first of these checks that fails:
    ///
    /// 1. one sender's signature header is present, once, and decodes to a signature of the right length;
    /// 2. the timestamp, if the scheme signs one, is within the tolerance;
    /// 3. everything else of the head that is signed is present, once;
    /// 4. a key is active `now`;
    /// 5. `Content-Length`, if present, is within the body limit.
    pub fn begin(
        &self,
        headers: &(impl Headers + ?Sized),
        now: SystemTime,
    ) -> Result<Verification, Rejection> {
        let Shared { senders, on_several, names } = &*self.0;
        let by_none = |kind: RejectionKind| Rejection::new(kind, Origin::Senders(Arc::clone(names)));
        let mut found = None;
        for sender in senders {
            match (occurrence(headers, sender.scheme().header_name()), found) {
                (Occurrence::Never, _) => {}
                (_, Some(_)) => return Err(by_none(RejectionKind::SenderAmbiguous)),
                (occurrence, None) => {
                    found = Some((sender, occurrence));
                    if *on_several == OnSeveral::TakeFirst {
                        break;
                    }
                }
            }
        }
        match (found, senders.as_slice()) {
            (Some((sender, Occurrence::Once(value))), _) => {
                let admitted = sender.admit(headers, value, now).map_err(|fault| sender.reject(fault))?;
                Ok(Verification::new(Arc::clone(sender), now, admitted))
            }
            (Some((sender, _)), _) => Err(sender.reject(RejectionKind::SignatureRepeated)),
            (None, [sender]) => Err(sender.reject(RejectionKind::SignatureMissing)),
            (None, _) => Err(by_none(RejectionKind::SignatureMissing)),
        }
    }

    /// The schemes under which deliveries are verified: one, or several for [`any_of`](Self::any_of).
    pub fn schemes(&self) -> impl Iterator<Item = &Scheme> {
        self.0.senders.iter().map(|sender| sender.scheme())
    }

    /// The ids of the keys, in the order in which they were set up: log them at start-up.
    pub fn key_ids(&self) -> impl Iterator<Item = &KeyId> {
        self.0.senders.iter().flat_map(|sender| sender.key_ids())
    }

    /// The lower-case names of all headers that a verification may read, for an adapter that parses them once.
    pub fn header_names(&self) -> impl Iterator<Item = &str> {
        self.0.senders.iter().flat_map(|sender| sender.header_names())
    }

    /// The body limit in bytes; with several senders, the largest of theirs.
    pub fn body_limit(&self) -> usize {
        self.0.senders.iter().map(|sender| sender.profile.body_limit).max().unwrap_or_default()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        for sender in &self.0.senders {
            list.entry(&format_args!(
                "Verifier {{ sender: {:?}, keys: {:?}, body_limit: {} }}",
                sender.scheme().name(),
                sender.profile.keys,
                sender.profile.body_limit
            ));
        }
        list.finish()
    }
}
