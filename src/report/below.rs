//! What things are called in two reports of the same tree at different places, as on the two sides of the gap:
//! by their paths below what each report was asked for.

use crate::verdict::{ArtifactKind, ArtifactReport, Run};

/// The paths that a report was asked for, as far as they can be held against another report's.
#[derive(Debug, Clone, Default)]
pub struct RequestedPaths(Vec<String>);

/// What a thing is called: which of the paths asked for it lies below, the transfer directory that it is in, and
/// its name, both below that path.
pub type RelativeName = (usize, Option<String>, String);

impl RequestedPaths {
    /// For two runs: where both were asked for as many paths, the first of one is taken for the first of the
    /// other and so on; else things go by their whole names.
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

    /// What an artifact is called.
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
        // A file that was asked for by itself goes by its own name.
        let own = artifact.name.rsplit('/').next().unwrap_or_default();
        (number, None, if name.is_empty() && file { own } else { name }.to_owned())
    }

    /// What a file is called.
    #[must_use]
    pub fn file(&self, name: &str) -> RelativeName {
        let (number, name) = self.split(name);
        (number, None, name.to_owned())
    }

    /// The longest of the paths that a name lies below, and the rest of the name.
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
