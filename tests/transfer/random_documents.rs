//! The manifest and the state file at random: no bytes make the parsers panic, and what they accept
//! is the same after it was written again. The twin of `fuzz/fuzz_targets/manifest.rs`, which needs a
//! nightly toolchain. And portable paths: what is accepted, Windows leaves as it is.

use proptest::prelude::*;
use sealift::digest::Sha256Digest;
use sealift::path::portable;
use sealift::transfer::{AcceptedTransfers, Manifest};

const MANIFEST: &[u8] =
    include_bytes!("../../bundle-format/vectors/every-member/transfer/manifest.json");
const BASED: &[u8] = include_bytes!("../../bundle-format/vectors/base/transfer/manifest.json");
const STATE: &[u8] = include_bytes!("../../bundle-format/vectors/another-stream/state-after.json");

/// Says whether the bytes are a manifest; if so, that it is the same when it is written and read.
fn is_manifest(bytes: &[u8]) -> bool {
    let Ok(manifest) = Manifest::parse(bytes) else { return false };
    let line = format!("{{\n  \"sha256sums\": \"{}\",\n", manifest.sha256sums.to_hex());
    assert!(bytes.starts_with(line.as_bytes()), "the second line says something else");
    let written = manifest.to_bytes().unwrap();
    assert!(written.starts_with(line.as_bytes()));
    assert_eq!(Manifest::parse(&written).unwrap(), manifest);
    for file in &manifest.files {
        assert!(portable(&file.path).is_ok());
        assert_eq!(manifest.file(&file.path), Some(file));
    }
    true
}

fn is_state(bytes: &[u8]) -> bool {
    let Ok(state) = AcceptedTransfers::parse(bytes) else { return false };
    assert_eq!(AcceptedTransfers::parse(&state.to_bytes().unwrap()).unwrap(), state);
    true
}

/// One change of some bytes.
#[derive(Debug, Clone)]
enum Change {
    Set(usize, u8),
    Remove(usize, usize),
    Copy(usize, usize, usize),
    /// A text of the format in the place of another.
    Token(usize, usize, &'static str),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let at = |place: usize, bytes: &[u8]| place % (bytes.len() + 1);
        match self {
            Self::Set(place, value) => {
                let place = at(*place, bytes);
                if let Some(byte) = bytes.get_mut(place) {
                    *byte = *value;
                }
            }
            Self::Remove(place, count) => {
                let start = at(*place, bytes);
                let end = (start + count % 64).min(bytes.len());
                bytes.drain(start..end);
            }
            Self::Copy(from, count, to) => {
                let start = at(*from, bytes);
                let end = (start + count % 512).min(bytes.len());
                let part = bytes[start..end].to_vec();
                let to = at(*to, bytes);
                bytes.splice(to..to, part);
            }
            Self::Token(place, count, token) => {
                let start = at(*place, bytes);
                let end = (start + count % 16).min(bytes.len());
                bytes.splice(start..end, token.bytes());
            }
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let token = prop::sample::select(vec![
        "\"",
        "\\u0000",
        "{",
        "}",
        "[]",
        ",",
        ": ",
        "null",
        "true",
        "0",
        "-1",
        "1e9",
        "9007199254740992",
        "18446744073709551616",
        "..",
        "/",
        "\n",
        " ",
        "\"allow_unsigned\": true,",
        "\"notes\": \"\",",
        "\"segments\": [],",
        "\u{fffd}",
        "a",
        "A",
        "sha256:",
        "0000",
        "Z",
    ]);
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(place, value)| Change::Set(place, value)),
        (any::<usize>(), any::<usize>()).prop_map(|(place, count)| Change::Remove(place, count)),
        (any::<usize>(), any::<usize>(), any::<usize>())
            .prop_map(|(from, count, to)| Change::Copy(from, count, to)),
        (any::<usize>(), any::<usize>(), token)
            .prop_map(|(place, count, token)| Change::Token(place, count, token)),
    ]
}

fn changed(bytes: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    changes.iter().for_each(|change| change.apply(&mut bytes));
    bytes
}

#[test]
fn the_samples_are_accepted_and_a_broken_one_is_not() {
    assert!(is_manifest(MANIFEST) && is_manifest(BASED) && is_state(STATE));
    assert!(!is_manifest(&MANIFEST[1..]) && !is_state(&STATE[1..]));
    assert_ne!(Sha256Digest::of(MANIFEST), Sha256Digest::of(BASED));
}

/// Every byte of the manifest replaced by a few others: many of these are accepted, so this is not only
/// about refusals.
#[test]
fn every_byte_of_a_manifest_may_change() {
    let mut accepted = 0;
    for place in 0..MANIFEST.len() {
        for value in [b'0', b'a', b'Z', b' ', b'"', b'\\', 0, 0xff] {
            let mut bytes = MANIFEST.to_vec();
            bytes[place] = value;
            accepted += usize::from(is_manifest(&bytes));
        }
    }
    assert!(accepted > 500, "{accepted}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_changed_manifest_is_refused_or_the_same_again(
        sample in prop::sample::select(vec![MANIFEST, BASED]),
        changes in prop::collection::vec(change(), 1..6),
    ) {
        is_manifest(&changed(sample, &changes));
    }

    #[test]
    fn a_changed_state_is_refused_or_the_same_again(
        changes in prop::collection::vec(change(), 1..4),
    ) {
        is_state(&changed(STATE, &changes));
    }

    #[test]
    fn any_bytes_are_refused_or_the_same_again(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        is_manifest(&bytes);
        is_state(&bytes);
    }

    #[test]
    fn windows_leaves_portable_paths_as_they_are(
        parts in prop::collection::vec(prop::sample::select(vec![
            "CON", "con", "PrN", "aux", "NUL", "COM1", "com0", "LPT9", "CONIN$", "conout$", "COM10",
            "a", "b", "tar", ".", "..", " ", "/", "\\", ":", "*", "$", "\t", "\u{e9}", "\u{b9}",
            "\u{7f}", "~1", "-",
        ]), 1..8),
    ) {
        let path = parts.concat();
        if portable(&path).is_ok() {
            prop_assert!(path.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{path:?}");
            for part in path.split('/') {
                prop_assert_eq!(on_windows(part), Some(part.to_owned()), "{:?}", path);
            }
        }
    }
}

/// What Windows makes of one part of a path: nothing for a device or what can't be a name. Written from
/// Microsoft's "Naming Files, Paths, and Namespaces", not from our code.
fn on_windows(part: &str) -> Option<String> {
    let kept = part.trim_end_matches([' ', '.']);
    if kept.is_empty() || part.contains(['<', '>', ':', '"', '\\', '|', '?', '*']) {
        return None;
    }
    let base =
        kept.split(['.', ':']).next().unwrap_or_default().trim_end_matches(' ').to_lowercase();
    let device = match base.as_str() {
        "con" | "prn" | "aux" | "nul" | "conin$" | "conout$" => true,
        other => ["com", "lpt"].iter().any(|device| {
            other.strip_prefix(device).is_some_and(|number| {
                let mut chars = number.chars();
                let digit =
                    chars.next().is_some_and(|c| "0123456789\u{b9}\u{b2}\u{b3}".contains(c));
                digit && chars.next().is_none()
            })
        }),
    };
    (!device && !part.starts_with(' ')).then(|| kept.to_owned())
}

#[test]
fn the_model_of_windows_sees_what_it_changes() {
    for good in ["a", "a.b", "COM10", "con-a", "tar.con"] {
        assert_eq!(on_windows(good).as_deref(), Some(good));
        assert!(portable(good).is_ok(), "{good}");
    }
    for bad in ["a.", "a ", "CON", "nul.txt", "NUL .txt", "com1.tar.gz", "a:b", "..", "Conin$"] {
        assert_ne!(on_windows(bad).as_deref(), Some(bad));
        assert!(portable(bad).is_err(), "{bad}");
    }
}
