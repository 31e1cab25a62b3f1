//! One tar header block, decoded strictly: fields that readers decode differently are refused.
//!
//! Formats: ustar (POSIX.1-1988, with PAX), GNU and the old format without magic. The block's layout
//! is the `tar` crate's; its number parsing is not used, because it accepts signs and drops the high
//! bytes of base-256 numbers.

use tar::Header as Block;

use crate::verdict::{Code, Fault};

/// Size of a tar block in bytes.
pub(super) const BLOCK: usize = 512;

/// The fields that matter here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    /// The type flag.
    pub(super) kind: u8,
    /// Prefix and name, joined.
    pub(super) name: Vec<u8>,
    /// Link target.
    pub(super) link: Vec<u8>,
    /// Size of the content in bytes.
    pub(super) size: u64,
}

/// Whether the block's checksum is right: the one test that tells a tar archive from other data.
pub(super) fn checksum_holds(bytes: &[u8; BLOCK]) -> bool {
    let field = &Block::from_byte_slice(bytes).as_old().cksum;
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    let spaces = (field.len() as u64).saturating_mul(u64::from(b' '));
    let expected = sum(bytes).saturating_sub(sum(field)).saturating_add(spaces);
    number(field) == Some(expected)
}

/// Whether any loader could take the block for a header. Laxer than [`checksum_holds`], because here
/// a yes is what refuses: Go also takes a sum over signed bytes, NULs in front of the number, anything
/// behind a NUL, and negative base-256 numbers.
pub(super) fn may_be_header(bytes: &[u8]) -> bool {
    let Some(bytes) = bytes.first_chunk::<BLOCK>() else { return false };
    let field = &Block::from_byte_slice(bytes).as_old().cksum;
    let spaces = field.len() as i64 * i64::from(b' ');
    let unsigned = |bytes: &[u8]| bytes.iter().map(|byte| i64::from(*byte)).sum::<i64>();
    let signed = |bytes: &[u8]| bytes.iter().map(|byte| i64::from(byte.cast_signed())).sum::<i64>();
    let sums = [unsigned(bytes) - unsigned(field), signed(bytes) - signed(field)];
    lax_number(field).is_some_and(|stated| sums.iter().any(|sum| sum + spaces == stated))
}

/// A checksum field as Go reads it.
fn lax_number(field: &[u8; 8]) -> Option<i64> {
    let [first, ..] = field;
    let binary = i64::from_be_bytes(*field);
    match first >> 6 {
        0b11 => Some(binary),
        0b10 => Some(binary & i64::MAX),
        _ => {
            let filling = |byte: &u8| matches!(byte, 0 | b' ');
            let start = field.iter().position(|byte| !filling(byte)).unwrap_or(field.len());
            let digits = text(field.get(start..)?);
            let end = digits.iter().rposition(|byte| !filling(byte)).map_or(0, |at| at + 1);
            number(digits.get(..end)?).and_then(|value| i64::try_from(value).ok())
        }
    }
}

/// Decodes a block whose checksum holds.
pub(super) fn parse(bytes: &[u8; BLOCK]) -> Result<Header, Fault> {
    let block = Block::from_byte_slice(bytes);
    let old = block.as_old();
    let [kind] = old.linkflag;
    let size = number(&old.size)
        .ok_or_else(|| malformed("the size is not an octal or a positive base-256 number"))?;
    let mut name = text(&old.name).to_vec();
    if let Some(ustar) = block.as_ustar() {
        // "tar\0" at the end marks the star format, whose prefix is shorter.
        if bytes.ends_with(b"tar\0") {
            return Err(malformed("the header is in star format"));
        }
        let prefix = text(&ustar.prefix);
        if !prefix.is_empty() {
            name = [prefix, b"/", &name].concat();
        }
    } else if let Some(gnu) = block.as_gnu() {
        // Go takes a GNU header with odd times for its own old bug and reads a prefix there.
        let times = [&gnu.atime, &gnu.ctime].iter().all(|field| number(*field).is_some());
        let rest = bytes.get(369..).unwrap_or_default();
        if !times || rest.iter().any(|byte| *byte != 0) {
            return Err(malformed("the GNU header has unexpected fields"));
        }
    } else if bytes.get(257..).unwrap_or_default().iter().any(|byte| *byte != 0) {
        // Some readers take a prefix there whatever the magic says.
        return Err(malformed("the header has an unknown format"));
    }
    Ok(Header { kind, name, link: text(&old.linkname).to_vec(), size })
}

/// A field up to its first NUL.
fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// A number: octal digits between spaces in front and spaces or NULs behind, nothing at all for 0,
/// or base-256 with the first bit set (GNU and star), positive and below 2^63.
fn number(field: &[u8]) -> Option<u64> {
    let (first, rest) = field.split_first()?;
    if first & 0x80 != 0 {
        let start = u64::from(first & 0x7f);
        let value = rest.iter().try_fold(start, |value: u64, byte| {
            value.checked_mul(256)?.checked_add(u64::from(*byte))
        })?;
        return (first & 0x40 == 0 && i64::try_from(value).is_ok()).then_some(value);
    }
    let start = field.iter().position(|byte| *byte != b' ').unwrap_or(field.len());
    let digits = field.get(start..)?;
    let end = digits.iter().rposition(|byte| !matches!(byte, 0 | b' ')).map_or(0, |at| at + 1);
    digits_of(digits.get(..end)?, 8)
}

/// A number in digits alone: no sign, no space, no overflow; no digit at all is 0.
pub(super) fn digits_of(text: &[u8], radix: u32) -> Option<u64> {
    text.iter().try_fold(0_u64, |value, byte| {
        let digit = char::from(*byte).to_digit(radix)?;
        value.checked_mul(radix.into())?.checked_add(digit.into())
    })
}

/// The fault of a header that is damaged or means two things.
pub(super) fn malformed(reason: &str) -> Fault {
    Fault::new(Code::ArchiveMalformed, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_go_reads_them() {
        assert_eq!(number(b"00000004000\0"), Some(2048));
        assert_eq!(number(b"   4000 \0\0\0\0"), Some(2048));
        assert_eq!(number(&[0; 12]), Some(0));
        assert_eq!(number(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x08, 0]), Some(2048));
        for bad in [
            &b"+0000004000\0"[..],
            b"-0000004000\0",
            b"0000 004000\0",
            b"00000\x0004000\0",
            b"0000000800\0\0",
            b"\t0000004000\0",
            &[0xff; 12],
            &[0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0],
            &[0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0],
        ] {
            assert_eq!(number(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn what_go_takes_for_a_checksum_may_be_a_header() {
        let lax = |field: &[u8; 8]| lax_number(field);
        assert_eq!(lax(b"\x00012345\0"), Some(0o12345));
        assert_eq!(lax(b" \x00123 \0x"), Some(0o123));
        assert_eq!(lax(&[0x80, 0, 0, 0, 0, 0, 1, 2]), Some(258));
        assert_eq!(lax(&[0xff; 8]), Some(-1));
        assert_eq!(lax(b"12345z\0 "), None);

        let mut bytes = block(|header| header.as_old_mut().name = [0xff; 100]);
        assert!(checksum_holds(&bytes) && may_be_header(&bytes));
        // A sum over signed bytes: 100 bytes count 256 less each.
        let field = &Block::from_byte_slice(&bytes).as_old().cksum;
        let signed = number(field).unwrap() - 25_600;
        bytes[148..156].copy_from_slice(format!("{signed:06o}\0 ").as_bytes());
        assert!(!checksum_holds(&bytes) && may_be_header(&bytes));
        bytes[0] = b'x';
        assert!(!may_be_header(&bytes) && !may_be_header(&bytes[..BLOCK - 1]));
    }

    fn block(change: impl Fn(&mut Block)) -> [u8; BLOCK] {
        let mut header = Block::new_ustar();
        header.set_path("a/b").unwrap();
        header.set_size(5);
        change(&mut header);
        header.set_cksum();
        *header.as_bytes()
    }

    #[test]
    fn prefixes_that_readers_take_differently_are_refused() {
        let plain = block(|_| {});
        assert!(checksum_holds(&plain));
        assert_eq!(parse(&plain).unwrap().name, b"a/b");
        let joined =
            block(|header| header.as_ustar_mut().unwrap().prefix[..3].copy_from_slice(b"dir"));
        assert_eq!(parse(&joined).unwrap().name, b"dir/a/b");
        let star = block(|header| header.as_mut_bytes()[508..].copy_from_slice(b"tar\0"));
        let old = block(|header| {
            header.as_mut_bytes()[257..265].fill(0);
            header.as_mut_bytes()[345] = b'x';
        });
        let gnu = block(|header| {
            header.as_mut_bytes()[257..265].copy_from_slice(b"ustar  \0");
            header.as_mut_bytes()[345] = b'x';
        });
        for bad in [star, old, gnu] {
            assert_eq!(parse(&bad).unwrap_err().code(), Code::ArchiveMalformed);
        }
        let mut flipped = plain;
        flipped[0] ^= 1;
        assert!(!checksum_holds(&flipped));
    }
}
