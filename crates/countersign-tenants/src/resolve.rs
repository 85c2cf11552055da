use std::{error::Error, future::Future, pin::Pin, sync::Arc};

use countersign::Verifier;

/// Why a tenant could not be looked up.
pub type ResolveError = Box<dyn Error + Send + Sync>;

/// Looks tenants up: in a database, or wherever their keys are. A closure is one, of the tenant's name and returning a future.
///
/// Return `None` for a tenant that there is not, or no longer: its deliveries are rejected. Return an error if you cannot tell, or
/// if a tenant's keys do not build: its deliveries get a 503 and the log gets the error.
///
/// The name is whatever the caller wrote, of bounded length and without control characters. Pass it to a database as a parameter,
/// never as text of a query.
///
/// A resolver must not block its thread: nothing can interrupt it then. A panic counts as an error.
pub trait ResolveTenant: Send + Sync + 'static {
    /// Looks up the verifier of this tenant.
    ///
    /// The future runs in a task of its own, which ends if the answer takes longer than
    /// [`lookup_timeout`](crate::TenantsBuilder::lookup_timeout). It does not end when the client goes away.
    ///
    /// # Errors
    /// Whatever keeps it from telling.
    fn resolve(
        &self,
        tenant: Arc<str>,
    ) -> impl Future<Output = Result<Option<Verifier>, ResolveError>> + Send;
}

impl<F, A, E> ResolveTenant for F
where
    F: Fn(Arc<str>) -> A + Send + Sync + 'static,
    A: Future<Output = Result<Option<Verifier>, E>> + Send,
    E: Into<ResolveError>,
{
    async fn resolve(&self, tenant: Arc<str>) -> Result<Option<Verifier>, ResolveError> {
        self(tenant).await.map_err(Into::into)
    }
}

pub(crate) type Resolving = Pin<Box<dyn Future<Output = Result<Option<Verifier>, ResolveError>> + Send>>;

/// A [`ResolveTenant`] as an object.
pub(crate) trait AnyResolver: Send + Sync {
    fn resolve(self: Arc<Self>, tenant: Arc<str>) -> Resolving;
}

impl<R: ResolveTenant> AnyResolver for R {
    fn resolve(self: Arc<Self>, tenant: Arc<str>) -> Resolving {
        Box::pin(async move { ResolveTenant::resolve(&*self, tenant).await })
    }
}
