//! Compressed archives and compressed layers: all members, streams and frames, nothing behind them.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use sealift::image::{Compression, Container};
use sealift::verdict::Code;

use crate::sample::{Image, config, digest, docker, item, read_all_ways, refused, verify};
use crate::support::tar::Tar;

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// The library's encoder is not in our build, so the file is written as LZMA2 chunks without
/// compression; what `xz` itself writes is tested where it is installed.
pub(crate) fn xz(bytes: &[u8]) -> Vec<u8> {
    xz_with(bytes, 0x14)
}

/// `dictionary` is the property byte of the LZMA2 filter.
fn xz_with(bytes: &[u8], dictionary: u8) -> Vec<u8> {
    fn crc(bytes: &[u8]) -> [u8; 4] {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        crc.sum().to_le_bytes()
    }
    fn number(mut value: u64, out: &mut Vec<u8>) {
        while value > 0x7f {
            out.push(value as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
    }
    let flags = [0, 0];
    let mut out = [&[0xfd, b'7', b'z', b'X', b'Z', 0], &flags[..], &crc(&flags)].concat();
    let header = [2, 0, 0x21, 1, dictionary, 0, 0, 0];
    let start = out.len();
    out.extend([&header[..], &crc(&header)].concat());
    for (n, chunk) in bytes.chunks(1 << 16).enumerate() {
        out.push(if n == 0 { 1 } else { 2 });
        out.extend(((chunk.len() - 1) as u16).to_be_bytes());
        out.extend(chunk);
    }
    out.push(0);
    let unpadded = (out.len() - start) as u64;
    out.resize(out.len().next_multiple_of(4), 0);
    let mut index = vec![0, 1];
    number(unpadded, &mut index);
    number(bytes.len() as u64, &mut index);
    index.resize(index.len().next_multiple_of(4), 0);
    out.extend([&index[..], &crc(&index)].concat());
    let size = ((index.len() + 4) / 4 - 1) as u32;
    let footer = [&size.to_le_bytes()[..], &flags].concat();
    out.extend([&crc(&footer)[..], &footer, b"YZ"].concat());
    out
}

type Encoder = fn(&[u8]) -> Vec<u8>;
const ALL: [(Compression, Encoder); 4] = [
    (Compression::Gzip, gzip),
    (Compression::Bzip2, bzip2),
    (Compression::Zstd, zstd),
    (Compression::Xz, xz),
];

#[test]
fn whole_archives_are_decompressed_by_magic() {
    let image = Image::new("good");
    let plain = docker(&image).finish();
    let expected = read_all_ways(&plain).unwrap();
    let (left, right) = plain.split_at(plain.len() / 2);
    for (compression, encode) in ALL {
        for packed in [encode(&plain), [encode(left), encode(right)].concat()] {
            let mut found = read_all_ways(&packed).unwrap();
            assert_eq!(found.container, Container::CompressedTar(compression));
            assert!(found.format().ends_with(&compression.to_string()));
            found.container = Container::Tar;
            assert_eq!(found.segments, Vec::new());
            found.segments.clone_from(&expected.segments);
            assert_eq!(found, expected, "{compression}");
        }
    }
}

#[test]
fn nothing_may_follow_compressed_data() {
    let plain = docker(&Image::new("good")).finish();
    for (compression, encode) in ALL {
        for tail in [&b"garbage"[..], b"x", &[0; 512], &encode(b"more data")] {
            if compression == Compression::Xz && tail.len() == 512 {
                continue; // stream padding, part of the xz format
            }
            let fault = refused(&[&encode(&plain), tail].concat()).fault;
            assert!(
                matches!(
                    fault.code(),
                    Code::CompressionMalformed | Code::ArchiveTruncated | Code::ArchiveMalformed
                ),
                "{compression}: {fault}"
            );
        }
    }
}

#[test]
fn truncated_compressed_archives_say_where() {
    let plain = docker(&Image::new("good")).finish();
    for (compression, encode) in ALL {
        let packed = encode(&plain);
        for end in (8..packed.len()).step_by(7).chain([packed.len() - 1]) {
            let fault = refused(&packed[..end]).fault;
            assert_eq!(fault.code(), Code::ArchiveTruncated, "{compression} {end}: {fault}");
            assert!(fault.to_string().contains(&format!("byte {end}")), "{fault}");
        }
    }
}

#[test]
fn damaged_compressed_archives_are_refused_or_the_same() {
    let image = Image::new("good");
    let plain = docker(&image).finish();
    let signed = BTreeSet::from([image.id()]);
    for (compression, encode) in ALL {
        let packed = encode(&plain);
        let good = read_all_ways(&packed).unwrap();
        for at in 0..packed.len() {
            let mut flipped = packed.clone();
            flipped[at] ^= 1 << (at % 8);
            let found = read_all_ways(&flipped).ok();
            if let Some(found) = found.filter(|found| found.coverage(&signed).is_ok()) {
                assert_eq!(found.images.len(), good.images.len());
                for (a, b) in found.images.iter().zip(&good.images) {
                    assert_eq!(a.candidates, b.candidates, "{compression}");
                    assert_eq!(a.layers, b.layers, "{compression}");
                }
            }
        }
    }
}

#[test]
fn zstd_skips_skippable_frames() {
    let plain = docker(&Image::new("good")).finish();
    let skippable = |number: u8, data: &[u8]| {
        [&[0x50 + number, 0x2a, 0x4d, 0x18][..], &(data.len() as u32).to_le_bytes(), data].concat()
    };
    let (left, right) = plain.split_at(1000);
    let packed = [
        skippable(0, b"in front"),
        zstd(left),
        skippable(7, &[]),
        zstd(right),
        skippable(15, &[1; 3000]),
    ]
    .concat();
    assert!(read_all_ways(&packed).is_ok());
    let cut = refused(&packed[..packed.len() - 1]).fault;
    assert_eq!(cut.code(), Code::ArchiveTruncated);
}

#[test]
fn windows_and_dictionaries_are_bounded() {
    let plain = docker(&Image::new("good")).finish();
    // 64 MiB is allowed, 96 MiB is not (properties 28 and 29).
    assert!(read_all_ways(&xz_with(&plain, 28)).is_ok());
    for property in [29, 30, 40, 41, 255] {
        let fault = refused(&xz_with(&plain, property)).fault;
        assert_eq!(fault.code(), Code::CompressionMalformed, "{property}");
    }
    // A zstd frame header that asks for a window of 256 MiB.
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0, (28 - 10) << 3, 1, 0, 0, 0, 0, 0];
    assert_eq!(refused(&frame).fault.code(), Code::CompressionMalformed);
}

#[test]
fn compressed_layers_count_by_what_they_hold() {
    let image = Image::new("good");
    for (_, encode) in ALL {
        let mut packed = image.clone();
        let (left, right) = image.layers[0].split_at(700);
        packed.layers[0] = encode(&image.layers[0]);
        packed.layers[1] = encode(&image.layers[1]);
        assert_eq!(verify(&docker(&packed).finish(), &[image.id()]), Ok(()));
        packed.layers[0] = [encode(left), encode(right)].concat();
        assert_eq!(verify(&docker(&packed).finish(), &[image.id()]), Ok(()));
        packed.layers[0] = [encode(&image.layers[0]), b"tail".to_vec()].concat();
        assert!(matches!(
            verify(&docker(&packed).finish(), &[image.id()]),
            Err(Code::CompressionMalformed | Code::ArchiveTruncated)
        ));
    }
}

/// Long enough that a second thread decompresses ahead: the answers must be the same to the word.
#[test]
fn threads_change_no_answer_about_long_data() {
    let mut noise = 1_u32;
    let mut layer = |size: usize| -> Vec<u8> {
        let mut next = || {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (noise >> 24) as u8 & 0x1f
        };
        (0..size).map(|at| if at % 4000 < 1000 { next() } else { 7 }).collect()
    };
    let layers = vec![layer(1_100_000), layer(600_001)];
    let ids: Vec<_> = layers.iter().map(digest).collect();
    let image = Image { config: config(&ids, "long"), layers };
    let plain = docker(&image).finish();
    for (compression, encode) in ALL {
        let whole = encode(&plain);
        let mut packed = image.clone();
        packed.layers = image.layers.iter().map(|layer| encode(layer)).collect();
        let layers = docker(&packed).finish();
        let both = encode(&layers);
        for bytes in [whole, layers, both] {
            assert_eq!(verify(&bytes, &[image.id()]), Ok(()), "{compression}");
            for at in (0..bytes.len()).step_by(bytes.len() / 6 + 1) {
                let mut flipped = bytes.clone();
                flipped[at] ^= 0x10;
                let _ = read_all_ways(&flipped);
                let _ = read_all_ways(&bytes[..at]);
            }
            let _ = read_all_ways(&[&bytes, &b"behind"[..]].concat());
        }
        // A tar that breaks off, and one that goes wrong, while the compressed data goes on.
        for broken in [plain[..1_000_000].to_vec(), [&plain[..1_200_000], &[9; 900_000]].concat()] {
            let refusal = refused(&encode(&broken));
            assert_ne!(refusal.fault.code(), Code::CompressionMalformed, "{compression}");
        }
    }
}

/// Bytes behind the end of the tar inside a layer are part of its diff_id.
#[test]
fn the_whole_layer_is_hashed() {
    let layer = [Tar::new().file("f", "x").finish(), b"behind the end".to_vec()].concat();
    let image = Image { config: config(&[digest(&layer)], "good"), layers: vec![layer] };
    let bytes = docker(&image).finish();
    assert_eq!(verify(&bytes, &[image.id()]), Ok(()));
}

/// Loaders decompress a layer whatever its name.
#[test]
fn a_layer_with_the_name_of_a_document_counts_by_what_it_holds() {
    let layer = Tar::new().file("f", "x").finish();
    let packed = gzip(&layer);
    let answer = |diff_id| {
        let config = config(&[diff_id], "good");
        let items = format!("[{}]", item("g.json", "\"repositories\""));
        let tar = Tar::new().file("g.json", &config).file("repositories", &packed);
        verify(&tar.file("manifest.json", items).finish(), &[digest(&config)])
    };
    assert_eq!(answer(digest(&layer)), Ok(()));
    assert_eq!(answer(digest(&packed)), Err(Code::LayerMismatch));
}

#[test]
fn a_damaged_file_that_is_no_layer_is_refused_for_being_there() {
    let image = Image::new("good");
    let bytes = docker(&image).file("extra.gz", [0x1f, 0x8b, 8, 0, 0, 0]).finish();
    assert_eq!(refused(&bytes).fault.code(), Code::EntryUnreferenced);
}

#[test]
fn nix_style_archives_are_read() {
    let image = Image::new("good");
    let indented = format!(
        "[\n  {{\n    \"Config\": \"{0}.json\",\n    \"RepoTags\": [\n      \"app:1\"\n    ],\n    \
         \"Layers\": [\n      \"{1}/layer.tar\",\n      \"{2}/layer.tar\"\n    ]\n  }}\n]",
        image.id().to_hex(),
        digest(&image.layers[0]).to_hex(),
        digest(&image.layers[1]).to_hex(),
    );
    let mut tar = Tar::new();
    for layer in &image.layers {
        let name = format!("{}/layer.tar", digest(layer).to_hex());
        tar = tar.pax(b'x', &[("mtime", "1.5"), ("path", &name)]).file("short", layer);
    }
    let name = format!("{}.json", image.id().to_hex());
    let tar = tar.file(&name, &image.config).file("manifest.json", indented);
    assert_eq!(verify(&gzip(&tar.finish()), &[image.id()]), Ok(()));
}

/// The real programs, where they are installed.
#[test]
fn what_the_real_programs_write_is_read() {
    let layers = (0..2u8).map(|n| vec![n; 300_000]).collect::<Vec<_>>();
    let ids: Vec<_> = layers.iter().map(digest).collect();
    let image = Image { config: config(&ids, "good"), layers };
    let plain = docker(&image).finish();
    let commands: [(&str, &[&str]); 8] = [
        ("gzip", &["-9"]),
        ("bzip2", &["-9"]),
        ("xz", &["-0"]),
        ("xz", &["--check=sha256", "--block-size=100000"]),
        ("xz", &["-T2", "--check=crc32", "--block-size=65536"]),
        ("zstd", &["-3"]),
        ("zstd", &["-19", "--long=27"]),
        ("zstd", &["-T2", "--no-check"]),
    ];
    for (program, arguments) in commands {
        let child = Command::new(program)
            .args(arguments)
            .arg("-c")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else {
            eprintln!("skipped: {program} is not here");
            continue;
        };
        let mut stdin = child.stdin.take().unwrap();
        let input = plain.clone();
        let writer = std::thread::spawn(move || stdin.write_all(&input));
        let packed = child.wait_with_output().unwrap().stdout;
        writer.join().unwrap().unwrap();
        assert_eq!(verify(&packed, &[image.id()]), Ok(()), "{program} {arguments:?}");
        for at in (0..packed.len()).step_by(packed.len() / 64 + 1) {
            let mut flipped = packed.clone();
            flipped[at] ^= 0x10;
            let _ = read_all_ways(&flipped);
        }
    }
}

/// What the program writes for this input; `None` where it is not installed.
fn packed(program: &str, arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let child = Command::new(program)
        .args(arguments)
        .arg("-c")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("skipped: {program} is not here");
        return None;
    };
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input));
        Some(child.wait_with_output().unwrap().stdout)
    })
}

/// A stream that asks for a large window gets 32 MiB: what reaches no further back decodes, and what does
/// ends in a fault that says what to do.
#[test]
fn large_windows_are_served_as_far_as_memory_goes() {
    // Noise, so that nothing is nearer than the copy of its beginning.
    let mut state = 1_u64;
    let mut noise: Vec<u8> = Vec::with_capacity(40 << 20);
    while noise.len() < 40 << 20 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend(state.to_le_bytes());
    }
    let reaching = |distance: usize| {
        let mut layer = noise[..distance].to_vec();
        layer.extend_from_within(..1 << 20);
        layer
    };
    for (distance, expected) in [(20 << 20, true), (40 << 20, false)] {
        let plain = reaching(distance);
        let Some(layer) = packed("zstd", &["-1", "--long=27"], &plain) else { break };
        assert!(layer.len() < distance + (512 << 10), "zstd did not reach back");
        let config = config(&[digest(&plain), digest(&plain)], "good");
        let image = Image { config, layers: vec![layer.clone(), layer] };
        let bytes = docker(&image).finish();
        let answer = crate::sample::read(sealift::image::Input::File(&bytes), 2);
        match answer {
            Ok(_) => assert!(expected, "{distance}"),
            Err(refusal) => {
                assert!(!expected, "{distance}: {refusal}");
                assert_eq!(refusal.fault.code(), Code::WindowTooLarge, "{refusal}");
                assert!(refusal.to_string().contains("window"), "{refusal}");
            }
        }
    }
}
