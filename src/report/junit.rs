//! A report as JUnit XML, in the form that Jenkins, GitLab and the reporters of GitHub's actions read.
//!
//! Viewers show as green whatever is neither a failure nor an error. So only OK is written without one, and
//! nothing is ever `skipped`. A run that is not a success although each answer is OK (it was stopped, or has no
//! answer) gets a test case of its own that is an error.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};

use jiff::Timestamp;

use super::ReportSource;
use super::markup::safe;
use super::run_verdict::{counted, run_verdict, tally};
use super::words::{check_name, duration, kind, outcome_word, proved, size, status, title};
use crate::digest::Sha256Digest;
use crate::verdict::{ArtifactReport, Check, ExitStatus, Outcome, Run, Summary};

/// Writes the report as JUnit XML: one suite, with one case for each artifact.
///
/// FAILED, MISSING and EXTRA are `failure`, with the code as `type`; every other answer but OK is `error`.
/// Repeated names are numbered, because viewers drop a case whose name they have already seen.
///
/// # Errors
/// Those of the writer and of the source.
pub fn junit(out: &mut dyn Write, source: &dyn ReportSource) -> io::Result<()> {
    let run = source.run();
    let counts = tally(source)?;
    let verdict = run_verdict(run, &counts);
    let failures: u64 = [Outcome::Failed, Outcome::Missing, Outcome::Extra]
        .into_iter()
        .map(|outcome| counts.of(outcome))
        .sum();
    let run_case = u64::from(verdict.unexplained.is_some());
    let errors = counts
        .answers
        .saturating_sub(failures)
        .saturating_sub(counts.of(Outcome::Ok))
        .saturating_add(run_case);
    let mut head = format!(
        "name=\"sealift\" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"0\"",
        counts.answers.saturating_add(run_case),
    );
    if let Some(summary) = &run.summary {
        let milliseconds = summary.milliseconds;
        head.push_str(&format!(" time=\"{}.{:03}\"", milliseconds / 1000, milliseconds % 1000));
    }
    // The form has no time zone; this is UTC.
    if let Ok(time) = run.time.parse::<Timestamp>() {
        head.push_str(&format!(" timestamp=\"{}\"", time.strftime("%Y-%m-%dT%H:%M:%S")));
    }

    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites {head}>")?;
    writeln!(out, "<testsuite {head}>")?;
    writeln!(out, "<properties>")?;
    properties(out, run, &counts, &verdict.title)?;
    writeln!(out, "</properties>")?;
    let mut names = CaseNames::default();
    if let Some(why) = &verdict.unexplained {
        let name = names.unused("sealift.run", "the run as a whole");
        writeln!(out, "<testcase name=\"{name}\" classname=\"sealift.run\">")?;
        writeln!(
            out,
            "<error type=\"run\" message=\"{}\">{}</error>",
            safe(&verdict.title),
            safe(why)
        )?;
        writeln!(out, "</testcase>")?;
    }
    source.each(&mut |artifact| case(out, artifact, &mut names))?;
    writeln!(out, "</testsuite>")?;
    writeln!(out, "</testsuites>")
}

fn properties(out: &mut dyn Write, run: &Run, counts: &Summary, title: &str) -> io::Result<()> {
    let mut property = |name: &str, value: &str| {
        writeln!(out, "<property name=\"sealift.{name}\" value=\"{}\"/>", safe(value))
    };
    let list = |items: &[Sha256Digest]| {
        items.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    property("verdict", title)?;
    property("exit-status", &run.exit_status.to_string())?;
    property("answers", &counted(counts))?;
    property("version", &run.version)?;
    if let Some(program) = &run.program {
        property("program", &program.to_string())?;
    }
    property("time", &run.time)?;
    if let Some(finished) = &run.finished {
        property("finished", finished)?;
    }
    property("partial", if run.partial { "true" } else { "false" })?;
    if !run.paths.is_empty() {
        property("paths", &run.paths.join(" "))?;
    }
    if let Some(shard) = &run.shard {
        property("shard", &format!("{} of {}", shard.part, shard.of))?;
        property("listing", &shard.listing.to_string())?;
    }
    if let Some(merged) = run.merged {
        property("merged", &merged.to_string())?;
    }
    if let Some(basis) = &run.basis {
        property("keys", &list(&basis.keys))?;
        if let Some(identity) = &basis.identity {
            property("identity", identity)?;
        }
        property("transfer-keys", &list(&basis.transfer_keys))?;
        if let Some(policy) = &basis.policy {
            property("policy", &policy.to_string())?;
        }
        if let Some(root) = &basis.trusted_root {
            property("trusted-root", &format!("{} ({})", root.sha256, root.source))?;
        }
        for profile in &basis.profiles {
            let digest = profile.sha256.map_or_else(String::new, |digest| format!(" {digest}"));
            property("profile", &format!("{}{digest}", profile.name))?;
        }
        if let Some(map) = &basis.map {
            property("map", &map.to_string())?;
        }
        property("options", &basis.options.join(" "))?;
    }
    if let Some(coverage) = &run.coverage {
        property("coverage.vendor", &coverage.vendor.to_string())?;
        property("coverage.seal-only", &coverage.seal_only.to_string())?;
        property("coverage.material", &coverage.material.to_string())?;
        property("coverage.uncovered", &coverage.uncovered.to_string())?;
        property("coverage.excluded", &coverage.excluded.to_string())?;
    }
    if let Some(summary) = &run.summary {
        property("read", &size(summary.bytes))?;
        property("duration", &duration(summary.milliseconds))?;
    }
    Ok(())
}

/// The names in use. Only a digest of each is kept, and for a repeated name its next number: names may be as long
/// as a path, and cutting them may make them equal.
#[derive(Default)]
struct CaseNames {
    given: HashSet<Sha256Digest>,
    next: HashMap<Sha256Digest, u64>,
    /// How many names were tried.
    #[cfg(test)]
    tried: u64,
}

impl CaseNames {
    /// The name, escaped, and numbered if the class already has it.
    fn unused(&mut self, class: &str, name: &str) -> String {
        let name = safe(name);
        let key = |candidate: &str| Sha256Digest::of(format!("{class}\0{candidate}").as_bytes());
        let first = key(&name);
        let mut number = self.next.get(&first).copied().unwrap_or(1);
        loop {
            #[cfg(test)]
            {
                self.tried += 1;
            }
            let candidate = if number == 1 { name.clone() } else { format!("{name} ({number})") };
            number = number.saturating_add(1);
            if self.given.insert(key(&candidate)) {
                if number > 2 {
                    self.next.insert(first, number);
                }
                return candidate;
            }
        }
    }
}

fn case(out: &mut dyn Write, artifact: &ArtifactReport, names: &mut CaseNames) -> io::Result<()> {
    let class = format!("sealift.{}", kind(artifact.kind));
    let name = names.unused(&class, &title(artifact));
    writeln!(out, "<testcase name=\"{name}\" classname=\"{class}\">")?;
    if artifact.outcome() == Outcome::Ok {
        writeln!(out, "<system-out>{}", safe(&proved(artifact)))?;
        details(out, artifact)?;
        writeln!(out, "</system-out>")?;
    } else {
        let failed = artifact.outcome().exit_status() == ExitStatus::Failed;
        let element = if failed { "failure" } else { "error" };
        let word = outcome_word(artifact.outcome());
        let code = artifact.code().map_or(word, |code| code.name());
        let reason = artifact
            .reason
            .as_deref()
            .or_else(|| artifact.code().map(|code| code.summary()))
            .unwrap_or(word);
        let reason = safe(reason);
        writeln!(
            out,
            "<{element} type=\"{code}\" message=\"{word}: {reason}\">{word} ({code}): {reason}"
        )?;
        for cause in &artifact.likely_causes {
            writeln!(out, "likely cause: {}", safe(cause))?;
        }
        if let Some(next) = &artifact.next {
            writeln!(out, "next: {}", safe(next))?;
        }
        details(out, artifact)?;
        writeln!(out, "</{element}>")?;
    }
    writeln!(out, "</testcase>")
}

fn details(out: &mut dyn Write, artifact: &ArtifactReport) -> io::Result<()> {
    if let Some(sha256) = &artifact.sha256 {
        writeln!(out, "file: {sha256}")?;
    }
    if artifact.outcome() != Outcome::Ok {
        for matched in &artifact.matched {
            writeln!(out, "signed: {} {}", safe(&matched.kind), matched.digest)?;
        }
        if let Some(key) = &artifact.key {
            writeln!(out, "key: {key}")?;
        }
    }
    artifact.checks.iter().try_for_each(|item| check(out, "", item))?;
    for bundle in &artifact.bundles {
        writeln!(out, "bundle {}", safe(&bundle.name))?;
        bundle.checks.iter().try_for_each(|item| check(out, "  ", item))?;
    }
    Ok(())
}

fn check(out: &mut dyn Write, indent: &str, check: &Check) -> io::Result<()> {
    writeln!(out, "{indent}{}: {}", check_name(check.name), status(check.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_comes_often_costs_no_more_each_time() {
        let mut names = CaseNames::default();
        let long = "x".repeat(3000);
        let mut all = HashSet::new();
        for _ in 0..2000 {
            assert!(all.insert(names.unused("c", &long)));
        }
        // One may be taken by a thing that is really called so.
        assert_eq!(names.unused("c", "a"), "a");
        assert_eq!(names.unused("c", "a (2)"), "a (2)");
        assert_eq!(names.unused("c", "a"), "a (3)");
        assert_eq!(names.unused("c", "a"), "a (4)");
        assert!(names.tried < 2 * 2004, "{}", names.tried);
    }
}
