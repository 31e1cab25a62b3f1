//! Text that may come from hostile input, on its way to somebody's eyes: a terminal, a log, a page.
//!
//! One rule says which characters are shown as they are ([`is_plain`]), and text leaves the program
//! through one of three doors that apply it whatever they are handed: [`line!`] writes one line and
//! escapes all of it, so that a field which nobody thought of can neither steer a terminal nor forge
//! a line; [`write_json`] escapes inside strings; pages and XML go through `report`'s `safe`.
//!
//! Letters of every script are shown, also those that are written from right to left.

use std::fmt;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter};

/// Whether a character is shown as it is: one that takes its own place and looks like what it is.
///
/// Not shown are control characters (C0, DEL, C1), line and paragraph separators, format characters
/// (bidirectional controls, joiners and other characters without width, tags), blanks other than the
/// ordinary one, variation selectors and fillers that show nothing, private and unassigned characters
/// and noncharacters. A combining mark is shown: scripts are written with them.
#[must_use]
pub fn is_plain(c: char) -> bool {
    match c {
        ' '..='~' => true,
        '\0'..='\u{9f}' => false,
        // Marks and letters that show nothing (Default_Ignorable_Code_Point), and a pattern without dots.
        '\u{34f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffc}'
        | '\u{e0000}'..='\u{e0fff}' => false,
        // The standard library's tables have the rest. It escapes a combining mark only in front.
        c if c.escape_debug().next() == Some(c) => true,
        c => format!("x{c}").escape_debug().nth(1) == Some(c),
    }
}

/// Text from untrusted input made safe for a terminal and one line long: what is not
/// [plain](is_plain) is escaped, and what is longer than 300 characters is cut.
#[must_use]
pub(crate) fn printable(text: &str) -> String {
    printable_within(text, 300)
}

/// Characters of a sentence of our own that are shown: more than any has, whatever it quotes of the input.
pub(crate) const SENTENCE: usize = 4000;

/// As [`printable`], cut after another number of characters.
#[must_use]
pub(crate) fn printable_within(text: &str, longest: usize) -> String {
    let mut out = String::with_capacity(text.len().min(longest));
    for (index, c) in text.chars().enumerate() {
        if index == longest {
            out.push('…');
            break;
        }
        if is_plain(c) {
            out.push(c);
        } else {
            out.extend(c.escape_default());
        }
    }
    out
}

/// Writes one line, all of it `printable`, whatever it was made of. The macro `line!` calls it.
pub trait Lines: Write {
    /// Writes the text and a newline.
    ///
    /// # Errors
    /// Those of the writer.
    fn put_line(&mut self, text: fmt::Arguments<'_>) -> io::Result<()> {
        let text = match text.as_str() {
            Some(text) => printable_within(text, usize::MAX),
            None => printable_within(&text.to_string(), usize::MAX),
        };
        self.write_all(text.as_bytes())?;
        self.write_all(b"\n")
    }
}

impl<W: Write + ?Sized> Lines for W {}

/// `writeln!` for text that people see: exactly one line, in which nothing but plain characters is left.
macro_rules! line {
    ($out:expr, $($text:tt)+) => {{
        use $crate::verdict::Lines as _;
        $out.put_line(format_args!($($text)+))
    }};
}
pub(crate) use line;

/// Writes a value as indented JSON. In its strings what is not [plain](is_plain) is written as `\u`, so
/// that a document that is looked at on a terminal can't steer it; whoever parses it sees no difference.
///
/// # Errors
/// Those of the writer and of the value.
pub fn write_json(out: &mut (impl Write + ?Sized), value: &impl Serialize) -> io::Result<()> {
    let formatter = Escaping(PrettyFormatter::new());
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, formatter);
    value.serialize(&mut serializer)?;
    out.write_all(b"\n")
}

/// The pretty form, except for what strings are made of.
struct Escaping(PrettyFormatter<'static>);

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| !is_plain(*c)) {
            let (plain, after) = rest.split_at(at);
            out.write_all(plain.as_bytes())?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = after.strip_prefix(c).unwrap_or_default();
        }
        out.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every kind of character that must not reach a terminal.
    const HIDDEN: &str = "\u{0}\u{7}\t\n\r\u{1b}\u{7f}\u{80}\u{85}\u{9b}\u{a0}\u{ad}\u{34f}\u{61c}\u{180e}\
        \u{2003}\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2060}\u{2064}\
        \u{2066}\u{2069}\u{206f}\u{2800}\u{3164}\u{e000}\u{f8ff}\u{fdd0}\u{fe0f}\u{feff}\u{ffa0}\u{fff9}\
        \u{fffe}\u{378}\u{e0001}\u{e0041}\u{e0101}\u{f0000}\u{10ffff}";

    #[test]
    fn what_hides_or_steers_is_escaped_and_letters_are_not() {
        for c in HIDDEN.chars() {
            assert!(!is_plain(c), "{c:?}");
            assert!(printable(&c.to_string()).is_ascii(), "{c:?}");
        }
        let letters = "Straße 文件 Ελλάς עברית العربية हिन्दी ไทย a\u{301} 🚀 \u{fffd} \\ \" '";
        assert_eq!(printable(letters), letters);
        assert_eq!(printable(&"x".repeat(1000)).chars().count(), 301);
    }

    #[test]
    fn a_line_is_one_line() {
        let mut out = Vec::new();
        line!(out, "{}: {HIDDEN}", "a\nforged: OK").unwrap();
        line!(&mut out, "plain").unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().count(), 2);
        assert!(text.starts_with("a\\nforged: OK: \\u{0}\\u{7}\\t\\n"), "{text}");
        assert!(text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)), "{text}");
    }

    #[test]
    fn json_is_the_same_document_in_plain_characters() {
        let value = serde_json::json!({ HIDDEN: [HIDDEN, "文件", 1, {}, []] });
        let mut out = Vec::new();
        write_json(&mut out, &value).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.chars().all(|c| c == '\n' || is_plain(c)), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
        assert_eq!(
            text.replace("文件", "").lines().count(),
            format!("{value:#}\n").lines().count()
        );
    }
}
