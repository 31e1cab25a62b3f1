//! Images from archives that are on a disk already.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::engine::write_stream;
use super::{FetchRecord, FoundImage, ImageDescription, ImageSource, ProgressTask, Watch};
use crate::digest::HashingReader;
use crate::directory::Folder;
use crate::verdict::{Code, Fault};

/// Archives by their paths.
#[derive(Debug, Clone, Copy)]
pub struct ArchiveFiles;

impl ImageSource for ArchiveFiles {
    fn find(&self, reference: &str, _: &dyn Watch) -> Result<Box<dyn FoundImage + '_>, Fault> {
        let path = PathBuf::from(reference);
        let fail = |code, message: String| Fault::new(code, message).at(reference);
        let metadata =
            path.metadata().map_err(|error| fail(Code::FileNotFound, error.to_string()))?;
        if !metadata.is_file() {
            return Err(fail(Code::ReferenceInvalid, "not a file".to_owned()));
        }
        // The digest distinguishes a changed file from the one that was copied before. The medium need not say
        // where on this machine the file was.
        let mut file = HashingReader::new(open(&path)?);
        std::io::copy(&mut file, &mut std::io::sink())
            .map_err(|error| fail(Code::Unreadable, error.to_string()))?;
        let (_, digest) = file.finish();
        let source = format!("file:{}@{digest}", file_name(&path)?);
        let description = ImageDescription {
            source,
            size: Some(metadata.len()),
            whole: Some(digest),
            ..ImageDescription::default()
        };
        Ok(Box::new(ArchiveImage { path, description }))
    }
}

fn open(path: &Path) -> Result<File, Fault> {
    File::open(path).map_err(|error| {
        Fault::new(Code::Unreadable, error.to_string()).at(path.display().to_string())
    })
}

/// The last part of a path.
pub(super) fn file_name(path: &Path) -> Result<&str, Fault> {
    path.file_name().and_then(|name| name.to_str()).ok_or_else(|| {
        Fault::new(Code::ReferenceInvalid, "not a file name").at(path.display().to_string())
    })
}

/// An archive on this machine.
#[derive(Debug)]
struct ArchiveImage {
    path: PathBuf,
    description: ImageDescription,
}

impl FoundImage for ArchiveImage {
    fn description(&self) -> &ImageDescription {
        &self.description
    }

    fn fetch(
        &self,
        folder: &Folder,
        name: &str,
        watch: &dyn Watch,
    ) -> Result<Vec<FetchRecord>, Fault> {
        let shown = self.path.display().to_string();
        let mut file = open(&self.path)?;
        let task = ProgressTask::begin(watch, &shown, 0, self.description.size);
        let (size, sha256) =
            write_stream(&mut file, folder, name, &task).map_err(|fault| fault.at(&*shown))?;
        folder.commit(name)?;
        Ok(vec![FetchRecord::local(self.description.source.clone(), name, size, sha256)])
    }
}
