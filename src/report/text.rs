//! One line for each artifact, then what to do next; details on demand.

use std::io::{self, Write};

use super::Source;
use super::whole::stopped;
use super::words::{ORDER, check_name, duration, proved, size, status, title};
use crate::verdict::{ArtifactReport, Check, Outcome, Run, printable};

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
pub fn text(out: &mut dyn Write, source: &dyn Source, detail: Detail) -> io::Result<()> {
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
        let plural = if counts.answers == 1 { "" } else { "s" };
        write!(out, "{} answer{plural}", counts.answers)?;
        let mut separator = ": ";
        let (good, others): (Vec<_>, Vec<_>) =
            ORDER.into_iter().partition(|(outcome, _)| *outcome == Outcome::Ok);
        for (outcome, word) in good.into_iter().chain(others) {
            let count = counts.of(outcome);
            if count > 0 {
                write!(out, "{separator}{count} {word}")?;
                separator = ", ";
            }
        }
        writeln!(out, "; {} in {}", size(counts.bytes), duration(counts.milliseconds))?;
    }
    if let Some(coverage) = &run.coverage {
        write!(
            out,
            "coverage: {} file{} by a vendor's signature, {} by a seal only, {} material, {} uncovered",
            coverage.vendor,
            if coverage.vendor == 1 { "" } else { "s" },
            coverage.seal_only,
            coverage.material,
            coverage.uncovered
        )?;
        if coverage.excluded > 0 {
            write!(out, ", {} excluded", coverage.excluded)?;
        }
        writeln!(out)?;
    }
    if let Some(parts) = run.merged {
        writeln!(out, "merged from the reports of {parts} parts")?;
    }
    if let Some(shard) = &run.shard {
        writeln!(
            out,
            "PART {} OF {}: of a listing of {} files, {}; nothing is said of the other parts",
            shard.part, shard.of, shard.files, shard.listing
        )?;
    }
    if let Some((_, why)) = stopped(run) {
        writeln!(out, "PARTIAL: {why}: not everything was looked at")?;
    }
    Ok(())
}

/// Writes the result line of one artifact and what follows it.
///
/// # Errors
/// Those of the writer.
pub fn artifact(out: &mut dyn Write, report: &ArtifactReport, detail: Detail) -> io::Result<()> {
    let name = printable(&title(report));
    let word = report.outcome.word();
    match (report.outcome, report.code) {
        (Outcome::Ok, _) => writeln!(out, "{name}: {word} ({})", proved(report))?,
        (_, Some(code)) => {
            let reason = report.reason.as_deref().unwrap_or_else(|| code.summary());
            writeln!(out, "{name}: {word} ({code}: {})", reason)?;
        }
        (_, None) => writeln!(out, "{name}: {word}")?,
    }
    for cause in &report.likely_causes {
        writeln!(out, "  likely cause: {}", printable(cause))?;
    }
    if let Some(next) = &report.next {
        writeln!(out, "  next: {}", printable(next))?;
    }
    if detail == Detail::Full {
        details(out, report)?;
    }
    Ok(())
}

fn details(out: &mut dyn Write, report: &ArtifactReport) -> io::Result<()> {
    if let Some(detected) = &report.detected {
        writeln!(out, "  detected: {}", printable(detected))?;
    }
    if let Some(sha256) = &report.sha256 {
        writeln!(out, "  file: {sha256}")?;
    }
    for check in &report.checks {
        check_line(out, "  ", check)?;
    }
    for image in &report.images {
        let covered = if image.covered { "covered" } else { "not covered" };
        let tags: Vec<_> = image.unsigned_tags.iter().map(|tag| printable(tag)).collect();
        let tags = if tags.is_empty() { "none".to_owned() } else { tags.join(", ") };
        writeln!(
            out,
            "  image {} ({covered}; {} layers; unsigned tags: {tags})",
            printable(&image.platform),
            image.layers
        )?;
        for candidate in &image.candidates {
            writeln!(out, "    {}: {}", candidate.kind, candidate.digest)?;
        }
        for (engine, id) in &image.ids_after_load {
            writeln!(out, "    id after loading, {engine}: {}", printable(id))?;
        }
    }
    for bundle in &report.bundles {
        let format = bundle.format.as_deref().unwrap_or("unreadable");
        writeln!(out, "  bundle {} ({format})", printable(&bundle.name))?;
        for check in &bundle.checks {
            check_line(out, "    ", check)?;
        }
        for note in &bundle.notes {
            writeln!(out, "    note: {}", printable(note))?;
        }
    }
    for note in &report.notes {
        writeln!(out, "  note: {}", printable(note))?;
    }
    Ok(())
}

fn check_line(out: &mut dyn Write, indent: &str, check: &Check) -> io::Result<()> {
    let (name, status) = (check_name(check.name), status(check.status));
    write!(out, "{indent}{name}: {status}")?;
    for (index, (key, value)) in check.values.iter().enumerate() {
        let separator = if index == 0 { " (" } else { ", " };
        write!(out, "{separator}{} {}", printable(key), printable(value))?;
    }
    if !check.values.is_empty() {
        out.write_all(b")")?;
    }
    writeln!(out)
}
