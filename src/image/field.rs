//! The fields of a tar header: numbers and text, in the forms that writers write and all readers read
//! alike.
//!
//! A number is octal: digits from the field's first byte on, then blanks or NULs to its end, or NULs
//! alone for 0. Where a writer has no other way to write a large one, it may be base-256. Go, GNU tar,
//! Python and libarchive differ in what else they take (signs, blanks or NULs in front, anything
//! after a NUL), so nothing else is taken. Text ends at its first NUL, and all bytes after it are NUL.

/// An octal number.
pub(super) fn octal(field: &[u8]) -> Option<u64> {
    let end =
        field.iter().rposition(|byte| !is_filling(*byte)).map_or(0, |at| at.saturating_add(1));
    let digits = field.get(..end)?;
    if digits.is_empty() && field.iter().any(|byte| *byte != 0) {
        return None;
    }
    digits_of(digits, 8)
}

/// An octal number, or one in base-256 that is not negative and below 2^63 (GNU and star).
pub(super) fn number(field: &[u8]) -> Option<u64> {
    let Some((first @ 0x80.., rest)) = field.split_first() else { return octal(field) };
    if first & 0x40 != 0 {
        return None;
    }
    let value = rest.iter().try_fold(u64::from(first & 0x3f), |value: u64, byte| {
        value.checked_mul(256)?.checked_add(u64::from(*byte))
    })?;
    i64::try_from(value).is_ok().then_some(value)
}

/// Whether the field is a time: a number, or one before 1970, which is base-256, negative, and not
/// below -2^63.
pub(super) fn is_time(field: &[u8]) -> bool {
    let before_1970 = || {
        let (sign, low) = field.split_last_chunk::<8>()?;
        let negative = !sign.is_empty() && sign.iter().all(|byte| *byte == 0xff);
        Some(negative && i64::from_be_bytes(*low) < 0)
    };
    number(field).is_some() || before_1970().unwrap_or(false)
}

/// Text up to its NUL, if nothing but NULs follows it.
pub(super) fn text(field: &[u8]) -> Option<&[u8]> {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    let (text, rest) = field.split_at_checked(end)?;
    is_zero(rest).then_some(text)
}

/// Text without control characters: a user or a group.
pub(super) fn is_owner(field: &[u8]) -> bool {
    text(field).is_some_and(is_plain)
}

/// Whether no byte is a control character.
pub(super) fn is_plain(text: &[u8]) -> bool {
    !text.iter().any(u8::is_ascii_control)
}

/// Whether all bytes are NUL.
pub(super) fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

/// A number in digits alone: no sign, no space, no overflow; no digit at all is 0.
pub(super) fn digits_of(text: &[u8], radix: u32) -> Option<u64> {
    text.iter().try_fold(0_u64, |value, byte| {
        let digit = char::from(*byte).to_digit(radix)?;
        value.checked_mul(radix.into())?.checked_add(digit.into())
    })
}

/// What may follow a number.
pub(super) const fn is_filling(byte: u8) -> bool {
    matches!(byte, 0 | b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_that_all_readers_read_alike() {
        assert_eq!(number(b"00000004000\0"), Some(2048));
        assert_eq!(number(b"00000004000 "), Some(2048));
        assert_eq!(number(b"000000004000"), Some(2048));
        assert_eq!(number(b"4000 \0\0\0\0\0\0\0"), Some(2048));
        assert_eq!(octal(b"012345\0 "), Some(0o12345));
        assert_eq!(number(&[0; 12]), Some(0));
        assert_eq!(number(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x08, 0]), Some(2048));
        assert_eq!(octal(&[0x80, 0, 0, 0, 0, 0, 0, 8]), None);
        for bad in [
            &b"+0000004000\0"[..],
            b"-0000004000\0",
            b"0000 004000\0",
            b"00000\x0004000\0",
            b"0000000800\0\0",
            b"\t0000004000\0",
            b" 0000004000\0",
            b"\x000000004000\0",
            b"00000004000\0x",
            b"            ",
            &[0xff; 12],
            &[0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0],
            &[0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0],
        ] {
            assert_eq!(number(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn nothing_hides_after_a_text() {
        assert_eq!(text(b"ab\0\0"), Some(&b"ab"[..]));
        assert_eq!(text(b"abcd"), Some(&b"abcd"[..]));
        assert_eq!(text(b"\0\0"), Some(&b""[..]));
        assert_eq!(text(b"ab\0c"), None);
        assert_eq!(text(b"\0c"), None);
        assert!(is_owner(b"J\xc3\xb6rg\0") && !is_owner(b"a\n\0\0") && !is_owner(b"a\0b"));
        assert!(is_time(&[0xff; 12]) && is_time(b"17777777777 ") && !is_time(b" 0000000000\0"));
        // Go reads neither of these as a number.
        assert!(!is_time(b"\xff\0\0\0\0\0\0\0\0\0\0\x01"));
        assert!(!is_time(b"\xff\xff\xff\xff\0\0\0\0\0\0\0\x01"));
    }
}
