//! The words that several forms of a report share, for outcomes, kinds, checks, sizes and times.

use std::borrow::Cow;

use crate::verdict::{
    ArtifactKind, ArtifactReport, BundleReport, CheckName, Cover, FILE_DIGEST_KIND, KeyTrust,
    Outcome, Status, UnsignedDocument, UnsignedStatement, printable,
};

/// The outcomes in the order in which a reader must see them, with a word for each that no two share.
pub(super) const ORDER: [(Outcome, &str); 9] = [
    (Outcome::Failed, "FAILED"),
    (Outcome::Missing, "MISSING"),
    (Outcome::Extra, "EXTRA"),
    (Outcome::Usage, "USAGE ERROR"),
    (Outcome::Network, "NETWORK ERROR"),
    (Outcome::Undecided, "UNDECIDED"),
    (Outcome::Unsigned, "UNSIGNED"),
    (Outcome::Omitted, "OMITTED"),
    (Outcome::Ok, "OK"),
];

/// The word of an outcome, as in [`ORDER`].
pub(super) fn outcome_word(outcome: Outcome) -> &'static str {
    ORDER.iter().find(|(listed, _)| *listed == outcome).map_or("UNKNOWN", |(_, word)| word)
}

/// What an outcome means, in one sentence.
pub(super) const fn meaning(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Failed => "What was found is not what was signed.",
        Outcome::Missing => "Something that should be here is missing.",
        Outcome::Extra => "Something is here that should not be.",
        Outcome::Usage => {
            "Nothing was judged: the command line, the configuration or a key is at fault."
        }
        Outcome::Network => "Nothing was judged: it could not be fetched.",
        Outcome::Undecided => "The evidence does not decide.",
        Outcome::Unsigned => "There is no signature.",
        Outcome::Omitted => "The manifest says that it could not be fetched.",
        Outcome::Ok => "Everything required was verified.",
    }
}

/// A kind of artifact.
pub(super) const fn kind(kind: Option<ArtifactKind>) -> &'static str {
    match kind {
        Some(ArtifactKind::Blob) => "blob",
        Some(ArtifactKind::File) => "file",
        Some(ArtifactKind::Image) => "image",
        Some(ArtifactKind::Package) => "package",
        Some(ArtifactKind::Transfer) => "transfer",
        None => "artifact",
    }
}

/// Whether a note says what a transfer's serial was compared with.
pub(super) fn is_of_state(report: &ArtifactReport, note: &str) -> bool {
    report.kind == Some(ArtifactKind::Transfer)
        && ["state: ", "rollback not checked: "].iter().any(|begin| note.starts_with(begin))
}

/// Who vouches for a key.
pub(super) const fn trusted_by(trust: Option<KeyTrust>) -> &'static str {
    match trust {
        Some(KeyTrust::Seal) => "only the seal vouches for it",
        Some(KeyTrust::Policy) => "listed in the trust policy",
        None => "named by the operator",
    }
}

/// What covers a file.
pub(super) const fn cover(cover: Cover) -> &'static str {
    match cover {
        Cover::Vendor => "covered by a vendor's signature",
        Cover::SealOnly => "covered by a seal only",
        Cover::Material => "material: bundles, keys, the seal itself",
        Cover::Uncovered => "uncovered: nothing vouches for it",
        Cover::Excluded => "excluded by the operator, so uncovered",
    }
}

/// The name of a check, for people.
pub(super) const fn check_name(name: CheckName) -> &'static str {
    match name {
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
    }
}

/// How a check ended.
pub(super) const fn status(status: Status) -> &'static str {
    match status {
        Status::Failed => "FAILED",
        Status::NotChecked => "not checked",
        Status::NotPresent => "not present",
        Status::Passed => "passed",
    }
}

/// A count with its noun.
pub(super) fn so_many(count: impl ToString, what: &str) -> String {
    let count = count.to_string();
    let plural = if count == "1" { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// A number of bytes.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut shown = format!("{bytes} bytes");
    let mut unit = 1_u128;
    for name in UNITS {
        unit <<= 10;
        // Tenths, rounded down: what is shown as 1.9 GiB is never less.
        let tenths = u128::from(bytes).saturating_mul(10).checked_div(unit).unwrap_or_default();
        if tenths < 10 {
            break;
        }
        shown = format!("{}.{} {name}", tenths / 10, tenths % 10);
    }
    shown
}

/// A time span.
pub(super) fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0 => format!("{milliseconds} ms"),
        1..60 => format!("{seconds}.{} s", milliseconds % 1000 / 100),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// What was verified, in one line.
pub(super) fn proved(report: &ArtifactReport) -> String {
    if report.kind == Some(ArtifactKind::Transfer) || report.carried {
        return proof(report).join(", ");
    }
    let kind = kind(report.kind);
    let mut parts = Vec::new();
    let digests: Vec<_> = report
        .matched
        .iter()
        .map(|matched| {
            if matched.kind == FILE_DIGEST_KIND {
                matched.digest.to_string()
            } else {
                format!("{} {}", matched.kind, matched.digest)
            }
        })
        .collect();
    parts.push(match digests.as_slice() {
        [] => kind.to_owned(),
        _ => format!("{kind}, signed {}", digests.join(" and ")),
    });
    if let Some(key) = &report.key {
        parts.push(match report.key_trust {
            None => format!("by key {key}"),
            trust => format!("by key {key} ({})", trusted_by(trust)),
        });
    }
    parts.extend(proof(report));
    parts.join(", ")
}

/// What was verified apart from digests and the key, in parts.
pub(super) fn proof(report: &ArtifactReport) -> Vec<String> {
    if report.kind == Some(ArtifactKind::Transfer) {
        return vec![sealed(report)];
    }
    if report.carried {
        return vec![format!("{}, an earlier transfer carried it (--base)", kind(report.kind))];
    }
    let mut parts = Vec::new();
    if report.first_use {
        parts.push("key accepted unseen when it was sealed (first use)".to_owned());
    }
    if report.kind == Some(ArtifactKind::Image) {
        let layers = report.images.iter().map(|image| image.layers).fold(0, usize::saturating_add);
        parts.push(format!("{} verified", so_many(layers, "layer")));
    }
    if report.bundles.is_empty() {
        parts
            .push("NOT SIGNED by any vendor, as allowed here: the seal alone covers it".to_owned());
    } else {
        parts.push(logged(report));
    }
    let says = |what| report.unsigned_documents.iter().any(|document| document.says == what);
    if says(UnsignedStatement::AbsentPlatforms) {
        parts.push("index not signed".to_owned());
    }
    if says(UnsignedStatement::Annotations) {
        parts.push("annotations not signed".to_owned());
    }
    if says(UnsignedStatement::Members) {
        parts.push("members not signed".to_owned());
    }
    if says(UnsignedStatement::Attestation) {
        parts.push("attestations not signed".to_owned());
    }
    if report.name_unsigned {
        parts.push("its name is not signed".to_owned());
    }
    // The sealing side chose the names of a transfer; whoever loads or installs uses the path.
    let file = report.checks.iter().find(|check| check.name == CheckName::SealedFile);
    if let Some(path) = file.and_then(|check| check.values.get("path")) {
        parts.push(format!("at {}", printable(path)));
    }
    parts
}

/// What an unsigned document claims, in one sentence.
pub(super) fn unsigned(document: &UnsignedDocument) -> String {
    let digest = document.digest;
    match document.says {
        UnsignedStatement::AbsentPlatforms => format!(
            "no signature covers the index {digest}, which lists platforms that are not in the archive; some \
             engines show this digest as the image's id"
        ),
        UnsignedStatement::Annotations => format!(
            "no signature covers {digest}, with an annotation that may change what engines do with the image: \
             {}",
            document.annotation.as_deref().unwrap_or_default()
        ),
        UnsignedStatement::Members => format!(
            "no signature covers {digest}, with a member that no image specification knows: {}",
            document.member.as_deref().unwrap_or_default()
        ),
        UnsignedStatement::Attestation => {
            format!("no signature covers the attestation {digest}, nor an index that lists it")
        }
    }
}

/// The title of an artifact: its name, after that of the transfer directory that contains it. The names of a
/// transfer's artifacts are those in its manifest, unescaped.
pub(super) fn title(report: &ArtifactReport) -> Cow<'_, str> {
    match &report.within {
        Some(transfer) => Cow::Owned(format!("{transfer}: {}", report.name)),
        None => Cow::Borrowed(&report.name),
    }
}

/// What was verified of a transfer directory, in one line.
fn sealed(report: &ArtifactReport) -> String {
    let values = report.checks.iter().find(|check| check.name == CheckName::Seal);
    let value = |name: &str| {
        values
            .and_then(|check| check.values.get(name))
            .map_or_else(String::new, |value| printable(value))
    };
    let others = report.checks.iter().find(|check| check.name == CheckName::SealedFiles);
    let alone = match others.and_then(|check| check.values.get("seal_only")).map(String::as_str) {
        None | Some("0") => String::new(),
        Some(count) => format!(", {count} of them covered by the seal only"),
    };
    format!(
        "transfer, sealed by key {}, stream {}, serial {}, created {}: {}, {}{}",
        value("fingerprint"),
        value("stream"),
        value("serial"),
        value("created"),
        so_many(value("artifacts"), "artifact"),
        so_many(value("files"), "file"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_short() {
        assert_eq!(size(0), "0 bytes");
        assert_eq!(size(1023), "1023 bytes");
        assert_eq!(size(1024), "1.0 KiB");
        assert_eq!(size(1_288_490_189), "1.2 GiB");
        assert_eq!(size(u64::MAX), "15.9 EiB");
        assert_eq!(duration(340), "340 ms");
        assert_eq!(duration(3_499), "3.4 s");
        assert_eq!(duration(252_000), "4 min 12 s");
        assert_eq!(duration(7_500_000), "2 h 5 min");
    }

    #[test]
    fn no_two_outcomes_share_a_word() {
        let words: std::collections::BTreeSet<_> = ORDER.iter().map(|(_, word)| word).collect();
        assert_eq!(words.len(), ORDER.len());
    }
}
