//! Fetches files by HTTP into a stage: only those that changed since an earlier run.

use url::Url;

use super::http::{Http, LargeFile, SmallFile, Validators};
use super::stage::Stage;
use super::{FetchRecord, Hosts, Watch};
use crate::directory::read_small;
use crate::image::NoProgress;
use crate::survey::hash;
use crate::verdict::{Code, Fault};

impl Stage<'_> {
    /// Fetches a small file by HTTP, unless it is unchanged.
    ///
    /// # Errors
    /// Those of [`Http::small`], of `Store::may_replace` and of writing.
    pub(super) fn small(
        &mut self,
        http: &Http,
        url: &Url,
        hosts: &Hosts,
        path: &str,
        cap: u64,
    ) -> Result<Vec<u8>, Fault> {
        let (store, folder) = (self.store, self.store.folder);
        let staged = self.staged(path);
        let here = [staged.as_str(), path].into_iter().find_map(|place| {
            let (bytes, digest) = read_small(folder, place, cap, Code::Unreadable).ok()?;
            Some((place.to_owned(), bytes, digest))
        });
        let validators = here.as_ref().and_then(|(place, _, digest)| {
            let known = store.known(place, url).filter(|(_, sha256, _)| sha256 == digest);
            known.map(|(validators, ..)| validators)
        });
        match (http.small(url, hosts, cap, validators.as_ref())?, here) {
            (SmallFile::Unchanged, Some((place, bytes, _))) => {
                self.put(path, place);
                Ok(bytes)
            }
            (SmallFile::Unchanged, None) => Err(Fault::new(
                Code::ResponseInvalid,
                "304 Not Modified for a file that is not here",
            )
            .at(url.as_str())),
            (SmallFile::Body(bytes, fetched), here) => {
                let is = |place: &str| {
                    read_small(folder, place, cap, Code::Unreadable)
                        .is_ok_and(|(read, _)| read == bytes)
                };
                let place = if is(path) { path } else { staged.as_str() };
                if place != path {
                    store.may_replace(path)?;
                    self.begin()?;
                }
                // The log is written first, so that it names every file that is there.
                if !store.is_recorded(place, Some(fetched.sha256)) {
                    store.record([FetchRecord { path: Some(place.to_owned()), ..fetched }])?;
                }
                let is_there = here.is_some_and(|(found, old, _)| found == place && old == bytes);
                if place != path && !is_there {
                    folder.make_folders(&self.staging)?;
                    folder.write(place, &bytes, 0o644)?;
                }
                self.put(path, place.to_owned());
                Ok(bytes)
            }
        }
    }

    /// Fetches the artifact by HTTP, unless it is unchanged or to be fetched `anew`. Returns whether it was
    /// fetched now.
    ///
    /// # Errors
    /// Those of [`Http::large`] and of writing.
    pub(super) fn large(
        &mut self,
        http: &Http,
        url: &Url,
        hosts: &Hosts,
        anew: bool,
        watch: &dyn Watch,
    ) -> Result<bool, Fault> {
        let store = self.store;
        let known = self.places().into_iter().find_map(|place| {
            let validators = self.known(&place, url)?;
            Some((place, validators))
        });
        let known = known.filter(|_| !anew);
        let validators = known.as_ref().map(|(_, validators)| validators);
        let path = self.wanted().path.clone();
        let staged = self.staged(&path);
        let before = || self.begin();
        match http.large_after(url, hosts, store.folder, &staged, validators, &before, watch)? {
            LargeFile::Unchanged => {
                let place = known.map_or(path.clone(), |(place, _)| place);
                self.put(&path, place);
                Ok(false)
            }
            LargeFile::Done(fetched) => {
                store.record([FetchRecord { path: Some(staged.clone()), ..fetched }])?;
                store.came();
                self.put(&path, staged);
                Ok(true)
            }
        }
    }

    /// The validators of the artifact in one of its places.
    fn known(&self, place: &str, url: &Url) -> Option<Validators> {
        let folder = self.store.folder;
        let size = folder.file(place).ok()?.metadata().ok()?.len();
        let of_size =
            |name: &str| self.store.known(name, url).filter(|(_, _, recorded)| *recorded == size);
        if let Some((validators, ..)) = of_size(place) {
            return Some(validators);
        }
        // A run was interrupted after it wrote the log and before it renamed the file.
        let (validators, sha256, _) = of_size(&self.wanted().path)?;
        let found = hash(folder, place, u64::MAX, &NoProgress).ok()?;
        (place != self.wanted().path && found.sha256 == sha256).then_some(validators)
    }
}
