//! Whether an artifact lies where its name says. The sealing side chooses both, and a reader of a report
//! sees the name; who loads or installs takes the path.

/// Whether the last part of a path says the same as a name: the same text, or what `mirror` calls the file
/// of an image reference (`app_1.2.tar` for `registry.example/team/app:1.2`).
pub(super) fn is_called(name: &str, path: &str) -> bool {
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
