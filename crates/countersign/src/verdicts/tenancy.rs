//! Whose deliveries a verifier is for, in a service that receives for many tenants.

use std::sync::Arc;

use crate::verdicts::kind::RejectionKind;

/// Whose deliveries a verifier is for.
#[derive(Clone, Default)]
pub(crate) enum Tenancy {
    /// The service's own: it has no tenants.
    #[default]
    Own,
    /// This tenant's.
    Of(Arc<str>),
    /// Nobody's: every delivery is rejected, and every 401 for this reason.
    Nobody(NoTenant),
}

impl Tenancy {
    pub(crate) fn tenant(&self) -> Option<&str> {
        match self {
            Self::Of(tenant) => Some(tenant),
            Self::Own | Self::Nobody(_) => None,
        }
    }

    /// Why no delivery can pass, if none can.
    pub(crate) fn refusal(&self) -> Option<RejectionKind> {
        match self {
            Self::Nobody(NoTenant::Unnamed) => Some(RejectionKind::TenantUnnamed),
            Self::Nobody(NoTenant::Unknown) => Some(RejectionKind::TenantUnknown),
            Self::Own | Self::Of(_) => None,
        }
    }
}

/// Why a request belongs to no tenant: see [`Verifier::for_no_tenant`](crate::Verifier::for_no_tenant).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoTenant {
    /// The request names none.
    Unnamed,
    /// There is none of that name.
    Unknown,
}
