//! One digest for what a folder holds by name and size, so that several runs can check that they saw the
//! same folder.

use crate::digest::{Hasher, Sha256Digest};

/// SHA-256 over each file's size in bytes in decimal, a space, its name and a NUL, in the order of names
/// and sizes whatever order they come in.
#[must_use]
pub fn digest<'a>(files: impl IntoIterator<Item = (&'a str, u64)>) -> Sha256Digest {
    let mut files: Vec<(&str, u64)> = files.into_iter().collect();
    files.sort_unstable();
    let mut hasher = Hasher::new();
    for (name, size) in files {
        hasher.update(format!("{size} {name}\0").as_bytes());
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_plays_no_part_and_everything_else_does() {
        let one = digest([("a", 1), ("b", 2)]);
        assert_eq!(one, digest([("b", 2), ("a", 1)]));
        assert_eq!(one, Sha256Digest::of(b"1 a\x002 b\0"));
        for other in [
            &[("a", 1)][..],
            &[("a", 1), ("b", 3)],
            &[("a", 1), ("c", 2)],
            &[("a", 1), ("b", 2), ("b", 2)],
        ] {
            assert_ne!(one, digest(other.iter().copied()));
        }
    }
}
