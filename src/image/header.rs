//! One tar header block, decoded strictly: every field that some loader acts on has one reading, or
//! the header is refused.
//!
//! | field | who acts on it | our rule |
//! |---|---|---|
//! | name, prefix | all | text up to its NUL, then NULs; a prefix only with the magic of ustar; what it may be is asked in `tar` and `path` |
//! | mode | Go: its type bits decide what skopeo, podman and buildah take the entry for, whatever the type flag says; who unpacks sets the rest | octal; type bits none or those of the type flag; set-user-id, set-group-id and sticky on directories only |
//! | uid, gid | who unpacks as root | octal or base-256, not negative |
//! | size | all | the same, below 2^63; none for directories and links (`tar`) |
//! | mtime | who unpacks | octal or base-256, above -2^63 |
//! | checksum | all; Go also takes a sum over signed bytes | octal, the sum over unsigned bytes |
//! | type flag | all | `0`, NUL, `5`, `2`; `x`, `g`, `L` and `K` before them; no NUL with a name that ends in `/`, which is a directory for Go and a file for others |
//! | link name | all, for links; Go and who asks for the mode, for any entry | a link's only, then as a name |
//! | magic, version | all: it chooses the fields that follow | ustar with version 00, GNU, or nothing (the old format) |
//! | uname, gname | who unpacks by name | text without control characters |
//! | devmajor, devminor | who unpacks devices | 0 |
//! | atime, ctime (GNU) | Go takes odd ones for a prefix | octal or base-256, not negative |
//! | the rest (GNU: offset, sparse map, real size; star: times, magic) | who expands sparse files | NULs |
//!
//! The headers that describe another one (`x`, `g`, `L`, `K`) keep the same rules. What a PAX header may
//! say is in `pax`. The block's layout is the `tar` crate's; its number parsing is not used, because it
//! accepts signs and drops the high bytes of base-256 numbers.
//!
//! Of a gzip header's fields (name, comment, extra, time) no loader acts on any; what hides in one is
//! found only by a reader that takes the whole for a tar archive, which `inflate` excludes.

use tar::Header as Block;

use super::field::{self, is_filling, is_owner, is_time, is_zero, number, octal};
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

/// How many bytes fill the last block of a content of `size` bytes.
pub(super) const fn padding(size: u64) -> u64 {
    const WHOLE: u64 = BLOCK as u64;
    match size % WHOLE {
        0 => 0,
        used => WHOLE.saturating_sub(used),
    }
}

/// Whether the block's checksum is right: the one test that distinguishes a tar archive from other data.
pub(super) fn checksum_holds(bytes: &[u8; BLOCK]) -> bool {
    let field = &Block::from_byte_slice(bytes).as_old().cksum;
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    let spaces = (field.len() as u64).saturating_mul(u64::from(b' '));
    let expected = sum(bytes).saturating_sub(sum(field)).saturating_add(spaces);
    octal(field) == Some(expected)
}

/// Whether any loader could take the block for a header. Laxer than [`checksum_holds`], because here
/// a yes is what refuses: Go also takes a sum over signed bytes, NULs in front of the number, anything
/// after a NUL, and negative base-256 numbers.
pub(super) fn may_be_header(bytes: &[u8]) -> bool {
    let Some(bytes) = bytes.first_chunk::<BLOCK>() else { return false };
    let field = &Block::from_byte_slice(bytes).as_old().cksum;
    let spaces = (field.len() as i64).saturating_mul(i64::from(b' '));
    let unsigned = |bytes: &[u8]| bytes.iter().map(|byte| i64::from(*byte)).sum::<i64>();
    let signed = |bytes: &[u8]| bytes.iter().map(|byte| i64::from(byte.cast_signed())).sum::<i64>();
    let sums = [
        unsigned(bytes).saturating_sub(unsigned(field)),
        signed(bytes).saturating_sub(signed(field)),
    ];
    lax_number(field)
        .is_some_and(|stated| sums.iter().any(|sum| sum.saturating_add(spaces) == stated))
}

/// A checksum field as Go reads it.
fn lax_number(field: &[u8; 8]) -> Option<i64> {
    let [first, ..] = field;
    let binary = i64::from_be_bytes(*field);
    match first >> 6 {
        0b11 => Some(binary),
        0b10 => Some(binary & i64::MAX),
        _ => {
            let start = field.iter().position(|byte| !is_filling(*byte)).unwrap_or(field.len());
            let digits = field.get(start..)?.split(|byte| *byte == 0).next()?;
            octal(digits).and_then(|value| i64::try_from(value).ok())
        }
    }
}

/// Decodes a block whose checksum holds.
pub(super) fn parse(bytes: &[u8; BLOCK]) -> Result<Header, Fault> {
    let block = Block::from_byte_slice(bytes);
    let old = block.as_old();
    let [kind] = old.linkflag;
    if !matches!(kind, 0 | b'0' | b'2' | b'5' | b'x' | b'g' | b'L' | b'K') {
        return Err(refused_type(kind));
    }
    check_mode(&old.mode, kind)?;
    if number(&old.uid).is_none() || number(&old.gid).is_none() {
        return Err(malformed("the user or group is not an octal or a positive base-256 number"));
    }
    if !is_time(&old.mtime) {
        return Err(malformed("the time is not an octal or a base-256 number"));
    }
    let size = number(&old.size)
        .ok_or_else(|| malformed("the size is not an octal or a positive base-256 number"))?;
    let hidden = || malformed("something follows the end of a name in the header");
    let mut name = field::text(&old.name).ok_or_else(hidden)?.to_vec();
    let link = field::text(&old.linkname).ok_or_else(hidden)?.to_vec();
    if !link.is_empty() && kind != b'2' {
        return Err(link_on_another());
    }
    let prefix = check_format(block, bytes)?;
    if !prefix.is_empty() {
        name = [prefix, b"/", &name].concat();
    }
    if kind == 0 && name.ends_with(b"/") {
        return Err(malformed(
            "the type is NUL and the name ends in \"/\", which some loaders take for a directory",
        ));
    }
    Ok(Header { kind, name, link, size })
}

/// The name in a header that was refused, for messages.
pub(super) fn shown_name(bytes: &[u8; BLOCK]) -> Vec<u8> {
    Block::from_byte_slice(bytes).path_bytes().into_owned()
}

/// The fields that depend on the format; says what the prefix is.
fn check_format<'a>(block: &'a Block, bytes: &'a [u8; BLOCK]) -> Result<&'a [u8], Fault> {
    let rest = |start: usize| bytes.get(start..).unwrap_or_default();
    let check = |owners: [&[u8]; 2], devices: [&[u8]; 2]| {
        if !owners.into_iter().all(is_owner) {
            return Err(malformed("the user's or group's name is not plain text"));
        }
        if !devices.into_iter().all(|device| octal(device) == Some(0)) {
            return Err(malformed("the header of a file has device numbers"));
        }
        Ok(())
    };
    if let Some(ustar) = block.as_ustar() {
        check([&ustar.uname, &ustar.gname], [&ustar.dev_major, &ustar.dev_minor])?;
        // "tar\0" at the end marks the star format, whose prefix is shorter.
        if bytes.ends_with(b"tar\0") {
            return Err(malformed("the header is in star format"));
        }
        let prefix = field::text(&ustar.prefix).filter(|_| is_zero(&ustar.pad));
        prefix.ok_or_else(|| malformed("something follows the end of the header's prefix"))
    } else if let Some(gnu) = block.as_gnu() {
        check([&gnu.uname, &gnu.gname], [&gnu.dev_major, &gnu.dev_minor])?;
        // Go takes a GNU header with times that it can't read for its own old bug, and reads a prefix there.
        let times = number(&gnu.atime).is_some() && number(&gnu.ctime).is_some();
        if !times || !is_zero(rest(369)) {
            return Err(malformed("the GNU header has unexpected fields"));
        }
        Ok(&[])
    } else if is_zero(rest(257).get(..72).unwrap_or_default()) && is_zero(rest(345)) {
        // GNU tar writes the device's numbers in the old format too.
        let (major, minor) = rest(329).get(..16).unwrap_or_default().split_at(8);
        check([&[], &[]], [major, minor])?;
        Ok(&[])
    } else {
        // Some readers take a prefix there whatever the magic says.
        Err(malformed("the header has an unknown format"))
    }
}

/// The mode: its type bits say the same as the type flag, or nothing.
fn check_mode(field: &[u8; 8], kind: u8) -> Result<(), Fault> {
    let mode = octal(field).ok_or_else(|| malformed("the mode is not an octal number"))?;
    let own = match kind {
        b'5' => 0o040_000,
        b'2' => 0o120_000,
        _ => 0o100_000,
    };
    let (kinds, special) = (mode & !0o7777, mode & 0o7000);
    if kinds != 0 && kinds != own {
        return Err(Fault::new(
            Code::EntryTypeRefused,
            format!(
                "the mode says {}, the type flag says {}, and loaders differ in which they believe",
                kind_of_mode(kinds),
                kind_of_mode(own)
            ),
        ));
    }
    // Directories inherit the group from the one they are made in.
    let allowed = if kind == b'5' { 0o3000 } else { 0 };
    if special & !allowed != 0 {
        return Err(Fault::new(
            Code::EntryTypeRefused,
            "the mode has set-user-id, set-group-id or sticky bits, which no image writer sets",
        ));
    }
    Ok(())
}

const fn kind_of_mode(bits: u64) -> &'static str {
    match bits {
        0o010_000 => "FIFO",
        0o020_000 => "character device",
        0o040_000 => "directory",
        0o060_000 => "block device",
        0o100_000 => "regular file",
        0o120_000 => "symbolic link",
        0o140_000 => "socket",
        _ => "a type that does not exist",
    }
}

fn refused_type(kind: u8) -> Fault {
    let what = match kind {
        b'1' => "a hard link".to_owned(),
        b'3' => "a character device".to_owned(),
        b'4' => "a block device".to_owned(),
        b'6' => "a FIFO".to_owned(),
        b'7' => "a contiguous file (type 7)".to_owned(),
        b'S' => "a sparse file".to_owned(),
        other => format!("an entry of type {:?}", char::from(other)),
    };
    Fault::new(Code::EntryTypeRefused, format!("{what}, which no image writer uses"))
}

/// The fault of an entry that has a link target and is not a link.
pub(super) fn link_on_another() -> Fault {
    Fault::new(
        Code::EntryTypeRefused,
        "an entry that is no symbolic link has a link target, which some loaders follow",
    )
}

/// The fault of a header that is damaged or means two things.
pub(super) fn malformed(reason: &str) -> Fault {
    Fault::new(Code::ArchiveMalformed, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let signed = octal(field).unwrap() - 25_600;
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
        let times = block(|header| {
            header.as_mut_bytes()[257..265].copy_from_slice(b"ustar  \0");
            header.as_mut_bytes()[345] = b'1';
            header.as_mut_bytes()[357..369].copy_from_slice(b"\xff\0\0\0\0\0\0\0\0\0\0\x01");
        });
        for bad in [star, old, gnu, times] {
            assert_eq!(parse(&bad).unwrap_err().code(), Code::ArchiveMalformed);
        }
        let mut flipped = plain;
        flipped[0] ^= 1;
        assert!(!checksum_holds(&flipped));
    }
}
