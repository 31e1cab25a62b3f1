//! What fetching one image or package needs, and how it ends.

use crate::mirror::earlier_transfer::EarlierTransfer;
use crate::mirror::http::Http;
use crate::mirror::store::Store;
use crate::mirror::wanted::WantedItem;
use crate::mirror::{Hosts, ImageSource, Watch};
use crate::transfer::{BaseArtifact, ExaminedFiles, ManifestKind, Origin, SealRequest};
use crate::trust::SiteRules;
use crate::verdict::{ArtifactReport, Code, Fault};

/// Everything that fetching needs.
pub(in crate::mirror) struct FetchTask<'a> {
    pub(in crate::mirror) store: &'a Store<'a>,
    pub(in crate::mirror) http: &'a Http,
    pub(in crate::mirror) hosts: Hosts,
    pub(in crate::mirror) sealing: SealRequest<'a>,
    pub(in crate::mirror) source: &'a dyn ImageSource,
    pub(in crate::mirror) earlier: Option<&'a EarlierTransfer>,
    pub(in crate::mirror) watch: &'a dyn Watch,
}

/// What became of an item.
pub(in crate::mirror) enum FetchOutcome {
    /// It is here and was judged well.
    Accepted { report: Box<ArtifactReport>, seen: ExaminedFiles, origin: Origin },
    /// An earlier transfer carried it; with the report, if it was judged again.
    Carried(BaseArtifact, Option<Box<ArtifactReport>>),
}

impl FetchTask<'_> {
    pub(super) fn site(&self) -> Result<&SiteRules, Fault> {
        self.sealing.profile.mirror.as_ref().ok_or_else(|| {
            let message = format!(
                "the profile of {} has no [mirror] section, which says where its site is",
                self.sealing.profile.name
            );
            Fault::new(Code::ProfileMalformed, message)
        })
    }

    pub(super) fn may_be_unsigned(&self, wanted: &WantedItem) -> bool {
        let image = wanted.kind == ManifestKind::Image;
        self.sealing.allows_unsigned(&wanted.name, &wanted.path, image)
    }
}
