//! The fetch log: what came from where, for auditors on the far side and for the next run on this one.
//!
//! It only saves work. Whether a file is right is decided by its signature, every time.

use std::collections::BTreeMap;

use url::Url;

use super::FetchRecord;
use super::http::Validators;
use super::urls::{query_digest, redacted};
use crate::digest::Sha256Digest;
use crate::directory::{Folder, TEMPORARY, read_small};
use crate::limits;
use crate::transfer::FETCH_LOG;
use crate::verdict::{Code, Fault};

/// The log of a run in progress. The old one, which a seal covers, stays until something in the directory
/// is changed.
const RUNNING: &str = "trust/fetches.jsonl.sealift-tmp";

/// The fetches of earlier runs whose files are still wanted, and of this one.
#[derive(Debug, Default)]
pub(super) struct FetchLog {
    entries: Vec<FetchRecord>,
    /// The last fetch of each file.
    by_path: BTreeMap<String, usize>,
}

impl FetchLog {
    /// Reads the log of a directory, that of an interrupted run first, and says whether there was one. A
    /// running log that is only the start of the finished one says nothing new.
    #[must_use]
    pub(super) fn read(folder: &Folder) -> (Self, bool) {
        let read = |name| {
            let limit = limits::FETCH_LOG_BYTES;
            read_small(folder, name, limit, Code::Unreadable).ok().map(|(bytes, _)| bytes)
        };
        let (running, finished) = (read(RUNNING), read(FETCH_LOG).unwrap_or_default());
        let interrupted = running.is_some() || folder.file(RUNNING).is_ok();
        let running = running.filter(|bytes| !finished.starts_with(bytes));
        let log = running.and_then(|bytes| Self::parse(&bytes));
        (log.or_else(|| Self::parse(&finished)).unwrap_or_default(), interrupted)
    }

    /// Refuses a directory in which a file that no run wrote has the name of the log.
    ///
    /// # Errors
    /// [`Code::OutputExists`].
    pub(super) fn clear(folder: &Folder) -> Result<(), Fault> {
        let unfinished = format!("{RUNNING}{TEMPORARY}");
        for name in [FETCH_LOG, RUNNING, unfinished.as_str()] {
            let whole = name == FETCH_LOG;
            let fits = match read_small(folder, name, limits::FETCH_LOG_BYTES, Code::Unreadable) {
                Err(fault) if fault.code() == Code::FileNotFound => true,
                Err(_) => false,
                Ok((bytes, _)) if whole => Self::parse(&bytes).is_some(),
                Ok((bytes, _)) => Self::begins(&bytes),
            };
            if !fits {
                let message = "it has the name of the fetch log, and no run wrote it; move it away";
                return Err(Fault::new(Code::OutputExists, message).at(folder.show(name)));
            }
        }
        Ok(())
    }

    /// Whether bytes are the start of a log: complete lines, and part of one.
    fn begins(bytes: &[u8]) -> bool {
        const LINE: &[u8] = b"{\"time\":\"";
        let end = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |newline| newline.saturating_add(1));
        let (lines, part) = bytes.split_at_checked(end).unwrap_or((bytes, b""));
        Self::parse(lines).is_some() && (part.starts_with(LINE) || LINE.starts_with(part))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut log = Self::default();
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            log.add(serde_json::from_slice(line).ok()?);
        }
        Some(log)
    }

    /// Adds a fetch.
    pub(super) fn add(&mut self, entry: FetchRecord) {
        if let Some(path) = &entry.path {
            self.by_path.insert(path.clone(), self.entries.len());
        }
        self.entries.push(entry);
    }

    /// The last fetch of a file.
    #[must_use]
    pub(super) fn of(&self, path: &str) -> Option<&FetchRecord> {
        self.entries.get(*self.by_path.get(path)?)
    }

    /// All fetches of a file: the last one, and earlier ones while a run is in progress.
    pub(super) fn fetches<'l>(&'l self, path: &'l str) -> impl Iterator<Item = &'l FetchRecord> {
        self.entries.iter().filter(move |entry| entry.path.as_deref() == Some(path))
    }

    /// The fetched files below a directory.
    pub(super) fn below(&self, directory: &str) -> Vec<String> {
        let in_it =
            |path: &str| path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'));
        self.by_path.keys().filter(|path| in_it(path)).cloned().collect()
    }

    /// The validators, digest and size of a file, if it came from exactly this URL.
    #[must_use]
    pub(super) fn known(&self, path: &str, url: &Url) -> Option<(Validators, Sha256Digest, u64)> {
        let same = |entry: &&FetchRecord| {
            entry.url == redacted(url) && entry.url_sha256 == query_digest(url)
        };
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

    /// Records that a file gets another name. The file that had that name stays known until the new one has
    /// arrived: a run that is interrupted now may leave it there.
    pub(super) fn rename(&mut self, from: &str, to: &str) {
        if self.of(from).is_none() {
            return;
        }
        self.entries.retain(|entry| entry.path.as_deref() != Some(to) || !is_blob(entry));
        let (moved, mut rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.entries)
            .into_iter()
            .partition(|entry| entry.path.as_deref() == Some(from));
        rest.extend(
            moved.into_iter().map(|entry| FetchRecord { path: Some(to.to_owned()), ..entry }),
        );
        self.entries = rest;
        self.index();
    }

    /// Records that a file has its new name: the one that had it before is forgotten.
    pub(super) fn arrived(&mut self, path: &str) {
        self.keep_one(path, None);
    }

    /// Where a name has several fetches, because a run was interrupted while it renamed a file, keeps the one
    /// that `is` the file.
    pub(super) fn choose(&mut self, is: impl Fn(&str, &FetchRecord) -> bool) {
        for path in self.by_path.keys().cloned().collect::<Vec<_>>() {
            if self.fetches(&path).filter(|entry| !is_blob(entry)).count() > 1 {
                let found =
                    self.fetches(&path).find(|entry| !is_blob(entry) && is(&path, entry)).cloned();
                self.keep_one(&path, found);
            }
        }
    }

    /// Keeps only this fetch of a file, or the last one; with the last one also its blobs.
    fn keep_one(&mut self, path: &str, entry: Option<FetchRecord>) {
        let last = self.of(path).cloned();
        let Some(kept) = entry.or_else(|| last.clone()) else { return };
        let with_blobs = last.as_ref() == Some(&kept);
        self.entries.retain(|other| {
            other.path.as_deref() != Some(path) || *other == kept || (with_blobs && is_blob(other))
        });
        self.index();
    }

    /// Writes the log of a run in progress.
    ///
    /// # Errors
    /// [`Code::WriteFailed`].
    pub(super) fn write(&self, folder: &Folder) -> Result<(), Fault> {
        folder.make_folders("trust")?;
        folder.write(RUNNING, &self.to_bytes()?, 0o644)
    }

    /// Replaces the old log.
    ///
    /// # Errors
    /// [`Code::WriteFailed`].
    pub(super) fn finish(&self, folder: &Folder) -> Result<(), Fault> {
        folder.make_folders("trust")?;
        // At every moment it is complete under one name or the other.
        folder.write(RUNNING, &self.to_bytes()?, 0o644)?;
        folder.commit(FETCH_LOG)
    }

    /// Keeps the old log.
    ///
    /// # Errors
    /// [`Code::WriteFailed`].
    pub(super) fn give_up(folder: &Folder) -> Result<(), Fault> {
        folder.remove(RUNNING)
    }

    /// Keeps the last fetch of each file that `exists`.
    pub(super) fn prune(&mut self, exists: impl Fn(&str) -> bool) {
        let last = std::mem::take(&mut self.by_path);
        let mut number = 0_usize;
        self.entries.retain(|entry| {
            let here = number;
            number = number.saturating_add(1);
            match &entry.path {
                // Blobs of an archive share its path: together they say where it came from.
                Some(path) => exists(path) && (last.get(path) == Some(&here) || is_blob(entry)),
                None => false,
            }
        });
        self.index();
    }

    /// Whether it has no entries.
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
    /// [`Code::WriteFailed`]; never in practice.
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

/// Whether a fetch is a blob, one of many that make up a file.
fn is_blob(entry: &FetchRecord) -> bool {
    entry.url.contains("/blobs/sha256:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_query_is_another_file() {
        let url = |text: &str| Url::parse(text).unwrap();
        let fetched = |text: &str| FetchRecord {
            url: redacted(&url(text)),
            url_sha256: query_digest(&url(text)),
            etag: Some("\"1\"".to_owned()),
            ..FetchRecord::local(String::new(), "p", 1, Sha256Digest::of(b"x"))
        };
        for (before, now, same) in [
            ("https://v.example/a", "https://v.example/a", true),
            ("https://v.example/a?v=1&token=s3cret", "https://v.example/a?v=1&token=s3cret", true),
            ("https://v.example/a?v=1", "https://v.example/a?v=2", false),
            ("https://v.example/a?v=1", "https://v.example/a", false),
            ("https://v.example/a", "https://v.example/a?v=1", false),
        ] {
            let mut log = FetchLog::default();
            log.add(fetched(before));
            assert_eq!(log.known("p", &url(now)).is_some(), same, "{before} {now}");
            let text = String::from_utf8(log.to_bytes().unwrap()).unwrap();
            assert!(!text.contains("s3cret") && !text.contains("v=1"), "{text}");
        }
    }
}
