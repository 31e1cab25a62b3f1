//! The forms of a report: text, JUnit XML and HTML of every outcome and of hostile names, read by real
//! programs where they are installed; and `sealift report`.

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

mod browser;
mod commands;
mod compared;
mod junit;
mod page;
mod samples;
mod words;
