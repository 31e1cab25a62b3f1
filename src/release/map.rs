//! The operator's pairing map: which bundle belongs to which artifact, by their paths below the folder.
//!
//! A text file of UTF-8; each line is an artifact, a tab and one of its bundles. An artifact of several
//! images has several lines. Empty lines and lines that begin with `#` say nothing.

use std::collections::BTreeSet;

use crate::limits;
use crate::path;
use crate::verdict::{Code, Fault};

/// The lines of a map, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PairingMap {
    pairs: Vec<(String, String)>,
}

impl PairingMap {
    /// Reads a map.
    ///
    /// # Errors
    /// [`Code::MapMalformed`], with the line.
    pub fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let refuse = |line: usize, message: String| {
            let number = line.saturating_add(1);
            Fault::new(Code::MapMalformed, message).at(format!("line {number}"))
        };
        if bytes.len() as u64 > limits::MAP_BYTES {
            let message = format!("larger than {} bytes", limits::MAP_BYTES);
            return Err(Fault::new(Code::MapMalformed, message));
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|error| Fault::new(Code::MapMalformed, error.to_string()))?;
        let mut pairs = Vec::new();
        let mut seen = BTreeSet::new();
        for (number, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let Some((artifact, bundle)) = line.split_once('\t') else {
                return Err(refuse(number, "no tab between artifact and bundle".to_owned()));
            };
            for name in [artifact, bundle] {
                path::check(name)
                    .map_err(|reason| refuse(number, format!("{name:?}: {reason}")))?;
            }
            if !seen.insert((artifact, bundle)) {
                return Err(refuse(number, "the same pair is listed twice".to_owned()));
            }
            pairs.push((artifact.to_owned(), bundle.to_owned()));
        }
        Ok(Self { pairs })
    }

    /// Artifacts and their bundles.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(artifact, bundle)| (artifact.as_str(), bundle.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_give_safe_names_or_a_fault(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(map) = PairingMap::parse(&bytes) {
                for (artifact, bundle) in map.pairs() {
                    prop_assert!(path::check(artifact).is_ok() && path::check(bundle).is_ok());
                }
            }
        }

        #[test]
        fn lines_of_names_come_back(names in proptest::collection::btree_set("[a-z]{1,8}(/[a-z.]{1,8}x)?", 2..20)) {
            let names: Vec<String> = names.into_iter().collect();
            let text: String =
                names.windows(2).map(|pair| format!("{}\t{}\n", pair[0], pair[1])).collect();
            let map = PairingMap::parse(text.as_bytes()).unwrap();
            let pairs: Vec<_> = map.pairs().collect();
            prop_assert_eq!(pairs.len(), names.len() - 1);
        }
    }

    #[test]
    fn lines_are_read_strictly() {
        let map = PairingMap::parse(b"# note\n\na/b.tar\tc.bundle\na/b.tar\td.bundle\n").unwrap();
        let pairs: Vec<_> = map.pairs().collect();
        assert_eq!(pairs, [("a/b.tar", "c.bundle"), ("a/b.tar", "d.bundle")]);
        for bad in
            [&b"a b\n"[..], b"a\t../b\n", b"/a\tb\n", b"a\tb\na\tb\n", b"\xff\tb\n", b"a\t\n"]
        {
            let fault = PairingMap::parse(bad).unwrap_err();
            assert_eq!(fault.code(), Code::MapMalformed, "{bad:?}");
        }
    }
}
