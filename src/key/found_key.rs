//! A public key's file that was found in a folder, not named: it counts as a key only in a form that
//! holds nothing but the key.
//!
//! That is one PEM block in regular lines, with nothing around it but empty lines, comments (`# …`) and
//! what `openssl ec|rsa|pkey -pubin -text` prints of this very key. That text is not parsed: it is made
//! from the key and compared, so it can say nothing else. Any other file with a key in it may also be a
//! script.
//!
//! Some programs act on comments, by the name of the file: a `Dockerfile` with `# syntax=` loads a
//! program. So text around the block is accepted only in a file that is named like a key, and a comment
//! that looks like a directive is never accepted.

use std::borrow::Cow;

use spki::SubjectPublicKeyInfoRef;

use super::pem::{PemBlock, find_block};
use super::primitive::RawKey;
use super::public::{PublicKey, not_one_block, text_of};
use crate::verdict::{Code, Fault};

/// Lines of a PEM block are at least this long, except the last: no words fit in between.
const LINE_AT_LEAST: usize = 40;
/// How many bytes of a number OpenSSL prints in a line.
const BYTES_IN_A_LINE: usize = 15;

/// How the names of key files end, in any letter case.
const ENDINGS: [&str; 2] = [".pub", ".pem"];

impl PublicKey {
    /// Reads a key file that was found, not named.
    ///
    /// There is nothing around the one PEM block but empty lines, comments that begin with `# `, or
    /// exactly what `openssl … -text` prints of the key.
    ///
    /// # Errors
    /// [`Code::KeyMalformed`] (also for text around the block), [`Code::KeyIsPrivate`],
    /// [`Code::KeyNotAKey`] or [`Code::KeyUnsupported`].
    pub fn from_found(name: &str, file: &[u8]) -> Result<Self, Fault> {
        let text = text_of(file)?;
        let block = find_block(&text).map_err(|error| not_one_block(file, &text, error))?;
        let key = Self::from_pem_block(&block)?;
        // A text that is not UTF-8 was made readable, so it is not the file's own.
        let unchanged = matches!(text, Cow::Borrowed(_));
        if unchanged && is_bare(name, &key, &block) {
            return Ok(key);
        }
        let message = "around the PEM block there is more than empty lines (and, in a file named *.pub or \
                       *.pem, plain comments (# …) and what openssl prints of the key)";
        Err(Fault::new(Code::KeyMalformed, message))
    }
}

/// Whether a file is named as keys are.
fn is_named_key(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Whether a block and the text around it have one of the forms. `key` is what the block holds.
fn is_bare(name: &str, key: &PublicKey, block: &PemBlock<'_>) -> bool {
    let alone = block.before.trim_ascii().is_empty() && block.after.trim_ascii().is_empty();
    if !alone && !is_named_key(name) {
        return false;
    }
    let (Some(before), Some(after)) = (other_lines(block.before), other_lines(block.after)) else {
        return false;
    };
    let text = match (before.is_empty(), after.is_empty()) {
        (true, true) => return regular(block.body),
        (false, true) => before,
        (true, false) => after,
        (false, false) => return false,
    };
    regular(block.body) && openssl_texts(key).contains(&text)
}

/// The lines that are neither empty nor comments, without trailing blanks. Returns none if the text
/// contains a control character or a comment that may be a directive.
fn other_lines(text: &str) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    for line in text.lines().map(|line| line.trim_end_matches([' ', '\t'])) {
        if line.contains(|c: char| c.is_control() && c != '\t') {
            return None;
        }
        match line.strip_prefix("# ") {
            Some(comment) if !is_plain(comment) => return None,
            Some(_) => {}
            None if line.is_empty() || line == "#" => {}
            None => lines.push(line.to_owned()),
        }
    }
    Some(lines)
}

/// Whether a comment is printable ASCII and not a directive to BuildKit, an editor, a shell or Python.
fn is_plain(comment: &str) -> bool {
    const STARTS: [&str; 8] =
        ["!", "syntax=", "escape=", "check=", "vim:", "vi:", "ex:", "shellcheck"];
    const ANYWHERE: [&str; 4] = ["-*-", "vim:", "coding:", "coding="];
    let packed: String = comment.to_ascii_lowercase().split_ascii_whitespace().collect();
    comment.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && !STARTS.iter().any(|word| packed.starts_with(word))
        && !ANYWHERE.iter().any(|word| packed.contains(word))
}

/// Whether the base64 is in lines of one length, of which the last may be shorter.
fn regular(body: &str) -> bool {
    let mut lines = body.trim_matches(['\r', '\n']).lines().peekable();
    let length = lines.peek().map_or(0, |line| line.len());
    while let Some(line) = lines.next() {
        let last = lines.peek().is_none();
        let fits = if last { line.len() <= length } else { line.len() == length };
        if !fits || line.bytes().any(|b| !(b.is_ascii_alphanumeric() || b"+/=".contains(&b))) {
            return false;
        }
    }
    length >= LINE_AT_LEAST
}

/// What OpenSSL 1.0 to 3 and LibreSSL print of a key, by lines.
fn openssl_texts(key: &PublicKey) -> Vec<Vec<String>> {
    let Some(printed) = PrintedKey::of(key) else { return Vec::new() };
    match printed {
        PrintedKey::Ec { bits, point, oid, nist } => {
            let mut long = vec![format!("Public-Key: ({bits} bit)"), "pub:".to_owned()];
            long.extend(hex_lines(point));
            long.push(format!("ASN1 OID: {oid}"));
            let short = long.clone();
            long.push(format!("NIST CURVE: {nist}"));
            vec![long, short]
        }
        PrintedKey::Rsa { bits, modulus, exponent } => ["", "RSA "]
            .into_iter()
            .map(|word| {
                let mut lines =
                    vec![format!("{word}Public-Key: ({bits} bit)"), "Modulus:".to_owned()];
                lines.extend(hex_lines(&modulus));
                lines.push(format!("Exponent: {exponent} (0x{exponent:x})"));
                lines
            })
            .collect(),
        PrintedKey::Ed25519(bytes) => {
            let mut lines = vec!["ED25519 Public-Key:".to_owned(), "pub:".to_owned()];
            lines.extend(hex_lines(bytes));
            vec![lines]
        }
    }
}

/// The parts of a key as OpenSSL prints them.
enum PrintedKey<'k> {
    /// A curve's names, and the point as it is encoded.
    Ec {
        bits: u16,
        point: &'k [u8],
        oid: &'static str,
        nist: &'static str,
    },
    /// The modulus with a zero in front where its first bit is set, and the exponent.
    Rsa {
        bits: usize,
        modulus: Vec<u8>,
        exponent: u64,
    },
    Ed25519(&'k [u8]),
}

impl<'k> PrintedKey<'k> {
    /// The parts of a key of a supported type.
    fn of(key: &'k PublicKey) -> Option<Self> {
        use rsa::traits::PublicKeyParts as _;
        let spki = SubjectPublicKeyInfoRef::try_from(key.spki.as_slice()).ok()?;
        let bytes = spki.subject_public_key.as_bytes()?;
        Some(match &key.raw {
            RawKey::P256(_) => {
                Self::Ec { bits: 256, point: bytes, oid: "prime256v1", nist: "P-256" }
            }
            RawKey::P384(_) => {
                Self::Ec { bits: 384, point: bytes, oid: "secp384r1", nist: "P-384" }
            }
            RawKey::Rsa(rsa) => {
                let mut modulus = rsa.n().to_bytes_be();
                if modulus.first().is_some_and(|byte| byte & 0x80 != 0) {
                    modulus.insert(0, 0);
                }
                let exponent = rsa.e().to_bytes_be();
                let exponent = exponent
                    .iter()
                    .try_fold(0_u64, |sum, byte| Some(sum.checked_mul(256)? | u64::from(*byte)))?;
                Self::Rsa { bits: rsa.n().bits(), modulus, exponent }
            }
            RawKey::Ed25519(_) => Self::Ed25519(bytes),
        })
    }
}

fn hex_lines(bytes: &[u8]) -> Vec<String> {
    let chunks = bytes.chunks(BYTES_IN_A_LINE);
    let last = chunks.len().saturating_sub(1);
    let line = |(number, chunk): (usize, &[u8])| {
        let digits: Vec<String> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("    {}{}", digits.join(":"), if number == last { "" } else { ":" })
    };
    chunks.enumerate().map(line).collect()
}
