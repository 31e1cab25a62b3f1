//! What a run trusts: keys made and read, policies checked and applied.

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

mod keygen;
mod policy_check;
mod policy_in_force;
mod private_keys;
