//! OCI layouts made by hand, for registries: images of any platform, with layers in any compression.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::mirror::{MIB, text};
use crate::support::log::{hex, sha256};
use crate::support::tar::Tar;
use crate::support::tools::run;

const OCI: &str = "application/vnd.oci.image";

/// A layout in the making.
pub(crate) struct OciLayout {
    folder: PathBuf,
}

/// How a layer is packed.
#[derive(Clone, Copy)]
pub(crate) enum Packed {
    Not,
    Gzip,
    Zstd,
}

/// A layer: its descriptor and the digest of what is in it.
#[derive(Clone)]
pub(crate) struct Layer {
    pub(crate) descriptor: Value,
    diff_id: String,
}

impl OciLayout {
    pub(crate) fn new(folder: &Path) -> Self {
        fs::create_dir_all(folder.join("blobs/sha256")).unwrap();
        fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        Self { folder: folder.to_owned() }
    }

    /// Adds content; answers with its descriptor.
    pub(crate) fn blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = hex(&sha256(bytes));
        fs::write(self.folder.join("blobs/sha256").join(&digest), bytes).unwrap();
        let digest = format!("sha256:{digest}");
        json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
    }

    /// A layer with one file of so many bytes that do not compress.
    pub(crate) fn layer(&self, name: &str, size: usize, packed: Packed) -> Layer {
        let mut state = sha256(name);
        let mut content = Vec::with_capacity(size + 32);
        while content.len() < size {
            content.extend_from_slice(&state);
            state = sha256(state);
        }
        content.truncate(size);
        let tar = Tar::new().file(name, content).finish();
        let diff_id = format!("sha256:{}", hex(&sha256(&tar)));
        let (kind, bytes) = match packed {
            Packed::Not => ("", tar),
            Packed::Gzip => {
                let mut gzip =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                gzip.write_all(&tar).unwrap();
                ("+gzip", gzip.finish().unwrap())
            }
            Packed::Zstd => {
                let file = self.folder.join("unpacked");
                fs::write(&file, &tar).unwrap();
                run(Command::new("zstd").args(["-q", "-f", "--rm"]).arg(&file)).succeeded();
                let packed = self.folder.join("unpacked.zst");
                let bytes = fs::read(&packed).unwrap();
                fs::remove_file(packed).unwrap();
                ("+zstd", bytes)
            }
        };
        Layer { descriptor: self.blob(&format!("{OCI}.layer.v1.tar{kind}"), &bytes), diff_id }
    }

    /// An image; its manifest's descriptor, with the platform.
    pub(crate) fn image(&self, platform: &str, label: &str, layers: &[Layer]) -> Value {
        let mut parts = platform.split('/');
        let (os, architecture) = (parts.next().unwrap(), parts.next().unwrap());
        let diff_ids: Vec<&str> = layers.iter().map(|layer| layer.diff_id.as_str()).collect();
        let config = json!({
            "os": os, "architecture": architecture,
            "config": { "Labels": { "vendor.example.label": label }, "Cmd": ["/none"] },
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        let config = self.blob(&format!("{OCI}.config.v1+json"), &json_bytes(&config));
        let layers: Vec<&Value> = layers.iter().map(|layer| &layer.descriptor).collect();
        let media_type = format!("{OCI}.manifest.v1+json");
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media_type, "config": config, "layers": layers,
        });
        let mut descriptor = self.blob(&media_type, &json_bytes(&manifest));
        descriptor["platform"] = json!({ "os": os, "architecture": architecture });
        descriptor
    }

    /// An index over manifests; its descriptor.
    pub(crate) fn index(&self, manifests: &[Value]) -> Value {
        let media_type = format!("{OCI}.index.v1+json");
        let index = json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": manifests });
        self.blob(&media_type, &json_bytes(&index))
    }

    /// Says what the layout is of.
    pub(crate) fn top(&self, descriptor: &Value) -> PathBuf {
        let index = json!({ "schemaVersion": 2, "manifests": [descriptor] });
        fs::write(self.folder.join("index.json"), json_bytes(&index)).unwrap();
        self.folder.clone()
    }

    pub(crate) fn read(&self, digest: &str) -> Vec<u8> {
        let hex = digest.trim_start_matches("sha256:");
        fs::read(self.folder.join("blobs/sha256").join(hex)).unwrap()
    }
}

/// Indented, so that whoever writes it again writes other bytes.
fn json_bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec_pretty(value).unwrap()
}

/// An image for two platforms that share a layer, with an attestation.
pub(crate) struct Two {
    pub(crate) folder: TempDir,
    pub(crate) layout: OciLayout,
    pub(crate) index: Value,
    pub(crate) amd64: Value,
    pub(crate) arm64: Value,
    pub(crate) layers: Vec<Layer>,
}

impl Two {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let layout = OciLayout::new(folder.path());
        let shared = layout.layer("shared", MIB, Packed::Gzip);
        let amd64 = layout.layer("amd64", 2 * MIB, Packed::Gzip);
        let arm64 = layout.layer("arm64", MIB, Packed::Zstd);
        let layers = vec![shared.clone(), amd64.clone(), arm64.clone()];
        let amd64 = layout.image("linux/amd64", "one", &[shared.clone(), amd64]);
        let arm64 = layout.image("linux/arm64", "two", &[shared, arm64]);
        let mut about = layout.image("unknown/unknown", "about", &[]);
        about["annotations"] = serde_json::json!({
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": amd64["digest"],
        });
        let index = layout.index(&[amd64.clone(), arm64.clone(), about]);
        layout.top(&index);
        Self { folder, layout, index, amd64, arm64, layers }
    }

    pub(crate) fn config(&self, manifest: &Value) -> String {
        let manifest: Value =
            serde_json::from_slice(&self.layout.read(text(&manifest["digest"]))).unwrap();
        text(&manifest["config"]["digest"]).to_owned()
    }
}
