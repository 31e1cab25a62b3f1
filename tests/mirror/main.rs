//! `sealift mirror` from end to end, through the program: a vendor's site served by a real nginx over
//! HTTPS, a real registry (Debian's `docker-registry`), real engines. What arrives is sealed and
//! verifies on the far side; what does not arrive, or is not what was signed, is left out and said.

#![cfg(all(feature = "online", unix))]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

#[path = "../support/mod.rs"]
mod support;
#[path = "../support/tar.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tar;

mod again;
mod asked;
mod base;
mod engines;
mod hosts;
mod interrupted;
mod keys;
mod left_out;
mod made;
mod said;
mod sealed;
mod servers;
mod side;
