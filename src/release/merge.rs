//! Merges the reports of parts into the report of the whole.
//!
//! The result is what one run over everything would report: the parts must have seen the same listing and
//! judged by the same keys and settings, every file must be there exactly once, and findings about all
//! artifacts together are worked out anew. Reports are believed as they are read: they carry no
//! signature, so they must come from machines and over paths that are trusted.

use std::collections::BTreeSet;

use super::bundle_usage::{BundleUsage, nothing_found};
use super::listing;
use crate::limits;
use crate::verdict::{
    ArtifactReport, Code, Coverage, ExitStatus, Fault, Report, Run, Shard, Summary,
};

/// Merges the reports of all parts.
///
/// # Errors
/// [`Code::ShardsDiffer`] and [`Code::ShardsIncomplete`], which say what does not fit.
pub fn merge(parts: Vec<(String, Report)>) -> Result<Report, Fault> {
    let Some((first, rest)) = parts.split_first() else {
        return Err(Fault::new(Code::ShardsIncomplete, "no report was given"));
    };
    let shard = shard(first)?.clone();
    for other in rest {
        same(first, other, self::shard(other)?, &shard)?;
    }
    complete(&parts, &shard)?;
    once(&parts)?;
    let mut run = Run::new(first.1.run.time.clone());
    run.program = first.1.run.program;
    run.version.clone_from(&first.1.run.version);
    run.paths.clone_from(&first.1.run.paths);
    run.basis.clone_from(&first.1.run.basis);
    run.merged = Some(shard.of);
    let mut summary = Summary::default();
    let mut coverage = Coverage::default();
    let mut artifacts = Vec::new();
    let mut bundles = Vec::new();
    let mut files = Vec::new();
    for (_, report) in parts {
        run.time = run.time.min(report.run.time);
        run.finished = run.finished.max(report.run.finished);
        let own = report.run.summary.unwrap_or_default();
        summary.bytes = summary.bytes.saturating_add(own.bytes);
        summary.milliseconds = summary.milliseconds.max(own.milliseconds);
        bundles.extend(report.run.shard.into_iter().flat_map(|shard| shard.bundles));
        files.extend(report.run.coverage.into_iter().flat_map(|coverage| coverage.files));
        // That a part held nothing to check says nothing about the whole.
        let nothing = |answer: &ArtifactReport| answer.code() == Some(Code::NothingFound);
        artifacts.extend(report.artifacts.into_iter().filter(|answer| !nothing(answer)));
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files.into_iter().for_each(|file| coverage.add(file));
    artifacts.sort_by(|a, b| unit(a).cmp(unit(b)));
    // Each part says it of the whole folder.
    artifacts.dedup_by(|a, b| a.code() == Some(Code::NoKey) && a == b);
    let mut usage = BundleUsage::default();
    artifacts.iter().for_each(|artifact| usage.add(artifact));
    artifacts.extend(usage.findings(bundles.iter().map(String::as_str), everything(&run)));
    if artifacts.is_empty() {
        let message = nothing_found(everything(&run));
        let name = run.paths.first().cloned().unwrap_or_default();
        let fault = Fault::new(Code::NothingFound, message);
        artifacts.push(ArtifactReport::new(name).refused(&fault));
    }
    artifacts.iter().for_each(|artifact| summary.count(artifact.outcome()));
    run.exit_status = ExitStatus::of(artifacts.iter().map(|artifact| artifact.outcome())).code();
    run.summary = Some(summary);
    run.coverage = Some(coverage);
    Ok(Report { run, artifacts })
}

/// The thing in the folder that an answer is about.
fn unit(report: &ArtifactReport) -> &str {
    report.within.as_deref().unwrap_or(&report.name)
}

/// Whether the run asked for everything in the folder.
fn everything(run: &Run) -> bool {
    let options = run.basis.iter().flat_map(|basis| &basis.options);
    !options
        .into_iter()
        .any(|option| option.starts_with("--include") || option.starts_with("--exclude"))
}

fn shard((name, report): &(String, Report)) -> Result<&Shard, Fault> {
    let incomplete = |message: &str| Fault::new(Code::ShardsIncomplete, message).at(name.as_str());
    if report.run.partial || report.run.stopped_by.is_some() {
        return Err(incomplete("it ended before everything was looked at"));
    }
    let shard = report
        .run
        .shard
        .as_ref()
        .ok_or_else(|| incomplete("it is the report of a whole, not of a part (--shard)"))?;
    let mut counts = Summary::default();
    report.artifacts.iter().for_each(|artifact| counts.count(artifact.outcome()));
    let stated = report.run.summary.as_ref();
    let status = ExitStatus::of(counts.outcomes.keys().copied()).code();
    if status != report.run.exit_status
        || stated.is_none_or(|summary| {
            (summary.answers, &summary.outcomes) != (counts.answers, &counts.outcomes)
        })
    {
        let message = "its answers are not those that it counts: some are lost, or it was changed";
        return Err(incomplete(message).expected_found(
            format!(
                "{} answers, exit status {}",
                stated.map_or(0, |summary| summary.answers),
                report.run.exit_status
            ),
            format!("{}, exit status {status}", counts.answers),
        ));
    }
    if shard.part == 0 || shard.part > shard.of || shard.of > limits::SHARDS {
        return Err(incomplete("there is no such part").expected_found(
            format!("1 to {}", shard.of.min(limits::SHARDS)),
            format!("{} of {}", shard.part, shard.of),
        ));
    }
    Ok(shard)
}

/// Refuses a report that saw, or judged by, something else than the first.
fn same(
    (first_name, first): &(String, Report),
    (name, report): &(String, Report),
    shard: &Shard,
    whole: &Shard,
) -> Result<(), Fault> {
    let differ = |what: &str, expected: String, found: String| {
        Err(Fault::new(Code::ShardsDiffer, format!("{what} not those of {first_name}"))
            .at(name.as_str())
            .expected_found(expected, found))
    };
    let (a, b) = (&first.run, &report.run);
    if shard.of != whole.of {
        return differ("the number of parts is", whole.of.to_string(), shard.of.to_string());
    }
    if (shard.listing, shard.files) != (whole.listing, whole.files) {
        let words = |shard: &Shard| format!("{} files, {}", shard.files, shard.listing);
        return differ("the listing is", words(whole), words(shard));
    }
    if (a.program, &a.version) != (b.program, &b.version) {
        let words = |run: &Run| match run.program {
            Some(program) => format!("{} {program}", run.version),
            None => run.version.clone(),
        };
        return differ("the program is", words(a), words(b));
    }
    if a.paths != b.paths {
        return differ("the paths are", a.paths.join(", "), b.paths.join(", "));
    }
    let members = |run: &Run| serde_json::to_value(&run.basis).unwrap_or_default();
    let (one, other) = (members(a), members(b));
    if one != other {
        let names: BTreeSet<&String> = [&one, &other]
            .into_iter()
            .filter_map(|basis| basis.as_object())
            .flat_map(|members| members.keys())
            .collect();
        let differing = names.into_iter().find(|key| one.get(key) != other.get(key));
        let key = differing.map_or("basis", String::as_str);
        let show = |basis: &serde_json::Value| {
            basis.get(key).unwrap_or(&serde_json::Value::Null).to_string()
        };
        return differ(&format!("{key}:"), show(&one), show(&other));
    }
    Ok(())
}

/// Refuses an answer for the same thing from two parts. Files that can't be told apart by name (a name
/// that is not UTF-8 is shown with a mark) may be there twice.
fn once(parts: &[(String, Report)]) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for (name, report) in parts {
        let own: BTreeSet<&str> = report
            .artifacts
            .iter()
            .filter(|artifact| {
                artifact.code() != Some(Code::NoKey) && artifact.code() != Some(Code::NothingFound)
            })
            .map(unit)
            .filter(|unit| !unit.contains('\u{fffd}'))
            .collect();
        if let Some(twice) = own.iter().find(|unit| seen.contains(*unit)) {
            let message = format!("{twice} has an answer in another part too");
            return Err(Fault::new(Code::ShardsIncomplete, message).at(name.as_str()));
        }
        seen.extend(own);
    }
    Ok(())
}

/// Refuses parts that leave something out, or have it twice.
fn complete(parts: &[(String, Report)], whole: &Shard) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for (name, report) in parts {
        let part = report.run.shard.as_ref().map_or(0, |shard| shard.part);
        if !seen.insert(part) {
            let message = format!("part {part} was given before");
            return Err(Fault::new(Code::ShardsIncomplete, message).at(name.as_str()));
        }
    }
    let missing: Vec<String> =
        (1..=whole.of).filter(|part| !seen.contains(part)).map(|part| part.to_string()).collect();
    if !missing.is_empty() {
        let message = format!("of {} parts these are missing: {}", whole.of, missing.join(", "));
        return Err(Fault::new(Code::ShardsIncomplete, message));
    }
    let files = || {
        let coverage = parts.iter().filter_map(|(_, report)| report.run.coverage.as_ref());
        coverage.flat_map(|coverage| &coverage.files).map(|file| (file.name.as_str(), file.size))
    };
    let (count, digest) = (files().count() as u64, listing::digest(files()));
    if (count, digest) != (whole.files, whole.listing) {
        let words = |count: u64, digest: &_| format!("{count} files, {digest}");
        let message = "the files of all parts together are not those of the listing";
        return Err(Fault::new(Code::ShardsIncomplete, message)
            .expected_found(words(whole.files, &whole.listing), words(count, &digest)));
    }
    Ok(())
}
