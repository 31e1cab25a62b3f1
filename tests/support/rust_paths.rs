//! Finds the paths (`a::b::c`) in Rust source text, those of `use` trees written out in full.
//!
//! Reads tokens, not syntax: comments and literals are skipped, everything else that looks like a
//! path is one, also inside macros. Enough to see what a file names; it resolves nothing.

/// All paths of two parts and more, those of `use` whatever their length, and the crates that
/// `extern crate` names. A whole crate under another name is told apart: `use crate as x` gives
/// `crate::as`, `use std as x` gives the one part `std as`.
pub(crate) fn paths(text: &str) -> Vec<Vec<String>> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at = if token == "use" {
            tree(&tokens, at + 1, &[], &mut found)
        } else {
            plain(&tokens, at, &mut found)
        };
    }
    found.into_iter().map(|(_, path)| path).collect()
}

/// Reads a path outside of `use`, or one token that begins none; answers where it ends.
pub(crate) fn plain(tokens: &[String], mut at: usize, found: &mut Vec<Named>) -> usize {
    let token = &tokens[at];
    if !is_word(token) {
        return at + 1;
    }
    let after_extern = at >= 2 && tokens[at - 2] == "extern" && tokens[at - 1] == "crate";
    let mut path = vec![token.clone()];
    at += 1;
    while let (Some("::"), Some(next)) = (tokens.get(at).map(String::as_str), tokens.get(at + 1))
        && is_word(next)
    {
        path.push(next.clone());
        at += 2;
    }
    if path.len() > 1 || after_extern {
        found.push((String::new(), path));
    }
    at
}

/// A path, and for one of `use` the name under which it is known in the file.
pub(crate) type Named = (String, Vec<String>);

/// Reads one branch of a `use` tree; answers where it ends.
pub(crate) fn tree(
    tokens: &[String],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<Named>,
) -> usize {
    let mut path = prefix.to_vec();
    let mut alias = None;
    while let Some(token) = tokens.get(at) {
        match token.as_str() {
            "::" => at += 1,
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token != "}") {
                    at = tree(tokens, at, &path, found);
                    if tokens.get(at).is_some_and(|token| token == ",") {
                        at += 1;
                    }
                }
                return at + 1;
            }
            "as" => {
                if let [only] = path.as_mut_slice() {
                    only.push_str(" as");
                }
                alias = tokens.get(at + 1).cloned();
                at += 2;
            }
            "self" if path != prefix || !prefix.is_empty() => at += 1,
            word if is_word(word) || word == "*" => {
                path.push(word.to_owned());
                at += 1;
            }
            _ => break,
        }
    }
    if path.first().is_some_and(|first| first == "crate as") {
        path = vec![String::from("crate"), String::from("as")];
    }
    let name = alias.or_else(|| path.last().cloned()).unwrap_or_default();
    found.push((name, path));
    at
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Words, `::` and single punctuation characters; no comments, no literals.
pub(crate) fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let next = chars.get(at + 1).copied();
        match c {
            '/' if next == Some('/') => at = skip_while(&chars, at, |c| c != '\n'),
            '/' if next == Some('*') => at = after_block_comment(&chars, at),
            '"' => at = after_string(&chars, at + 1),
            '\'' => at = after_quote(&chars, at),
            ':' if next == Some(':') => {
                tokens.push(String::from("::"));
                at += 2;
            }
            _ if c.is_alphanumeric() || c == '_' => {
                let end = skip_while(&chars, at, |c| c.is_alphanumeric() || c == '_');
                let word: String = chars[at..end].iter().collect();
                at = match (word.as_str(), chars.get(end)) {
                    ("r" | "br" | "cr", Some('"' | '#')) => after_raw(&chars, end, &mut tokens),
                    _ => {
                        tokens.push(word);
                        end
                    }
                };
            }
            _ => {
                if !c.is_whitespace() {
                    tokens.push(c.to_string());
                }
                at += 1;
            }
        }
    }
    tokens
}

fn skip_while(chars: &[char], mut at: usize, wanted: impl Fn(char) -> bool) -> usize {
    while chars.get(at).is_some_and(|&c| wanted(c)) {
        at += 1;
    }
    at
}

fn after_block_comment(chars: &[char], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while at < chars.len() {
        match (chars.get(at), chars.get(at + 1)) {
            (Some('/'), Some('*')) => (at, depth) = (at + 2, depth + 1),
            (Some('*'), Some('/')) => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn after_string(chars: &[char], mut at: usize) -> usize {
    while let Some(&c) = chars.get(at) {
        match c {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

/// After a character literal, or after the quote of a lifetime.
fn after_quote(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => skip_while(chars, at + 3, |c| c != '\'') + 1,
        (Some(_), Some('\'')) => at + 3,
        _ => at + 1,
    }
}

/// After a raw string, or after the `r#` of a raw identifier.
fn after_raw(chars: &[char], at: usize, tokens: &mut Vec<String>) -> usize {
    let open = skip_while(chars, at, |c| c == '#');
    let hashes = open - at;
    if chars.get(open) != Some(&'"') {
        let end = skip_while(chars, open, |c| c.is_alphanumeric() || c == '_');
        tokens.push(chars[open..end].iter().collect());
        return end;
    }
    let mut end = open + 1;
    while end < chars.len() {
        if chars[end] == '"'
            && chars[end + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes
        {
            return end + 1 + hashes;
        }
        end += 1;
    }
    end
}
