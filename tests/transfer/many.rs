//! Transfers of many files.

use std::fs;
use std::io::Write as _;
use std::time::Instant;

use sealift::digest::Sha256Digest;
use sealift::transfer::{FileEntry, MANIFEST};

use crate::room::Room;

/// A sealed release with so many small files more, which the seal alone covers.
fn with_files(count: usize) -> Room {
    let room = Room::sealed();
    room.reseal(|it| {
        for number in 0..count {
            let path = format!("data/{:03}/{number:06}.txt", number / 1000);
            let content = format!("file {number}\n");
            if number.is_multiple_of(1000) {
                fs::create_dir_all(room.path(&path).parent().unwrap()).unwrap();
            }
            fs::write(room.path(&path), &content).unwrap();
            it.files.push(FileEntry {
                path,
                size: content.len() as u64,
                sha256: Sha256Digest::of(content.as_bytes()),
                segments: Vec::new(),
            });
        }
        it.files.sort_by(|a, b| a.path.cmp(&b.path));
    });
    room
}

#[test]
fn a_thousand_files() {
    let room = with_files(1000);
    room.verify("").accepted(2).mentions(", 1010 files, 1001 of them covered by the seal only)");
    room.write("data/000/000500.txt", b"file 501\n");
    room.verify("").exit(1).says("data/000/000500.txt: FAILED (file-mismatch: ");
    room.remove("data/000/000500.txt");
    room.verify("").exit(1).says("data/000/000500.txt: MISSING (file-missing: ");
}

/// Slow answers are a matter for the benchmark; here they must be right, and the time is told.
#[test]
fn a_hundred_thousand_files() {
    let room = with_files(100_000);
    let size = room.read(MANIFEST).len();
    let begin = Instant::now();
    // Without the lines about progress that a slow machine would see.
    room.verify("-q")
        .accepted(2)
        .mentions(", 100010 files, 100001 of them covered by the seal only)");
    let good = begin.elapsed();
    // The worst case for names: all of them are missing, and as many are strange.
    fs::rename(room.path("data"), room.path("datb")).unwrap();
    let begin = Instant::now();
    let answer = room.verify("").exit(1);
    let strange = begin.elapsed();
    assert_eq!(answer.0.stdout.matches(": MISSING (file-missing: ").count(), 100_000);
    assert_eq!(answer.0.stdout.matches(": EXTRA (file-extra: ").count(), 100_000);
    // Past the test harness, which would swallow it.
    let told = writeln!(
        std::io::stderr(),
        "100,000 files, manifest of {size} bytes: accepted in {good:.1?}, all renamed in {strange:.1?}"
    );
    drop(told);
}

/// As many in another case, which a medium does to all of them at once.
#[test]
fn ten_thousand_files_in_capitals() {
    let room = with_files(10_000);
    for entry in walkdir::WalkDir::new(room.path("data")).contents_first(true) {
        let path = entry.unwrap().into_path();
        let name = path.file_name().unwrap().to_str().unwrap().to_ascii_uppercase();
        fs::rename(&path, path.with_file_name(name)).unwrap();
    }
    room.verify("").accepted(2);
}
