//! `countersign listen`

mod access;
mod browser;
mod faults;
mod forwarding;
mod hostile;
mod http;
mod keeping;
mod listening;
mod resigning;
mod service;
mod terminal;
