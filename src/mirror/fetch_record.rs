//! One fetch: a line of the log that travels with the transfer.

use serde::{Deserialize, Serialize};

use crate::digest::Sha256Digest;

/// One fetch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FetchRecord {
    /// When it ended: RFC 3339, UTC.
    pub time: String,
    /// Where it came from: a URL without credentials and query, or `docker:…`, `podman:…`, `file:…`.
    pub url: String,
    /// SHA-256 of the whole URL if it has a query: another query may be another file. The query itself may
    /// be secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_sha256: Option<Sha256Digest>,
    /// The HTTP status; 0 if it was not HTTP.
    pub status: u16,
    /// Size in bytes of the whole, even if a part was here before.
    pub size: u64,
    /// SHA-256 of the whole.
    pub sha256: Sha256Digest,
    /// Its path in the transfer directory; none for what is not kept (a token, a manifest).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The server's `ETag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The server's `Last-Modified`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// How many bytes were here before this run.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub resumed_from: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls it with")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl FetchRecord {
    /// Something that was fetched now from a URL.
    pub(super) fn new(url: String, size: u64, sha256: Sha256Digest) -> Self {
        Self {
            time: now(),
            url,
            url_sha256: None,
            status: 0,
            size,
            sha256,
            path: None,
            etag: None,
            last_modified: None,
            resumed_from: 0,
        }
    }

    /// A file that came from an engine or a disk of this machine.
    #[must_use]
    pub fn local(url: String, path: &str, size: u64, sha256: Sha256Digest) -> Self {
        Self { path: Some(path.to_owned()), ..Self::new(url, size, sha256) }
    }
}

/// The present time in whole seconds.
fn now() -> String {
    let now = jiff::Timestamp::now();
    jiff::Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}
