//! Which artifacts the operator asks for, by globs.
//!
//! A glob without `/` is for the last part of a name, at any depth; one with `/` is for the path below
//! the folder. Both also take a directory with everything in it. `*` stays within one part, `**`
//! goes through many. They choose artifacts only: bundles and keys pair with them wherever they are.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::survey::above;
use crate::verdict::{Code, Fault};

/// Included and excluded names.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    include: Option<Globs>,
    exclude: Option<Globs>,
}

#[derive(Debug, Clone)]
struct Globs {
    /// For the last parts of names.
    parts: GlobSet,
    /// For paths.
    paths: GlobSet,
}

impl Filter {
    /// A filter of these globs; without any `include`, everything is included.
    ///
    /// # Errors
    /// [`Code::PatternInvalid`] for what is not a glob.
    pub fn new(include: &[String], exclude: &[String]) -> Result<Self, Fault> {
        let globs = |patterns: &[String]| {
            if patterns.is_empty() { Ok(None) } else { Globs::new(patterns).map(Some) }
        };
        Ok(Self { include: globs(include)?, exclude: globs(exclude)? })
    }

    /// Whether there is anything to choose by.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.include.is_none() && self.exclude.is_none()
    }

    /// Whether the operator asks for the artifact of this path.
    #[must_use]
    pub fn admits(&self, path: &str) -> bool {
        let fits =
            |globs: &Globs| std::iter::once(path).chain(above(path)).any(|name| globs.fit(name));
        self.include.as_ref().is_none_or(fits) && !self.exclude.as_ref().is_some_and(fits)
    }
}

impl Globs {
    fn new(patterns: &[String]) -> Result<Self, Fault> {
        let invalid = |error: globset::Error| Fault::new(Code::PatternInvalid, error.to_string());
        let (mut parts, mut paths) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        for pattern in patterns {
            // `dir/` is the directory; `./x` is x.
            let text = pattern.strip_prefix("./").unwrap_or(pattern);
            let text = text.strip_suffix('/').unwrap_or(text);
            // A leading slash says that the name is one in the folder itself.
            let set = if text.contains('/') { &mut paths } else { &mut parts };
            let text = text.strip_prefix('/').unwrap_or(text);
            let mut glob = GlobBuilder::new(text);
            let glob = glob.literal_separator(true).backslash_escape(true);
            set.add(glob.build().map_err(invalid)?);
        }
        Ok(Self { parts: parts.build().map_err(invalid)?, paths: paths.build().map_err(invalid)? })
    }

    fn fit(&self, path: &str) -> bool {
        let base = path.rsplit('/').next().unwrap_or(path);
        self.parts.is_match(base) || self.paths.is_match(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(include: &[&str], exclude: &[&str], path: &str) -> bool {
        let own = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect::<Vec<_>>();
        Filter::new(&own(include), &own(exclude)).unwrap().admits(path)
    }

    #[test]
    fn globs_choose_by_last_part_path_and_directory() {
        assert!(admits(&[], &[], "a/b.tar"));
        assert!(admits(&["*.tar"], &[], "a/b.tar"));
        assert!(!admits(&["*.tgz"], &[], "a/b.tar"));
        assert!(admits(&["a"], &[], "a/b.tar"));
        assert!(admits(&["a/"], &[], "x/a/b.tar"));
        assert!(admits(&["a/*.tar"], &[], "a/b.tar"));
        assert!(!admits(&["a/*.tar"], &[], "a/c/b.tar"));
        assert!(admits(&["a/**/*.tar"], &[], "a/c/d/b.tar"));
        assert!(!admits(&["/b.tar"], &[], "a/b.tar"));
        assert!(admits(&["./a/b.tar"], &[], "a/b.tar"));
        assert!(!admits(&[], &["docs"], "docs/x/y.pdf"));
        assert!(!admits(&["*.tar"], &["old/**"], "old/b.tar"));
        assert!(admits(&["*.{tar,tgz}"], &[], "b.tgz"));
    }

    #[test]
    fn what_is_no_glob_is_refused() {
        let fault = Filter::new(&["a[".to_owned()], &[]).unwrap_err();
        assert_eq!(fault.code(), Code::PatternInvalid);
    }
}
