//! Where an image comes from: a registry, a container engine, or a file.

use std::collections::BTreeMap;

use super::{FetchRecord, Watch};
use crate::digest::Sha256Digest;
use crate::directory::Folder;
use crate::verdict::Fault;

/// One kind of place that images come from.
pub trait ImageSource: Sync {
    /// Asks what a reference is, without fetching layers.
    ///
    /// # Errors
    /// Those of the network, the registry or the engine.
    fn find(&self, reference: &str, watch: &dyn Watch) -> Result<Box<dyn FoundImage + '_>, Fault>;
}

/// An image that was found.
pub trait FoundImage: Send + Sync {
    /// What is known of it before it is fetched.
    fn description(&self) -> &ImageDescription;

    /// Brings it as one archive to `name` in the folder: half-written under the temporary name, which
    /// a later call continues where the source can, then whole under its own.
    ///
    /// # Errors
    /// Those of the source, and [`Code::WriteFailed`](crate::verdict::Code::WriteFailed).
    fn fetch(
        &self,
        folder: &Folder,
        name: &str,
        watch: &dyn Watch,
    ) -> Result<Vec<FetchRecord>, Fault>;

    /// The digest of the index that leads to the image and lists what is not fetched, and the image without
    /// it: what to fetch if nobody signed that index. None where there is no such index.
    fn without_index(&self) -> Option<(Sha256Digest, Box<dyn FoundImage + '_>)> {
        None
    }
}

/// What is known of an image before it is fetched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageDescription {
    /// Where exactly it is, with a digest where there is one: what a later run compares.
    pub source: String,
    /// The labels of each image's config: untrusted text.
    pub labels: Vec<BTreeMap<String, String>>,
    /// Bytes of the archive, if known.
    pub size: Option<u64>,
    /// Digests that the source states; the archive must prove one of each list.
    pub stated: Vec<Sha256Digest>,
    /// The digest of the archive itself, where it is known before.
    pub whole: Option<Sha256Digest>,
    /// What a reader should know: platforms left out and the like, one sentence each.
    pub notes: Vec<String>,
}

impl ImageDescription {
    /// Whether a registry describes the image: it states the digest of every document.
    pub(super) fn is_from_registry(&self) -> bool {
        self.source.starts_with("docker://")
    }
}
