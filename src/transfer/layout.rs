//! The names that the seal itself uses in a transfer directory.

use crate::digest::Sha256Digest;
use crate::digest::hex;
use crate::directory::TEMPORARY;

/// The manifest: what the seal covers.
pub const MANIFEST: &str = "manifest.json";
/// The seal's signature: base64 of DER, and a newline.
pub const SIGNATURE: &str = "manifest.json.sig";
/// The same signature as a Sigstore bundle.
pub const SIGSTORE: &str = "manifest.json.sigstore.json";
/// The digests of all files, for `sha256sum -c`.
pub const SUMS: &str = "SHA256SUMS";
/// Shows that a sealing has begun and not ended: the manifest's temporary name.
pub(super) const MARKER: &str = "manifest.json.sealift-tmp";
/// The four files of the seal.
pub const SEAL_FILES: [&str; 4] = [SUMS, MANIFEST, SIGNATURE, SIGSTORE];
/// The Sigstore trusted root by which the vendors' bundles were verified.
pub const TRUSTED_ROOT: &str = "trust/trusted_root.json";
/// What was fetched from where, one JSON object a line.
pub const FETCH_LOG: &str = "trust/fetches.jsonl";
/// The independent check in shell.
pub const CHECK_SCRIPT: &str = "tools/verify-with-openssl.sh";

/// The path of a vendor's key.
#[must_use]
pub fn key_path(fingerprint: &Sha256Digest) -> String {
    let start = fingerprint.as_bytes().get(..8).unwrap_or_default();
    format!("trust/keys/{}.pub", hex(start))
}

/// What a path of a manifest is for (`bundle-format/`, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathUse {
    /// Anything: an artifact, a bundle, a file.
    Free,
    /// `trust/keys/<16 digits>.pub`.
    Key,
    /// [`TRUSTED_ROOT`].
    TrustedRoot,
    /// [`FETCH_LOG`].
    FetchLog,
    /// Below `tools/`.
    Tool,
}

/// Why no file may have a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reserved {
    /// A file of the seal, or below a directory of its name.
    Seal,
    /// A temporary name.
    Temporary,
    /// `trust` or `tools` in other letters, or as a file.
    Directory,
    /// In `trust/`, and not one of the files that belong there.
    Trust,
}

impl Reserved {
    /// The reason in words.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Seal => "the name is one of the seal's own",
            Self::Temporary => "the name ends as those of half-written files do",
            Self::Directory => "trust/ and tools/ are directories, written in lower case",
            Self::Trust => {
                "trust/ holds keys/<16 digits>.pub, trusted_root.json and fetches.jsonl, \
                 and nothing else"
            }
        }
    }
}

/// What a path may be used for: the one rule for sealing and for reading.
pub(super) fn path_use(path: &str) -> Result<PathUse, Reserved> {
    let (top, below) = match path.split_once('/') {
        Some((top, below)) => (top, Some(below)),
        None => (path, None),
    };
    if SEAL_FILES.iter().any(|seal| seal.eq_ignore_ascii_case(top)) {
        return Err(Reserved::Seal);
    }
    if path.split('/').any(is_temporary) {
        return Err(Reserved::Temporary);
    }
    match (top, below) {
        ("tools", Some(_)) => Ok(PathUse::Tool),
        ("trust", Some(_)) if path == TRUSTED_ROOT => Ok(PathUse::TrustedRoot),
        ("trust", Some(_)) if path == FETCH_LOG => Ok(PathUse::FetchLog),
        ("trust", Some(below)) => match below.strip_prefix("keys/") {
            Some(name) if is_key_name(name) => Ok(PathUse::Key),
            _ => Err(Reserved::Trust),
        },
        _ if is_own(path) => Err(Reserved::Directory),
        _ => Ok(PathUse::Free),
    }
}

/// Why no directory may have a path, if none may. An empty one that spells `trust` in other letters is not
/// part of the transfer.
pub(super) fn directory(path: &str) -> Option<Reserved> {
    if SEAL_FILES.iter().any(|seal| seal.eq_ignore_ascii_case(path)) {
        return Some(Reserved::Seal);
    }
    path.rsplit('/').next().is_some_and(is_temporary).then_some(Reserved::Temporary)
}

/// Whether a part of a path is a temporary name, in any letters.
pub(super) fn is_temporary(part: &str) -> bool {
    part.to_ascii_lowercase().ends_with(TEMPORARY)
}

/// Sixteen lower-case digits and `.pub`.
fn is_key_name(name: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    name.strip_suffix(".pub").is_some_and(|digits| digits.len() == 16 && digits.bytes().all(digit))
}

/// Whether a path is where the seal keeps its own material, in `trust/` or `tools/`, whatever the
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

/// The final name of a file with a temporary name.
pub(super) fn meant(path: &str) -> Option<&str> {
    let mut name = path;
    while let Some(shorter) = name.strip_suffix(TEMPORARY) {
        name = shorter;
    }
    (name.len() < path.len()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_one_use() {
        for (path, place) in [
            ("a", PathUse::Free),
            ("images/SHA256SUMS", PathUse::Free),
            ("images/trust/x", PathUse::Free),
            ("trusted", PathUse::Free),
            ("tools/verify-with-openssl.sh", PathUse::Tool),
            ("tools/deep/Trust/x", PathUse::Tool),
            ("trust/keys/0123456789abcdef.pub", PathUse::Key),
            ("trust/trusted_root.json", PathUse::TrustedRoot),
            ("trust/fetches.jsonl", PathUse::FetchLog),
        ] {
            assert_eq!(super::path_use(path), Ok(place), "{path}");
        }
        for (path, why) in [
            ("manifest.json", Reserved::Seal),
            ("Sha256Sums", Reserved::Seal),
            ("MANIFEST.JSON/x", Reserved::Seal),
            ("a.sealift-tmp", Reserved::Temporary),
            ("a/B.Sealift-TMP/c", Reserved::Temporary),
            ("tools/a.sealift-tmp", Reserved::Temporary),
            ("trust", Reserved::Directory),
            ("tools", Reserved::Directory),
            ("Tools", Reserved::Directory),
            ("TRUST/keys/0123456789abcdef.pub", Reserved::Directory),
            ("Tools/setup.exe", Reserved::Directory),
            ("trust/payload/install.sh", Reserved::Trust),
            ("trust/install.sh", Reserved::Trust),
            ("trust/Trusted_root.json", Reserved::Trust),
            ("trust/trusted_root.json/x", Reserved::Trust),
            ("trust/keys", Reserved::Trust),
            ("trust/keys/x.pub", Reserved::Trust),
            ("trust/Keys/0123456789abcdef.pub", Reserved::Trust),
            ("trust/keys/0123456789ABCDEF.pub", Reserved::Trust),
            ("trust/keys/0123456789abcdef.PUB", Reserved::Trust),
            ("trust/keys/a/0123456789abcdef.pub", Reserved::Trust),
            ("trust/keys/0123456789abcdef0.pub", Reserved::Trust),
        ] {
            assert_eq!(super::path_use(path), Err(why), "{path}");
        }
    }
}
