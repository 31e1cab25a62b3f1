//! The signature has two forms and the sums are a third statement: each has exactly one spelling.

use base64ct::{Base64, Encoding as _};
use sealift::transfer::{MANIFEST, SIGNATURE, SIGSTORE, SUMS};

use crate::room::Room;

/// A signature that is the same to a lenient reader.
#[test]
fn the_signature_file_has_one_spelling() {
    let good = String::from_utf8(Room::sealed().read(SIGNATURE)).unwrap();
    let line = good.trim_end().to_owned();
    let der = Base64::decode_vec(&line).unwrap();
    let (front, back) = line.split_at(64);
    let mut spellings = vec![
        line.clone(),
        format!("{line}\r\n"),
        format!("{line}\n\n"),
        format!(" {line}\n"),
        format!("{line} \n"),
        format!("{front}\n{back}\n"),
        format!("\u{feff}{line}\n"),
        format!("{line}\n{line}\n"),
        format!("{line}=\n"),
        format!("{line}\0"),
    ];
    if line.contains('=') {
        spellings.push(format!("{}\n", line.trim_end_matches('=')));
    }
    if line.contains(['+', '/']) {
        spellings.push(format!("{}\n", line.replace('+', "-").replace('/', "_")));
    }
    for spelling in spellings {
        let room = Room::sealed();
        room.write(SIGNATURE, &spelling);
        let answer = room.verify("");
        let text = answer.0.text();
        assert!(text.starts_with("d: FAILED (seal-malformed: "), "{spelling:?}: {text}");
        answer.exit(1);
    }
    // The raw signature is no line of base64 either.
    let room = Room::sealed();
    room.write(SIGNATURE, der);
    room.verify("").refused_as_a_whole(1, "FAILED (seal-malformed");
}

/// Another signature over the same manifest: valid, and not the one of the bundle.
#[test]
fn both_forms_hold_the_same_signature() {
    let room = Room::sealed();
    let before = room.read(SIGSTORE);
    let key = &crate::room::keys().private;
    // ECDSA signatures are made with a nonce; a deterministic one would be equal, so take the twin.
    let twin = twin(
        &Base64::decode_vec(std::str::from_utf8(&room.read(SIGNATURE)).unwrap().trim_end())
            .unwrap(),
    );
    room.write(SIGNATURE, sealift::transfer::signature_file(&twin));
    room.verify("").refused_as_a_whole(1, "FAILED (seal-not-canonical");
    // With its own bundle the twin is a seal like any other.
    let digest = sealift::digest::Sha256Digest::of(&room.read(MANIFEST));
    let own = sealift::transfer::sigstore_file(&twin, &key.public().fingerprint(), &digest);
    assert_ne!(own, before);
    room.write(SIGSTORE, own);
    room.verify("").accepted(2);
}

/// The other signature that is valid for the same message: with n - s.
fn twin(der: &[u8]) -> Vec<u8> {
    let signature = p256::ecdsa::Signature::from_der(der).unwrap();
    let (r, s) = (signature.r(), -*signature.s());
    let twin = p256::ecdsa::Signature::from_scalars(r.to_bytes(), s.to_bytes()).unwrap();
    twin.to_der().as_bytes().to_vec()
}

#[test]
fn the_bundle_has_one_spelling() {
    let good = String::from_utf8(Room::sealed().read(SIGSTORE)).unwrap();
    let value: serde_json::Value = serde_json::from_str(&good).unwrap();
    let changed = |pointer: &str, to: serde_json::Value| {
        let mut value = value.clone();
        *value.pointer_mut(pointer).unwrap() = to;
        format!("{value}\n")
    };
    let hint = "/verificationMaterial/publicKey/hint";
    let media = "/mediaType";
    for spelling in [
        good.trim_end().to_owned(),
        format!("{good}\n"),
        good.replace(':', ": "),
        serde_json::to_string_pretty(&value).unwrap(),
        good.replace('\n', "\r\n"),
        changed(hint, "".into()),
        changed(hint, "another".into()),
        changed(media, "application/vnd.dev.sigstore.bundle+json;version=0.3".into()),
        changed("/messageSignature/messageDigest/digest", "AAAA".into()),
        changed("/messageSignature/signature", "AAAA".into()),
        changed("/messageSignature/messageDigest/algorithm", "SHA2_384".into()),
        "{}".to_owned(),
    ] {
        assert_ne!(spelling, good);
        let room = Room::sealed();
        room.write(SIGSTORE, &spelling);
        let answer = room.verify("");
        let text = answer.0.text();
        assert!(text.starts_with("d: FAILED (seal-not-canonical: "), "{spelling}: {text}");
        answer.exit(1);
    }
}

#[test]
fn the_sums_have_one_spelling() {
    let good = String::from_utf8(Room::sealed().read(SUMS)).unwrap();
    let mut lines: Vec<&str> = good.lines().collect();
    lines.reverse();
    for spelling in [
        format!("{}\n", lines.join("\n")),
        good.trim_end().to_owned(),
        good.replace('\n', "\r\n"),
        good.replace("  ", " *"),
        good.replacen("hello-image.tar", "./hello-image.tar", 1),
        good.to_uppercase(),
        format!("{good}\n"),
        format!("# a comment\n{good}"),
        lines[..3].join("\n"),
    ] {
        let room = Room::sealed();
        room.write(SUMS, &spelling);
        room.verify("").refused_as_a_whole(1, "FAILED (seal-not-canonical").mentions(SUMS);
    }
}

/// Here the manifest itself states the digest of the other sums, under a good signature.
#[test]
fn sums_that_the_manifest_states_must_still_be_those_of_its_files() {
    let good = String::from_utf8(Room::sealed().read(SUMS)).unwrap();
    let mut reversed: Vec<&str> = good.lines().collect();
    reversed.reverse();
    let none = "0".repeat(64);
    let first = good.split(' ').next().unwrap().to_owned();
    for sums in [
        format!("{}\n", reversed.join("\n")),
        good.replace("  ", " *"),
        good.replacen(&first, &none, 1),
        String::new(),
        format!("{good}{none}  evil\n"),
    ] {
        let room = Room::sealed();
        let mut manifest = room.manifest();
        manifest.sha256sums = sealift::digest::Sha256Digest::of(sums.as_bytes());
        room.write(SUMS, &sums);
        room.sign(&manifest.to_bytes().unwrap(), &crate::room::keys().private);
        room.verify("").refused_as_a_whole(1, "FAILED (seal-not-canonical").mentions(SUMS);
    }
}
