//! Changes of tar headers: each field that some reader acts on, in forms that readers read differently.

use super::draft::{BLOCK, Draft, Member, record};
use super::images::Pair;
use super::random::Random;

/// Changes the header of one entry, or puts one in front of it; says what was done.
pub(crate) fn change(draft: &mut Draft, pair: &Pair, random: &mut Random) -> String {
    let number = target(draft, random);
    let other = other_name(draft, pair, random);
    let member = &mut draft.members[number];
    let what = match random.below(13) {
        0 | 1 => mode(member, random, &other),
        2 => kind(member, random, &other),
        3 => link(member, random, &other),
        4 => magic(member, random),
        5 => size(member, random),
        6 => prefix(member, random),
        7 => owner(member, random),
        8 => name_field(member, random),
        9 => flip(member, random),
        10 => gnu_times(member, random),
        _ => announced(member, random, &other),
    };
    format!("{what} of entry {number} ({})", member.name())
}

/// The entry that is changed: every other time a document, because readers begin there.
fn target(draft: &Draft, random: &mut Random) -> usize {
    let documents = ["manifest.json", "index.json"];
    let found = draft.members.iter().position(|it| documents.contains(&it.name().as_str()));
    match found {
        Some(number) if random.one_in(2) => number,
        _ => random.below(draft.members.len()),
    }
}

/// The name of another entry, of this archive or of the evil image.
fn other_name(draft: &Draft, pair: &Pair, random: &mut Random) -> String {
    let stocked = draft.members.iter().find(|member| member.name() == "evil-manifest.json");
    match (stocked, random.below(4)) {
        (Some(evil), 0 | 1) => evil.name(),
        (_, 0 | 2) => random.pick(&draft.members).name(),
        _ => random.pick(&pair.parts).0.clone(),
    }
}

const LINK: (usize, usize) = (157, 100);

fn mode(member: &mut Member, random: &mut Random, other: &str) -> String {
    const FORMS: [&[u8]; 20] = [
        b"0100644\0",
        b"0120644\0",
        b"0120777\0",
        b"0040755\0",
        b"0020644\0",
        b"0060644\0",
        b"0010644\0",
        b"0140644\0",
        b"\x000120644",
        b" 120644\0",
        b"120644 \0",
        b"0000644\0",
        b"0000444\0",
        b"0000000\0",
        b"0004755\0",
        b"0001777\0",
        b"\x80\0\0\0\0\0\xa1\xa4",
        b"\x80\0\0\0\0\0\x81\xa4",
        b"644\x00120\0",
        b"\0\0\0\0\0\0\0\0",
    ];
    // The link type first of all: Go takes it from here.
    let form = if random.one_in(3) { &&b"0120644\0"[..] } else { random.pick(&FORMS) };
    member.set(100, 8, form);
    if !random.one_in(3) {
        member.set(LINK.0, LINK.1, other.as_bytes());
    }
    format!("mode {:?}", String::from_utf8_lossy(form))
}

fn kind(member: &mut Member, random: &mut Random, other: &str) -> String {
    let kind = *random.pick(b"0\x00012567gxLKSVMDNXA ");
    member.set(156, 1, &[kind]);
    if random.one_in(2) {
        member.set(LINK.0, LINK.1, other.as_bytes());
    }
    format!("type {:?}", char::from(kind))
}

fn link(member: &mut Member, random: &mut Random, other: &str) -> String {
    let target = match random.below(4) {
        0 => other.to_owned(),
        1 => format!("../{other}"),
        2 => format!("/{other}"),
        _ => format!("./{other}"),
    };
    member.set(LINK.0, LINK.1, target.as_bytes());
    format!("link name {target:?}")
}

fn magic(member: &mut Member, random: &mut Random) -> String {
    const FORMS: [&[u8]; 7] = [
        b"ustar\x0000",
        b"ustar  \0",
        b"\0\0\0\0\0\0\0\0",
        b"ustar\0\0\0",
        b"ustar\x0001",
        b"ustar \0\0",
        b"USTAR\x0000",
    ];
    let form = random.pick(&FORMS);
    member.set(257, 8, form);
    if random.one_in(4) {
        member.set(508, 4, b"tar\0");
    }
    format!("magic {:?}", String::from_utf8_lossy(form))
}

fn size(member: &mut Member, random: &mut Random) -> String {
    let size = member.content.len() as u64;
    let stated = match random.below(6) {
        0 => size + 1,
        1 => size.saturating_sub(1),
        2 => size + BLOCK as u64,
        3 => 0,
        _ => size,
    };
    let field = match random.below(6) {
        0 => [&[0x80, 0, 0, 0][..], &stated.to_be_bytes()].concat(),
        1 => format!("{stated:11o} ").into_bytes(),
        2 => format!("{stated:o} ").into_bytes(),
        3 => format!("{stated:012o}").into_bytes(),
        4 => format!(" {stated:010o}\0").into_bytes(),
        _ => format!("{stated:011o}").into_bytes(),
    };
    member.set(124, 12, &field);
    format!("size {:?}", String::from_utf8_lossy(&field))
}

/// Moves the directory of a name into the prefix field, or puts something else there.
fn prefix(member: &mut Member, random: &mut Random) -> String {
    let name = member.name();
    match (name.rsplit_once('/'), random.below(3)) {
        (Some((directory, rest)), 0 | 1) if !rest.is_empty() => {
            let (directory, rest) = (directory.to_owned(), rest.to_owned());
            member.rename(rest.as_bytes());
            member.set(345, 155, directory.as_bytes());
        }
        _ => {
            const FORMS: [&[u8]; 5] = [b".", b"x", b"..", b"/", b"\0x"];
            let form: &&[u8] = random.pick(&FORMS);
            member.set(345, 155, form);
        }
    }
    "prefix".to_owned()
}

/// A field that only says whose the entry is, or when it was made.
fn owner(member: &mut Member, random: &mut Random) -> String {
    const FIELDS: [(usize, usize, &str); 7] = [
        (108, 8, "uid"),
        (116, 8, "gid"),
        (136, 12, "mtime"),
        (265, 32, "uname"),
        (297, 32, "gname"),
        (329, 8, "devmajor"),
        (337, 8, "devminor"),
    ];
    const FORMS: [&[u8]; 10] = [
        b"0001750\0",
        b"1750\0",
        b"   1750\0",
        b"\0\0\0\0\0\0\0\0",
        b"-000001\0",
        b"\x80\0\0\0\0\0\0\x01",
        b"\xff\xff\xff\xff\xff\xff\xff\xff",
        b"root",
        b"0000000 ",
        b"9",
    ];
    let (at, width, name) = *random.pick(&FIELDS);
    let form = random.pick(&FORMS);
    member.set(at, width, form);
    format!("{name} {:?}", String::from_utf8_lossy(form))
}

fn name_field(member: &mut Member, random: &mut Random) -> String {
    let name = member.name();
    let new = match random.below(8) {
        0 => format!("./{name}"),
        1 => format!("{name}/"),
        2 => format!("{name}\0.evil"),
        3 => format!(".//{name}"),
        4 => name.to_uppercase(),
        5 => format!("{name}."),
        6 => format!("{name} "),
        _ => name.replace('/', "//"),
    };
    member.rename(new.as_bytes());
    format!("name {new:?}")
}

/// A GNU header whose times some readers take for a prefix.
fn gnu_times(member: &mut Member, random: &mut Random) -> String {
    const TIMES: [&[u8]; 9] = [
        b"00000000001\0",
        b"1",
        b"x",
        b"\0\0\0\0\0\0\0\0\0\0\0\x01",
        b" 1\0",
        b"\xff\0\0\0\0\0\0\0\0\0\0\x01",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe",
        b"\x80\0\0\0\0\0\0\0\0\0\0\x01",
        b"\xc0\0\0\0\0\0\0\0\0\0\0\x01",
    ];
    member.set(257, 8, b"ustar  \0");
    let (atime, ctime): (&&[u8], &&[u8]) = (random.pick(&TIMES), random.pick(&TIMES));
    member.set(345, 12, atime);
    member.set(357, 12, ctime);
    format!("GNU times {atime:?} and {ctime:?}")
}

fn flip(member: &mut Member, random: &mut Random) -> String {
    let at = random.below(BLOCK);
    let byte = *random.pick(&[0, b' ', b'0', b'1', b'2', b'7', b'/', b'x', 0x7f, 0x80, 0xff]);
    member.header[at] = byte;
    if !random.one_in(8) {
        member.sum();
    }
    format!("byte {at} as {byte:#x}")
}

/// A PAX or GNU header in front of the entry.
fn announced(member: &mut Member, random: &mut Random, other: &str) -> String {
    let size = member.content.len().to_string();
    let name = member.name();
    let own = name.clone().into_bytes();
    let records: [(&str, Vec<u8>); 18] = [
        ("path", own.clone()),
        ("path", other.into()),
        ("linkpath", other.into()),
        ("size", size.clone().into()),
        ("size", b"0".to_vec()),
        ("mtime", b"1700000000.123456789".to_vec()),
        ("uid", b"1000".to_vec()),
        ("gname", b"root".to_vec()),
        ("comment", b"hello".to_vec()),
        ("hdrcharset", b"BINARY".to_vec()),
        ("SCHILY.xattr.user.x", b"y".to_vec()),
        ("GNU.sparse.major", b"1".to_vec()),
        ("GNU.sparse.name", other.into()),
        ("LIBARCHIVE.creationtime", b"1700000000".to_vec()),
        ("SCHILY.realsize", b"5".to_vec()),
        ("SCHILY.filetype", b"symlink".to_vec()),
        ("PATH", other.into()),
        ("path", Vec::new()),
    ];
    let (key, value) = random.pick(&records);
    let (kind, data) = match random.below(10) {
        0 => (b'L', [other.as_bytes(), b"\0"].concat()),
        1 => (b'L', [&own[..], b"\0"].concat()),
        2 => (b'K', [other.as_bytes(), b"\0"].concat()),
        3 => (b'g', record(key, value)),
        4 => (b'x', [record(key, value), record("path", &own)].concat()),
        _ => (b'x', record(key, value)),
    };
    let mut blocks = Member::special(kind, "PaxHeaders/x", &data);
    blocks.append(&mut member.before);
    member.before = blocks;
    format!("{:?} header with {key}={}", char::from(kind), String::from_utf8_lossy(value))
}
