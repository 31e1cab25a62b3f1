//! What `verify --changed-since` compares with: the results of an earlier run.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io;

use crate::report::{self, RelativeName, RequestedPaths};
use crate::verdict::{ArtifactReport, Cover, Outcome, Report, Run, Shard, line, printable};

/// The results of an earlier run. Each is taken out when the same artifact is reported again.
pub(super) struct EarlierResults {
    /// By the names of the artifacts relative to what the earlier run was asked to verify.
    results: HashMap<RelativeName, VecDeque<ArtifactReport>>,
    /// The names that this run gives.
    now: RequestedPaths,
    shard: Option<(u32, u32)>,
    unchanged: u64,
}

impl EarlierResults {
    /// The results of `earlier`, by the names that they have in `run`.
    pub(super) fn new(earlier: Report, run: &Run) -> Self {
        let shard = part(earlier.run.shard.as_ref());
        let (then, now) = RequestedPaths::both(&earlier.run, run);
        let mut results: HashMap<RelativeName, VecDeque<ArtifactReport>> = HashMap::new();
        for artifact in earlier.artifacts {
            results.entry(then.artifact(&artifact)).or_default().push_back(artifact);
        }
        Self { results, now, shard, unchanged: 0 }
    }

    /// Whether a result is what it was.
    pub(super) fn is_unchanged(&mut self, report: &ArtifactReport) -> bool {
        let called = self.now.artifact(report);
        let Some(before) = self.results.get_mut(&called).and_then(VecDeque::pop_front) else {
            return false;
        };
        let unchanged = report::differs(&before, report).is_none();
        self.unchanged = self.unchanged.saturating_add(u64::from(unchanged));
        unchanged
    }

    /// Writes which artifacts are gone, and how many results are unchanged.
    pub(super) fn last_lines(&self, out: &mut dyn io::Write, run: &Run) -> io::Result<()> {
        // A partial run, or one of another shard, does not show what is gone.
        if !run.partial && part(run.shard.as_ref()) == self.shard {
            for (name, outcome) in self.gone(run) {
                line!(out, "{}: gone, it was {}", printable(name), outcome.word())?;
            }
        }
        let verb = if self.unchanged == 1 { "result is" } else { "results are" };
        line!(out, "{} {verb} unchanged", self.unchanged)
    }

    /// The artifacts that were not reported again, except those that this run excludes.
    fn gone(&self, run: &Run) -> Vec<(&String, Outcome)> {
        let files = run.coverage.iter().flat_map(|coverage| &coverage.files);
        let excluded: BTreeSet<RelativeName> = files
            .filter(|file| file.cover == Cover::Excluded)
            .map(|file| self.now.file(&file.name))
            .collect();
        let is_excluded = |called: &RelativeName| {
            let (number, within, name) = called;
            let below = (*number, within.clone(), format!("{name}/"));
            excluded.contains(called)
                || excluded
                    .range(&below..)
                    .next()
                    .is_some_and(|next| next.0 == below.0 && next.2.starts_with(&below.2))
        };
        let mut gone: Vec<(&String, Outcome, &RelativeName)> = Vec::new();
        for (called, results) in self.results.iter().filter(|(called, _)| !is_excluded(called)) {
            gone.extend(results.iter().map(|result| (&result.name, result.outcome(), called)));
        }
        gone.sort();
        gone.into_iter().map(|(name, outcome, _)| (name, outcome)).collect()
    }
}

fn part(shard: Option<&Shard>) -> Option<(u32, u32)> {
    shard.map(|shard| (shard.part, shard.of))
}
