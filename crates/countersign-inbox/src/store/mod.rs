//! The tables of the inbox, and what differs between databases.

mod dialect;
mod migrate;
#[cfg(feature = "postgres")]
mod postgres;
mod rows;
mod shared;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use dialect::Dialect;
pub(crate) use migrate::{check, migrate};
pub(crate) use rows::{
    Candidate, Claimed, Ending, EntryRow, Finish, Incoming, NotDurable, Selection, StatsRow, Token,
};
