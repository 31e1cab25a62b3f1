//! Image archives: real and hostile ones, every way to read them, through the library and through the
//! program; and what must never change the answer.

#![allow(
    clippy::cast_possible_truncation,
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

mod attacks;
mod closed;
mod compression;
mod coverage;
mod detect;
mod differential;
mod docker_engine;
mod equal;
mod flips;
mod formats;
mod headers;
mod limits;
mod many_bundles;
mod program;
mod random;
mod sample;
mod segments;
mod shared;
mod two_readings;
mod unsigned;
