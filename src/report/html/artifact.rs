//! One answer on the page: a row for what was verified, a card for everything else.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::parts::{code, fact, tone};
use crate::report::markup::Text;
use crate::report::words::{check_name, kind, proof, so_many, status, title, trusted_by};
use crate::verdict::{ArtifactReport, BundleReport, Check, ImageReport, Status};

/// An answer that is not OK, with all that led to it. The details of failures are unfolded.
pub(super) fn card(report: &ArtifactReport, word: &str) -> Markup {
    let tone = tone(report.outcome());
    html! {
        article class=(tone) {
            h3 { span class={ "tag " (tone) } { (word) } " " bdi { (Text(title(report))) } }
            @match (report.code(), &report.reason) {
                (Some(name), Some(reason)) => p { (code(name)) " " (Text(reason)) },
                (Some(name), None) => p { (code(name)) " " (Text(name.summary())) },
                (None, Some(reason)) => p { (Text(reason)) },
                (None, None) => {},
            }
            @if !report.likely_causes.is_empty() {
                p.label { "Likely causes" }
                ul { @for cause in &report.likely_causes { li { (Text(cause)) } } }
            }
            @if let Some(next) = &report.next {
                p.next { strong { "Next:" } " " (Text(next)) }
            }
            details open[tone == "bad"] { summary { "Evidence" } (evidence(report)) }
        }
    }
}

/// Digests, key and every check with its values.
fn evidence(report: &ArtifactReport) -> Markup {
    html! {
        table.facts { tbody {
            (fact("Kind", html! {
                (kind(report.kind))
                @if let Some(detected) = &report.detected { " (" (Text(detected)) ")" }
            }))
            @if let Some(sha256) = report.sha256 { (fact("File", code(sha256))) }
            @for matched in &report.matched {
                (fact("Signed", html! { (Text(&matched.kind)) " " (code(matched.digest)) }))
            }
            @if let Some(key) = report.key {
                (fact("Key", html! { (code(key)) br; (trusted_by(report.key_trust)) }))
            }
            @for image in &report.images { (fact("Image", shown_image(image))) }
            @for note in &report.notes { (fact("Note", Text(note))) }
        } }
        @if !report.checks.is_empty() {
            (checks(html! { "Checks of the artifact" }, &report.checks))
        }
        @for bundle in &report.bundles { (bundle_evidence(report, bundle)) }
    }
}

fn bundle_evidence(report: &ArtifactReport, bundle: &BundleReport) -> Markup {
    let title = html! {
        "Bundle " bdi { (Text(&bundle.name)) }
        " (" (Text(bundle.format.as_deref().unwrap_or("unreadable"))) "): "
        (if bundle.verified { "verified" } else { "REFUSED" })
    };
    html! {
        (checks(title, &bundle.checks))
        @if let Some(reason) = bundle.reason.as_ref().filter(|reason| report.reason.as_ref() != Some(reason)) {
            p { @if let Some(name) = bundle.code { (code(name)) " " } (Text(reason)) }
        }
        @for note in &bundle.notes { p { "Note: " (Text(note)) } }
    }
}

fn shown_image(image: &ImageReport) -> Markup {
    html! {
        (Text(&image.platform)) ", "
        (if image.covered { "covered" } else { "NOT covered" }) " by a verified signature, "
        (so_many(image.layers, "layer")) "; unsigned tags: "
        @if image.unsigned_tags.is_empty() { "none" }
        @for (index, tag) in image.unsigned_tags.iter().enumerate() {
            @if index > 0 { ", " }
            bdi { (Text(tag)) }
        }
        @for candidate in &image.candidates {
            br; (Text(&candidate.kind)) " " (code(candidate.digest))
        }
        @for (engine, id) in &image.ids_after_load {
            br; "id after loading, " (Text(engine)) ": " (code(id))
        }
    }
}

/// A table of checks.
fn checks(title: Markup, checks: &[Check]) -> Markup {
    let mut before = BTreeSet::new();
    let mut rows = Vec::new();
    for check in checks {
        // A check that found nothing has only the values of what it searched.
        let values = if check.status == Status::NotPresent {
            values(check, &mut before.clone())
        } else {
            values(check, &mut BTreeSet::new())
        };
        before.extend(pairs(check));
        rows.push((check, values));
    }
    html! {
        table.checks {
            caption { (title) }
            thead { tr { th scope="col" { "Check" } th scope="col" { "Result" } th scope="col" { "Values" } } }
            tbody { @for (check, values) in rows {
                tr {
                    th scope="row" { (check_name(check.name)) }
                    td class=(class(check.status)) { (status(check.status)) }
                    td { @if let Some(values) = values { (values) } }
                }
            } }
        }
    }
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

/// The values of a check that were not shown before, if there are any.
fn values<'c>(check: &'c Check, before: &mut BTreeSet<(&'c str, &'c str)>) -> Option<Markup> {
    let new: Vec<_> = pairs(check).filter(|pair| before.insert(*pair)).collect();
    (!new.is_empty()).then(|| {
        html! {
            @for (index, (name, value)) in new.into_iter().enumerate() {
                @if index > 0 { ", " }
                (Text(name)) " " span { (Text(value)) }
            }
        }
    })
}

/// Caption and head of a table of rows.
pub(super) fn head(first: u64, last: u64, of: u64) -> Markup {
    html! {
        caption { (first) " to " (last) " of " (of) }
        thead { tr { th scope="col" { "Artifact" } th scope="col" { "What was verified" } } }
    }
}

/// A verified artifact. There are many rows, so they are short: a value that several checks of a bundle share is
/// shown once.
pub(super) fn row(report: &ArtifactReport) -> Markup {
    let of_bundles = report.bundles.iter().map(|bundle| bundle.checks.len()).sum();
    let count = report.checks.len().saturating_add(of_bundles);
    html! {
        tr {
            th scope="row" { bdi { (Text(title(report))) } small { (kind(report.kind)) } }
            td {
                @for matched in &report.matched {
                    "signed " (Text(&matched.kind)) " " (code(matched.digest)) br;
                }
                @if let Some(key) = report.key { "key " (code(key)) " (" (trusted_by(report.key_trust)) ")" br; }
                (Text(proof(report).join(", ")))
                @if !report.checks.is_empty() || !report.bundles.is_empty() {
                    details {
                        summary { (count) " checks" }
                        (list(report, &report.checks))
                        @for bundle in &report.bundles {
                            p {
                                "bundle " bdi { (Text(&bundle.name)) }
                                @if let Some(format) = &bundle.format { " (" (Text(format)) ")" }
                            }
                            (list(report, &bundle.checks))
                            @for note in &bundle.notes { p { "note: " (Text(note)) } }
                        }
                    }
                }
                @for note in &report.notes { p { "note: " (Text(note)) } }
            }
        }
    }
}

/// Checks in short: those that found something, each with its values, then the names of the others.
fn list(report: &ArtifactReport, checks: &[Check]) -> Markup {
    let key = report.key.map_or_else(String::new, |key| key.to_string());
    let mut before = BTreeSet::from([("fingerprint", key.as_str())]);
    let (absent, present): (Vec<&Check>, Vec<&Check>) =
        checks.iter().partition(|check| check.status == Status::NotPresent);
    let present: Vec<_> =
        present.into_iter().map(|check| (check, values(check, &mut before))).collect();
    let absent: Vec<&str> = absent.into_iter().map(|check| check_name(check.name)).collect();
    html! {
        @if !checks.is_empty() {
            ul {
                @for (check, values) in present {
                    li {
                        (check_name(check.name)) ": " (status(check.status))
                        @if let Some(values) = values { " (" (values) ")" }
                    }
                }
                @if !absent.is_empty() { li { "not present: " (absent.join(", ")) } }
            }
        }
    }
}
