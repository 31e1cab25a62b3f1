//! What an artifact is called, for patterns, and whether it lies where its name says. The sealing side of
//! a transfer chooses both, and a reader of a report sees the name; who loads or installs takes the path.

use super::NamePattern;

/// What an artifact goes by.
#[derive(Debug, Clone, Copy)]
pub struct Called<'a> {
    /// Its name: a file's name, a path below a folder, an image reference, a URL.
    pub name: &'a str,
    /// Where it lies, if that is known.
    pub path: Option<&'a str>,
}

impl<'a> From<&'a str> for Called<'a> {
    fn from(name: &'a str) -> Self {
        Self { name, path: None }
    }
}

impl<'a> Called<'a> {
    /// Refuses by the part that no pattern fits: the name must fit, by itself or by its last part, and the path
    /// too if it says something else. A path that ends in the name is a longer spelling of it, and
    /// patterns with a `/` may fit that.
    pub(super) fn fits(self, patterns: &[NamePattern]) -> Result<(), Misfit<'a>> {
        let fits = |text: &str| patterns.iter().any(|pattern| pattern.matches(text));
        let by_parts = |text: &str| fits(text) || fits(last(text));
        let Some(path) = self.path else {
            return if by_parts(self.name) { Ok(()) } else { Err(Misfit::Name(self.name)) };
        };
        let longer = !self.name.is_empty()
            && path.strip_suffix(self.name).is_some_and(|rest| rest.ends_with('/'));
        let mut with_slash = patterns.iter().filter(|pattern| pattern.as_str().contains('/'));
        if longer && with_slash.clone().any(|pattern| pattern.matches(path)) {
            return Ok(());
        }
        if !by_parts(self.name) {
            let whole = longer && with_slash.next().is_some();
            return Err(Misfit::Name(if whole { path } else { self.name }));
        }
        if is_called(self.name, path) || by_parts(path) { Ok(()) } else { Err(Misfit::Path(path)) }
    }
}

/// What no pattern fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misfit<'a> {
    /// The name, spelt as long as the patterns ask for.
    Name(&'a str),
    /// The path, which says something else than the name.
    Path(&'a str),
}

/// Whether the last part of a path says the same as a name: the same text, or what `mirror` calls the file
/// of an image reference (`app_1.2.tar` for `registry.example/team/app:1.2`).
pub fn is_called(name: &str, path: &str) -> bool {
    let file = last(path);
    let reference = || {
        let (repository, digest) = name.split_once('@').unwrap_or((name, ""));
        let (tagged, digest) = (last(repository), digest.rsplit(':').next().unwrap_or_default());
        let slug = plain(tagged.strip_suffix(".tar").unwrap_or(tagged));
        let short = digest.get(..12).unwrap_or(digest);
        if digest.is_empty() || tagged.contains(':') { slug } else { format!("{slug}_{short}") }
    };
    name == path || last(name) == file || file.strip_suffix(".tar") == Some(&*reference())
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// With `_` for what not every file system takes.
fn plain(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
    text.chars().map(|c| if is_plain(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, name: &str, path: Option<&str>) -> bool {
        let patterns = [NamePattern::new(pattern).unwrap()];
        Called { name, path }.fits(&patterns).is_ok()
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
            // The sealing side chose another name than the path's: a path never stands in for it.
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
            assert!(is_called(name, path), "{name} {path}");
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
            assert!(!is_called(name, path), "{name} {path}");
        }
    }
}
