//! Tar headers: one grammar for every field that some loader acts on, and what real writers write
//! passes it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use sealift::verdict::Code;
use tar::Header;

use crate::sample::{Image, docker, oci, read_all_ways, refused, verify};
use crate::support::tar::Tar;

/// The good docker archive, the header of its `manifest.json` changed.
fn changed(kind: u8, link: &str, change: impl Fn(&mut Header)) -> Vec<u8> {
    let good = Image::new("good");
    Tar::new()
        .files(&good.docker_files("g"))
        .entry(kind, "manifest.json", link, format!("[{}]", good.item("g")).as_bytes(), change)
        .finish()
}

fn answer(bytes: &[u8]) -> Result<(), Code> {
    verify(bytes, &[Image::new("good").id()])
}

fn with_mode(kind: u8, mode: &[u8; 8]) -> Vec<u8> {
    changed(kind, "", |header| header.as_old_mut().mode = *mode)
}

/// A regular file whose mode says "symbolic link" is a link for skopeo, podman and buildah: they load
/// what it leads to. Docker goes by the type flag.
#[test]
fn a_mode_says_the_same_as_the_type_flag() {
    for kind in [b'0', 0] {
        for mode in [b"0000644\0", b"0100644\0", b"0100644 ", b"000644 \0", b"100644 \0", &[0; 8]] {
            assert_eq!(answer(&with_mode(kind, mode)), Ok(()), "{kind} {mode:?}");
        }
        for mode in [
            b"0120644\0",
            b"0120644 ",
            b"120644\0\0",
            b"120644 \0",
            b"0040755\0",
            b"0010644\0",
            b"0020644\0",
            b"0060644\0",
            b"0140644\0",
            b"0160644\0",
            b"0200644\0",
            b"0300644\0",
            b"1120644\0",
            b"7777777\0",
            b"0104755\0",
            b"0102755\0",
            b"0101755\0",
        ] {
            let fault = refused(&with_mode(kind, mode)).fault;
            assert_eq!(fault.code(), Code::EntryTypeRefused, "{kind} {mode:?}");
            assert!(fault.to_string().contains("manifest.json"), "{fault}");
        }
        for mode in [
            b"\x000120644",
            b" 120644\0",
            b"  120644",
            b"\0\x00100644"[..8].first_chunk().unwrap(),
            b"644\x000120",
            b"0000644x",
            b"+100644\0",
            b"-100644\0",
            b"0o00644\0",
            &[0x80, 0, 0, 0, 0, 0, 0xa1, 0xa4],
            &[0x80, 0, 0, 0, 0, 0, 0x81, 0xa4],
            &[0xff; 8],
            b"        ",
        ] {
            assert_eq!(
                answer(&with_mode(kind, mode)),
                Err(Code::ArchiveMalformed),
                "{kind} {mode:?}"
            );
        }
    }
}

#[test]
fn modes_of_directories_and_links() {
    let good = Image::new("good");
    let with = |kind: u8, name: &str, link: &str, mode: u32| {
        docker(&good).entry(kind, name, link, b"", |header| header.set_mode(mode)).finish()
    };
    for mode in [0o755, 0o040_755, 0o042_775, 0o041_777] {
        assert_eq!(answer(&with(b'5', "d/", "", mode)), Ok(()), "{mode:o}");
    }
    for mode in [0o100_755, 0o120_777, 0o044_755, 0o020_755] {
        assert_eq!(answer(&with(b'5', "d/", "", mode)), Err(Code::EntryTypeRefused), "{mode:o}");
    }
    for mode in [0, 0o777, 0o120_777] {
        let bytes = with(b'2', "l/layer.tar", "../g0/layer.tar", mode);
        // The header is read; that nothing refers to the link is another fault.
        assert_eq!(answer(&bytes), Err(Code::EntryUnreferenced), "{mode:o}");
    }
    for mode in [0o100_644, 0o040_755, 0o124_777] {
        let bytes = with(b'2', "l/layer.tar", "../g0/layer.tar", mode);
        assert_eq!(answer(&bytes), Err(Code::EntryTypeRefused), "{mode:o}");
    }
}

#[test]
fn only_links_lead_elsewhere() {
    let good = Image::new("good");
    assert_eq!(answer(&changed(b'0', "evil.json", |_| {})), Err(Code::EntryTypeRefused));
    for tar in [
        docker(&good).entry(b'5', "d/", "g0", b"", |_| {}),
        docker(&good).entry(b'0', "x", "", b"", |header| header.as_old_mut().linkname[99] = b'x'),
        docker(&good).long(b'K', "g.json").file("x", ""),
        docker(&good).long(b'K', "g.json").directory("d/"),
        docker(&good).pax(b'x', &[("linkpath", "g.json")]).file("x", ""),
        Tar::new().entry(b'x', "PaxHeader", "g.json", b"", |_| {}).raw(&docker(&good).cut()),
    ] {
        let code = refused(&tar.finish()).fault.code();
        assert!(matches!(code, Code::EntryTypeRefused | Code::ArchiveMalformed), "{code:?}");
    }
}

/// Each field in a form that some reader takes and another one doesn't, or that no writer writes.
#[test]
fn fields_with_two_readings_are_refused() {
    let cases: [(&str, usize, &[u8]); 30] = [
        ("name", 20, b"x"),
        ("uid", 108, b" 000000\0"),
        ("uid", 108, b"+000000\0"),
        ("uid", 108, b"00\x000000\0"),
        ("uid", 108, &[0xff; 8]),
        ("gid", 116, b"\x000000000"),
        ("gid", 116, b"0000008\0"),
        ("size", 124, b" "),
        ("size", 124, b"\0"),
        ("size", 124, b"+"),
        ("size", 124, b"-"),
        ("size", 124, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        ("size", 124, &[0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        ("mtime", 136, b"-0000000001\0"),
        ("mtime", 136, b"0000000000x\0"),
        ("mtime", 136, b" "),
        ("link", 200, b"x"),
        ("magic", 257, b"ustax"),
        ("magic", 257, b"USTAR"),
        ("magic", 257, b"ustar\x0001"),
        ("magic", 257, b"ustar \x0000"),
        ("magic", 257, b"\0\0\0\0\0\0\0\0"),
        ("uname", 265, b"ro\x00ot"),
        ("uname", 265, b"a\x1b[2J"),
        ("gname", 297, b"\x00x"),
        ("devmajor", 329, b"0000010\0"),
        ("devminor", 337, b"       1"),
        ("prefix", 345, b"\0x"),
        ("prefix", 499, b"x"),
        ("padding", 511, b"x"),
    ];
    for (field, at, value) in cases {
        let bytes = changed(b'0', "", |header| {
            header.as_old_mut().name[90..].fill(0);
            let ustar = header.as_ustar_mut().unwrap();
            ustar.uname[..4].copy_from_slice(b"root");
            header.as_mut_bytes()[at..at + value.len()].copy_from_slice(value);
        });
        let code = refused(&bytes).fault.code();
        assert!(
            matches!(code, Code::ArchiveMalformed | Code::ArchiveTruncated),
            "{field} {value:?}: {code:?}"
        );
    }
    assert_eq!(answer(&changed(b'0', "", |_| {})), Ok(()));
}

/// A checksum that Go takes, a sum over signed bytes or one in base-256, makes no header here.
#[test]
fn checksums_are_one_number() {
    let good = docker(&Image::new("good")).finish();
    let change = |value: &dyn Fn(u32) -> Vec<u8>| {
        let mut bytes = good.clone();
        let sum: u32 = bytes[..148].iter().chain(&bytes[156..512]).map(|b| u32::from(*b)).sum();
        bytes[148..156].copy_from_slice(&value(sum + 256));
        answer(&bytes)
    };
    assert_eq!(change(&|sum| format!("{sum:06o}\0 ").into_bytes()), Ok(()));
    assert_eq!(change(&|sum| format!("{sum:07o}\0").into_bytes()), Ok(()));
    for bad in [
        change(&|sum| format!(" {sum:06o}\0").into_bytes()),
        change(&|sum| format!("\0{sum:06o}\0").into_bytes()),
        change(&|sum| format!("{sum:06o}\0x").into_bytes()),
        change(&|sum| [&[0x80, 0, 0, 0][..], &sum.to_be_bytes()].concat()),
    ] {
        assert_eq!(bad, Err(Code::ArchiveMalformed));
    }
}

/// The headers that describe another one keep the same rules; a global one is an entry for Go, and
/// Docker deletes what it unpacked under its name.
#[test]
fn extended_headers_obey_the_same_rules() {
    let good = docker(&Image::new("good")).cut();
    let special = |kind: u8, name: &str, data: &[u8], change: &dyn Fn(&mut Header)| {
        Tar::new().entry(kind, name, "", data, change).raw(&good).finish()
    };
    let comment = b"13 comment=x\n";
    for kind in *b"xLK" {
        let data = if kind == b'x' { &comment[..] } else { b"manifest.json\0" };
        let bytes = special(kind, "n", data, &|header| header.set_mode(0o120_644));
        assert_eq!(refused(&bytes).fault.code(), Code::EntryTypeRefused);
        let bytes = special(kind, "n", data, &|header| header.as_mut_bytes()[511] = 1);
        assert_eq!(refused(&bytes).fault.code(), Code::ArchiveMalformed);
    }
    for (name, expected) in [
        ("pax_global_header", Ok(())),
        ("././@PaxHeader", Ok(())),
        ("manifest.json", Err(Code::ArchiveMalformed)),
        ("g0", Err(Code::ArchiveMalformed)),
        ("evil/x", Err(Code::ArchiveMalformed)),
        ("../x", Err(Code::ArchiveMalformed)),
    ] {
        assert_eq!(answer(&special(b'g', name, comment, &|_| {})), expected, "{name}");
    }
    for name in ["pax_global_header", "PAX_GLOBAL_HEADER/x", "./@PaxHeader"] {
        let tar = docker(&Image::new("good")).file(name, "");
        assert_eq!(refused(&tar.finish()).fault.code(), Code::ArchiveMalformed);
    }
    for record in [("mtime", "x"), ("VENDOR.x", "1"), ("SCHILY.xattr.user.containers.x", "1")] {
        let tar = docker(&Image::new("good")).pax(b'x', &[record]).file("x", "");
        assert_eq!(refused(&tar.finish()).fault.code(), Code::ArchiveMalformed, "{record:?}");
    }
}

/// Names that are one file where case is folded, and names that a file system gives to another file.
#[test]
fn names_are_unique_everywhere() {
    let good = Image::new("good");
    let layout = || oci(&good.blobs(), &[good.index_entry()]);
    for name in ["INDEX.JSON", "Index.json", "Oci-Layout", "BLOBS/x", "blobs/SHA256/x", "Blobs"] {
        let fault = refused(&layout().file(name, "x").finish()).fault;
        assert_eq!(fault.code(), Code::EntryDuplicate, "{name}");
        let fault = refused(&layout().directory(name).finish()).fault;
        assert_eq!(fault.code(), Code::EntryDuplicate, "{name}/");
    }
    let (name, content) = good.blobs().remove(0);
    let upper = name.replace("blobs/sha256/", "");
    let twin = format!("blobs/sha256/{}", upper.to_ascii_uppercase());
    assert_eq!(refused(&layout().file(&twin, content).finish()).fault.code(), Code::EntryDuplicate);
    let tar = layout().link("X/layer.tar", "../index.json").file("x/layer.tar", "");
    assert_eq!(refused(&tar.finish()).fault.code(), Code::EntryDuplicate);
    for name in [
        "index.json.",
        "index.json ",
        " index.json",
        "index.json::$DATA",
        "index.json:x",
        "INDEX~1.JSO",
        "blobs./x",
        "index.\u{200b}json",
        "index.j\u{17f}on",
        "\u{feff}index.json",
        "nul",
        "x/con.json",
    ] {
        let fault = refused(&layout().file(name, "x").finish()).fault;
        assert_eq!(fault.code(), Code::EntryNameUnsafe, "{name:?}");
    }
}

/// How the writers of images that are at hand for no test write their headers.
#[test]
fn headers_of_real_writers_pass() {
    type Style = fn(&mut Header);
    let styles: [(&str, Style); 8] = [
        ("Go, classic Docker store", |header| {
            header.set_mode(0o100_644);
            let ustar = header.as_ustar_mut().unwrap();
            ustar.uname[..4].copy_from_slice(b"root");
            ustar.gname[..4].copy_from_slice(b"root");
            ustar.dev_major = *b"0000000\0";
            ustar.dev_minor = *b"0000000\0";
        }),
        ("Go, crane and kaniko", |header| header.set_mode(0o444)),
        ("Apache Commons Compress, jib", |header| {
            let ustar = header.as_ustar_mut().unwrap();
            ustar.mode = *b"0100644 ";
            ustar.uid = *b"0000000 ";
            ustar.gid = *b"0000000 ";
            ustar.mtime = *b"00000000001 ";
            ustar.size[11] = b' ';
            ustar.dev_major = *b"0000000 ";
            ustar.dev_minor = *b"0000000 ";
            ustar.uname[..7].copy_from_slice(b"jenkins");
        }),
        ("libarchive, bsdtar", |header| {
            let ustar = header.as_ustar_mut().unwrap();
            ustar.mode = *b"000644 \0";
            ustar.uid = *b"001750 \0";
            ustar.gid = *b"001750 \0";
            ustar.mtime = *b"14371573600 ";
            ustar.size[11] = b' ';
            ustar.dev_major = *b"000000 \0";
            ustar.dev_minor = *b"000000 \0";
            ustar.uname[..5].copy_from_slice(b"J\xc3\xb6rg");
        }),
        ("GNU tar with large ids", |header| {
            header.as_mut_bytes()[257..265].copy_from_slice(b"ustar  \0");
            let old = header.as_old_mut();
            old.uid = [0x80, 0, 0, 0, 0x4b, 0x39, 0x4f, 0xe8];
            old.gid = [0x80, 0, 0, 0, 0x4b, 0x39, 0x4f, 0xe8];
            old.mtime = [0xff; 12];
        }),
        ("GNU tar, incremental", |header| {
            let bytes = header.as_mut_bytes();
            bytes[257..265].copy_from_slice(b"ustar  \0");
            bytes[345..357].copy_from_slice(b"14371573600\0");
            bytes[357..369].copy_from_slice(b"14371573600\0");
        }),
        ("the old format", |header| {
            header.as_mut_bytes()[257..].fill(0);
            header.as_old_mut().linkflag[0] = 0;
        }),
        ("7-Zip", |header| header.set_mode(0o100_777)),
    ];
    let good = Image::new("good");
    let mut files = good.docker_files("g");
    files.push(("manifest.json".into(), format!("[{}]", good.item("g")).into_bytes()));
    for (writer, style) in styles {
        let tar = files
            .iter()
            .fold(Tar::new(), |tar, (name, content)| tar.entry(b'0', name, "", content, style));
        assert_eq!(answer(&tar.finish()), Ok(()), "{writer}");
    }
    // .NET writes a PAX header before every entry.
    let tar = files.iter().fold(Tar::new(), |tar, (name, content)| {
        tar.pax(b'x', &[("path", name), ("mtime", "1700000000.1234567")]).file(name, content)
    });
    assert_eq!(answer(&tar.finish()), Ok(()));
}

/// Runs a program with this input; `None` where it is not there.
fn run(program: &str, arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "{program} {arguments:?}");
    Some(output.stdout)
}

/// Rewrites the tar archive on standard input in the format that is named.
const REWRITE: &str = "
import sys, tarfile
old = tarfile.open(fileobj=sys.stdin.buffer, mode='r|')
new = tarfile.open(fileobj=sys.stdout.buffer, mode='w|', format=getattr(tarfile, sys.argv[1] + '_FORMAT'))
for info in old:
    info.mtime = 1.5
    info.uname = 'root'
    new.addfile(info, old.extractfile(info) if info.isfile() else None)
new.close()
";

#[test]
fn archives_of_python_and_tar_pass() {
    let good = Image::new("good");
    let bytes = oci(&good.blobs(), &[good.index_entry()]).directory("blobs/").finish();
    for format in ["USTAR", "GNU", "PAX"] {
        let Some(written) = run("python3", &["-c", REWRITE, format], &bytes) else {
            eprintln!("skipped: no python3");
            break;
        };
        assert_ne!(written, bytes);
        assert_eq!(answer(&written), Ok(()), "{format}");
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in oci_files(&good) {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let at = folder.path().to_str().unwrap();
    for arguments in [
        &["--format=gnu", "-C", at, "-c", "."][..],
        &["--format=posix", "-C", at, "-c", "."],
        &["--format=ustar", "-C", at, "-c", "."],
        &["--format=v7", "-C", at, "-c", "."],
        &["--format=gnu", "-C", at, "-c", "oci-layout", "index.json", "blobs"],
    ] {
        let Some(written) = run("tar", arguments, b"") else {
            eprintln!("skipped: no tar");
            break;
        };
        assert_eq!(answer(&written), Ok(()), "{arguments:?}");
    }
    for format in ["paxr", "pax", "ustar", "gnutar", "v7tar"] {
        let arguments = ["--format", format, "-C", at, "-c", "-f", "-", "."];
        let Some(written) = run("bsdtar", &arguments, b"") else {
            eprintln!("skipped: no bsdtar");
            break;
        };
        assert_eq!(answer(&written), Ok(()), "{format}");
    }
}

fn oci_files(image: &Image) -> Vec<(String, Vec<u8>)> {
    let mut files = image.blobs();
    files.push(("oci-layout".into(), crate::sample::LAYOUT.into()));
    files.push(("index.json".into(), crate::sample::index(&[image.index_entry()])));
    files
}

/// Lists the tar archives on standard input, each behind its length in eight bytes, one line each.
const LIST: &str = "
import io, struct, sys, tarfile
while True:
    head = sys.stdin.buffer.read(8)
    if not head: break
    data = sys.stdin.buffer.read(struct.unpack('>Q', head)[0])
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        print(';'.join('%s %s %d %s' % (i.name.removeprefix('./'), i.type.decode().replace(chr(0), '0'), i.size, i.linkname) for i in tar))
";

/// Whatever bytes of a header are changed, an archive that is accepted has the entries that it had, for
/// Python too.
#[test]
fn accepted_headers_mean_the_same_to_python() {
    let good = docker(&Image::new("good")).finish();
    let id = Image::new("good").id();
    let headers: Vec<usize> = (0..good.len())
        .step_by(512)
        .filter(|at| {
            good[at + 257..at + 262] == *b"ustar" && good[*at] == b'g' || good[*at] == b'm'
        })
        .collect();
    // xorshift, so that a failure comes again.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let values = [0, b' ', b'0', b'1', b'7', b'/', b'.', b'x', b'a', 0x80, 0xff, 0x1f, b'2', b'5'];
    let mut accepted = Vec::new();
    for _ in 0..3000 {
        let mut bytes = good.clone();
        let at = headers[random(headers.len())];
        let fields = [100, 108, 116, 124, 136, 148, 156, 157, 257, 265, 297, 329, 337, 345, 500];
        for _ in 0..=random(2) {
            let field = fields[random(fields.len())];
            let place = at + (field + random(12)).min(511);
            bytes[place] = values[random(values.len())];
        }
        let sum: u32 = (0..512)
            .map(|n| if (148..156).contains(&n) { 32 } else { u32::from(bytes[at + n]) })
            .sum();
        bytes[at + 148..at + 156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let mut input = &bytes[..];
        let read = crate::sample::read(sealift::image::Input::Stream(&mut input), 1);
        if read.is_ok_and(|archive| archive.images[0].config == id) {
            accepted.push(bytes);
        }
    }
    assert!(accepted.len() > 100, "{}", accepted.len());
    let mut all = Vec::new();
    for bytes in [&good].into_iter().chain(&accepted) {
        all.extend((bytes.len() as u64).to_be_bytes());
        all.extend(bytes);
    }
    let Some(listed) = run("python3", &["-c", LIST], &all) else {
        eprintln!("skipped: no python3");
        return;
    };
    let listed = String::from_utf8(listed).unwrap();
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.len(), accepted.len() + 1);
    for (line, bytes) in lines.iter().skip(1).zip(&accepted) {
        let header = bytes.chunks(512).find(|block| !good.chunks(512).any(|other| other == *block));
        assert_eq!(*line, lines[0], "{:?}", header.map(String::from_utf8_lossy));
    }
    assert!(read_all_ways(&accepted[0]).is_ok());
}
