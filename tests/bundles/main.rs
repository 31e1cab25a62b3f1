//! Bundles, keys and logs: what is accepted, and what each attack gets.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

#[path = "support/log.rs"]
mod log;

#[path = "sigstore/attacks.rs"]
mod attacks;
#[path = "sigstore/bits.rs"]
mod bits;
#[path = "sigstore/common.rs"]
mod common;
#[path = "sigstore/conformance.rs"]
mod conformance;
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
