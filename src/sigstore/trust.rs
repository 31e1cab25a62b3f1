//! Trust material: a Sigstore trusted root, parsed once and used for any number of bundles.

use std::fmt;

use sigstore_verify::Verifier;
use sigstore_verify::trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, TrustedRoot};
use sigstore_verify::types::TimeRange;

use super::provider;
use crate::json;
use crate::limits;
use crate::verdict::{Code, Fault};

/// A transparency log that the trusted root knows.
#[derive(Debug, Clone)]
pub(super) struct Log {
    pub(super) id: Vec<u8>,
    /// Its base URL.
    pub(super) name: String,
    pub(super) window: Option<TimeRange>,
}

/// A trusted root: the logs, certificate authorities and timestamp authorities to believe.
///
/// Building it installs this program's cryptography for the sigstore crates.
pub struct TrustMaterial {
    logs: Vec<Log>,
    pub(super) verifier: Verifier,
}

impl fmt::Debug for TrustMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustMaterial").field("logs", &self.logs).finish_non_exhaustive()
    }
}

impl TrustMaterial {
    /// The root of Sigstore's public production instance, as the crate `sigstore-trust-root`
    /// embeds it.
    ///
    /// # Errors
    /// None in practice: the root is part of the program, and a test reads it.
    pub fn production() -> Result<Self, Fault> {
        Self::from_json(SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes())
    }

    /// The bytes of the root that [`TrustMaterial::production`] reads.
    #[must_use]
    pub fn production_bytes() -> Vec<u8> {
        SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes().to_vec()
    }

    /// Reads a `trusted_root.json` (protobuf-specs, `sigstore_trustroot.proto`).
    ///
    /// # Errors
    /// [`Code::TrustedRootMalformed`], saying what can't be used.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Fault> {
        provider::install();
        let refuse = |reason: String| Fault::new(Code::TrustedRootMalformed, reason);
        // The library's parser lets duplicate keys of unknown fields pass; ours does not.
        let value = json::parse(bytes, limits::TRUSTED_ROOT_BYTES)
            .map_err(|error| refuse(error.to_string()))?;
        let media_type = value.get("mediaType").and_then(serde_json::Value::as_str);
        if !media_type
            .is_some_and(|text| text.starts_with("application/vnd.dev.sigstore.trustedroot"))
        {
            return Err(refuse("not a Sigstore trusted root (mediaType)".to_owned()));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| refuse(error.to_string()))?;
        let root = TrustedRoot::from_json(text).map_err(|error| refuse(error.to_string()))?;
        let verifier = Verifier::new(&root).map_err(|error| refuse(error.to_string()))?;
        let logs = root
            .tlogs
            .iter()
            .map(|log| Log {
                id: log.log_id.key_id.as_bytes().to_vec(),
                name: log.base_url.clone(),
                window: log.public_key.valid_for,
            })
            .collect();
        Ok(Self { logs, verifier })
    }

    /// The log with this id.
    pub(super) fn log(&self, id: &[u8]) -> Option<&Log> {
        self.logs.iter().find(|log| log.id == id)
    }

    /// The log whose id begins with the four bytes of a checkpoint's key hint.
    pub(super) fn log_by_hint(&self, hint: &[u8]) -> Option<&Log> {
        self.logs.iter().find(|log| log.id.starts_with(hint))
    }
}
