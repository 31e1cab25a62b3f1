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

/// The same r and s in an encoding that is not the shortest, or with something behind it.
#[test]
fn the_signature_has_one_encoding() {
    let room = Room::sealed();
    let line = String::from_utf8(room.read(SIGNATURE)).unwrap();
    let der = Base64::decode_vec(line.trim_end()).unwrap();
    assert!(der[0] == 0x30 && usize::from(der[1]) == der.len() - 2 && der[2] == 2);
    let digest = sealift::digest::Sha256Digest::of(&room.read(MANIFEST));
    let r_end = 4 + usize::from(der[3]);
    let long_length = [&[0x30, 0x81, der[1]], &der[2..]].concat();
    let padded = [&[0x30, der[1] + 1, 2, der[3] + 1, 0], &der[4..]].concat();
    let behind = [&der[..], &[0]].concat();
    let inside = [&[0x30, der[1] + 2], &der[2..], &[5, 0]].concat();
    let indefinite = [&[0x30, 0x80], &der[2..], &[0, 0]].concat();
    let raw = [&der[4..r_end], &der[r_end + 2..]].concat();
    for other in [long_length, padded, behind, inside, indefinite, raw] {
        room.write(SIGNATURE, sealift::transfer::signature_file(&other));
        let signer = crate::room::keys().private.public().fingerprint();
        room.write(SIGSTORE, sealift::transfer::sigstore_file(&other, &signer, &digest));
        let answer = room.verify("");
        let text = answer.0.text();
        let code = ["d: FAILED (seal-malformed: ", "d: FAILED (seal-invalid: "];
        assert!(code.iter().any(|it| text.starts_with(it)), "{other:02x?}: {text}");
        answer.exit(1);
    }
    // Bits of the last character that no byte needs.
    let Some((front, last)) = line
        .trim_end()
        .trim_end_matches('=')
        .split_at_checked(line.trim_end().trim_end_matches('=').len() - 1)
    else {
        return;
    };
    let padding = line.trim_end().len() - front.len() - 1;
    if padding > 0 {
        let next = char::from(last.as_bytes()[0] + 1);
        let room = Room::sealed();
        room.write(SIGNATURE, format!("{front}{next}{}\n", "=".repeat(padding)));
        let answer = room.verify("");
        assert_ne!(answer.0.status, Some(0), "{}", answer.0.text());
    }
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
