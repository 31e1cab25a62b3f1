//! One line for each artifact, then what to do next; details on demand.
//!
//! Everything is written by `line!`, which escapes the whole line: a report may come from anybody.
//! `printable` is used only to cut fields to a readable length.

use std::io::{self, Write};

use super::ReportSource;
use super::run_verdict::stopped;
use super::words::{
    ORDER, check_name, duration, is_of_state, proved, size, so_many, status, title, unsigned,
};
use crate::verdict::{
    ArtifactReport, Check, Outcome, Run, SENTENCE, line, printable, printable_within,
};

/// How much a text report tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The result line, and for refusals the causes and the next step.
    Brief,
    /// Every check with its values as well.
    Full,
}

/// Writes every artifact as [`artifact`] does, and the [`summary`].
///
/// # Errors
/// Those of the writer and of the source.
pub fn text(out: &mut dyn Write, source: &dyn ReportSource, detail: Detail) -> io::Result<()> {
    source.each(&mut |report| artifact(out, report, detail))?;
    summary(out, source.run())
}

/// Writes the last lines of a run: how many answers of each kind, how the files are covered, and that
/// this is a part or was stopped, where it was.
///
/// # Errors
/// Those of the writer.
pub fn summary(out: &mut dyn Write, run: &Run) -> io::Result<()> {
    if let Some(counts) = &run.summary {
        let (good, others): (Vec<_>, Vec<_>) =
            ORDER.into_iter().partition(|(outcome, _)| *outcome == Outcome::Ok);
        let kinds: Vec<String> = good
            .into_iter()
            .chain(others)
            .filter(|(outcome, _)| counts.of(*outcome) > 0)
            .map(|(outcome, word)| format!("{} {word}", counts.of(outcome)))
            .collect();
        let colon = if kinds.is_empty() { "" } else { ": " };
        let answers = so_many(counts.answers, "answer");
        let (kinds, size) = (kinds.join(", "), size(counts.bytes));
        let duration = duration(counts.milliseconds);
        line!(out, "{answers}{colon}{kinds}; {size} in {duration}")?;
    }
    if let Some(coverage) = &run.coverage {
        let excluded = match coverage.excluded {
            0 => String::new(),
            excluded => format!(", {excluded} excluded"),
        };
        line!(
            out,
            "coverage: {} by a vendor's signature, {} by a seal only, {} material, {} uncovered{excluded}",
            so_many(coverage.vendor, "file"),
            coverage.seal_only,
            coverage.material,
            coverage.uncovered
        )?;
    }
    if let Some(parts) = run.merged {
        line!(out, "merged from the reports of {}", so_many(parts, "part"))?;
    }
    if let Some(shard) = &run.shard {
        line!(
            out,
            "PART {} OF {}: of a listing of {}, {}; nothing is said of the other parts",
            shard.part,
            shard.of,
            so_many(shard.files, "file"),
            shard.listing
        )?;
    }
    if let Some((_, why)) = stopped(run) {
        line!(out, "PARTIAL: {why}: not everything was looked at")?;
    }
    Ok(())
}

/// Writes the result line of one artifact and what follows it.
///
/// # Errors
/// Those of the writer.
pub fn artifact(out: &mut dyn Write, report: &ArtifactReport, detail: Detail) -> io::Result<()> {
    let name = printable(&title(report));
    let word = report.outcome().word();
    match (report.outcome(), report.code()) {
        (Outcome::Ok, _) => line!(out, "{name}: {word} ({})", proved(report))?,
        (_, Some(code)) => {
            let reason = report.reason.as_deref().unwrap_or_else(|| code.summary());
            let reason = printable_within(reason, SENTENCE);
            line!(out, "{name}: {word} ({code}: {})", reason)?;
        }
        (_, None) => line!(out, "{name}: {word}")?,
    }
    for cause in &report.likely_causes {
        line!(out, "  likely cause: {}", printable_within(cause, SENTENCE))?;
    }
    if let Some(next) = &report.next {
        line!(out, "  next: {}", printable_within(next, SENTENCE))?;
    }
    match detail {
        Detail::Full => details(out, report)?,
        // What a transfer's serial was held against must not be a detail.
        Detail::Brief => {
            for note in report.notes.iter().filter(|note| is_of_state(report, note)) {
                line!(out, "  {}", printable_within(note, SENTENCE))?;
            }
        }
    }
    Ok(())
}

fn details(out: &mut dyn Write, report: &ArtifactReport) -> io::Result<()> {
    if let Some(detected) = &report.detected {
        line!(out, "  detected: {}", printable(detected))?;
    }
    if let Some(sha256) = &report.sha256 {
        line!(out, "  file: {sha256}")?;
    }
    for check in &report.checks {
        check_line(out, "  ", check)?;
    }
    for image in &report.images {
        let covered = if image.covered { "covered" } else { "not covered" };
        let tags: Vec<_> = image.unsigned_tags.iter().map(|tag| printable(tag)).collect();
        let tags = if tags.is_empty() { "none".to_owned() } else { tags.join(", ") };
        line!(
            out,
            "  image {} ({covered}; {}; unsigned tags: {tags})",
            printable(&image.platform),
            so_many(image.layers, "layer")
        )?;
        for candidate in &image.candidates {
            line!(out, "    {}: {}", printable(&candidate.kind), candidate.digest)?;
        }
        for (engine, id) in &image.ids_after_load {
            line!(out, "    id after loading, {}: {}", printable(engine), printable(id))?;
        }
    }
    for bundle in &report.bundles {
        let format = printable(bundle.format.as_deref().unwrap_or("unreadable"));
        line!(out, "  bundle {} ({format})", printable(&bundle.name))?;
        for check in &bundle.checks {
            check_line(out, "    ", check)?;
        }
        for note in &bundle.notes {
            line!(out, "    note: {}", printable_within(note, SENTENCE))?;
        }
    }
    for document in &report.unsigned_documents {
        line!(out, "  note: {}", printable(&unsigned(document)))?;
    }
    for note in &report.notes {
        line!(out, "  note: {}", printable_within(note, SENTENCE))?;
    }
    Ok(())
}

fn check_line(out: &mut dyn Write, indent: &str, check: &Check) -> io::Result<()> {
    let (name, status) = (check_name(check.name), status(check.status));
    let shown =
        |(key, value): (&String, &String)| format!("{} {}", printable(key), printable(value));
    let values: Vec<String> = check.values.iter().map(shown).collect();
    match values.as_slice() {
        [] => line!(out, "{indent}{name}: {status}"),
        values => line!(out, "{indent}{name}: {status} ({})", values.join(", ")),
    }
}
