//! Images straight from a registry, without any container engine.
//!
//! What a tag stands for is the SHA-256 of the bytes that arrive; every other document and blob must
//! have the digest that named it, whatever headers say. The archive is the one that the containerd
//! store of Docker 29 saves, with the registry's bytes as they came. Its layout is known before the
//! first layer is fetched, so each layer is written at its place, and a broken transfer goes on
//! in the middle of a layer.
//!
//! From the ground up: `wire` asks for small things, `challenge` and `credentials` find out who may
//! ask, `session` is one repository with all of that; `document` and `platform` understand what it
//! answers, `layout` says where it goes, `find` joins these; `journal`, `disk`, `trouble` and `blob`
//! bring the layers.
//!
//! Nothing here is verified against a signature, and nothing is unpacked.

mod blob;
mod challenge;
mod credentials;
mod disk;
mod document;
mod find;
mod journal;
mod layout;
mod platform;
mod session;
mod trouble;
mod wire;

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

pub use platform::Platforms;

use self::blob::{Job, Missing};
use self::disk::Disk;
use self::journal::Journal;
use self::session::Session;
use self::wire::Wire;
use super::{Description, Fetched, Found, Source, Watch};
use crate::folder::Folder;
use crate::mirror::http::Http;
use crate::parallel;
use crate::verdict::{Code, Fault};

/// How to use registries.
#[derive(Debug, Clone, Default)]
pub struct RegistryOptions {
    /// Which platforms to bring.
    pub platforms: Platforms,
    /// How many layers to fetch at once; 0 counts as 1.
    pub jobs: usize,
    /// Docker's config directory, where `docker login` leaves credentials.
    pub docker_config: Option<PathBuf>,
    /// Registries (`host` or `host:port`) that speak plain HTTP, if that is allowed at all.
    pub plain_http: Vec<String>,
}

/// Registries as a source of images.
pub struct Registry<'a> {
    http: &'a Http,
    wire: Wire,
    options: RegistryOptions,
}

impl<'a> Registry<'a> {
    /// A source over this HTTP.
    ///
    /// # Errors
    /// [`Code::NetworkFailed`] when no client can be made.
    pub fn new(http: &'a Http, options: RegistryOptions) -> Result<Self, Fault> {
        Ok(Self { http, wire: Wire::new(http)?, options })
    }
}

impl fmt::Debug for Registry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Source for Registry<'_> {
    fn find(&self, reference: &str, _: &dyn Watch) -> Result<Box<dyn Found + '_>, Fault> {
        let reference = find::reference(reference)?;
        let registry = reference.resolve_registry();
        let listed = |name: &String| name == registry || name == reference.registry();
        let plain = self.http.options().allow_http && self.options.plain_http.iter().any(listed);
        let credentials = match &self.options.docker_config {
            Some(folder) => credentials::find(folder, reference.registry())?,
            None => None,
        };
        let session = Session::open(self.http, &self.wire, reference, plain, credentials)?;
        let found = find::find(&session, &self.options.platforms)?;
        Ok(Box::new(Image { session, found, jobs: self.options.jobs }))
    }
}

/// An image in a registry.
struct Image<'a> {
    session: Session<'a>,
    found: find::Found,
    jobs: usize,
}

impl Found for Image<'_> {
    fn description(&self) -> &Description {
        &self.found.description
    }

    fn fetch(&self, folder: &Folder, name: &str, watch: &dyn Watch) -> Result<Vec<Fetched>, Fault> {
        let layout = &self.found.layout;
        let failed = |error: std::io::Error| {
            Fault::new(Code::WriteFailed, error.to_string()).at(folder.show(name))
        };
        let disk = Disk::new(folder.part(name)?);
        disk.set_len(layout.size).map_err(failed)?;
        for (offset, bytes) in &layout.pieces {
            disk.write(*offset, bytes).map_err(failed)?;
        }
        let journal = Journal::open(folder, name, layout.digest);
        let stop = AtomicBool::new(false);
        let (session, disk, stop) = (&self.session, &disk, &stop);
        let job = Job { session, disk, journal: &journal, watch, stop, name };
        let results = parallel::map(&layout.blobs, self.jobs, |blob| blob::fetch(&job, blob));

        let mut fetched: Vec<Fetched> = self.found.fetched.clone();
        for record in &mut fetched {
            record.path = Some(name.to_owned());
        }
        let mut stopped = false;
        for result in results {
            match result {
                Ok(record) => fetched.extend(record),
                Err(Missing::Stopped) => stopped = true,
                Err(Missing::Fault(fault)) => return Err(fault),
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
