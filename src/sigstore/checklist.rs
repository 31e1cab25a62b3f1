//! Which checks there are for a bundle, and how each ended.

use super::TrustMaterial;
use super::bundle::{SignatureBundle, VerificationMaterial};
use super::entry::LogEntry;
use super::verify_request::{Signer, VerifyRequest};
use crate::verdict::{Check, CheckName, Code, Status};

/// The checks of one verification; each begins as not looked at, or as not present.
#[derive(Debug)]
pub(super) struct Checklist {
    rows: Vec<ChecklistRow>,
}

#[derive(Debug)]
struct ChecklistRow {
    /// Which log entry or timestamp this row is about.
    index: usize,
    check: Check,
}

impl Checklist {
    /// All checks that this bundle and request call for.
    pub(super) fn new(bundle: &SignatureBundle, request: &VerifyRequest<'_>) -> Self {
        let mut checklist = Self { rows: Vec::new() };
        let due = |present: bool| if present { Status::NotChecked } else { Status::NotPresent };
        checklist.add(0, Check::new(CheckName::Signature, Status::NotChecked));
        let keyless = matches!(request.signer, Signer::Identity { .. });
        let carried = matches!(
            bundle.material,
            VerificationMaterial::Key(_) | VerificationMaterial::Certificates { .. }
        );
        if !keyless {
            checklist.add(0, Check::new(CheckName::BundleKey, due(carried)));
        }
        checklist.add(0, Check::new(CheckName::Library, Status::NotChecked));
        for (index, entry) in bundle.entries.iter().enumerate() {
            let values =
                |name, present| log_values(Check::new(name, due(present)), entry, request.trust);
            let checkpoint = entry.proof.as_ref().is_some_and(|proof| proof.checkpoint.is_some());
            checklist.add(index, values(CheckName::LogEntry, true));
            checklist.add(index, values(CheckName::LogPromise, entry.promise.is_some()));
            checklist.add(index, values(CheckName::InclusionProof, entry.proof.is_some()));
            checklist.add(index, values(CheckName::Checkpoint, checkpoint));
        }
        if bundle.entries.is_empty() {
            for name in [
                CheckName::LogEntry,
                CheckName::LogPromise,
                CheckName::InclusionProof,
                CheckName::Checkpoint,
            ] {
                checklist.add(0, Check::new(name, Status::NotPresent));
            }
        }
        for index in 0..bundle.timestamps.len() {
            checklist.add(index, Check::new(CheckName::Timestamp, Status::NotChecked));
        }
        if bundle.timestamps.is_empty() {
            checklist.add(0, Check::new(CheckName::Timestamp, Status::NotPresent));
        }
        checklist.add(0, Check::new(CheckName::Certificate, due(keyless)));
        if keyless {
            checklist.add(0, Check::new(CheckName::Identity, Status::NotChecked));
        }
        checklist
    }

    fn add(&mut self, index: usize, check: Check) {
        self.rows.push(ChecklistRow { index, check });
    }

    /// Ends a check that was open; one that is not present stays so.
    pub(super) fn end(&mut self, name: CheckName, index: usize, status: Status) {
        for row in &mut self.rows {
            let due = row.check.status != Status::NotPresent;
            if row.check.name == name && row.index == index && due {
                row.check.status = status;
            }
        }
    }

    /// Ends a check as passed.
    pub(super) fn pass(&mut self, name: CheckName, index: usize) {
        self.end(name, index, Status::Passed);
    }

    /// Adds a value to a check.
    pub(super) fn value(&mut self, name: CheckName, index: usize, key: &str, value: impl ToString) {
        for row in &mut self.rows {
            if row.check.name == name && row.index == index {
                row.check.values.insert(key.to_owned(), value.to_string());
            }
        }
    }

    /// Marks the open check that this code belongs to as failed; `index` is the number of the entry, if
    /// known.
    pub(super) fn fail(&mut self, code: Code, index: Option<usize>) {
        let name = match code {
            Code::SignatureInvalid | Code::DigestMismatch => CheckName::Signature,
            Code::BundleKeyMismatch | Code::SignerKindMismatch => CheckName::BundleKey,
            Code::VerifiersDisagree => CheckName::Library,
            Code::LogEntryMalformed
            | Code::LogEntryMismatch
            | Code::LogEntryUnsupported
            | Code::LogEntryMissing => CheckName::LogEntry,
            Code::LogPromiseInvalid | Code::LogTimeOutsideWindow | Code::TimeInFuture => {
                CheckName::LogPromise
            }
            Code::InclusionProofInvalid => CheckName::InclusionProof,
            Code::CheckpointInvalid => CheckName::Checkpoint,
            Code::TimestampInvalid | Code::TimestampMissing => CheckName::Timestamp,
            Code::CertificateInvalid => CheckName::Certificate,
            Code::IdentityMismatch => CheckName::Identity,
            _ => return,
        };
        // Which of several entries or timestamps the library refused is not known.
        let only = self.rows.iter().filter(|row| row.check.name == name).count() == 1;
        let Some(index) = index.or(only.then_some(0)) else { return };
        // What has ended stays: a code may belong to more than one check.
        for row in &mut self.rows {
            let open = row.check.status == Status::NotChecked;
            if row.check.name == name && row.index == index && open {
                row.check.status = Status::Failed;
            }
        }
    }

    /// The checks, in their order.
    pub(super) fn into_checks(self) -> Vec<Check> {
        self.rows.into_iter().map(|row| row.check).collect()
    }
}

/// The values that name a log entry.
fn log_values(check: Check, entry: &LogEntry, trust: &TrustMaterial) -> Check {
    let check = check.with("log-id", crate::digest::hex(&entry.log_id)).with("index", entry.index);
    let check = match trust.log(&entry.log_id) {
        Some(log) => check.with("log", &log.name),
        None => check,
    };
    match entry.promised_time() {
        Some(time) if check.name == CheckName::LogPromise => check.with("time", time),
        _ => check,
    }
}
