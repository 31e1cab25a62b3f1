//! Sealift verifies container image archives and packages against Cosign signatures, offline, from
//! local files alone: no daemon, no registry, no network.
//!
//! The rooms, from the ground up; a room uses only rooms listed above it (`tests/layering.rs`):
//!
//! - [`digest`], [`limits`], [`path`], [`json`], [`verdict`]: digests, bounds, safe names, strict
//!   JSON, and what a check can say.
//! - [`directory`]: a directory through one handle, without following links.
//! - [`key`]: public keys, their fingerprints, one signature against one key.
//! - [`sigstore`]: signature bundles, and what one proves about an artifact.
//! - [`image`]: what a container image archive is, from its bytes alone.
//! - [`trust`]: a vendor's conventions, and the operator's trust policy.
//! - [`artifact`]: one artifact, one verdict.
//! - [`pairing`]: which bundle and key belong to which artifact.
//! - [`survey`]: what the files of a folder are, and what they are worth without a seal.
//! - [`report`]: a report in words, as JSON, JUnit XML or HTML; two reports compared.
//! - [`cli`]: arguments, files, exit codes.
//!
//! `docs/architecture.md` tells the whole story.

// A number from input overflows nowhere: checked or saturating, by name. Tests may stop at a surprise.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

pub mod artifact;
pub mod cli;
pub mod digest;
pub mod directory;
pub mod image;
pub mod json;
pub mod key;
pub mod limits;
#[cfg(feature = "online")]
pub mod mirror;
pub mod pairing;
pub mod parallel;
pub mod path;
pub mod release;
pub mod report;
pub mod sigstore;
pub mod survey;
pub mod transfer;
pub mod trust;
pub mod verdict;
