//! The image room from outside: real and hostile archives, every way to read them, and what must
//! never change the answer.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    reason = "helpers of tests fail by a panic, and their sizes are small"
)]

#[path = "../support/tar.rs"]
mod tar;

mod attacks;
mod closed;
mod compression;
mod detect;
mod equal;
mod flips;
mod formats;
mod headers;
mod limits;
mod random;
mod sample;
mod segments;
mod shared;
mod unsigned;
