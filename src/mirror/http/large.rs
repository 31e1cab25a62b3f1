//! Files of any size: into a half-written file, continued where an earlier attempt or run stopped.

use std::fs::File;
use std::io::{self, Read as _, Write as _};

use reqwest::header::{CONTENT_RANGE, HeaderMap, HeaderValue, IF_RANGE, RANGE};
use reqwest::{Method, Response};
use url::Url;

use super::range::{Note, continues};
use super::retry::Attempt;
use super::send::{self, failed, invalid, validators};
use super::{Http, Large, Validators};
use crate::digest::Hasher;
use crate::folder::{Folder, TEMPORARY};
use crate::limits;
use crate::mirror::record::now;
use crate::mirror::{Fetched, Hosts, Task, Watch, shown};
use crate::verdict::{Code, Fault};

/// After so many bytes of a body without a length the space that is left is looked at.
const LOOK_BYTES: u64 = 16 << 20;
/// What such a body leaves free.
const RESERVE_BYTES: u64 = 64 << 20;

/// One download.
struct Download<'a> {
    http: &'a Http,
    url: &'a Url,
    hosts: &'a Hosts,
    folder: &'a Folder,
    name: &'a str,
    known: Option<&'a Validators>,
    before: &'a dyn Fn() -> Result<(), Fault>,
    watch: &'a dyn Watch,
    /// How much was here before this run.
    found: u64,
}

impl Http {
    /// Fetches a file to `name` in the folder: half-written under the temporary name, with a note of what
    /// it is a part of beside it, then whole under its own. `before` is called before anything is
    /// written.
    ///
    /// # Errors
    /// Those of [`Http::small`], [`Code::NoSpace`], [`Code::FileTooLarge`] and [`Code::WriteFailed`]. What
    /// arrived stays, to be continued.
    #[expect(clippy::too_many_arguments, reason = "each is another thing, and there is one caller")]
    pub fn large(
        &self,
        url: &Url,
        hosts: &Hosts,
        folder: &Folder,
        name: &str,
        known: Option<&Validators>,
        before: &dyn Fn() -> Result<(), Fault>,
        watch: &dyn Watch,
    ) -> Result<Large, Fault> {
        let mut it =
            Download { http: self, url, hosts, folder, name, known, before, watch, found: 0 };
        it.found = it.part().map_or(0, |(size, _)| size);
        let mut troubles = 0_u32;
        self.retrying(&shown(url), || {
            let result = self.block_on(it.attempt());
            if let Err(Attempt::Again(fault) | Attempt::After(fault, _)) = &result {
                troubles = troubles.saturating_add(1);
                if troubles <= self.options().retries {
                    watch.say(&format!("{}: {}; trying again", shown(url), fault.message()));
                }
            }
            result
        })
    }
}

impl Download<'_> {
    /// The part that is here and can be continued, and its note.
    fn part(&self) -> Option<(u64, Note)> {
        let note = Note::read(self.folder, self.name).filter(|note| note.url == shown(self.url))?;
        note.condition()?;
        let file = self.folder.file(&format!("{}{TEMPORARY}", self.name)).ok()?;
        let size = file.metadata().ok()?.len();
        let fits = note.total.is_none_or(|total| size < total);
        (size > 0 && fits).then_some((size, note))
    }

    async fn attempt(&self) -> Result<Large, Attempt> {
        let mut headers = HeaderMap::new();
        let part = self.part();
        match &part {
            Some((size, note)) => {
                let range = HeaderValue::from_str(&format!("bytes={size}-"));
                let condition = HeaderValue::from_str(note.condition().unwrap_or_default());
                if let (Ok(range), Ok(condition)) = (range, condition) {
                    headers.insert(RANGE, range);
                    headers.insert(IF_RANGE, condition);
                }
            }
            None => {
                if let Some(known) = self.known {
                    send::conditional(&mut headers, known);
                }
            }
        }
        let response = self.http.send(Method::GET, self.url, self.hosts, &headers).await?;
        match (response.status().as_u16(), part) {
            (304, _) => Ok(Large::Unchanged),
            (206, Some((size, note))) => self.go_on(response, size, &note).await,
            (416, _) => {
                // The file is shorter than what is here: it is another one.
                self.start_over()?;
                Err(Attempt::Again(Fault::new(
                    Code::ResponseInvalid,
                    "nothing follows what is here",
                )))
            }
            (200, _) => self.whole_file(response).await,
            (other, _) => Err(invalid(format!("status {other}, where 200 was expected"))),
        }
    }

    fn start_over(&self) -> Result<(), Fault> {
        (self.before)()?;
        Note::remove(self.folder, self.name)?;
        self.folder.remove(&format!("{}{TEMPORARY}", self.name))
    }

    async fn go_on(&self, response: Response, size: u64, note: &Note) -> Result<Large, Attempt> {
        let stated = response.headers().get(CONTENT_RANGE).and_then(|it| it.to_str().ok());
        let total = stated.and_then(|text| continues(text, size));
        let total = total.filter(|total| note.total.is_none_or(|before| before == *total));
        if total.is_none() || !note.is_of(&validators(response.headers())) {
            self.start_over()?;
            let message = format!(
                "the answer does not continue at byte {size} of the same file ({})",
                stated.unwrap_or("no Content-Range")
            );
            return Err(Attempt::Again(Fault::new(Code::ResponseInvalid, message)));
        }
        self.room(total, size)?;
        (self.before)()?;
        let mut file = self.folder.part(self.name)?;
        let mut hasher = Hasher::new();
        // What is sealed is what is on the disk: the beginning is read from there.
        read_start(&mut file, size, &mut hasher).map_err(|error| self.unreadable(&error))?;
        let state =
            Validators { etag: note.etag.clone(), last_modified: note.last_modified.clone() };
        self.pour(response, file, hasher, total, state).await
    }

    async fn whole_file(&self, response: Response) -> Result<Large, Attempt> {
        let total = response.content_length();
        self.room(total, 0)?;
        (self.before)()?;
        let file = self.folder.part(self.name)?;
        file.set_len(0).map_err(|error| self.unwritable(&error))?;
        let state = validators(response.headers());
        let note = Note {
            url: shown(self.url),
            etag: state.etag.clone(),
            last_modified: state.last_modified.clone(),
            total,
        };
        note.write(self.folder, self.name)?;
        self.pour(response, file, Hasher::new(), total, state).await
    }

    /// Takes the rest of a file and finishes it.
    async fn pour(
        &self,
        mut response: Response,
        mut file: File,
        mut hasher: Hasher,
        total: Option<u64>,
        state: Validators,
    ) -> Result<Large, Attempt> {
        let status = response.status().as_u16();
        let task = Task::begin(self.watch, &shown(self.url), hasher.bytes(), total);
        let mut look_again = LOOK_BYTES;
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
            file.write_all(&chunk).map_err(|error| self.unwritable(&error))?;
            hasher.update(&chunk);
            task.advance(chunk.len() as u64);
            if total.is_none() && hasher.bytes() >= look_again {
                look_again = hasher.bytes().saturating_add(LOOK_BYTES);
                self.endless(&file)?;
            }
        }
        let size = hasher.bytes();
        if total.is_some_and(|total| total != size) {
            let message =
                format!("{size} bytes arrived of {} that were announced", total.unwrap_or(0));
            return Err(Attempt::Again(Fault::new(Code::NetworkFailed, message)));
        }
        file.sync_all().map_err(|error| self.unwritable(&error))?;
        drop(file);
        self.folder.commit(self.name)?;
        Note::remove(self.folder, self.name)?;
        Ok(Large::Done(Fetched {
            time: now(),
            url: shown(self.url),
            status,
            size,
            sha256: hasher.finish(),
            path: Some(self.name.to_owned()),
            etag: state.etag,
            last_modified: state.last_modified,
            resumed_from: self.found,
        }))
    }

    /// Refuses what the medium can't hold, before anything is written.
    fn room(&self, total: Option<u64>, here: u64) -> Result<(), Fault> {
        let Some(total) = total else { return Ok(()) };
        let room = self.folder.room()?;
        if room.largest_file.is_some_and(|largest| total > largest) {
            let message = format!("the file has {total} bytes");
            return Err(Fault::new(Code::FileTooLarge, message).at(self.folder.show(self.name)));
        }
        let needed = total.saturating_sub(here);
        if needed > room.free {
            return Err(Fault::new(Code::NoSpace, "there is not enough space")
                .at(self.folder.shown())
                .expected_found(format!("{needed} bytes"), format!("{} bytes free", room.free)));
        }
        Ok(())
    }

    /// Stops a body whose length nobody said before it fills the medium.
    fn endless(&self, file: &File) -> Result<(), Attempt> {
        let free = self.folder.room()?.free;
        if free >= RESERVE_BYTES {
            return Ok(());
        }
        file.set_len(0).map_err(|error| self.unwritable(&error))?;
        self.start_over()?;
        let message = "the server does not say how large the file is, and there is no more space";
        Err(Fault::new(Code::NoSpace, message).at(self.folder.shown()).into())
    }

    fn unwritable(&self, error: &io::Error) -> Fault {
        Fault::new(Code::WriteFailed, error.to_string())
            .at(self.folder.show(&format!("{}{TEMPORARY}", self.name)))
    }

    fn unreadable(&self, error: &io::Error) -> Fault {
        Fault::new(Code::Unreadable, error.to_string())
            .at(self.folder.show(&format!("{}{TEMPORARY}", self.name)))
    }
}

/// Reads and hashes the first bytes of a file, and leaves it standing behind them.
fn read_start(file: &mut File, size: u64, hasher: &mut Hasher) -> io::Result<()> {
    let mut left = size;
    let mut buffer = vec![0; limits::COPY_BYTES];
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let count = file.read(buffer.get_mut(..most).unwrap_or_default())?;
        if count == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter"));
        }
        hasher.update(buffer.get(..count).unwrap_or_default());
        left = left.saturating_sub(count as u64);
    }
    Ok(())
}
