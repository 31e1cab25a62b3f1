//! Sealift verifies container image archives and packages against Cosign signatures, offline, from
//! local files alone: no daemon, no registry, no network.
//!
//! The rooms, from the ground up; a room uses only rooms listed above it (`tests/layering.rs`):
//!
//! - [`digest`], [`limits`], [`json`], [`verdict`]: digests, bounds, strict JSON, and what a check
//!   can say.
//!
//! `docs/architecture.md` tells the whole story.

pub mod digest;
pub mod json;
pub mod limits;
pub mod pairing;
pub mod trust;
pub mod verdict;
