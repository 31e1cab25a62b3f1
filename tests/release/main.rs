//! Whole release folders from outside: every kind of file that can lie in one, each with a known answer and a
//! known coverage; what the options for folders do; stopping; and parts that are merged again.
//!
//! Everything goes through the program, on folders that are made here.

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

mod batch_examples;
#[cfg(target_os = "linux")]
mod engines;
#[cfg(target_os = "linux")]
mod found;
#[cfg(target_os = "linux")]
mod hostile;
#[cfg(target_os = "linux")]
mod large;
#[cfg(target_os = "linux")]
mod made;
#[cfg(target_os = "linux")]
mod named;
#[cfg(target_os = "linux")]
mod options;
#[cfg(target_os = "linux")]
mod shards;
#[cfg(target_os = "linux")]
mod stopping;
#[cfg(target_os = "linux")]
mod tree;
