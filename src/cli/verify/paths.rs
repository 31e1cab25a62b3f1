//! Each PATH is judged as what it is: a file, a layout, a folder or a transfer directory.

use std::path::{Path, PathBuf};

use super::directory::{DirectoryKind, OpenedDirectory};
use super::file::FileVerifier;
use super::settings::VerifySettings;
use crate::cli::console::Console;
use crate::cli::{expected, files};
use crate::image::Options;
use crate::release::{self, AnswerPlace, Events as _, FileProgress, FolderRequest, FolderSummary};
use crate::transfer::{self, AcceptedTransfers, Context, SerialsOfRun};
use crate::verdict::{ArtifactReport, Code, Fault};

/// The PATHs of a run.
pub(super) struct Paths<'a>(Vec<PathToJudge<'a>>);

struct PathToJudge<'a> {
    path: &'a Path,
    is_directory: bool,
    /// Directories are opened ahead if a seal is expected in them, for their serials. They are opened again
    /// when their turn comes, because they may have changed by then.
    opened: Option<Result<OpenedDirectory, Fault>>,
}

impl<'a> Paths<'a> {
    /// Looks at what each path is.
    pub(super) fn look(paths: &'a [PathBuf], settings: &VerifySettings<'_>) -> Self {
        let ahead = settings.transfers.expected.is_expected();
        let look = |path: &'a PathBuf| {
            let is_directory = expected::is_directory(path);
            let opened = (ahead && is_directory).then(|| OpenedDirectory::ahead(path, settings));
            PathToJudge { path, is_directory, opened }
        };
        Self(paths.iter().map(look).collect())
    }

    pub(super) const fn count(&self) -> usize {
        self.0.len()
    }

    fn opened(&self) -> impl Iterator<Item = &OpenedDirectory> {
        self.0.iter().filter_map(|path| path.opened.as_ref()?.as_ref().ok())
    }

    /// The transfers that were opened, for their serials. Neither the order in which they are judged nor
    /// whether they were judged before may change an answer. So one that is older than another in the same
    /// run is seen without a state file, too.
    pub(super) fn serials(&self, context: &Context<'_>) -> SerialsOfRun {
        let none = AcceptedTransfers::default();
        let transfers = self.opened().flat_map(|directory| &directory.transfers);
        let sealed = transfers.filter_map(|ahead| ahead.opened.as_ref()?.sealed.as_ref().ok());
        // A refused transfer is not used, so its serial does not count.
        let admissible = sealed.filter(|sealed| transfer::admissible(sealed, context).is_ok());
        SerialsOfRun::new(&admissible.collect::<Vec<_>>(), context.state.unwrap_or(&none))
    }

    /// Whether any path is judged as a single file.
    pub(super) fn any_file(&self, settings: &VerifySettings<'_>) -> bool {
        self.0.iter().any(|path| !path.is_directory && self.unsealed(path, settings).is_none())
    }

    /// Why a path that is not a directory is not judged, if so: a seal is expected, and the file is in none of
    /// the transfers that are judged.
    fn unsealed(&self, file: &PathToJudge<'_>, settings: &VerifySettings<'_>) -> Option<Fault> {
        let transfers = &settings.transfers;
        if transfers.unsealed || transfers.loose || !transfers.expected.is_expected() {
            return None;
        }
        let any_directory = self.0.iter().any(|path| path.is_directory);
        if !transfers.expected.by_option() && !any_directory {
            return None;
        }
        let stream = file.path.as_os_str() == "-";
        // What is not there has an error of its own.
        let sealed = || self.opened().any(|directory| directory.seals(file.path));
        if !stream && (!file.path.exists() || sealed()) {
            return None;
        }
        Some(release::outside_transfers().at(files::show(file.path)))
    }
}

/// Judges paths, and reports the answers.
pub(super) struct PathVerifier<'a> {
    pub(super) settings: &'a VerifySettings<'a>,
    pub(super) files: FileVerifier<'a>,
    pub(super) request: FolderRequest<'a>,
    pub(super) console: &'a Console,
}

impl PathVerifier<'_> {
    /// Judges the path of this number. Returns a summary if it is a folder.
    pub(super) fn judge(&self, paths: &mut Paths<'_>, number: usize) -> Option<FolderSummary> {
        let to_judge = paths.0.get(number)?;
        let path = to_judge.path;
        if !to_judge.is_directory {
            match paths.unsealed(to_judge, self.settings) {
                Some(fault) => self.refuse(&files::show(path), &fault),
                None => self.file(path),
            }
            return None;
        }
        let mut opened = match &mut paths.0.get_mut(number)?.opened {
            // The first handles stay open: they show which of the files to come are sealed.
            Some(Ok(ahead)) => ahead.again(path, self.settings),
            Some(Err(fault)) => Err(fault.clone()),
            None => OpenedDirectory::open(path, self.settings),
        };
        match &mut opened {
            Ok(directory) => self.directory(path, directory),
            Err(fault) => {
                self.refuse(&files::show(path), fault);
                None
            }
        }
    }

    fn directory(&self, path: &Path, directory: &mut OpenedDirectory) -> Option<FolderSummary> {
        let settings = self.settings;
        let is_layout = directory.kind == DirectoryKind::Layout;
        let single = settings.is_for_single_files();
        let several =
            settings.part.is_some() || settings.map.is_some() || !settings.filter.is_empty();
        match directory.kind {
            DirectoryKind::Layout | DirectoryKind::Plain if several && (single || is_layout) => {
                let message = "this is judged as one image: --include, --exclude, --map and --shard are \
                               for folders of several";
                let shown = directory.folder.shown();
                self.refuse(shown, &Fault::new(Code::Usage, message).at(shown));
                None
            }
            DirectoryKind::Layout => {
                self.file(path);
                None
            }
            DirectoryKind::Plain if single => {
                self.file(path);
                None
            }
            DirectoryKind::Plain | DirectoryKind::ContainsTransfers | DirectoryKind::Transfer => {
                let ended = directory.check(settings, &self.request, self.console);
                ended.map_err(|fault| self.refuse(directory.folder.shown(), &fault)).ok()
            }
        }
    }

    /// Judges what is one artifact.
    fn file(&self, path: &Path) {
        let size = path.metadata().map_or(0, |metadata| metadata.len());
        let progress = FileProgress::alone(self.console, &files::show(path), size);
        let options = Options { progress: &progress, ..self.settings.reading() };
        let mut report = self.files.verify(path, &options);
        if self.settings.require_coverage {
            report = release::required(report);
        }
        self.console.answer(AnswerPlace::only(), report);
    }

    fn refuse(&self, name: &str, fault: &Fault) {
        self.console.answer(AnswerPlace::only(), ArtifactReport::new(name).refused(fault));
    }
}
