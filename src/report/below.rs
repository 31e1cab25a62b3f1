//! The names by which two reports of the same tree are compared, as on the two sides of the gap: paths relative
//! to those that each report was asked for.

use crate::verdict::{ArtifactKind, ArtifactReport, Run};

/// The paths that a report was asked for, if they can be matched with another report's.
#[derive(Debug, Clone, Default)]
pub struct RequestedPaths(Vec<String>);

/// A name: the number of the requested path that it is below, the transfer directory that contains it, and the
/// name itself, both relative to that path.
pub type RelativeName = (usize, Option<String>, String);

impl RequestedPaths {
    /// The paths of two runs. If both have the same number, the first of one corresponds to the first of the
    /// other, and so on; otherwise whole names are compared.
    #[must_use]
    pub fn both(before: &Run, after: &Run) -> (Self, Self) {
        if before.paths.len() != after.paths.len() {
            return Self::default().pair();
        }
        let of = |run: &Run| {
            Self(run.paths.iter().map(|path| path.trim_end_matches('/').to_owned()).collect())
        };
        (of(before), of(after))
    }

    fn pair(self) -> (Self, Self) {
        (self.clone(), self)
    }

    /// The name of an artifact.
    #[must_use]
    pub fn artifact(&self, artifact: &ArtifactReport) -> RelativeName {
        if let Some(within) = &artifact.within {
            let (number, within) = self.split(within);
            return (number, Some(within.to_owned()), artifact.name.clone());
        }
        let (number, name) = self.split(&artifact.name);
        let file = matches!(
            artifact.kind,
            Some(ArtifactKind::Image | ArtifactKind::Package | ArtifactKind::Blob)
        );
        // A file that was itself asked for is known by its own name.
        let own = artifact.name.rsplit('/').next().unwrap_or_default();
        (number, None, if name.is_empty() && file { own } else { name }.to_owned())
    }

    /// The name of a file.
    #[must_use]
    pub fn file(&self, name: &str) -> RelativeName {
        let (number, name) = self.split(name);
        (number, None, name.to_owned())
    }

    /// The longest of the paths that a name is below, and the rest of the name.
    fn split<'n>(&self, name: &'n str) -> (usize, &'n str) {
        let below = |path: &String| {
            let rest = name.strip_prefix(path.as_str())?;
            if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
        };
        self.0
            .iter()
            .enumerate()
            .filter_map(|(number, path)| Some((number, below(path)?)))
            .min_by_key(|(_, rest)| rest.len())
            .unwrap_or((usize::MAX, name))
    }
}
