//! PAX extended header records (POSIX.1-2008, pax, "pax Extended Header").
//!
//! Only what changes the reading of an archive matters: `path`, `linkpath`, `size`. Records that
//! some readers apply and others don't are refused. The records are cut by their length, as Go does
//! it; the `tar` crate cuts them at newlines, and stops silently at an empty line.

use super::header::{digits_of, malformed};
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
        let fresh = match key {
            b"path" => overrides.name.replace(value.to_vec()).is_none(),
            b"linkpath" => overrides.link.replace(value.to_vec()).is_none(),
            b"size" => overrides.size.replace(size(value)?).is_none(),
            _ if key.starts_with(b"GNU.sparse.") => {
                return Err(Fault::new(
                    Code::EntryTypeRefused,
                    "a sparse file (PAX GNU.sparse records), which loaders expand differently",
                ));
            }
            _ => true,
        };
        if !fresh || (matches!(key, b"path" | b"linkpath") && value.is_empty()) {
            return Err(malformed("a PAX record is there twice or empty"));
        }
        Ok(())
    })?;
    Ok(overrides)
}

/// Checks the records of a `g` header, which Go ignores and others apply to all that follows.
pub(super) fn global(records: &[u8]) -> Result<(), Fault> {
    each(records, |key, _| {
        if matches!(key, b"path" | b"linkpath" | b"size" | b"hdrcharset")
            || key.starts_with(b"GNU.sparse.")
        {
            return Err(malformed(&format!(
                "a global PAX header sets {:?}, which some loaders apply and others ignore",
                String::from_utf8_lossy(key)
            )));
        }
        Ok(())
    })
}

/// Calls `take` for each record, which is `LENGTH SPACE KEY = VALUE NEWLINE`, LENGTH counting all.
fn each(
    records: &[u8],
    mut take: impl FnMut(&[u8], &[u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut rest = records;
    while !rest.is_empty() {
        let broken = || malformed("a PAX record is damaged");
        let digits = rest.iter().take(8).take_while(|byte| byte.is_ascii_digit()).count();
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
        let overrides = local(b"11 path=ab\n19 SCHILY.xattr=\n\n\n10 size=7\n").unwrap();
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
}
