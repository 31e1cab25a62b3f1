//! `sealift verify DIRECTORY`: a transfer directory, an OCI layout, or a plain folder; which of them
//! is told by what lies in it and by what the operator said, and said in the report.

use std::collections::BTreeMap;
use std::path::Path;

use super::files;
use super::verify::Whom;
use super::warn;
use crate::folder::{
    Authority, Entry, Folder, Listing, SurveyOptions, TrustedKey, What, is_layout, judge, survey,
};
use crate::image::Options;
use crate::sigstore::TrustMaterial;
use crate::transfer::{self, Context};
use crate::trust::{TrustPolicy, VendorProfile};
use crate::verdict::{ArtifactKind, ArtifactReport, Code, ExitStatus, Fault, Outcome};

/// What a directory is to be judged as.
pub(super) enum Directory {
    /// A transfer directory, whether its seal is there or not.
    Transfer,
    /// An OCI layout: one image.
    Layout,
    /// Any other folder.
    Plain,
}

/// The no-downgrade rule: when a transfer key or a state file is named, when the policy lists transfer
/// keys, or when any file of a seal lies in it, it is a transfer directory; only `--unsealed` says
/// otherwise.
pub(super) fn kind(whom: &Whom<'_>, listing: &Listing) -> Directory {
    let arguments = &whom.arguments.transfer;
    let sealed = !whom.transfer_keys.is_empty()
        || arguments.state.is_some()
        || !arguments.base.is_empty()
        || !transfer::traces(listing).is_empty();
    if sealed && !arguments.unsealed {
        Directory::Transfer
    } else if is_layout(listing.entries.iter().map(|it| (it.name.as_str(), it.kind))) {
        Directory::Layout
    } else {
        Directory::Plain
    }
}

/// Checks a transfer directory, and remembers it if everything in it is right.
pub(super) fn sealed(
    whom: &Whom<'_>,
    folder: &Folder,
    options: Options<'_>,
) -> Vec<ArtifactReport> {
    let refused = |fault: Fault| {
        let mut report = ArtifactReport::new(folder.shown());
        report.kind = Some(ArtifactKind::Transfer);
        vec![report.refused(&fault)]
    };
    let arguments = &whom.arguments.transfer;
    let ready = arguments.state().and_then(|state| Ok((state, arguments.bases()?)));
    let (state, bases) = match ready {
        Ok(ready) => ready,
        Err(fault) => return refused(fault),
    };
    if !whom.arguments.bundle.is_empty() || whom.arguments.kind.is_some() {
        let message = "--bundle and --type are for single files; this is a transfer directory";
        return refused(Fault::new(Code::Usage, message));
    }
    if whom.arguments.trust.names_identity() {
        let message = "a transfer directory is judged by keys, not by a certificate's identity";
        return refused(Fault::new(Code::Usage, message));
    }
    if std::env::current_exe().is_ok_and(|program| folder.contains(&program)) {
        warn(
            "this program lies in the directory that it checks; compare its SHA-256 with the \
             sealing side out of band, and run a copy from elsewhere",
        );
    }
    let context = Context {
        transfer_keys: whom.transfer_keys,
        vendor_key: whom.key,
        policy: whom.policy,
        material: whom.material,
        profile: whom.profile,
        transparency: whom.arguments.trust.logs.transparency(),
        hash: whom.hash,
        allow_unsigned: &arguments.allow_unsigned,
        now: whom.now,
        state: state.as_ref(),
        bases: &bases,
        full_digest: arguments.full_digest,
        reading: options,
    };
    let mut answer = transfer::check(folder, &context);
    let fine = ExitStatus::of(answer.reports.iter().map(|it| it.outcome)) == ExitStatus::Verified;
    if let (true, Some(sealed)) = (fine, &answer.sealed)
        && let Err(fault) = arguments.remember(sealed)
        && let Some(last) = answer.reports.pop()
    {
        // What was not remembered was not accepted.
        answer.reports.push(last.refused(&fault));
    }
    answer.reports
}

/// Judges every artifact in a folder without a seal; transfer directories in it are judged as such.
pub(super) fn plain(
    whom: &Whom<'_>,
    folder: &Folder,
    listing: &Listing,
    options: Options<'_>,
) -> Vec<ArtifactReport> {
    let mut reports = Vec::new();
    let unsealed = whom.arguments.transfer.unsealed;
    let nested = if unsealed { Vec::new() } else { transfers_below(listing) };
    let arguments = &whom.arguments.transfer;
    if nested.is_empty() && (arguments.full_digest || !arguments.allow_unsigned.is_empty()) {
        let message = "--allow-unsigned and --full-digest are for transfer directories, and there \
                       is none: without a seal nothing vouches for what nobody signed";
        let fault = Fault::new(Code::Usage, message);
        return vec![ArtifactReport::new(folder.shown()).refused(&fault)];
    }
    for directory in &nested {
        match folder.folder(directory) {
            Ok(below) => reports.extend(sealed(whom, &below, options)),
            Err(fault) => reports.push(ArtifactReport::new(folder.show(directory)).refused(&fault)),
        }
    }
    // Files of the seal are judged by nobody here, and that is said.
    let is_seal = |name: &str| unsealed && transfer::SEAL_FILES.contains(&name);
    for entry in listing.files().filter(|entry| is_seal(&entry.name)) {
        let message = "a file of a seal: not looked at, as --unsealed asks";
        reports.push(file(folder, &entry.name, &Fault::new(Code::NoBundle, message)));
    }
    let inside = |name: &str| {
        nested.iter().any(|it| name.strip_prefix(it.as_str()).is_some_and(|it| it.starts_with('/')))
    };
    let rest = Listing {
        entries: listing
            .entries
            .iter()
            .filter(|entry| !inside(&entry.name) && !is_seal(&entry.name))
            .cloned()
            .collect(),
    };
    match release(whom, folder, &rest, options) {
        Ok(more) => reports.extend(more),
        Err(fault) => reports.push(ArtifactReport::new(folder.shown()).refused(&fault)),
    }
    if reports.is_empty() {
        let message = "there is no image archive, no package and no transfer directory in it";
        let fault = Fault::new(Code::NothingFound, message);
        reports.push(ArtifactReport::new(folder.shown()).refused(&fault));
    }
    reports
}

/// Directories below a folder in which a file of a seal lies, none within another.
fn transfers_below(listing: &Listing) -> Vec<String> {
    let mut folders: BTreeMap<&str, Listing> = BTreeMap::new();
    for entry in listing.files() {
        if let Some((folder, base)) = entry.name.rsplit_once('/') {
            let entry = Entry { name: base.to_owned(), kind: entry.kind };
            folders.entry(folder).or_default().entries.push(entry);
        }
    }
    let mut found: Vec<String> = Vec::new();
    for (folder, files) in folders {
        let inside = |outer: &String| {
            folder.strip_prefix(outer.as_str()).is_some_and(|it| it.starts_with('/'))
        };
        if !transfer::traces(&files).is_empty() && !found.iter().any(inside) {
            found.push(folder.to_owned());
        }
    }
    found
}

/// The artifacts of a folder that carries no seal.
fn release(
    whom: &Whom<'_>,
    folder: &Folder,
    listing: &Listing,
    options: Options<'_>,
) -> Result<Vec<ArtifactReport>, Fault> {
    let built_in;
    let material = match whom.material {
        Some(material) => material,
        None => {
            built_in = TrustMaterial::production()?;
            &built_in
        }
    };
    let mut profiles: Vec<&VendorProfile> = vec![whom.profile];
    profiles.extend(whom.policy.into_iter().flat_map(TrustPolicy::vendors).map(|it| it.profile()));
    let surveying = SurveyOptions { profiles: &profiles, reading: options, own: |_| false };
    let survey = survey(folder, listing, &surveying);
    let authority = Authority {
        keys: keys(whom),
        unnamed: Vec::new(),
        material,
        profile: whom.profile,
        transparency: whom.arguments.trust.logs.transparency(),
        hash: whom.hash,
        now: whom.now,
    };
    let to_judge = |what: &What| {
        matches!(what, What::Bundle(_) | What::Image(..) | What::Package(..) | What::Refused(_))
    };
    let anything =
        survey.files.iter().any(|file| to_judge(&file.what)) || !survey.layouts.is_empty();
    if authority.keys.is_empty() && anything {
        return Err(Fault::new(
            Code::NoKey,
            "neither --key nor a trust policy with vendor keys was given",
        ));
    }
    let (judged, unpaired) = judge(folder, &survey, &authority, &BTreeMap::new(), options.jobs);
    let mut reports: Vec<ArtifactReport> = judged
        .into_iter()
        .map(|mut it| {
            it.report.name = folder.show(&it.path);
            it.report
        })
        .collect();
    for (name, fault) in &survey.faults {
        reports.push(file(folder, name, fault));
    }
    for bundle in unpaired {
        let fault = Fault::new(Code::MaterialUnpaired, "it belongs to no artifact in the folder");
        reports.push(file(folder, &bundle, &fault));
    }
    Ok(reports)
}

fn file(folder: &Folder, name: &str, fault: &Fault) -> ArtifactReport {
    let mut report = ArtifactReport::new(folder.show(name));
    report.kind = Some(ArtifactKind::File);
    let report = report.refused(fault);
    debug_assert!(report.outcome != Outcome::Ok, "a fault is never OK");
    report
}

/// The vendor keys: the one given, on the policy's terms if it has any; else the policy's.
pub(super) fn keys<'a>(whom: &Whom<'a>) -> Vec<TrustedKey<'a>> {
    if let Some(key) = whom.key {
        let listed = whom.policy.and_then(|policy| policy.find_key(&key.fingerprint()));
        let vendor = listed.map(|(vendor, listed)| (vendor, listed.terms()));
        return vec![TrustedKey { key: key.clone(), vendor, first_use: false }];
    }
    let vendors = whom.policy.into_iter().flat_map(TrustPolicy::vendors);
    vendors
        .flat_map(|vendor| vendor.keys().iter().map(move |key| (vendor, key)))
        .filter_map(|(vendor, listed)| {
            let key = listed.key()?.clone();
            Some(TrustedKey { key, vendor: Some((vendor, listed.terms())), first_use: false })
        })
        .collect()
}

/// A path as a folder and its listing.
///
/// # Errors
/// Those of [`Folder::open`] and [`Folder::list`].
pub(super) fn open(path: &Path) -> Result<(Folder, Listing), Fault> {
    let folder = Folder::open(path)?;
    let listing = folder.list().map_err(|fault| match fault.place() {
        Some(_) => fault,
        None => fault.at(files::show(path)),
    })?;
    Ok((folder, listing))
}
