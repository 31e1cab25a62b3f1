//! The closed world of an archive: files that nothing refers to, the forms that writers leave behind, and
//! what unsigned documents say beyond the content.

use sealift::digest::Sha256Digest;
use sealift::verdict::Code;

use crate::compression::gzip;
use crate::sample::{
    Image, LAYOUT, MANIFEST, blob, descriptor, digest, docker, hex, index, item, manifest, oci,
    read_all_ways, refused, verify,
};
use crate::support::tar::Tar;

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

#[track_caller]
fn accepted(tar: Tar) {
    let bytes = tar.finish();
    assert_eq!(verify(&bytes, &[Image::new("good").id()]), Ok(()), "{:?}", read_all_ways(&bytes));
}

#[track_caller]
fn stray(tar: Tar) {
    let refusal = refused(&tar.finish());
    assert_eq!(refusal.fault.code(), Code::EntryUnreferenced, "{refusal}");
}

/// The id of the layer of a number, as Docker names its directory.
fn id(number: usize) -> String {
    hex(format!("layer {number}"))
}

/// The config of the image as an old engine's metadata has it.
const CONFIG: &str = r#""config":{"Hostname":"","Cmd":null,"Labels":{"which":"good"}}"#;

/// The metadata of the layer of a number.
fn v1(number: usize, more: &str) -> String {
    let parent =
        if number == 0 { String::new() } else { format!(r#""parent":"{}","#, id(number - 1)) };
    format!(r#"{{"id":"{}",{parent}"created":"1970-01-01T00:00:00Z"{more}}}"#, id(number))
}

fn layers_of(prefix: &str, suffix: &str) -> String {
    format!("\"{prefix}{}{suffix}\",\"{prefix}{}{suffix}\"", id(0), id(1))
}

/// What Docker up to 24 writes, without `repositories`; `change` may change each file.
fn docker20(mut change: impl FnMut(&str, Vec<u8>) -> Option<Vec<u8>>) -> Tar {
    let good = Image::new("good");
    let mut tar = Tar::new().file("c.json", &good.config);
    for number in 0..2 {
        let more = if number == 1 { format!(",{CONFIG},\"os\":\"linux\"") } else { String::new() };
        for (name, bytes) in [
            ("VERSION", b"1.0".to_vec()),
            ("json", v1(number, &more).into_bytes()),
            ("layer.tar", good.layers[number].clone()),
        ] {
            if let Some(bytes) = change(&format!("{number}/{name}"), bytes) {
                tar = tar.file(&format!("{}/{name}", id(number)), bytes);
            }
        }
    }
    tar.file("manifest.json", format!("[{}]\n", item("c.json", &layers_of("", "/layer.tar"))))
}

fn whole_docker20() -> Tar {
    docker20(|_, bytes| Some(bytes))
}

fn top_is(id: &str) -> String {
    format!(r#"{{"vendor/app":{{"1":"{id}"}}}}"#)
}

/// What Docker writes from 25 on with its classic store, with these files besides.
fn docker28(more: &[Vec<u8>]) -> Tar {
    let good = Image::new("good");
    let (sources, names): (Vec<_>, Vec<_>) = good
        .layers
        .iter()
        .map(|layer| {
            let source = format!(r#""{}":{}"#, digest(layer), descriptor(LAYER, layer, ""));
            (source, format!("\"{}\"", blob(layer.clone()).0))
        })
        .unzip();
    let list = item(&blob(good.config.clone()).0, &names.join(","));
    let list = list.replacen('}', &format!(r#","LayerSources":{{{}}}}}"#, sources.join(",")), 1);
    let more: Vec<_> = more.iter().cloned().map(blob).collect();
    oci(&[good.blobs(), more].concat(), &[good.index_entry()])
        .file("manifest.json", format!("[{list}]\n"))
}

#[test]
fn what_nothing_refers_to_is_refused() {
    let good = Image::new("good");
    let forms = || {
        [docker(&good), oci(&good.blobs(), &[good.index_entry()]), whole_docker20(), docker28(&[])]
    };
    forms().into_iter().for_each(accepted);
    let other = Image::new("other");
    let text = id(7);
    for name in [
        "install.sh",
        "x/json",
        "x/VERSION",
        "VERSION",
        "json",
        "blobs/x/json",
        "blobs/json",
        "blobs/sha256/VERSION",
        "blobs/sha256/json",
        "blobs/sha512/x",
        "blobs/install.sh",
        ".wh.x",
        "version",
        &format!("{text}/VERSION"),
        &format!("{text}/json"),
        &format!("{text}.json"),
    ] {
        for tar in forms() {
            stray(tar.file(name, "1.0"));
        }
    }
    for content in [
        b"junk".to_vec(),
        b"{}".to_vec(),
        b"1.0".to_vec(),
        other.config.clone(),
        other.manifest(),
        other.layers[0].clone(),
        index(&[other.index_entry()]),
    ] {
        let (name, content) = blob(content);
        for tar in forms() {
            stray(tar.file(&name, &content));
        }
    }
    for tar in forms() {
        accepted(tar.directory("ingest").directory("blobs").directory("x/y"));
    }
}

#[test]
fn what_known_writers_leave_is_accepted() {
    let good = Image::new("good");
    accepted(whole_docker20().file("repositories", top_is(&id(1)) + "\n"));
    // podman, skopeo and buildah
    let mut tar = Tar::new().file("c.json", &good.config);
    let mut layers = Vec::new();
    for (number, layer) in good.layers.iter().enumerate() {
        let name = format!("{}.tar", hex(layer));
        let more =
            if number == 1 { format!(",{CONFIG},\"container\":null") } else { String::new() };
        tar = tar
            .file(&name, layer)
            .link(&format!("{}/layer.tar", id(number)), &format!("../{name}"))
            .file(&format!("{}/VERSION", id(number)), "1.0")
            .file(&format!("{}/json", id(number)), v1(number, &more));
        layers.push(format!("\"{name}\""));
    }
    let podman = tar.file("manifest.json", format!("[{}]", item("c.json", &layers.join(","))));
    accepted(podman.clone().file("repositories", top_is(&id(1))));
    accepted(podman.clone().file("repositories", "{}"));
    let more = format!("{}/layer.tar", id(3));
    accepted(podman.clone().link(&more, &format!("../{}.tar", hex(&good.layers[0]))));
    stray(podman.clone().link("x/layer.tar", &format!("../{}.tar", hex(&good.layers[0]))));
    stray(podman.link(&more, "../c.json"));
    // nix: metadata without id, and members of its own
    let nix = docker20(|name, bytes| match name {
        "0/json" => Some(format!(r#"{{"created":"x","checksum":"tarsum",{CONFIG}}}"#).into_bytes()),
        "1/json" => Some(v1(1, &format!(r#","Size":10240,{CONFIG}"#)).into_bytes()),
        _ => Some(bytes),
    });
    accepted(nix.file("repositories", top_is(&id(1))));
    // crane and rules_docker: a rootfs that Go can't leave out
    let crane = docker20(|name, bytes| {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let rootfs = r#"{"rootfs":{"type":"","diff_ids":null},"throwaway":false,"#;
        Some(if name.ends_with("json") {
            text.replacen('{', rootfs, 1).into_bytes()
        } else {
            bytes
        })
    });
    accepted(crane.file("repositories", top_is(&id(1))));
    // Docker 25 and later
    let leftovers = [v1(0, "").into_bytes(), v1(1, &format!(",{CONFIG}")).into_bytes()];
    accepted(docker28(&leftovers).file("repositories", top_is(&hex(&good.layers[1]))));
}

/// jib, kaniko and rules_oci leave nothing behind, and name files in ways of their own.
#[test]
fn what_jib_kaniko_and_rules_oci_write_is_accepted() {
    let good = Image::new("good");
    let packed: Vec<_> = good.layers.iter().map(|layer| gzip(layer)).collect();
    let write = |config: &str, layer: &dyn Fn(&str) -> String| {
        let mut names = Vec::new();
        let mut tar = Tar::new();
        for bytes in &packed {
            let name = layer(&hex(bytes));
            names.push(format!("\"{name}\""));
            tar = tar.file(&name, bytes);
        }
        tar.file(config, &good.config)
            .file("manifest.json", format!("[{}]", item(config, &names.join(","))))
    };
    let flat = |hex: &str| format!("{hex}.tar.gz");
    accepted(write("config.json", &flat));
    accepted(write(&good.id().to_string(), &flat));
    let blob = format!("blobs/sha256/{}", good.id().to_hex());
    let in_blobs = |hex: &str| format!("blobs/sha256/{hex}.tar.gz");
    accepted(write(&blob, &in_blobs));
    stray(write("config.json", &flat).file("config.json.sha256", good.id().to_hex()));
}

#[test]
fn leftovers_are_refused_in_any_other_form() {
    for bytes in [&b"1.0\n"[..], b"1.1", b"", b"1.0\0"] {
        stray(docker20(|name, old| Some(if name == "0/VERSION" { bytes.to_vec() } else { old })));
    }
    let large = format!(r#","comment":"{}""#, "x".repeat(1 << 20));
    let bad = [
        r#","rootfs":{"type":"layers","diff_ids":[]}"#,
        r#","history":[]"#,
        r#","schemaVersion":2"#,
        r#","layers":[]"#,
        r#","manifests":[]"#,
        r#","config":{"Cmd":["/evil"]}"#,
        r#","config":{"Labels":{"which":"evil"}}"#,
        r#","Config":{}"#,
        r#","created":"again""#,
        r#","unknown":1"#,
        r#","parent":"x""#,
        r#","container_config":"x""#,
        &large,
    ];
    for more in bad {
        let text = v1(0, more).into_bytes();
        stray(docker20(|name, old| Some(if name == "0/json" { text.clone() } else { old })));
        stray(docker28(&[text]));
    }
    // Of another layer, and without its layer.
    stray(docker20(|name, old| Some(if name == "0/json" { v1(1, "").into_bytes() } else { old })));
    stray(docker28(&[format!(r#"{{"created":"x",{CONFIG}}}"#).into_bytes()]));
    stray(docker28(&[v1(0, r#","rootfs":{"type":"","diff_ids":null}"#).into_bytes()]));
    // More of them than layers.
    stray(docker28(&[0, 1, 2].map(|number| v1(number, "").into_bytes())));
    // Docker's classic store alone leaves them as blobs.
    let good = Image::new("good");
    let blobs = [good.blobs(), vec![blob(v1(0, "").into_bytes())]].concat();
    stray(oci(&blobs, &[good.index_entry()]));
    stray(docker(&good).files(&[blob(v1(0, "").into_bytes())]));
}

#[test]
fn repositories_says_what_manifest_json_says() {
    let good = Image::new("good");
    let top = id(1);
    for text in [
        "[]",
        "{",
        "{}{}",
        r#"{"a":1}"#,
        r#"{"vendor/app":{"1":"x"}}"#,
        &top_is(&top.to_uppercase()),
        &format!(r#"{{"vendor/app":{{"1":"{top}","1":"{top}"}}}}"#),
    ] {
        let refusal = refused(&whole_docker20().file("repositories", text).finish());
        assert_eq!(refusal.fault.code(), Code::JsonMalformed, "{text}: {refusal}");
    }
    for text in [
        top_is(&id(0)),
        top_is(&id(7)),
        top_is(&hex(&good.layers[1])),
        format!(r#"{{"vendor/app":{{"2":"{top}"}}}}"#),
        format!(r#"{{"vendor/evil":{{"1":"{top}"}}}}"#),
        format!(r#"{{"vendor/app":{{"1":"{top}"}},"x":{{"1":"{top}"}}}}"#),
    ] {
        stray(whole_docker20().file("repositories", text));
    }
    stray(docker28(&[]).file("repositories", top_is(&hex(&good.layers[0]))));
}

#[test]
fn layer_sources_and_parents_agree_with_the_files() {
    let text = |tar: Tar| String::from_utf8_lossy(&tar.finish()).into_owned();
    assert!(text(docker28(&[])).contains("LayerSources"));
    let good = Image::new("good");
    let refuse = |sources: String, code: Code| {
        let list = good.item("g").replacen('}', &format!(r#","LayerSources":{{{sources}}}}}"#), 1);
        let tar = Tar::new().files(&good.docker_files("g"));
        let refusal = refused(&tar.file("manifest.json", format!("[{list}]")).finish());
        assert_eq!(refusal.fault.code(), code, "{sources}: {refusal}");
    };
    let source = |diff_id: Sha256Digest, of: &[u8], kind: &str, more: &str| {
        format!(r#""{diff_id}":{}"#, descriptor(kind, of, more))
    };
    let [first, second] = &good.layers[..] else { panic!() };
    refuse(source(digest(first), second, LAYER, ""), Code::BlobMismatch);
    refuse(source(digest(b"x"), first, LAYER, ""), Code::BlobMismatch);
    let gzip = format!("{LAYER}+gzip");
    refuse(source(digest(first), first, &gzip, ""), Code::MediaTypeMismatch);
    refuse(source(digest(first), first, "text/plain", ""), Code::MediaTypeMismatch);
    let urls = r#","urls":["https://x.example/y"]"#;
    refuse(source(digest(first), first, LAYER, urls), Code::ContentElsewhere);
    let with_parent = |parent: &str| {
        let list = good.item("g").replacen('}', &format!(r#","Parent":"{parent}"}}"#), 1);
        Tar::new().files(&good.docker_files("g")).file("manifest.json", format!("[{list}]"))
    };
    accepted(with_parent(&good.id().to_string()));
    let other = refused(&with_parent(&digest(b"x").to_string()).finish());
    assert_eq!(other.fault.code(), Code::ConfigMissing);
}

/// An OCI archive of the image with a manifest of its own.
fn with_manifest(text: &[u8], more: &[Vec<u8>], entry: &str) -> Vec<u8> {
    let good = Image::new("good");
    let mut blobs = vec![blob(good.config.clone()), blob(text.to_vec())];
    blobs.extend(good.layers.iter().chain(more).cloned().map(blob));
    oci(&blobs, &[entry.to_owned()]).finish()
}

#[test]
fn what_only_a_signature_vouches_for_is_told() {
    let good = Image::new("good");
    let [first, second] = &good.layers[..] else { panic!() };
    let plain = descriptor(LAYER, second, "");
    let urls = descriptor(LAYER, first, r#","urls":["https://x.example/y"]"#);
    let annotated = descriptor(
        LAYER,
        first,
        r#","annotations":{"containerd.io/snapshot/stargz/toc.digest":"x"}"#,
    );
    for (layer, steering, elsewhere) in [(urls, false, true), (annotated, true, false)] {
        let text = manifest(&good.config, &[layer, plain.clone()]);
        let entry = descriptor(MANIFEST, &text, "");
        let list = index(std::slice::from_ref(&entry));
        for bytes in [
            with_manifest(&text, &[], &entry),
            with_manifest(&text, std::slice::from_ref(&list), &descriptor(INDEX, &list, "")),
        ] {
            let archive = read_all_ways(&bytes).unwrap();
            let [said] = &archive.claims[..] else { panic!("{archive:?}") };
            assert_eq!(
                (said.annotation.is_some(), said.elsewhere.is_some()),
                (steering, elsewhere)
            );
            assert_eq!(said.document, digest(&text));
            let told = |signed| archive.unvouched(&[signed].into()).count();
            assert_eq!((told(good.id()), told(digest(&text))), (1, 0));
        }
        let bytes =
            with_manifest(&text, std::slice::from_ref(&list), &descriptor(INDEX, &list, ""));
        let archive = read_all_ways(&bytes).unwrap();
        assert_eq!(archive.unvouched(&[digest(&list)].into()).count(), 0);
    }
    // An index with a platform that is not there, signed and not.
    let absent = descriptor(MANIFEST, b"elsewhere", r#","platform":{"os":"linux"}"#);
    let list = index(&[good.index_entry(), absent]);
    let bytes =
        with_manifest(&good.manifest(), std::slice::from_ref(&list), &descriptor(INDEX, &list, ""));
    let archive = read_all_ways(&bytes).unwrap();
    let told = |signed| archive.unvouched(&[signed].into()).filter(|it| it.absent).count();
    assert_eq!((told(good.id()), told(digest(good.manifest())), told(digest(&list))), (1, 1, 0));
    // What the absent platform would need does not belong here.
    let bytes = with_manifest(
        &good.manifest(),
        &[list.clone(), b"layer".to_vec()],
        &descriptor(INDEX, &list, ""),
    );
    assert_eq!(refused(&bytes).fault.code(), Code::EntryUnreferenced);
    // index.json itself is never signed.
    let entry = descriptor(MANIFEST, &good.manifest(), r#","annotations":{"run.oci.handler":"x"}"#);
    let archive = read_all_ways(&with_manifest(&good.manifest(), &[], &entry)).unwrap();
    assert_eq!(archive.unvouched(&[good.id(), digest(good.manifest())].into()).count(), 1);
    for harmless in
        ["containerd.io/distribution.source.docker.io", "org.opencontainers.image.created"]
    {
        let entry = descriptor(
            MANIFEST,
            &good.manifest(),
            &format!(r#","annotations":{{"{harmless}":"x"}}"#),
        );
        let archive = read_all_ways(&with_manifest(&good.manifest(), &[], &entry)).unwrap();
        assert!(archive.claims.is_empty(), "{archive:?}");
    }
}

#[test]
fn names_of_images_are_bounded() {
    let good = Image::new("good");
    let named = |name: &str| {
        let more = format!(r#","annotations":{{"io.containerd.image.name":"{name}"}}"#);
        let entry = descriptor(MANIFEST, &good.manifest(), &more);
        let tags = item("g.json", r#""g0/layer.tar","g1/layer.tar""#).replace("vendor/app:1", name);
        let tar = Tar::new().files(&good.docker_files("g"));
        [
            oci(&good.blobs(), &[entry]).finish(),
            tar.file("manifest.json", format!("[{tags}]")).finish(),
        ]
    };
    for bytes in named(&"x".repeat(4096)) {
        assert_eq!(verify(&bytes, &[good.id()]), Ok(()));
    }
    for bytes in named(&"x".repeat(4097)) {
        assert_eq!(refused(&bytes).fault.code(), Code::ArchiveTooLarge);
    }
    // Each name is short, and together they are too long.
    let tags: Vec<String> =
        (0..1030).map(|number| format!("\"{number:04}{}\"", "x".repeat(4090))).collect();
    let list = good.item("g").replace("\"vendor/app:1\"", &tags[..1000].join(","));
    let again = good.item("g").replace("\"vendor/app:1\"", &tags[1000..].join(","));
    let tar = Tar::new().files(&good.docker_files("g"));
    let bytes = tar.file("manifest.json", format!("[{list},{again}]")).finish();
    assert_eq!(refused(&bytes).fault.code(), Code::ArchiveTooLarge);
    assert!(LAYOUT.len() < 100);
}
