//! A transfer directory in the making: what a sealer writes, and every place where it can be wrong.

use sealift::digest::Sha256Digest;
use sealift::key::PrivateKey;
use sealift::transfer::{FileEntry, MANIFEST, Manifest, SIGNATURE, SIGSTORE, SUMS};
use sealift::transfer::{SegmentEntry, signature_file, sigstore_file};

use crate::{Files, Result};

/// Files and what the manifest is to say; the entries of the files are made when it is sealed.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) files: Files,
    pub(crate) manifest: Manifest,
    /// The segments of one file.
    pub(crate) segments: Option<(String, Vec<SegmentEntry>)>,
}

impl Draft {
    /// The directory as a sealer leaves it.
    pub(crate) fn seal(&self, key: &PrivateKey) -> Result<Files> {
        self.seal_as(key, |_| {}, |text| text)
    }

    /// The same with a manifest that was changed: its entries before the list of files is made from
    /// them, and its text before it is signed.
    pub(crate) fn seal_as(
        &self,
        key: &PrivateKey,
        change: impl FnOnce(&mut Manifest),
        edit: impl FnOnce(String) -> String,
    ) -> Result<Files> {
        let mut manifest = self.manifest.clone();
        manifest.files = self.entries();
        change(&mut manifest);
        let sums = manifest.sums();
        manifest.sha256sums = Sha256Digest::of(&sums);
        let text = edit(String::from_utf8(manifest.to_bytes()?)?);
        let mut files = self.files.clone();
        files.insert(SUMS.to_owned(), sums);
        sign(&mut files, text.into_bytes(), key);
        Ok(files)
    }

    fn entries(&self) -> Vec<FileEntry> {
        self.files.iter().map(|(path, bytes)| self.entry(path, bytes)).collect()
    }

    fn entry(&self, path: &str, bytes: &[u8]) -> FileEntry {
        let segments = self.segments.iter().find(|(of, _)| of == path);
        FileEntry {
            path: path.to_owned(),
            size: bytes.len() as u64,
            sha256: Sha256Digest::of(bytes),
            segments: segments.map(|(_, segments)| segments.clone()).unwrap_or_default(),
        }
    }
}

/// Writes the manifest and both forms of its signature.
pub(crate) fn sign(files: &mut Files, manifest: Vec<u8>, key: &PrivateKey) {
    let der = key.sign(&manifest);
    files.insert(MANIFEST.to_owned(), manifest);
    forms(files, &der, key);
}

/// Writes both forms of a signature over the manifest that is there.
pub(crate) fn forms(files: &mut Files, der: &[u8], key: &PrivateKey) {
    let manifest = files.get(MANIFEST).map(|bytes| Sha256Digest::of(bytes));
    let manifest = manifest.unwrap_or_else(|| Sha256Digest::of(b""));
    files.insert(SIGNATURE.to_owned(), signature_file(der));
    let signer = key.public().fingerprint();
    files.insert(SIGSTORE.to_owned(), sigstore_file(der, &signer, &manifest));
}

/// The manifest's bytes.
pub(crate) fn manifest_of(files: &Files) -> Vec<u8> {
    files.get(MANIFEST).cloned().unwrap_or_default()
}

/// Changes one file.
pub(crate) fn edit(files: &mut Files, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
    change(files.entry(name.to_owned()).or_default());
}

/// Changes one byte in the middle of a file.
pub(crate) fn flip(files: &mut Files, name: &str) {
    edit(files, name, |bytes| {
        let middle = bytes.len() / 2;
        if let Some(byte) = bytes.get_mut(middle) {
            *byte ^= 1;
        }
    });
}
