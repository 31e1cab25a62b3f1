//! The log of fetches: what came from where, for the auditors on the far side, and for the next run on
//! this one.
//!
//! A line of it is believed only as far as it saves work: whether a file is right is decided by its
//! signature, every time.

use std::collections::BTreeMap;

use url::Url;

use super::Fetched;
use super::http::{Validators, shown};
use super::record::whole;
use crate::digest::Sha256Digest;
use crate::folder::{Folder, read_small};
use crate::limits;
use crate::transfer::FETCH_LOG;
use crate::verdict::{Code, Fault};

/// The log while a run goes on: so the old one, which a seal covers, stays what it is until something in
/// the directory is changed.
const RUNNING: &str = "trust/fetches.jsonl.sealift-tmp";

/// The fetches of earlier runs whose files are still wanted, and of this one.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: Vec<Fetched>,
    /// The last fetch of each file.
    by_path: BTreeMap<String, usize>,
}

impl Log {
    /// Reads the log of a directory, that of an interrupted run first, and says whether there was one; an
    /// unreadable log is as good as none.
    #[must_use]
    pub(super) fn read(folder: &Folder) -> (Self, bool) {
        let read = |name| {
            let limit = limits::FETCH_LOG_BYTES;
            let (bytes, _) = read_small(folder, name, limit, Code::Unreadable).ok()?;
            Self::parse(&bytes)
        };
        match read(RUNNING) {
            Some(log) => (log, true),
            None => (read(FETCH_LOG).unwrap_or_default(), folder.file(RUNNING).is_ok()),
        }
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut log = Self::default();
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            log.add(serde_json::from_slice(line).ok()?);
        }
        Some(log)
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

    /// How the server called a file that lies here, if it came from exactly this URL.
    #[must_use]
    pub(super) fn known(&self, path: &str, url: &Url) -> Option<(Validators, Sha256Digest, u64)> {
        let same = |entry: &&Fetched| entry.url == shown(url) && entry.url_sha256 == whole(url);
        let entry = self.of(path).filter(same)?;
        if entry.etag.is_none() && entry.last_modified.is_none() {
            return None;
        }
        let validators =
            Validators { etag: entry.etag.clone(), last_modified: entry.last_modified.clone() };
        Some((validators, entry.sha256, entry.size))
    }

    /// Forgets a file.
    pub(super) fn forget(&mut self, path: &str) {
        self.entries.retain(|entry| entry.path.as_deref() != Some(path));
        self.index();
    }

    /// A file gets another name; what had it is forgotten.
    pub(super) fn rename(&mut self, from: &str, to: &str) {
        if self.of(from).is_none() {
            return;
        }
        self.entries.retain(|entry| entry.path.as_deref() != Some(to));
        for entry in &mut self.entries {
            if entry.path.as_deref() == Some(from) {
                entry.path = Some(to.to_owned());
            }
        }
        self.index();
    }

    /// Writes the log of a run that goes on.
    ///
    /// # Errors
    /// [`Code::WriteFailed`].
    pub(super) fn write(&self, folder: &Folder) -> Result<(), Fault> {
        folder.make_folders("trust")?;
        folder.write(RUNNING, &self.to_bytes()?, 0o644)
    }

    /// Writes it in place of the old one.
    ///
    /// # Errors
    /// [`Code::WriteFailed`].
    pub(super) fn finish(&self, folder: &Folder) -> Result<(), Fault> {
        folder.make_folders("trust")?;
        folder.write(FETCH_LOG, &self.to_bytes()?, 0o644)?;
        folder.remove(RUNNING)
    }

    /// The old one stays.
    ///
    /// # Errors
    /// [`Code::WriteFailed`].
    pub(super) fn give_up(folder: &Folder) -> Result<(), Fault> {
        folder.remove(RUNNING)
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

    /// Whether nothing stands in it.
    #[must_use]
    pub(super) const fn is_empty(&self) -> bool {
        self.entries.is_empty()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_query_is_another_file() {
        let url = |text: &str| Url::parse(text).unwrap();
        let fetched = |text: &str| Fetched {
            url: shown(&url(text)),
            url_sha256: whole(&url(text)),
            etag: Some("\"1\"".to_owned()),
            ..Fetched::local(String::new(), "p", 1, Sha256Digest::of(b"x"))
        };
        for (before, now, same) in [
            ("https://v.example/a", "https://v.example/a", true),
            ("https://v.example/a?v=1&token=s3cret", "https://v.example/a?v=1&token=s3cret", true),
            ("https://v.example/a?v=1", "https://v.example/a?v=2", false),
            ("https://v.example/a?v=1", "https://v.example/a", false),
            ("https://v.example/a", "https://v.example/a?v=1", false),
        ] {
            let mut log = Log::default();
            log.add(fetched(before));
            assert_eq!(log.known("p", &url(now)).is_some(), same, "{before} {now}");
            let text = String::from_utf8(log.to_bytes().unwrap()).unwrap();
            assert!(!text.contains("s3cret") && !text.contains("v=1"), "{text}");
        }
    }
}
