//! How `sealift mirror` fetches: its HTTP stack and its reader of registries, against real servers and against
//! servers that misbehave.

#![cfg(feature = "online")]
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

mod http;
#[cfg(unix)]
mod registry;
