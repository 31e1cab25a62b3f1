//! What the vectors are made of: keys, the example release, and a few artifacts signed by a vendor key
//! that is a throwaway too.

use std::fs;
use std::path::Path;

use base64ct::{Base64, Encoding as _};
use sealift::digest::Sha256Digest;
use sealift::image::{self, Input, NoProgress, Options};
use sealift::key::{PrivateKey, PublicKey};
use sealift::transfer::{
    Artifact, Manifest, ManifestKind, SCHEMA, SegmentEntry, TRUSTED_ROOT, key_path,
};
use sealift::verdict::{Code, Fault};
use serde_json::json;
use zeroize::Zeroizing;

use crate::draft::Draft;
use crate::{Files, Result};

#[expect(clippy::indexing_slicing, reason = "written for tests")]
#[path = "../../tests/support/tar.rs"]
#[allow(dead_code, reason = "written for tests that use more of it")]
mod tar;

/// When the transfers were sealed: after the log entries of the example release, and so far ahead that a
/// clock that is right never stands behind [`NOW`]. No verifier need turn its clock back for these cases,
/// which Sealift refuses under a policy that judges by the present.
pub(crate) const CREATED: &str = "2099-12-01T00:00:00Z";
/// The same as a serial.
pub(crate) const SERIAL: u64 = 4_099_766_400;
/// When they are checked.
pub(crate) const NOW: &str = "2099-12-02T00:00:00Z";

pub(crate) const PACKAGE: &str = "packages/tools-1.0.tar.gz";
pub(crate) const PACKAGE_BUNDLE: &str = "packages/tools-1.0.tar.gz_signature.bundle";
pub(crate) const IMAGE: &str = "images/hello-image.tar";
pub(crate) const IMAGE_BUNDLE: &str = "images/hello_signature.bundle";
pub(crate) const LARGE: &str = "images/large-image.tar";
const LARGE_BUNDLE: &str = "images/large_signature.bundle";

/// These bytes as a segment.
pub(crate) fn segment(bytes: &[u8]) -> SegmentEntry {
    SegmentEntry { size: bytes.len() as u64, sha256: Sha256Digest::of(bytes) }
}

/// Keys and files.
pub(crate) struct Kit {
    pub(crate) transfer: PrivateKey,
    /// A key that nobody on the far side knows.
    pub(crate) other: PrivateKey,
    /// Signs [`LARGE`].
    pub(crate) vendor: PrivateKey,
    /// The public key of the example release.
    pub(crate) release_key: PublicKey,
    release: Files,
}

impl Kit {
    pub(crate) fn read(keys: &Path, release: &Path) -> Result<Self> {
        let private = |name: &str| -> Result<PrivateKey> {
            let bytes = fs::read(keys.join(name))?;
            let none = || -> std::result::Result<Zeroizing<Vec<u8>>, Fault> {
                Err(Fault::new(Code::PasswordMissing, "the keys are not encrypted"))
            };
            Ok(PrivateKey::from_pem(&bytes, &mut { none })?)
        };
        let mut files = Files::new();
        for (name, path) in [
            ("hello-image.tar", IMAGE),
            ("hello_signature.bundle", IMAGE_BUNDLE),
            ("tools-1.0.tar.gz", PACKAGE),
            ("tools-1.0.tar.gz_signature.bundle", PACKAGE_BUNDLE),
            ("trusted_root.json", TRUSTED_ROOT),
        ] {
            files.insert(path.to_owned(), fs::read(release.join(name))?);
        }
        let release_key = PublicKey::from_pem(&fs::read(release.join("vendor.pub"))?)?;
        files.insert(key_path(&release_key.fingerprint()), release_key.to_pem().into_bytes());
        Ok(Self {
            transfer: private("transfer.key")?,
            other: private("other.key")?,
            vendor: private("vendor.key")?,
            release_key,
            release: files,
        })
    }

    /// The package of the example release.
    pub(crate) fn package(&self) -> Draft {
        self.draft(&[PACKAGE, PACKAGE_BUNDLE], vec![self.package_entry()])
    }

    /// The image of the example release.
    pub(crate) fn image(&self) -> Draft {
        self.draft(&[IMAGE, IMAGE_BUNDLE], vec![self.image_entry()])
    }

    /// The same in one segment, the whole file.
    pub(crate) fn image_in_segments(&self) -> Result<Draft> {
        let mut draft = self.image();
        let bytes = draft.files.get(IMAGE).ok_or("no image")?;
        draft.segments = Some((IMAGE.to_owned(), vec![segment(bytes)]));
        Ok(draft)
    }

    /// Both.
    pub(crate) fn both(&self) -> Draft {
        let files = [IMAGE, IMAGE_BUNDLE, PACKAGE, PACKAGE_BUNDLE];
        self.draft(&files, vec![self.image_entry(), self.package_entry()])
    }

    /// A package that no vendor signed, beside the one of the release.
    pub(crate) fn unsigned(&self) -> Draft {
        let mut draft = self.package();
        draft.files.insert("README.txt".to_owned(), b"Read me first.\n".to_vec());
        draft.manifest.artifacts.push(Artifact {
            name: "README.txt".to_owned(),
            path: "README.txt".to_owned(),
            bundles: Vec::new(),
            key: None,
            vendor: None,
            digest_kinds: Vec::new(),
            allow_unsigned: true,
            ..self.package_entry()
        });
        draft
    }

    /// An image with a layer of more than 256 KiB, without a log entry.
    pub(crate) fn large(&self) -> Result<Draft> {
        let layer = tar::Tar::new().file("zeros", vec![0; 257 << 10]).finish();
        let config = json!({
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [Sha256Digest::of(&layer)]},
        });
        let config = config.to_string();
        let id = Sha256Digest::of(config.as_bytes());
        let file = format!("{}.json", id.to_hex());
        let manifest = json!([{
            "Config": file,
            "RepoTags": ["vendor.example/large:1.0"],
            "Layers": ["layer.tar"],
        }]);
        let archive = tar::Tar::new()
            .file(&file, config)
            .file("layer.tar", layer)
            .file("manifest.json", manifest.to_string())
            .finish();
        let options = Options { jobs: 1, progress: &NoProgress, cuts: None, threads: None };
        let segments = image::read(Input::File(&archive), &options)?.segments;
        let segments =
            segments.iter().map(|it| SegmentEntry { size: it.size, sha256: it.sha256 }).collect();
        let signature = Base64::encode_string(&self.vendor.sign(id.to_string().as_bytes()));
        let bundle = json!({"base64Signature": signature}).to_string();
        let key = self.vendor.public();
        let entry = Artifact {
            name: "vendor.example/large:1.0".to_owned(),
            path: LARGE.to_owned(),
            bundles: vec![LARGE_BUNDLE.to_owned()],
            key: Some(key.fingerprint()),
            ..self.image_entry()
        };
        let mut draft = self.draft(&[], vec![entry]);
        draft.files = Files::from([
            (LARGE.to_owned(), archive),
            (LARGE_BUNDLE.to_owned(), bundle.into_bytes()),
            (key_path(&key.fingerprint()), key.to_pem().into_bytes()),
        ]);
        draft.segments = Some((LARGE.to_owned(), segments));
        Ok(draft)
    }

    fn draft(&self, names: &[&str], artifacts: Vec<Artifact>) -> Draft {
        let own = |name: &str| name.starts_with("trust/") || names.contains(&name);
        let files = self.release.iter().filter(|(name, _)| own(name));
        Draft {
            files: files.map(|(name, bytes)| (name.clone(), bytes.clone())).collect(),
            manifest: Manifest {
                sha256sums: Sha256Digest::of(b""),
                schema: SCHEMA.to_owned(),
                transfer_id: "00112233445566778899aabbccddeeff".to_owned(),
                stream: "default".to_owned(),
                serial: SERIAL,
                created: CREATED.to_owned(),
                expires: None,
                tool: "make_vectors".to_owned(),
                requested: Vec::new(),
                omitted: Vec::new(),
                artifacts,
                files: Vec::new(),
                base: None,
                notes: None,
            },
            segments: None,
        }
    }

    pub(crate) fn package_entry(&self) -> Artifact {
        Artifact {
            kind: ManifestKind::Package,
            name: "tools-1.0.tar.gz".to_owned(),
            path: PACKAGE.to_owned(),
            bundles: vec![PACKAGE_BUNDLE.to_owned()],
            key: Some(self.release_key.fingerprint()),
            vendor: Some("k2view".to_owned()),
            source: None,
            digest_kinds: vec!["file".to_owned()],
            allow_unsigned: false,
            first_use: false,
        }
    }

    fn image_entry(&self) -> Artifact {
        Artifact {
            kind: ManifestKind::Image,
            name: "vendor.example/hello:1.0".to_owned(),
            path: IMAGE.to_owned(),
            bundles: vec![IMAGE_BUNDLE.to_owned()],
            digest_kinds: vec!["config".to_owned()],
            ..self.package_entry()
        }
    }
}
