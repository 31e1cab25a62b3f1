//! Untrusted text in a page of HTML or a document of XML.
//!
//! Nothing that comes from a report is written into either but through [`safe`].

use crate::verdict::printable_within;

/// Characters of one text that are shown; the JSON report has the whole of it. No digest, and no path
/// that a file system takes in one piece, is as long.
const LONGEST: usize = 2000;

/// The text on one line, without anything that is markup, that XML 1.0 forbids, or that a reader can't
/// see (`verdict::is_plain`).
pub(super) fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in printable_within(text, LONGEST).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hostile_is_left() {
        assert_eq!(safe("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
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
