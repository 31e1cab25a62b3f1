//! Sealift carries container images and packages across an air gap. It fetches or takes a release on
//! the connected side (`mirror`, `seal`), signs what it packs, and verifies everything on the far
//! side against Cosign signatures from local files alone: no daemon, no registry, no network.
//!
//! The rooms, from the ground up; a room uses only rooms listed above it (`tests/layering.rs`):
//!
//! - [`digest`], [`limits`], [`parallel`]: SHA-256, bounds on untrusted input, work on several threads.
//! - [`verdict`]: what a check can say, and the report.
//! - [`json`], [`path`]: strict JSON, safe names.
//! - [`directory`]: a directory through one handle, without following links.
//! - [`key`]: public keys, their fingerprints, one signature against one key; the operator's own key.
//! - [`sigstore`]: signature bundles, and what one proves about an artifact.
//! - [`image`]: what a container image archive is, from its bytes alone.
//! - [`trust`]: a vendor's conventions, and the operator's trust policy.
//! - [`artifact`]: one artifact, one verdict.
//! - [`pairing`]: which bundle and key belong to which artifact.
//! - [`survey`]: what the files of a folder are, and what they are worth without a seal.
//! - [`transfer`]: the transfer directory: sealing and checking.
//! - [`release`]: a whole release folder: coverage, parts and their merge.
//! - [`report`]: a report in words, as JSON, JUnit XML or HTML; two reports compared.
//! - `mirror`: with the feature `online`, fetches from registries, servers and engines.
//! - [`cli`]: arguments, files, exit codes.
//!
//! `docs/architecture.md` tells the whole story.

// Arithmetic on input is checked or saturating. Tests may panic.
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
