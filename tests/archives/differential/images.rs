//! Two images, and the archives that real writers make of the good one.

use std::collections::BTreeSet;

use sealift::digest::Sha256Digest;
use serde_json::{Value, json};

use super::draft::{Draft, Member};
use super::whole::gzip;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// A tag that no other test uses.
pub(crate) fn tag() -> String {
    format!("sealift.test/differential:{}", std::process::id())
}

/// What a loader sees of an image: the label that tells the two apart, and the digests of its layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) which: String,
    pub(crate) layers: Vec<String>,
}

/// An image: its config and its layers.
#[derive(Clone)]
pub(crate) struct Image {
    which: &'static str,
    pub(crate) config: Vec<u8>,
    pub(crate) layers: Vec<Vec<u8>>,
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    Sha256Digest::of(bytes).to_hex()
}

fn id(bytes: &[u8]) -> String {
    Sha256Digest::of(bytes).to_string()
}

impl Image {
    fn new(which: &'static str) -> Self {
        let layer = |number: usize| {
            let file = Member::file(&format!("f{number}"), format!("{which} {number}\n"));
            Draft::new(vec![file]).to_bytes()
        };
        let layers = vec![layer(0), layer(1)];
        let diff_ids: Vec<_> = layers.iter().map(|layer| id(layer)).collect();
        let config = json!({
            "architecture": "amd64", "os": "linux", "created": "2026-01-01T00:00:00Z",
            "config": {"Labels": {"which": which}},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            "history": [{"created_by": "COPY one"}, {"created_by": "COPY two"}],
        });
        Self { which, config: config.to_string().into(), layers }
    }

    pub(crate) fn seen(&self) -> Seen {
        let layers = self.layers.iter().map(|layer| id(layer)).collect();
        Seen { which: self.which.to_owned(), layers }
    }

    fn manifest(&self, layers: &[Vec<u8>], kind: &str) -> Vec<u8> {
        let layers: Vec<_> = layers.iter().map(|layer| descriptor(kind, layer)).collect();
        let config = descriptor(CONFIG, &self.config);
        json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers})
            .to_string()
            .into()
    }
}

/// The image that is signed, and another one.
pub(crate) struct Pair {
    pub(crate) good: Image,
    pub(crate) evil: Image,
    /// Entries of the evil image, as an attacker would lay them beside the good one's.
    pub(crate) parts: Vec<(String, Vec<u8>)>,
}

impl Pair {
    pub(crate) fn new() -> Self {
        let (good, evil) = (Image::new("good"), Image::new("evil"));
        let mut parts = Vec::new();
        for form in [legacy(&evil), flat(&evil), hybrid(&evil), oci(&evil, false)] {
            for member in form.members.into_iter().filter(|it| it.kind() == b'0') {
                parts.push((member.name(), member.content));
            }
        }
        parts.sort();
        parts.dedup();
        Self { good, evil, parts }
    }
}

/// An archive to begin with, and the digests that are signed for it.
pub(crate) struct Base {
    pub(crate) name: &'static str,
    pub(crate) draft: Draft,
    pub(crate) signed: BTreeSet<Sha256Digest>,
}

/// The forms of the good image.
pub(crate) fn bases(pair: &Pair) -> Vec<Base> {
    let good = &pair.good;
    let config = Sha256Digest::of(&good.config);
    let base = |name, draft, digest| Base { name, draft, signed: BTreeSet::from([digest]) };
    let index = Sha256Digest::of(&platforms(good));
    vec![
        base("docker 20", legacy(good), config),
        base("containers/image", flat(good), config),
        base("docker 25", hybrid(good), config),
        base("OCI", oci(good, false), config),
        base("OCI, gzip", oci(good, true), Sha256Digest::of(&packed(good))),
        base("OCI, signed index", indexed(good), index),
        base("crane", crane(good), config),
    ]
}

fn descriptor(kind: &str, content: &[u8]) -> Value {
    json!({"mediaType": kind, "digest": id(content), "size": content.len()})
}

fn document(value: &Value) -> Vec<u8> {
    value.to_string().into()
}

fn items(config: &str, layers: &[String]) -> Vec<u8> {
    document(&json!([{"Config": config, "RepoTags": [tag()], "Layers": layers}]))
}

fn repositories(top: &str) -> Vec<u8> {
    let all = tag();
    let (name, version) = all.rsplit_once(':').unwrap();
    document(&json!({name: {version: top}}))
}

/// The identity of a layer before Docker 1.10, and its JSON document.
fn v1(image: &Image, number: usize) -> (String, Vec<u8>) {
    let name = |number: usize| hex(format!("{} v1 {number}", image.which).as_bytes());
    let mut object = json!({"id": name(number), "created": "2026-01-01T00:00:00Z", "os": "linux",
        "architecture": "amd64"});
    if number > 0 {
        object["parent"] = json!(name(number - 1));
    }
    if number + 1 == image.layers.len() {
        object["config"] = json!({"Labels": {"which": image.which}});
    }
    (name(number), document(&object))
}

/// As Docker 20.10 saves.
fn legacy(image: &Image) -> Draft {
    let mut members = Vec::new();
    let mut names = Vec::new();
    let mut top = String::new();
    for (number, layer) in image.layers.iter().enumerate() {
        let (name, json) = v1(image, number);
        members.push(Member::new(b'5', &format!("{name}/"), "", Vec::new()));
        members.push(Member::file(&format!("{name}/VERSION"), "1.0"));
        members.push(Member::file(&format!("{name}/json"), json));
        members.push(Member::file(&format!("{name}/layer.tar"), layer.clone()));
        names.push(format!("{name}/layer.tar"));
        top = name;
    }
    let config = format!("{}.json", hex(&image.config));
    members.push(Member::file(&config, image.config.clone()));
    members.push(Member::file("manifest.json", items(&config, &names)));
    members.push(Member::file("repositories", repositories(&top)));
    Draft::new(members)
}

/// As podman, skopeo and buildah write docker archives.
fn flat(image: &Image) -> Draft {
    let mut members = Vec::new();
    let mut names = Vec::new();
    for layer in &image.layers {
        let name = format!("{}.tar", hex(layer));
        members.push(Member::file(&name, layer.clone()));
        names.push(name);
    }
    let config = format!("{}.json", hex(&image.config));
    members.push(Member::file(&config, image.config.clone()));
    let mut top = String::new();
    for (number, layer) in names.iter().enumerate() {
        let (name, json) = v1(image, number);
        members.push(Member::new(
            b'2',
            &format!("{name}/layer.tar"),
            &format!("../{layer}"),
            Vec::new(),
        ));
        members.push(Member::file(&format!("{name}/VERSION"), "1.0"));
        members.push(Member::file(&format!("{name}/json"), json));
        top = name;
    }
    members.push(Member::file("manifest.json", items(&config, &names)));
    members.push(Member::file("repositories", repositories(&top)));
    Draft::new(members)
}

/// As kaniko and crane write.
fn crane(image: &Image) -> Draft {
    let mut members = Vec::new();
    let mut names = Vec::new();
    let config = format!("sha256:{}", hex(&image.config));
    members.push(Member::file(&config, image.config.clone()));
    for layer in &image.layers {
        let packed = gzip(layer);
        let name = format!("{}.tar.gz", hex(&packed));
        members.push(Member::file(&name, packed));
        names.push(name);
    }
    members.push(Member::file("manifest.json", items(&config, &names)));
    Draft::new(members)
}

fn blob(content: &[u8]) -> Member {
    Member::file(&format!("blobs/sha256/{}", hex(content)), content.to_vec())
}

fn top(manifest: &[u8], kind: &str) -> Vec<u8> {
    let mut entry = descriptor(kind, manifest);
    let name = tag();
    entry["annotations"] = json!({
        "io.containerd.image.name": name,
        "org.opencontainers.image.ref.name": name.rsplit_once(':').unwrap().1,
    });
    document(&json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}))
}

/// A layout of these blobs with the documents of its root.
fn layout(blobs: &[&[u8]], index: Vec<u8>) -> Vec<Member> {
    let mut members = vec![
        Member::new(b'5', "blobs/", "", Vec::new()),
        Member::new(b'5', "blobs/sha256/", "", Vec::new()),
    ];
    members.extend(blobs.iter().map(|content| blob(content)));
    members.push(Member::file("index.json", index));
    members.push(Member::file("oci-layout", r#"{"imageLayoutVersion": "1.0.0"}"#));
    members
}

/// As Docker 25 and later save.
fn hybrid(image: &Image) -> Draft {
    let manifest = image.manifest(&image.layers, LAYER);
    let mut blobs: Vec<&[u8]> = vec![&image.config, &manifest];
    blobs.extend(image.layers.iter().map(Vec::as_slice));
    let mut members = layout(&blobs, top(&manifest, MANIFEST));
    let name = |content: &[u8]| format!("blobs/sha256/{}", hex(content));
    let names: Vec<_> = image.layers.iter().map(|layer| name(layer)).collect();
    members.push(Member::file("manifest.json", items(&name(&image.config), &names)));
    let last = image.layers.last().map(|layer| hex(layer)).unwrap_or_default();
    members.push(Member::file("repositories", repositories(&last)));
    Draft::new(members)
}

fn packed(image: &Image) -> Vec<u8> {
    let layers: Vec<_> = image.layers.iter().map(|layer| gzip(layer)).collect();
    image.manifest(&layers, &format!("{LAYER}+gzip"))
}

/// As podman, skopeo and buildah write OCI archives.
fn oci(image: &Image, compressed: bool) -> Draft {
    let layers: Vec<_> = image
        .layers
        .iter()
        .map(|layer| if compressed { gzip(layer) } else { layer.clone() })
        .collect();
    let manifest = if compressed { packed(image) } else { image.manifest(&image.layers, LAYER) };
    let mut blobs: Vec<&[u8]> = vec![&image.config, &manifest];
    blobs.extend(layers.iter().map(Vec::as_slice));
    Draft::new(layout(&blobs, top(&manifest, MANIFEST)))
}

/// An index of two platforms, of which one is not in the archive.
fn platforms(image: &Image) -> Vec<u8> {
    let mut here = descriptor(MANIFEST, &packed(image));
    here["platform"] = json!({"os": "linux", "architecture": "amd64"});
    let mut absent = descriptor(MANIFEST, b"another platform");
    absent["platform"] = json!({"os": "linux", "architecture": "s390x"});
    document(&json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [here, absent]}))
}

/// As a containerd store exports an image of several platforms.
fn indexed(image: &Image) -> Draft {
    let layers: Vec<_> = image.layers.iter().map(|layer| gzip(layer)).collect();
    let (manifest, index) = (packed(image), platforms(image));
    let mut blobs: Vec<&[u8]> = vec![&image.config, &manifest, &index];
    blobs.extend(layers.iter().map(Vec::as_slice));
    let mut members = layout(&blobs, top(&index, INDEX));
    let name = |content: &[u8]| format!("blobs/sha256/{}", hex(content));
    let names: Vec<_> = layers.iter().map(|layer| name(layer)).collect();
    members.push(Member::file("manifest.json", items(&name(&image.config), &names)));
    Draft::new(members)
}
