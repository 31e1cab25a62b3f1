//! PEM with exactly one reading: one block, whatever is around it.
//!
//! Go's decoder, which cosign uses, skips what precedes the first block and ignores what follows
//! it. A file with two blocks would mean different keys to different programs, so it is refused. The
//! caller gets the text around the one block: a file that the operator names may have any text there
//! (RFC 7468 section 2), other texts may have none. Line lengths are free, because keys on one long
//! line do occur.

use base64ct::{Base64, Encoding as _};
use zeroize::Zeroizing;

/// Why a text is not exactly one PEM block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PemError {
    /// No `-----BEGIN` line at all.
    #[error("there is no PEM block in it")]
    NoBlock,
    /// More than one block.
    #[error("it holds more than one PEM block")]
    SeveralBlocks,
    /// Text before or after the block.
    #[error("there is text before or after the PEM block")]
    TextAround,
    /// The BEGIN and END lines don't form a pair, or there are headers between them.
    #[error("the PEM block is damaged")]
    Damaged,
    /// The text between them is not canonical base64.
    #[error("the PEM block does not hold valid base64")]
    Base64,
}

/// The only PEM block of a text, and the text around it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PemBlock<'t> {
    pub(super) label: &'t str,
    pub(super) bytes: Vec<u8>,
    /// Whole lines.
    pub(super) before: &'t str,
    pub(super) after: &'t str,
    /// The base64 between BEGIN and END, as written.
    pub(super) body: &'t str,
}

/// The label and bytes of the only PEM block in `text`; white space may surround it.
pub(crate) fn single_block(text: &str) -> Result<(&str, Vec<u8>), PemError> {
    let block = find_block(text)?;
    if block.before.trim_ascii().is_empty() && block.after.trim_ascii().is_empty() {
        Ok((block.label, block.bytes))
    } else {
        Err(PemError::TextAround)
    }
}

/// The only PEM block in `text`. It begins and ends at line ends; blanks may follow.
pub(super) fn find_block(text: &str) -> Result<PemBlock<'_>, PemError> {
    const BEGIN: &str = "-----BEGIN ";
    const END: &str = "-----END ";
    const DASHES: &str = "-----";
    match text.matches(BEGIN).count() {
        0 => return Err(PemError::NoBlock),
        1 => {}
        _ => return Err(PemError::SeveralBlocks),
    }
    let (before, inner) = text.split_once(BEGIN).ok_or(PemError::NoBlock)?;
    if !before.trim_end_matches([' ', '\t']).is_empty() && !at_line_end(before) {
        return Err(PemError::TextAround);
    }
    let (label, inner) = inner.split_once(DASHES).ok_or(PemError::Damaged)?;
    let inner = inner.trim_start_matches([' ', '\t']);
    if label.contains(['\n', '\r']) || !inner.starts_with(['\n', '\r']) {
        return Err(PemError::Damaged);
    }
    let (body, last) = inner.split_once(END).ok_or(PemError::Damaged)?;
    let after = last
        .strip_prefix(label)
        .and_then(|rest| rest.strip_prefix(DASHES))
        .ok_or(PemError::Damaged)?;
    let after = after.trim_start_matches([' ', '\t']);
    if !after.is_empty() && !after.starts_with(['\n', '\r']) {
        return Err(PemError::TextAround);
    }
    if !at_line_end(body) {
        return Err(PemError::Damaged);
    }
    // The block may be a private key: no copy of it stays in memory, not even of a buffer that grew.
    let mut packed = Zeroizing::new(String::with_capacity(body.len()));
    packed.extend(body.chars().filter(|c| !c.is_ascii_whitespace()));
    let bytes = Base64::decode_vec(&packed).map_err(|_| PemError::Base64)?;
    Ok(PemBlock { label, bytes, before, after, body })
}

fn at_line_end(text: &str) -> bool {
    text.ends_with(['\n', '\r'])
}

/// One PEM block in lines of 64 characters (RFC 7468 section 2), with a final newline.
pub(super) fn write_block(label: &str, bytes: &[u8]) -> String {
    const LINE: usize = 64;
    let body = Base64::encode_string(bytes);
    let mut out = format!("-----BEGIN {label}-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at_checked(LINE).unwrap_or((rest, ""));
        out.push_str(line);
        out.push('\n');
        rest = more;
    }
    out.push_str("-----END ");
    out.push_str(label);
    out.push_str("-----\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_block_is_read_whatever_its_line_ends() {
        for text in [
            "-----BEGIN A B-----\nYWJj\n-----END A B-----\n",
            "\r\n-----BEGIN A B-----\r\nYW\r\nJj\r\n-----END A B-----",
        ] {
            assert_eq!(single_block(text), Ok(("A B", b"abc".to_vec())), "{text:?}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for length in [1, 47, 48, 49, 96, 200] {
            let bytes = vec![0xa5; length];
            let text = write_block("A B", &bytes);
            assert_eq!(single_block(&text), Ok(("A B", bytes)), "{text}");
            assert!(text.lines().all(|line| line.len() <= 64), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_by_its_own_name() {
        let good = "-----BEGIN A-----\nYWJj\n-----END A-----\n";
        for (text, error) in [
            (String::new(), PemError::NoBlock),
            (format!("{good}{good}"), PemError::SeveralBlocks),
            (format!("x\n{good}"), PemError::TextAround),
            (format!("{good}x"), PemError::TextAround),
            (good.replace("END A", "END B"), PemError::Damaged),
            (good.replace("-----\nYWJj", "-----YWJj"), PemError::Damaged),
            (good.replace("YWJj\n", "YWJj"), PemError::Damaged),
            (good.replace("YWJj", "YWJjZ"), PemError::Base64),
            // The last base64 digit carries bits that decoders drop: two spellings of one key.
            (good.replace("YWJj", "YWJjZB=="), PemError::Base64),
            (good.replace("YWJj", "Proc-Type: 4,ENCRYPTED\nYWJj"), PemError::Base64),
            (good.replace("-----END A-----\n", ""), PemError::Damaged),
        ] {
            assert_eq!(single_block(&text), Err(error), "{text:?}");
        }
    }
}
