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

mod support;

#[path = "report/browser.rs"]
mod browser;
#[path = "report/commands.rs"]
mod commands;
#[path = "report/compared.rs"]
mod compared;
#[path = "report/junit.rs"]
mod junit;
#[path = "report/page.rs"]
mod page;
#[path = "report/samples.rs"]
mod samples;
#[path = "report/words.rs"]
mod words;
