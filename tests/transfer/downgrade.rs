//! A sealed directory is never taken for a plain folder unless the operator says so.

use std::fs;

use crate::room::Room;

const PLAIN: &str = "--key vendor.pub --trusted-root trusted_root.json";

#[test]
fn each_expectation_alone_makes_it_a_transfer() {
    let room = Room::release();
    let policy = "version = 1\n[[transfer.key]]\nname = \"us\"\nfile = \"transfer.pub\"\n";
    room.write_beside("trust.toml", policy);
    room.write_beside("state.json", r#"{"schema":"sealift-state/v1","streams":{}}"#);
    let base = Room::sealed();
    let base = base.dir();
    let base = base.to_str().unwrap();
    room.run(&format!("verify d {PLAIN}")).exit(0);
    for words in [
        "--transfer-key transfer.pub",
        "--state state.json",
        "--trust trust.toml",
        &format!("--base {base}"),
    ] {
        room.run(&format!("verify d {PLAIN} {words}"))
            .refused_as_a_whole(1, "FAILED (seal-missing");
    }
    let mut command = crate::support::sealift();
    command.current_dir(room.beside("")).args(["verify", "d", "--key", "vendor.pub"]);
    let ran = crate::support::tools::run(command.env("SEALIFT_TRUST", room.beside("trust.toml")));
    assert_eq!(ran.status, Some(1), "{}", ran.text());
    assert!(ran.stdout.starts_with("d: FAILED (seal-missing: "), "{}", ran.text());
}

#[test]
fn only_the_operator_says_unsealed() {
    let room = Room::sealed();
    let answer = room.run(&format!("verify d {PLAIN} --unsealed"));
    answer
        .says("d/hello-image.tar: OK (")
        .says("d/tools-1.0.tar.gz: OK (")
        .never_mentions("transfer, sealed by");
    for words in ["--transfer-key transfer.pub", "--state state.json", "--base d"] {
        room.run(&format!("verify d {PLAIN} --unsealed {words}")).exit(2).mentions("--unsealed");
    }
    // A policy with transfer keys is narrowed by it, on purpose and for this run.
    let policy = "version = 1\n[[transfer.key]]\nname = \"us\"\nfile = \"transfer.pub\"\n";
    room.write_beside("trust.toml", policy);
    let answer = room.run(&format!("verify d {PLAIN} --trust trust.toml --unsealed"));
    answer.says("d/hello-image.tar: OK (");
}

#[test]
fn files_of_a_seal_count_in_any_case() {
    for name in ["SHA256SUMS", "sha256sums", "MANIFEST.JSON", "Manifest.json.sig"] {
        let room = Room::release();
        room.write(name, b"x");
        let answer = room.run(&format!("verify d {PLAIN}"));
        answer.refused_as_a_whole(2, "ERROR (no-transfer-key");
        // It is there, under another name; what is not there is missed.
        let code = if name.ends_with(".sig") { "seal-malformed" } else { "seal-missing" };
        room.verify("").refused_as_a_whole(1, &format!("FAILED ({code}"));
    }
}

#[test]
fn a_transfer_below_a_plain_folder_is_judged_as_one() {
    let room = Room::sealed();
    fs::create_dir_all(room.beside("outer/media")).unwrap();
    fs::rename(room.dir(), room.beside("outer/media/transfer")).unwrap();
    for name in ["hello-image.tar", "hello_signature.bundle"] {
        fs::write(room.beside("outer").join(name), crate::room::example(name)).unwrap();
    }
    let answer = room.run(&format!("verify outer {PLAIN}")).exit(2);
    answer
        .says("outer/media/transfer: ERROR (no-transfer-key: ")
        .says("outer/hello-image.tar: OK (")
        .never_mentions("tools-1.0.tar.gz: OK");
    // The key says that everything in `outer` is sealed, and not everything is.
    let answer = room.run("verify outer --transfer-key transfer.pub").exit(1);
    answer
        .says("outer/media/transfer: OK (transfer, ")
        .says("outer/hello-image.tar: FAILED (seal-missing: ");
    // Named itself, it is accepted.
    let answer = room.run("verify outer/media/transfer --transfer-key transfer.pub").exit(0);
    answer.says("outer/media/transfer: OK (transfer, ");
    // One file of its seal is enough.
    for name in ["manifest.json", "manifest.json.sig", "manifest.json.sigstore.json"] {
        fs::remove_file(room.beside("outer/media/transfer").join(name)).unwrap();
    }
    let answer = room.run(&format!("verify outer {PLAIN}")).exit(2);
    answer.says("outer/media/transfer: ERROR (no-transfer-key: ");
}

#[test]
fn an_oci_layout_is_an_image_although_docker_puts_a_manifest_there() {
    let room = Room::release();
    fs::create_dir(room.beside("layout")).unwrap();
    let archive = room.read("hello-image.tar");
    let mut tar = tar::Archive::new(archive.as_slice());
    tar.unpack(room.beside("layout")).unwrap();
    assert!(room.beside("layout/manifest.json").exists());
    if !room.beside("layout/index.json").exists() {
        // An older Docker's archive has no index.json, and then it is no layout.
        let answer = room.run(&format!("verify layout {PLAIN}")).exit(2);
        answer.says("layout: ERROR (no-transfer-key: ");
        return;
    }
    let words = format!("verify layout {PLAIN} --bundle d/hello_signature.bundle");
    room.run(&words).exit(0).says("layout: OK (image, ");
    // Another file of a seal beside it, and it is a transfer again.
    fs::write(room.beside("layout/SHA256SUMS"), "x").unwrap();
    room.run(&words).exit(2).says("layout: ERROR (no-transfer-key: ");
}

#[test]
fn options_for_directories_need_a_directory() {
    let room = Room::sealed();
    for words in
        ["--transfer-key transfer.pub", "--full-digest", "--unsealed", "--allow-unsigned x"]
    {
        room.run(&format!("verify d/hello-image.tar {PLAIN} {words}")).error("usage");
    }
}

#[test]
fn nobody_is_believed_without_a_name() {
    let room = Room::release();
    room.run("verify d").exit(2).mentions("no-key");
    room.run("verify d --trusted-root trusted_root.json").exit(2).mentions("no-key");
    let room = Room::empty();
    room.run(&format!("verify d {PLAIN}")).exit(3).says("d: UNDECIDED (nothing-found: ");
    room.verify("").refused_as_a_whole(1, "FAILED (seal-missing");
}

#[test]
fn a_transfer_is_judged_by_keys_only() {
    let room = Room::sealed();
    let words = "--certificate-identity a@b.example --certificate-oidc-issuer https://i.example";
    room.verify(words).refused_as_a_whole(2, "ERROR (usage");
}
