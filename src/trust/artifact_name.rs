//! An artifact's name and path: whether patterns fit them, and whether the path agrees with the name.
//!
//! The sealing side of a transfer chooses both. A reader of a report sees the name; whoever loads or
//! installs the artifact uses the path.

use super::NamePattern;

/// An artifact's name, and its path where that is known.
#[derive(Debug, Clone, Copy)]
pub struct ArtifactName<'a> {
    /// Its name: a file's name, a path below a folder, an image reference, a URL.
    pub name: &'a str,
    /// Its path, if known.
    pub path: Option<&'a str>,
}

impl<'a> From<&'a str> for ArtifactName<'a> {
    fn from(name: &'a str) -> Self {
        Self { name, path: None }
    }
}

impl<'a> ArtifactName<'a> {
    /// Refuses, naming the part that no pattern fits.
    ///
    /// The name must fit, by itself or by its last part, and so must the path if it disagrees with
    /// the name. A path that ends in the name is a longer spelling of it, and a pattern with a `/`
    /// may fit that.
    pub(super) fn fits(self, patterns: &[NamePattern]) -> Result<(), NameMismatch<'a>> {
        let fits = |text: &str| patterns.iter().any(|pattern| pattern.matches(text));
        let by_parts = |text: &str| fits(text) || fits(last_part(text));
        let Some(path) = self.path else {
            return if by_parts(self.name) { Ok(()) } else { Err(NameMismatch::Name(self.name)) };
        };
        let longer = !self.name.is_empty()
            && path.strip_suffix(self.name).is_some_and(|rest| rest.ends_with('/'));
        let mut with_slash = patterns.iter().filter(|pattern| pattern.as_str().contains('/'));
        if longer && with_slash.clone().any(|pattern| pattern.matches(path)) {
            return Ok(());
        }
        if !by_parts(self.name) {
            let whole = longer && with_slash.next().is_some();
            return Err(NameMismatch::Name(if whole { path } else { self.name }));
        }
        if path_matches_name(self.name, path) || by_parts(path) {
            Ok(())
        } else {
            Err(NameMismatch::Path(path))
        }
    }
}

/// What no pattern fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameMismatch<'a> {
    /// The name, spelt as long as the patterns ask for.
    Name(&'a str),
    /// The path, which disagrees with the name.
    Path(&'a str),
}

/// Whether the last part of a path agrees with a name.
///
/// It is the same text, or what `mirror` calls the file of an image reference (`app_1.2.tar` for
/// `registry.example/team/app:1.2`).
pub(crate) fn path_matches_name(name: &str, path: &str) -> bool {
    let file = last_part(path);
    let reference = || {
        let (repository, digest) = name.split_once('@').unwrap_or((name, ""));
        let (tagged, digest) =
            (last_part(repository), digest.rsplit(':').next().unwrap_or_default());
        let slug = plain(tagged.strip_suffix(".tar").unwrap_or(tagged));
        let short = digest.get(..12).unwrap_or(digest);
        if digest.is_empty() || tagged.contains(':') { slug } else { format!("{slug}_{short}") }
    };
    name == path || last_part(name) == file || file.strip_suffix(".tar") == Some(&*reference())
}

/// What follows the last `/`.
pub(super) fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The text with `_` for each character that some file system refuses.
fn plain(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
    text.chars().map(|c| if is_plain(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, name: &str, path: Option<&str>) -> bool {
        let patterns = [NamePattern::new(pattern).unwrap()];
        ArtifactName { name, path }.fits(&patterns).is_ok()
    }

    #[test]
    fn a_name_fits_by_itself_by_its_last_part_or_by_a_path_that_ends_in_it() {
        for (pattern, name, path) in [
            ("app-*.tar", "app-1.tar", None),
            ("app-*.tar", "images/app-1.tar", None),
            ("images/*", "images/app-1.tar", None),
            ("images/*", "app-1.tar", Some("images/app-1.tar")),
            ("app-*.tar", "app-1.tar", Some("images/app-1.tar")),
            ("app:*", "registry.example/team/app:1", Some("images/app_1/app_1.tar")),
            ("registry.example/*", "registry.example/team/app:1", Some("images/app_1/app_1.tar")),
            ("good*", "good.txt", Some("other/good.txt")),
            ("*.t*", "readme.txt", Some("evil.tar")),
        ] {
            assert!(fits(pattern, name, path), "{pattern} {name} {path:?}");
        }
        for (pattern, name, path) in [
            ("images/*", "app-1.tar", None),
            ("images/*", "app-1.tar", Some("app-1.tar")),
            ("images/*", "app-1.tar", Some("other/app-1.tar")),
            // Directories are no part of what a pattern without `/` speaks of.
            ("*team*", "app-1.tar", Some("team/app-1.tar")),
            // The sealing side chose another name than the path's: a path never replaces it.
            ("team/*", "other/app:1", Some("team/app_1.tar")),
            ("images/*", "readme.txt", Some("images/evil.tar")),
            ("readme*", "readme.txt", Some("evil.tar")),
            ("images/*", "", Some("images/")),
        ] {
            assert!(!fits(pattern, name, path), "{pattern} {name} {path:?}");
        }
    }

    #[test]
    fn the_last_part_decides() {
        for (name, path) in [
            ("notes.txt", "notes.txt"),
            ("notes.txt", "docs/notes.txt"),
            ("a/notes.txt", "b/notes.txt"),
            ("https://vendor.example/dl/tool-1.tgz", "packages/tool-1.tgz/tool-1.tgz"),
            ("registry.example:5000/team/app:1.2", "images/app_1.2/app_1.2.tar"),
            ("team/app", "images/app-0a1b2c3d/app.tar"),
            ("team/app:1@sha256:0123456789abcdef", "images/app_1/app_1.tar"),
            ("team/app@sha256:0123456789abcdef", "images/app/app_0123456789ab.tar"),
        ] {
            assert!(path_matches_name(name, path), "{name} {path}");
        }
        for (name, path) in [
            ("README.txt", "evil-app.tar"),
            ("README.txt", "README.txt/evil.tar"),
            ("README.txt", "readme.txt"),
            ("README", "README.txt"),
            ("team/app:1.2", "images/app_1.3.tar"),
            ("team/app:1.2", "images/app_1.2.tar.sh"),
            ("", "x"),
        ] {
            assert!(!path_matches_name(name, path), "{name} {path}");
        }
    }
}
