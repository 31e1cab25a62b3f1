//! A trust policy in words, and warnings about what it may allow unintentionally.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::terms::{KeyStatus, KeyTerms};
use super::{NamePattern, TransferKey, TrustPolicy, Vendor, VendorKey};
use crate::verdict::printable;

impl TrustPolicy {
    /// What the policy says, one sentence a line, in its own order. Safe to print.
    #[must_use]
    pub fn describe(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for key in &self.transfer_keys {
            lines.push(format!(
                "A transfer sealed with the key {} ({}, {}) is {}.",
                quoted(&key.name),
                key.key.kind(),
                key.key.fingerprint(),
                key.words()
            ));
        }
        if self.transfer_keys.is_empty() {
            lines.push("No transfer key is listed: --transfer-key must name one.".to_owned());
        }
        if let Some(streams) = &self.streams {
            lines.push(format!("A transfer must be of the stream {}.", streams_list(streams)));
        }
        lines.push(match self.max_age {
            Some(age) => format!("A transfer may be at most {} old.", age_words(age)),
            None => "A transfer may be of any age.".to_owned(),
        });
        for vendor in &self.vendors {
            vendor.describe(&mut lines);
        }
        lines.push(match (self.vendors.is_empty(), self.accepts_unlisted_vendors()) {
            (true, _) => {
                "No vendor is listed: a transfer's seal vouches for their keys.".to_owned()
            }
            (false, true) => {
                "For vendors that are not listed a transfer's seal vouches for the keys.".to_owned()
            }
            (false, false) => "No other vendor's key is trusted.".to_owned(),
        });
        lines.push(match &self.trusted_root {
            Some(_) => {
                "Transparency logs are checked against the policy's own trusted root.".to_owned()
            }
            None => "The policy names no trusted root for the transparency logs.".to_owned(),
        });
        lines
    }

    /// What is allowed and perhaps not meant, one sentence each. Safe to print.
    #[must_use]
    pub fn warnings(&self, now: Timestamp) -> Vec<String> {
        let mut lines = Vec::new();
        if self.transfer_keys.is_empty() {
            lines.push(
                "no transfer key is listed, so the policy alone accepts no sealed transfer"
                    .to_owned(),
            );
        }
        let in_use = |key: &TransferKey| key.terms.is_active(now);
        if !self.transfer_keys.is_empty() && !self.transfer_keys.iter().any(in_use) {
            lines.push(
                "no transfer key is in use (all are retired, revoked or past valid_until), so no new \
                 transfer is accepted"
                    .to_owned(),
            );
        }
        if self.accepts_unlisted && !self.vendors.is_empty() {
            lines.push(
                "unlisted_vendors = \"accept\": whoever can seal decides which artifacts are of a \
                 listed vendor"
                    .to_owned(),
            );
        }
        for vendor in &self.vendors {
            vendor.warn(now, &mut lines);
        }
        lines
    }
}

impl TransferKey {
    /// The end of a sentence that begins with a transfer that it sealed.
    fn words(&self) -> String {
        let mut words = match self.terms.status {
            KeyStatus::Revoked { .. } => return "never trusted: the key is revoked".to_owned(),
            KeyStatus::Active => "trusted".to_owned(),
            KeyStatus::Retired { at } => {
                format!("trusted before {at}, and afterwards only if it was accepted before")
            }
        };
        if let Some(streams) = &self.streams {
            words.push_str(&format!(", if it is of the stream {}", streams_list(streams)));
        }
        if let Some(window) = self.terms.window() {
            words.push_str(&format!(", {window}"));
        }
        words
    }
}

fn streams_list(streams: &BTreeSet<String>) -> String {
    streams.iter().map(|stream| quoted(stream)).collect::<Vec<_>>().join(" or ")
}

impl Vendor {
    fn describe(&self, lines: &mut Vec<String>) {
        let name = quoted(&self.name);
        lines.push(format!(
            "Vendor {name} follows the profile {}; a transparency log entry is {}.",
            quoted(&self.profile.name),
            if self.transparency_required() {
                "required"
            } else {
                "not required, but must hold where there is one"
            }
        ));
        lines.push(match &self.digest_kinds {
            None => format!("Vendor {name}: images may be signed by any kind of digest."),
            Some(kinds) => format!(
                "Vendor {name}: images must be signed by a digest of kind {}.",
                kinds.iter().copied().collect::<Vec<_>>().join(" or ")
            ),
        });
        let (files, images) = (&self.allow_unsigned, &self.allow_unsigned_images);
        lines.push(match (files.is_empty(), images.is_empty()) {
            (true, true) => format!("Vendor {name}: everything must be signed."),
            (false, true) => format!(
                "Vendor {name}: everything must be signed, except files with names like {}.",
                list(files)
            ),
            (true, false) => format!(
                "Vendor {name}: everything must be signed, except images with names like {}.",
                list(images)
            ),
            (false, false) => format!(
                "Vendor {name}: everything must be signed, except files with names like {} and images \
                 with names like {}.",
                list(files),
                list(images)
            ),
        });
        for key in &self.keys {
            let kind = match &key.key {
                Some(public) => public.kind().to_string(),
                None => "by fingerprint only, the seal brings it".to_owned(),
            };
            lines.push(format!(
                "Vendor {name}, key {} ({kind}, {}) {}.",
                quoted(&key.name),
                key.fingerprint,
                key.terms.words()
            ));
        }
    }

    fn warn(&self, now: Timestamp, lines: &mut Vec<String>) {
        let name = quoted(&self.name);
        if !self.transparency_required() {
            lines.push(format!(
                "vendor {name}: transparency is optional, so a bundle without a log entry is accepted"
            ));
            if self.keys.iter().any(|key| key.terms.asks_for_a_time()) {
                lines.push(format!(
                    "vendor {name}: a key is limited by time, and only a log entry or timestamp \
                     proves one; bundles without either are refused for it"
                ));
            }
        }
        if !self.keys.iter().any(|key| key.terms.is_active(now)) {
            lines.push(format!(
                "vendor {name}: no key is in use (all are retired, revoked or past valid_until), so \
                 no new signature is accepted"
            ));
        }
        if self.keys.iter().all(|key| key.key.is_none()) {
            lines.push(format!(
                "vendor {name}: all keys are given by fingerprint only, so nothing but a sealed \
                 transfer can be verified"
            ));
        }
        for (field, patterns) in [
            ("allow_unsigned", &self.allow_unsigned),
            ("allow_unsigned_images", &self.allow_unsigned_images),
        ] {
            if patterns.iter().any(|pattern| pattern.matches("")) {
                lines.push(format!("vendor {name}: {field} matches every name"));
            }
        }
        for key in &self.keys {
            key.warn(&name, now, lines);
        }
    }
}

impl VendorKey {
    fn warn(&self, vendor: &str, now: Timestamp, lines: &mut Vec<String>) {
        let key = quoted(&self.name);
        let patterns = self.terms.artifacts.iter().flatten();
        for pattern in patterns.filter(|pattern| pattern.as_str().contains('/')) {
            lines.push(format!(
                "vendor {vendor}, key {key}: the pattern {} has a /, so it fits paths and references with \
                 such a part, and no bare file name",
                quoted(pattern.as_str())
            ));
        }
        match self.terms.status {
            KeyStatus::Retired { at } if at > now => lines
                .push(format!("vendor {vendor}, key {key}: retired_at is in the future ({at})")),
            KeyStatus::Revoked { compromised_at: Some(at) } if at > now => lines.push(format!(
                "vendor {vendor}, key {key}: compromised_at is in the future ({at})"
            )),
            _ => {}
        }
    }
}

impl KeyTerms {
    /// Whether the key counts for signatures that are made from `now` on.
    fn is_active(&self, now: Timestamp) -> bool {
        self.status == KeyStatus::Active && self.valid_until.is_none_or(|until| until > now)
    }

    /// Whether nothing counts without a proven time, though something may with one.
    fn asks_for_a_time(&self) -> bool {
        match self.status {
            KeyStatus::Revoked { compromised_at: None } => false,
            KeyStatus::Active => self.window().is_some(),
            _ => true,
        }
    }

    /// What the key counts for: the end of a sentence that begins with the key.
    fn words(&self) -> String {
        let mut words = match self.status {
            KeyStatus::Revoked { compromised_at: None } => {
                return "is revoked: it is never trusted".to_owned();
            }
            KeyStatus::Active => "is trusted for ".to_owned(),
            KeyStatus::Retired { at } => {
                format!("is retired: signatures proven to be before {at} are trusted, for ")
            }
            KeyStatus::Revoked { compromised_at: Some(at) } => {
                format!("is revoked: only signatures proven to be before {at} are trusted, for ")
            }
        };
        match &self.artifacts {
            None => words.push_str("every name"),
            Some(patterns) => {
                words.push_str("names like ");
                words.push_str(&list(patterns));
                words.push_str(" (by the whole name or what follows its last /)");
            }
        }
        if let Some(window) = self.window() {
            words.push_str(", if the signature is proven to be made ");
            words.push_str(&window);
        }
        words
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", printable(name))
}

fn list(patterns: &[NamePattern]) -> String {
    patterns.iter().map(|pattern| quoted(pattern.as_str())).collect::<Vec<_>>().join(" or ")
}

fn age_words(age: SignedDuration) -> String {
    let hours = age.as_hours();
    let (number, unit) = if hours % 24 == 0 { (hours / 24, "day") } else { (hours, "hour") };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}
