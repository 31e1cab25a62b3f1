//! Sealift verifies container image archives and packages against Cosign signatures, offline, from
//! local files alone: no daemon, no registry, no network.
//!
//! The rooms, from the ground up; a room uses only rooms listed above it (`tests/layering.rs`):
//!
//! - [`digest`], [`limits`], [`json`], [`verdict`]: digests, bounds, strict JSON, and what a check
//!   can say.
//! - [`key`]: public keys, their fingerprints, one signature against one key.
//! - [`sigstore`]: signature bundles, and what one proves about an artifact.
//!
//! `docs/architecture.md` tells the whole story.

pub mod digest;
pub mod json;
pub mod key;
pub mod limits;
pub mod sigstore;
pub mod verdict;
