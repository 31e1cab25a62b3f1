//! `sealift verify-blob`: the vendor's documented cosign command, offline and streaming.

use std::io;

use super::args::VerifyBlobArgs;
use super::files;
use super::verify_file::load_bundle;
use super::{complain, warn};
use crate::artifact::{self, NamedBundle};
use crate::key::HashAlgorithm;
use crate::limits;
use crate::report::{self, Detail};
use crate::sigstore::{HashRule, SignatureBundle};
use crate::verdict::{ArtifactReport, Code, ExitStatus, Fault, Outcome, line};

/// Runs the command.
pub(super) fn run(arguments: &VerifyBlobArgs) -> Result<ExitStatus, Fault> {
    arguments.cosign.refuse()?;
    // cosign's own default: SHA-256 for every kind of key that signs a hash.
    let trust = arguments.trust.load(HashRule::Exactly(HashAlgorithm::Sha256))?;
    let bundle = named_bundle(arguments)?;
    let request = trust.request(jiff::Timestamp::now());
    let mut stream = files::open_stream(&arguments.file)?;
    let report = ArtifactReport::new(files::show(&arguments.file));
    let report = artifact::blob(report, &mut stream, &bundle, &request);
    if report.outcome == Outcome::Ok {
        for note in report.bundles.iter().flat_map(|bundle| &bundle.notes) {
            warn(note);
        }
        // cosign's words and stream: scripts look for them.
        if let Err(error) = line!(io::stderr().lock(), "Verified OK") {
            complain(&files::unreadable("standard error", &error));
            return Ok(ExitStatus::Undecided);
        }
    } else {
        let _ = report::artifact(&mut io::stderr().lock(), &report, Detail::Brief);
    }
    Ok(report.outcome.exit_status())
}

/// The bundle of the command line: a bundle file, or a bare signature.
fn named_bundle(arguments: &VerifyBlobArgs) -> Result<NamedBundle, Fault> {
    let signature = match &arguments.signature {
        Some(path) => Some((
            path,
            files::read_small(path, limits::BUNDLE_BYTES, Code::BundleTooLarge)
                .and_then(|bytes| SignatureBundle::detached(&bytes))
                .map_err(|fault| fault.at(files::show(path)))?,
        )),
        None => None,
    };
    match (&arguments.bundle, signature) {
        (None, None) => Err(Fault::new(Code::Usage, "give --bundle, or --signature")),
        (None, Some((path, bundle))) => {
            Ok(NamedBundle { name: files::show(path), content: Ok(bundle) })
        }
        (Some(path), signature) => {
            let mut left = limits::BUNDLE_BYTES;
            let bundle = load_bundle(path, &mut left);
            if let (Ok(content), Some((signature_path, detached))) = (&bundle.content, signature)
                && content.signature() != detached.signature()
            {
                return Err(Fault::new(
                    Code::SignatureInvalid,
                    "--signature and --bundle hold different signatures",
                )
                .at(files::show(signature_path)));
            }
            Ok(bundle)
        }
    }
}
