//! Header fields of a response: read exactly, or not at all.

use reqwest::header::{
    CONTENT_ENCODING, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED,
};

use crate::limits;

/// What distinguishes one version of a file on a server from another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub last_modified: Option<String>,
}

impl Validators {
    /// Those of a response; overlong ones are left out.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let text = |name| {
            let text = one(headers, &name).filter(|text| text.len() <= limits::VALIDATOR_BYTES);
            text.map(str::to_owned)
        };
        Self { etag: text(ETAG), last_modified: text(LAST_MODIFIED) }
    }

    /// Makes a request conditional on the file having changed. Returns whether there is any condition.
    pub(super) fn ask(&self, headers: &mut HeaderMap) -> bool {
        let mut asked = false;
        for (name, text) in [(IF_NONE_MATCH, &self.etag), (IF_MODIFIED_SINCE, &self.last_modified)]
        {
            if let Some(value) = text.as_ref().and_then(|text| HeaderValue::from_str(text).ok()) {
                headers.insert(name, value);
                asked = true;
            }
        }
        asked
    }

    /// The value for `If-Range`: a strong `ETag`, or else the date.
    pub(super) fn strong(&self) -> Option<&str> {
        let etag = self.etag.as_deref();
        let strong =
            etag.filter(|tag| tag.len() >= 2 && tag.starts_with('"') && tag.ends_with('"'));
        strong.or(self.last_modified.as_deref())
    }

    /// Whether a part of a file with these validators can be continued by one with the others.
    pub(super) fn continues(&self, other: &Self) -> bool {
        let agrees = |mine: &Option<String>, other: &Option<String>| {
            mine.is_none() || other.is_none() || mine == other
        };
        self.strong().is_some()
            && self.strong() == other.strong()
            && agrees(&self.etag, &other.etag)
            && agrees(&self.last_modified, &other.last_modified)
    }
}

/// A field that occurs once and is text.
pub(super) fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    if values.next().is_some() {
        return None;
    }
    first.to_str().ok()
}

/// A number of digits only.
pub(super) fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// `Content-Encoding`, if it says anything. Two responses with different encodings are not parts of one
/// file.
pub(super) fn encoding(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(CONTENT_ENCODING).iter();
    let texts = values.map(|value| String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase());
    let all = texts.collect::<Vec<_>>().join(",");
    let all: String = all.chars().take(limits::VALIDATOR_BYTES).collect();
    (!all.is_empty() && all != "identity").then_some(all)
}

/// `Content-Range: bytes FIRST-LAST/TOTAL`, the only form that says which bytes these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mirror) struct ContentRange {
    pub(in crate::mirror) first: u64,
    pub(in crate::mirror) last: u64,
    pub(in crate::mirror) total: u64,
}

impl ContentRange {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let (first, last, total) = (number(first)?, number(last)?, number(total)?);
        (first <= last && last < total).then_some(Self { first, last, total })
    }

    pub(in crate::mirror) fn of(headers: &HeaderMap) -> Option<Self> {
        Self::parse(one(headers, &reqwest::header::CONTENT_RANGE)?)
    }

    /// Whether it reaches from a byte to the end.
    pub(in crate::mirror) fn is_rest(&self, from: u64) -> bool {
        self.first == from && self.last.checked_add(1) == Some(self.total)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_one_form_of_a_range() {
        let good = ContentRange { first: 5, last: 9, total: 10 };
        assert_eq!(ContentRange::parse("bytes 5-9/10"), Some(good));
        assert!(good.is_rest(5) && !good.is_rest(4));
        assert!(!ContentRange { last: 8, ..good }.is_rest(5));
        for bad in [
            "",
            "bytes",
            "bytes 5-9",
            "bytes 5-9/*",
            "bytes */10",
            "bytes 5-10/10",
            "bytes 9-5/10",
            "bytes  5-9/10",
            "bytes 5 - 9/10",
            "bytes +5-9/10",
            "bytes 5-9/10 ",
            "Bytes 5-9/10",
            "bytes=5-9/10",
            "items 5-9/10",
            "bytes -9/10",
            "bytes 5-/10",
            "bytes 5-9/",
            "bytes 5-9/10/10",
            "bytes 5-99999999999999999999/99999999999999999999",
        ] {
            assert_eq!(ContentRange::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn what_continues_what() {
        let of = |etag: &str, date: &str| Validators {
            etag: (!etag.is_empty()).then(|| etag.to_owned()),
            last_modified: (!date.is_empty()).then(|| date.to_owned()),
        };
        assert_eq!(of("\"a\"", "d").strong(), Some("\"a\""));
        assert_eq!(of("W/\"a\"", "d").strong(), Some("d"));
        assert_eq!(of("W/\"a\"", "").strong(), None);
        assert_eq!(of("a", "").strong(), None);
        assert!(of("\"a\"", "d").continues(&of("\"a\"", "")));
        assert!(of("W/\"a\"", "d").continues(&of("W/\"a\"", "d")));
        for (here, there) in [
            (of("\"a\"", "d"), of("\"b\"", "d")),
            (of("\"a\"", "d"), of("\"a\"", "e")),
            (of("\"a\"", "d"), of("", "d")),
            (of("W/\"a\"", "d"), of("W/\"b\"", "d")),
            (of("", ""), of("", "")),
            (of("W/\"a\"", ""), of("W/\"a\"", "")),
        ] {
            assert!(!here.continues(&there), "{here:?} {there:?}");
        }
    }

    proptest! {
        #[test]
        fn ranges_are_read_exactly(text in "(bytes )?[-0-9*/ +]{0,24}|\\PC{0,40}") {
            if let Some(range) = ContentRange::parse(&text) {
                let ContentRange { first, last, total } = range;
                let digits = |text: &str| text.trim_start_matches('0').to_owned();
                let parts: Vec<String> =
                    text[6..].split(['-', '/']).map(digits).collect();
                let same = [first, last, total].map(|number| digits(&number.to_string()));
                prop_assert_eq!(parts, same.to_vec());
                prop_assert!(first <= last && last < total);
            }
        }

        #[test]
        fn written_ranges_are_read(first in 0_u64.., more in 0_u64.., after in 1_u64..) {
            let range = first.checked_add(more).and_then(|last| Some((last, last.checked_add(after)?)));
            if let Some((last, total)) = range {
                let text = format!("bytes {first}-{last}/{total}");
                prop_assert_eq!(ContentRange::parse(&text), Some(ContentRange { first, last, total }));
            }
        }
    }
}
