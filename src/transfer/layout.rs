//! The names that the seal itself uses in a transfer directory.

use crate::digest::Sha256Digest;
use crate::digest::hex;
use crate::folder::TEMPORARY;

/// The manifest: what the seal covers.
pub const MANIFEST: &str = "manifest.json";
/// The seal's signature: base64 of DER, and a newline.
pub const SIGNATURE: &str = "manifest.json.sig";
/// The same signature as a Sigstore bundle.
pub const SIGSTORE: &str = "manifest.json.sigstore.json";
/// The digests of all files, for `sha256sum -c`.
pub const SUMS: &str = "SHA256SUMS";
/// What shows that a sealing has begun and not ended: the manifest's temporary name.
pub(super) const MARKER: &str = "manifest.json.sealift-tmp";
/// The four files of the seal.
pub const SEAL_FILES: [&str; 4] = [SUMS, MANIFEST, SIGNATURE, SIGSTORE];
/// The Sigstore trusted root by which the vendors' bundles were verified.
pub const TRUSTED_ROOT: &str = "trust/trusted_root.json";
/// What was fetched from where, one JSON object a line.
pub const FETCH_LOG: &str = "trust/fetches.jsonl";
/// The independent check in shell.
pub const CHECK_SCRIPT: &str = "tools/verify-with-openssl.sh";

/// Where a vendor's key lies.
#[must_use]
pub fn key_path(fingerprint: &Sha256Digest) -> String {
    let start = fingerprint.as_bytes().get(..8).unwrap_or_default();
    format!("trust/keys/{}.pub", hex(start))
}

/// Whether a path lies where the seal keeps its own material, in `trust/` or `tools/`, whatever the
/// case of its letters.
#[must_use]
pub fn is_own(path: &str) -> bool {
    let top = path.split('/').next().unwrap_or_default();
    top.eq_ignore_ascii_case("trust") || top.eq_ignore_ascii_case("tools")
}

/// Whether a file is what an interrupted sealing leaves.
#[must_use]
pub(super) fn is_left_over(path: &str) -> bool {
    meant(path).is_some_and(|name| SEAL_FILES.contains(&name) || is_own(name))
}

/// The same on the far side, where a medium may have changed the case of the letters.
#[must_use]
pub(super) fn is_left_over_folded(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let of_seal = |name: &str| SEAL_FILES.iter().any(|seal| seal.eq_ignore_ascii_case(name));
    meant(&path).is_some_and(|name| of_seal(name) || is_own(name))
}

/// The name that a temporary one stands for.
pub(super) fn meant(path: &str) -> Option<&str> {
    let mut name = path;
    while let Some(shorter) = name.strip_suffix(TEMPORARY) {
        name = shorter;
    }
    (name.len() < path.len()).then_some(name)
}
