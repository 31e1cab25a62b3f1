//! Image archives: what `docker save`, `podman save`, `skopeo copy` and their like write, read so
//! that every loader would read the same, and hashed.
//!
//! [`read`] takes a pipe, a file or an OCI layout directory and answers with an [`Archive`]: its
//! images, every digest that may have been signed for them, and the assurance that all content is
//! there and is what the configs list. Anything that loaders read differently is refused, because
//! what was verified must be what is loaded. Whether a signature covers the images is asked of
//! [`Archive::coverage`] afterwards.
//!
//! From the ground up:
//!
//! - `input`, `inflate` (with `members`, `xz` and `zstd`), `ahead`, `field`, `header`, `pax`, `tar` and
//!   `segments` read; `budget` and `windows` bound what decompressing costs.
//! - `names`, `catalog`, `statement`, `content`, `references` and `gather` collect names and facts.
//! - `object`, `descriptor`, `config`, `document`, `legacy`, `files`, `layer`, `docker`, `oci`,
//!   `findings`, `leftover` and `decide` judge them, without any input or output.
//! - `archive` holds what was found, and says which images a signature covers.
//! - `outline` and `mention` look at what is not a valid archive, to find out whether it was meant as one.
//!
//! Layers are opaque bytes here: nothing is unpacked, and nothing is written.

mod ahead;
mod archive;
mod budget;
mod catalog;
mod config;
mod content;
mod decide;
mod descriptor;
mod docker;
mod document;
mod field;
mod files;
mod findings;
mod gather;
mod gzip_bzip2;
mod header;
mod inflate;
mod input;
mod layer;
mod leftover;
mod legacy;
mod mention;
mod names;
mod object;
mod oci;
mod outline;
mod pax;
mod references;
mod segments;
mod statement;
mod tar;
mod windows;
mod xz;
mod zstd;

use std::fmt;

pub use archive::{
    Archive, Attestation, Candidate, CandidateKind, Container, DocumentClaims, Image, ImageCoverage,
};
pub use inflate::Compression;
pub use input::{FileAt, Input, NoProgress, Options, Progress, ReadAt, Tree, TreeEntry, TreeKind};
pub use mention::{mentions_image, rest_mentions_image};
pub use outline::{Outline, outline};
pub use segments::Segment;

use crate::parallel::ThreadLimit;
use crate::verdict::Fault;

/// Why an archive was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveError {
    /// The fault.
    pub fault: Fault,
    /// Whether the name of an entry (`manifest.json`, `index.json`, `oci-layout`, `repositories`, a
    /// blob, a layer) showed that an image archive was meant, as far as it was read.
    pub looks_like_image: bool,
}

impl fmt::Display for ArchiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)
    }
}

impl std::error::Error for ArchiveError {}

/// Reads a whole archive and checks all that can be checked without a signature.
///
/// # Errors
/// A [`ArchiveError`] if it is not an image archive, if loaders would read it differently, or if
/// anything is missing or not what it is said to be.
pub fn read(input: Input<'_>, options: &Options<'_>) -> Result<Archive, ArchiveError> {
    let own = ThreadLimit::new(options.jobs);
    let threads = options.threads.unwrap_or(&own);
    let mut catalog = catalog::Catalog::default();
    let gathered = match input {
        Input::Stream(stream) => gather::stream(stream, &mut catalog, options, threads),
        Input::File(file) => gather::file(file, &mut catalog, options, threads),
        Input::Layout(tree) => gather::layout(tree, &mut catalog, options, threads),
    };
    gathered
        .and_then(|gather::GatheredFiles { container, contents, segments }| {
            let archive = decide::decide(files::Files::new(&catalog, &contents), container)?;
            Ok(Archive { segments, ..archive })
        })
        .map_err(|fault| ArchiveError { fault, looks_like_image: catalog.looks_like_image() })
}
