//! Findings about all artifacts of a folder together: bundles that belong to none of them, and
//! bundles that were paired with several that differ.
//!
//! It works on finished answers alone, so that a run over the whole and a merge of parts report the same.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::{Hasher, Sha256Digest};
use crate::verdict::{ArtifactKind, ArtifactReport, Code, Fault, Outcome};

/// Answers, as far as they matter here.
#[derive(Debug, Default)]
pub(super) struct BundleUsage {
    /// Whether anything could not be read, or there was no key to judge with: then it is not known what belongs
    /// to what.
    unknown: bool,
    users: BTreeMap<Box<str>, Vec<BundleUser>>,
}

#[derive(Debug)]
struct BundleUser {
    name: Box<str>,
    /// What it holds, so that copies are known; none where that was not found out.
    content: Option<Sha256Digest>,
    fine: bool,
}

impl BundleUsage {
    /// Takes note of an answer.
    pub(super) fn add(&mut self, report: &ArtifactReport) {
        self.unknown |= matches!(report.code(), Some(Code::Unreadable | Code::NoKey));
        for bundle in &report.paired {
            // Most bundles are of one artifact: no room for more.
            let users = self.users.entry(bundle.as_str().into());
            users.or_insert_with(|| Vec::with_capacity(1)).push(BundleUser {
                name: report.name.as_str().into(),
                content: content(report),
                fine: report.outcome() == Outcome::Ok,
            });
        }
    }

    /// The bundles, of all those there are, that no artifact was paired with (asked for by `unpaired`), and those that differing
    /// artifacts were paired with; in the order of the names.
    pub(super) fn findings<'b>(
        mut self,
        bundles: impl IntoIterator<Item = &'b str>,
        unpaired: bool,
    ) -> Vec<ArtifactReport> {
        let mut found = BTreeMap::new();
        for bundle in bundles {
            if unpaired && !self.unknown && !self.users.contains_key(bundle) {
                let message = "it belongs to no artifact in the folder";
                found.insert(bundle.to_owned(), Fault::new(Code::MaterialUnpaired, message));
            }
        }
        for (bundle, users) in &mut self.users {
            users.sort_by(|a, b| a.name.cmp(&b.name));
            let contents: BTreeSet<_> = users.iter().map(|user| user.content).collect();
            let differ = contents.len() > 1 || contents.contains(&None);
            if users.len() < 2 || !differ || users.iter().all(|user| user.fine) {
                continue;
            }
            found.insert(bundle.to_string(), shared(users));
        }
        found
            .into_iter()
            .map(|(bundle, fault)| {
                let mut report = ArtifactReport::new(bundle);
                report.kind = Some(ArtifactKind::File);
                report.refused(&fault)
            })
            .collect()
    }
}

/// Names at most this many artifacts of one bundle.
const NAMED: usize = 8;

fn shared(users: &[BundleUser]) -> Fault {
    let list = |fine: bool| {
        let names: Vec<&str> =
            users.iter().filter(|user| user.fine == fine).map(|user| &*user.name).collect();
        let more = names.len().saturating_sub(NAMED);
        let mut text = names.into_iter().take(NAMED).collect::<Vec<_>>().join(", ");
        if more > 0 {
            text.push_str(&format!(" and {more} more"));
        }
        text
    };
    let signed = if users.iter().any(|user| user.fine) {
        format!("it signs {}", list(true))
    } else {
        "it was verified for none of them".to_owned()
    };
    let message = format!("paired with artifacts that differ: {signed}, and not {}", list(false));
    Fault::new(Code::BundleShared, message)
}

/// One digest for what an artifact holds: a package's bytes, or the digests that can be signed for the
/// images of an archive.
fn content(report: &ArtifactReport) -> Option<Sha256Digest> {
    if let Some(digest) = report.sha256 {
        return Some(digest);
    }
    let candidates: BTreeSet<Sha256Digest> = report
        .images
        .iter()
        .flat_map(|image| &image.candidates)
        .map(|candidate| candidate.digest)
        .collect();
    if candidates.is_empty() {
        return None;
    }
    let mut hasher = Hasher::new();
    candidates.iter().for_each(|digest| hasher.update(digest.as_bytes()));
    Some(hasher.finish())
}

/// The message for a folder in which there is nothing to check; `complete` when everything was asked
/// for.
pub(super) const fn nothing_found(complete: bool) -> &'static str {
    if complete {
        "there is no image archive, no package and no transfer directory in it"
    } else {
        "--include and --exclude leave nothing to check"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Evidence;

    fn answer(name: &str, bundle: &str, content: u8, fine: bool) -> ArtifactReport {
        let mut report = ArtifactReport::new(name);
        report.paired = vec![bundle.to_owned()];
        report.sha256 = Some(Sha256Digest::of(&[content]));
        if fine { report.verified(Evidence::Carried) } else { report }
    }

    fn codes(answers: &[ArtifactReport], bundles: &[&str]) -> Vec<(String, Code)> {
        let mut usage = BundleUsage::default();
        answers.iter().for_each(|answer| usage.add(answer));
        let found = usage.findings(bundles.iter().copied(), true);
        found.into_iter().map(|found| (found.name.clone(), found.code().unwrap())).collect()
    }

    #[test]
    fn copies_may_share_a_bundle_and_others_may_not() {
        let copies = [answer("a", "x", 1, true), answer("b", "x", 1, true)];
        assert_eq!(codes(&copies, &["x"]), []);
        let broken_copies = [answer("a", "x", 1, false), answer("b", "x", 1, false)];
        assert_eq!(codes(&broken_copies, &["x"]), []);
        let differ = [answer("a", "x", 1, true), answer("b", "x", 2, false)];
        assert_eq!(codes(&differ, &["x"]), [("x".to_owned(), Code::BundleShared)]);
        let neither = [answer("a", "x", 1, false), answer("b", "x", 2, false)];
        assert_eq!(codes(&neither, &["x"]), [("x".to_owned(), Code::BundleShared)]);
    }

    #[test]
    fn a_bundle_of_nothing_is_said() {
        let answers = [answer("a", "x", 1, true)];
        let unpaired = ("y".to_owned(), Code::MaterialUnpaired);
        assert_eq!(codes(&answers, &["x", "y"]), [unpaired]);
        // Unless it may be of what could not be read.
        let mut unread = answer("b", "z", 2, false).refused(&Fault::new(Code::Unreadable, "x"));
        unread.paired = Vec::new();
        assert_eq!(codes(&[answers[0].clone(), unread], &["x", "y"]), []);
    }
}
