//! Examining artifacts as they arrive, with the rules and the code of sealing, so that sealing need not read
//! them again.

use std::collections::{BTreeMap, BTreeSet};

use super::layout;
use super::names::unfit;
use super::seal_request::SealRequest;
use crate::digest::FileDigest;
use crate::directory::{Entry, EntryKind, Folder, Listing, Stamp};
use crate::image::Image;
use crate::survey::{
    ArtifactOutcome, FileKind, FoundFile, Survey, SurveyOptions, survey, verify_artifacts,
};
use crate::verdict::{Code, Fault};

/// The files of a folder that were read before it is sealed.
#[derive(Debug, Default)]
pub struct ExaminedFiles {
    files: BTreeMap<String, (FoundFile, Stamp)>,
}

impl ExaminedFiles {
    /// Whether a file is as it was when it was read.
    #[must_use]
    pub fn still(&self, folder: &Folder, name: &str) -> bool {
        self.files.get(name).is_some_and(|(_, stamp)| folder.stamp(name) == Some(*stamp))
    }

    /// Updates the stamp of a file that has just been renamed. If the new stamp does not fit, the file will be
    /// read again.
    pub fn named(&mut self, folder: &Folder, name: &str) {
        let Some((_, stamp)) = self.files.get_mut(name) else { return };
        match folder.stamp(name).filter(|now| now.is_renamed(stamp)) {
            Some(now) => *stamp = now,
            None => drop(self.files.remove(name)),
        }
    }

    /// Size and digest of a file.
    #[must_use]
    pub fn digest(&self, name: &str) -> Option<FileDigest> {
        self.files.get(name).map(|(file, _)| file.digest)
    }

    /// The images of an archive; none for anything else.
    #[must_use]
    pub fn images(&self, name: &str) -> &[Image] {
        match self.files.get(name).map(|(file, _)| &file.what) {
            Some(FileKind::Image(archive, _)) => &archive.images,
            _ => &[],
        }
    }

    /// Adds further examined files of the same folder.
    pub fn add(&mut self, other: Self) {
        self.files.extend(other.files);
    }

    /// The survey of a listing: files that were read before and are unchanged, and the rest, read now.
    pub(super) fn complete(
        self,
        folder: &Folder,
        request: &SealRequest<'_>,
        listing: &Listing,
    ) -> Survey {
        let mut kept = Vec::new();
        for (name, (file, stamp)) in self.files {
            if listing.has(&name, EntryKind::File) && folder.stamp(&name) == Some(stamp) {
                kept.push(file);
            }
        }
        let names: BTreeSet<&str> = kept.iter().map(|file| file.name.as_str()).collect();
        let entries = listing.entries.iter().filter(|entry| !names.contains(entry.name.as_str()));
        let rest = Listing { entries: entries.cloned().collect() };
        let mut survey = look(folder, request, &rest);
        survey.files.append(&mut kept);
        survey.files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        survey
    }
}

/// Reads and judges the one artifact among these files of the folder, as sealing would.
///
/// # Errors
/// [`Code::FileTypeRefused`] and the like for what can't be part of a release, those of the keys' rule,
/// and [`Code::SourceDisagrees`] where there is no artifact or more than one.
pub fn examine(
    folder: &Folder,
    request: &SealRequest<'_>,
    names: &BTreeSet<String>,
) -> Result<(ArtifactOutcome, ExaminedFiles), Fault> {
    let listing = listed(folder, names)?;
    // A name that would stop the whole sealing is reported for the artifact that has it.
    if let Some((_, fault)) = unfit(folder, &listing).into_iter().next() {
        return Err(fault);
    }
    let stamps: BTreeMap<String, Stamp> = listing
        .files()
        .filter_map(|entry| Some((entry.name.clone(), folder.stamp(&entry.name)?)))
        .collect();
    let survey = look(folder, request, &listing);
    if let Some((_, fault)) = survey.faults.into_iter().next() {
        return Err(fault);
    }
    let survey = Survey { faults: Vec::new(), ..survey };
    let vendor_keys = request.vendor_keys(&survey)?;
    let (mut judged, unpaired) = verify_artifacts(
        folder,
        &survey,
        &vendor_keys,
        &request.names_by_path(),
        request.reading.jobs,
    );
    let one = match (judged.pop(), judged.is_empty(), unpaired.first()) {
        (Some(one), true, None) => one,
        (Some(one), true, Some(_)) if one.report.code().is_some() => one,
        (_, _, Some(bundle)) => {
            let message = "the bundle belongs to no artifact next to it";
            return Err(Fault::new(Code::MaterialUnpaired, message).at(folder.show(bundle)));
        }
        _ => {
            let message = "there is not exactly one image or package";
            let first = names.first().map_or("", String::as_str);
            return Err(Fault::new(Code::SourceDisagrees, message).at(folder.show(first)));
        }
    };
    let files = survey
        .files
        .into_iter()
        .filter_map(|file| {
            let stamp = *stamps.get(&file.name)?;
            Some((file.name.clone(), (file, stamp)))
        })
        .collect();
    Ok((one, ExaminedFiles { files }))
}

/// Judges a package that is not here, by the size and digest that are known of it and the files of its
/// bundle and key.
///
/// # Errors
/// Those of [`examine`].
pub fn examine_absent(
    folder: &Folder,
    request: &SealRequest<'_>,
    path: &str,
    material: &BTreeSet<String>,
    digest: FileDigest,
) -> Result<ArtifactOutcome, Fault> {
    let listing = listed(folder, material)?;
    let mut survey = look(folder, request, &listing);
    let what = FileKind::Package("package: an earlier transfer carried it".to_owned(), None);
    survey.files.push(FoundFile { name: path.to_owned(), digest, what });
    survey.files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let vendor_keys = request.vendor_keys(&survey)?;
    let (judged, _) = verify_artifacts(
        folder,
        &survey,
        &vendor_keys,
        &request.names_by_path(),
        request.reading.jobs,
    );
    judged
        .into_iter()
        .find(|judged| judged.path == path)
        .ok_or_else(|| Fault::new(Code::SourceDisagrees, "nothing to judge").at(folder.show(path)))
}

/// These files of the folder.
pub(super) fn listed(folder: &Folder, names: &BTreeSet<String>) -> Result<Listing, Fault> {
    let entry = |name: &String| {
        let size = folder.file(name)?.metadata().map_or(0, |metadata| metadata.len());
        Ok(Entry { name: name.clone(), kind: EntryKind::File, size })
    };
    Ok(Listing { entries: names.iter().map(entry).collect::<Result<_, Fault>>()? })
}

pub(super) fn look(folder: &Folder, request: &SealRequest<'_>, listing: &Listing) -> Survey {
    let mut profiles = vec![request.profile];
    let vendors = request.named_keys.policy.into_iter().flat_map(|policy| policy.vendors());
    profiles.extend(vendors.map(|vendor| vendor.profile()));
    let options =
        SurveyOptions { profiles: &profiles, reading: request.reading, own: layout::is_own };
    survey(folder, listing, &options)
}
