//! Programs killed, calls that fail, and files that change while they are read: every answer is a refusal or
//! what was sealed, and what is left on the disk is whole or says that it is not.

#![cfg(target_os = "linux")]
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

mod count;
mod crash;
mod races;
