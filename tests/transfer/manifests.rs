//! Manifests that the right key sealed and that say what no manifest may say.

use sealift::transfer::{
    Artifact, MANIFEST, Manifest, ManifestKind, OmittedItem, Requested, SegmentEntry,
};

use crate::room::{Room, keys};

#[track_caller]
fn malformed(room: &Room, what: &str) {
    let answer = room.verify("");
    let text = answer.0.text();
    assert!(text.starts_with("d: FAILED (manifest-malformed: "), "{what}: {text}");
    answer.refused_as_a_whole(1, "FAILED (manifest-malformed");
}

#[test]
fn the_text_is_read_strictly() {
    for (what, from, to) in [
        ("an unknown field", "\"requested\": []", "\"requested\": [],\n  \"surprise\": 1"),
        ("an unknown field of a file", "\"size\": ", "\"mode\": 0, \"size\": "),
        ("an unknown field of an artifact", "\"kind\": ", "\"trusted\": true, \"kind\": "),
        ("a repeated field", "\"requested\": []", "\"requested\": [],\n  \"requested\": []"),
        ("a repeated serial", "\"serial\": ", "\"serial\": 1, \"serial\": "),
        ("a repeated field of a file", "\"size\": ", "\"size\": 1, \"size\": "),
        ("another case", "\"requested\"", "\"Requested\""),
        ("a number for text", "\"stream\": \"default\"", "\"stream\": 1"),
        ("text for a number", "\"size\": ", "\"size\": \"1\", \"s\": "),
        ("null for an absent time", "\"requested\": []", "\"expires\": null, \"requested\": []"),
        ("null for no base", "\"requested\": []", "\"base\": null, \"requested\": []"),
        ("null for no notes", "\"requested\": []", "\"notes\": null, \"requested\": []"),
        ("null for no source", "\"digest_kinds\": ", "\"source\": null, \"digest_kinds\": "),
        ("null for no vendor", "\"vendor\": \"k2view\"", "\"vendor\": null"),
        ("null for no segments", "\"size\": ", "\"segments\": null, \"size\": "),
        ("null for false", "\"digest_kinds\": ", "\"first_use\": null, \"digest_kinds\": "),
        ("a number for false", "\"digest_kinds\": ", "\"first_use\": 0, \"digest_kinds\": "),
        ("a lone surrogate", "\"requested\": []", "\"notes\": \"\\ud800\", \"requested\": []"),
        ("a leading zero", "\"size\": ", "\"size\": 0"),
        ("null for a list", "\"requested\": []", "\"requested\": null"),
        ("an object for a list", "\"requested\": []", "\"requested\": {}"),
        ("a negative size", "\"size\": ", "\"size\": -"),
        ("an absent field", "\"requested\": [],", ""),
        ("an unknown kind", "\"kind\": \"image\"", "\"kind\": \"Image\""),
        ("something behind it", "\n}\n", "\n}\n{}"),
        ("a comment", "\"requested\"", "// no\n  \"requested\""),
        ("a digest in capitals", "\"sha256\": \"", "\"sha256\": \"ABCDEF"),
        ("an old schema's name", "sealift-transfer/v1", "other/v1"),
    ] {
        let room = Room::sealed();
        room.reseal_text(from, to);
        malformed(&room, what);
    }
}

#[test]
fn numbers_are_exact() {
    let serial = |to: &str| {
        let room = Room::sealed();
        let serial = format!("\"serial\": {}", room.manifest().serial);
        room.reseal_text(&serial, &format!("\"serial\": {to}"));
        room
    };
    for bad in ["0", "9007199254740992", "1.0", "1e3", "-1", "18446744073709551616", "\"1\""] {
        malformed(&serial(bad), bad);
    }
    serial("1").verify("").accepted(2);
    // Exact, and more than a day ahead of the time of sealing.
    serial("9007199254740991").verify("").refused_as_a_whole(1, "FAILED (manifest-malformed");
}

#[test]
fn what_is_not_one_json_document_is_malformed() {
    let good = Room::sealed().read(MANIFEST);
    let lines: Vec<&str> = std::str::from_utf8(&good).unwrap().split('\n').collect();
    let head = lines[..2].join("\n");
    for rest in ["", "\n", "\n}}", "\n[}", "\n\u{0}"] {
        let room = Room::sealed();
        room.sign(format!("{head}{rest}").as_bytes(), &keys().private);
        let answer = room.verify("");
        let text = answer.0.text();
        assert_eq!(answer.0.status, Some(1), "{rest:?}: {text}");
        assert!(
            text.contains("d: FAILED (manifest-malformed: ")
                || text.contains("d: FAILED (seal-not-canonical: "),
            "{rest:?}: {text}"
        );
    }
}

#[test]
fn a_later_version_can_t_be_decided_here() {
    for schema in ["sealift-transfer/v2", "sealift-transfer/v1.1", "sealift-transfer/"] {
        let room = Room::sealed();
        room.reseal_text("sealift-transfer/v1\"", &format!("{schema}\""));
        room.verify("")
            .refused_as_a_whole(3, "UNDECIDED (manifest-version-unknown")
            .mentions(schema);
    }
    // Even if nothing else in it is known here.
    let room = Room::sealed();
    let text = String::from_utf8(room.read(MANIFEST)).unwrap();
    let second = text.lines().nth(1).unwrap();
    let text = format!("{{\n{second}\n  \"schema\": \"sealift-transfer/v2\", \"new\": 1\n}}\n");
    room.sign(text.as_bytes(), &keys().private);
    room.verify("").refused_as_a_whole(3, "UNDECIDED (manifest-version-unknown");
}

#[test]
fn the_second_line_is_the_digest_of_the_sums() {
    let room = Room::sealed();
    let text = String::from_utf8(room.read(MANIFEST)).unwrap();
    let sums = text.lines().nth(1).unwrap().to_owned();
    let digest = &sums[17..81];
    let schema = "  \"schema\": \"sealift-transfer/v1\",";
    for (what, other) in [
        (
            "third line",
            text.replacen(&sums, "", 1).replacen(schema, &format!("{schema}\n{sums}"), 1),
        ),
        ("an empty line before", text.replacen("{\n", "{\n\n", 1)),
        ("carriage returns", text.replace('\n', "\r\n")),
        ("another indentation", text.replacen("  \"sha256sums\"", " \"sha256sums\"", 1)),
        ("no space", text.replacen("\"sha256sums\": ", "\"sha256sums\":", 1)),
        ("one line", text.replace('\n', "")),
        ("capitals", text.replacen(digest, &digest.to_uppercase(), 1)),
        ("a prefix", text.replacen(digest, &format!("sha256:{digest}"), 1)),
        ("another digest", text.replacen(digest, &"0".repeat(64), 1)),
        ("a byte order mark", format!("\u{feff}{text}")),
        (
            "a second one",
            text.replacen("\"requested\"", &format!("{}\n  \"requested\"", sums.trim()), 1),
        ),
    ] {
        assert_ne!(other, text, "{what}");
        room.sign(other.as_bytes(), &keys().private);
        let answer = room.verify("");
        let said = answer.0.text();
        let code = if what == "a second one" { "manifest-malformed" } else { "seal-not-canonical" };
        assert!(said.starts_with(&format!("d: FAILED ({code}: ")), "{what}: {said}");
        answer.exit(1);
    }
}

#[track_caller]
fn changed(what: &str, change: impl FnOnce(&mut Manifest)) {
    let room = Room::sealed();
    room.reseal(change);
    malformed(&room, what);
}

fn artifact(manifest: &mut Manifest, kind: ManifestKind) -> &mut Artifact {
    manifest.artifacts.iter_mut().find(|it| it.kind == kind).unwrap()
}

#[test]
fn the_head_has_its_forms() {
    for id in ["", "0", &"0".repeat(31), &"0".repeat(33), &"A".repeat(32), &"g".repeat(32)] {
        changed(id, |it| it.transfer_id = id.to_owned());
    }
    for stream in ["", "A", "-a", ".a", "_a", "a b", "a/b", "ä", &"a".repeat(65)] {
        changed(stream, |it| it.stream = stream.to_owned());
    }
    for time in [
        "",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00.5Z",
        "2026-01-01T00:00:00+00:00",
        "2026-01-01T01:00:00+01:00",
        "2026-01-01 00:00:00Z",
        "2026-01-01t00:00:00z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T00:00:00Z[UTC]",
        "tomorrow",
    ] {
        changed(time, |it| it.created = time.to_owned());
        changed(time, |it| it.expires = Some(time.to_owned()));
    }
    changed("expires before created", |it| it.expires = Some("2020-01-01T00:00:00Z".to_owned()));
    changed("expires when created", |it| it.expires = Some(it.created.clone()));
    changed("no tool", |it| it.tool = String::new());
    changed("two lines of tool", |it| it.tool = "a\nb".to_owned());
    changed("long tool", |it| it.tool = "a".repeat(4097));
    changed("long notes", |it| it.notes = Some("a".repeat((64 << 10) + 1)));
    changed("requested nothing", |it| {
        it.requested.push(Requested { kind: ManifestKind::Image, name: String::new() });
    });
    let omitted = OmittedItem {
        kind: ManifestKind::Image,
        name: "x".to_owned(),
        code: "y".to_owned(),
        reason: "z\u{1b}[2J".to_owned(),
    };
    changed("an escape sequence", |it| it.omitted.push(omitted));
}

#[test]
fn the_files_are_sorted_and_distinct() {
    changed("reversed", |it| it.files.reverse());
    changed("two changed places", |it| it.files.swap(3, 4));
    changed("one twice", |it| it.files.insert(1, it.files[0].clone()));
    changed("one twice with another digest", |it| {
        let mut other = it.files[0].clone();
        other.sha256 = it.files[1].sha256;
        it.files.insert(1, other);
    });
    changed("too large", |it| it.files[0].size = 1 << 53);
    let room = Room::sealed();
    room.reseal(|it| {
        it.files[0].segments.clear();
        it.files[0].size += 1;
    });
    room.verify("").exit(1).says("hello-image.tar: FAILED (file-mismatch: ");
}

#[test]
fn segments_add_up() {
    let segment = |size, it: &Manifest| SegmentEntry { size, sha256: it.files[0].sha256 };
    changed("less", |it| it.files[0].segments = vec![segment(it.files[0].size - 1, it)]);
    changed("more", |it| {
        it.files[0].segments = vec![segment(it.files[0].size, it), segment(1, it)]
    });
    changed("an empty one", |it| {
        it.files[0].segments = vec![segment(it.files[0].size, it), segment(0, it)];
    });
    changed("over the end of numbers", |it| {
        let size = it.files[0].size;
        it.files[0].segments = vec![segment(u64::MAX, it), segment(size + 1, it)];
    });
}

#[test]
fn artifacts_are_of_files_that_are_listed() {
    let image = ManifestKind::Image;
    changed("a path that is no file", |it| artifact(it, image).path = "other.tar".to_owned());
    changed("a bundle that is no file", |it| artifact(it, image).bundles = vec!["x".to_owned()]);
    changed("a bundle twice", |it| {
        let twice = artifact(it, image).bundles[0].clone();
        artifact(it, image).bundles.push(twice);
    });
    changed("a file of the seal", |it| artifact(it, image).path = "manifest.json".to_owned());
    changed("a key", |it| {
        let key = it.files.iter().find(|it| it.path.starts_with("trust/keys/")).unwrap();
        let path = key.path.clone();
        artifact(it, ManifestKind::Package).path = path;
    });
    changed("a program", |it| {
        artifact(it, ManifestKind::Package).path = "tools/verify-with-openssl.sh".to_owned();
    });
    changed("one file for two", |it| {
        let path = artifact(it, image).path.clone();
        artifact(it, ManifestKind::Package).path = path;
    });
    changed("one artifact twice", |it| it.artifacts.push(it.artifacts[0].clone()));
    changed("one name for two images", |it| {
        let mut other = it.artifacts[0].clone();
        other.path = "vendor.pub".to_owned();
        it.artifacts.push(other);
    });
    changed("no name", |it| artifact(it, image).name = String::new());
    changed("a name of two lines", |it| artifact(it, image).name = "a: OK (\nb".to_owned());
    changed("a vendor of two lines", |it| artifact(it, image).vendor = Some("a\nb".to_owned()));
}

#[test]
fn signed_and_unsigned_are_told_apart() {
    let image = ManifestKind::Image;
    changed("no bundle", |it| artifact(it, image).bundles.clear());
    changed("no key", |it| artifact(it, image).key = None);
    changed("no kinds", |it| artifact(it, image).digest_kinds.clear());
    changed("signed and allowed", |it| artifact(it, image).allow_unsigned = true);
    changed("unsigned on first use", |it| {
        let it = artifact(it, image);
        (it.allow_unsigned, it.first_use, it.key) = (true, true, None);
        it.bundles.clear();
        it.digest_kinds.clear();
    });
    changed("allowed with a key", |it| {
        let it = artifact(it, image);
        it.allow_unsigned = true;
        it.bundles.clear();
        it.digest_kinds.clear();
    });
    changed("an unknown kind", |it| artifact(it, image).digest_kinds = vec!["layer".to_owned()]);
    changed("kinds twice", |it| {
        artifact(it, image).digest_kinds = vec!["config".to_owned(), "config".to_owned()];
    });
    changed("kinds in disorder", |it| {
        artifact(it, image).digest_kinds = vec!["manifest".to_owned(), "config".to_owned()];
    });
    changed("an image's kind for a package", |it| {
        artifact(it, ManifestKind::Package).digest_kinds = vec!["config".to_owned()];
    });
    changed("a package's kind for an image", |it| {
        artifact(it, image).digest_kinds = vec!["file".to_owned()];
    });
}

#[test]
fn nothing_in_it_is_not_a_success() {
    let room = Room::sealed();
    room.reseal(|it| it.artifacts.clear());
    room.verify("").refused_as_a_whole(3, "UNDECIDED (transfer-undecided");
    let room = Room::empty();
    let text = Room::sealed();
    room.write(MANIFEST, text.read(MANIFEST));
    room.reseal(|it| {
        it.artifacts.clear();
        it.files.clear();
    });
    room.verify("").refused_as_a_whole(3, "UNDECIDED (transfer-undecided");
}
