//! One changed bit, one missing byte: refused, or nothing that a signature covers has changed.

use std::collections::BTreeSet;

use sealift::digest::Sha256Digest;
use sealift::image::Input;
use sealift::verdict::Code;

use crate::sample::{Image, docker, oci, read, read_all_ways};
use crate::support::tar::Tar;

/// Two archives, and the id that is signed for both.
fn archives() -> ([Vec<u8>; 2], Sha256Digest) {
    let mut image = Image::new("good");
    // Short layers: the archive is flipped bit by bit.
    image.layers = vec![b"first".to_vec(), b"second".to_vec()];
    let ids: Vec<_> = image.layers.iter().map(crate::sample::digest).collect();
    image.config = crate::sample::config(&ids, "good");
    let links = docker(&image)
        .pax(b'x', &[("path", "extra/")])
        .directory("short/")
        .link(&format!("{}/layer.tar", "0a".repeat(32)), "../g0/layer.tar");
    ([links.finish(), oci(&image.blobs(), &[image.index_entry()]).finish()], image.id())
}

#[test]
fn every_single_bit_counts_or_is_not_covered() {
    let (archives, id) = archives();
    let signed = BTreeSet::from([id]);
    for bytes in archives {
        let good = read_all_ways(&bytes).unwrap();
        let (mut refused, mut same) = (0_usize, 0_usize);
        let mut flipped = bytes.clone();
        for bit in 0..bytes.len() * 8 {
            flipped[bit / 8] ^= 1 << (bit % 8);
            let found = read(Input::File(&flipped), 1).ok();
            match found.filter(|found| found.coverage(&signed).is_ok()) {
                None => refused += 1,
                Some(found) => {
                    same += 1;
                    assert_eq!(found.images.len(), good.images.len(), "bit {bit}");
                    for (a, b) in found.images.iter().zip(&good.images) {
                        assert_eq!(a.candidates, b.candidates, "bit {bit}");
                        assert_eq!(a.layers, b.layers, "bit {bit}");
                    }
                }
            }
            flipped[bit / 8] ^= 1 << (bit % 8);
        }
        // Headers, documents and layers are most of it; padding and names are the rest.
        assert!(refused > 10_000 && same > 1000, "{refused} refused, {same} the same");
    }
}

#[test]
fn a_truncated_archive_says_where_it_ends() {
    for bytes in archives().0 {
        for end in 1..bytes.len() {
            let refusal = read_all_ways(&bytes[..end]).unwrap_err();
            if end < 512 && refusal.fault.code() == Code::ArchiveUnrecognised {
                assert!(!bytes[..end].contains(&0));
                continue;
            }
            assert_eq!(refusal.fault.code(), Code::ArchiveTruncated, "{end}: {refusal}");
            assert!(refusal.to_string().contains(&format!("byte {end}")), "{refusal}");
        }
    }
}

#[test]
fn a_fault_names_the_entry() {
    let whole = docker(&Image::new("good")).file("last", vec![1; 1000]).cut();
    let refusal = read_all_ways(&whole[..whole.len() - 600]).unwrap_err();
    assert_eq!(refusal.fault.place(), Some("last"));
    let refusal = read_all_ways(&Tar::new().file("a/../b", "").finish()).unwrap_err();
    assert!(refusal.to_string().starts_with("a/../b (header at byte 0)"), "{refusal}");
}
