//! One answer on the page: a row for what was verified, a card for everything else.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::run::{code, fact};
use crate::report::markup::safe;
use crate::report::words::{check_name, kind, proof, so_many, status, title, trusted_by};
use crate::verdict::{ArtifactReport, Check, ExitStatus, ImageReport, Outcome, Status};

/// The class of an outcome's word.
pub(super) fn tone(outcome: Outcome) -> &'static str {
    match outcome.exit_status() {
        ExitStatus::Verified => "good",
        ExitStatus::Failed => "bad",
        _ => "open",
    }
}

/// An answer that is not OK, with all that led to it. Those that say that something is wrong stand open.
pub(super) fn card(out: &mut dyn Write, report: &ArtifactReport, word: &str) -> io::Result<()> {
    let tone = tone(report.outcome());
    writeln!(out, "<article class=\"{tone}\">")?;
    writeln!(
        out,
        "<h3><span class=\"tag {tone}\">{word}</span> <bdi>{}</bdi></h3>",
        safe(&title(report))
    )?;
    match (report.code(), &report.reason) {
        (Some(it), Some(reason)) => {
            writeln!(out, "<p>{} {}</p>", code(it), safe(reason))?;
        }
        (Some(it), None) => writeln!(out, "<p>{} {}</p>", code(it), safe(it.summary()))?,
        (None, Some(reason)) => writeln!(out, "<p>{}</p>", safe(reason))?,
        (None, None) => {}
    }
    if !report.likely_causes.is_empty() {
        writeln!(out, "<p class=\"label\">Likely causes</p>\n<ul>")?;
        for cause in &report.likely_causes {
            writeln!(out, "<li>{}</li>", safe(cause))?;
        }
        writeln!(out, "</ul>")?;
    }
    if let Some(next) = &report.next {
        writeln!(out, "<p class=\"next\"><strong>Next:</strong> {}</p>", safe(next))?;
    }
    let open = if tone == "bad" { " open" } else { "" };
    writeln!(out, "<details{open}><summary>Evidence</summary>")?;
    evidence(out, report)?;
    writeln!(out, "</details>\n</article>")
}

/// Digests, key and every check with its values.
fn evidence(out: &mut dyn Write, report: &ArtifactReport) -> io::Result<()> {
    writeln!(out, "<table class=\"facts\"><tbody>")?;
    let taken = match &report.detected {
        Some(detected) => format!("{} ({})", kind(report.kind), safe(detected)),
        None => kind(report.kind).to_owned(),
    };
    fact(out, "Kind", &taken)?;
    if let Some(sha256) = report.sha256 {
        fact(out, "File", &code(sha256))?;
    }
    for matched in &report.matched {
        fact(out, "Signed", &format!("{} {}", safe(&matched.kind), code(matched.digest)))?;
    }
    if let Some(key) = report.key {
        let trust = trusted_by(report.key_trust);
        fact(out, "Key", &format!("{}<br>{trust}", code(key)))?;
    }
    for image in &report.images {
        fact(out, "Image", &shown_image(image))?;
    }
    for note in &report.notes {
        fact(out, "Note", &safe(note))?;
    }
    writeln!(out, "</tbody></table>")?;
    if !report.checks.is_empty() {
        checks(out, "Checks of the artifact", &report.checks)?;
    }
    for bundle in &report.bundles {
        let format = bundle.format.as_deref().unwrap_or("unreadable");
        let proved = if bundle.verified { "everything demanded of it held" } else { "REFUSED" };
        let title =
            format!("Bundle <bdi>{}</bdi> ({}): {proved}", safe(&bundle.name), safe(format));
        checks(out, &title, &bundle.checks)?;
        if let Some(reason) = &bundle.reason
            && bundle.reason != report.reason
        {
            let name = bundle.code.map_or_else(String::new, |it| format!("{} ", code(it)));
            writeln!(out, "<p>{name}{}</p>", safe(reason))?;
        }
        for note in &bundle.notes {
            writeln!(out, "<p>Note: {}</p>", safe(note))?;
        }
    }
    Ok(())
}

fn shown_image(image: &ImageReport) -> String {
    let covered = if image.covered { "covered" } else { "NOT covered" };
    let tags: Vec<String> =
        image.unsigned_tags.iter().map(|tag| format!("<bdi>{}</bdi>", safe(tag))).collect();
    let tags = if tags.is_empty() { "none".to_owned() } else { tags.join(", ") };
    let mut shown = format!(
        "{}, {covered} by a verified signature, {}; unsigned tags: {tags}",
        safe(&image.platform),
        so_many(image.layers, "layer")
    );
    for candidate in &image.candidates {
        shown.push_str(&format!("<br>{} {}", safe(&candidate.kind), code(candidate.digest)));
    }
    for (engine, id) in &image.ids_after_load {
        shown.push_str(&format!("<br>id after loading, {}: {}", safe(engine), code(id)));
    }
    shown
}

/// A table of checks; `title` is markup.
fn checks(out: &mut dyn Write, title: &str, checks: &[Check]) -> io::Result<()> {
    writeln!(
        out,
        "<table class=\"checks\"><caption>{title}</caption><thead><tr><th scope=\"col\">Check</th>\
         <th scope=\"col\">Result</th><th scope=\"col\">Values</th></tr></thead><tbody>"
    )?;
    let mut before = BTreeSet::new();
    for check in checks {
        // What was not there has only the values of what it was looked for in.
        let values = if check.status == Status::NotPresent {
            values(check, &mut before.clone())
        } else {
            values(check, &mut BTreeSet::new())
        };
        before.extend(pairs(check));
        writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td class=\"{}\">{}</td><td>{}</td></tr>",
            check_name(check.name),
            class(check.status),
            status(check.status),
            values
        )?;
    }
    writeln!(out, "</tbody></table>")
}

const fn class(status: Status) -> &'static str {
    match status {
        Status::Failed => "bad",
        Status::NotChecked => "open",
        Status::NotPresent => "none",
        Status::Passed => "good",
    }
}

/// The values of a check, each with its name.
fn pairs(check: &Check) -> impl Iterator<Item = (&str, &str)> {
    check.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}

/// The values of a check that were not shown before.
fn values<'c>(check: &'c Check, before: &mut BTreeSet<(&'c str, &'c str)>) -> String {
    let shown: Vec<String> = pairs(check)
        .filter(|pair| before.insert(*pair))
        .map(|(name, value)| format!("{} <span>{}</span>", safe(name), safe(value)))
        .collect();
    shown.join(", ")
}

/// Begins a table of rows.
pub(super) fn head(out: &mut dyn Write, first: u64, last: u64, of: u64) -> io::Result<()> {
    writeln!(
        out,
        "<div class=\"chunk\"><table class=\"rows\"><caption>{first} to {last} of {of}</caption>\
         <thead><tr><th scope=\"col\">Artifact</th><th scope=\"col\">What it rests on</th></tr></thead><tbody>"
    )
}

/// A verified artifact. Rows are many, so they are short: closing tags that HTML does not need are left out,
/// and a value that several checks of a bundle share is shown once.
pub(super) fn row(out: &mut dyn Write, report: &ArtifactReport) -> io::Result<()> {
    let proof = proof(report);
    write!(
        out,
        "<tr><th scope=row><bdi>{}</bdi><small>{}</small><td>",
        safe(&title(report)),
        kind(report.kind)
    )?;
    for matched in &report.matched {
        write!(out, "signed {} <code>{}</code><br>", safe(&matched.kind), matched.digest)?;
    }
    if let Some(key) = &report.key {
        write!(out, "key <code>{key}</code> ({})<br>", trusted_by(report.key_trust))?;
    }
    write!(out, "{}", safe(&proof.join(", ")))?;
    if !report.checks.is_empty() || !report.bundles.is_empty() {
        let of_bundles = report.bundles.iter().map(|it| it.checks.len()).sum();
        let count = report.checks.len().saturating_add(of_bundles);
        write!(out, "<details><summary>{count} checks</summary>")?;
        list(out, report, &report.checks)?;
        for bundle in &report.bundles {
            write!(out, "<p>bundle <bdi>{}</bdi>", safe(&bundle.name))?;
            if let Some(format) = &bundle.format {
                write!(out, " ({})", safe(format))?;
            }
            list(out, report, &bundle.checks)?;
            for note in &bundle.notes {
                write!(out, "<p>note: {}", safe(note))?;
            }
        }
        write!(out, "</details>")?;
    }
    for note in &report.notes {
        write!(out, "<p>note: {}", safe(note))?;
    }
    writeln!(out)
}

/// Checks in short: those with something to look at, each with its values, then the names of the others.
fn list(out: &mut dyn Write, report: &ArtifactReport, checks: &[Check]) -> io::Result<()> {
    if checks.is_empty() {
        return Ok(());
    }
    let key = report.key.map_or_else(String::new, |key| key.to_string());
    let mut before = BTreeSet::from([("fingerprint", key.as_str())]);
    write!(out, "<ul>")?;
    for check in checks.iter().filter(|check| check.status != Status::NotPresent) {
        write!(out, "<li>{}: {}", check_name(check.name), status(check.status))?;
        let values = values(check, &mut before);
        if !values.is_empty() {
            write!(out, " ({values})")?;
        }
    }
    let absent: Vec<&str> = checks
        .iter()
        .filter(|check| check.status == Status::NotPresent)
        .map(|check| check_name(check.name))
        .collect();
    if !absent.is_empty() {
        write!(out, "<li>not present: {}", absent.join(", "))?;
    }
    write!(out, "</ul>")
}
