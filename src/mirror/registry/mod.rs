//! Images straight from a registry, without any container engine.
//!
//! A tag is resolved to the SHA-256 of the bytes that arrive; every other document and blob must have the
//! digest that named it, whatever headers say. The archive is the one that the containerd store of
//! Docker 29 saves, with the registry's bytes unchanged. Its layout is known before the first layer is
//! fetched, so each layer is written in its place, and an interrupted download continues in the middle
//! of a layer.
//!
//! From the ground up: `request` sends requests over the mirror's HTTP stack, `challenge` and
//! `credentials` authenticate them, `realm` says who may see credentials, and `session` is one repository
//! with all of that. `document` and `platform` parse the responses, `layout` places them in the archive,
//! and `resolve` joins these. `journal`, `disk` and `blob` fetch the layers.
//!
//! Nothing here is verified against a signature, and nothing is unpacked.

mod blob;
mod challenge;
mod credentials;
mod disk;
mod document;
mod journal;
mod layout;
mod platform;
mod realm;
mod registry_request;
mod resolve;
mod session;

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

pub use platform::Platforms;

use self::blob::{ArchiveDownload, BlobMissing};
use self::credentials::Login;
use self::disk::Disk;
use self::journal::Journal;
use self::session::Session;
use super::{FetchRecord, FoundImage, Hosts, ImageDescription, ImageSource, Watch};
use crate::digest::Sha256Digest;
use crate::directory::{Folder, TEMPORARY};
use crate::mirror::http::{Http, fits, unwritten};
use crate::parallel;
use crate::verdict::{Code, Fault};

/// How to use registries.
#[derive(Debug, Clone, Default)]
pub struct RegistryOptions {
    /// Which platforms to fetch.
    pub platforms: Platforms,
    /// How many layers to fetch at once; 0 counts as 1.
    pub jobs: usize,
    /// Docker's config directory, where `docker login` stores credentials.
    pub docker_config: Option<PathBuf>,
    /// Registries (`host` or `host:port`) to use over plain HTTP, if that is allowed at all.
    pub plain_http: Vec<String>,
    /// Hosts that may get a registry's credentials if it names them as its token service.
    pub hosts: Hosts,
}

/// Registries as a source of images.
pub struct Registry<'a> {
    http: &'a Http,
    options: RegistryOptions,
    /// Warnings that were given already.
    said: Mutex<BTreeSet<String>>,
}

impl<'a> Registry<'a> {
    /// A source that uses this HTTP client.
    #[must_use]
    pub const fn new(http: &'a Http, options: RegistryOptions) -> Self {
        Self { http, options, said: Mutex::new(BTreeSet::new()) }
    }

    /// The credentials of a registry. If they can't be read, the image may still be public: it is requested
    /// without, after one warning.
    fn login(&self, registry: &str, watch: &dyn Watch) -> Login {
        let Some(folder) = &self.options.docker_config else { return Login::default() };
        let login = credentials::find(folder, registry);
        if let Some(fault) = &login.error {
            let line = format!(
                "{registry}: continuing without credentials, as they can't be read: {fault}"
            );
            let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
            if said.insert(line.clone()) {
                watch.say(&line);
            }
        }
        login
    }
}

impl fmt::Debug for Registry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("options", &self.options).finish_non_exhaustive()
    }
}

impl ImageSource for Registry<'_> {
    fn find(&self, reference: &str, watch: &dyn Watch) -> Result<Box<dyn FoundImage + '_>, Fault> {
        let reference = resolve::reference(reference)?;
        let registry = reference.resolve_registry();
        let listed = |name: &String| name == registry || name == reference.registry();
        let plain = self.http.options().allow_http && self.options.plain_http.iter().any(listed);
        let login = self.login(reference.registry(), watch);
        let session = Session::open(self.http, reference, plain, login, &self.options.hosts)?;
        let found = resolve::resolve(&session, &self.options.platforms)?;
        Ok(Box::new(RegistryImage { session, found, jobs: self.options.jobs }))
    }
}

/// An image in a registry.
struct RegistryImage<'a> {
    session: Session<'a>,
    found: resolve::ResolvedImage,
    jobs: usize,
}

impl FoundImage for RegistryImage<'_> {
    fn description(&self) -> &ImageDescription {
        &self.found.description
    }

    fn fetch(
        &self,
        folder: &Folder,
        name: &str,
        watch: &dyn Watch,
    ) -> Result<Vec<FetchRecord>, Fault> {
        ImageDownload { session: &self.session, found: &self.found, jobs: self.jobs }
            .fetch(folder, name, watch)
    }

    fn without_index(&self) -> Option<(Sha256Digest, Box<dyn FoundImage + '_>)> {
        let (index, found) = self.found.alone.as_ref()?;
        let view = ImageDownload { session: &self.session, found, jobs: self.jobs };
        Some((*index, Box::new(view)))
    }
}

/// An image that is to be written, with its index or without.
struct ImageDownload<'a> {
    session: &'a Session<'a>,
    found: &'a resolve::ResolvedImage,
    jobs: usize,
}

impl FoundImage for ImageDownload<'_> {
    fn description(&self) -> &ImageDescription {
        &self.found.description
    }

    fn fetch(
        &self,
        folder: &Folder,
        name: &str,
        watch: &dyn Watch,
    ) -> Result<Vec<FetchRecord>, Fault> {
        let layout = &self.found.layout;
        let failed = |error: std::io::Error| unwritten(&error).at(folder.show(name));
        fits(folder, name, layout.size).map_err(|fault| fault.at(folder.show(name)))?;
        let disk = Disk::new(folder.part(name)?);
        disk.set_len(layout.size).map_err(failed)?;
        for (offset, bytes) in &layout.pieces {
            disk.write(*offset, bytes).map_err(failed)?;
        }
        let journal = Journal::open(folder, name, layout.digest);
        let stop = AtomicBool::new(false);
        let (session, disk, stop) = (self.session, &disk, &stop);
        let archive = ArchiveDownload { session, disk, journal: &journal, watch, stop, name };
        let results = parallel::map(&layout.blobs, self.jobs, |blob| blob::fetch(&archive, blob));

        let mut fetched: Vec<FetchRecord> = self.found.fetched.clone();
        for record in &mut fetched {
            record.path = Some(name.to_owned());
        }
        let mut stopped = false;
        for result in results {
            match result {
                Ok(record) => fetched.extend(record),
                Err(BlobMissing::Stopped) => stopped = true,
                Err(BlobMissing::Fault(fault)) => {
                    // The registry contradicts itself: what it sent is not part of anything.
                    if fault.code() == Code::ResponseInvalid {
                        folder.remove(&format!("{name}{TEMPORARY}"))?;
                        journal.remove()?;
                    }
                    return Err(fault);
                }
            }
        }
        if stopped {
            return Err(Fault::new(Code::NetworkFailed, "stopped").at(folder.show(name)));
        }
        disk.sync().map_err(failed)?;
        folder.commit(name)?;
        journal.remove()?;
        Ok(fetched)
    }
}
