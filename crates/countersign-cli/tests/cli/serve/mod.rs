//! Runs `countersign serve` in front of services that record what reaches them.

mod forwarding;
mod hygiene;
mod operating;
mod reloading;
mod serving;
mod service;
mod smuggling;
mod upstream_faults;
