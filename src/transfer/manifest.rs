//! `manifest.json` version 1 (`bundle-format/`): its fields, how it is written, how it is read.
//!
//! Reading is strict: an unknown or repeated field, a value of another type, or anything after the
//! document is refused. `parse` checks what the fields mean together.

use serde::{Deserialize, Serialize};

use super::strict::{objects, present_object};
use crate::digest::{Sha256Digest, bare};
use crate::verdict::{Code, Fault};

/// The name and major version of the manifest.
pub const SCHEMA: &str = "sealift-transfer/v1";

/// A transfer's manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// SHA-256 of `SHA256SUMS`; always the second line of the file.
    #[serde(with = "bare")]
    pub sha256sums: Sha256Digest,
    /// Always [`SCHEMA`].
    pub schema: String,
    /// 32 lower-case hexadecimal digits, chosen at random for every seal.
    pub transfer_id: String,
    /// The line of transfers that it belongs to.
    pub stream: String,
    /// Grows from transfer to transfer of a stream.
    pub serial: u64,
    /// When it was sealed: RFC 3339, UTC, whole seconds.
    pub created: String,
    /// Until when it may be used, in the same form.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// The program that sealed it and its version.
    pub tool: String,
    /// What was asked for on the connected side.
    #[serde(deserialize_with = "objects")]
    pub requested: Vec<Requested>,
    /// What of it could not be fetched.
    #[serde(deserialize_with = "objects")]
    pub omitted: Vec<OmittedItem>,
    /// The images and packages.
    #[serde(deserialize_with = "objects")]
    pub artifacts: Vec<Artifact>,
    /// Every file but those of the seal, sorted by the bytes of their paths.
    #[serde(deserialize_with = "objects")]
    pub files: Vec<FileEntry>,
    /// The earlier transfer that this one builds on.
    #[serde(default, deserialize_with = "present_object", skip_serializing_if = "Option::is_none")]
    pub base: Option<Base>,
    /// Free text.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

/// Whether something is an image or a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ManifestKind {
    /// A container image archive or OCI layout.
    Image,
    /// Any file, signed by its SHA-256.
    Package,
}

impl<'de> Deserialize<'de> for ManifestKind {
    /// A string only; the derived reader would take `{"image": null}` too.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match &*<std::borrow::Cow<'de, str>>::deserialize(deserializer)? {
            "image" => Ok(Self::Image),
            "package" => Ok(Self::Package),
            other => Err(serde::de::Error::unknown_variant(other, &["image", "package"])),
        }
    }
}

/// Something that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requested {
    /// Image or package.
    pub kind: ManifestKind,
    /// The reference, name or URL.
    pub name: String,
}

/// Something that was requested and could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OmittedItem {
    /// Image or package.
    pub kind: ManifestKind,
    /// The reference, name or URL.
    pub name: String,
    /// The code of the refusal.
    pub code: String,
    /// Why, one sentence.
    pub reason: String,
}

/// One image or package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// Image or package.
    pub kind: ManifestKind,
    /// What the operator calls it.
    pub name: String,
    /// The file, or the directory of an OCI layout.
    pub path: String,
    /// The files of its signature bundles.
    pub bundles: Vec<String>,
    /// Fingerprint of the vendor's key that verified.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub key: Option<Sha256Digest>,
    /// The vendor's name, from the policy or the vendor profile.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Where it came from.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The kinds of digest that are signed, sorted.
    pub digest_kinds: Vec<String>,
    /// The operator knows that no vendor signed it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_unsigned: bool,
    /// The vendor's key was accepted unseen, on first use.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first_use: bool,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Its path.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 of all its bytes.
    #[serde(with = "bare")]
    pub sha256: Sha256Digest,
    /// Consecutive ranges of an uncompressed archive, cut at tar members.
    #[serde(default, deserialize_with = "objects", skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<SegmentEntry>,
}

/// One range of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentEntry {
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 of its bytes.
    #[serde(with = "bare")]
    pub sha256: Sha256Digest,
}

/// The earlier transfer that a differential one builds on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// Its id.
    pub transfer_id: String,
    /// SHA-256 of its manifest's bytes.
    pub manifest: Sha256Digest,
    /// Its stream.
    pub stream: String,
    /// Its serial.
    pub serial: u64,
    /// What it carried that is not repeated here.
    #[serde(deserialize_with = "objects")]
    pub artifacts: Vec<BaseArtifact>,
}

/// An artifact that an earlier transfer carried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseArtifact {
    /// Image or package.
    pub kind: ManifestKind,
    /// What the operator calls it.
    pub name: String,
    /// Its path in the earlier transfer.
    pub path: String,
    /// SHA-256 of its bytes.
    #[serde(with = "bare")]
    pub sha256: Sha256Digest,
}

/// An optional member that is present has a value, and `null` is not one.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

impl Manifest {
    /// The exact bytes of `manifest.json`.
    ///
    /// # Errors
    /// [`Code::WriteFailed`]; none in practice.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Fault> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|error| Fault::new(Code::WriteFailed, error.to_string()))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The exact bytes of `SHA256SUMS` that the manifest implies.
    #[must_use]
    pub fn sums(&self) -> Vec<u8> {
        sums(&self.files)
    }

    /// The entry of a file, if it is listed.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&FileEntry> {
        let index = self.files.binary_search_by(|entry| entry.path.as_str().cmp(path)).ok()?;
        self.files.get(index)
    }

    /// The entries of all files below a directory.
    pub fn below<'a>(&'a self, directory: &str) -> impl Iterator<Item = &'a FileEntry> {
        let prefix = format!("{directory}/");
        let start = self.files.partition_point(|entry| entry.path.as_str() < prefix.as_str());
        self.files
            .get(start..)
            .unwrap_or_default()
            .iter()
            .take_while(move |entry| entry.path.starts_with(&prefix))
    }
}

/// The digest of `SHA256SUMS` in the second line of a manifest, as tools without JSON find it; the
/// first line must be `{`.
pub(super) fn stated_sums(bytes: &[u8]) -> Option<Sha256Digest> {
    let line = bytes.strip_prefix(b"{\n  \"sha256sums\": \"")?;
    let hex = std::str::from_utf8(line.get(..64)?).ok()?;
    let digest = Sha256Digest::from_hex(hex).ok()?;
    line.get(64..)?.starts_with(b"\",\n").then_some(digest)
}

/// The bytes of `SHA256SUMS` for these files, which are in order.
#[must_use]
pub(super) fn sums(files: &[FileEntry]) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in files {
        out.extend_from_slice(entry.sha256.to_hex().as_bytes());
        out.extend_from_slice(b"  ");
        out.extend_from_slice(entry.path.as_bytes());
        out.push(b'\n');
    }
    out
}
