//! Keys that everybody knows, for trying the receivers out. Each sender has one that is active and one that
//! expired on [`EXPIRED_AT`].

/// ModusLink's demo secret.
pub const MODUSLINK: &str = "moduslink-shared-secret";
/// eWarehousing's demo secret.
pub const EWAREHOUSING: &str = "ABC12345";
/// Extend Commerce's demo secret.
pub const EXTEND: &str = "secret123";
/// Modern Dropship's demo secret.
pub const MODERN_DROPSHIP: &str = "new-secret";
/// The demo secret of all senders that has expired.
pub const EXPIRED: &str = "old-secret";
/// When the expired demo keys did so, RFC 3339.
pub const EXPIRED_AT: &str = "2026-01-01T00:00:00Z";

/// Fluent's demo key.
pub const FLUENT_PUBLIC: &str = include_str!("../keys/fluent-demo-public.pem");
/// The half of [`FLUENT_PUBLIC`] that signs.
pub const FLUENT_PRIVATE: &str = include_str!("../keys/fluent-demo-private.pem");
/// Fluent's demo key that has expired.
pub const FLUENT_EXPIRED_PUBLIC: &str = include_str!("../keys/fluent-demo-expired-public.pem");
/// The half of [`FLUENT_EXPIRED_PUBLIC`] that signs.
pub const FLUENT_EXPIRED_PRIVATE: &str = include_str!("../keys/fluent-demo-expired-private.pem");
