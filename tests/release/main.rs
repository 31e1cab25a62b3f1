//! Whole release folders from outside: every kind of file that can lie in one, each with a known answer and a
//! known coverage; what the options for folders do; stopping; and parts that are merged again.
//!
//! Everything goes through the program, on folders that are made here.

#![cfg(target_os = "linux")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

mod support;
#[path = "support/tar.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tar;

#[path = "release/engines.rs"]
mod engines;
#[path = "release/found.rs"]
mod found;
#[path = "release/hostile.rs"]
mod hostile;
#[path = "release/large.rs"]
mod large;
#[path = "release/made.rs"]
mod made;
#[path = "release/named.rs"]
mod named;
#[path = "release/options.rs"]
mod options;
#[path = "release/shards.rs"]
mod shards;
#[path = "release/stopping.rs"]
mod stopping;
#[path = "release/tree.rs"]
mod tree;
