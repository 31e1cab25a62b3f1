//! Which bundles an archive of several images needs, through the program: every image is covered by
//! a bundle that holds, every bundle covers an image, and nothing less is OK.

use std::fs;

use crate::sample::Image;
use crate::support::log::{TestKey, TestLog, hashedrekord, old_bundle, sha256};
use crate::support::tar::Tar;
use crate::support::{outcome, sealift};

/// A folder with an archive of the images `a` and `b`, and bundles for everything.
struct Release {
    folder: tempfile::TempDir,
}

impl Release {
    fn new() -> Self {
        let release = Self { folder: tempfile::tempdir().unwrap() };
        let key = TestKey::new(7);
        let images = [Image::new("a"), Image::new("b")];
        let archive = Tar::new()
            .files(&images[0].docker_files("a"))
            .files(&images[1].docker_files("b"))
            .file("manifest.json", format!("[{},{}]", images[0].item("a"), images[1].item("b")))
            .finish();
        release.write("two.tar", &archive);
        release.write("vendor.pub", key.pem());
        for (name, image) in
            ["a", "b", "c"].into_iter().zip([images[0].id(), images[1].id(), Image::new("c").id()])
        {
            let text = image.to_string();
            release.write(&format!("{name}.bundle"), key.bundle(&text));
            release.write(&format!("{name}-stranger.bundle"), TestKey::new(9).bundle(&text));
            release.write(&format!("{name}-line.bundle"), key.bundle(&format!("{text}\n")));
            release.write(&format!("{name}-log.bundle"), logged(&key, &text));
        }
        release
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    /// Verifies the archive with these bundles.
    #[track_caller]
    fn answers(&self, bundles: &[&str], exit: i32, words: &str) -> String {
        let mut command = sealift();
        command.current_dir(self.folder.path());
        command.args(["verify", "-v", "--insecure-ignore-tlog", "--key", "vendor.pub", "two.tar"]);
        for bundle in bundles {
            command.args(["--bundle", bundle]);
        }
        let (code, out, err) = outcome(&command.output().unwrap());
        assert!(code == exit && out.contains(words), "{bundles:?}: {code}\n{out}{err}");
        assert_eq!(code == 0, out.contains(": OK ("), "{bundles:?}: {out}");
        out
    }
}

/// A bundle that is right, with an entry of a log that the built-in trusted root does not know.
fn logged(key: &TestKey, text: &str) -> String {
    let signature = key.sign(text.as_bytes());
    let body = hashedrekord(&sha256(text), &signature, &key.pem()).to_string();
    let entry = TestLog::new(3, "https://log.example").add(body.as_bytes(), 1_750_000_000);
    old_bundle(&signature, Some(&entry)).to_string()
}

#[test]
fn every_image_needs_a_bundle_that_holds() {
    let release = Release::new();
    let said = release.answers(&["a.bundle", "b.bundle"], 0, "4 layers verified");
    assert!(!said.contains("likely cause"), "{said}");
    release.answers(&["b.bundle", "a.bundle", "a.bundle"], 0, "4 layers verified");
    release.answers(&["a.bundle"], 1, "(image-not-covered: 1 of 2 images");
    release.answers(&["b.bundle", "b.bundle"], 1, "(image-not-covered: 1 of 2 images");
    release.answers(&["a.bundle", "b-stranger.bundle"], 1, "b-stranger.bundle");
    release.answers(&[], 3, "UNSIGNED (no-bundle");
}

#[test]
fn every_bundle_needs_an_image() {
    let release = Release::new();
    let said =
        release.answers(&["a.bundle", "b.bundle", "c.bundle"], 1, "(bundle-unused: c.bundle");
    assert!(!said.contains("likely cause"), "nothing is missing, so there is no riddle: {said}");
    let all = ["a.bundle", "b.bundle", "a-stranger.bundle"];
    release.answers(&all, 1, "(bundle-unused: a-stranger.bundle");
    release.answers(&["a.bundle", "b.bundle", "a-line.bundle"], 1, "(bundle-unused");
}

#[test]
fn the_same_digest_in_another_spelling_is_told_and_refused() {
    let said = Release::new().answers(&["a-line.bundle"], 1, "(signature-invalid");
    assert!(said.contains("signs the config digest in another spelling"), "{said}");
}

#[test]
fn what_cant_be_decided_is_never_ok_and_never_hides_a_failure() {
    let release = Release::new();
    release.answers(&["a.bundle", "b-log.bundle"], 3, "UNDECIDED (log-unknown");
    release.answers(&["a.bundle", "b.bundle", "b-log.bundle"], 3, "UNDECIDED (log-unknown");
    release.answers(&["a-log.bundle"], 1, "FAILED (image-not-covered");
    release.answers(&["a-log.bundle", "b-stranger.bundle"], 1, "FAILED (");
}

#[test]
fn a_bundle_that_cant_be_read_is_named_instead_of_the_image_that_lacks_it() {
    let release = Release::new();
    release.answers(&["nowhere.bundle"], 2, "ERROR (file-not-found: nowhere.bundle");
    release.answers(&["a.bundle", "nowhere.bundle"], 2, "ERROR (file-not-found: nowhere.bundle");
    release.answers(&["a.bundle", "b.bundle", "nowhere.bundle"], 2, "ERROR (file-not-found");
    release.answers(&["a.bundle", "."], 3, "UNDECIDED (unreadable: .");
    release.answers(&["a-stranger.bundle", "nowhere.bundle"], 1, "FAILED (");
    release.write("broken.bundle", "{");
    release.answers(&["a.bundle", "broken.bundle"], 1, "FAILED (bundle-malformed");
}

#[test]
fn bundles_are_bounded_together_too() {
    let release = Release::new();
    let text = Image::new("a").id().to_string();
    let mut large = TestKey::new(7).bundle(&text).into_bytes();
    large.resize(1 << 20, b' ');
    release.write("large.bundle", large);
    let mut bundles = vec!["large.bundle"; 15];
    bundles.push("b.bundle");
    release.answers(&bundles, 0, "4 layers verified");
    bundles.extend(["large.bundle"; 2]);
    release.answers(&bundles, 1, "(bundle-too-large: large.bundle");
}
