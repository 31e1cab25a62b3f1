//! Images fetched from a real registry (Debian's `docker-registry`): what arrives is what was pushed,
//! is accepted by Sealift's own reading and loaded by real engines; broken transfers go on, and a
//! registry that lies is found out.

#![cfg(all(feature = "online", unix))]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

#[path = "../support/mod.rs"]
mod support;
#[path = "../support/tar.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tar;

mod engines;
mod hostile;
mod images;
mod layout;
mod lies;
mod login;
mod mirror;
mod resume;
mod server;
mod token_service;
mod wire;
