//! `sealift verify DIRECTORY`: a transfer directory, an OCI layout, or a plain folder; which of them
//! is told by what lies in it and by what the operator said, and said in the report.

use std::path::Path;

use super::Whom;
use crate::cli::{expected, files, warn};
use crate::directory::{Folder, Listing};
use crate::image::{NoProgress, Options};
use crate::key::PublicKey;
use crate::release::{self, Checked, Ended, Events, Folders, Order, Whole};
use crate::survey::{TrustedKey, VendorKeys, is_layout};
use crate::transfer::{self, AcceptedTransfers, Context, Sealed, SerialsOfRun};
use crate::trust::{TrustPolicy, VendorProfile};
use crate::verdict::{ArtifactKind, ArtifactReport, Code, ExitStatus, Fault, Outcome};

/// What a directory is to be judged as.
pub(super) enum Directory {
    /// A transfer directory, whether its seal is there or not.
    Transfer,
    /// An OCI layout: one image.
    Layout,
    /// A folder that is no transfer directory, but holds some; a seal is expected for everything in it.
    Holder,
    /// Any other folder.
    Plain,
}

/// The no-downgrade rule: when a transfer key or a state file is named, when the policy lists transfer
/// keys, or when any file of a seal lies in it, it is a transfer directory; only `--unsealed` says
/// otherwise. A folder in which transfer directories lie is not one itself, and what lies outside of them
/// has no seal, so that it is refused where one is expected, unless `--loose` says otherwise. Where none is
/// expected, and the only such file is a list that a vendor signed, it is an artifact like any other.
pub(super) fn kind(whom: &Whom<'_>, opened: &Opened) -> Directory {
    let listing = &opened.listing;
    let arguments = &whom.arguments.transfer;
    let expected = expected::of_directories(whom);
    if arguments.unsealed {
        return without_seal(listing);
    }
    let lists = || {
        let vendor_keys = || vendor_keys(whom, &[]);
        release::signed_lists(&opened.folder, listing, whom.map, vendor_keys)
    };
    // Where a seal is expected, no vendor's signature takes its place.
    let traces = !transfer::traces(listing).is_empty() && (expected || !lists().contains(""));
    let holds = || arguments.loose || release::holds_transfer(listing);
    if traces || (expected && !holds()) {
        Directory::Transfer
    } else if expected && !arguments.loose {
        Directory::Holder
    } else {
        without_seal(listing)
    }
}

fn without_seal(listing: &Listing) -> Directory {
    // A layout does not hide a transfer.
    if !release::holds_transfer(listing)
        && is_layout(listing.entries.iter().map(|it| (it.name.as_str(), it.kind)))
    {
        Directory::Layout
    } else {
        Directory::Plain
    }
}

/// Checks a transfer directory, and remembers it if everything in it is right.
fn sealed(whom: &Whom<'_>, folder: &Folder, options: Options<'_>) -> Checked {
    let refused = |fault: Fault| {
        let mut report = ArtifactReport::new(folder.shown());
        report.kind = Some(ArtifactKind::Transfer);
        let covers = folder.list().map(|it| transfer::nothing_covered(&it)).unwrap_or_default();
        Checked { reports: vec![report.refused(&fault)], covers }
    };
    let arguments = &whom.arguments.transfer;
    if let Ok(listing) = folder.list()
        && let Some((name, like)) = transfer::likeness(folder, &listing)
    {
        let code =
            if whom.transfer_keys.is_empty() { Code::NoTransferKey } else { Code::SealMissing };
        let message = format!(
            "{name} lies in it, a name that makes it a transfer directory; this one is {}",
            like.what
        );
        let mut checked = refused(Fault::new(code, message).at(folder.shown()));
        for report in &mut checked.reports {
            report.next = Some(like.next.to_owned());
        }
        return checked;
    }
    let state = whom.state.as_ref().map_err(Clone::clone);
    let ready = state.and_then(|state| Ok((state.as_ref(), arguments.bases()?)));
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
    let context = context(whom, state, &bases, options);
    let opened = transfer::OpenedTransfer::open(folder, context.transfer_keys);
    let mut answer = transfer::check(folder, opened, &context);
    if let Some(report) = answer.reports.iter_mut().find(|it| it.code() == Some(Code::SealMissing))
        && let Some(reason) = &mut report.reason
    {
        reason.push_str(&format!("; a seal is expected because {}", why(whom, folder)));
    }
    let fine = ExitStatus::of(answer.reports.iter().map(|it| it.outcome())) == ExitStatus::Verified;
    if let Some(sealed) = &answer.sealed
        && let Some(mut last) = answer.reports.pop()
    {
        let is_base = whom.together.as_ref().is_some_and(|it| it.is_base(sealed));
        let remembered = match whom.state_file {
            Some(file) if fine && !is_base => file.remember(sealed),
            _ => Ok(()),
        };
        // What was not remembered was not accepted.
        if let Err(fault) = remembered {
            last = last.refused(&fault);
        }
        last.notes.extend(state_note(state, sealed, &last, is_base));
        answer.reports.push(last);
    }
    Checked { reports: answer.reports, covers: answer.covers }
}

/// Why a directory must be sealed.
fn why(whom: &Whom<'_>, folder: &Folder) -> String {
    let arguments = &whom.arguments.transfer;
    let mut reasons = Vec::new();
    if !arguments.transfer_key.is_empty() {
        reasons.push("--transfer-key was given".to_owned());
    } else if !whom.transfer_keys.is_empty() {
        reasons.push("the trust policy in force lists transfer keys".to_owned());
    }
    let options = [
        (arguments.state.is_some(), "--state"),
        (!arguments.base.is_empty(), "--base"),
        (!arguments.stream.is_empty(), "--stream"),
    ];
    let given = options.into_iter().filter(|(given, _)| *given);
    reasons.extend(given.map(|(_, name)| format!("{name} was given")));
    let traces = folder.list().map(|listing| transfer::traces(&listing).join(", "));
    if let Ok(traces) = traces
        && !traces.is_empty()
    {
        reasons.push(format!("of a seal there is {traces}"));
    }
    reasons.join(", and ")
}

/// By what a transfer directory is judged.
fn context<'a>(
    whom: &'a Whom<'_>,
    state: Option<&'a AcceptedTransfers>,
    bases: &'a [Folder],
    reading: Options<'a>,
) -> Context<'a> {
    let arguments = &whom.arguments.transfer;
    Context {
        transfer_keys: whom.transfer_keys,
        vendor_key: whom.key,
        policy: whom.policy,
        material: whom.material,
        profiles: whom.profiles,
        transparency: whom.arguments.trust.logs.transparency(),
        hash: whom.hash,
        allow_unsigned: &arguments.allow_unsigned,
        now: whom.now,
        state,
        together: whom.together.as_ref(),
        streams: &arguments.stream,
        bases,
        full_digest: arguments.full_digest,
        reading,
    }
}

/// What became of a transfer's serial, where a state file is kept.
fn state_note(
    state: Option<&AcceptedTransfers>,
    sealed: &Sealed,
    report: &ArtifactReport,
    is_base: bool,
) -> Option<String> {
    let manifest = sealed.manifest();
    let before = state?.last(&manifest.stream);
    let before = before.map_or_else(|| "none".to_owned(), |last| last.serial.to_string());
    let became = match (report.outcome(), is_base) {
        (Outcome::Ok, false) => "accepted",
        (Outcome::Ok, true) => "not remembered, a newer transfer here builds on it",
        _ => "not accepted",
    };
    Some(format!("state: serial {} {became} (before: {before})", manifest.serial))
}

/// The transfers that the run will judge; none where no seal is expected, since none can be opened then.
pub(super) fn transfers(whom: &Whom<'_>) -> Vec<Folder> {
    let mut all = Vec::new();
    if !expected::of_directories(whom) {
        return all;
    }
    for path in whom.arguments.files.iter().filter(|path| expected::is_directory(path)) {
        let Ok(opened) = open(path) else { continue };
        match kind(whom, &opened) {
            Directory::Transfer => all.push(opened.folder),
            Directory::Layout => {}
            Directory::Holder | Directory::Plain => {
                let names = release::transfer_directories(&opened.listing);
                let admitted = names.iter().filter(|name| whom.filter.admits(name));
                all.extend(admitted.filter_map(|name| opened.folder.folder(name).ok()));
            }
        }
    }
    all
}

/// The same for their serials: the order in which they are judged, and whether they were judged before, must
/// not change an answer. That one is older than another in the same run is seen without a state file too.
pub(super) fn together(whom: &Whom<'_>) -> Option<SerialsOfRun> {
    let kept = whom.state.as_ref().ok()?.as_ref();
    let none = AcceptedTransfers::default();
    let state = kept.unwrap_or(&none);
    let reading = Options { jobs: 1, progress: &NoProgress, cuts: None, threads: None };
    let context = context(whom, kept, &[], reading);
    let mut all = Vec::new();
    for folder in &whom.transfers {
        let sealed =
            folder.list().and_then(|listing| transfer::open(folder, &listing, whom.transfer_keys));
        // One that is refused is not to be used, so it stands in nobody's way.
        all.extend(sealed.ok().filter(|it| transfer::admissible(it, &context).is_ok()));
    }
    Some(SerialsOfRun::new(&all, state))
}

/// Checks a folder, or a transfer directory.
///
/// # Errors
/// Those of [`release::check`], and [`Code::Usage`] for options that this folder has no use for.
pub(super) fn check(
    whom: &Whom<'_>,
    opened: &Opened,
    kind: &Directory,
    events: &dyn Events,
) -> Result<Ended, Fault> {
    let arguments = whom.arguments;
    let folder = &opened.folder;
    let whole = match kind {
        Directory::Transfer => Whole::Transfer,
        _ if arguments.transfer.unsealed => Whole::Unsealed,
        _ => Whole::Folder,
    };
    let usage = |message: &str| Err(Fault::new(Code::Usage, message).at(folder.shown()));
    if whole == Whole::Transfer {
        // Nothing may be hidden where everything must be known.
        if let Some((_, fault)) = opened.faults.first() {
            return Err(fault.clone());
        }
        if !whom.filter.is_empty() {
            return usage(
                "a transfer directory is checked whole: --include and --exclude are for folders without a seal",
            );
        }
        if whom.part.is_some() {
            return usage(
                "a transfer directory is checked whole: --shard is for folders without a seal",
            );
        }
        if whom.map.is_some() {
            return usage(
                "a transfer directory says itself which bundles belong to what: --map is for folders without a seal",
            );
        }
    }
    let options = &arguments.transfer;
    let sealed_options = options.full_digest || !options.allow_unsigned.is_empty();
    if sealed_options && whole != Whole::Transfer && !release::holds_transfer(&opened.listing) {
        let message = "--allow-unsigned and --full-digest are for transfer directories, and there \
                       is none: without a seal nothing vouches for what nobody signed";
        return usage(message);
    }
    if whom.arguments.trust.names_identity() {
        return usage("a folder is judged by keys, not by a certificate's identity");
    }
    let mut profiles: Vec<&VendorProfile> = whom.profiles.iter().collect();
    profiles.extend(whom.policy.into_iter().flat_map(TrustPolicy::vendors).map(|it| it.profile()));
    let order = Order {
        vendor_keys: &|in_folder| vendor_keys(whom, in_folder),
        transfer: &|folder, options| sealed(whom, folder, options),
        profiles: &profiles,
        filter: whom.filter,
        map: whom.map,
        part: whom.part,
        list_files: whom.keeps_report() || arguments.batch.changed_since.is_some(),
        require_coverage: arguments.batch.require_coverage,
        loose: !matches!(kind, Directory::Holder),
        fail_fast: arguments.batch.fail_fast,
        reading: Options { jobs: whom.jobs, progress: &NoProgress, cuts: None, threads: None },
    };
    let folders = Folders { folder, listing: &opened.listing, faults: &opened.faults, whole };
    release::check(folders, &order, events)
}

/// By whom and by what artifacts without a seal are judged, in view of the keys that lie beside them.
fn vendor_keys<'a>(whom: &Whom<'a>, in_folder: &[&PublicKey]) -> VendorKeys<'a> {
    VendorKeys {
        keys: keys(whom, in_folder),
        unnamed: Vec::new(),
        material: whom.material.unwrap_or(whom.built_in),
        profiles: whom.profiles,
        transparency: whom.arguments.trust.logs.transparency(),
        hash: whom.hash,
        now: whom.now,
    }
}

/// The vendor keys: the one given, on the policy's terms if it has any; else the policy's. One that the
/// policy lists by its fingerprint alone may lie in the folder.
pub(super) fn keys<'a>(whom: &Whom<'a>, in_folder: &[&PublicKey]) -> Vec<TrustedKey<'a>> {
    if let Some(key) = whom.key {
        let listed = whom.policy.and_then(|policy| policy.find_key(&key.fingerprint()));
        let vendor = listed.map(|(vendor, listed)| (vendor, listed.terms()));
        return vec![TrustedKey { key: key.clone(), vendor, first_use: false }];
    }
    let vendors = whom.policy.into_iter().flat_map(TrustPolicy::vendors);
    vendors
        .flat_map(|vendor| vendor.keys().iter().map(move |key| (vendor, key)))
        .filter_map(|(vendor, listed)| {
            let fingerprint = listed.fingerprint();
            let lies_there =
                || in_folder.iter().copied().find(|key| key.fingerprint() == fingerprint);
            let key = listed.key().or_else(lies_there)?.clone();
            Some(TrustedKey { key, vendor: Some((vendor, listed.terms())), first_use: false })
        })
        .collect()
}

/// A folder and what lies in it.
pub(super) struct Opened {
    pub(super) folder: Folder,
    pub(super) listing: Listing,
    /// Directories in it that can't be listed.
    faults: Vec<(String, Fault)>,
}

/// A path as a folder and its listing.
///
/// # Errors
/// Those of [`Folder::open`] and [`Folder::look`].
pub(super) fn open(path: &Path) -> Result<Opened, Fault> {
    let folder = Folder::open(path)?;
    let (listing, faults) = folder.look().map_err(|fault| match fault.place() {
        Some(_) => fault,
        None => fault.at(files::show(path)),
    })?;
    Ok(Opened { folder, listing, faults })
}
