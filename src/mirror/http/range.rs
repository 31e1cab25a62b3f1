//! What is known of a half-fetched file, and whether an answer continues it.

use serde::{Deserialize, Serialize};

use super::Validators;
use crate::folder::{Folder, TEMPORARY, read_small};
use crate::verdict::{Code, Fault};

/// The most that the note beside a half-fetched file has.
const NOTE_BYTES: u64 = 64 << 10;

/// The note beside a half-fetched file: what it is a part of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Note {
    /// The URL, without what may be secret.
    pub(super) url: String,
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
    pub(super) total: Option<u64>,
}

impl Note {
    /// The name whose half-written file is the note of `name`; never written under itself.
    fn beside(name: &str) -> String {
        format!("{name}.resume")
    }

    /// The note of a file, if there is one that can be read.
    pub(super) fn read(folder: &Folder, name: &str) -> Option<Self> {
        let path = format!("{}{TEMPORARY}", Self::beside(name));
        let (bytes, _) = read_small(folder, &path, NOTE_BYTES, Code::Unreadable).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    pub(super) fn write(&self, folder: &Folder, name: &str) -> Result<(), Fault> {
        let bytes = serde_json::to_vec(self)
            .map_err(|error| Fault::new(Code::WriteFailed, error.to_string()))?;
        folder.prepare(&Self::beside(name), &bytes, 0o644)
    }

    pub(super) fn remove(folder: &Folder, name: &str) -> Result<(), Fault> {
        folder.remove(&format!("{}{TEMPORARY}", Self::beside(name)))
    }

    /// What to say in `If-Range`: a strong entity tag, else the date; without either a part can't be
    /// known to be one of the same file.
    pub(super) fn condition(&self) -> Option<&str> {
        let strong = self.etag.as_deref().filter(|etag| !etag.starts_with("W/"));
        strong.or(self.last_modified.as_deref())
    }

    /// Whether the answer's state is the one of the part.
    pub(super) fn is_of(&self, now: &Validators) -> bool {
        // A server may leave one of them out of a partial answer; what it says must agree.
        let agrees = |then: &Option<String>, now: &Option<String>| now.is_none() || then == now;
        agrees(&self.etag, &now.etag) && agrees(&self.last_modified, &now.last_modified)
    }
}

/// `Content-Range: bytes FIRST-LAST/TOTAL` of an answer that begins at `first` and goes to the end: the
/// total (RFC 9110, section 14.4).
pub(super) fn continues(text: &str, first: u64) -> Option<u64> {
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits { text.parse::<u64>().ok() } else { None }
    };
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (from, last) = range.split_once('-')?;
    let total = number(total)?;
    let fits = number(from)? == first && number(last)?.checked_add(1)? == total && first < total;
    fits.then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_rest_continues() {
        assert_eq!(continues("bytes 5-9/10", 5), Some(10));
        for bad in [
            "bytes 4-9/10",
            "bytes 5-8/10",
            "bytes 5-9/11",
            "bytes 5-9/*",
            "bytes */10",
            "bytes=5-9/10",
            "5-9/10",
            "bytes +5-9/10",
            "bytes 5-9/10 ",
            "bytes 5-18446744073709551615/18446744073709551615",
            "",
        ] {
            assert_eq!(continues(bad, 5), None, "{bad}");
        }
        assert_eq!(continues("bytes 0--1/0", 0), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in ".*", first: u64) {
            let _ = continues(&text, first);
        }

        #[test]
        fn what_it_accepts_it_means(first in 0_u64..1000, more in 1_u64..1000) {
            let total = first + more;
            let text = format!("bytes {first}-{}/{total}", total - 1);
            prop_assert_eq!(continues(&text, first), Some(total));
            prop_assert_eq!(continues(&text, first + 1), None);
        }
    }
}
