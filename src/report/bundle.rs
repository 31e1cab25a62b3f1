//! A bundle's own words, line by line, for `inspect`.

use crate::sigstore::{BundleDescription, SignerDescription};

/// Labels and values of a bundle; nothing in them was verified.
#[must_use]
pub fn bundle_lines(bundle: &BundleDescription) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    let mut line = |label: &str, value: String| lines.push((label.to_owned(), value));
    line("content", bundle.content.to_owned());
    line("states that it signs", bundle.stated_digest.clone().unwrap_or_else(|| "nothing".into()));
    match &bundle.signer {
        SignerDescription::KeyElsewhere { hint } if hint.is_empty() => {
            line("signer", "a key that is not in the bundle".to_owned());
        }
        SignerDescription::KeyElsewhere { hint } => {
            line("signer", format!("a key that is not in the bundle, hint {hint}"));
        }
        SignerDescription::Key { fingerprint, key } => {
            line("signer", format!("{key} key in the bundle, {fingerprint} (never used to verify)"));
        }
        SignerDescription::Certificate {
            identity, issuer, not_before, not_after, fingerprint, key, ..
        } => {
            let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".into());
            line("signer", "a certificate".to_owned());
            line("  identity", or_none(identity));
            line("  issuer", or_none(issuer));
            line("  validity", format!("{not_before} to {not_after}"));
            line("  key", format!("{key}, {fingerprint}"));
        }
    }
    if bundle.log_entries.is_empty() {
        line("log entries", "none".to_owned());
    }
    for entry in &bundle.log_entries {
        line("log entry", entry.kind.clone());
        let name = entry.log.as_deref().unwrap_or("unknown to the built-in trusted root");
        line("  log", format!("{name}, id {}", entry.log_id));
        line("  index", entry.index.to_string());
        line("  time", entry.time.clone().unwrap_or_else(|| "none".into()));
        let carries = match (entry.promise, entry.inclusion_proof) {
            (true, true) => "promise (SET) and inclusion proof",
            (true, false) => "promise (SET)",
            (false, true) => "inclusion proof",
            (false, false) => "nothing",
        };
        line("  carries", carries.to_owned());
        if let Some(fingerprint) = &entry.fingerprint {
            line("  key", fingerprint.to_string());
        }
    }
    line("timestamps", bundle.timestamps.to_string());
    lines.extend(bundle.notes.iter().map(|note| ("note".to_owned(), note.clone())));
    lines
}
