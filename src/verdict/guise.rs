//! What a file is by its first bytes, so that a refusal can name it: an HTML page instead of a bundle,
//! UTF-16 text, an unsupported compression.
//!
//! For messages, with one exception: once a file could not be read as an image archive, `artifact::detect`
//! searches it for parts of an image only if it has no guise.

/// What a file turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Guise {
    /// With its article, for example `an HTML page`.
    pub(crate) what: &'static str,
    /// How it most likely came here, or what to do about it, if that is known.
    pub(crate) advice: Option<&'static str>,
}

impl Guise {
    /// What and advice in one.
    #[must_use]
    pub(crate) fn words(self) -> String {
        match self.advice {
            Some(advice) => format!("{}: {advice}", self.what),
            None => self.what.to_owned(),
        }
    }
}

const PAGE: &str = "most likely a login, proxy or error page was saved in place of the file";
const UTF16: &str = "write it as plain ASCII, in PowerShell with `Out-File -Encoding ascii`";
const LOADERS: &str = "no engine loads that: decompress it first";

/// Beginnings of files. The text forms follow in [`text`].
const MAGIC: &[(&[u8], &str, Option<&str>)] = &[
    (b"\xff\xfe", "UTF-16 text", Some(UTF16)),
    (b"\xfe\xff", "UTF-16 text", Some(UTF16)),
    (
        b"\xef\xbb\xbf",
        "text with a byte order mark",
        Some("save it as UTF-8 without BOM, in PowerShell with `Out-File -Encoding ascii`"),
    ),
    (b"PK\x03\x04", "a zip archive", None),
    (b"PK\x05\x06", "an empty zip archive", None),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", None),
    (b"Rar!\x1a\x07", "a rar archive", None),
    (b"\x04\x22\x4d\x18", "data compressed with lz4", Some(LOADERS)),
    (b"\x02\x21\x4c\x18", "data compressed with lz4 (legacy)", Some(LOADERS)),
    (b"\x5d\x00\x00", "data compressed with lzma (not xz)", Some(LOADERS)),
    (b"LZIP", "data compressed with lzip", Some(LOADERS)),
    (b"\x1f\x9d", "data compressed with compress (.Z)", Some(LOADERS)),
    (b"\x7fELF", "an ELF program or library", None),
    (b"MZ", "a Windows program", None),
    (b"\xcf\xfa\xed\xfe", "a macOS program", None),
    (b"\xca\xfe\xba\xbe", "a macOS program or Java class", None),
    (b"\xed\xab\xee\xdb", "an RPM package", None),
    (b"!<arch>\ndebian-binary", "a Debian package", None),
    (b"!<arch>\n", "an ar archive", None),
    (b"070701", "a cpio archive", None),
    (b"070702", "a cpio archive", None),
    (b"hsqs", "a SquashFS file system", None),
    (b"QFI\xfb", "a QCOW2 disk image", None),
    (b"conectix", "a VHD disk image", None),
    (b"%PDF-", "a PDF document", None),
    (b"\x89PNG", "a PNG picture", None),
    (b"-----BEGIN PGP ", "an OpenPGP message, key or signature", None),
    (b"untrusted comment:", "a minisign or signify file", None),
    (
        b"version https://git-lfs.github.com/spec/",
        "a Git LFS pointer",
        Some("the file itself is fetched with `git lfs pull`"),
    ),
    (b"#!", "a script", None),
];

/// What a file is by its beginning, if that is known. Tar archives and JSON are left out: their
/// parsers say more.
#[must_use]
pub(crate) fn guise(beginning: &[u8]) -> Option<Guise> {
    if beginning.get(257..262) == Some(b"ustar") {
        return None;
    }
    let magic = MAGIC.iter().find(|(magic, ..)| beginning.starts_with(magic));
    if let Some((_, what, advice)) = magic {
        return Some(Guise { what, advice: *advice });
    }
    if beginning.get(0x8001..0x8006) == Some(b"CD001") {
        return Some(Guise { what: "an ISO 9660 image", advice: None });
    }
    if let [a, 0, b, 0, ..] | [0, a, 0, b, ..] = beginning
        && a.is_ascii_graphic()
        && b.is_ascii_graphic()
    {
        return Some(Guise { what: "UTF-16 text", advice: Some(UTF16) });
    }
    text(beginning)
}

fn text(beginning: &[u8]) -> Option<Guise> {
    let text = beginning.trim_ascii_start();
    let starts = |word: &str| {
        text.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word.as_bytes()))
    };
    if starts("<!doctype html") || starts("<html") || starts("<head") || starts("<body") {
        return Some(Guise { what: "an HTML page", advice: Some(PAGE) });
    }
    if starts("<?xml") {
        let near = text.get(..text.len().min(1024)).unwrap_or_default();
        let holds =
            |word: &[u8]| near.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
        return Some(if holds(b"<html") {
            Guise { what: "an HTML page", advice: Some(PAGE) }
        } else if holds(b"<error>") {
            Guise { what: "an error of a storage server (XML)", advice: Some(PAGE) }
        } else {
            Guise { what: "an XML document", advice: None }
        });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_named() {
        for (beginning, what) in [
            (&b"\xff\xfes\0h\0a\0"[..], "UTF-16 text"),
            (b"a\0b\0c\0d\0", "UTF-16 text"),
            (b"\n <!DOCTYPE html><html>", "an HTML page"),
            (b"<?xml version=\"1.0\"?><!DOCTYPE html PUBLIC><HTML>", "an HTML page"),
            (b"<?xml version=\"1.0\"?>\n<Error><Code>", "an error of a storage server (XML)"),
            (b"PK\x03\x04\x14", "a zip archive"),
            (b"\x04\x22\x4d\x18d", "data compressed with lz4"),
        ] {
            assert_eq!(guise(beginning).map(|found| found.what), Some(what));
        }
        let mut iso = vec![0; 0x8100];
        iso[0x8001..0x8006].copy_from_slice(b"CD001");
        assert_eq!(guise(&iso).map(|found| found.what), Some("an ISO 9660 image"));
        for plain in [&b""[..], b"{}", b"abc", b"\x1f\x8b\x08", b"a/b\0\0\0", b"0123"] {
            assert_eq!(guise(plain), None, "{plain:?}");
        }
    }
}
