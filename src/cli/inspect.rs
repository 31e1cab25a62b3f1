//! `sealift inspect`: what archives, bundles and keys contain. It verifies no signature and says so.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::files::{self, OpenedPath};
use super::output::{complain, shown};
use super::run_args::TextOrJson;
use super::total_bar::TotalBar;
use super::trust_settings::{TrustOptions, TrustSettings};
use crate::directory::{EntryKind, Folder};
use crate::image::{self, Input, Options};
use crate::key::{self, PublicKey};
use crate::limits;
use crate::report;
use crate::sigstore::{BundleDescription, SignatureBundle, TrustMaterial};
use crate::survey::LayoutTree;
use crate::transfer;
use crate::verdict::{
    Code, ExitStatus, Fault, MatchedDigest, Outcome, line, printable, write_json,
};

const PEM: &[u8] = b"-----BEGIN";

const NOT_VERIFIED: &str = "no signature was verified";

/// Show what archives, bundles and keys contain, without verifying any signature
#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// Image archives, OCI layout directories, bundles or public keys
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// Format of the output
    #[arg(short, long, value_name = "FORM", value_enum, default_value = "text")]
    pub(super) output: TextOrJson,
}

/// Runs the command: every file is shown, whatever fails.
pub(super) fn run(arguments: &InspectArgs) -> Result<ExitStatus, Fault> {
    // Nothing is verified here, but the trusted root of the policy says which logs are known. A policy that
    // can't be read, or that is inside what is shown, is refused.
    let folders = arguments.files.iter().filter(|path| path.is_dir()).cloned().collect();
    let TrustSettings { root, .. } =
        TrustSettings::load(TrustOptions { judged: folders, ..TrustOptions::default() })?;
    let mut outcomes = Vec::new();
    let mut shown_files = Vec::new();
    for path in &arguments.files {
        match inspect(path, root.as_ref().map(|(_, material)| material)) {
            Ok(content) => {
                outcomes.push(Outcome::Ok);
                shown_files.push(Inspected { file: files::show(path), content });
            }
            Err(fault) => {
                complain(&fault);
                outcomes.push(fault.outcome());
            }
        }
    }
    let mut out = io::stdout().lock();
    let written = match arguments.output {
        TextOrJson::Json => write_json(&mut out, &InspectDocument::new(&shown_files)),
        TextOrJson::Text => shown_files.iter().try_for_each(|file| text(&mut out, file)),
    };
    shown(written)?;
    Ok(ExitStatus::of(outcomes))
}

/// The JSON form, described in `docs/report.md`.
#[derive(Debug, Serialize)]
struct InspectDocument<'a> {
    schema: &'static str,
    /// Always false.
    verified: bool,
    files: &'a [Inspected],
}

impl<'a> InspectDocument<'a> {
    const fn new(files: &'a [Inspected]) -> Self {
        Self { schema: "sealift-inspect/v1", verified: false, files }
    }
}

/// One file and what it holds.
#[derive(Debug, Serialize)]
struct Inspected {
    file: String,
    #[serde(flatten)]
    content: InspectedContent,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
enum InspectedContent {
    Bundle(BundleDescription),
    ImageArchive { format: String, images: Vec<InspectedImage>, notes: Vec<String> },
    PublicKey { kind: String, fingerprint: String, words: String },
}

#[derive(Debug, Serialize)]
struct InspectedImage {
    unsigned_tags: Vec<String>,
    digests: Vec<MatchedDigest>,
    diff_ids: Vec<String>,
    platform: String,
    labels: BTreeMap<String, String>,
    ids_after_load: BTreeMap<&'static str, String>,
}

/// Detects what a file is by its first bytes, and reads it.
fn inspect(path: &Path, root: Option<&TrustMaterial>) -> Result<InspectedContent, Fault> {
    let place = files::show(path);
    let options = Options { jobs: 1, progress: &TotalBar::new(true), cuts: None, threads: None };
    let archive = match files::open(path)? {
        OpenedPath::Directory => {
            image_directory(path)?;
            let folder = Folder::open(path)?;
            image::read(Input::Layout(&LayoutTree::whole(&folder)?), &options)
        }
        OpenedPath::Pipe(mut pipe) => image::read(Input::Stream(&mut pipe), &options),
        OpenedPath::File(file) => {
            let mut first = [0; 80];
            let count = files::rewound(path, &file)?
                .read(&mut first)
                .map_err(|error| files::unreadable(&place, &error))?;
            let first = first.get(..count).unwrap_or_default();
            let first = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first).trim_ascii_start();
            if first.starts_with(b"{") {
                let bytes = files::read_small(path, limits::MANIFEST_BYTES, Code::BundleTooLarge)?;
                of_a_seal(path, &bytes)?;
                if bytes.len() as u64 > limits::BUNDLE_BYTES {
                    let message = "too large for a bundle";
                    return Err(Fault::new(Code::BundleTooLarge, message).at(place));
                }
                let bundle = SignatureBundle::parse(&bytes).map_err(|fault| fault.at(place))?;
                let description = match root {
                    Some(root) => bundle.describe(Some(root)),
                    None => bundle.describe(Some(&TrustMaterial::production()?)),
                };
                return Ok(InspectedContent::Bundle(description));
            }
            if is_sums(first) {
                return Err(seal_part(path, "a list of SHA-256 digests"));
            }
            let begin = first.starts_with(PEM);
            if let Some(bytes) = key_file(path, &file, begin)? {
                let key = PublicKey::from_pem(&bytes).map_err(|fault| fault.at(place))?;
                return Ok(InspectedContent::PublicKey {
                    kind: key.kind().to_string(),
                    fingerprint: key.fingerprint().to_string(),
                    words: key::words(&key.fingerprint()),
                });
            }
            image::read(Input::File(&files::positioned(path, &file)?), &options)
        }
    };
    let archive = archive.map_err(|refusal| unknown(refusal.fault).at(place))?;
    let images = archive.images.iter().map(|image| InspectedImage {
        unsigned_tags: image.unsigned_tags.clone(),
        digests: image
            .candidates
            .iter()
            .map(|found| MatchedDigest { digest: found.digest, kind: found.kind.to_string() })
            .collect(),
        diff_ids: image.layers.iter().map(ToString::to_string).collect(),
        platform: image.platform.clone(),
        labels: image.labels.clone(),
        ids_after_load: image.ids_after_load.clone(),
    });
    Ok(InspectedContent::ImageArchive {
        format: archive.format(),
        images: images.collect(),
        notes: archive.notes.clone(),
    })
}

/// Refuses the manifest of a transfer: it is JSON, but not a bundle.
fn of_a_seal(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let document = serde_json::from_slice::<serde_json::Value>(bytes).unwrap_or_default();
    match document.get("sha256sums").is_some() && document.get("files").is_some() {
        true => Err(seal_part(path, "the manifest of a transfer directory")),
        false => Ok(()),
    }
}

/// Whether a file begins with a line of `sha256sum`. The name of an archive's first member may be a
/// digest too, but no blank follows it.
fn is_sums(first: &[u8]) -> bool {
    let digits = first.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    digits == 64 && first.get(digits) == Some(&b' ')
}

/// The refusal of a file that belongs to a seal, and means nothing alone.
fn seal_part(path: &Path, what: &str) -> Fault {
    let message = format!("this is {what}; inspect shows image archives, bundles and public keys");
    let next = "If it is part of a transfer directory, verify the whole directory: `sealift verify \
                DIRECTORY --transfer-key KEY`, with -v for every file. To read it, open it as text.";
    Fault::new(Code::Usage, message).at(files::show(path)).advise(next)
}

/// The bytes of a file that may be a key: any text with a PEM block in it, as `verify --key` takes it.
fn key_file(path: &Path, file: &File, begin: bool) -> Result<Option<Vec<u8>>, Fault> {
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    if size > limits::KEY_BYTES && !begin {
        return Ok(None);
    }
    let bytes = files::read_small(path, limits::KEY_BYTES, Code::KeyMalformed)?;
    let has_block = bytes.windows(PEM.len()).any(|window| window == PEM) && !bytes.contains(&0);
    Ok((begin || has_block).then_some(bytes))
}

/// Refuses a directory that is not an OCI layout, and says what it is.
fn image_directory(path: &Path) -> Result<(), Fault> {
    let refuse = |message: String| Err(Fault::new(Code::Usage, message).at(files::show(path)));
    let folder = Folder::open(path)?;
    let (listing, _) = folder.look()?;
    if let Some((name, like)) = transfer::seal_lookalike(&folder, &listing) {
        return refuse(format!("{name} in it is {}. {}", like.what, like.next));
    }
    let traces = transfer::traces(&listing);
    if !traces.is_empty() {
        return refuse(format!(
            "this is a transfer directory (it contains {}): `sealift verify` checks it as a whole; \
             inspect shows single files in it",
            traces.join(", ")
        ));
    }
    if listing.has("index.json", EntryKind::File) || listing.has("oci-layout", EntryKind::File) {
        return Ok(());
    }
    refuse(
        "this is a folder of files, not an OCI layout: inspect shows single files in it, verify \
         checks all of them"
            .to_owned(),
    )
}

/// Rewords the refusal of a file that inspect can't show: the refusal of an archive would advise to save the
/// image again.
fn unknown(fault: Fault) -> Fault {
    if !matches!(fault.code(), Code::ArchiveUnrecognised | Code::ManifestMissing) {
        return fault;
    }
    let message = format!("not an image archive, a bundle or a public key ({fault})");
    Fault::new(Code::Usage, message)
}

fn text(out: &mut dyn Write, inspected: &Inspected) -> io::Result<()> {
    let name = printable(&inspected.file);
    match &inspected.content {
        InspectedContent::PublicKey { kind, fingerprint, words } => {
            line!(out, "{name}: public key, {kind}")?;
            line!(out, "  fingerprint (SHA-256 of the SPKI): {fingerprint}")?;
            line!(out, "  the same in words: {words}")?;
            line!(out, "  compare one of them out of band with what the key's owner publishes")
        }
        InspectedContent::Bundle(bundle) => {
            line!(out, "{name}: signature bundle, {} ({NOT_VERIFIED})", bundle.format)?;
            for (label, value) in report::bundle_lines(bundle) {
                line!(out, "  {}: {}", printable(&label), printable(&value))?;
            }
            Ok(())
        }
        InspectedContent::ImageArchive { format, images, notes } => {
            line!(out, "{name}: image archive, {} ({NOT_VERIFIED})", printable(format))?;
            for image in images {
                let tags: Vec<_> = image.unsigned_tags.iter().map(|tag| printable(tag)).collect();
                let tags = if tags.is_empty() { "none".to_owned() } else { tags.join(", ") };
                line!(out, "  image {}, tags (never signed): {tags}", printable(&image.platform))?;
                for digest in &image.digests {
                    line!(out, "    {} digest: {}", digest.kind, digest.digest)?;
                }
                for (engine, id) in &image.ids_after_load {
                    line!(out, "    id after loading, {engine}: {}", printable(id))?;
                }
                for diff_id in &image.diff_ids {
                    line!(out, "    layer: {diff_id}")?;
                }
                for (label, value) in &image.labels {
                    line!(out, "    label {}: {}", printable(label), printable(value))?;
                }
            }
            notes.iter().try_for_each(|note| line!(out, "  note: {}", printable(note)))
        }
    }
}
