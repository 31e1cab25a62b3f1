//! Both handles answer alike; the portable one is compiled for tests everywhere.

use std::fs;
use std::os::unix::fs::symlink;

use super::{EntryKind, Listing, portable, unix};
use crate::verdict::Code;

macro_rules! both_handles {
    ($name:ident, $folder:ident, $body:block) => {
        #[test]
        fn $name() {
            {
                use unix::Folder as $folder;
                $body
            }
            {
                use portable::Folder as $folder;
                $body
            }
        }
    };
}

fn sample() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("a/b")).unwrap();
    fs::write(root.path().join("a/b/file"), "content").unwrap();
    fs::write(root.path().join("top"), "top").unwrap();
    symlink("top", root.path().join("link")).unwrap();
    symlink("a", root.path().join("folder-link")).unwrap();
    root
}

fn names(listing: &Listing) -> Vec<(&str, EntryKind)> {
    listing.entries.iter().map(|entry| (entry.name.as_str(), entry.kind)).collect()
}

both_handles!(a_listing_follows_no_link, Folder, {
    let root = sample();
    let listing = Folder::open(root.path()).unwrap().list().unwrap();
    let expected = [
        ("a", EntryKind::Directory),
        ("a/b", EntryKind::Directory),
        ("a/b/file", EntryKind::File),
        ("folder-link", EntryKind::Link),
        ("link", EntryKind::Link),
        ("top", EntryKind::File),
    ];
    assert_eq!(names(&listing), expected);
    assert!(listing.has("a/b/file", EntryKind::File) && !listing.has("a/b", EntryKind::File));
});

both_handles!(files_are_opened_without_following_a_link, Folder, {
    let root = sample();
    let folder = Folder::open(root.path()).unwrap();
    assert_eq!(std::io::read_to_string(folder.file("a/b/file").unwrap()).unwrap(), "content");
    for (name, code) in [
        ("link", Code::FileTypeRefused),
        ("folder-link/b/file", Code::FileTypeRefused),
        ("top/x", Code::FileTypeRefused),
        ("a/b", Code::FileTypeRefused),
        ("nothing", Code::FileNotFound),
        ("nothing/x", Code::FileNotFound),
    ] {
        assert_eq!(folder.file(name).unwrap_err().code(), code, "{name}");
    }
    assert_eq!(Folder::open(&root.path().join("top")).unwrap_err().code(), Code::Unreadable);
    assert_eq!(Folder::open(&root.path().join("no")).unwrap_err().code(), Code::FileNotFound);
});

both_handles!(what_lies_inside_is_known, Folder, {
    let root = sample();
    let folder = Folder::open(&root.path().join("a")).unwrap();
    assert!(folder.contains(&root.path().join("a/b/file")));
    assert!(folder.contains(&root.path().join("folder-link/b")));
    assert!(!folder.contains(&root.path().join("top")));
    assert!(!folder.contains(&root.path().join("a/nothing")));
    assert!(folder.is(&root.path().join("a/b/..")) && !folder.is(root.path()));
});

both_handles!(making_and_removing_stay_below, Folder, {
    let root = sample();
    let folder = Folder::open(root.path()).unwrap();
    folder.make_folders("trust/keys").unwrap();
    folder.make_folders("trust/keys").unwrap();
    assert!(root.path().join("trust/keys").is_dir());
    let through_link = folder.make_folders("folder-link/x").unwrap_err();
    assert_eq!(through_link.code(), Code::FileTypeRefused);
    assert!(!root.path().join("a/x").exists());
    drop(folder.create("trust/new", 0o644).unwrap());
    assert_eq!(folder.create("trust/new", 0o644).unwrap_err().code(), Code::WriteFailed);
    folder.rename("trust/new", "trust/renamed").unwrap();
    folder.remove("trust/renamed").unwrap();
    folder.remove("trust/renamed").unwrap();
    folder.remove("no/such").unwrap();
    assert!(folder.list().unwrap().entries.iter().all(|entry| !entry.name.contains("renamed")));
});

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    let root = sample();
    let folder = unix::Folder::open(root.path()).unwrap();
    folder.write("top", b"new", 0o644).unwrap();
    assert_eq!(fs::read(root.path().join("top")).unwrap(), b"new");
    // What an interrupted writing left is replaced.
    folder.prepare("top", b"half", 0o644).unwrap();
    assert_eq!(fs::read(root.path().join("top")).unwrap(), b"new");
    folder.write("top", b"newer", 0o644).unwrap();
    assert_eq!(fs::read(root.path().join("top")).unwrap(), b"newer");
    assert!(!root.path().join("top.sealift-tmp").exists());
    fs::create_dir(root.path().join("folder")).unwrap();
    assert_eq!(folder.write("folder", b"x", 0o644).unwrap_err().code(), Code::WriteFailed);
    assert!(!root.path().join("folder.sealift-tmp").exists());
    assert_eq!(folder.write("no/such", b"x", 0o644).unwrap_err().code(), Code::FileNotFound);
}
