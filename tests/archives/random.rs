//! Random and mutated input: no panic, and the same answer from a pipe and from a file.

use proptest::prelude::*;

use crate::compression::{bzip2, gzip, xz, zstd};
use crate::sample::{Image, docker, oci, read_all_ways};
use crate::support::tar::Tar;

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let image = Image::new("good");
    let plain = docker(&image)
        .pax(b'x', &[("path", "renamed"), ("size", "1")])
        .file("short", "x")
        .long(b'L', "long name")
        .file("short", "y")
        .link("l/layer.tar", "../g0/layer.tar")
        .finish();
    let packed =
        Image { layers: vec![gzip(&image.layers[0]), zstd(&image.layers[1])], ..image.clone() };
    vec![
        oci(&image.blobs(), &[image.index_entry()]).finish(),
        docker(&packed).finish(),
        gzip(&plain),
        bzip2(&plain),
        xz(&plain),
        zstd(&plain),
        plain,
    ]
}

/// Sets the checksum of every header right again, so that mutations reach what lies behind it.
pub(crate) fn repair(bytes: &mut [u8]) {
    for block in bytes.chunks_exact_mut(512) {
        if block[257..262] == *b"ustar" {
            let mut header = ::tar::Header::from_byte_slice(block).clone();
            header.set_cksum();
            block.copy_from_slice(header.as_bytes());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..2000), magic in 0..6_usize) {
        let magics: [&[u8]; 6] = [
            b"", b"BZh9", &[0x1f, 0x8b, 8, 0], &[0xfd, b'7', b'z', b'X', b'Z', 0, 0, 0],
            &[0x28, 0xb5, 0x2f, 0xfd], &[0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0],
        ];
        let _ = read_all_ways(&[magics[magic], &bytes].concat());
    }

    #[test]
    fn mutated_archives(
        seed in 0..7_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
        repaired in any::<bool>(),
    ) {
        let mut bytes = seeds().swap_remove(seed);
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if repaired {
            repair(&mut bytes);
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = read_all_ways(&bytes);
    }

    #[test]
    fn mutated_names_and_types(
        kind in any::<u8>(),
        name in "[a-z./]{0,12}",
        link in "[a-z./]{0,12}",
        content in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let tar = Tar::new().entry(kind, &name, &link, &content, |_| {});
        let _ = read_all_ways(&tar.raw(&docker(&Image::new("good")).cut()).finish());
    }
}
