//! PAX extended header records (POSIX.1-2008, pax, "pax Extended Header").
//!
//! Readers differ in which records they apply, so only those are taken that image writers and the
//! usual tar programs write, each with values of its form:
//!
//! | record | who acts on it | our rule |
//! |---|---|---|
//! | `path`, `linkpath` | all | as a name in the header |
//! | `size` | all | decimal; the header's size is 0 or the same |
//! | `uid`, `gid`, `uname`, `gname` | who unpacks | decimal; text without control characters |
//! | `mtime`, `atime`, `ctime`, `LIBARCHIVE.creationtime` | who unpacks | decimal, with a fraction |
//! | `hdrcharset` | Python, GNU tar, libarchive | the two values of POSIX, which are one for names in ASCII |
//! | `comment` | nobody | anything; the only record of a `g` header |
//! | `SCHILY.dev`, `.ino`, `.nlink` | nobody | decimal |
//! | `SCHILY.fflags`, `.acl.*`, `LIBARCHIVE.symlinktype` | libarchive and star, no loader | anything |
//! | `SCHILY.xattr.*`, `LIBARCHIVE.xattr.*`, `RHT.security.selinux` | Docker, podman and skopeo set them on what they unpack | SELinux labels, and what browsers and macOS note of a file; no others: podman takes modes and owners from some |
//! | `GNU.sparse.*`, `SCHILY.realsize` | who expands sparse files | refused |
//! | any other | | refused |
//!
//! The records are cut by their length, as Go does it; the `tar` crate cuts them at newlines, and stops
//! silently at an empty line.

use std::collections::BTreeSet;

use super::field::{digits_of, is_plain};
use super::header::malformed;
use crate::verdict::{Code, Fault};

/// What the records before one entry say about it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Overrides {
    /// `path`.
    pub(super) name: Option<Vec<u8>>,
    /// `linkpath`.
    pub(super) link: Option<Vec<u8>>,
    /// `size`, in bytes.
    pub(super) size: Option<u64>,
}

/// Reads the records of an `x` header.
pub(super) fn local(records: &[u8]) -> Result<Overrides, Fault> {
    let mut overrides = Overrides::default();
    each(records, |key, value| {
        match key {
            b"path" => overrides.name = Some(value.to_vec()),
            b"linkpath" => overrides.link = Some(value.to_vec()),
            b"size" => overrides.size = Some(size(value)?),
            _ => check(key, value)?,
        }
        if value.is_empty() && matches!(key, b"path" | b"linkpath") {
            return Err(malformed("a PAX record is empty"));
        }
        Ok(())
    })?;
    Ok(overrides)
}

/// Checks the records of a `g` header, which Go ignores and others apply to all that follows.
pub(super) fn global(records: &[u8]) -> Result<(), Fault> {
    each(records, |key, _| {
        if key == b"comment" {
            return Ok(());
        }
        let key = String::from_utf8_lossy(key);
        Err(malformed(&format!(
            "a global PAX header sets {key:?}, which some loaders apply and others ignore"
        )))
    })
}

/// Checks a record that does not change what this room reads.
fn check(key: &[u8], value: &[u8]) -> Result<(), Fault> {
    if key.starts_with(b"GNU.sparse.") || key == b"SCHILY.realsize" {
        return Err(Fault::new(
            Code::EntryTypeRefused,
            "a sparse file (PAX GNU.sparse or SCHILY.realsize records), which loaders expand \
             differently",
        ));
    }
    let fits = match key {
        b"uid" | b"gid" | b"SCHILY.dev" | b"SCHILY.ino" | b"SCHILY.nlink" => {
            decimal(value).is_some()
        }
        b"uname" | b"gname" => is_plain(value),
        b"mtime" | b"atime" | b"ctime" | b"LIBARCHIVE.creationtime" => is_time(value),
        b"hdrcharset" => matches!(value, b"BINARY" | b"ISO-IR 10646 2000 UTF-8"),
        b"comment"
        | b"RHT.security.selinux"
        | b"LIBARCHIVE.symlinktype"
        | b"SCHILY.fflags"
        | b"SCHILY.acl.access"
        | b"SCHILY.acl.default"
        | b"SCHILY.acl.ace" => true,
        _ => {
            let attribute = key
                .strip_prefix(b"SCHILY.xattr.")
                .or_else(|| key.strip_prefix(b"LIBARCHIVE.xattr."));
            attribute.is_some_and(is_harmless)
        }
    };
    if fits {
        return Ok(());
    }
    Err(malformed(&format!(
        "a PAX record {:?} that no image writer writes, or not with this value",
        String::from_utf8_lossy(key)
    )))
}

/// Whether an extended attribute changes nothing of a file that is unpacked.
fn is_harmless(attribute: &[u8]) -> bool {
    attribute == b"security.selinux"
        || [&b"user.xdg."[..], b"com.apple."].iter().any(|known| attribute.starts_with(known))
}

/// Seconds, before 1970 too, with or without a fraction.
fn is_time(value: &[u8]) -> bool {
    let seconds = value.strip_prefix(b"-").unwrap_or(value);
    let mut parts = seconds.splitn(2, |byte| *byte == b'.');
    let whole = parts.next().unwrap_or_default();
    let fraction = parts.next().unwrap_or(b"0");
    decimal(whole).is_some() && !fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit)
}

/// Calls `take` for each record, which is `LENGTH SPACE KEY = VALUE NEWLINE`, LENGTH counting all. No
/// key is there twice.
fn each(
    records: &[u8],
    mut take: impl FnMut(&[u8], &[u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut rest = records;
    let mut seen = BTreeSet::new();
    while !rest.is_empty() {
        let broken = || malformed("a PAX record is damaged");
        let digits = rest.iter().take(8).take_while(|byte| byte.is_ascii_digit()).count();
        if rest.first() == Some(&b'0') {
            return Err(broken());
        }
        let length = decimal(rest.get(..digits).unwrap_or_default()).ok_or_else(broken)?;
        let length = usize::try_from(length).map_err(|_| broken())?;
        let (record, after) = rest.split_at_checked(length).ok_or_else(broken)?;
        let pair = record.get(digits..).and_then(|part| part.strip_prefix(b" "));
        let pair = pair.and_then(|part| part.strip_suffix(b"\n")).ok_or_else(broken)?;
        let equals = pair.iter().position(|byte| *byte == b'=').ok_or_else(broken)?;
        let (key, value) = pair.split_at(equals);
        if key.is_empty() {
            return Err(broken());
        }
        if !seen.insert(key) {
            return Err(malformed("a PAX record is there twice"));
        }
        take(key, value.get(1..).unwrap_or_default())?;
        rest = after;
    }
    Ok(())
}

fn size(value: &[u8]) -> Result<u64, Fault> {
    decimal(value)
        .filter(|size| i64::try_from(*size).is_ok())
        .ok_or_else(|| malformed("a PAX size is not a positive decimal number"))
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() { None } else { digits_of(digits, 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_cut_by_their_length() {
        let overrides = local(b"11 path=ab\n14 comment=\n\n\n10 size=7\n").unwrap();
        assert_eq!(overrides.name.as_deref(), Some(&b"ab"[..]));
        assert_eq!(overrides.size, Some(7));
        assert_eq!(local(b"").unwrap(), Overrides::default());
    }

    #[test]
    fn damaged_repeated_and_sparse_records_are_refused() {
        for bad in [
            &b"11 path=ab"[..],
            b"12 path=ab\n",
            b"10 path=ab\n",
            b"11 path=ab\n\n",
            b"11 path=ab\n\0",
            b"x",
            b"8 path\n",
            b"5 =a\n",
            b"8 path=\n",
            b"11 path=ab\n11 path=ab\n",
            b"11 size=-7\n",
            b"11 size=+7\n",
            b"10 size= \n",
            b"28 size=9223372036854775808\n",
            b"011 path=ab\n",
            b"9 mode=7\n",
            b"15 comment=a\n15 comment=a\n",
        ] {
            let fault = local(bad).unwrap_err();
            assert_eq!(fault.code(), Code::ArchiveMalformed, "{}", String::from_utf8_lossy(bad));
        }
        let sparse = local(b"22 GNU.sparse.major=1\n").unwrap_err();
        assert_eq!(sparse.code(), Code::EntryTypeRefused);
    }

    #[test]
    fn global_records_may_only_comment() {
        assert_eq!(global(b"18 comment=abcdef\n"), Ok(()));
        for bad in [&b"11 path=ab\n"[..], b"15 linkpath=ab\n", b"10 size=0\n"] {
            assert_eq!(global(bad).unwrap_err().code(), Code::ArchiveMalformed);
        }
    }

    #[test]
    fn known_records_have_values_of_their_form() {
        let answer = |key: &str, value: &str| {
            let rest = format!(" {key}={value}\n");
            let length = (1..).find(|n: &usize| n.to_string().len() + rest.len() == *n).unwrap();
            local(format!("{length}{rest}").as_bytes()).map(|_| ()).map_err(|fault| fault.code())
        };
        for (key, value) in [
            ("uid", "4294967294"),
            ("uname", "J\u{f6}rg"),
            ("gname", ""),
            ("mtime", "1350244992.023960108"),
            ("atime", "-1"),
            ("ctime", "0"),
            ("LIBARCHIVE.creationtime", "1700000000"),
            ("hdrcharset", "BINARY"),
            ("comment", "\n"),
            ("SCHILY.ino", "1234567890123"),
            ("SCHILY.fflags", "nodump"),
            ("SCHILY.acl.access", "user::rw-,group::r--"),
            ("RHT.security.selinux", "system_u:object_r:tmp_t:s0\0"),
            ("SCHILY.xattr.security.selinux", "unconfined_u:object_r:user_home_t:s0\0"),
            ("SCHILY.xattr.user.xdg.origin.url", "https://vendor.example/"),
            ("LIBARCHIVE.xattr.com.apple.provenance", "AQIA"),
        ] {
            assert_eq!(answer(key, value), Ok(()), "{key}={value}");
        }
        for (key, value) in [
            ("uid", ""),
            ("gid", "-1"),
            ("uname", "a\nb"),
            ("mtime", ""),
            ("mtime", "nan"),
            ("mtime", "1."),
            ("mtime", "+1"),
            ("mtime", "99999999999999999999"),
            ("hdrcharset", "UTF-16"),
            ("charset", "BINARY"),
            ("SCHILY.devmajor", "8"),
            ("SCHILY.xattr.security.capability", "x"),
            ("SCHILY.xattr.user.containers.override_stat", "0:0:0120777"),
            ("SCHILY.xattr.trusted.overlay.redirect", "/x"),
            ("LIBARCHIVE.xattr.system.posix_acl_access", "x"),
            ("VENDOR.unknown", "x"),
        ] {
            assert_eq!(answer(key, value), Err(Code::ArchiveMalformed), "{key}={value}");
        }
        assert_eq!(answer("SCHILY.realsize", "7"), Err(Code::EntryTypeRefused));
        assert_eq!(answer("GNU.sparse.name", "x"), Err(Code::EntryTypeRefused));
    }
}
