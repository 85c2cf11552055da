//! Drives the suite: deliveries, the surfaces they go through, and vectors from files.

mod delivery;
pub(crate) mod inbox;
pub(crate) mod once;
mod surfaces;
pub(crate) mod tenants;
mod vector_file;

pub(crate) use delivery::{Delivery, good, guard, hmac_delivery, now, verifier};
pub(crate) use surfaces::{
    Chunks, Outcome, SURFACES, Slow, Surface, actix_request, actix_request_with, assert_outcome, block_on,
    kind_unread, kind_unread_of, request,
};
pub(crate) use vector_file::{Vector, VectorFile, vectors_folder};
