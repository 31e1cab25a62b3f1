//! Transfers whose manifest no sealer writes, under seals that hold: what a verifier must refuse even
//! if the holder of the transfer key wrote it.

use sealift::digest::Sha256Digest;
use sealift::transfer::{FileEntry, Manifest, SUMS};

use crate::draft::{edit, sign};
use crate::kit::{IMAGE, Kit, PACKAGE};
use crate::{ALL, Case, FILE, Files, Others, Result, SCRIPT};

/// Only the script sees it, because `SHA256SUMS` shows it; and a file of the list is not there.
const LISTED: Others = FILE;

pub(crate) fn cases(kit: &Kit) -> Result<Vec<Case>> {
    let mut cases = documents(kit)?;
    cases.extend(paths(kit)?);
    cases.extend(lists(kit)?);
    Ok(cases)
}

/// The package with one text of the manifest replaced by another before it was signed.
fn replaced(kit: &Kit, from: &str, to: &str) -> Result<Files> {
    let mut found = 0;
    let files = kit.package().seal_as(
        &kit.transfer,
        |_| {},
        |text| {
            found = text.matches(from).count();
            text.replace(from, to)
        },
    )?;
    if found == 1 { Ok(files) } else { Err(format!("{from:?} stands there {found} times").into()) }
}

fn documents(kit: &Kit) -> Result<Vec<Case>> {
    let malformed = |name, description, schema, files| {
        Case::bad(name, description, "manifest-malformed", ALL, files).schema(Some(schema))
    };
    let stream = "\"stream\": \"default\",";
    let both = |second: &str| format!("{stream}\n  {second},");
    let expires = |it: &mut Manifest| it.expires = Some(it.created.clone());
    Ok(vec![
        malformed(
            "unknown-member_fail",
            "A member that version 1 does not have.",
            false,
            replaced(kit, stream, &both("\"channel\": \"a\""))?,
        ),
        malformed(
            "unknown-member-below_fail",
            "A member of an artifact that version 1 does not have.",
            false,
            replaced(kit, "\"vendor\": \"k2view\"", "\"vendor\": \"k2view\", \"trusted\": true")?,
        ),
        malformed(
            "member-twice_fail",
            "A member stands there twice.",
            true,
            replaced(kit, stream, &both("\"stream\": \"default\""))?,
        ),
        malformed(
            "member-null_fail",
            "An optional member is null.",
            false,
            replaced(kit, stream, &both("\"notes\": null"))?,
        ),
        malformed(
            "member-absent_fail",
            "A required member is not there.",
            false,
            replaced(kit, stream, "")?,
        ),
        malformed(
            "serial-fraction_fail",
            "The serial is a number with a fraction.",
            true,
            replaced(kit, "\"serial\": 4099766400", "\"serial\": 4099766400.0")?,
        ),
        malformed(
            "serial-too-large_fail",
            "The serial is 2^53, one more than every JSON reader keeps exact.",
            false,
            replaced(kit, "\"serial\": 4099766400", "\"serial\": 9007199254740992")?,
        ),
        malformed(
            "time-with-offset_fail",
            "A time in another form than UTC with Z.",
            false,
            replaced(kit, "2099-12-01T00:00:00Z", "2099-12-01T01:00:00+01:00")?,
        ),
        malformed(
            "expires-when-created_fail",
            "It expires when it was created.",
            true,
            kit.package().seal_as(&kit.transfer, expires, |text| text)?,
        ),
        malformed(
            "behind-the-document_fail",
            "A second document stands behind the first.",
            false,
            kit.package().seal_as(&kit.transfer, |_| {}, |text| text + "{}\n")?,
        ),
        malformed(
            "unsigned-with-bundle_fail",
            "An artifact is marked as unsigned and names a bundle and a key.",
            false,
            kit.package().seal_as(
                &kit.transfer,
                |it| it.artifacts.iter_mut().for_each(|it| it.allow_unsigned = true),
                |text| text,
            )?,
        ),
        malformed(
            "artifact-not-listed_fail",
            "An artifact's path is no file of the manifest.",
            true,
            kit.package().seal_as(
                &kit.transfer,
                |it| it.artifacts.iter_mut().for_each(|it| it.path = "packages/other".to_owned()),
                |text| text,
            )?,
        ),
        Case::bad(
            "version-unknown_fail",
            "The schema is of a version that is not known yet.",
            "manifest-version-unknown",
            ALL,
            replaced(kit, "sealift-transfer/v1", "sealift-transfer/v2")?,
        )
        .exits(3)
        .schema(Some(false)),
        malformed(
            "schema-of-another_fail",
            "The schema is one of another program.",
            false,
            replaced(kit, "sealift-transfer/v1", "other-transfer/v1")?,
        ),
        Case::bad(
            "sums-not-on-second-line_fail",
            "`sha256sums` stands on the third line.",
            "seal-not-canonical",
            SCRIPT,
            kit.package().seal_as(&kit.transfer, |_| {}, second_and_third)?,
        ),
        malformed(
            "sums-twice_fail",
            "`sha256sums` stands there once more, with another value.",
            true,
            replaced(kit, stream, &both(&format!("\"sha256sums\": \"{}\"", "00".repeat(32))))?,
        ),
    ])
}

fn second_and_third(text: String) -> String {
    let mut lines: Vec<&str> = text.split('\n').collect();
    lines.swap(1, 2);
    lines.join("\n")
}

/// The package and one more file of the manifest under a path that no medium or not every one carries;
/// the file does not lie there.
fn paths(kit: &Kit) -> Result<Vec<Case>> {
    let case = |name, description, path: &str| -> Result<Case> {
        let files = kit.package().seal_as(&kit.transfer, |it| list(it, path), |text| text)?;
        let case = Case::bad(name, description, "path-not-portable", LISTED, files);
        Ok(case.schema(Some(false)))
    };
    let refused = |name, description, code, path: &str, schema| -> Result<Case> {
        let files = kit.package().seal_as(&kit.transfer, |it| list(it, path), |text| text)?;
        Ok(Case::bad(name, description, code, LISTED, files).schema(Some(schema)))
    };
    let mut parent = case(
        "path-parent_fail",
        "A path leads out of the directory, to a file that is there.",
        "../outside.txt",
    )?
    .beside("outside.txt", OUTSIDE);
    // Only here the file is there, so sha256sum reads it and is content.
    parent.others = SCRIPT;
    Ok(vec![
        parent,
        case("path-absolute_fail", "A path is absolute.", "/outside.txt")?,
        case("path-drive_fail", "A path begins with a drive.", "C:/outside.txt")?,
        case("path-backslash_fail", "A path has a backslash.", "packages\\outside.txt")?,
        case("path-dot_fail", "A path has a part that is a dot.", "packages/./outside.txt")?,
        case("path-device_fail", "A path is a device on DOS and Windows.", "packages/Aux.txt")?,
        case(
            "path-device-space_fail",
            "The same with a space before the dot.",
            "packages/NUL .txt",
        )?,
        case(
            "path-space-at-end_fail",
            "A part of a path ends with a space.",
            "packages /outside.txt",
        )?,
        case(
            "path-dash_fail",
            "A part of a path is what programs take for standard input.",
            "packages/-",
        )?,
        case("path-not-ascii_fail", "A path is not ASCII.", "packages/gr\u{fc}n.txt")?,
        case("path-newline_fail", "A path has a newline.", "packages/a\n\nb")?,
        refused(
            "paths-collide_fail",
            "Two paths differ in case only.",
            "name-collision",
            "packages/TOOLS-1.0.tar.gz",
            true,
        )?,
        refused(
            "path-below-file_fail",
            "A path lies below a file.",
            "name-collision",
            "packages/tools-1.0.tar.gz/outside.txt",
            true,
        )?,
        refused(
            "path-of-the-seal_fail",
            "A path is one of the seal's own.",
            "manifest-malformed",
            "Manifest.JSON",
            false,
        )?,
        refused(
            "path-trust-payload_fail",
            "A path in trust/ that is none of the files that lie there.",
            "manifest-malformed",
            "trust/payload/install.sh",
            false,
        )?,
        refused(
            "path-trust-in-capitals_fail",
            "A path below trust/ in other letters.",
            "manifest-malformed",
            "TRUST/evil.tar",
            false,
        )?,
        refused(
            "path-tools-in-other-letters_fail",
            "A path below tools/ in other letters.",
            "manifest-malformed",
            "Tools/setup.exe",
            false,
        )?,
        refused(
            "path-tools-is-a-file_fail",
            "A file that has the name of the directory tools/.",
            "manifest-malformed",
            "tools",
            false,
        )?,
        refused(
            "path-temporary_fail",
            "A path is a temporary name of the seal.",
            "manifest-malformed",
            "packages/a.SEALIFT-TMP",
            false,
        )?,
    ])
}

const OUTSIDE: &[u8] = b"outside\n";

/// Adds an entry, in order.
fn list(manifest: &mut Manifest, path: &str) {
    manifest.files.push(FileEntry {
        path: path.to_owned(),
        size: OUTSIDE.len() as u64,
        sha256: Sha256Digest::of(OUTSIDE),
        segments: Vec::new(),
    });
    manifest.files.sort_by(|one, other| one.path.cmp(&other.path));
}

fn lists(kit: &Kit) -> Result<Vec<Case>> {
    let key = &kit.transfer;
    let sums = Sha256Digest::of(b"").to_hex();
    let wrong = |text: String| {
        let (start, rest) = text.split_at_checked(19).unwrap_or_default();
        format!("{start}{sums}{}", rest.get(64..).unwrap_or_default())
    };
    let more =
        listing(kit, |sums| sums.extend_from_slice(sum_line("packages/more.txt").as_bytes()))?;
    let fewer = listing(kit, |sums| {
        let text = String::from_utf8_lossy(sums).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        *sums = lines
            .get(1..)
            .unwrap_or_default()
            .iter()
            .flat_map(|it| [*it, "\n"])
            .collect::<String>()
            .into_bytes();
    })?;
    let mut more_case = Case::bad(
        "sums-list-more_fail",
        "SHA256SUMS lists a file that the manifest does not list; the second line agrees with it.",
        "seal-not-canonical",
        SCRIPT,
        more,
    );
    more_case.transfer.insert("packages/more.txt".to_owned(), OUTSIDE.to_vec());
    let no_sum = |it: &mut Manifest| {
        for file in it.files.iter_mut().filter(|it| it.path == IMAGE) {
            if let Some(segment) = file.segments.last_mut() {
                segment.size += 1;
            }
        }
    };
    let size = |it: &mut Manifest| {
        for file in it.files.iter_mut().filter(|it| it.path == PACKAGE) {
            file.size += 1;
        }
    };
    Ok(vec![
        Case::bad(
            "files-unsorted_fail",
            "The files of the manifest, and with them SHA256SUMS, are in reverse order.",
            "manifest-malformed",
            SCRIPT,
            kit.package().seal_as(key, |it| it.files.reverse(), |text| text)?,
        ),
        Case::bad(
            "file-twice_fail",
            "A file is listed twice.",
            "manifest-malformed",
            SCRIPT,
            kit.package().seal_as(
                key,
                |it| {
                    let again = it.files.first().cloned();
                    it.files.splice(0..0, again);
                },
                |text| text,
            )?,
        )
        .schema(Some(false)),
        Case::bad(
            "sums-digest-wrong_fail",
            "The second line of the manifest does not have the digest of SHA256SUMS.",
            "seal-not-canonical",
            SCRIPT,
            kit.package().seal_as(key, |_| {}, wrong)?,
        ),
        more_case,
        Case::bad(
            "sums-list-fewer_fail",
            "SHA256SUMS leaves out a file that the manifest lists; the second line agrees with it.",
            "seal-not-canonical",
            SCRIPT,
            fewer,
        ),
        Case::bad(
            "file-size-wrong_fail",
            "The size of a file was wrong when it was sealed; its digest is right.",
            "file-mismatch",
            SCRIPT,
            kit.package().seal_as(key, size, |text| text)?,
        ),
        Case::bad(
            "segments-do-not-add-up_fail",
            "The sizes of the segments are more than the file's.",
            "manifest-malformed",
            ALL,
            kit.image_in_segments()?.seal_as(key, no_sum, |text| text)?,
        ),
    ])
}

fn sum_line(path: &str) -> String {
    format!("{}  {path}\n", Sha256Digest::of(OUTSIDE).to_hex())
}

/// A seal whose second line agrees with `SHA256SUMS`, which does not agree with the manifest's files.
fn listing(kit: &Kit, change: impl FnOnce(&mut Vec<u8>)) -> Result<Files> {
    let mut files = kit.package().seal(&kit.transfer)?;
    let before = files.get(SUMS).map(|sums| Sha256Digest::of(sums).to_hex()).unwrap_or_default();
    edit(&mut files, SUMS, |sums| {
        change(sums);
        // In order, so that the script sees nothing.
        let text = String::from_utf8_lossy(sums).into_owned();
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_by_key(|line| line.get(66..));
        *sums = lines.iter().flat_map(|it| [*it, "\n"]).collect::<String>().into_bytes();
    });
    let after = files.get(SUMS).map(|sums| Sha256Digest::of(sums).to_hex()).unwrap_or_default();
    let manifest = String::from_utf8(crate::draft::manifest_of(&files))?;
    sign(&mut files, manifest.replace(&before, &after).into_bytes(), &kit.transfer);
    Ok(files)
}
