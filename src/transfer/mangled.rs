//! Names as a file system without long names leaves them: FAT without its extension, ISO 9660 without Joliet and
//! Rock Ridge. Cut names are not unique, so they only find words for a refusal.

/// Digits that a writer of ISO 9660 puts at the end of a name to make it differ from another.
const COUNTER_DIGITS: usize = 3;
/// The least length of a name that was cut without regard to its ending, in bytes.
const CUT_AT_LEAST: usize = 30;

/// Whether `found` is what such a file system makes of `meant`: each part cut, with other characters than letters,
/// digits and `_` replaced, perhaps followed by `~1` or a counter, perhaps by a version (`;1`).
pub(super) fn is_mangled(meant: &str, found: &str) -> bool {
    let (meant, found): (Vec<_>, Vec<_>) = (meant.split('/').collect(), found.split('/').collect());
    meant.len() == found.len()
        && meant.iter().zip(&found).all(|(meant, found)| is_mangled_part(meant, found))
}

/// The same for a name that fills the room that such a file system has: no short name is taken for a cut one.
pub(super) fn is_cut_to_the_end(meant: &str, found: &str) -> bool {
    const STEM: usize = 8;
    const END: usize = 3;
    let (stem, end) = parts(found);
    let (_, meant_end) = parts(meant);
    stem.len() >= STEM && end.len() >= END.min(meant_end.len()) && is_mangled_part(meant, found)
}

fn is_mangled_part(meant: &str, found: &str) -> bool {
    if meant.eq_ignore_ascii_case(found) {
        return true;
    }
    // Level 2 of ISO 9660 cuts at 31 characters, Joliet at 64 or 103, the ending with the rest.
    if found.len() >= CUT_AT_LEAST && folded(meant).starts_with(&folded(found)) {
        return true;
    }
    let (found_stem, found_end) = parts(found);
    // Three characters for two endings: `.tar.gz` is often made `.tgz`.
    let short = meant.strip_suffix(".tar.gz").map(|stem| format!("{stem}.tgz"));
    std::iter::once(meant).chain(short.as_deref()).any(|meant| {
        let (stem, end) = parts(meant);
        let fits = end.starts_with(&found_end) && (end.is_empty() || !found_end.is_empty());
        fits && beginnings(&found_stem)
            .any(|beginning| !beginning.is_empty() && stem.starts_with(beginning))
    })
}

/// A stem, and what is left of it without what makes it differ from others.
fn beginnings(stem: &str) -> impl Iterator<Item = &str> {
    const FULL: usize = 8;
    let tilde = stem
        .rsplit_once('~')
        .and_then(|(stem, number)| number.bytes().all(|b| b.is_ascii_digit()).then_some(stem));
    let without = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    let counter = stem.len().saturating_sub(without.len());
    let counted =
        (stem.len() >= FULL && (1..=COUNTER_DIGITS).contains(&counter)).then_some(without);
    [Some(stem), tilde, counted].into_iter().flatten()
}

/// Stem and ending, folded, without a version and a dot at the end.
fn parts(part: &str) -> (String, String) {
    let part = part.split(';').next().unwrap_or_default().trim_end_matches('.');
    match part.rsplit_once('.') {
        Some((stem, end)) => (folded(stem), folded(end)),
        None => (folded(part), String::new()),
    }
}

fn folded(text: &str) -> String {
    let fold = |c: char| {
        if c.is_ascii_alphanumeric() || c == '~' { c.to_ascii_lowercase() } else { '_' }
    };
    text.chars().map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_medium_cut_are_known_again() {
        for (meant, found) in [
            ("images/hello-world-image.tar", "IMAGES/HELLO_WO.TAR"),
            ("hello-image.tar", "hello-~1.tar"),
            ("hello.tar.gz_signature.bundle", "hello_tar_gz_si.bun"),
            ("a-long-name", "A_LONG_N"),
            ("readme.markdown", "README.MAR;1"),
            (
                "a-name-of-more-than-sixty-four-characters-1.2.3-linux-amd64.tar.gz_signature.bundle",
                "a-name-of-more-than-sixty-four-characters-1.2.3-linux-amd64.tar",
            ),
            ("manifest.json", "MANIFEST.JSO;1"),
            ("manifest.json.sig", "manifest.sig"),
            ("manifest.json.sigstore.json", "MANIF000.JSO;1"),
            ("manifest.json.sigstore.json", "MANIFES1.JSO"),
            ("SHA256SUMS", "SHA256SU.;1"),
            ("tools-1.0.tar.gz", "TOOLS_1_.TGZ;1"),
            ("tools-1.0.tar.gz", "tools_1_0.tgz"),
        ] {
            assert!(is_mangled(meant, found), "{meant} {found}");
        }
        for (meant, found) in [
            ("hello.tar", "other.tar"),
            ("hello.tar", "hello.zip"),
            ("a/hello.tar", "hello.tar"),
            ("hello.tar", "hello.tar.old"),
            ("hello.tar", "x/hello.tar"),
            ("hello.tar", "hello"),
        ] {
            assert!(!is_mangled(meant, found), "{meant} {found}");
        }
    }
}
