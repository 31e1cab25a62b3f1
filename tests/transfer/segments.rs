//! Large archives are compared by ranges that are cut at the tar's members. The cuts are what some
//! sealing side said; the answer must not depend on it.

use sealift::digest::Sha256Digest;
use sealift::transfer::{FileEntry, Manifest, ManifestKind, SegmentEntry};

use crate::made::layer;
use crate::room::Room;

fn app(manifest: &mut Manifest) -> &mut FileEntry {
    manifest.files.iter_mut().find(|it| it.path == "app.tar").unwrap()
}

/// Cuts these bytes after so many bytes each; the rest is the last range.
fn cut(bytes: &[u8], sizes: &[usize]) -> Vec<SegmentEntry> {
    let mut rest = bytes;
    let mut segments = Vec::new();
    let mut push = |range: &[u8]| {
        segments.push(SegmentEntry { size: range.len() as u64, sha256: Sha256Digest::of(range) });
    };
    for size in sizes {
        let (range, after) = rest.split_at(*size);
        push(range);
        rest = after;
    }
    push(rest);
    segments
}

const BY_SEGMENTS: &str = "file as sealed: passed (by segments)";
const BY_WHOLE: &str = "file as sealed: passed (by whole file)";

#[test]
fn a_large_layer_is_a_segment_of_its_own() {
    let room = Room::made();
    let archive = room.read("app.tar");
    let mut manifest = room.manifest();
    let segments = app(&mut manifest).segments.clone();
    let large = layer(700 << 10);
    assert_eq!(segments.len(), 3, "before, the layer, behind: {segments:?}");
    assert_eq!(segments[1].size, large.len() as u64);
    assert_eq!(segments[1].sha256, Sha256Digest::of(&large));
    assert_eq!(segments.iter().map(|it| it.size).sum::<u64>(), archive.len() as u64);
    assert!(manifest.files.iter().all(|it| it.segments.is_empty() || it.path == "app.tar"));

    room.verify_made("").accepted(2);
    let answer = room.verify_made("-v").accepted_but_verbose();
    assert_eq!(answer.0.stdout.matches(BY_SEGMENTS).count(), 1, "{}", answer.0.stdout);
    let answer =
        room.verify_made("-v --full-digest").accepted_but_verbose().never_mentions(BY_SEGMENTS);
    assert_eq!(answer.0.stdout.matches(BY_WHOLE).count(), 2, "{}", answer.0.stdout);
}

#[test]
fn a_small_archive_is_one_segment_and_a_package_none() {
    for file in Room::sealed().manifest().files {
        if file.path == "hello-image.tar" {
            assert_eq!(file.segments, [SegmentEntry { size: file.size, sha256: file.sha256 }]);
        } else {
            assert_eq!(file.segments, [], "{}", file.path);
        }
    }
}

#[test]
fn cuts_that_do_not_fit_the_tar_leave_it_to_the_whole_digest() {
    let bytes = Room::made().read("app.tar");
    let size = bytes.len();
    let fit: Vec<u64> =
        app(&mut Room::made().manifest()).segments.iter().map(|it| it.size).collect();
    let front = usize::try_from(fit[0]).unwrap();
    let large = usize::try_from(fit[1]).unwrap();
    for sizes in [
        vec![size / 2],
        vec![1],
        vec![size - 1],
        vec![512; 100],
        vec![front - 1, large],
        vec![front + 1, large],
        vec![front, large - 512],
        vec![front, large + 512],
        vec![front - 512, 512, large],
        vec![front, 1, large - 1],
    ] {
        let room = Room::made();
        room.reseal(|it| app(it).segments = cut(&bytes, &sizes));
        let answer = room.verify_made("-v").accepted_but_verbose();
        assert!(answer.0.stdout.contains(BY_WHOLE), "{sizes:?}: {}", answer.0.stdout);
        answer.never_mentions(BY_SEGMENTS);
        // And then the whole digest decides.
        room.reseal(|it| app(it).sha256 = Sha256Digest::of(b"other"));
        room.verify_made("").exit(1).says("app.tar: FAILED (file-mismatch: ");
    }
    for sizes in [vec![], vec![front, large]] {
        let room = Room::made();
        room.reseal(|it| app(it).segments = cut(&bytes, &sizes));
        room.verify_made("-v").accepted_but_verbose().mentions(BY_SEGMENTS);
    }
}

#[test]
fn a_segment_s_digest_is_checked() {
    for number in 0..3 {
        let room = Room::made();
        room.reseal(|it| app(it).segments[number].sha256 = Sha256Digest::of(b"other"));
        let answer = room.verify_made("").exit(1).says("app.tar: FAILED (file-mismatch: ");
        answer.mentions("d/app.tar: bytes ").mentions(&Sha256Digest::of(b"other").to_string());
        // The whole file is the sealed one; who asks for its digest alone is told so.
        room.verify_made("--full-digest").accepted(2);
    }
}

#[test]
fn a_whole_digest_is_checked_where_it_is_asked_for() {
    let room = Room::made();
    room.reseal(|it| app(it).sha256 = Sha256Digest::of(b"other"));
    // The segments cover every byte of the file.
    room.verify_made("").accepted(2);
    let answer = room.verify_made("--full-digest").exit(1);
    answer.says("app.tar: FAILED (file-mismatch: ").says("pkg.bin: OK (");
}

#[test]
fn every_part_of_a_cut_archive_is_covered() {
    let room = Room::made();
    let good = room.read("app.tar");
    let segments = app(&mut room.manifest()).segments.clone();
    let layer = usize::try_from(segments[0].size).unwrap();
    let behind = layer + usize::try_from(segments[1].size).unwrap();
    let mut places = vec![
        0,
        100,
        124,
        148,
        156,
        257,
        300,
        511,
        512,
        1023,
        layer - 512,
        layer - 388,
        layer - 1,
        layer,
        layer + 512,
        layer + 400_000,
        behind - 1,
        behind,
        behind + 1,
        behind + 124,
        behind + 600,
        good.len() - 1025,
        good.len() - 1024,
        good.len() - 1,
    ];
    // Every byte of the header before the layer.
    places.extend((layer - 512..layer).step_by(13));
    for place in places {
        let mut bad = good.clone();
        bad[place] ^= 1;
        room.write("app.tar", &bad);
        for words in ["", "--full-digest", "--jobs 1"] {
            let answer = room.verify_made(words);
            let text = answer.0.text();
            assert!(text.contains("app.tar: FAILED (file-mismatch: "), "{place} {words}: {text}");
            answer.exit(1);
        }
    }
    room.write("app.tar", &good);
    room.verify_made("").accepted(2);
}

#[test]
fn another_size_is_another_file() {
    let room = Room::made();
    let good = room.read("app.tar");
    for other in [&good[..good.len() - 512], &[&good[..], &[0; 512]].concat(), &good[..1000], b""] {
        room.write("app.tar", other);
        let answer = room.verify_made("").exit(1);
        answer.says("app.tar: FAILED (file-mismatch: ").mentions("bytes, found");
    }
}

#[test]
fn segments_of_what_is_no_tar_are_no_shortcut() {
    // A package, a bundle and a key have no members; their whole digests decide.
    for path in ["pkg.bin", "app.bundle"] {
        let room = Room::made();
        let bytes = room.read(path);
        room.reseal(|it| {
            let file = it.files.iter_mut().find(|it| it.path == path).unwrap();
            file.segments = cut(&bytes, &[1]);
        });
        room.verify_made("").accepted(2);
        room.reseal(|it| {
            let file = it.files.iter_mut().find(|it| it.path == path).unwrap();
            file.sha256 = Sha256Digest::of(b"other");
        });
        room.verify_made("").exit(1).says(&format!("{path}: FAILED (file-mismatch: "));
    }
    // The archive as a package: nobody cuts it.
    let room = Room::made();
    room.reseal(|it| {
        let image = it.artifacts.iter_mut().find(|it| it.kind == ManifestKind::Image).unwrap();
        image.kind = ManifestKind::Package;
        image.digest_kinds = vec!["file".to_owned()];
        app(it).sha256 = Sha256Digest::of(b"other");
    });
    room.verify_made("").exit(1).says("app.tar: FAILED (file-mismatch: ");
}
