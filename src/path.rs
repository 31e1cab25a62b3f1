//! Safe relative paths: names that every reader places at the same spot below one directory.
//!
//! A name is a list of parts joined by `/`. Anything that some reader would resolve, clamp or
//! translate (absolute names, `.` and `..`, empty parts, backslashes, control characters) is refused
//! instead of being repaired. Nothing here touches a file system.

use crate::digest::Sha256Digest;
use crate::limits;

/// Why a name is not safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnsafeName {
    /// The name has no bytes.
    #[error("the name is empty")]
    Empty,
    /// The name begins with `/`.
    #[error("the name is absolute")]
    Absolute,
    /// A part is `..`.
    #[error("the name contains \"..\"")]
    Parent,
    /// A part is empty or `.`.
    #[error("the name has an empty part or \".\"")]
    EmptyPart,
    /// A backslash, which is a separator on some systems.
    #[error("the name contains a backslash")]
    Backslash,
    /// A control character, NUL included.
    #[error("the name contains a control character")]
    Control,
    /// Not UTF-8.
    #[error("the name is not UTF-8 text")]
    NotText,
    /// Longer than [`limits::ARCHIVE_NAME_BYTES`].
    #[error("the name is longer than {} bytes", limits::ARCHIVE_NAME_BYTES)]
    TooLong,
    /// Not printable ASCII: file systems differ in how they write such names.
    #[error("the name has a character that is not printable ASCII")]
    NotAscii,
    /// A character that FAT and NTFS refuse.
    #[error("the name has one of the characters : * ? \" < > |")]
    Reserved,
    /// A part that ends in a dot or a space, or begins with a space.
    #[error("a part of the name ends in a dot or space, or begins with a space")]
    Edge,
    /// A part that is only `-`: `sha256sum -c` and other programs take it for standard input.
    #[error("a part of the name is only \"-\", which programs take for standard input")]
    Dash,
    /// A part that names a device on DOS and Windows.
    #[error("a part of the name is a device on DOS and Windows (CON, NUL, COM1, …)")]
    Device,
    /// A part of the form that FAT and NTFS give to short names: another file may answer to it.
    #[error("a part of the name has the form of a short name on FAT and NTFS (NAME~1)")]
    ShortName,
    /// Longer than portable names can be.
    #[error(
        "the name is longer than {} bytes, or a part of it longer than {}",
        limits::PORTABLE_PATH_BYTES,
        limits::PORTABLE_PART_BYTES
    )]
    TooLongToCarry,
}

/// Accepts a name unchanged, or says why it is not safe.
///
/// # Errors
/// [`UnsafeName`] with the first reason found.
pub fn check(name: &str) -> Result<(), UnsafeName> {
    if name.len() > limits::ARCHIVE_NAME_BYTES {
        return Err(UnsafeName::TooLong);
    }
    relative(name)
}

/// Accepts a name that means the same file on every medium: printable ASCII, nothing that FAT or
/// NTFS refuse or change (bundle-format/, "Paths").
///
/// # Errors
/// [`UnsafeName`] with the first reason found.
pub fn portable(name: &str) -> Result<(), UnsafeName> {
    if name.len() > limits::PORTABLE_PATH_BYTES {
        return Err(UnsafeName::TooLongToCarry);
    }
    relative(name)?;
    if !name.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Err(UnsafeName::NotAscii);
    }
    if name.contains([':', '*', '?', '"', '<', '>', '|']) {
        return Err(UnsafeName::Reserved);
    }
    for part in name.split('/') {
        if part.len() > limits::PORTABLE_PART_BYTES {
            return Err(UnsafeName::TooLongToCarry);
        }
        if part == "-" {
            return Err(UnsafeName::Dash);
        }
        if part.starts_with(' ') || part.ends_with([' ', '.']) {
            return Err(UnsafeName::Edge);
        }
        // Windows ignores the extension and spaces before it.
        let stem = part.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
        let numbered = ["COM", "LPT"].iter().any(|device| {
            stem.strip_prefix(device)
                .is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|b| b.is_ascii_digit()))
        });
        if numbered || ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"].contains(&&*stem) {
            return Err(UnsafeName::Device);
        }
    }
    Ok(())
}

/// Accepts the name of an entry of an image archive or layout: one that [`portable`] accepts, that no
/// file system gives to another file as well, and that is not longer than [`check`] allows.
/// `sha256:HEX`, which crane and kaniko write for a config, is the only name with a colon.
///
/// # Errors
/// [`UnsafeName`] with the first reason found.
pub fn entry(name: &str) -> Result<(), UnsafeName> {
    if name.strip_prefix("sha256:").is_some_and(|hex| Sha256Digest::from_hex(hex).is_ok()) {
        return Ok(());
    }
    if name.len() > limits::ARCHIVE_NAME_BYTES {
        return Err(UnsafeName::TooLong);
    }
    portable(name)?;
    let mut after_tildes = name.split('~').skip(1);
    if after_tildes.any(|rest| rest.starts_with(|first: char| first.is_ascii_digit())) {
        return Err(UnsafeName::ShortName);
    }
    Ok(())
}

fn relative(name: &str) -> Result<(), UnsafeName> {
    if name.is_empty() {
        return Err(UnsafeName::Empty);
    }
    if name.chars().any(char::is_control) {
        return Err(UnsafeName::Control);
    }
    if name.contains('\\') {
        return Err(UnsafeName::Backslash);
    }
    if name.starts_with('/') {
        return Err(UnsafeName::Absolute);
    }
    for part in name.split('/') {
        match part {
            ".." => return Err(UnsafeName::Parent),
            "" | "." => return Err(UnsafeName::EmptyPart),
            _ => {}
        }
    }
    Ok(())
}

/// Where a symbolic link in directory `directory` (safe, or empty for the root) points, if its
/// target is relative, has `..` only at its beginning, and stays below the root.
#[must_use]
pub fn resolve(directory: &str, target: &str) -> Option<String> {
    let mut base: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    let mut rest = target;
    while let Some(after) = rest.strip_prefix("../") {
        base.pop()?;
        rest = after;
    }
    entry(rest).ok()?;
    base.push(rest);
    Some(base.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_readers_place_differently_are_refused() {
        for good in ["a", "a/b", "sha256:00", "blobs/sha256/0", "a..b/...", "é"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("", UnsafeName::Empty),
            ("/a", UnsafeName::Absolute),
            ("../a", UnsafeName::Parent),
            ("a/..", UnsafeName::Parent),
            ("a//b", UnsafeName::EmptyPart),
            ("a/", UnsafeName::EmptyPart),
            ("./a", UnsafeName::EmptyPart),
            ("a\\b", UnsafeName::Backslash),
            ("a\0b", UnsafeName::Control),
            ("a\nb", UnsafeName::Control),
        ] {
            assert_eq!(check(bad), Err(why), "{bad:?}");
        }
        assert_eq!(check(&"a".repeat(limits::ARCHIVE_NAME_BYTES + 1)), Err(UnsafeName::TooLong));
    }

    #[test]
    fn names_that_a_medium_would_change_are_refused() {
        let long = "a".repeat(255);
        for good in
            ["a", "images/hello 1.0.tar", "a..b", ".hidden", "CONSOLE", "COM10", "-x", "--", &long]
        {
            assert_eq!(portable(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("", UnsafeName::Empty),
            ("/a", UnsafeName::Absolute),
            ("C:/a", UnsafeName::Reserved),
            ("C:a", UnsafeName::Reserved),
            ("a/../b", UnsafeName::Parent),
            ("a\\b", UnsafeName::Backslash),
            ("a\u{7f}", UnsafeName::Control),
            ("gr\u{fc}n", UnsafeName::NotAscii),
            ("gru\u{308}n", UnsafeName::NotAscii),
            ("a?", UnsafeName::Reserved),
            ("a.", UnsafeName::Edge),
            ("a./b", UnsafeName::Edge),
            ("a /b", UnsafeName::Edge),
            (" a", UnsafeName::Edge),
            ("nul", UnsafeName::Device),
            ("x/Aux.txt", UnsafeName::Device),
            ("com1", UnsafeName::Device),
            ("NUL .tar", UnsafeName::Device),
            ("-", UnsafeName::Dash),
            ("a/-", UnsafeName::Dash),
            ("-/a", UnsafeName::Dash),
        ] {
            assert_eq!(portable(bad), Err(why), "{bad:?}");
        }
        assert_eq!(portable(&"a".repeat(256)), Err(UnsafeName::TooLongToCarry));
        let deep = vec!["a"; 600].join("/");
        assert_eq!(portable(&deep), Err(UnsafeName::TooLongToCarry));
    }

    #[test]
    fn names_that_two_files_could_answer_to_are_refused() {
        let hex = "0a".repeat(32);
        let crane = format!("sha256:{hex}");
        let blob = format!("blobs/sha256/{hex}");
        for good in ["manifest.json", "a/layer.tar", "a~b", "~", "a~/1", &hex, &crane, &blob] {
            assert_eq!(entry(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("INDEX~1.JSO".to_owned(), UnsafeName::ShortName),
            ("x/manife~12.jso".to_owned(), UnsafeName::ShortName),
            ("a~b~1".to_owned(), UnsafeName::ShortName),
            ("index.json::$DATA".to_owned(), UnsafeName::Reserved),
            ("index.json:x".to_owned(), UnsafeName::Reserved),
            ("sha256:00".to_owned(), UnsafeName::Reserved),
            (format!("x/{crane}"), UnsafeName::Reserved),
            (format!("{crane}.tar"), UnsafeName::Reserved),
            (crane.to_ascii_uppercase(), UnsafeName::Reserved),
            ("index.json.".to_owned(), UnsafeName::Edge),
            ("index.json ".to_owned(), UnsafeName::Edge),
            (" index.json".to_owned(), UnsafeName::Edge),
            ("blobs /sha256/x".to_owned(), UnsafeName::Edge),
            ("index.\u{200b}json".to_owned(), UnsafeName::NotAscii),
            ("index.j\u{17f}on".to_owned(), UnsafeName::NotAscii),
            ("\u{feff}index.json".to_owned(), UnsafeName::NotAscii),
            ("aux.json".to_owned(), UnsafeName::Device),
            ("../x".to_owned(), UnsafeName::Parent),
            ("a".repeat(limits::ARCHIVE_NAME_BYTES + 1), UnsafeName::TooLong),
        ] {
            assert_eq!(entry(&bad), Err(why), "{bad:?}");
        }
    }

    #[test]
    fn links_stay_below_the_root() {
        assert_eq!(resolve("a", "../b/layer.tar").as_deref(), Some("b/layer.tar"));
        assert_eq!(resolve("a", "x.tar").as_deref(), Some("a/x.tar"));
        for bad in ["../../b", "/b", "..", "../b/../c", "../", "", "b/.."] {
            assert_eq!(resolve("a", bad), None, "{bad}");
        }
    }
}
