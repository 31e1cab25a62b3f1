//! The log of fetches: what came from where, for the auditors on the far side, and for the next run on
//! this one.
//!
//! A line of it is believed only as far as it saves work: whether a file is right is decided by its
//! signature, every time.

use std::collections::BTreeMap;

use url::Url;

use super::Fetched;
use super::http::{Validators, shown};
use crate::digest::Sha256Digest;
use crate::folder::{Folder, read_small};
use crate::limits;
use crate::transfer::FETCH_LOG;
use crate::verdict::{Code, Fault};

/// The fetches of earlier runs whose files are still wanted, and of this one.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: Vec<Fetched>,
    /// The last fetch of each file.
    by_path: BTreeMap<String, usize>,
}

impl Log {
    /// Reads the log of a directory; an unreadable one is as good as none.
    #[must_use]
    pub(super) fn read(folder: &Folder) -> Self {
        let mut log = Self::default();
        let Ok((bytes, _)) =
            read_small(folder, FETCH_LOG, limits::FETCH_LOG_BYTES, Code::Unreadable)
        else {
            return log;
        };
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice(line) {
                Ok(entry) => log.add(entry),
                Err(_) => return Self::default(),
            }
        }
        log
    }

    /// Adds a fetch.
    pub(super) fn add(&mut self, entry: Fetched) {
        if let Some(path) = &entry.path {
            self.by_path.insert(path.clone(), self.entries.len());
        }
        self.entries.push(entry);
    }

    /// The last fetch of a file.
    #[must_use]
    pub(super) fn of(&self, path: &str) -> Option<&Fetched> {
        self.entries.get(*self.by_path.get(path)?)
    }

    /// How the server called a file that lies here, if it came from this URL.
    #[must_use]
    pub(super) fn known(&self, path: &str, url: &Url) -> Option<(Validators, Sha256Digest, u64)> {
        let entry = self.of(path).filter(|entry| entry.url == shown(url))?;
        if entry.etag.is_none() && entry.last_modified.is_none() {
            return None;
        }
        let validators =
            Validators { etag: entry.etag.clone(), last_modified: entry.last_modified.clone() };
        Some((validators, entry.sha256, entry.size))
    }

    /// Forgets the files below a directory.
    pub(super) fn forget(&mut self, directory: &str) {
        let prefix = format!("{directory}/");
        self.entries
            .retain(|entry| entry.path.as_ref().is_none_or(|path| !path.starts_with(&prefix)));
        self.index();
    }

    /// Keeps the last fetch of each file that `lies_there`.
    pub(super) fn prune(&mut self, lies_there: impl Fn(&str) -> bool) {
        let last = std::mem::take(&mut self.by_path);
        let mut number = 0_usize;
        self.entries.retain(|entry| {
            let here = number;
            number = number.saturating_add(1);
            match &entry.path {
                // Blobs of one archive share its path: all of them say where it came from.
                Some(path) => {
                    lies_there(path)
                        && (last.get(path) == Some(&here) || entry.url.contains("/blobs/sha256:"))
                }
                None => false,
            }
        });
        self.index();
    }

    fn index(&mut self) {
        self.by_path = self
            .entries
            .iter()
            .enumerate()
            .filter_map(|(number, entry)| Some((entry.path.clone()?, number)))
            .collect();
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// [`Code::WriteFailed`]; none in practice.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        for entry in &self.entries {
            serde_json::to_writer(&mut bytes, entry)
                .map_err(|error| Fault::new(Code::WriteFailed, error.to_string()))?;
            bytes.push(b'\n');
        }
        Ok(bytes)
    }
}
