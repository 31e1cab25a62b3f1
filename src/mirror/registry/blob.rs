//! Downloads one blob to its place in the archive: continued where an earlier run or attempt stopped, hashed
//! while it is written, and right only if it has the digest that named it.

use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::Response;
use url::Url;

use super::disk::Disk;
use super::journal::Journal;
use super::layout::Blob;
use super::session::Session;
use crate::digest::Hasher;
use crate::limits;
use crate::mirror::http::{
    AttemptError, ContentRange, EarlyEnds, Pace, is_page, length, opening, page, says_page,
    unwritten,
};
use crate::mirror::{FetchRecord, ProgressTask, Watch};
use crate::verdict::{Code, Fault};

/// After this much progress the retries start again.
const PROGRESS_BYTES: u64 = 1 << 20;

/// What all blobs of an archive share.
pub(super) struct ArchiveDownload<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) disk: &'a Disk,
    pub(super) journal: &'a Journal<'a>,
    pub(super) watch: &'a dyn Watch,
    /// Another blob failed: stop, and continue in a later run.
    pub(super) stop: &'a AtomicBool,
    /// The name of the archive.
    pub(super) name: &'a str,
}

/// Why a blob was not fetched.
pub(super) enum BlobMissing {
    Stopped,
    Fault(Fault),
}

impl From<Fault> for BlobMissing {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Why an attempt ended.
enum BlobError {
    Attempt(AttemptError),
    /// The authorization of this number is not, or no longer, accepted.
    TokenExpired(u64),
}

impl From<AttemptError> for BlobError {
    fn from(attempt: AttemptError) -> Self {
        Self::Attempt(attempt)
    }
}

/// A download in progress.
struct BlobDownload<'a> {
    archive: &'a ArchiveDownload<'a>,
    blob: &'a Blob,
    task: ProgressTask<'a>,
    hasher: Hasher,
    /// Whether the bytes are from more than one response.
    joined: bool,
    /// Whether the token was renewed since bytes last arrived.
    renewed: bool,
    ends: EarlyEnds,
}

/// Downloads a blob; returns what was fetched, or nothing if all of it was there.
pub(super) fn fetch(
    archive: &ArchiveDownload<'_>,
    blob: &Blob,
) -> Result<Option<FetchRecord>, BlobMissing> {
    if archive.stop.load(Ordering::Relaxed) {
        return Err(BlobMissing::Stopped);
    }
    let result = run(archive, blob);
    if result.is_err() {
        archive.stop.store(true, Ordering::Relaxed);
    }
    result
}

fn run(archive: &ArchiveDownload<'_>, blob: &Blob) -> Result<Option<FetchRecord>, BlobMissing> {
    let reference = &archive.session.reference;
    let url = archive.session.url(&format!("{}/blobs/{}", reference.repository(), blob.digest))?;
    let hasher = here(archive, blob);
    let mut resumed_from = hasher.bytes();
    let short: String = blob.digest.to_hex().chars().take(12).collect();
    let task = ProgressTask::begin(
        archive.watch,
        &format!("{reference} {short}"),
        resumed_from,
        Some(blob.size),
    );
    if resumed_from == blob.size && hasher.clone().finish() == blob.digest {
        return Ok(None);
    }
    let mut download = BlobDownload {
        archive,
        blob,
        task,
        hasher,
        joined: resumed_from > 0,
        renewed: false,
        ends: EarlyEnds::default(),
    };
    if resumed_from == blob.size {
        download.restart();
    }
    loop {
        download.finish(&url)?;
        if download.hasher.clone().finish() == blob.digest {
            break;
        }
        let joined = download.joined;
        download.restart();
        archive.journal.note(&blob.digest, 0)?;
        // The medium lost bytes, or two responses do not fit together: fetch it again in one piece.
        if !joined {
            let message = "the registry sent other bytes than the manifest names";
            return Err(Fault::new(Code::SourceDisagrees, message).at(url.as_str()).into());
        }
        resumed_from = 0;
    }
    resumed_from = if download.joined { resumed_from } else { 0 };
    archive.journal.note(&blob.digest, blob.size)?;
    Ok(Some(FetchRecord {
        status: if resumed_from > 0 { 206 } else { 200 },
        path: Some(archive.name.to_owned()),
        resumed_from,
        ..FetchRecord::new(url.to_string(), blob.size, blob.digest)
    }))
}

/// Hashes what an earlier run left of the blob.
fn here(archive: &ArchiveDownload<'_>, blob: &Blob) -> Hasher {
    let mut left = archive.journal.here(&blob.digest).min(blob.size);
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; limits::COPY_BYTES];
    while left > 0 {
        let count = usize::try_from(left).unwrap_or(limits::COPY_BYTES).min(limits::COPY_BYTES);
        let at = blob.offset.saturating_add(hasher.bytes());
        let Some(part) = buffer.get_mut(..count) else { return Hasher::new() };
        if archive.disk.read(at, part).is_err() {
            return Hasher::new();
        }
        hasher.update(part);
        left = left.saturating_sub(count as u64);
    }
    hasher
}

impl BlobDownload<'_> {
    fn restart(&mut self) {
        self.hasher = Hasher::new();
        self.joined = false;
    }

    fn left(&self) -> u64 {
        self.blob.size.saturating_sub(self.hasher.bytes())
    }

    /// Fetches the rest, in as many attempts as it takes while there is progress.
    fn finish(&mut self, url: &Url) -> Result<(), BlobMissing> {
        let http = self.archive.session.http;
        loop {
            let before = self.hasher.bytes();
            let result =
                http.retrying_watched(url.as_str(), self.archive.watch, |_| self.step(url));
            let Err(fault) = result else { return Ok(()) };
            self.archive.journal.note(&self.blob.digest, self.hasher.bytes())?;
            self.archive.journal.flush()?;
            if self.archive.stop.load(Ordering::Relaxed) {
                return Err(BlobMissing::Stopped);
            }
            if fault.code() == Code::NetworkFailed
                && let Some(said) = self.ends.contradiction(&fault)
            {
                return Err(said.into());
            }
            let progress = self.hasher.bytes().saturating_sub(before) >= PROGRESS_BYTES;
            if fault.code() != Code::NetworkFailed || !progress {
                return Err(fault.into());
            }
        }
    }

    fn step(&mut self, url: &Url) -> Result<(), AttemptError> {
        loop {
            match self.attempt(url) {
                Ok(()) => return Ok(()),
                Err(BlobError::Attempt(attempt)) => return Err(attempt),
                Err(BlobError::TokenExpired(number)) => {
                    self.renewed = true;
                    self.archive.session.renew(number).map_err(AttemptError::Fatal)?;
                }
            }
        }
    }

    fn attempt(&mut self, url: &Url) -> Result<(), BlobError> {
        let http = self.archive.session.http;
        let mut response = self.open(url)?;
        self.expected(&mut response)?;
        let mut pace = Pace::default();
        let mut may_be_page = says_page(response.headers());
        let start = self.hasher.bytes();
        loop {
            let part = match http.chunk(&mut response, &mut pace) {
                Ok(Some(part)) => part,
                Ok(None) => break,
                Err(error) => {
                    self.ended(start);
                    return Err(error.into());
                }
            };
            if std::mem::take(&mut may_be_page) && is_page(part.as_ref()) {
                return Err(AttemptError::from(page()).into());
            }
            self.take(part.as_ref())?;
        }
        if self.left() == 0 {
            return Ok(());
        }
        self.ended(start);
        let message = format!("the body ended {} bytes early", self.left());
        Err(AttemptError::Retry(Fault::new(Code::NetworkFailed, message), None).into())
    }

    fn ended(&mut self, start: u64) {
        if start == 0 {
            self.ends.at(self.hasher.bytes());
        }
    }

    /// Refuses a body that can't be the blob, before it is read.
    fn expected(&self, response: &mut Response) -> Result<(), AttemptError> {
        let length = length(response.headers())?.filter(|length| *length != self.left());
        let Some(length) = length else { return Ok(()) };
        if is_page(&opening(self.archive.session.http, response)) {
            return Err(page().into());
        }
        let message = "the blob's size is not the one that the manifest states";
        let fault = Fault::new(Code::SourceDisagrees, message)
            .expected_found(format!("{} bytes", self.left()), format!("{length} bytes to come"));
        Err(AttemptError::Fatal(fault))
    }

    /// Writes a chunk.
    fn take(&mut self, part: &[u8]) -> Result<(), AttemptError> {
        let stop = |code, message: String| AttemptError::Fatal(Fault::new(code, message));
        if self.archive.stop.load(Ordering::Relaxed) {
            return Err(stop(Code::NetworkFailed, String::from("another transfer failed")));
        }
        if part.len() as u64 > self.left() {
            let message =
                format!("more than the {} bytes that the manifest states", self.blob.size);
            return Err(stop(Code::SourceDisagrees, message));
        }
        let at = self.blob.offset.saturating_add(self.hasher.bytes());
        self.archive
            .disk
            .write(at, part)
            .map_err(|error| AttemptError::Fatal(unwritten(&error)))?;
        self.hasher.update(part);
        self.renewed = false;
        self.task.advance(part.len() as u64);
        self.archive
            .journal
            .note(&self.blob.digest, self.hasher.bytes())
            .map_err(AttemptError::Fatal)
    }

    /// Requests what is not here yet.
    fn open(&mut self, url: &Url) -> Result<Response, BlobError> {
        let here = self.hasher.bytes();
        let (mut response, number) = self.archive.session.blob(url, here)?;
        match response.status().as_u16() {
            200 => {
                self.restart();
                Ok(response)
            }
            206 if here > 0 => {
                let range = ContentRange::of(response.headers());
                if range.is_some_and(|range| range.is_rest(here) && range.total == self.blob.size) {
                    self.joined = true;
                    return Ok(response);
                }
                self.restart();
                let message = "the response is not the range that was asked for";
                Err(AttemptError::Retry(Fault::new(Code::ResponseInvalid, message), None).into())
            }
            401 if !self.renewed => Err(BlobError::TokenExpired(number)),
            status => {
                let body = opening(self.archive.session.http, &mut response);
                match self.archive.session.refused(status, response.headers(), &body) {
                    // It may not support the range.
                    AttemptError::Fatal(fault) if here > 0 => {
                        self.restart();
                        Err(AttemptError::Retry(fault, None).into())
                    }
                    other => Err(other.into()),
                }
            }
        }
    }
}
