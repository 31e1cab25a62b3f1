//! What differs between two reports, as data: for each artifact and each file by its name, and for the rules that
//! applied.

use std::collections::{BTreeSet, HashMap, VecDeque};

use serde::Serialize;

use super::below::{RelativeName, RequestedPaths};
use super::words::{cover, outcome_word, trusted_by};
use crate::verdict::{
    ArtifactReport, Basis, Code, Coverage, CoveredFile, MatchedDigest, Report, Run,
};

/// What kind of difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Change {
    /// The run: its rules, its program, how it ended.
    Run,
    /// An artifact that the first report does not have.
    New,
    /// An artifact that the second report does not have.
    Gone,
    /// An artifact whose answer differs: see [`differs`].
    Changed,
    /// A file that is not an artifact of either report and is new, gone or covered differently.
    File,
}

/// One difference between two reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What kind of difference.
    pub change: Change,
    /// The name of the artifact or file; absent for the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What differs, in words; holds text of the reports, unescaped.
    pub words: String,
}

impl Difference {
    fn new(change: Change, name: Option<&str>, words: impl Into<String>) -> Self {
        Self { change, name: name.map(str::to_owned), words: words.into() }
    }
}

/// What differs from `before` to `after`: the run first, then the artifacts and then the files, each in
/// the order of the reports.
///
/// Artifacts and files are matched by their paths relative to those that each report was asked for
/// ([`RequestedPaths`]), so that copies of a tree at two places do not differ. If a name appears several times,
/// the first is compared with the first. Times, durations and byte counts are ignored.
#[must_use]
pub fn diff(before: &Report, after: &Report) -> Vec<Difference> {
    let mut found = Vec::new();
    runs(&before.run, &after.run, &mut found);

    let (here, there) = RequestedPaths::both(&before.run, &after.run);
    let called = (
        |artifact: &ArtifactReport| here.artifact(artifact),
        |artifact: &ArtifactReport| there.artifact(artifact),
    );
    for pair in pairs(&before.artifacts, &after.artifacts, called.0, called.1) {
        let (change, artifact, words) = match pair {
            (Some(old), Some(new)) => match differs(old, new) {
                Some(words) => (Change::Changed, old, words),
                None => continue,
            },
            (Some(old), None) => (Change::Gone, old, answer(old)),
            (None, Some(new)) => (Change::New, new, answer(new)),
            (None, None) => continue,
        };
        found.push(Difference::new(change, Some(&artifact.name), words));
    }

    if let (Some(first), Some(second)) = (&before.run.coverage, &after.run.coverage) {
        let old = before.artifacts.iter().map(|artifact| here.file(&artifact.name));
        let new = after.artifacts.iter().map(|artifact| there.file(&artifact.name));
        let artifacts = old.chain(new).collect();
        files((first, &here), (second, &there), &artifacts, &mut found);
    }
    found
}

/// What differs between two answers for one artifact, in words; `None` if nothing that counts differs.
///
/// What counts is the answer (outcome and code), what was judged (kind, `sha256`, matched digests, and
/// which images a signature covers) and who vouches for it (key, `key_trust`, `first_use`, `carried`). Reasons,
/// likely causes, next steps, checks and notes do not count: they hold paths, times and log indexes, and
/// follow from the rest.
#[must_use]
pub fn differs(before: &ArtifactReport, after: &ArtifactReport) -> Option<String> {
    let mut words = Words::default();
    if (before.outcome(), before.code()) != (after.outcome(), after.code()) {
        words.add(format!("was {}, is {}", answer(before), answer(after)));
    }
    if before.kind != after.kind {
        let kind = |artifact: &ArtifactReport| super::words::kind(artifact.kind);
        words.add(format!("was taken for: {}, now: {}", kind(before), kind(after)));
    }
    words.changed("sha256", before.sha256, after.sha256);
    words.sets(
        "signed digests",
        before.matched.iter().map(matched),
        after.matched.iter().map(matched),
    );
    if covered(before) != covered(after) {
        words.add("images or their signed digests, and which are covered, differ".to_owned());
    }
    words.changed("key", before.key, after.key);
    if before.key_trust != after.key_trust && before.key.is_some() && after.key.is_some() {
        words.add(format!(
            "key: was {}, is {}",
            trusted_by(before.key_trust),
            trusted_by(after.key_trust)
        ));
    }
    let unsigned = |artifact: &ArtifactReport| !artifact.unsigned_documents.is_empty();
    words.flag("documents in it are not signed", unsigned(before), unsigned(after));
    words.flag("accepted unseen when it was sealed", before.first_use, after.first_use);
    words.flag("carried by an earlier transfer, not looked at", before.carried, after.carried);
    words.done()
}

/// Outcome and code, in words.
fn answer(artifact: &ArtifactReport) -> String {
    let word = outcome_word(artifact.outcome());
    artifact.code().map_or_else(|| word.to_owned(), |code: Code| format!("{word} ({code})"))
}

fn matched(matched: &MatchedDigest) -> String {
    format!("{} {}", matched.kind, matched.digest)
}

/// Each image by its candidates, and whether it is covered.
fn covered(artifact: &ArtifactReport) -> BTreeSet<(Vec<String>, bool)> {
    artifact
        .images
        .iter()
        .map(|image| (image.candidates.iter().map(matched).collect(), image.covered))
        .collect()
}

fn runs(before: &Run, after: &Run, found: &mut Vec<Difference>) {
    let none = Basis::default();
    let (old, new) =
        (before.basis.as_ref().unwrap_or(&none), after.basis.as_ref().unwrap_or(&none));
    let mut words = Words::default();
    words.changed("exit status", Some(before.exit_status), Some(after.exit_status));
    words.changed("version", Some(&before.version), Some(&after.version));
    words.changed("program", before.program, after.program);
    words.flag("stopped before everything was looked at", before.partial, after.partial);
    let part =
        |run: &Run| run.shard.as_ref().map(|shard| format!("{} of {}", shard.part, shard.of));
    words.changed("part", part(before), part(after));
    let listing = |run: &Run| run.shard.as_ref().map(|shard| shard.listing);
    words.changed("listing", listing(before), listing(after));
    if before.basis.is_some() != after.basis.is_some() {
        let which = if before.basis.is_some() { "second" } else { "first" };
        words.add(format!("the {which} report does not say which keys and policy it used"));
    }
    words.sets("vendor keys", old.keys.iter(), new.keys.iter());
    words.changed("identity", old.identity.as_ref(), new.identity.as_ref());
    words.sets("transfer keys", old.transfer_keys.iter(), new.transfer_keys.iter());
    words.changed("policy", old.policy, new.policy);
    let root = |basis: &Basis| {
        basis.trusted_root.as_ref().map(|root| format!("{} ({})", root.sha256, root.source))
    };
    words.changed("trusted root", root(old), root(new));
    // Profiles are tried in order, so a different order can change an answer.
    let profiles = |basis: &Basis| {
        let all: Vec<String> = basis
            .profiles
            .iter()
            .map(|profile| {
                let digest = profile.sha256.map_or_else(String::new, |digest| format!(" {digest}"));
                format!("{}{digest}", profile.name)
            })
            .collect();
        (!all.is_empty()).then(|| all.join(", "))
    };
    words.changed("profiles", profiles(old), profiles(new));
    words.changed("map", old.map, new.map);
    words.sets("options", old.options.iter(), new.options.iter());
    found.extend(words.0.into_iter().map(|text| Difference::new(Change::Run, None, text)));
}

/// Files that are not artifacts: artifacts have answers of their own.
fn files(
    (before, here): (&Coverage, &RequestedPaths),
    (after, there): (&Coverage, &RequestedPaths),
    artifacts: &BTreeSet<RelativeName>,
    found: &mut Vec<Difference>,
) {
    let called =
        (|file: &CoveredFile| here.file(&file.name), |file: &CoveredFile| there.file(&file.name));
    for pair in pairs(&before.files, &after.files, called.0, called.1) {
        let name = pair.0.map(called.0).or(pair.1.map(called.1));
        if name.is_none_or(|name| artifacts.contains(&name)) {
            continue;
        }
        let (file, words) = match pair {
            (Some(old), Some(new)) if old.cover != new.cover => {
                (old, format!("was {}, is {}", cover(old.cover), cover(new.cover)))
            }
            (Some(old), Some(new)) if old.size != new.size => {
                (old, format!("was {} bytes, is {} bytes", old.size, new.size))
            }
            (Some(old), None) => (old, format!("gone; was {}", cover(old.cover))),
            (None, Some(new)) => (new, format!("new: {}", cover(new.cover))),
            (Some(_), Some(_)) | (None, None) => continue,
        };
        found.push(Difference::new(Change::File, Some(&file.name), words));
    }
}

/// The items of two lists, paired by name: the first of a name with the first of it. What remains of the first list keeps its place, and what remains of the second comes at the end.
fn pairs<'t, T>(
    before: &'t [T],
    after: &'t [T],
    old: impl Fn(&'t T) -> RelativeName,
    new: impl Fn(&'t T) -> RelativeName,
) -> Vec<(Option<&'t T>, Option<&'t T>)> {
    let mut places: HashMap<RelativeName, VecDeque<usize>> = HashMap::new();
    for (place, item) in after.iter().enumerate() {
        places.entry(new(item)).or_default().push_back(place);
    }
    let mut taken = BTreeSet::new();
    let mut all = Vec::with_capacity(before.len());
    for item in before {
        let place = places.get_mut(&old(item)).and_then(VecDeque::pop_front);
        taken.extend(place);
        all.push((Some(item), place.and_then(|place| after.get(place))));
    }
    let left = after.iter().enumerate().filter(|(place, _)| !taken.contains(place));
    all.extend(left.map(|(_, item)| (None, Some(item))));
    all
}

/// Differences in words.
#[derive(Default)]
struct Words(Vec<String>);

impl Words {
    fn add(&mut self, text: String) {
        self.0.push(text);
    }

    fn changed<T: PartialEq + ToString>(
        &mut self,
        what: &str,
        before: Option<T>,
        after: Option<T>,
    ) {
        if before != after {
            let show = |value: Option<T>| {
                value.map_or_else(|| "none".to_owned(), |value| value.to_string())
            };
            self.add(format!("{what} was {}, is {}", show(before), show(after)));
        }
    }

    fn flag(&mut self, what: &str, before: bool, after: bool) {
        match (before, after) {
            (false, true) => self.add(format!("now {what}")),
            (true, false) => self.add(format!("no longer {what}")),
            _ => {}
        }
    }

    fn sets<T: ToString>(
        &mut self,
        what: &str,
        before: impl Iterator<Item = T>,
        after: impl Iterator<Item = T>,
    ) {
        let set = |items: BTreeSet<String>| {
            let all: Vec<String> = items.into_iter().collect();
            (!all.is_empty()).then(|| all.join(", "))
        };
        let before = set(before.map(|item| item.to_string()).collect());
        let after = set(after.map(|item| item.to_string()).collect());
        self.changed(what, before, after);
    }

    fn done(self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.join("; "))
    }
}
