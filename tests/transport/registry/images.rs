//! One platform of an index, all of them, or an image without one; and what is not there.

use std::process::Command;

use sealift::image::CandidateKind;
use sealift::mirror::Platforms;
use sealift::verdict::Code;
use serde_json::Value;

use super::layout::Two;
use super::mirror::{Mirror, text};
use super::server::DockerRegistry;
use crate::support::tools::run;

#[test]
fn one_platform_of_an_index_and_all_of_it() {
    let two = Two::new();
    let Some(registry) = DockerRegistry::open() else { return };
    registry.push(two.folder.path(), "vendor/two:1.0", &[]);
    let (index, amd64) = (text(&two.index["digest"]), text(&two.amd64["digest"]));
    let reference = format!("{}/vendor/two:1.0", registry.host);

    let mut mirror = Mirror::from(&registry.host);
    let one = mirror.bring(&reference).unwrap();
    assert_eq!(one.description.source, format!("docker://{}/vendor/two@{index}", registry.host));
    assert_eq!(one.description.labels.len(), 1);
    assert_eq!(one.description.labels[0]["vendor.example.label"], "one");
    let notes = one.description.notes.join("\n");
    assert!(notes.contains("left out: linux/arm64"), "{notes}");
    assert!(notes.contains("1 attestation(s)"), "{notes}");
    for digest in [index, amd64, &two.config(&two.amd64)] {
        assert_eq!(one.blob(digest), two.layout.read(digest));
        one.verifies(digest);
    }
    one.proves(CandidateKind::Index, index);
    one.proves(CandidateKind::PlatformManifest, amd64);
    one.proves(CandidateKind::Config, &two.config(&two.amd64));
    assert_eq!(one.read().images[0].unsigned_tags, std::slice::from_ref(&reference));
    // The whole archive is what tar itself finds in it, in the order and form of containerd.
    let listing = run(Command::new("tar").args(["--utc", "--full-time", "-tvf"]).arg(&one.archive))
        .succeeded();
    let names: Vec<&str> = listing.lines().filter_map(|it| it.split_whitespace().last()).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(names, sorted);
    assert_eq!((names.len(), names[0], names[1]), (10, "blobs/", "blobs/sha256/"));
    let times =
        listing.lines().filter(|it| it.contains("0/0") && it.contains("1970-01-01 00:00:00"));
    assert_eq!(times.count(), names.len());
    // Index, manifest, config and two layers; each is said with its digest.
    assert_eq!(one.fetched.len(), 5);
    let layer = text(&two.layers[1].descriptor["digest"]);
    let record = one.fetched.iter().find(|it| it.sha256.to_string() == layer).unwrap();
    assert_eq!(record.url, format!("http://{}/v2/vendor/two/blobs/{layer}", registry.host));
    assert_eq!((record.status, record.path.as_deref()), (200, Some("image.tar")));

    // Where nobody signed the index, the platform's manifest stands alone, and nothing is said of others.
    let (left_out, alone) = mirror.bring_alone(&reference).unwrap();
    assert_eq!(left_out, *index);
    assert_eq!(alone.description.source, one.description.source);
    alone.proves(CandidateKind::Manifest, amd64);
    alone.proves(CandidateKind::Config, &two.config(&two.amd64));
    assert!(one.read().claims[0].absent && alone.read().claims.is_empty());
    assert!(!alone.description.stated.iter().any(|it| it.to_string() == *index));
    assert_eq!(alone.read().images[0].unsigned_tags, std::slice::from_ref(&reference));
    std::fs::remove_file(&alone.archive).unwrap();

    // All platforms; the shared layer only once.
    mirror.options.platforms = Platforms::All;
    let all = mirror.bring(&format!("{}/vendor/two:1.0@{index}", registry.host)).unwrap();
    all.proves(CandidateKind::PlatformManifest, text(&two.arm64["digest"]));
    all.proves(CandidateKind::Config, &two.config(&two.arm64));
    assert_eq!((all.read().images.len(), all.description.labels.len()), (2, 2));
    assert_eq!(all.fetched.len(), 8);
    assert!(!all.description.notes.join("\n").contains("linux/arm64"));
    let manifest: Value = serde_json::from_slice(&all.entry("manifest.json")).unwrap();
    let config = format!("blobs/{}", two.config(&two.amd64).replace(':', "/"));
    assert_eq!(manifest[0]["Config"], Value::String(config));

    // Without any name, and the form that docker writes for it.
    mirror.options.platforms = Platforms::List(vec![String::from("linux/arm64/v8")]);
    let bare = mirror.bring(&format!("{}/vendor/two@{index}", registry.host)).unwrap();
    let manifest: Value = serde_json::from_slice(&bare.entry("manifest.json")).unwrap();
    assert_eq!(manifest[0]["RepoTags"], Value::Null);
    let top: Value = serde_json::from_slice(&bare.entry("index.json")).unwrap();
    assert!(top["manifests"][0].get("annotations").is_none());
    // zstd is in it: podman and skopeo read that.
    let archive = format!("oci-archive:{}", bare.archive.display());
    let arm = ["--override-arch", "arm64", "inspect", &archive];
    let said = run(Command::new("skopeo").args(arm)).succeeded();
    assert!(said.contains("vendor.example.label"), "{said}");

    // An image without an index: another platform than asked for, or than this machine's.
    let lone = format!("{}/vendor/two@{}", registry.host, text(&two.arm64["digest"]));
    mirror.bring(&lone).unwrap().proves(CandidateKind::Manifest, text(&two.arm64["digest"]));
    mirror.options.platforms = Platforms::List(vec![String::from("linux/amd64")]);
    assert_eq!(mirror.refused(&lone).code(), Code::ReferenceInvalid);
    if cfg!(target_arch = "x86_64") {
        mirror.options.platforms = Platforms::One;
        let notes = mirror.bring(&lone).unwrap().description.notes;
        assert_eq!(notes, ["the image is for linux/arm64; this machine is linux/amd64"]);
    }
    // An index in an index.
    let mut inner = two.index.clone();
    inner["platform"] = two.amd64["platform"].clone();
    let nested = two.layout.index(&[inner]);
    let (kind, bytes) = (text(&nested["mediaType"]), two.layout.read(text(&nested["digest"])));
    registry.put("vendor/two", "nested", kind, &bytes);
    let fault = mirror.refused(&format!("{}/vendor/two:nested", registry.host));
    assert_eq!(fault.code(), Code::MediaTypeMismatch, "{fault}");

    // What is not there.
    mirror.options.platforms = Platforms::List(vec![String::from("linux/s390x")]);
    let fault = mirror.refused(&reference);
    assert_eq!(fault.code(), Code::ReferenceInvalid);
    assert_eq!(fault.found(), Some("linux/amd64, linux/arm64"));
    for (reference, code) in [
        (format!("{}/vendor/two:2.0", registry.host), Code::HttpRefused),
        (format!("{}/vendor/none", registry.host), Code::HttpRefused),
        (format!("{}/vendor/two@sha256:{}", registry.host, "0".repeat(64)), Code::HttpRefused),
        (
            format!("{}/vendor/two@sha512:{}", registry.host, "0".repeat(128)),
            Code::DigestUnsupported,
        ),
        (format!("{}/Vendor/two", registry.host), Code::ReferenceInvalid),
    ] {
        assert_eq!(mirror.refused(&reference).code(), code, "{reference}");
    }
    // Plain HTTP only where it is allowed.
    mirror.http.allow_http = false;
    assert_eq!(mirror.refused(&reference).code(), Code::NetworkFailed);
}
