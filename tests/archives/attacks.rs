//! Archives that make a loader take something else than what was verified. The numbers are those of
//! the project's table of attacks, each measured on real engines.

use sealift::digest::Sha256Digest;
use sealift::verdict::Code;

use crate::compression::gzip;
use crate::sample::{
    INDEX, Image, LAYOUT, MANIFEST, blob, config, descriptor, digest, docker, index, item,
    manifest, oci, refused, verify,
};
use crate::support::tar::Tar;

fn images() -> (Image, Image) {
    (Image::new("good"), Image::new("evil"))
}

/// The files of both images and one item for each.
fn both() -> (Tar, String, String) {
    let (good, evil) = images();
    let tar = Tar::new().files(&good.docker_files("g")).files(&evil.docker_files("e"));
    (tar, good.item("g"), evil.item("e"))
}

#[track_caller]
fn check(bytes: &[u8], expected: Result<(), Code>) {
    assert_eq!(verify(bytes, &[Image::new("good").id()]), expected);
}

#[track_caller]
fn reject(tar: Tar, code: Code) {
    check(&tar.finish(), Err(code));
}

#[track_caller]
fn accept(tar: Tar) {
    check(&tar.finish(), Ok(()));
}

/// A docker archive whose `manifest.json` is made from the items of the good and the evil image.
fn with_manifest(json: impl FnOnce(&str, &str) -> String) -> Tar {
    let (tar, good, evil) = both();
    tar.file("manifest.json", json(&good, &evil))
}

/// The good docker archive, its entries changed one by one.
fn rebuilt(mut change: impl FnMut(Tar, &str, &[u8]) -> Tar) -> Tar {
    let good = Image::new("good");
    let mut files = good.docker_files("g");
    files.push(("manifest.json".into(), format!("[{}]", good.item("g")).into_bytes()));
    files.iter().fold(Tar::new(), |tar, (name, content)| change(tar, name, content))
}

#[test]
fn the_good_one_is_good() {
    accept(docker(&Image::new("good")));
    let good = Image::new("good");
    accept(oci(&good.blobs(), &[good.index_entry()]));
    accept(
        oci(&good.blobs(), &[good.index_entry()])
            .files(&good.docker_files("g"))
            .file("manifest.json", format!("[{}]", good.item("g"))),
    );
    assert_eq!(verify(&docker(&good).finish(), &[]), Err(Code::ImageNotCovered));
}

#[test]
fn a01_swapped_layer() {
    let (mut good, evil) = images();
    good.layers[0] = evil.layers[0].clone();
    let refusal = refused(&docker(&good).finish());
    assert_eq!(refusal.fault.code(), Code::LayerMismatch);
    assert_eq!(
        refusal.fault.to_string(),
        format!(
            "manifest.json: image 0: layer 0 (g0/layer.tar): the layer is not the one that the \
             config lists; expected {}, found {}",
            digest(&Image::new("good").layers[0]),
            digest(&evil.layers[0])
        )
    );
}

#[test]
fn a02_to_a06_duplicate_entries() {
    for swap in [false, true] {
        let (tar, good, evil) = both();
        let (first, second) = if swap { (evil, good) } else { (good, evil) };
        let tar = tar
            .file("manifest.json", format!("[{first}]"))
            .file("manifest.json", format!("[{second}]"));
        reject(tar, Code::EntryDuplicate);
    }
    let (good, evil) = images();
    reject(docker(&good).file("g0/layer.tar", &evil.layers[0]), Code::EntryDuplicate);
    reject(docker(&good).file("g.json", &evil.config), Code::EntryDuplicate);
    reject(docker(&good).file("g.json", &good.config), Code::EntryDuplicate);
    reject(docker(&good).file("unused", "").file("unused", ""), Code::EntryDuplicate);
}

#[test]
fn a07_to_a11_json_that_is_read_differently() {
    let twice = with_manifest(|good, evil| {
        format!("[{},{}]", good.trim_end_matches('}'), evil.trim_start_matches('{'))
    });
    reject(twice, Code::JsonMalformed);
    for folded in ["config", "lAYERS", "Layer\u{17f}", "repotags", "LAYERSOURCES", "parent"] {
        let tar =
            with_manifest(|good, _| format!("[{},\"{folded}\":[]}}]", good.trim_end_matches('}')));
        reject(tar, Code::JsonMalformed);
    }
    let good = Image::new("good");
    let list = good.item("g");
    let with = |more: &str| {
        let list = format!("[{},{more}\"Parent\":\"\"}}]\n", list.trim_end_matches('}'));
        Tar::new().files(&good.docker_files("g")).file("manifest.json", list)
    };
    accept(with(""));
    reject(with("\"Other\":1,"), Code::JsonMalformed);
    reject(with_manifest(|good, evil| format!("[{good}][{evil}]")), Code::JsonMalformed);
    reject(with_manifest(|good, _| format!("\u{feff}[{good}]")), Code::JsonMalformed);
}

#[test]
fn a07_to_a09_in_configs_manifests_and_indexes() {
    let good = Image::new("good");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    // In a config, whose digest is then another one, and signed.
    for more in [
        r#","Rootfs":{"type":"layers","diff_ids":[]}}"#,
        r#","rootfs":{"type":"layers","diff_ids":[]}}"#,
        r#","rootf\u017f":{"type":"layers","diff_ids":[]}}"#,
    ] {
        let text = text(&good.config);
        let image = Image {
            config: format!("{}{more}", text.strip_suffix('}').unwrap()).into_bytes(),
            ..good.clone()
        };
        assert_eq!(verify(&docker(&image).finish(), &[image.id()]), Err(Code::JsonMalformed));
    }
    // In a manifest and in index.json.
    for more in
        [",\"Layers\":[]}", ",\"layer\u{17f}\":[]}", ",\"config\":{}}", ",\"mediatype\":\"\"}"]
    {
        let changed = format!("{}{more}", text(&good.manifest()).strip_suffix('}').unwrap());
        let mut blobs = good.blobs();
        blobs.push(blob(changed.clone().into_bytes()));
        let tar = oci(&blobs, &[descriptor(MANIFEST, changed.as_bytes(), "")]);
        reject(tar, Code::JsonMalformed);
    }
    for more in [",\"Manifests\":[]}", ",\"manifests\":[]}", "}{}"] {
        let text = text(&index(&[good.index_entry()]));
        let tar = Tar::new()
            .files(&good.blobs())
            .file("oci-layout", LAYOUT)
            .file("index.json", format!("{}{more}", text.strip_suffix('}').unwrap()));
        reject(tar, Code::JsonMalformed);
    }
    let entry = good.index_entry().replace("\"digest\"", "\"Digest\":\"\",\"digest\"");
    reject(oci(&good.blobs(), &[entry]), Code::JsonMalformed);
}

#[test]
fn a12_a13_two_images_one_signed() {
    reject(with_manifest(|good, evil| format!("[{good},{evil}]")), Code::ImageNotCovered);
    reject(with_manifest(|good, evil| format!("[{evil},{good}]")), Code::ImageNotCovered);
    let tar = with_manifest(|good, evil| format!("[{good},{evil}]"));
    let (good, evil) = images();
    assert_eq!(verify(&tar.finish(), &[good.id(), evil.id()]), Ok(()));
}

#[test]
fn a14_to_a18_links() {
    let good = Image::new("good");
    let link = |name: &'static str, target: &'static str| {
        rebuilt(move |tar, entry, content| {
            let tar =
                if entry == name { tar.link(entry, target) } else { tar.file(entry, content) };
            if entry == name { tar.file("real/layer.tar", content) } else { tar }
        })
    };
    accept(link("g0/layer.tar", "../real/layer.tar"));
    let (layer, rest) = (good.layers[0].clone(), docker(&good));
    for target in [
        "/real/layer.tar",
        "../../real/layer.tar",
        "../real/../real/layer.tar",
        "../nowhere/layer.tar",
        "./layer.tar",
        "",
        "..",
        "../real",
    ] {
        reject(link("g0/layer.tar", target), Code::EntryTypeRefused);
    }
    // 14: the directory is the link.
    let tar = rebuilt(|tar, name, content| match name {
        "g0/layer.tar" => tar.link("g0", "real").file("real/layer.tar", content),
        _ => tar.file(name, content),
    });
    reject(tar, Code::EntryTypeRefused);
    // 15, 44, 45: configs and manifests are no links.
    reject(link("g.json", "real/layer.tar"), Code::EntryTypeRefused);
    reject(link("manifest.json", "real/layer.tar"), Code::EntryTypeRefused);
    // A config that is a link of the allowed form, and a link that leads to another link.
    let tar = Tar::new()
        .files(&good.docker_files("g"))
        .link("c/layer.tar", "../g.json")
        .file("manifest.json", format!("[{}]", good.item("g").replace("g.json", "c/layer.tar")));
    reject(tar, Code::EntryTypeRefused);
    let tar = rest.file("real/layer.tar", layer);
    reject(
        tar.clone().link("a/layer.tar", "../b/layer.tar").link("b/layer.tar", "../real/layer.tar"),
        Code::EntryTypeRefused,
    );
    reject(tar.link("b/layer.tar", "../real/layer.tar"), Code::EntryUnreferenced);
    // 16: a hard link.
    let tar = rebuilt(|tar, name, content| match name {
        "g0/layer.tar" => {
            tar.file("real/layer.tar", content).entry(b'1', name, "real/layer.tar", &[], |_| {})
        }
        _ => tar.file(name, content),
    });
    reject(tar, Code::EntryTypeRefused);
}

#[test]
fn a19_to_a23_names() {
    let good = Image::new("good");
    for name in
        ["../evil", "/etc/x", "zz/../manifest.json", "a//b", "a/./b", "a\\b", "x/", "a\u{7}"]
    {
        reject(docker(&good).file(name, "x"), Code::EntryNameUnsafe);
    }
    reject(
        rebuilt(|tar, name, content| tar.file(&format!("/{name}"), content)),
        Code::EntryNameUnsafe,
    );
    // 21
    let tar = with_manifest(|good, _| format!("[{good}]")).file("./manifest.json", "[]");
    reject(tar, Code::EntryDuplicate);
    accept(rebuilt(|tar, name, content| tar.file(&format!("./{name}"), content)).directory("./"));
    // 23
    for (from, to) in [
        ("g.json", "./g.json"),
        ("g0/layer.tar", "g0//layer.tar"),
        ("g0/layer.tar", "g0/../g0/layer.tar"),
        ("g1/layer.tar", "/g1/layer.tar"),
        ("g1/layer.tar", "g1/l\u{e4}yer.tar"),
    ] {
        reject(
            with_manifest(|good, _| format!("[{}]", good.replace(from, to))),
            Code::EntryNameUnsafe,
        );
    }
    reject(docker(&good).entry(b'0', "n\u{e4}me", "", b"x", |_| {}), Code::EntryNameUnsafe);
    let tar =
        docker(&good).entry(b'0', "n?me", "", b"x", |header| header.as_old_mut().name[1] = 0xe4);
    reject(tar, Code::EntryNameUnsafe);
}

#[test]
fn a24_a25_missing_layers_and_counts() {
    let good = Image::new("good");
    let without = |missing: &'static str| {
        rebuilt(
            move |tar, name, content| if name == missing { tar } else { tar.file(name, content) },
        )
    };
    reject(without("g1/layer.tar"), Code::LayerMissing);
    reject(without("g.json"), Code::ConfigMissing);
    reject(without("manifest.json"), Code::ManifestMissing);
    let tar = without("g1/layer.tar").directory("g1/layer.tar/");
    reject(tar, Code::EntryTypeRefused);
    for layers in [r#""g0/layer.tar""#, r#""g0/layer.tar","g1/layer.tar","g1/layer.tar""#, ""] {
        let tar = Tar::new()
            .files(&good.docker_files("g"))
            .file("manifest.json", format!("[{}]", item("g.json", layers)));
        reject(tar, Code::LayerCount);
    }
    let empty = Image { config: config(&[], "good"), layers: Vec::new() };
    assert_eq!(verify(&docker(&empty).finish(), &[empty.id()]), Err(Code::LayerCount));
    // 61
    let blobs: Vec<_> = good.blobs().into_iter().filter(|(_, c)| *c != good.layers[1]).collect();
    reject(oci(&blobs, &[good.index_entry()]), Code::LayerMissing);
    let blobs: Vec<_> = good.blobs().into_iter().filter(|(_, c)| *c != good.config).collect();
    reject(oci(&blobs, &[good.index_entry()]), Code::ConfigMissing);
    let blobs: Vec<_> = good.blobs().into_iter().filter(|(_, c)| *c != good.manifest()).collect();
    reject(oci(&blobs, &[good.index_entry()]), Code::BlobMissing);
}

#[test]
fn a26_to_a30_extended_headers() {
    let sized = |size: &str, field: u64| {
        let size = size.to_owned();
        rebuilt(move |tar, name, content| {
            let size = if size == "real" { content.len().to_string() } else { size.clone() };
            tar.pax(b'x', &[("size", &size)])
                .entry(b'0', name, "", content, |header| header.set_size(field))
        })
    };
    accept(sized("real", 0));
    reject(sized("real", 999_999), Code::ArchiveMalformed);
    // 27: the ustar size hides an entry as content, and PAX says that there is no content.
    let (tar, good, evil) = both();
    let hidden = Tar::new().file("manifest.json", format!("[{evil}]")).cut();
    let tar = tar.file("manifest.json", format!("[{good}]")).pax(b'x', &[("size", "0")]).entry(
        b'0',
        "hide",
        "",
        &hidden,
        |_| {},
    );
    reject(tar, Code::ArchiveMalformed);
    // 28
    for key in ["path", "linkpath", "size", "GNU.sparse.name"] {
        let tar = Tar::new().pax(b'g', &[(key, "1")]);
        reject(tar.raw(&docker(&Image::new("good")).cut()), Code::ArchiveMalformed);
    }
    accept(Tar::new().pax(b'g', &[("comment", "x")]).raw(&docker(&Image::new("good")).cut()));
    // 29, 30
    let evil_json = format!("[{evil}]");
    let base = || with_manifest(|good, _| format!("[{good}]"));
    reject(
        base().pax(b'x', &[("path", "manifest.json")]).file("innocent", &evil_json),
        Code::EntryDuplicate,
    );
    reject(base().long(b'L', "manifest.json").file("innocent", &evil_json), Code::EntryDuplicate);
    reject(base().long(b'L', &"long/".repeat(30)[..149]).file("x", "x"), Code::EntryUnreferenced);
    for tar in [
        base().pax(b'x', &[("path", "a")]).long(b'L', "b").file("c", ""),
        base().long(b'L', "b").pax(b'x', &[("path", "a")]).file("c", ""),
        base().pax(b'x', &[("path", "a")]).pax(b'x', &[("path", "b")]).file("c", ""),
        base().long(b'L', "a").long(b'L', "b").file("c", ""),
        base().pax(b'x', &[("path", "a"), ("path", "b")]).file("c", ""),
        base().pax(b'x', &[("path", "a")]).pax(b'g', &[("comment", "b")]).file("c", ""),
        base().pax(b'x', &[("size", "-1")]).file("c", ""),
        base().pax(b'x', &[("path", "a")]),
    ] {
        reject(tar, Code::ArchiveMalformed);
    }
    reject(base().long(b'L', "a\0b").file("c", ""), Code::EntryNameUnsafe);
    reject(base().pax(b'x', &[("path", "../a")]).file("c", ""), Code::EntryNameUnsafe);
}

#[test]
fn a31_to_a35_ends() {
    let (good, _) = images();
    let (tar, item, evil) = both();
    let tar = tar.file("manifest.json", format!("[{item}]"));
    let second = Tar::new().file("manifest.json", format!("[{evil}]"));
    check(&[tar.clone().finish(), second.clone().finish()].concat(), Err(Code::ArchiveMalformed));
    check(&[docker(&good).finish(), vec![0; 9000]].concat(), Ok(()));
    check(&[tar.clone().finish(), vec![0; 100], vec![1]].concat(), Err(Code::ArchiveMalformed));
    reject(tar.clone().zero_block().raw(&second.clone().cut()), Code::ArchiveMalformed);
    check(&docker(&good).cut(), Err(Code::ArchiveTruncated));
    check(&docker(&good).zero_block().cut(), Err(Code::ArchiveTruncated));
    // 34: the first member ends without an end, the second overrides.
    let members = [gzip(&tar.clone().cut()), gzip(&second.finish())].concat();
    check(&members, Err(Code::EntryDuplicate));
    check(
        &[gzip(&tar.clone().finish()), b"garbage".to_vec()].concat(),
        Err(Code::CompressionMalformed),
    );
    check(&gzip(&docker(&good).finish()), Ok(()));
}

#[test]
fn a39_to_a43_types_and_sizes() {
    let good = Image::new("good");
    for key in ["GNU.sparse.major", "GNU.sparse.map", "GNU.sparse.realsize"] {
        reject(docker(&good).pax(b'x', &[(key, "1")]).file("x", "y"), Code::EntryTypeRefused);
    }
    for kind in *b"1346789SDMNVXAZ" {
        let tar = docker(&good).entry(kind, "x", "manifest.json", b"", |_| {});
        reject(tar, Code::EntryTypeRefused);
    }
    let base256 = |negative: bool| {
        rebuilt(move |tar, name, content| {
            tar.entry(b'0', name, "", content, |header| {
                let field = &mut header.as_old_mut().size;
                field.fill(if negative { 0xff } else { 0 });
                field[0] = if negative { 0xff } else { 0x80 };
                field[4..].copy_from_slice(&(content.len() as u64).to_be_bytes());
            })
        })
    };
    accept(base256(false));
    reject(base256(true), Code::ArchiveMalformed);
    accept(rebuilt(|tar, name, content| tar.entry(0, name, "", content, |_| {})));
    // 42
    reject(docker(&good).entry(0, "manifest.json/", "", b"", |_| {}), Code::ArchiveMalformed);
    reject(docker(&good).entry(0, "x/", "", b"content", |_| {}), Code::ArchiveMalformed);
    reject(docker(&good).entry(b'5', "x/", "", b"content", |_| {}), Code::EntryTypeRefused);
    reject(docker(&good).entry(0, "x/", "", b"", |_| {}), Code::ArchiveMalformed);
    reject(
        docker(&good).entry(b'2', "x/layer.tar", "../g0/layer.tar", b"content", |_| {}),
        Code::EntryTypeRefused,
    );
}

#[test]
fn a46_a47_paths_of_two_kinds() {
    let good = Image::new("good");
    for tar in [
        docker(&good).file("g0", "x"),
        docker(&good).file("manifest.json/x", "x"),
        docker(&good).directory("g.json"),
        docker(&good).directory("d").file("d", ""),
        docker(&good).file("d/layer.tar/x", "").link("d/layer.tar", "../g0/layer.tar"),
        docker(&good).file("d", "").file("d-x", "").file("d/x", ""),
    ] {
        reject(tar, Code::EntryConflict);
    }
    reject(docker(&good).link("g0", "bad").file("bad/layer.tar", "x"), Code::EntryTypeRefused);
    accept(docker(&good).directory("g0").directory("g0/").directory("g0x"));
}

#[test]
fn a51_to_a54_two_views() {
    let (good, evil) = images();
    let view = |of_index: &Image, of_manifest: &Image| {
        oci(&of_index.blobs(), &[of_index.index_entry()])
            .files(&of_manifest.docker_files("m"))
            .file("manifest.json", format!("[{}]", of_manifest.item("m")))
    };
    accept(view(&good, &good));
    reject(view(&good, &evil), Code::ImageNotCovered);
    reject(view(&evil, &good), Code::ImageNotCovered);
    let without_layout =
        |entries: &[String]| docker(&good).files(&evil.blobs()).file("index.json", index(entries));
    reject(without_layout(&[evil.index_entry()]), Code::LayoutInvalid);
    reject(docker(&good).file("oci-layout", LAYOUT), Code::LayoutInvalid);
    for layout in [r#"{"imageLayoutVersion":"1.1.0"}"#, "{}", r#"{"imageLayoutVersion":null}"#] {
        let tar = Tar::new()
            .files(&good.blobs())
            .file("index.json", index(&[good.index_entry()]))
            .file("oci-layout", layout);
        reject(tar, Code::LayoutInvalid);
    }
    for directory in ["index.json", "manifest.json", "oci-layout"] {
        let tar = Tar::new().directory(directory);
        reject(tar, Code::EntryTypeRefused);
    }
}

#[test]
fn a55_to_a60_blobs_and_kinds() {
    let (good, evil) = images();
    let swapped = |what: &[u8], by: &[u8]| -> Vec<(String, Vec<u8>)> {
        let swap = |(name, content): (String, Vec<u8>)| {
            (name, if content == what { by.to_vec() } else { content })
        };
        good.blobs().into_iter().map(swap).collect()
    };
    for (what, by) in [
        (&good.layers[0], &evil.layers[0]),
        (&good.config, &evil.config),
        (&good.manifest(), &evil.manifest()),
    ] {
        reject(oci(&swapped(what, by), &[good.index_entry()]), Code::BlobMismatch);
    }
    // 56: the good config with the layers of the evil image, all digests consistent.
    let mixed = Image { config: good.config.clone(), layers: evil.layers.clone() };
    reject(oci(&mixed.blobs(), &[mixed.index_entry()]), Code::LayerMismatch);
    // 57
    reject(
        oci(&good.blobs(), &[good.index_entry()]).file("index.json", index(&[evil.index_entry()])),
        Code::EntryDuplicate,
    );
    // 58
    reject(
        oci(&[good.blobs(), evil.blobs()].concat(), &[good.index_entry()]),
        Code::EntryUnreferenced,
    );
    let name = format!("blobs/sha256/{}", "0".repeat(64));
    let tar = oci(&good.blobs(), &[good.index_entry()]).file(&name, "not this");
    reject(tar, Code::BlobMismatch);
    // 59
    let size = |bytes: &[u8]| format!("\"size\":{}", bytes.len());
    let entry = good.index_entry().replace(&size(&good.manifest()), "\"size\":1");
    reject(oci(&good.blobs(), &[entry]), Code::BlobMismatch);
    let text = String::from_utf8(good.manifest()).unwrap();
    let text = text.replacen(&size(&good.layers[0]), "\"size\":1", 1);
    let mut blobs = good.blobs();
    blobs.push(blob(text.clone().into_bytes()));
    reject(oci(&blobs, &[descriptor(MANIFEST, text.as_bytes(), "")]), Code::BlobMismatch);
    // 60
    for wrong in [
        INDEX,
        "application/vnd.oci.image.config.v1+json",
        "",
        "text/plain",
        "application/vnd.docker.distribution.manifest.v2+json",
    ] {
        let entry = descriptor(wrong, &good.manifest(), "");
        reject(oci(&good.blobs(), &[entry]), Code::MediaTypeMismatch);
    }
    let inner = index(&[good.index_entry()]);
    let mut blobs = good.blobs();
    blobs.push(blob(inner.clone()));
    reject(oci(&blobs, &[descriptor(MANIFEST, &inner, "")]), Code::MediaTypeMismatch);
    accept(oci(&blobs, &[descriptor(INDEX, &inner, "")]));
    // A config in the place of a manifest, and a manifest in the place of a config.
    let entry = descriptor(MANIFEST, &good.config, "");
    reject(oci(&good.blobs(), &[entry]), Code::MediaTypeMismatch);
    let odd = manifest(&good.manifest(), &[]);
    let mut blobs = good.blobs();
    blobs.push(blob(odd.clone()));
    reject(oci(&blobs, &[descriptor(MANIFEST, &odd, "")]), Code::MediaTypeMismatch);
    let tar = Tar::new()
        .files(&good.docker_files("g"))
        .file("g2", good.manifest())
        .file("manifest.json", format!("[{}]", good.item("g").replace("g.json", "g2")));
    reject(tar, Code::MediaTypeMismatch);
}

#[test]
fn a62_foreign_layers() {
    let good = Image::new("good");
    for kind in [
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
    ] {
        let layers: Vec<_> = good
            .layers
            .iter()
            .map(|layer| descriptor(kind, layer, r#","urls":["https://x"]"#))
            .collect();
        let text = manifest(&good.config, &layers);
        let blobs = vec![blob(good.config.clone()), blob(text.clone())];
        let fault = refused(&oci(&blobs, &[descriptor(MANIFEST, &text, "")]).finish()).fault;
        assert_eq!(fault.code(), Code::LayerMissing);
        assert!(fault.to_string().contains("foreign layer"), "{fault}");
    }
}

#[test]
fn a63_two_index_entries() {
    let (good, evil) = images();
    let blobs = [good.blobs(), evil.blobs()].concat();
    for entries in
        [[good.index_entry(), evil.index_entry()], [evil.index_entry(), good.index_entry()]]
    {
        let bytes = oci(&blobs, &entries).finish();
        check(&bytes, Err(Code::ImageNotCovered));
        assert_eq!(verify(&bytes, &[good.id(), evil.id()]), Ok(()));
    }
}

#[test]
fn a65_a66_archives_from_before_docker_1_10() {
    let (good, evil) = images();
    let legacy = |tar: Tar| tar.file("v/json", "{}").file("v/layer.tar", &evil.layers[0]);
    reject(legacy(oci(&good.blobs(), &[good.index_entry()])), Code::LayoutInvalid);
    reject(
        oci(&good.blobs(), &[good.index_entry()]).file("repositories", "{}"),
        Code::LayoutInvalid,
    );
    reject(legacy(Tar::new()), Code::ManifestMissing);
    reject(Tar::new().file("repositories", "{}"), Code::ManifestMissing);
    accept(docker(&good).file("repositories", "{}"));
    reject(legacy(docker(&good)), Code::EntryUnreferenced);
}

/// Digests of other algorithms and spellings are nobody's id.
#[test]
fn only_lower_case_sha256_is_a_digest() {
    let good = Image::new("good");
    let id = digest(good.manifest());
    for other in [
        format!("sha256:{}", id.to_hex().to_uppercase()),
        format!("sha512:{0}{0}", id.to_hex()),
        id.to_hex(),
        String::new(),
    ] {
        let entry = good.index_entry().replace(&id.to_string(), &other);
        reject(oci(&good.blobs(), &[entry]), Code::DigestUnsupported);
    }
    let diff_id = digest(&good.layers[0]).to_string();
    let text = String::from_utf8(good.config.clone()).unwrap();
    let image =
        Image { config: text.replace(&diff_id, &diff_id.to_uppercase()).into_bytes(), ..good };
    assert_eq!(verify(&docker(&image).finish(), &[image.id()]), Err(Code::DigestUnsupported));
}

/// A signature of something that is not an image's digest covers nothing.
#[test]
fn other_digests_cover_nothing() {
    let good = Image::new("good");
    let bytes = oci(&good.blobs(), &[good.index_entry()]).finish();
    let never: Vec<Sha256Digest> = vec![
        digest(&bytes),
        digest(index(&[good.index_entry()])),
        digest(&good.layers[0]),
        digest(LAYOUT),
    ];
    assert_eq!(verify(&bytes, &never), Err(Code::ImageNotCovered));
    assert_eq!(verify(&bytes, &[digest(good.manifest())]), Ok(()));
}
