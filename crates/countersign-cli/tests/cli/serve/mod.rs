//! Runs `countersign serve` in front of services that record what reaches them.

mod forwarding;
mod hygiene;
mod inbox;
mod languages;
mod once;
mod operating;
mod reloading;
mod service;
mod serving;
mod smuggling;
mod upstream_faults;
