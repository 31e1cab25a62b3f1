//! What the artifacts of a folder are called: a file name where only one has it, else the whole path.

use std::collections::BTreeSet;

/// Which last parts of paths several artifacts share: those go by their whole paths.
#[derive(Debug)]
pub struct SharedNames<'a>(BTreeSet<&'a str>);

impl<'a> SharedNames<'a> {
    /// Of the artifacts with these paths.
    pub fn new(paths: impl IntoIterator<Item = &'a str>) -> Self {
        let mut seen = BTreeSet::new();
        Self(paths.into_iter().map(base).filter(|base| !seen.insert(*base)).collect())
    }

    /// What the artifact of a path is called: the last part of it, or the whole where another has the
    /// same.
    #[must_use]
    pub fn name<'p>(&self, path: &'p str) -> &'p str {
        if self.0.contains(base(path)) { path } else { base(path) }
    }
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
