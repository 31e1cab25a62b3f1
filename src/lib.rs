//! Sealift verifies container image archives and packages against Cosign signatures, offline, from
//! local files alone: no daemon, no registry, no network.
//!
//! The rooms, from the ground up; a room uses only rooms listed above it (`tests/layering.rs`):
//!
//! - [`digest`], [`limits`], [`json`], [`path`], [`verdict`]: digests, bounds, strict JSON, safe
//!   names, and what a check can say.
//! - [`image`]: image archives, and every digest that may have been signed for the images in them.
//!
//! `docs/architecture.md` tells the whole story.

pub mod digest;
pub mod image;
pub mod json;
pub mod limits;
pub mod path;
pub mod verdict;
