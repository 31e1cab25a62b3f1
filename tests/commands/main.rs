//! The command line as a user sees it, and the documents that repeat what the program says. These tests hold
//! in both editions.

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

mod docs;
mod example_release;
mod schemas;
mod transcripts;
