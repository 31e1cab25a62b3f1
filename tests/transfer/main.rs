//! Sealed transfer directories from outside: everything that can happen to one between the sealing
//! and the checking side, and what the two sides can say to the program, each with its exit code and
//! its stable code.
//!
//! Everything goes through the program, on the release in `examples/release`. The library is used
//! only where the program refuses to help: to sign manifests that no sealing side would write.

#![cfg(unix)]
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

mod accepted;
mod base;
mod beside;
mod claims;
mod differential;
mod downgrade;
mod forms;
mod found;
mod independent_check;
mod made;
mod manifests;
mod many;
#[cfg(target_os = "linux")]
mod media;
mod medium;
mod other_programs;
mod paths;
mod policies;
mod random_documents;
mod room;
mod sealing;
mod seals;
mod segments;
mod serials;
mod strangers;
mod tamper;
mod vectors;
