//! Indexes, attestations, and archives of odd writers with their own words.

use std::collections::BTreeSet;

use sealift::image::{Archive, CandidateKind};
use sealift::verdict::Code;

use crate::sample::{
    INDEX, Image, LAYOUT, MANIFEST, blob, config, descriptor, digest, docker, index, item,
    manifest, oci, read_all_ways, refused, verify,
};
use crate::support::tar::Tar;

const STATEMENT: &[u8] = br#"{"_type":"https://in-toto.io/Statement/v0.1","subject":[],"predicateType":"x","predicate":{}}"#;
const IN_TOTO: &str = "application/vnd.in-toto+json";

/// The blobs of an attestation with this layer, and its manifest.
fn attestation(layer: &[u8]) -> (Vec<(String, Vec<u8>)>, Vec<u8>) {
    let config = config(&[digest(layer)], "attestation");
    let manifest = manifest(&config, &[descriptor(IN_TOTO, layer, "")]);
    (vec![blob(config), blob(layer.to_vec()), blob(manifest.clone())], manifest)
}

fn attests(manifest: &[u8], more: &str) -> String {
    let more = format!(
        r#","platform":{{"os":"unknown","architecture":"unknown"}},"annotations":{{"vnd.docker.reference.type":"attestation-manifest"{more}}}"#
    );
    descriptor(MANIFEST, manifest, &more)
}

/// An archive whose one top entry is an index of these entries.
fn indexed(blobs: &[Vec<(String, Vec<u8>)>], entries: &[String]) -> (Vec<u8>, Vec<u8>) {
    let inner = index(entries);
    let mut all = blobs.concat();
    all.push(blob(inner.clone()));
    (oci(&all, &[descriptor(INDEX, &inner, "")]).finish(), inner)
}

fn absent(platform: &str) -> String {
    let (os, architecture) = platform.split_once('/').unwrap();
    let more = format!(r#","platform":{{"os":"{os}","architecture":"{architecture}"}}"#);
    descriptor(MANIFEST, platform.as_bytes(), &more)
}

#[test]
fn an_index_covers_its_images_and_attestations() {
    let (a, b) = (Image::new("amd64"), Image::new("arm64"));
    let (extra, attested) = attestation(STATEMENT);
    let entries = [
        descriptor(MANIFEST, &a.manifest(), ""),
        descriptor(MANIFEST, &b.manifest(), ""),
        attests(&attested, ""),
        absent("linux/s390x"),
    ];
    let (bytes, inner) = indexed(&[a.blobs(), b.blobs(), extra], &entries);
    let archive = read_all_ways(&bytes).unwrap();
    assert_eq!(archive.images.len(), 2);
    assert_eq!(archive.notes, ["listed, but not in the archive: linux/s390x"]);
    let kinds: Vec<_> = archive.images[0].candidates.iter().map(|c| (c.kind, c.digest)).collect();
    assert_eq!(
        kinds,
        [
            (CandidateKind::Config, a.id()),
            (CandidateKind::Index, digest(&inner)),
            (CandidateKind::PlatformManifest, digest(a.manifest())),
        ]
    );
    let coverage = |archive: &Archive, signed: &[_]| {
        archive.coverage(&signed.iter().copied().collect::<BTreeSet<_>>())
    };
    let whole = coverage(&archive, &[digest(&inner)]).unwrap();
    assert!(whole.unsigned_attestations.is_empty());
    assert!(whole.images.iter().all(|candidate| candidate.kind == CandidateKind::Index));
    let parts = coverage(&archive, &[a.id(), digest(b.manifest())]).unwrap();
    assert_eq!(parts.unsigned_attestations.len(), 1);
    let fault = coverage(&archive, &[a.id()]).unwrap_err();
    assert_eq!(fault.code(), Code::ImageNotCovered);
    assert!(fault.to_string().contains(&b.id().to_string()), "{fault}");
    assert!(!fault.message().contains(&a.id().to_string()), "{fault}");
    assert_eq!(archive.images[0].ids_after_load["docker-containerd"], digest(&inner).to_string());
    assert!(!archive.images[0].ids_after_load.contains_key("docker-classic"));
}

#[test]
fn an_index_must_hold_an_image_and_whole_ones() {
    let a = Image::new("a");
    let (bytes, _) = indexed(&[], &[absent("linux/amd64"), absent("linux/arm64")]);
    assert_eq!(refused(&bytes).fault.code(), Code::BlobMissing);
    let (extra, attested) = attestation(STATEMENT);
    let (bytes, _) = indexed(&[extra], &[attests(&attested, "")]);
    assert_eq!(refused(&bytes).fault.code(), Code::BlobMissing);
    // A manifest without its blobs would be listed as loaded.
    let b = Image::new("b");
    let entries =
        [descriptor(MANIFEST, &a.manifest(), ""), descriptor(MANIFEST, &b.manifest(), "")];
    let (bytes, inner) = indexed(&[a.blobs(), vec![blob(b.manifest())]], &entries);
    assert_eq!(verify(&bytes, &[digest(inner)]), Err(Code::ConfigMissing));
}

#[test]
fn indexes_nest_twice_at_most() {
    let a = Image::new("a");
    let mut blobs = a.blobs();
    let mut entry = descriptor(MANIFEST, &a.manifest(), "");
    for level in 1..=3 {
        let inner = index(&[entry]);
        entry = descriptor(INDEX, &inner, "");
        blobs.push(blob(inner.clone()));
        let answer = verify(&oci(&blobs, &[entry.clone()]).finish(), &[digest(&inner)]);
        assert_eq!(answer, if level < 3 { Ok(()) } else { Err(Code::LayoutInvalid) });
    }
}

/// An evil image can't pass as an attestation.
#[test]
fn only_statements_are_attestations() {
    let (good, evil) = (Image::new("good"), Image::new("evil"));
    let good_entry = descriptor(MANIFEST, &good.manifest(), "");
    let answer = |blobs: Vec<(String, Vec<u8>)>, entry: String| {
        let (bytes, _) =
            indexed(&[good.blobs(), blobs.clone()], &[good_entry.clone(), entry.clone()]);
        let subject = entry.replace("vnd.docker.reference.type", "io.containerd.manifest.subject");
        let top = oci(&[good.blobs(), blobs].concat(), &[good_entry.clone(), subject]).finish();
        let answers = [verify(&bytes, &[good.id()]), verify(&top, &[good.id()])];
        assert_eq!(answers[0], answers[1]);
        answers[0]
    };
    let (blobs, manifest_of) = attestation(STATEMENT);
    assert_eq!(answer(blobs.clone(), attests(&manifest_of, "")), Ok(()));
    // The media types of an image.
    assert_eq!(answer(evil.blobs(), attests(&evil.manifest(), "")), Err(Code::ImageNotCovered));
    // The right media types over a layer that is a tar archive.
    let (tar, tar_manifest) = attestation(&evil.layers[0]);
    assert_eq!(answer(tar, attests(&tar_manifest, "")), Err(Code::MediaTypeMismatch));
    // Text that begins like JSON.
    let (text, text_manifest) = attestation(b"{\"a\":1} trailing");
    assert_eq!(answer(text, attests(&text_manifest, "")), Err(Code::MediaTypeMismatch));
    // Not announced, or with a name under which an engine would list it.
    assert_eq!(
        answer(blobs.clone(), descriptor(MANIFEST, &manifest_of, "")),
        Err(Code::MediaTypeMismatch)
    );
    let named = attests(&manifest_of, r#","io.containerd.image.name":"docker.io/vendor/app:1""#);
    assert_eq!(answer(blobs.clone(), named), Err(Code::MediaTypeMismatch));
    // Its blobs must be there too.
    assert_eq!(
        answer(vec![blob(manifest_of.clone())], attests(&manifest_of, "")),
        Err(Code::ConfigMissing)
    );
    let without_layer = blobs.into_iter().filter(|(_, content)| content != STATEMENT).collect();
    assert_eq!(answer(without_layer, attests(&manifest_of, "")), Err(Code::LayerMissing));
}

#[test]
fn large_statements_are_not_kept_and_still_attestations() {
    let good = Image::new("good");
    let statement = String::from_utf8_lossy(STATEMENT)
        .replace("{}", &format!(r#"{{"a":"{}"}}"#, "x".repeat(5 << 20)));
    let (blobs, manifest_of) = attestation(statement.as_bytes());
    let entries = [descriptor(MANIFEST, &good.manifest(), ""), attests(&manifest_of, "")];
    let (bytes, _) = indexed(&[good.blobs(), blobs], &entries);
    assert_eq!(verify(&bytes, &[good.id()]), Ok(()));
}

#[test]
fn docker_25_writes_layers_in_a_wrong_order() {
    let good = Image::new("good");
    let layers: Vec<_> = good
        .layers
        .iter()
        .rev()
        .map(|layer| descriptor("application/vnd.oci.image.layer.v1.tar", layer, ""))
        .collect();
    let text = manifest(&good.config, &layers);
    let mut blobs = good.blobs();
    blobs.push(blob(text.clone()));
    let fault = refused(&oci(&blobs, &[descriptor(MANIFEST, &text, "")]).finish()).fault;
    assert_eq!(fault.code(), Code::LayerMismatch);
    assert!(fault.to_string().contains("Docker 25.0.0"), "{fault}");
}

/// Docker 25.0.0 to 25.0.2 leave untagged images out of index.json, up to `null`.
#[test]
fn index_json_may_list_less_than_manifest_json() {
    let (a, b) = (Image::new("a"), Image::new("b"));
    for manifests in ["null".to_owned(), "[]".to_owned(), format!("[{}]", a.index_entry())] {
        let blobs = if manifests.contains("digest") { a.blobs() } else { Vec::new() };
        let tar = Tar::new()
            .files(&blobs)
            .files(&b.docker_files("b"))
            .files(&a.docker_files("a"))
            .file("oci-layout", LAYOUT)
            .file("index.json", format!(r#"{{"schemaVersion":2,"manifests":{manifests}}}"#))
            .file("manifest.json", format!("[{},{}]", a.item("a"), b.item("b")));
        assert_eq!(verify(&tar.finish(), &[a.id(), b.id()]), Ok(()));
    }
    let none = Tar::new()
        .file("oci-layout", LAYOUT)
        .file("index.json", r#"{"schemaVersion":2,"manifests":null}"#);
    assert_eq!(refused(&none.finish()).fault.code(), Code::ManifestMissing);
    assert_eq!(
        refused(&Tar::new().file("manifest.json", "[]").finish()).fault.code(),
        Code::ManifestMissing
    );
}

#[test]
fn odd_writers_get_clear_words() {
    let good = Image::new("good");
    let words = |tar: Tar, code: Code, words: &str| {
        let refusal = refused(&tar.finish());
        assert_eq!(refusal.fault.code(), code, "{refusal}");
        assert!(refusal.to_string().contains(words), "{refusal}");
        assert!(refusal.looks_like_image);
    };
    // podman and skopeo, `dir:`
    let flat = Tar::new()
        .file("manifest.json", good.manifest())
        .file("version", "Directory Transport Version: 1.1\n")
        .file(&good.id().to_hex(), &good.config);
    words(flat, Code::MediaTypeMismatch, "\"dir:\" format");
    // Cloud Native Buildpacks
    let pack = Tar::new()
        .files(&good.docker_files("g"))
        .file("manifest.json", format!("[{}]", item("g.json", r#""","g1/layer.tar""#)));
    words(pack, Code::LayerMissing, "pack");
    // Before Docker 1.10
    let old = Tar::new()
        .file("v/VERSION", "1.0")
        .file("v/json", "{}")
        .file("v/layer.tar", "")
        .file("repositories", "{}");
    words(old, Code::ManifestMissing, "before Docker 1.10");
    // An artifact that is no image, for example a Helm chart
    let text = String::from_utf8(good.manifest()).unwrap();
    let chart =
        text.replace("vnd.oci.image.config.v1+json", "vnd.cncf.helm.config.v1+json").into_bytes();
    let mut blobs = good.blobs();
    blobs.push(blob(chart.clone()));
    words(
        oci(&blobs, &[descriptor(MANIFEST, &chart, "")]),
        Code::MediaTypeMismatch,
        "not an image",
    );
}

#[test]
fn likely_causes_come_from_the_form() {
    let good = Image::new("good");
    let cause = |bytes: &[u8]| read_all_ways(bytes).unwrap().if_not_covered.join(" ");
    let converted = oci(&good.blobs(), &[good.index_entry()]);
    assert!(cause(&converted.finish()).contains("rewrite a Docker image's config"));
    assert!(cause(&docker(&good).finish()).contains("containerd store"));
    let (extra, attested) = attestation(STATEMENT);
    let beside = attests(&attested, "")
        .replace("vnd.docker.reference.type", "io.containerd.manifest.subject");
    let platform = oci(&[good.blobs(), extra].concat(), &[good.index_entry(), beside]);
    assert!(cause(&platform.finish()).contains("--platform"));
}

#[test]
fn tags_labels_and_notes_are_reported() {
    let good = Image::new("good");
    let bytes = oci(&good.blobs(), &[good.index_entry()])
        .files(&good.docker_files("g"))
        .file("manifest.json", format!("[{}]", good.item("g")))
        .finish();
    let archive = read_all_ways(&bytes).unwrap();
    assert_eq!(archive.format(), "docker archive and OCI layout");
    let [image] = &archive.images[..] else { panic!("{archive:?}") };
    assert_eq!(image.unsigned_tags, ["vendor/app:1"]);
    assert_eq!(image.labels["which"], "good");
    assert_eq!(image.platform, "linux/amd64");
    assert_eq!(image.ids_after_load["docker-classic"], good.id().to_string());
    assert_eq!(image.ids_after_load["docker-containerd"], digest(good.manifest()).to_string());
    assert_eq!(image.ids_after_load["podman"], good.id().to_hex());
    assert!(archive.notes.is_empty() && archive.claims.is_empty(), "{archive:?}");
}
