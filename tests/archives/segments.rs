//! Segments: where archives are cut, with and without stated sizes.

use std::io::Read;

use proptest::prelude::*;
use sealift::image::Archive;
use sealift::limits::SEGMENT_BYTES;

use crate::sample::{Image, digest, docker, read_all_ways, read_all_ways_with};
use crate::support::tar::Tar;

const LARGE: usize = SEGMENT_BYTES as usize;

/// Bytes that no other member has.
fn content(seed: usize, size: usize) -> Vec<u8> {
    (0..size).map(|n| b'A' + ((n / 251 + n + seed) % 50) as u8).collect()
}

/// An image of two small layers, and of layers of these sizes behind all else. Its documents take the same
/// room however many there are.
fn with_members(sizes: &[usize]) -> Vec<u8> {
    with_contents(sizes.iter().enumerate().map(|(number, size)| content(number, *size)).collect())
}

fn with_contents(contents: Vec<Vec<u8>>) -> Vec<u8> {
    let good = Image::new("good");
    let mut names: Vec<String> = (0..2).map(|number| format!("g{number}/layer.tar")).collect();
    names.extend((0..contents.len()).map(|number| format!("extra/{number}")));
    let layers: Vec<_> = good.layers.into_iter().chain(contents).collect();
    let ids: Vec<_> = layers.iter().map(digest).collect();
    let quoted: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let list = format!("[{}]", crate::sample::item("g.json", &quoted.join(",")));
    let config = String::from_utf8(crate::sample::config(&ids, "good")).unwrap();
    let tar = Tar::new()
        .file("g.json", format!("{config:4096}"))
        .file("manifest.json", format!("{list:1024}"));
    names.iter().zip(&layers).fold(tar, |tar, (name, layer)| tar.file(name, layer)).finish()
}

/// Offset and size of every member's content, as another reader finds them.
fn members(bytes: &[u8]) -> Vec<(u64, u64)> {
    let mut archive = ::tar::Archive::new(bytes);
    let entries = archive.entries().unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.raw_file_position(), entry.size())).collect()
}

fn sizes(archive: &Archive) -> Vec<u64> {
    archive.segments.iter().map(|segment| segment.size).collect()
}

/// The sizes of segments where the members that `alone` chooses stand alone.
fn cuts(bytes: &[u8], mut alone: impl FnMut(u64) -> bool) -> Vec<u64> {
    let mut ends = vec![0];
    for (offset, size) in members(bytes) {
        if size > 0 && alone(size) {
            ends.extend([offset, offset + size]);
        }
    }
    ends.push(bytes.len() as u64);
    ends.windows(2).map(|pair| pair[1] - pair[0]).filter(|size| *size > 0).collect()
}

/// Everything but the segments, which stated sizes may not change.
fn without_segments(archive: Archive) -> Archive {
    Archive { segments: Vec::new(), ..archive }
}

#[test]
fn large_members_stand_alone() {
    let sizes_of = |sizes_: &[usize]| sizes(&read_all_ways(&with_members(sizes_)).unwrap());
    let base = with_members(&[]).len() as u64;
    let large = SEGMENT_BYTES;
    // Two zero blocks end each archive.
    assert_eq!(sizes_of(&[]), [base]);
    assert_eq!(sizes_of(&[LARGE - 1]), [base + 512 + large]);
    assert_eq!(sizes_of(&[LARGE]), [base - 512, large, 1024]);
    assert_eq!(sizes_of(&[LARGE, LARGE + 1]), [base - 512, large, 512, large + 1, 511 + 1024]);
    assert_eq!(sizes_of(&[LARGE, 0, 3, LARGE]), [base - 512, large, 2048, large, 1024]);
}

#[test]
fn a_large_member_of_any_kind_stands_alone_as_it_is() {
    let noise = {
        let mut state = 7_u64;
        let next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        std::iter::repeat_with(next).take(2 * LARGE).collect::<Vec<u8>>()
    };
    let json = format!(r#"{{"layers":"{}"}}"#, "x".repeat(LARGE)).into_bytes();
    let text = [&b"{"[..], &noise].concat();
    for (member, plain) in [
        (crate::compression::gzip(&noise), &noise),
        (crate::compression::zstd(&noise), &noise),
        (json.clone(), &json),
        (text.clone(), &text),
    ] {
        let config = crate::sample::config(&[digest(plain)], "good");
        let image = Image { config, layers: vec![member.clone()] };
        let archive = read_all_ways(&docker(&image).finish()).unwrap();
        assert_eq!(archive.segments.len(), 3);
        assert_eq!(archive.segments[1].sha256, digest(&member));
    }
}

/// A layer's segment is its diff_id, and that is found in the one reading.
#[test]
fn the_segment_of_a_layer_is_its_diff_id() {
    let layers = vec![content(1, 3 * LARGE), content(2, LARGE)];
    let ids: Vec<_> = layers.iter().map(digest).collect();
    let image = Image { config: crate::sample::config(&ids, "large"), layers };
    let archive = read_all_ways(&docker(&image).finish()).unwrap();
    let digests: Vec<_> = archive.segments.iter().map(|segment| segment.sha256).collect();
    assert_eq!(digests.len(), 5);
    assert_eq!([digests[1], digests[3]], *archive.images[0].layers);
}

/// Another layer changes its own segment, and the first one, where the config lists it.
#[test]
fn a_changed_layer_changes_its_segment_and_no_other() {
    let sizes = [LARGE + 1, 700, LARGE, LARGE + 5, LARGE * 2, 9];
    let contents: Vec<_> =
        sizes.iter().enumerate().map(|(number, size)| content(number, *size)).collect();
    let bytes = with_contents(contents.clone());
    let good = read_all_ways(&bytes).unwrap();
    assert_eq!(good.segments.len(), 9);
    let places = members(&bytes);
    for (number, (offset, _)) in places[places.len() - sizes.len()..].iter().enumerate() {
        let mut changed = contents.clone();
        changed[number][5] ^= 1;
        let changed = read_all_ways(&with_contents(changed)).unwrap();
        for (other, (a, b)) in good.segments.iter().zip(&changed.segments).enumerate() {
            assert_eq!((a.offset, a.size), (b.offset, b.size));
            let holds = (a.offset..a.offset + a.size).contains(offset);
            assert_eq!(a.sha256 != b.sha256, holds || other == 0, "{number} {other}");
        }
    }
}

#[test]
fn stated_sizes_choose_what_stands_alone() {
    let bytes = with_members(&[LARGE, 3, 0, LARGE + 7, 512]);
    let found = read_all_ways(&bytes).unwrap();
    assert_eq!(sizes(&found), cuts(&bytes, |size| size >= SEGMENT_BYTES));
    for stated in [
        cuts(&bytes, |size| size >= SEGMENT_BYTES),
        cuts(&bytes, |_| true),
        cuts(&bytes, |_| false),
        cuts(&bytes, |size| size == 512 || size == SEGMENT_BYTES),
    ] {
        let archive = read_all_ways_with(&bytes, Some(&stated)).unwrap();
        assert!(archive.fits(&stated));
        assert_eq!(without_segments(archive), without_segments(found.clone()));
    }
}

#[test]
fn sizes_that_do_not_fit_are_harmless() {
    let bytes = with_members(&[LARGE, 3, 0, LARGE + 7, 512]);
    let found = read_all_ways(&bytes).unwrap();
    let good = sizes(&found);
    let size = bytes.len() as u64;
    let mut hostile: Vec<Vec<u64>> = vec![
        vec![],
        vec![0],
        vec![size - 1],
        vec![size + 1],
        vec![size, 0],
        vec![0, size],
        vec![size / 2, size - size / 2],
        vec![u64::MAX; 3],
        vec![u64::MAX, size, u64::MAX],
        vec![0; 3_000_000],
        vec![1; bytes.len()],
        vec![1; 3 * bytes.len()],
    ];
    for number in 0..good.len() {
        let changed = |change: &dyn Fn(&mut Vec<u64>)| {
            let mut sizes = good.clone();
            change(&mut sizes);
            sizes
        };
        hostile.extend([
            changed(&|sizes| sizes[number] += 1),
            changed(&|sizes| sizes[number] -= 1),
            changed(&|sizes| sizes[number] = u64::MAX),
            changed(&|sizes| sizes.insert(number, 0)),
            changed(&|sizes| sizes.insert(number, u64::MAX)),
            changed(&|sizes| {
                sizes.remove(number);
            }),
            changed(&|sizes| {
                sizes[number] -= 1;
                sizes.insert(number, 1);
            }),
        ]);
    }
    for stated in hostile {
        let archive = read_all_ways_with(&bytes, Some(&stated)).unwrap();
        assert!(!archive.fits(&stated), "{} sizes", stated.len());
        assert_eq!(without_segments(archive), without_segments(found.clone()));
    }
    // Nothing fits what has no segments, not even nothing.
    let packed = read_all_ways_with(&crate::compression::gzip(&bytes), Some(&good)).unwrap();
    assert!(!packed.fits(&good) && !packed.fits(&[]));
}

/// A refused archive is refused alike, whatever is stated.
#[test]
fn stated_sizes_do_not_change_a_refusal() {
    for bytes in crate::random::seeds() {
        for end in (0..bytes.len()).step_by(997) {
            let cut = &bytes[..end];
            let refusal = read_all_ways(cut).unwrap_err();
            for stated in [&[][..], &[512, 9, 503], &[end as u64], &[u64::MAX, 1]] {
                assert_eq!(read_all_ways_with(cut, Some(stated)).unwrap_err(), refusal);
            }
        }
    }
}

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![0..1200_usize, Just(LARGE - 1), Just(LARGE), Just(LARGE + 1), LARGE..LARGE * 2,]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn random_archives_with_random_cuts(
        member_sizes in prop::collection::vec(size(), 0..7),
        chosen in prop::collection::vec(any::<bool>(), 12),
        wrong in prop::option::of((any::<prop::sample::Index>(), any::<u64>())),
        zeros in 0..3000_usize,
    ) {
        let mut bytes = with_members(&member_sizes);
        bytes.resize(bytes.len() + zeros, 0);
        let found = read_all_ways(&bytes).unwrap();
        prop_assert_eq!(sizes(&found), cuts(&bytes, |size| size >= SEGMENT_BYTES));
        let mut choice = chosen.iter();
        let mut stated = cuts(&bytes, |_| choice.next().copied().unwrap_or_default());
        let right = stated.clone();
        if let Some((at, value)) = wrong {
            let at = at.index(stated.len());
            stated[at] = value;
        }
        let archive = read_all_ways_with(&bytes, Some(&stated)).unwrap();
        prop_assert_eq!(archive.fits(&stated), sizes(&archive) == stated);
        prop_assert_eq!(archive.fits(&stated), right == stated);
        prop_assert_eq!(without_segments(archive), without_segments(found));
    }

    #[test]
    fn archives_without_an_image_promise_nothing(sizes in prop::collection::vec(size(), 0..4)) {
        let tar = sizes.iter().enumerate().fold(Tar::new(), |tar, (number, size)| {
            tar.file(&format!("{number}"), content(number, *size))
        });
        prop_assert!(read_all_ways(&tar.finish()).is_err());
    }
}

/// The helper finds what it is to find.
#[test]
fn another_reader_agrees_where_members_lie() {
    let bytes = with_members(&[LARGE]);
    let (offset, size) = *members(&bytes).last().unwrap();
    let mut found = Vec::new();
    bytes[offset as usize..].take(size).read_to_end(&mut found).unwrap();
    assert_eq!(found, content(0, LARGE));
}
