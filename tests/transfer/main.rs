//! Sealed transfer directories from outside: everything that can happen to one between the sealing
//! and the checking side, and what the two sides can say to the program, each with its exit code and
//! its stable code.
//!
//! Everything goes through the program, on the release in `examples/release`. The library is used
//! only where the program refuses to help: to sign manifests that no sealing side would write.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

#[path = "../support/mod.rs"]
mod support;
#[path = "../support/tar.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tar;

mod accepted;
mod base;
mod beside;
mod claims;
mod downgrade;
mod forms;
mod found;
mod made;
mod manifests;
mod many;
mod medium;
mod paths;
mod policies;
mod room;
mod sealing;
mod seals;
mod segments;
mod serials;
mod strangers;
mod tamper;
