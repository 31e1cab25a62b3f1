//! What to mirror, and how: everything that a run is asked to do.

use super::earlier_transfer::EarlierTransfer;
use super::fetch::{FetchTask, Located};
use super::fetch_log::FetchLog;
use super::http::Http;
use super::stage::Stage;
use super::store::Store;
use super::wanted::WantedItem;
use super::{Hosts, ImageSource, Watch};
use crate::directory::{Folder, Lock, TEMPORARY};
use crate::parallel;
use crate::transfer::{self, AddedFile, NamedKeys, SealRequest};
use crate::verdict::Fault;

/// What to mirror, and how.
pub struct MirrorRequest<'a> {
    /// The transfer directory.
    pub folder: &'a Folder,
    /// The lock on it, which the caller took before looking into it.
    pub lock: &'a Lock,
    /// What was asked for.
    pub wanted: &'a [WantedItem],
    /// The HTTP client.
    pub http: &'a Http,
    /// The hosts of the vendor.
    pub hosts: Hosts,
    /// How to seal. What was requested, what was omitted and where files came from is filled in here.
    pub sealing: SealRequest<'a>,
    /// Where an image comes from.
    pub source: &'a dyn ImageSource,
    /// An earlier transfer.
    pub earlier: Option<&'a EarlierTransfer>,
    /// Files to add in `tools/`.
    pub tools: Vec<AddedFile>,
    /// How many items are fetched at once.
    pub jobs: usize,
    /// Stop at the first item that fails.
    pub fail_fast: bool,
    /// Give up incomplete items, and seal the rest.
    pub omit_partial: bool,
    /// Who watches.
    pub watch: &'a dyn Watch,
}

impl std::fmt::Debug for MirrorRequest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MirrorRequest").field("wanted", &self.wanted).finish_non_exhaustive()
    }
}

impl MirrorRequest<'_> {
    /// Refuses what could not be sealed whatever is fetched: before anything is fetched, not after it.
    ///
    /// # Errors
    /// Those of [`transfer::possible`] and [`transfer::clear`].
    pub fn possible(&self) -> Result<(), Fault> {
        let request = SealRequest { extra: &self.tools, ..self.sealing() };
        transfer::possible(&request)?;
        FetchLog::clear(self.folder)?;
        let staging = |wanted: &WantedItem| format!("{}{TEMPORARY}", wanted.directory);
        let staging_directories = self.wanted.iter().map(staging).collect();
        transfer::clear(self.folder, &request, &staging_directories)
    }

    /// How to seal; a pinned key need not be in the directory of each artifact.
    pub(super) fn sealing(&self) -> SealRequest<'_> {
        SealRequest {
            named_keys: NamedKeys { absent_pins: true, ..self.sealing.named_keys },
            ..self.sealing
        }
    }

    pub(super) fn fetch_task<'e>(&'e self, store: &'e Store<'e>) -> FetchTask<'e> {
        FetchTask {
            store,
            http: self.http,
            hosts: self.hosts.clone(),
            sealing: self.sealing(),
            source: self.source,
            earlier: self.earlier,
            watch: self.watch,
        }
    }

    pub(super) fn locate_all<'e>(
        &self,
        fetch_task: &FetchTask<'e>,
    ) -> Vec<Result<Located<'e>, Fault>> {
        parallel::map(self.wanted, self.jobs, |wanted| {
            Stage::new(fetch_task.store, wanted).clear()?;
            fetch_task.locate(wanted)
        })
    }
}
