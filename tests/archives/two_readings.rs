//! Archives whose bytes one program reads as the signed image and another as something else. Each
//! was loaded by a real engine (named in the test) with other content than sealift had verified.

use std::fs;
use std::path::Path;

use crate::support::log::{TestKey, base64, hex, sha256};
use crate::support::{outcome, sealift};
use serde_json::{Value, json};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const STATEMENT: &str = "application/vnd.in-toto+json";

fn octal(header: &mut [u8], at: usize, width: usize, value: usize) {
    header[at..at + width].copy_from_slice(format!("{value:0width$o}").as_bytes());
}

/// A ustar header whose name begins with these bytes.
fn header(name: &[u8], size: usize) -> Vec<u8> {
    let mut header = vec![0; 512];
    header[..name.len()].copy_from_slice(name);
    octal(&mut header, 100, 7, 0o644);
    octal(&mut header, 124, 11, size);
    header[156] = b'0';
    header[257..265].copy_from_slice(b"ustar\x0000");
    sum(header)
}

fn sum(mut header: Vec<u8>) -> Vec<u8> {
    header[148..156].copy_from_slice(b"        ");
    let sum = header.iter().map(|byte| usize::from(*byte)).sum();
    octal(&mut header, 148, 6, sum);
    header
}

fn tar(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, content) in entries {
        tar.extend(header(name.as_bytes(), content.len()));
        tar.extend(content);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

fn layer(text: &str) -> Vec<u8> {
    tar(&[("hello.txt".to_owned(), text.into())])
}

fn id(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&sha256(bytes)))
}

fn config(layers: &[&[u8]]) -> Vec<u8> {
    let diff_ids: Vec<_> = layers.iter().map(|layer| id(layer)).collect();
    let rootfs = json!({"type": "layers", "diff_ids": diff_ids});
    json!({"os": "linux", "architecture": "amd64", "rootfs": rootfs}).to_string().into()
}

/// A docker archive of one image with one layer.
fn docker(config: &[u8], layer: &[u8]) -> Vec<u8> {
    let list = json!([{"Config": "c.json", "RepoTags": ["a:1"], "Layers": ["l/layer.tar"]}]);
    tar(&[
        ("c.json".to_owned(), config.to_vec()),
        ("l/layer.tar".to_owned(), layer.to_vec()),
        ("manifest.json".to_owned(), list.to_string().into()),
    ])
}

fn descriptor(media_type: &str, blob: &[u8], more: Value) -> Value {
    let mut all = json!({"mediaType": media_type, "digest": id(blob), "size": blob.len()});
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    all
}

fn manifest(config: &[u8], layer_type: &str, layer: &[u8]) -> Vec<u8> {
    let layers = [descriptor(layer_type, layer, json!({}))];
    let config = descriptor(CONFIG, config, json!({}));
    json!({"schemaVersion": 2, "config": config, "layers": layers}).to_string().into()
}

fn index(manifests: &[Value]) -> Vec<u8> {
    json!({"schemaVersion": 2, "manifests": manifests}).to_string().into()
}

/// An OCI archive of these blobs, with one descriptor in `index.json`.
fn oci(blobs: &[&[u8]], top: Value) -> Vec<u8> {
    tar(&oci_entries(blobs, top))
}

fn oci_entries(blobs: &[&[u8]], top: Value) -> Vec<(String, Vec<u8>)> {
    let named = |blob: &&[u8]| (format!("blobs/sha256/{}", hex(&sha256(blob))), blob.to_vec());
    let mut entries: Vec<_> = blobs.iter().map(named).collect();
    entries.push(("index.json".to_owned(), index(&[top])));
    entries.push(("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()));
    entries
}

/// A zstd frame with the content as it stands: one raw block with a single segment.
fn frame(content: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0];
    frame.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
    let block = u32::try_from(content.len() << 3 | 1).unwrap().to_le_bytes();
    frame.extend(&block[..3]);
    frame.extend(content);
    frame
}

/// Bytes that are a tar archive with `raw` in it, and zstd data that yields `inflated`: `first`
/// yields nothing, and a skippable frame, which begins inside the name of the first tar entry,
/// covers the tar archive.
fn two_faced(first: &[u8], raw: &[u8], inflated: &[u8]) -> Vec<u8> {
    let skipped = u32::try_from(512 + raw.len() - first.len() - 8).unwrap();
    let name = [first, &[0x50, 0x2a, 0x4d, 0x18], &skipped.to_le_bytes()].concat();
    [header(&name, 0), raw.to_vec(), frame(inflated)].concat()
}

/// The answer for an archive when this id is signed: exit code and code, the same from a pipe.
fn verify(archive: &[u8], signed: &str) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    let key = TestKey::new(7);
    let path = |name: &str| folder.path().join(name);
    fs::write(path("k.pub"), key.pem()).unwrap();
    fs::write(path("a.bundle"), key.bundle(signed)).unwrap();
    fs::write(path("a.tar"), archive).unwrap();
    let run = |file: &Path| {
        let mut command = sealift();
        command.args(["verify", "-o", "json", "--insecure-ignore-tlog", "--type", "image"]);
        command.arg("--key").arg(path("k.pub")).arg("--bundle").arg(path("a.bundle")).arg(file);
        command.stdin(fs::File::open(path("a.tar")).unwrap());
        let (code, out, err) = outcome(&command.output().unwrap());
        let report: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
        (code, report["artifacts"][0]["code"].as_str().unwrap_or("ok").to_owned())
    };
    let answer = run(&path("a.tar"));
    assert_eq!(answer, run(Path::new("-")));
    answer
}

fn refused(code: &str) -> (i32, String) {
    (1, code.to_owned())
}

const OK: (i32, &str) = (0, "ok");

/// Docker 20.10 and podman 4.3 load `raw`.
#[test]
fn a_zstd_archive_that_is_a_tar_archive_too_is_refused() {
    let (good, evil) = (layer("good"), layer("evil"));
    let signed = config(&[&good]);
    let archive = docker(&signed, &good);
    let (code, word) = verify(&frame(&archive), &id(&signed));
    assert_eq!((code, word.as_str()), OK);
    let other = docker(&config(&[&evil]), &evil);
    for first in [&[][..], &frame(b"")] {
        let archive = two_faced(first, &other, &archive);
        assert_eq!(verify(&archive, &id(&signed)), refused("archive-malformed"));
    }
}

/// podman 4.3 lists the signed id and mounts `raw`.
#[test]
fn a_zstd_layer_that_is_a_tar_archive_too_is_refused() {
    let (good, evil) = (layer("good"), layer("evil"));
    let config = config(&[&good]);
    let zstd = format!("{LAYER}+zstd");
    let archive = |layer: &[u8]| {
        let manifest = manifest(&config, &zstd, layer);
        oci(&[&config, &manifest, layer], descriptor(MANIFEST, &manifest, json!({})))
    };
    let (code, word) = verify(&archive(&frame(&good)), &id(&config));
    assert_eq!((code, word.as_str()), OK);
    let layer = two_faced(b"", &evil, &good);
    assert_eq!(verify(&archive(&layer), &id(&config)), refused("archive-malformed"));
}

/// An index that lists the good image for one platform, and something else for another.
fn with_other(good: &[u8], other: Value, blobs: &[&[u8]]) -> Vec<u8> {
    tar(&with_other_entries(good, other, blobs))
}

fn with_other_entries(good: &[u8], other: Value, blobs: &[&[u8]]) -> Vec<(String, Vec<u8>)> {
    let config = config(&[good]);
    let manifest = manifest(&config, LAYER, good);
    let platform = json!({"platform": {"os": "linux", "architecture": "s390x"}});
    let index = index(&[descriptor(MANIFEST, &manifest, platform), other]);
    let all = [&[&config[..], &manifest, good, &index], blobs].concat();
    oci_entries(&all, descriptor(INDEX, &index, json!({})))
}

/// A JSON object that is a tar archive: headers without magic need no NUL.
fn json_tar() -> Vec<u8> {
    let block = |name: &str, size: usize| {
        let mut block = format!("{name:x<100}{0:07o} {0:07o} {0:07o} {size:011o} {0:011o} ", 0);
        block.push_str("        0");
        sum(format!("{block:<512}").into_bytes())
    };
    let content = format!("{:<512}", "EVIL");
    [&block("{\"a\":\"", 4), content.as_bytes(), &block("evil.txt", 4), b"EVIL\"}"].concat()
}

/// podman 4.3 takes the manifest for its platform and loads it as an image.
#[test]
fn an_attestation_whose_statement_is_a_tar_archive_is_refused() {
    let good = layer("good");
    let attestation = |statement: &[u8]| {
        let config = config(&[statement]);
        let manifest = manifest(&config, STATEMENT, statement);
        let other = json!({
            "platform": {"os": "linux", "architecture": "amd64"},
            "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
        });
        let other = descriptor(MANIFEST, &manifest, other);
        verify(&with_other(&good, other, &[&config, &manifest, statement]), &id(&config_of(&good)))
    };
    let (code, word) = attestation(br#"{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"x","predicate":{}}"#);
    assert_eq!((code, word.as_str()), OK);
    let statement = json_tar();
    assert!(serde_json::from_slice::<Value>(&statement).is_ok());
    assert_eq!(attestation(&statement), refused("media-type-mismatch"));
}

/// containerd takes a layer whose diff_id it knows for unpacked and never looks at the statement
/// (1.6 runs the command of this config on the layers of the good image).
#[test]
fn an_attestation_whose_config_lists_other_layers_is_refused() {
    let good = layer("good");
    let statement = br#"{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"x","predicate":{}}"#;
    let answer = |config: &[u8]| {
        let manifest = manifest(config, STATEMENT, statement);
        let other = json!({
            "platform": {"os": "linux", "architecture": "amd64"},
            "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
        });
        let other = descriptor(MANIFEST, &manifest, other);
        verify(&with_other(&good, other, &[config, &manifest, statement]), &id(&config_of(&good)))
    };
    for config in [&config(&[statement])[..], b"{}"] {
        let (code, word) = answer(config);
        assert_eq!((code, word.as_str()), OK);
    }
    let mut evil: Value = serde_json::from_slice(&config_of(&good)).unwrap();
    evil["config"] = json!({"Cmd": ["/evil"]});
    assert_eq!(answer(evil.to_string().as_bytes()), refused("layer-mismatch"));
    assert_eq!(answer(&config(&[])), refused("layer-count"));
    assert_eq!(answer(br#"{"rootfs":null}"#), refused("json-malformed"));
}

fn config_of(layer: &[u8]) -> Vec<u8> {
    config(&[layer])
}

/// containerd reads a manifest from its descriptor's `data` (`content.ReadBlob`), and its layers
/// from the blobs, which it imports whether they are referenced or not.
#[test]
fn a_manifest_that_is_embedded_in_its_descriptor_is_refused() {
    let (good, evil) = (layer("good"), layer("evil"));
    let config = config(&[&evil]);
    let manifest = manifest(&config, LAYER, &evil);
    let platform = json!({"os": "linux", "architecture": "amd64"});
    let signed = id(&config_of(&good));
    let absent = descriptor(MANIFEST, &manifest, json!({"platform": platform}));
    let (code, word) = verify(&with_other(&good, absent.clone(), &[]), &signed);
    assert_eq!((code, word.as_str()), OK);
    // What it would name may not lie there either.
    let left = with_other(&good, absent, &[&config, &evil]);
    assert_eq!(verify(&left, &signed), refused("entry-unreferenced"));
    let more = json!({"platform": platform, "data": base64(&manifest)});
    let embedded = descriptor(MANIFEST, &manifest, more);
    let archive = with_other(&good, embedded, &[&config, &evil]);
    assert_eq!(verify(&archive, &signed), refused("blob-missing"));
}

/// containerd stores every file of the archive under the digest of its content, whatever its name
/// (1.6 mounts `evil`).
#[test]
fn a_manifest_that_is_there_under_another_name_is_refused() {
    let (good, evil) = (layer("good"), layer("evil"));
    let config = config(&[&evil]);
    let manifest = manifest(&config, LAYER, &evil);
    let signed = id(&config_of(&good));
    let platform = json!({"platform": {"os": "linux", "architecture": "amd64"}});
    let absent = descriptor(MANIFEST, &manifest, platform);
    let (code, word) = verify(&tar(&with_other_entries(&good, absent.clone(), &[])), &signed);
    assert_eq!((code, word.as_str()), OK);
    let entries = with_other_entries(&good, absent, &[&config, &evil]);
    assert_eq!(verify(&tar(&entries), &signed), refused("entry-unreferenced"));
    for name in ["other", "blobs/sha512/x"] {
        let archive = tar(&[&entries[..], &[(name.to_owned(), manifest.clone())]].concat());
        assert_eq!(verify(&archive, &signed), refused("blob-missing"), "{name}");
    }
}
