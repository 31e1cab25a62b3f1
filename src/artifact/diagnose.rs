//! Why did it fail? The most likely cause, from evidence.
//!
//! Everything here runs after a refusal, tries a bounded number of other texts, and only ever adds
//! sentences to a report. Nothing here can turn a refusal into OK.

use super::{FileDigest, Judge};
use crate::digest::Sha256Digest;
use crate::image::{Archive, Candidate};
use crate::key::HashAlgorithm;
use crate::limits;
use crate::sigstore::{self, Request, SignatureBundle};
use crate::trust::MessageForm;

/// Whether a bundle is about a text: by the digest that it states, or by its signature when it
/// states none. A statement proves nothing by itself.
pub(super) fn is_about(bundle: &SignatureBundle, message: &[u8], request: &Request<'_>) -> bool {
    if bundle.is_attestation() {
        return false;
    }
    bundle
        .states(message)
        .unwrap_or_else(|| sigstore::signature_holds(bundle, message, &request.signer))
}

/// Likely causes for a package.
pub(super) fn package(
    bundle: &SignatureBundle,
    file: FileDigest,
    judge: &Judge<'_>,
) -> Vec<String> {
    let mut causes = Vec::new();
    let demanded = judge.profile.package.message;
    causes.extend(other_form(bundle, "the file", &file.sha256, demanded, judge));
    let of_file =
        bundle.stated().is_some_and(|it| it == (HashAlgorithm::Sha256, file.sha256.as_bytes()));
    if of_file {
        causes.push(
            "the bundle signs the file itself, not the text of its digest: it was made with \
             `cosign sign-blob FILE` and `sealift verify-blob` checks it"
                .to_owned(),
        );
    }
    if file.size == 0 {
        causes.push("the file is empty: an interrupted copy or download".to_owned());
    }
    causes
}

/// The likely cause for a blob that is the text of a digest, as the vendors' procedures have it
/// written to a file: the bundle signs the same digest in another spelling.
pub(super) fn blob(bundle: &SignatureBundle, text: &[u8], request: &Request<'_>) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    // What `sha256sum` prints has the file's name behind it.
    let word = text.split_whitespace().next()?;
    let digest = Sha256Digest::from_hex(word.strip_prefix("sha256:").unwrap_or(word)).ok()?;
    MessageForm::ALL
        .into_iter()
        .find(|form| is_about(bundle, form.message(&digest).as_bytes(), request))
        .map(|form| {
            format!(
                "the bundle signs this digest in another spelling: {}; the file must hold that and \
                 nothing else",
                form.words()
            )
        })
}

/// Likely causes for an archive none of whose digests the bundle is about.
pub(super) fn image(
    bundle: &SignatureBundle,
    archive: &Archive,
    candidates: &[Candidate],
    judge: &Judge<'_>,
) -> Vec<String> {
    let demanded = judge.profile.image.message;
    let mut causes = Vec::new();
    for candidate in candidates.iter().take(limits::DIAGNOSIS_TRIES) {
        let what = format!("the {} digest", candidate.kind);
        causes.extend(other_form(bundle, &what, &candidate.digest, demanded, judge));
    }
    for image in archive.images.iter().take(limits::DIAGNOSIS_TRIES) {
        for (engine, id) in &image.ids_after_load {
            let Ok(digest) = id.parse::<Sha256Digest>() else { continue };
            let known = candidates.iter().any(|candidate| candidate.digest == digest);
            if !known && is_about(bundle, demanded.message(&digest).as_bytes(), judge.request) {
                causes.push(format!(
                    "the bundle signs the id {digest} that {engine} gives the image when it loads \
                     this archive; nothing in the archive has that digest, so it proves nothing here"
                ));
            }
        }
    }
    if causes.is_empty() {
        causes.extend(archive.if_not_covered.iter().cloned());
    }
    causes
}

fn other_form(
    bundle: &SignatureBundle,
    what: &str,
    digest: &Sha256Digest,
    demanded: MessageForm,
    judge: &Judge<'_>,
) -> Option<String> {
    MessageForm::ALL
        .into_iter()
        .filter(|form| *form != demanded)
        .find(|form| is_about(bundle, form.message(digest).as_bytes(), judge.request))
        .map(|form| {
            format!(
                "the bundle signs {what} in another spelling: {}, where the vendor's procedure \
                 says {}",
                form.words(),
                demanded.words()
            )
        })
}
