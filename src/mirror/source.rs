//! Where an image comes from: a registry, a container engine, or a file.

use std::collections::BTreeMap;

use super::{FetchRecord, Watch};
use crate::digest::Sha256Digest;
use crate::directory::Folder;
use crate::verdict::Fault;

/// A kind of place that images come from.
pub trait ImageSource: Sync {
    /// Resolves a reference, without fetching layers.
    ///
    /// # Errors
    /// Those of the network, the registry or the engine.
    fn find(&self, reference: &str, watch: &dyn Watch) -> Result<Box<dyn FoundImage + '_>, Fault>;
}

/// An image that was found.
pub trait FoundImage: Send + Sync {
    /// What is known of it before it is fetched.
    fn description(&self) -> &ImageDescription;

    /// Fetches it as one archive to `name` in the folder. Until it is complete it has a temporary name,
    /// which a later call continues if the source can.
    ///
    /// # Errors
    /// Those of the source, and [`Code::WriteFailed`](crate::verdict::Code::WriteFailed).
    fn fetch(
        &self,
        folder: &Folder,
        name: &str,
        watch: &dyn Watch,
    ) -> Result<Vec<FetchRecord>, Fault>;

    /// The digest of an index that leads to the image and lists more than is fetched, and the image without
    /// it: what to fetch if nobody signed that index. None if there is no such index.
    fn without_index(&self) -> Option<(Sha256Digest, Box<dyn FoundImage + '_>)> {
        None
    }
}

/// What is known of an image before it is fetched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageDescription {
    /// Where exactly it is, with its digest if there is one. A later run compares this.
    pub source: String,
    /// The labels of each image's config: untrusted text.
    pub labels: Vec<BTreeMap<String, String>>,
    /// Bytes of the archive, if known.
    pub size: Option<u64>,
    /// Digests that the source states; the archive must prove each of them.
    pub stated: Vec<Sha256Digest>,
    /// The digest of the archive itself, if it is known beforehand.
    pub whole: Option<Sha256Digest>,
    /// What the reader should know, such as platforms left out: one sentence each.
    pub notes: Vec<String>,
}

impl ImageDescription {
    /// Whether a registry describes the image: it states the digest of every document.
    pub(super) fn is_from_registry(&self) -> bool {
        self.source.starts_with("docker://")
    }
}
