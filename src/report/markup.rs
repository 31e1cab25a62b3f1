//! Untrusted text in a page of HTML or a document of XML.
//!
//! The page is made with `maud`, which escapes markup in everything that it is handed. What it does not
//! know is which characters a reader can't see: report text is therefore wrapped in [`Text`]. XML is
//! written by hand, through [`safe`].

use std::fmt::Write as _;

use maud::{Escaper, Render};

use crate::verdict::printable_within;

/// Characters of one text that are shown; the JSON report has the whole of it. No digest, and no path
/// that a file system accepts, is as long.
const LONGEST: usize = 2000;

/// Text from a report, on one line, without anything that is markup, that XML 1.0 forbids, or that a
/// reader can't see (`verdict::is_plain`).
pub(super) struct Text<T>(pub(super) T);

impl<T: AsRef<str>> Render for Text<T> {
    fn render_to(&self, out: &mut String) {
        // Writing to a string does not fail.
        let _ = Escaper::new(out).write_str(&printable_within(self.0.as_ref(), LONGEST));
    }
}

/// The text as [`Text`] renders it.
pub(super) fn safe(text: &str) -> String {
    Text(text).render().into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hostile_is_left() {
        assert_eq!(safe("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;'&amp;");
        assert_eq!(safe("a\u{0}\u{1b}\n\u{85}b"), "a\\u{0}\\u{1b}\\n\\u{85}b");
        assert_eq!(safe("gnp\u{202e}exe"), "gnp\\u{202e}exe");
        assert_eq!(
            safe("\u{fffe}\u{ffff}\u{1fffe}\u{feff}"),
            "\\u{fffe}\\u{ffff}\\u{1fffe}\\u{feff}"
        );
        assert_eq!(safe("Straße 文件 🚀"), "Straße 文件 🚀");
        assert_eq!(safe(&"&".repeat(3000)), format!("{}…", "&amp;".repeat(2000)));
    }
}
