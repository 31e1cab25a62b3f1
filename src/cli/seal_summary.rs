//! What `seal` and `mirror` print at their end: the reports, and what to carry out of band.

use std::io::{self, Write};

use super::run_args::RunArgs;
use super::{
    machine::program_digest,
    output::{complain, number, shown, warn},
};
use crate::digest::Sha256Digest;
use crate::key::{PrivateKey, words};
use crate::report::{self, Detail, Form};
use crate::transfer::NewTransfer;
use crate::verdict::{Fault, Report, line};

/// Prints reports in the form that was asked for.
pub(super) fn show(run: &RunArgs, report: &Report) -> Result<(), Fault> {
    let mut out = io::stdout().lock();
    let detail = if run.verbose { Detail::Full } else { Detail::Brief };
    let written = match run.output {
        Form::Text => report
            .artifacts
            .iter()
            .try_for_each(|artifact| report::artifact(&mut out, artifact, detail)),
        other => other.write(&mut out, report, detail),
    };
    shown(written.and_then(|()| out.flush())).map(drop)
}

/// Says what was sealed, and what the far side must know beforehand.
pub(super) fn say_sealed(run: &RunArgs, made: &NewTransfer, key: &PrivateKey) {
    if made.manifest.artifacts.iter().any(|artifact| artifact.first_use) {
        warn(
            "a vendor key was accepted unseen (--trust-on-first-use); every later check will say so",
        );
    }
    for file in &made.foreign {
        warn(&format!("{file} is covered by this seal only: nobody else signed it"));
    }
    let mut out: Box<dyn Write> = match run.output {
        Form::Text => Box::new(io::stdout().lock()),
        // Standard output is the report and nothing else.
        _ => Box::new(io::stderr().lock()),
    };
    let fingerprint = key.public().fingerprint();
    let lines = out_of_band(made, &fingerprint);
    let written = lines.iter().try_for_each(|line| line!(out, "{line}"));
    if let Err(fault) = shown(written) {
        complain(&fault);
    }
}

/// What the far side must know before the medium arrives, as lines.
fn out_of_band(made: &NewTransfer, fingerprint: &Sha256Digest) -> Vec<String> {
    let manifest = &made.manifest;
    let program =
        program_digest().map_or_else(|| "unknown".to_owned(), |digest| digest.to_string());
    let mut lines = vec![
        format!(
            "sealed: {}, {}",
            number(manifest.artifacts.len(), "artifact"),
            number(manifest.files.len(), "file")
        ),
        "carry out of band, not on the medium:".to_owned(),
        format!("  transfer key  {fingerprint}"),
        format!("                {}", words(fingerprint)),
        format!("  transfer id   {}", manifest.transfer_id),
        format!("  stream        {}", manifest.stream),
        format!("  serial        {}", manifest.serial),
        format!("  manifest      {}", made.digest),
        format!("  this program  {program}"),
    ];
    if let Some(expires) = &manifest.expires {
        lines.push(format!("  expires       {expires}"));
    }
    lines
}
