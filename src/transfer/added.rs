//! The files that sealing itself writes into `trust/` and `tools/`, with their bytes.

use std::collections::BTreeSet;

use super::layout::{self, CHECK_SCRIPT, PathUse, TRUSTED_ROOT};
use super::manifest::Artifact;
use super::seal_request::{AddedFile, SealRequest};
use crate::artifact::VendorKeys;
use crate::digest::Sha256Digest;
use crate::sigstore::TrustMaterial;
use crate::verdict::{Code, Fault};

const CHECK_SCRIPT_TEXT: &str = include_str!("../../scripts/verify-with-openssl.sh");

/// Whether sealing writes a file of this name outside the root.
pub(super) fn written_names(name: &str) -> bool {
    let in_trust = matches!(
        layout::path_use(name),
        Ok(PathUse::Key | PathUse::TrustedRoot | PathUse::FetchLog)
    );
    in_trust || name == CHECK_SCRIPT
}

/// The vendor keys, the trusted root and the independent check.
pub(super) fn added_files(
    request: &SealRequest<'_>,
    vendor_keys: &VendorKeys<'_>,
    artifacts: &[Artifact],
) -> Result<Vec<AddedFile>, Fault> {
    let fingerprints: BTreeSet<Sha256Digest> =
        artifacts.iter().filter_map(|artifact| artifact.key).collect();
    let mut own = Vec::new();
    for fingerprint in fingerprints {
        let key = vendor_keys
            .keys
            .iter()
            .find(|trusted| trusted.key.fingerprint() == fingerprint)
            .ok_or_else(|| {
                Fault::new(Code::KeyNotNamed, format!("verified by an unknown key {fingerprint}"))
            })?;
        let name = layout::key_path(&fingerprint);
        if own.iter().any(|other: &AddedFile| other.name == name) {
            let message = "two vendor keys have fingerprints with the same first 16 digits";
            return Err(Fault::new(Code::KeyNotNamed, message).at(name));
        }
        own.push(AddedFile { name, bytes: key.key.to_pem().into_bytes(), mode: 0o644 });
    }
    own.extend(fixed_files(request));
    Ok(own)
}

/// The files that are known before anything is judged: the trusted root, the independent check and those
/// of the request.
pub(super) fn fixed_files(request: &SealRequest<'_>) -> Vec<AddedFile> {
    let mut own = Vec::new();
    let root = request.trusted_root.map_or_else(TrustMaterial::production_bytes, <[u8]>::to_vec);
    own.push(AddedFile { name: TRUSTED_ROOT.to_owned(), bytes: root, mode: 0o644 });
    let script = CHECK_SCRIPT_TEXT.as_bytes().to_vec();
    own.push(AddedFile { name: CHECK_SCRIPT.to_owned(), bytes: script, mode: 0o755 });
    own.extend(request.extra.iter().cloned());
    own
}
