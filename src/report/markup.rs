//! Untrusted text in a page of HTML or a document of XML.
//!
//! Nothing that comes from a report is written into either but through [`safe`].

use std::fmt::Write as _;

use crate::verdict::printable_within;

/// Characters of one text that are shown; the JSON report has the whole of it. No digest, and no path
/// that a file system takes in one piece, is as long.
const LONGEST: usize = 2000;

/// The text on one line, without anything that is markup, that XML 1.0 forbids, or that a reader can't
/// see: control and direction characters, noncharacters and characters without width are escaped.
pub(super) fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in printable_within(text, LONGEST).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if invisible(c) => {
                // Writing to a string does not fail.
                let _ = write!(out, "{}", c.escape_unicode());
            }
            c => out.push(c),
        }
    }
    out
}

/// What would not be seen, or is no character. The joiners U+200C and U+200D stay: words are written with
/// them.
const fn invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{feff}' | '\u{fdd0}'..='\u{fdef}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
        || matches!(c as u32 & 0xffff, 0xfffe | 0xffff)
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
        assert_eq!(safe("Straße 文件 👩\u{200d}🚀"), "Straße 文件 👩\u{200d}🚀");
        assert_eq!(safe(&"&".repeat(3000)), format!("{}…", "&amp;".repeat(2000)));
    }
}
