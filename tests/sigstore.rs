//! Bundles, keys and logs: what is accepted, and what each attack gets.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests: what goes wrong in them is a failed test"
)]

#[path = "support/log.rs"]
mod log;

#[path = "sigstore/attacks.rs"]
mod attacks;
#[path = "sigstore/bits.rs"]
mod bits;
#[path = "sigstore/common.rs"]
mod common;
#[path = "sigstore/forms.rs"]
mod forms;
#[path = "sigstore/good.rs"]
mod good;
#[path = "sigstore/keys.rs"]
mod keys;
#[path = "sigstore/parser.rs"]
mod parser;
#[path = "sigstore/vectors.rs"]
mod vectors;
#[path = "sigstore/wycheproof.rs"]
mod wycheproof;
