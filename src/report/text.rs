//! One line for each artifact, then what to do next; details on demand.

use std::io::{self, Write};

use crate::verdict::{
    ArtifactKind, ArtifactReport, BundleReport, Check, CheckName, KeyTrust, Outcome, Status,
    printable,
};

/// How much a text report tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The result line, and for refusals the causes and the next step.
    Brief,
    /// Every check with its values as well.
    Full,
}

/// Writes the result line of one artifact and what follows it.
///
/// # Errors
/// Those of the writer.
pub fn artifact(out: &mut dyn Write, report: &ArtifactReport, detail: Detail) -> io::Result<()> {
    let name = printable(&report.name);
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

/// What an OK rests on, in one line.
fn proved(report: &ArtifactReport) -> String {
    let mut parts = Vec::new();
    let kind = match report.kind {
        Some(ArtifactKind::Blob) => "blob",
        Some(ArtifactKind::Image) => "image",
        Some(ArtifactKind::Package) => "package",
        Some(ArtifactKind::File) => "file",
        Some(ArtifactKind::Transfer) => return sealed(report),
        None => "artifact",
    };
    if report.carried {
        return format!("{kind}, an earlier transfer carried it (--base)");
    }
    let digests: Vec<_> = report
        .matched
        .iter()
        .map(|it| {
            if it.kind == "file" {
                it.digest.to_string()
            } else {
                format!("{} {}", it.kind, it.digest)
            }
        })
        .collect();
    parts.push(match digests.as_slice() {
        [] => kind.to_owned(),
        _ => format!("{kind}, signed {}", digests.join(" and ")),
    });
    if let Some(key) = &report.key {
        parts.push(match report.key_trust {
            Some(KeyTrust::Seal) => format!("by key {key} (only the seal vouches for it)"),
            Some(KeyTrust::Policy) => format!("by key {key} (listed in the trust policy)"),
            None => format!("by key {key}"),
        });
    }
    if report.first_use {
        parts.push("key accepted unseen when it was sealed (first use)".to_owned());
    }
    if report.kind == Some(ArtifactKind::Image) {
        let layers: usize = report.images.iter().map(|image| image.layers).sum();
        let plural = if layers == 1 { "" } else { "s" };
        parts.push(format!("{layers} layer{plural} verified"));
    }
    if report.bundles.is_empty() {
        parts
            .push("NOT SIGNED by any vendor, as allowed here: the seal alone covers it".to_owned());
    } else {
        parts.push(logged(report));
    }
    parts.join(", ")
}

/// What an OK for a transfer directory rests on, in one line.
fn sealed(report: &ArtifactReport) -> String {
    let values = report.checks.iter().find(|check| check.name == CheckName::Seal);
    let value = |name: &str| {
        values.and_then(|check| check.values.get(name)).map_or_else(String::new, |it| printable(it))
    };
    let others = report.checks.iter().find(|check| check.name == CheckName::SealedFiles);
    let alone = match others.and_then(|check| check.values.get("seal_only")).map(String::as_str) {
        None | Some("0") => String::new(),
        Some(count) => format!(", {count} of them covered by the seal only"),
    };
    format!(
        "transfer, sealed by key {}, stream {}, serial {}, created {}: {} artifacts, {} files{}",
        value("fingerprint"),
        value("stream"),
        value("serial"),
        value("created"),
        value("artifacts"),
        value("files"),
        alone,
    )
}

/// Whether a log vouches for the signatures, in words.
fn logged(report: &ArtifactReport) -> String {
    let has = |bundle: &BundleReport, name: CheckName| {
        bundle.checks.iter().any(|check| check.name == name && check.status == Status::Passed)
    };
    let logged = |bundle: &BundleReport| {
        has(bundle, CheckName::LogPromise) || has(bundle, CheckName::InclusionProof)
    };
    if !report.bundles.is_empty() && report.bundles.iter().all(logged) {
        "logged".to_owned()
    } else {
        "signature only: no transparency log entry".to_owned()
    }
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
    let name = match check.name {
        CheckName::Signature => "signature (own check)",
        CheckName::BundleKey => "key carried in the bundle",
        CheckName::Library => "second check (sigstore-verify)",
        CheckName::LogEntry => "log entry",
        CheckName::LogPromise => "log promise (SET)",
        CheckName::InclusionProof => "inclusion proof",
        CheckName::Checkpoint => "checkpoint",
        CheckName::Timestamp => "timestamp",
        CheckName::Certificate => "certificate",
        CheckName::Identity => "identity",
        CheckName::Archive => "archive structure",
        CheckName::Layers => "layers",
        CheckName::Coverage => "every image covered",
        CheckName::SealedFile => "file as sealed",
        CheckName::Claims => "as the manifest says",
        CheckName::Seal => "seal",
        CheckName::FileSet => "set of files",
        CheckName::SealedFiles => "other files as sealed",
        CheckName::Freshness => "freshness",
        CheckName::Serial => "serial",
    };
    let status = match check.status {
        Status::Failed => "FAILED",
        Status::NotChecked => "not checked",
        Status::NotPresent => "not present",
        Status::Passed => "passed",
    };
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
