//! `sealift mirror` from end to end, through the program: a vendor's site served by a real nginx over
//! HTTPS, a real registry (Debian's `docker-registry`), real engines. What arrives is sealed and
//! verifies on the far side; what does not arrive, or is not what was signed, is left out and said.

#![cfg(feature = "online")]
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

#[cfg(unix)]
mod again;
#[cfg(unix)]
mod asked;
#[cfg(unix)]
mod base;
#[cfg(target_os = "linux")]
mod crash;
#[cfg(unix)]
mod engines;
#[cfg(unix)]
mod hosts;
#[cfg(unix)]
mod interrupted;
#[cfg(unix)]
mod kept;
#[cfg(unix)]
mod keys;
#[cfg(unix)]
mod left_out;
#[cfg(unix)]
mod made;
mod odd_servers;
mod rules;
#[cfg(unix)]
mod said;
#[cfg(unix)]
mod sealed;
#[cfg(unix)]
mod servers;
#[cfg(unix)]
mod side;
mod tuf;
