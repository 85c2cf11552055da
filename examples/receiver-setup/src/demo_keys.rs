//! Publicly known keys, for trying out the receivers. Each sender has an active key and one that expired at
//! [`EXPIRED_AT`].

/// ModusLink's demo secret.
pub const MODUSLINK: &str = "moduslink-shared-secret";
/// eWarehousing's demo secret.
pub const EWAREHOUSING: &str = "ABC12345";
/// Extend Commerce's demo secret.
pub const EXTEND: &str = "secret123";
/// Modern Dropship's demo secret.
pub const MODERN_DROPSHIP: &str = "new-secret";
/// The expired demo secret, shared by all senders.
pub const EXPIRED: &str = "old-secret";
/// When the expired demo keys expired, in RFC 3339.
pub const EXPIRED_AT: &str = "2026-01-01T00:00:00Z";

/// Fluent's demo public key.
pub const FLUENT_PUBLIC: &str = include_str!("../keys/fluent-demo-public.pem");
/// The private key of [`FLUENT_PUBLIC`].
pub const FLUENT_PRIVATE: &str = include_str!("../keys/fluent-demo-private.pem");
/// Fluent's expired demo public key.
pub const FLUENT_EXPIRED_PUBLIC: &str = include_str!("../keys/fluent-demo-expired-public.pem");
/// The private key of [`FLUENT_EXPIRED_PUBLIC`].
pub const FLUENT_EXPIRED_PRIVATE: &str = include_str!("../keys/fluent-demo-expired-private.pem");
