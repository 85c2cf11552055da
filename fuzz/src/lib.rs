//! Properties that hold for every input, as functions that panic if they do not. Each is fuzzed and
//! replayed.

mod configuration;
mod delivery;
mod identity;
mod mutation;
mod plan;
mod public_key;
mod receiver;
pub mod reference;
mod scheme_builder;
mod schemes;
mod signature_header;

pub use self::{
    configuration::configuration,
    delivery::delivery,
    identity::identity,
    public_key::public_key,
    scheme_builder::scheme_builder,
    signature_header::{right_values, signature_header},
};
