//! What lies or is named beside a transfer: files, standard input, other transfers, and what is written.

use std::fs;
use std::process::Stdio;

use crate::room::{Room, example};
use crate::support::sealift;
use crate::support::tools::Ran;

const KEYS: &str = "--transfer-key transfer.pub --key vendor.pub --trusted-root trusted_root.json";

/// A sealed `d`, and beside it a package with its bundle and key name.
fn with_package() -> Room {
    let room = Room::sealed();
    for name in [
        "tools-1.0.tar.gz",
        "tools-1.0.tar.gz_signature.bundle",
        "hello-image.tar",
        "hello_signature.bundle",
    ] {
        room.write_beside(name, example(name));
    }
    room
}

#[test]
fn a_file_beside_a_transfer_has_no_seal() {
    let room = with_package();
    let policy = "version = 1\ntrusted_root = \"trusted_root.json\"\n[[transfer.key]]\nname = \"t\"\n\
                  file = \"transfer.pub\"\n[[vendor]]\nname = \"k2view\"\n[[vendor.key]]\nname = \"v\"\n\
                  file = \"vendor.pub\"\n";
    room.write_beside("trust.toml", policy);
    for whom in [KEYS, "--trust trust.toml"] {
        for paths in ["d tools-1.0.tar.gz", "hello-image.tar d"] {
            let file = paths.replace("d ", "").replace(" d", "");
            let answer = room.run(&format!("verify {whom} {paths}")).exit(1);
            answer.says(&format!("{file}: FAILED (seal-missing: ")).says("d: OK (transfer, ");
            let answer = room.run(&format!("verify {whom} --loose {paths}")).exit(0);
            answer.says(&format!("{file}: OK ("));
        }
        // What lies in it is what the seal covers.
        let answer = room.run(&format!("verify {whom} d d/hello-image.tar")).exit(0);
        answer.says("d/hello-image.tar: OK (");
    }
    // Under a policy a file alone is judged by its vendor.
    let alone = room.run("verify --trust trust.toml tools-1.0.tar.gz hello-image.tar").exit(0);
    alone.says("tools-1.0.tar.gz: OK (").says("hello-image.tar: OK (");
    // No vendor's key is needed to refuse it.
    room.run("verify --transfer-key transfer.pub d tools-1.0.tar.gz")
        .exit(1)
        .mentions("seal-missing");
}

#[test]
fn standard_input_is_held_to_the_same() {
    let room = with_package();
    let from_input = |words: &str| {
        let mut command = sealift();
        command.current_dir(room.beside("")).arg("verify").args(words.split(' '));
        command.stdin(Stdio::from(fs::File::open(room.beside("hello-image.tar")).unwrap()));
        Ran::new(&command.output().unwrap())
    };
    let keys = "--key vendor.pub --trusted-root trusted_root.json";
    let bundle = "--bundle hello_signature.bundle -";
    assert_eq!(from_input(&format!("{keys} {bundle}")).status, Some(0));
    for option in [
        "--transfer-key transfer.pub",
        "--state s.json --init-state",
        "--base d",
        "--stream x",
        "--full-digest",
        "--loose",
        "--unsealed",
        "--allow-unsigned x",
        "--include x",
    ] {
        let ran = from_input(&format!("{keys} {option} {bundle}"));
        assert_eq!(ran.status, Some(2), "{option}: {}", ran.text());
        assert!(ran.text().contains("usage"), "{option}: {}", ran.text());
    }
    assert!(!room.beside("s.json").exists());
    let ran = from_input(&format!("{KEYS} d -"));
    assert_eq!(ran.status, Some(1), "{}", ran.text());
    assert!(ran.text().contains("-: FAILED (seal-missing: "), "{}", ran.text());
}

#[test]
fn an_older_transfer_beside_a_newer_one_is_refused_without_a_state_too() {
    let room = Room::sealed();
    let copy = |to: &str| {
        for name in room.files() {
            let path = room.beside(to).join(&name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, room.read(&name)).unwrap();
        }
    };
    copy("media/old");
    room.seal_as_usual("").exit(0);
    copy("media/new");
    for paths in ["media", "media/old media/new", "media/new media/old"] {
        let answer = room.run(&format!("verify --transfer-key transfer.pub {paths}")).exit(1);
        answer.says("media/old: FAILED (serial-rolled-back: ").says("media/new: OK (transfer, ");
    }
    room.run("verify --transfer-key transfer.pub media/old").exit(0);
}

#[test]
fn an_earlier_transfer_has_a_lower_serial() {
    for (above, refused) in [(0, true), (1, true), (-1, false)] {
        let room = Room::sealed();
        room.reseal(|it| {
            it.base = Some(sealift::transfer::Base {
                transfer_id: it.transfer_id.clone(),
                stream: it.stream.clone(),
                serial: it.serial.checked_add_signed(above).unwrap(),
                manifest: sealift::digest::Sha256Digest::of(b"x"),
                artifacts: Vec::new(),
            });
        });
        let code = if refused { "manifest-malformed" } else { "base-not-given" };
        room.verify("").mentions(code);
    }
}

#[test]
fn an_image_that_is_called_a_package_is_not_allowed_by_name() {
    let room = Room::release();
    room.write("README.txt", "read me");
    room.seal_as_usual("--allow-unsigned README.txt").exit(0);
    room.verify("--allow-unsigned README.txt").exit(0);
    let image = example("hello-image.tar");
    room.write("README.txt", &image);
    room.reseal(|it| {
        let entry = it.files.iter_mut().find(|it| it.path == "README.txt").unwrap();
        entry.size = image.len() as u64;
        entry.sha256 = sealift::digest::Sha256Digest::of(&image);
    });
    let answer = room.verify("--allow-unsigned README.txt").exit(1);
    answer.mentions("README.txt: FAILED (claim-mismatch: ");
    // One that the manifest calls an image is.
    room.seal_as_usual("--allow-unsigned README.txt").exit(0);
    room.verify("--allow-unsigned README.txt").exit(0);
}

#[test]
fn a_private_key_does_not_travel_in_any_form() {
    // PKCS #8 of a P-256 key.
    const START: &str = "MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCA=";
    let mut der = <base64ct::Base64 as base64ct::Encoding>::decode_vec(START).unwrap();
    der.extend([7; 32]);
    let body = <base64ct::Base64 as base64ct::Encoding>::encode_string(&der);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
    for (name, bytes) in [
        ("k.der", der.clone()),
        ("longer.der", [der, b"more".to_vec()].concat()),
        ("notes.txt", format!("my notes\n{pem}").into_bytes()),
        ("padded.txt", format!("{}\n{pem}", "#".repeat(70_000)).into_bytes()),
    ] {
        let room = Room::release();
        room.write(name, bytes);
        let answer = room.seal_as_usual(&format!("--allow-unsigned {name}"));
        answer.mentions("key-is-private");
        assert!(!room.path("manifest.json").exists(), "{name}");
    }
    // What only speaks of one may.
    let room = Room::release();
    room.write("about.txt", "A key begins with -----BEGIN PRIVATE KEY-----.\n");
    room.seal_as_usual("--allow-unsigned about.txt").exit(0);
}

#[test]
fn a_report_takes_the_place_of_no_bundle() {
    let room = with_package();
    let keys = "--key vendor.pub --trusted-root trusted_root.json";
    for name in ["hello-image.tar.sigstore.json", "any.json"] {
        room.write_beside(name, example("hello_signature.bundle"));
        room.run(&format!("verify {keys} --report {name} hello-image.tar")).error("usage");
        assert_eq!(fs::read(room.beside(name)).unwrap(), example("hello_signature.bundle"));
    }
    room.run(&format!("verify {keys} --report r.json hello-image.tar")).exit(0);
    room.run(&format!("verify {keys} --report r.json hello-image.tar")).exit(0);
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_is_written_into_the_directory_by_another_mount() {
    let room = Room::release();
    room.write("tools/run", "x");
    room.seal_as_usual("").exit(0);
    fs::create_dir(room.beside("mount")).unwrap();
    let before = room.files();
    for option in ["--report mount/r.json", "--state mount/s.json --init-state"] {
        let script = format!(
            "mount --bind d/tools mount || exit 77; \"$0\" verify --transfer-key transfer.pub d {option}"
        );
        let mut command = std::process::Command::new("unshare");
        command.args(["-rm", "sh", "-c", &script, env!("CARGO_BIN_EXE_sealift")]);
        command.current_dir(room.beside(""));
        let Ok(output) = command.output() else { return };
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.code() == Some(77) || text.contains("unshare") {
            crate::support::skip("no mounts here");
            return;
        }
        assert_eq!(output.status.code(), Some(2), "{option}: {text}");
        assert!(text.contains("through another mount"), "{option}: {text}");
        assert_eq!(room.files(), before, "{option}");
    }
}
