//! The part of a file that has arrived, under a temporary name, and the record that says what it is part of.
//!
//! Both may be anybody's: the record is read strictly, and the bytes are hashed from the disk. Whether they
//! belong to the file on the server, the server says.

use std::fs::File;
use std::io::{self, Read as _, Write as _};

use serde::{Deserialize, Serialize};
use url::Url;

use super::{Validators, unwritten};
use crate::digest::{Hasher, Sha256Digest};
use crate::directory::{Folder, TEMPORARY, read_small};
use crate::mirror::urls::redacted;
use crate::verdict::{Code, Fault};
use crate::{json, limits};

/// What the part is a part of: `NAME.resume.sealift-tmp`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResumeRecord {
    /// Where it came from, for human readers.
    url: String,
    /// SHA-256 of the whole URL: its query may hold a secret.
    url_sha256: Sha256Digest,
    etag: Option<String>,
    last_modified: Option<String>,
    /// Its encoding, as the server states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) encoding: Option<String>,
    /// Size of the whole.
    pub(super) total: Option<u64>,
}

impl ResumeRecord {
    pub(super) fn new(
        url: &Url,
        validators: &Validators,
        encoding: Option<String>,
        total: Option<u64>,
    ) -> Self {
        Self {
            url: redacted(url),
            url_sha256: Sha256Digest::of(url.as_str().as_bytes()),
            etag: validators.etag.clone(),
            last_modified: validators.last_modified.clone(),
            encoding,
            total,
        }
    }

    pub(super) fn validators(&self) -> Validators {
        Validators { etag: self.etag.clone(), last_modified: self.last_modified.clone() }
    }

    fn read(folder: &Folder, name: &str) -> Option<Self> {
        let limit = limits::RESUME_BYTES;
        let (bytes, _) =
            read_small(folder, &record_path(name), limit, Code::StateMalformed).ok()?;
        serde_json::from_value(json::parse(&bytes, limit).ok()?).ok()
    }
}

/// The name of the record, without the ending of temporary files.
fn record_name(name: &str) -> String {
    format!("{name}.resume")
}

fn record_path(name: &str) -> String {
    format!("{}{TEMPORARY}", record_name(name))
}

/// The part of a file, open for writing after the last byte that was hashed.
#[derive(Debug)]
pub(super) struct Part {
    file: File,
    hasher: Hasher,
    pub(super) record: ResumeRecord,
}

impl Part {
    /// The part that an earlier run left, if it can be continued.
    pub(super) fn found(folder: &Folder, name: &str, url: &Url) -> Result<Option<Self>, Fault> {
        let Some(record) = ResumeRecord::read(folder, name) else { return Ok(None) };
        let expected =
            ResumeRecord::new(url, &record.validators(), record.encoding.clone(), record.total);
        if record != expected || record.validators().strong().is_none() {
            return Ok(None);
        }
        let temporary = format!("{name}{TEMPORARY}");
        match folder.file(&temporary) {
            Err(fault) if fault.code() == Code::FileNotFound => return Ok(None),
            other => drop(other?),
        }
        let mut file = folder.part(name)?;
        let fail = |error: io::Error| {
            Fault::new(Code::Unreadable, error.to_string()).at(folder.show(&temporary))
        };
        let size = file.metadata().map_err(fail)?.len();
        let keep = match record.total {
            Some(total) if size > total => return Ok(None),
            // All is here but its name. The server is asked for the last byte, so that it has to say
            // that this is still the file.
            Some(total) if size == total => size.saturating_sub(1),
            _ => size,
        };
        if keep == 0 {
            return Ok(None);
        }
        let mut hasher = Hasher::new();
        hash(&mut file, keep, &mut hasher).map_err(fail)?;
        Ok(Some(Self { file, hasher, record }))
    }

    /// Starts again, without whatever was here.
    pub(super) fn fresh(folder: &Folder, name: &str, record: ResumeRecord) -> Result<Self, Fault> {
        // The order matters for a medium that loses power: never a new record with old bytes.
        folder.remove(&record_path(name))?;
        let file = folder.part(name)?;
        let emptied = file.set_len(0).and_then(|()| file.sync_all());
        emptied.map_err(|error| unwritten(&error).at(folder.show(name)))?;
        if record.validators().strong().is_some() {
            let text = serde_json::to_vec_pretty(&record)
                .map_err(|error| Fault::new(Code::WriteFailed, error.to_string()))?;
            folder.prepare(&record_name(name), &text, 0o644)?;
        }
        Ok(Self { file, hasher: Hasher::new(), record })
    }

    /// How many bytes are here.
    pub(super) const fn here(&self) -> u64 {
        self.hasher.bytes()
    }

    /// Writes the next bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.file.write_all(bytes).map_err(|error| unwritten(&error))?;
        self.hasher.update(bytes);
        Ok(())
    }

    /// Gives the complete file its name; returns its size and digest.
    pub(super) fn finish(self, folder: &Folder, name: &str) -> Result<(u64, Sha256Digest), Fault> {
        let size = self.hasher.bytes();
        let done = self.file.set_len(size).and_then(|()| self.file.sync_all());
        done.map_err(|error| unwritten(&error).at(folder.show(name)))?;
        folder.commit(name)?;
        folder.remove(&record_path(name))?;
        Ok((size, self.hasher.finish()))
    }

    /// Removes what an earlier run left.
    pub(super) fn discard(folder: &Folder, name: &str) -> Result<(), Fault> {
        folder.remove(&record_path(name))?;
        folder.remove(&format!("{name}{TEMPORARY}"))
    }
}

/// Hashes the first bytes of a file, and leaves the position after them.
fn hash(file: &mut File, bytes: u64, hasher: &mut Hasher) -> io::Result<()> {
    let mut buffer = vec![0; limits::COPY_BYTES];
    let mut head = file.take(bytes);
    while hasher.bytes() < bytes {
        match head.read(&mut buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => hasher.update(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
