//! Files that pass for a part of something: strangers in an OCI layout, material by its name alone,
//! files of a seal that are none, and what is sealed but no artifact.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;

use sealift::digest::Sha256Digest;
use sealift::transfer::FileEntry;

use crate::room::{Room, example};

const USUAL: &str = "--key vendor.pub --trusted-root trusted_root.json";

/// Lays the signed example image as an OCI layout into a directory of the room.
fn lay_image(room: &Room, directory: &str) {
    let archive = example("hello-image.tar");
    let mut files = BTreeMap::new();
    for entry in ::tar::Archive::new(archive.as_slice()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.insert(name, bytes);
    }
    let list: serde_json::Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    let blob = |bytes: &[u8]| {
        let digest = Sha256Digest::of(bytes);
        room.write(&format!("{directory}/blobs/sha256/{}", digest.to_hex()), bytes);
        serde_json::json!({"digest": digest.to_string(), "size": bytes.len()})
    };
    let with = |mut descriptor: serde_json::Value, media_type: &str| {
        descriptor["mediaType"] = media_type.into();
        descriptor
    };
    let layers: Vec<_> = list[0]["Layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| {
            let layer = blob(&files[name.as_str().unwrap()]);
            with(layer, "application/vnd.oci.image.layer.v1.tar")
        })
        .collect();
    let config = blob(&files[list[0]["Config"].as_str().unwrap()]);
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": with(config, "application/vnd.oci.image.config.v1+json"),
        "layers": layers,
    });
    let manifest = blob(manifest.to_string().as_bytes());
    let manifest = with(manifest, "application/vnd.oci.image.manifest.v1+json");
    let index = serde_json::json!({"schemaVersion": 2, "manifests": [manifest]});
    room.write(&format!("{directory}/index.json"), index.to_string());
    room.write(&format!("{directory}/oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#);
}

/// A room with the image as a layout in `d/img` and its bundle above.
fn with_layout() -> Room {
    let room = Room::empty();
    lay_image(&room, "img");
    room.write("hello_signature.bundle", example("hello_signature.bundle"));
    room
}

#[test]
fn a_layout_alone_is_an_image() {
    let room = with_layout();
    room.run(&format!("verify d {USUAL}")).exit(0).says("d/img: OK (image, signed config");
    room.run(&format!("verify d/img {USUAL}")).exit(0).says("d/img: OK (image, signed config");
    let seal = "seal d --key transfer.key --vendor-key vendor.pub --trusted-root trusted_root.json";
    room.run(seal).exit(0).mentions("sealed: 1 artifact, 10 files");
    room.verify("").exit(0).says("img: OK (image, signed config");
    // A blob that was changed, and one that is only larger than it was.
    let blob = room.files().into_iter().find(|name| name.starts_with("img/blobs/")).unwrap();
    let bytes = room.read(&blob);
    room.write(&blob, [&bytes[..], b"x"].concat());
    room.verify("").exit(1).says("img: FAILED (file-mismatch: ");
}

#[test]
fn nothing_hides_in_a_layout() {
    for (stranger, bytes) in [
        ("img/hello-image.tar", example("tampered-image.tar")),
        ("img/install.sh", b"#!/bin/sh\n".to_vec()),
        ("img/blobs/sha256/readme.txt", b"x".to_vec()),
        ("img/more/blob", b"x".to_vec()),
    ] {
        let room = with_layout();
        room.write(stranger, &bytes);
        let refused = format!("d/img: FAILED (entry-unreferenced: d/{stranger}: ");
        room.run(&format!("verify d {USUAL}")).exit(1).says(&refused);
        let inside = stranger.trim_start_matches("img/");
        let refused = format!("d/img: FAILED (entry-unreferenced: {inside}: ");
        room.run(&format!("verify d/img {USUAL}")).exit(1).says(&refused);
        let seal =
            "seal d --key transfer.key --vendor-key vendor.pub --trusted-root trusted_root.json";
        room.run(seal).exit(1).mentions(stranger);
    }
    // Nor does a transfer, nor a release whose seal was taken away.
    let room = Room::sealed();
    lay_image(&room, "outer");
    for name in room.files().into_iter().filter(|name| !name.starts_with("outer")) {
        let bytes = room.read(&name);
        room.write(&format!("outer/transfer/{name}"), bytes);
        room.remove(&name);
    }
    room.run(&format!("verify d/outer {USUAL}")).exit(2).mentions("no-transfer-key");
    let room = Room::release();
    lay_image(&room, "x");
    for name in ["index.json", "oci-layout", "blobs"] {
        fs::rename(room.path("x").join(name), room.path(name)).unwrap();
    }
    room.write("tools-1.0.tar.gz", b"changed");
    room.run(&format!("verify d {USUAL}")).exit(1).mentions("d: FAILED (entry-unreferenced: ");
}

#[test]
fn unsealed_takes_nothing_out_of_sight() {
    let room = with_layout();
    // What Docker's classic store would load from this layout, and nobody signed.
    room.write("img/manifest.json", br#"[{"Config":"oci-layout","RepoTags":null,"Layers":[]}]"#);
    room.run(&format!("verify d {USUAL}")).exit(1).never_mentions("img: OK");
    room.run(&format!("verify d --unsealed {USUAL}")).exit(1).never_mentions("img: OK");
    let room = Room::release();
    room.write("SHA256SUMS", example("tampered-image.tar"));
    room.write("sub/SHA256SUMS", example("tampered-image.tar"));
    let answer = room.run(&format!("verify d --unsealed {USUAL}")).exit(1);
    answer.says("d/SHA256SUMS: UNSIGNED (").says("d/sub/SHA256SUMS: FAILED (layer-mismatch");
}

#[test]
fn options_for_a_seal_are_not_ignored_where_there_is_none() {
    let room = Room::release();
    room.write("README.txt", b"read me");
    for option in ["--allow-unsigned README.txt", "--full-digest"] {
        for unsealed in ["", "--unsealed"] {
            let answer = room.run(&format!("verify d {option} {unsealed} {USUAL}")).exit(2);
            answer.says("d: ERROR (usage: ").mentions("there is none");
        }
    }
}

#[test]
fn material_is_known_by_its_content() {
    for (name, bytes) in [
        ("x_publickey.json", example("tampered-image.tar")),
        ("install.sh_publickey.json", b"#!/bin/sh\n".to_vec()),
        ("gone_publickey.json", example("tools-1.0.tar.gz_publickey.json")),
        ("run.sh", example("trusted_root.json")),
    ] {
        let room = Room::release();
        room.write(name, &bytes);
        room.seal_as_usual("").mentions(name).mentions("not sealed: 1 of ");
        room.run(&format!("verify d {USUAL}")).mentions(&format!("d/{name}: "));
    }
}

#[test]
fn a_policy_with_vendors_asks_a_signature_of_every_file() {
    let room = Room::sealed();
    room.write("install.sh", b"#!/bin/sh\n");
    room.reseal(|manifest| {
        let sha256 = Sha256Digest::of(b"#!/bin/sh\n");
        let path = "install.sh".to_owned();
        manifest.files.push(FileEntry { path, size: 10, sha256, segments: Vec::new() });
        manifest.files.sort_by(|a, b| a.path.cmp(&b.path));
    });
    let answer = room.verify("").accepted(2);
    answer.mentions("2 of them covered by the seal only");
    let policy = |more: &str| {
        format!(
            "version = 1\n[[vendor]]\nname = \"k2view\"\n{more}[[vendor.key]]\nname = \"a\"\nfile = \"vendor.pub\"\n"
        )
    };
    room.write_beside("trust.toml", policy(""));
    let answer = room.verify("--trust trust.toml").exit(3);
    answer.says("install.sh: UNSIGNED (no-bundle: ").says("d: UNDECIDED (transfer-undecided");
    room.write_beside("trust.toml", policy("allow_unsigned = [\"*.sh\"]\n"));
    room.verify("--trust trust.toml").exit(0);
}

#[test]
fn an_extra_file_is_never_left_out() {
    let room = with_layout();
    let seal = "seal d --key transfer.key --vendor-key vendor.pub --trusted-root trusted_root.json";
    room.run(seal).exit(0);
    // The medium has the layout in capitals, and a stranger has its name.
    fs::rename(room.path("img"), room.path("IMG")).unwrap();
    room.verify("").exit(0);
    room.write("img", b"stranger");
    room.verify("").exit(1).says("img: EXTRA (file-extra: ");
}

#[test]
fn a_file_without_end_is_not_read_to_its_end() {
    let room = Room::sealed();
    for name in ["tools-1.0.tar.gz_publickey.json", "tools-1.0.tar.gz"] {
        let file = fs::File::options().write(true).open(room.path(name)).unwrap();
        file.set_len(1 << 42).unwrap();
        room.verify("").exit(1).mentions(&format!("{name}: FAILED (file-mismatch: "));
    }
}

/// Where the vendor's key lies in a sealed release.
fn layout_key() -> String {
    let room = Room::sealed();
    let manifest = room.manifest();
    let mut keys = manifest.files.iter().filter(|file| file.path.starts_with("trust/keys/"));
    keys.next().unwrap().path.clone()
}

#[test]
fn what_sealing_would_write_may_lie_there_already() {
    let sealed = Room::sealed();
    for name in ["trust/trusted_root.json", "tools/verify-with-openssl.sh", &layout_key()] {
        let room = Room::release();
        let bytes = sealed.read(name);
        for (name, bytes) in [
            (name.to_owned(), &bytes[..]),
            // As an interrupted writing leaves it.
            (format!("{name}.sealift-tmp"), &bytes[..bytes.len() / 2]),
        ] {
            // Which keys there will be is known only when the artifacts were judged.
            let known = !name.contains("keys/") || !name.ends_with("tmp");
            room.write(&name, if known { bytes } else { b"" });
            room.seal_as_usual("").exit(0);
        }
    }
}

#[test]
fn sealing_overwrites_nothing_that_it_did_not_write() {
    for name in ["SHA256SUMS", "manifest.json", "manifest.json.sig", "tools/x.sealift-tmp"] {
        let room = Room::release();
        room.write(name, b"{\"the vendor's\": \"own\"}");
        let before = room.state_of_disk();
        room.seal_as_usual("").error("output-exists").mentions(name);
        assert_eq!(room.state_of_disk(), before);
    }
    // In trust/ and tools/, and half-written, before there is a seal and after.
    let key = layout_key();
    for name in [
        "trust/trusted_root.json",
        &key,
        "tools/verify-with-openssl.sh",
        "tools/verify-with-openssl.sh.sealift-tmp",
        "trust/trusted_root.json.sealift-tmp",
        "SHA256SUMS.sealift-tmp",
        "manifest.json.sig.sealift-tmp",
        "manifest.json.sealift-tmp.sealift-tmp",
    ] {
        for room in [Room::release(), Room::sealed()] {
            room.write(name, "the operator's own");
            let before = room.state_of_disk();
            room.seal_as_usual("").error("output-exists").mentions(name);
            assert_eq!(room.state_of_disk(), before, "{name}");
        }
    }
    // What begins as a manifest does, and is none.
    let room = Room::release();
    let line = format!("{{\n  \"sha256sums\": \"{}\",\n  \"mine\": 1}}\n", "0".repeat(64));
    room.write("manifest.json", line.as_bytes());
    let before = room.state_of_disk();
    room.seal_as_usual("").error("output-exists").mentions("manifest.json");
    assert_eq!(room.state_of_disk(), before);
    for name in ["tools/verify-with-openssl.sh", "SHA256SUMS", "manifest.json.sealift-tmp"] {
        let room = Room::release();
        fs::create_dir_all(room.path(name)).unwrap();
        room.seal_as_usual("").error("output-exists").mentions(name);
    }
}

/// A policy under which a vendor's signature is asked for everything but what the seal keeps.
const POLICY: &str = "version = 1\n[[transfer.key]]\nname = \"us\"\nfile = \"transfer.pub\"\n\
                      [[vendor]]\nname = \"k2view\"\n[[vendor.key]]\nname = \"key\"\nfile = \"vendor.pub\"\n";

/// Lists a file that lies there, and seals it by the operator's key.
fn seal_with(room: &Room, path: &str, bytes: &[u8]) {
    room.write(path, bytes);
    room.reseal(|it| {
        it.files.retain(|file| file.path != path);
        let (size, sha256) = (bytes.len() as u64, Sha256Digest::of(bytes));
        it.files.push(FileEntry { path: path.to_owned(), size, sha256, segments: Vec::new() });
        it.files.sort_by(|a, b| a.path.cmp(&b.path));
    });
}

#[test]
fn what_the_seal_keeps_is_what_its_name_says_whoever_sealed_it() {
    const SCRIPT: &[u8] = b"#!/bin/sh\nevil\n";
    let other = sealift::key::PrivateKey::generate().unwrap();
    let pem = other.public().to_pem();
    let own = sealift::transfer::key_path(&other.public().fingerprint());
    let with = |before: &str, after: &str| format!("{before}{pem}{after}").into_bytes();
    let cases: &[(&str, Vec<u8>)] = &[
        ("trust/keys/0123456789abcdef.pub", SCRIPT.to_vec()),
        // A key under the name of another one, and one with more around it.
        ("trust/keys/0123456789abcdef.pub", pem.clone().into_bytes()),
        (&own, with("", "#!/bin/sh\nevil\n")),
        (&own, with("\n", "")),
        (&own, with("", "\n")),
        (&own, with("", &pem)),
        ("trust/trusted_root.json", SCRIPT.to_vec()),
        ("trust/fetches.jsonl", SCRIPT.to_vec()),
        ("trust/fetches.jsonl", b"{\"url\":\"x\"}\n#!/bin/sh\n".to_vec()),
        ("trust/fetches.jsonl", b"[]\n".to_vec()),
    ];
    for (path, bytes) in cases {
        let room = Room::sealed();
        room.write_beside("trust.toml", POLICY);
        seal_with(&room, path, bytes);
        for words in ["--transfer-key transfer.pub", "--trust trust.toml --require-coverage"] {
            let named = "--trusted-root trusted_root.json";
            let answer = room.run(&format!("verify d {named} {words}")).exit(1);
            answer.says(&format!("{path}: FAILED (claim-mismatch: ")).says("d: FAILED (");
        }
    }
    // A key that no artifact names is used for nothing, and is a key. So is a log of fetches.
    let room = Room::sealed();
    seal_with(&room, &own, pem.as_bytes());
    seal_with(&room, "trust/fetches.jsonl", b"{\"url\":\"x\"}\n{}\n");
    room.verify("").accepted(2);
}

#[test]
fn nothing_else_lies_where_the_seal_keeps_its_own() {
    for path in ["trust/payload/install.sh", "TRUST/evil.tar", "Tools/setup.exe", "tOOLs/x/y"] {
        let room = Room::sealed();
        room.write_beside("trust.toml", POLICY);
        seal_with(&room, path, b"evil\n");
        for words in ["--transfer-key transfer.pub", "--trust trust.toml --require-coverage"] {
            let answer = room.run(&format!("verify d {words}"));
            answer.refused_as_a_whole(1, "FAILED (manifest-malformed");
        }
    }
    // No artifact, and no bundle, lies in either.
    for directory in ["tools", "tools/deep"] {
        let room = Room::sealed();
        let bundle = room.read("hello_signature.bundle");
        seal_with(&room, &format!("{directory}/hello.bundle"), &bundle);
        room.reseal(|it| it.artifacts[0].bundles = vec![format!("{directory}/hello.bundle")]);
        room.verify("").refused_as_a_whole(1, "FAILED (manifest-malformed");
    }
}

#[test]
fn a_second_name_of_a_file_of_the_seal_is_a_collision() {
    for name in ["sha256sums", "Manifest.json", "MANIFEST.JSON.SIG", "manifest.json.Sigstore.json"]
    {
        let room = Room::sealed();
        room.write(name, b"planted");
        room.verify("").refused_as_a_whole(1, "FAILED (name-collision");
    }
}

#[test]
fn a_seal_over_a_layout_does_not_vouch_for_what_no_image_uses() {
    for stray in ["img/install.sh", "img/x/json", "img/blobs/sha512/x", "img/blobs/sha256/VERSION"]
    {
        let room = with_layout();
        let seal =
            "seal d --key transfer.key --vendor-key vendor.pub --trusted-root trusted_root.json";
        room.run(seal).exit(0);
        // As another sealer would do it.
        room.write(stray, b"1.0");
        room.reseal(|manifest| {
            let entry = FileEntry {
                path: stray.to_owned(),
                size: 3,
                sha256: Sha256Digest::of(b"1.0"),
                segments: Vec::new(),
            };
            manifest.files.push(entry);
            manifest.files.sort_by(|a, b| a.path.cmp(&b.path));
        });
        let answer = room.verify("").exit(1);
        answer.mentions("img: FAILED (entry-unreferenced: ").mentions(stray);
        room.verify("--require-coverage").exit(1);
    }
}
