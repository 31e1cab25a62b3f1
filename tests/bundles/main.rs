//! Bundles, keys and logs: what is accepted, and what each attack gets.

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

mod attacks;
mod bits;
mod common;
mod conformance;
mod cosign;
mod forms;
mod good;
mod keys;
mod parser;
mod vectors;
mod verify_blob;
mod wycheproof;
