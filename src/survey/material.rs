//! What a file that was found is, if it is material: a bundle, a key, a trusted root, a vendor's key name.
//!
//! Material needs no signature of its own, so it must not be able to be anything else: it counts by its exact
//! form only, and under a name by which no program runs or loads it. What an operator names by an option is read elsewhere, as cosign reads it.

use std::fmt;

use super::found::FileKind;
use crate::key::{PublicKey, is_private_der};
use crate::limits;
use crate::pairing;
use crate::sigstore::{self, FoundDocument};
use crate::trust::VendorProfile;
use crate::verdict::Fault;

/// A file that may be material.
#[derive(Clone, Copy)]
pub struct MaterialCandidate<'a> {
    /// Its path.
    pub name: &'a str,
    /// The conventions by which vendors name keys.
    pub profiles: &'a [&'a VendorProfile],
    /// Whether there is a package of this path.
    pub has: &'a dyn Fn(&str) -> bool,
}

impl fmt::Debug for MaterialCandidate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaterialCandidate").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Whether a file is material. Material is compared and selected by, never run or loaded.
#[must_use]
pub fn is_material(candidate: &MaterialCandidate<'_>, bytes: &[u8]) -> bool {
    material(candidate, bytes).is_ok_and(|what| what.is_some())
}

/// Whether a file that begins so may be material.
pub(super) fn may_be_material(beginning: &[u8]) -> bool {
    // JSON, PEM, a comment (no script), and what OpenSSL prints.
    const WORDS: [&[u8]; 8] = [
        b"{",
        b"-",
        b"# ",
        b"#\n",
        b"#\r",
        b"Public-Key",
        b"RSA Public-Key",
        b"ED25519 Public-Key",
    ];
    let text = beginning.trim_ascii_start();
    text.is_empty() || WORDS.iter().any(|word| text.starts_with(word))
}

/// What the bytes of a small file are, if they are material beyond doubt.
///
/// # Errors
/// [`crate::verdict::Code::MaterialUnknownMember`] for what is material and more than that.
pub(super) fn material(
    candidate: &MaterialCandidate<'_>,
    bytes: &[u8],
) -> Result<Option<FileKind>, Fault> {
    if !may_be_material(bytes) {
        return Ok(None);
    }
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Ok(PublicKey::from_found(candidate.name, bytes)
            .ok()
            .map(|key| FileKind::Key(Box::new(key))));
    }
    match sigstore::found_document(bytes)? {
        Some(FoundDocument::Bundle(bundle)) if is_named_bundle(candidate) => {
            Ok(Some(FileKind::Bundle(bundle.stated_digest().map(|(_, digest)| digest))))
        }
        Some(FoundDocument::TrustedRoot) if ends(candidate.name, &[".json"]) => {
            Ok(Some(FileKind::TrustedRoot))
        }
        Some(_) => Ok(None),
        None => Ok(names_key(candidate, bytes)?.then_some(FileKind::KeyName)),
    }
}

/// Whether a name ends in one of these, in any letter case.
fn ends(name: &str, endings: &[&str]) -> bool {
    let name = name.to_ascii_lowercase();
    endings.iter().any(|ending| name.ends_with(ending))
}

/// Whether a file is named as bundles are: by custom, or by a vendor's convention. Under other names a
/// shell would run a `$(…)` in a value.
fn is_named_bundle(candidate: &MaterialCandidate<'_>) -> bool {
    const ENDINGS: [&str; 4] = [".json", ".bundle", ".sigstore", ".sig"];
    let base = candidate.name.rsplit('/').next().unwrap_or(candidate.name);
    ends(base, &ENDINGS)
        || candidate.profiles.iter().any(|profile| profile.package.bundle_file.fits(base))
}

/// Whether a file is the one by which a vendor names the key of a package.
fn names_key(candidate: &MaterialCandidate<'_>, bytes: &[u8]) -> Result<bool, Fault> {
    let mut packages = candidate
        .profiles
        .iter()
        .filter_map(|profile| profile.package.key_file.package_of(candidate.name));
    if !packages.any(|package| (candidate.has)(&package)) {
        return Ok(false);
    }
    pairing::is_key_name(bytes)
}

/// Whether a file holds a private key: as DER at its beginning, or as a PEM block with at most comments and
/// what OpenSSL prints of it before; in a text that is not a vendor's package (`anywhere`), at any place.
pub(super) fn holds_private_key(bytes: &[u8], anywhere: bool) -> bool {
    if is_private_der(bytes) {
        return true;
    }
    let text = String::from_utf8_lossy(bytes);
    if anywhere && !bytes.contains(&0) && has_private_block(&text) {
        return true;
    }
    if bytes.len() as u64 > limits::KEY_BYTES {
        return false;
    }
    let Some((before, block)) = text.split_once("-----BEGIN ") else { return false };
    let printed = before.contains("Private-Key:") || before.contains("Public-Key:");
    let harmless = |line: &str| {
        let line = line.trim_matches(['\u{feff}', ' ', '\t', '\r']);
        line.is_empty() || line.starts_with('#') || printed
    };
    block.contains("PRIVATE KEY-----") && before.lines().all(harmless)
}

/// Whether a text holds the first and, later, the last line of a private key's block.
fn has_private_block(text: &str) -> bool {
    const END: &str = "PRIVATE KEY-----";
    let mut lines = text.split(['\n', '\r']).map(|line| line.trim_matches(['\u{feff}', ' ', '\t']));
    let is = |line: &str, start: &str| line.starts_with(start) && line.ends_with(END);
    lines.any(|line| is(line, "-----BEGIN ")) && lines.any(|line| is(line, "-----END "))
}
