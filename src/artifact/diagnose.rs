//! Why did it fail? The most likely cause, from evidence.
//!
//! Everything here runs after a refusal, tries a bounded number of other texts, and only ever adds
//! sentences to a report. Nothing here can turn a refusal into OK.

use super::refusal::signature_failed;
use super::verification_context::VerificationContext;
use crate::digest::{FileDigest, Sha256Digest};
use crate::image::{Archive, Candidate};
use crate::key::HashAlgorithm;
use crate::limits;
use crate::sigstore::{self, SignatureBundle, VerifyRequest};
use crate::trust::MessageForm;
use crate::verdict::{Code, guise};

/// Whether a bundle is about a text: by the digest that it states, or by its signature when it
/// states none. A statement proves nothing by itself.
pub(super) fn is_about(
    bundle: &SignatureBundle,
    message: &[u8],
    request: &VerifyRequest<'_>,
) -> bool {
    if bundle.is_attestation() {
        return false;
    }
    bundle
        .states(message)
        .unwrap_or_else(|| sigstore::signature_holds(bundle, message, &request.signer))
}

/// What remains to be said if the bundle shows neither its key nor what it signs.
const PLAIN: &str =
    "the bundle is by another key than the one given, or of another artifact or version";

/// Likely causes for a package whose bundle was refused with this code; `known` are those that the bundle itself
/// shows.
pub(super) fn package(
    bundle: &SignatureBundle,
    file: FileDigest,
    known: Vec<String>,
    code: Code,
    context: &VerificationContext<'_>,
) -> Vec<String> {
    let mut causes = Vec::new();
    if file.size == 0 {
        causes.push("the file is empty: an interrupted copy or download".to_owned());
    }
    if !signature_failed(code) {
        causes.extend(known);
        return causes;
    }
    let demanded = context.profile().package.message;
    causes.extend(other_form(bundle, "the file", &file.sha256, demanded, context));
    let of_file = bundle
        .stated()
        .is_some_and(|stated| stated == (HashAlgorithm::Sha256, file.sha256.as_bytes()));
    if of_file {
        causes.push(
            "the bundle signs the file itself, not the text of its digest: it was made with \
             `cosign sign-blob FILE` and `sealift verify-blob` checks it"
                .to_owned(),
        );
    }
    if causes.is_empty() {
        causes = evidence(bundle, known, "this file", context);
    }
    if causes.is_empty() {
        causes.push(PLAIN.to_owned());
    }
    causes
}

/// That the signature is good, and of something else: as sure as a signature is.
fn good_of_another(
    bundle: &SignatureBundle,
    request: &VerifyRequest<'_>,
    what: &str,
) -> Option<String> {
    (sigstore::signs_what_it_states(bundle, &request.signer) == Some(true)).then(|| {
        format!(
            "the bundle holds a good signature by the key given, of something else: it belongs to \
             another artifact or another version, or {what} was changed"
        )
    })
}

/// The likely cause for a blob that is the text of a digest, as the vendors' procedures have it
/// written to a file: the bundle signs the same digest in another spelling.
pub(super) fn blob(
    bundle: &SignatureBundle,
    bytes: &[u8],
    code: Code,
    request: &VerifyRequest<'_>,
) -> Vec<String> {
    if !signature_failed(code) {
        return Vec::new();
    }
    if bytes.is_empty() {
        return vec![
            "the file is empty: it was never written, or a copy was interrupted".to_owned(),
        ];
    }
    let guise = guise(bytes);
    let text = utf16(bytes).or_else(|| std::str::from_utf8(bytes).ok().map(str::to_owned));
    let text = text.unwrap_or_default();
    // `sha256sum` prints the file's name after the digest.
    let word = text.trim_start_matches('\u{feff}').split_whitespace().next().unwrap_or_default();
    let digest = Sha256Digest::from_hex(word.strip_prefix("sha256:").unwrap_or(word)).ok();
    let form = digest.and_then(|digest| {
        MessageForm::ALL.into_iter().find(|form| {
            let message = form.message(&digest);
            message.as_bytes() != bytes && is_about(bundle, message.as_bytes(), request)
        })
    });
    match (form, guise) {
        (Some(form), Some(guise)) => vec![format!(
            "the file is {}; the bundle signs this digest as plain ASCII, {}",
            guise.words(),
            form.words()
        )],
        (Some(form), None) => vec![format!(
            "the bundle signs this digest in another spelling: {}; the file must hold that and \
             nothing else",
            form.words()
        )],
        (None, Some(guise)) if guise.advice.is_some() => {
            vec![format!("the file is {}", guise.words())]
        }
        (None, _) => match good_of_another(bundle, request, "this file") {
            None if bundle.stated().is_none() => vec![PLAIN.to_owned()],
            cause => cause.into_iter().collect(),
        },
    }
}

/// Text as Windows writes it, with or without its mark.
fn utf16(bytes: &[u8]) -> Option<String> {
    let pairs = |of: fn([u8; 2]) -> u16| -> Vec<u16> {
        bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok()).map(of).collect()
    };
    let units = match bytes {
        [0xff, 0xfe, ..] | [_, 0, _, 0, ..] => pairs(u16::from_le_bytes),
        [0xfe, 0xff, ..] | [0, _, 0, _, ..] => pairs(u16::from_be_bytes),
        _ => return None,
    };
    Some(String::from_utf16_lossy(&units))
}

/// Likely causes if the bundle is about no digest of an archive (`chosen` is false), or if the signature
/// does not hold; `known` are those that the bundle itself shows. Evidence comes first, and what can
/// only be guessed from the archive's form comes last, where there is no evidence of a wrong key.
pub(super) fn image(
    bundle: &SignatureBundle,
    archive: &Archive,
    candidates: &[Candidate],
    known: Vec<String>,
    chosen: bool,
    context: &VerificationContext<'_>,
) -> Vec<String> {
    if !chosen {
        let causes = another_text(bundle, archive, candidates, context);
        if !causes.is_empty() {
            return causes;
        }
    }
    let mut causes = evidence(bundle, known, "this archive", context);
    let by_this_key =
        sigstore::signs_what_it_states(bundle, &context.request().signer) == Some(true);
    let guess = !chosen && (by_this_key || causes.is_empty());
    if causes.is_empty() {
        causes.push(PLAIN.to_owned());
    }
    let guesses = archive.if_not_covered.iter().filter(|_| guess).cloned();
    causes.into_iter().chain(guesses).collect()
}

/// What the bundle, its signature and the names around it show.
fn evidence(
    bundle: &SignatureBundle,
    known: Vec<String>,
    what: &str,
    context: &VerificationContext<'_>,
) -> Vec<String> {
    let mut causes = known;
    match good_of_another(bundle, context.request(), what) {
        Some(cause) => causes.insert(0, cause),
        None => causes.extend(context.clues.key.clone()),
    }
    causes.extend(context.clues.bundle.clone());
    causes
}

/// What else of the image the bundle signs.
fn another_text(
    bundle: &SignatureBundle,
    archive: &Archive,
    candidates: &[Candidate],
    context: &VerificationContext<'_>,
) -> Vec<String> {
    let demanded = context.profile().image.message;
    let mut causes = Vec::new();
    for candidate in candidates.iter().take(limits::DIAGNOSIS_TRIES) {
        let what = format!("the {} digest", candidate.kind);
        causes.extend(other_form(bundle, &what, &candidate.digest, demanded, context));
    }
    for image in archive.images.iter().take(limits::DIAGNOSIS_TRIES) {
        for (engine, id) in &image.ids_after_load {
            let Ok(digest) = id.parse::<Sha256Digest>() else { continue };
            let known = candidates.iter().any(|candidate| candidate.digest == digest);
            if !known && is_about(bundle, demanded.message(&digest).as_bytes(), context.request()) {
                causes.push(format!(
                    "the bundle signs the id {digest} that {engine} gives the image when it loads \
                     this archive; nothing in the archive has that digest, so it proves nothing here"
                ));
            }
        }
    }
    causes
}

fn other_form(
    bundle: &SignatureBundle,
    what: &str,
    digest: &Sha256Digest,
    demanded: MessageForm,
    context: &VerificationContext<'_>,
) -> Option<String> {
    MessageForm::ALL
        .into_iter()
        .filter(|form| *form != demanded)
        .find(|form| is_about(bundle, form.message(digest).as_bytes(), context.request()))
        .map(|form| {
            format!(
                "the bundle signs {what} in another spelling: {}, where the vendor's procedure \
                 says {}",
                form.words(),
                demanded.words()
            )
        })
}
