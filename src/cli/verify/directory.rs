//! A PATH that is a directory: opened and listed once, and what it is judged as.

use std::path::Path;

use super::settings::VerifySettings;
use crate::cli::files;
use crate::directory::{Folder, Listing};
use crate::release::{
    self, Events, FolderKind, FolderRequest, FolderSummary, ListedFolder, OpenedAhead,
};
use crate::survey::is_layout;
use crate::transfer::{self, OpenedTransfer};
use crate::verdict::{Code, Fault};

/// What a directory is judged as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DirectoryKind {
    /// A transfer directory, whether its seal is there or not.
    Transfer,
    /// An OCI layout: one image.
    Layout,
    /// A folder that is not a transfer directory but holds some. A seal is expected for everything in it.
    ContainsTransfers,
    /// Any other folder.
    Plain,
}

/// A directory, with the transfers in it that are opened ahead.
pub(super) struct OpenedDirectory {
    pub(super) folder: Folder,
    listing: Listing,
    /// Directories in it that can't be listed.
    faults: Vec<(String, Fault)>,
    pub(super) kind: DirectoryKind,
    pub(super) transfers: Vec<OpenedAhead>,
}

impl OpenedDirectory {
    /// Opens a directory, and lists it.
    ///
    /// # Errors
    /// The faults of [`Folder::open`] and [`Folder::look`].
    pub(super) fn open(path: &Path, settings: &VerifySettings<'_>) -> Result<Self, Fault> {
        let folder = Folder::open(path)?;
        let (listing, faults) = folder.look().map_err(|fault| match fault.place() {
            Some(_) => fault,
            None => fault.at(files::show(path)),
        })?;
        let kind = kind(&folder, &listing, settings);
        Ok(Self { folder, listing, faults, kind, transfers: Vec::new() })
    }

    /// Opens a directory and the transfers in it that the run will check, for their serials. If a seal is not
    /// expected, or without a transfer key, there are none.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(super) fn ahead(path: &Path, settings: &VerifySettings<'_>) -> Result<Self, Fault> {
        let mut opened = Self::open(path, settings)?;
        opened.transfers = opened.transfers_ahead(settings);
        Ok(opened)
    }

    /// Opens the directory again when its turn comes: what was seen ahead may have changed since. Only a seal
    /// that could not be opened ahead is not tried again.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(super) fn again(
        &mut self,
        path: &Path,
        settings: &VerifySettings<'_>,
    ) -> Result<Self, Fault> {
        let mut opened = Self::open(path, settings)?;
        let refused = |ahead: &&mut OpenedAhead| {
            ahead.opened.as_ref().is_some_and(|opened| opened.sealed.is_err())
        };
        opened.transfers = self
            .transfers
            .iter_mut()
            .filter(refused)
            .map(|ahead| OpenedAhead {
                name: ahead.name.clone(),
                folder: None,
                opened: ahead.opened.take(),
            })
            .collect();
        Ok(opened)
    }

    fn transfers_ahead(&self, settings: &VerifySettings<'_>) -> Vec<OpenedAhead> {
        let keys = &settings.transfers.keys;
        match self.kind {
            DirectoryKind::Transfer => {
                // One that can't be listed whole is refused.
                let whole = self.faults.is_empty();
                let opened =
                    whole.then(|| OpenedTransfer::listed(&self.folder, self.listing.clone(), keys));
                vec![OpenedAhead { name: String::new(), folder: None, opened }]
            }
            DirectoryKind::ContainsTransfers | DirectoryKind::Plain
                if settings.transfers.expected.is_expected() =>
            {
                let names = release::transfer_directories(&self.listing).into_iter();
                let admitted = names.filter(|name| settings.filter.admits(name));
                admitted
                    .filter_map(|name| {
                        let folder = self.folder.folder(&name).ok()?;
                        let opened = Some(OpenedTransfer::open(&folder, keys));
                        Some(OpenedAhead { name, folder: Some(folder), opened })
                    })
                    .collect()
            }
            DirectoryKind::Layout | DirectoryKind::ContainsTransfers | DirectoryKind::Plain => {
                Vec::new()
            }
        }
    }

    /// Whether a file is in one of the transfers.
    pub(super) fn seals(&self, path: &Path) -> bool {
        let handles = self.transfers.iter();
        handles
            .map(|ahead| ahead.folder.as_ref().unwrap_or(&self.folder))
            .any(|folder| folder.contains(path))
    }

    /// Checks a folder or a transfer directory.
    ///
    /// # Errors
    /// The faults of [`release::check`], and [`Code::Usage`] for options that this folder has no use for.
    pub(super) fn check(
        &mut self,
        settings: &VerifySettings<'_>,
        request: &FolderRequest<'_>,
        events: &dyn Events,
    ) -> Result<FolderSummary, Fault> {
        let kind = match self.kind {
            DirectoryKind::Transfer => FolderKind::Transfer,
            _ if settings.transfers.unsealed => FolderKind::Unsealed,
            DirectoryKind::ContainsTransfers => FolderKind::ContainsTransfers,
            DirectoryKind::Layout | DirectoryKind::Plain => FolderKind::Plain,
        };
        self.permits(kind, settings)?;
        let listed = ListedFolder {
            folder: &self.folder,
            listing: &self.listing,
            faults: &self.faults,
            kind,
        };
        release::check(listed, &mut self.transfers, request, events)
    }

    /// Refuses what can't be checked whole, and options that this folder has no use for.
    fn permits(&self, kind: FolderKind, settings: &VerifySettings<'_>) -> Result<(), Fault> {
        let usage = |message: &str| Err(Fault::new(Code::Usage, message).at(self.folder.shown()));
        if kind == FolderKind::Transfer {
            // Nothing may be hidden where everything must be known.
            if let Some((_, fault)) = self.faults.first() {
                return Err(fault.clone());
            }
            if !settings.filter.is_empty() {
                return usage(
                    "a transfer directory is checked whole: --include and --exclude are for folders without a seal",
                );
            }
            if settings.part.is_some() {
                return usage(
                    "a transfer directory is checked whole: --shard is for folders without a seal",
                );
            }
            if settings.map.is_some() {
                return usage(
                    "a transfer directory says itself which bundles belong to what: --map is for folders without a seal",
                );
            }
        }
        let transfers = &settings.transfers;
        let for_transfers = transfers.full_digest || !transfers.allow_unsigned.is_empty();
        if for_transfers && kind != FolderKind::Transfer && !release::holds_transfer(&self.listing)
        {
            return usage(
                "--allow-unsigned and --full-digest are for transfer directories, and there is none: \
                 without a seal nothing vouches for what nobody signed",
            );
        }
        if settings.identity {
            return usage("a folder is judged by keys, not by a certificate's identity");
        }
        Ok(())
    }
}

/// The no-downgrade rule: a directory is a transfer directory if any file of a seal is in it, or if a seal
/// is expected: by `--transfer-key`, `--state`, `--base`, `--stream`, or a policy with transfer keys.
/// `--unsealed` turns both off, and `--loose` the second.
///
/// A folder that holds transfer directories is not one itself. What is outside of them has no seal, and
/// is refused where one is expected, unless `--loose` says otherwise. Where none is expected, and the
/// only file of a seal's name is a list that a vendor signed, that file is an artifact like any other.
fn kind(folder: &Folder, listing: &Listing, settings: &VerifySettings<'_>) -> DirectoryKind {
    let transfers = &settings.transfers;
    if transfers.unsealed {
        return without_seal(listing);
    }
    let expected = transfers.expected.is_expected();
    let lists = || release::signed_lists(folder, listing, settings.map(), &settings.vendors());
    // Where a seal is expected, no vendor's signature takes its place.
    let traces = !transfer::traces(listing).is_empty() && (expected || !lists().contains(""));
    let holds = || transfers.loose || release::holds_transfer(listing);
    if traces || (expected && !holds()) {
        DirectoryKind::Transfer
    } else if expected && !transfers.loose {
        DirectoryKind::ContainsTransfers
    } else {
        without_seal(listing)
    }
}

fn without_seal(listing: &Listing) -> DirectoryKind {
    let entries = listing.entries.iter().map(|entry| (entry.name.as_str(), entry.kind));
    // A layout does not hide a transfer.
    if !release::holds_transfer(listing) && is_layout(entries) {
        DirectoryKind::Layout
    } else {
        DirectoryKind::Plain
    }
}
