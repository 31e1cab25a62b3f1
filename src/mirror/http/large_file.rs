//! Downloads a file of any size into a folder: under a temporary name until it is complete, and continued
//! after an interruption.

use reqwest::Response;
use reqwest::header::{HeaderMap, HeaderValue, IF_RANGE, RANGE};
use url::Url;

use super::error::unasked;
use super::headers::{self, ContentRange};
use super::part::{Part, ResumeRecord};
use super::send::HttpRequest;
use super::space::{RESERVE_BYTES, fits};
use super::{AttemptError, EarlyEnds, Http, Pace, Validators, framing, refused};
use crate::directory::Folder;
use crate::mirror::urls::{query_digest, redacted};
use crate::mirror::{FetchRecord, Hosts, ProgressTask, Watch};
use crate::verdict::{Code, Fault};

/// How a download ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one at a time, and never kept")]
pub enum LargeFile {
    /// The server says that the file has not changed.
    Unchanged,
    /// The file is in the folder.
    Done(FetchRecord),
}

impl Http {
    /// Downloads a file to `name` in the folder. What an earlier call left of it is continued if the server
    /// says that it is still the same file.
    ///
    /// # Errors
    /// [`Code::HostNotAllowed`], [`Code::NoSpace`], [`Code::FileTooLarge`], [`Code::WriteFailed`] and
    /// those of the network. What arrived stays, unless the server ends every time before the length that
    /// it states.
    pub fn large(
        &self,
        url: &Url,
        hosts: &Hosts,
        folder: &Folder,
        name: &str,
        known: Option<&Validators>,
        watch: &dyn Watch,
    ) -> Result<LargeFile, Fault> {
        self.large_after(url, hosts, folder, name, known, &|| Ok(()), watch)
    }

    /// The same, and calls `before_write` before anything is written.
    ///
    /// # Errors
    /// Those of [`Http::large`] and of `before_write`.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a different thing, and there is one caller"
    )]
    pub fn large_after(
        &self,
        url: &Url,
        hosts: &Hosts,
        folder: &Folder,
        name: &str,
        known: Option<&Validators>,
        before_write: &dyn Fn() -> Result<(), Fault>,
        watch: &dyn Watch,
    ) -> Result<LargeFile, Fault> {
        let place = |fault: Fault| fault.at(redacted(url));
        let part = Part::found(folder, name, url).map_err(place)?;
        let resumed_from = part.as_ref().map_or(0, Part::here);
        let mut download = Download {
            http: self,
            url,
            hosts,
            folder,
            name,
            watch,
            before_write,
            part,
            resumed_from,
            ends: EarlyEnds::default(),
        };
        let result = self.retrying_watched(name, watch, |_| download.attempt(known));
        result.map_err(|fault| place(download.given_up(fault)))
    }
}

/// After this many bytes of a body without a length, the free space is checked.
const LOOK_BYTES: u64 = 16 << 20;

struct Download<'a> {
    http: &'a Http,
    url: &'a Url,
    hosts: &'a Hosts,
    folder: &'a Folder,
    name: &'a str,
    watch: &'a dyn Watch,
    /// Called before anything is written.
    before_write: &'a dyn Fn() -> Result<(), Fault>,
    /// The part that is here, if it can be continued.
    part: Option<Part>,
    /// How much of it was here before this run.
    resumed_from: u64,
    ends: EarlyEnds,
}

impl Download<'_> {
    /// The fault to report when no attempt is left. A server that states more bytes than it ever sends would
    /// leave a partial file for ever, and keep everything else from being sealed.
    fn given_up(&self, fault: Fault) -> Fault {
        let passing = matches!(fault.code(), Code::NetworkFailed | Code::ResponseInvalid);
        match self.ends.contradiction(&fault).filter(|_| passing) {
            Some(said) if Part::discard(self.folder, self.name).is_ok() => said,
            _ => fault,
        }
    }

    fn attempt(&mut self, known: Option<&Validators>) -> Result<LargeFile, AttemptError> {
        let mut headers = HeaderMap::new();
        let asked = known.is_some_and(|known| known.ask(&mut headers));
        // Taken out: it is put back only where it stays of use.
        let mut part = self.part.take();
        let from = part.as_ref().and_then(|part| continue_from(part, &mut headers));
        let response = match self.http.send(HttpRequest::get(self.url, self.hosts, headers)) {
            Ok(response) => response,
            Err(error) => {
                self.part = part;
                return Err(error);
            }
        };
        let part = match (response.status().as_u16(), part.take(), from) {
            (200, _, _) => self.begin(&response)?,
            (206, Some(part), Some(from)) => {
                let part = rest(part, from, &response)?;
                self.room(part.record.total)?;
                (self.before_write)()?;
                part
            }
            (304, _, _) if asked => {
                // The server has what the caller has; a part of anything else is of no use.
                Part::discard(self.folder, self.name)?;
                return Ok(LargeFile::Unchanged);
            }
            (416, _, Some(from)) => {
                self.ends.at(from);
                return Err(AttemptError::invalid("the range is beyond the end of the file"));
            }
            (206 | 304, _, _) => return Err(unasked(&response)),
            (_, part, _) => {
                self.part = part;
                return Err(refused(response.status(), response.headers(), response.url()));
            }
        };
        let part = self.fill(part, response)?;
        self.finish(part)
    }

    /// Starts a file from its first byte.
    fn begin(&mut self, response: &Response) -> Result<Part, AttemptError> {
        framing::delimited(response)?;
        let total = framing::length(response.headers())?;
        self.room(total)?;
        self.resumed_from = 0;
        (self.before_write)()?;
        let validators = Validators::of(response.headers());
        let encoding = headers::encoding(response.headers());
        let record = ResumeRecord::new(self.url, &validators, encoding, total);
        Ok(Part::fresh(self.folder, self.name, record)?)
    }

    /// Checks that there is space for what will come, and for a file of its size.
    fn room(&self, total: Option<u64>) -> Result<(), Fault> {
        total.map_or(Ok(()), |total| fits(self.folder, self.name, total))
    }

    /// Stops a body of unknown length before it fills the medium, which others need too.
    fn endless(&self, here: u64) -> Result<(), Fault> {
        let free = self.folder.free_space()?.free;
        if free >= RESERVE_BYTES && here <= free {
            return Ok(());
        }
        Part::discard(self.folder, self.name)?;
        let message = format!(
            "the server does not say how large the file is, and its {here} bytes so far fill half of \
             the space that was free"
        );
        Err(Fault::new(Code::ResponseTooLarge, message).at(self.folder.shown()))
    }

    /// Writes the body, and keeps what arrived if it breaks off.
    fn fill(
        &mut self,
        mut part: Part,
        mut response: Response,
    ) -> Result<(Part, Response), AttemptError> {
        let total = part.record.total;
        let task = ProgressTask::begin(self.watch, self.name, part.here(), total);
        let (mut look_again, mut pace, start) = (LOOK_BYTES, Pace::default(), part.here());
        loop {
            let chunk = match self.http.chunk(&mut response, &mut pace) {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                // Every byte is here: how the connection ends does not matter.
                Err(_) if total == Some(part.here()) => break,
                Err(error) => {
                    self.ended(start, &part);
                    self.part = Some(part);
                    return Err(error);
                }
            };
            let bytes = chunk.as_ref();
            let here = part.here().saturating_add(bytes.len() as u64);
            if total.is_some_and(|total| here > total) {
                return Err(AttemptError::invalid("the body is longer than the response says"));
            }
            part.write(bytes).map_err(|fault| fault.at(self.folder.show(self.name)))?;
            task.advance(bytes.len() as u64);
            if total.is_none() && here >= look_again {
                look_again = here.saturating_add(LOOK_BYTES);
                self.endless(here)?;
            }
        }
        if total.is_some_and(|total| part.here() != total) {
            self.ended(start, &part);
            self.part = Some(part);
            return Err(AttemptError::invalid("the body is shorter than the response says"));
        }
        Ok((part, response))
    }

    fn ended(&mut self, start: u64, part: &Part) {
        if start == 0 {
            self.ends.at(part.here());
        }
    }

    fn finish(&self, (part, response): (Part, Response)) -> Result<LargeFile, AttemptError> {
        let Validators { etag, last_modified } = part.record.validators();
        let (size, sha256) = part.finish(self.folder, self.name)?;
        Ok(LargeFile::Done(FetchRecord {
            url_sha256: query_digest(self.url),
            status: response.status().as_u16(),
            path: Some(self.name.to_owned()),
            etag,
            last_modified,
            resumed_from: self.resumed_from,
            ..FetchRecord::new(redacted(self.url), size, sha256)
        }))
    }
}

/// Requests the rest of a file, if it is still the same. Returns the first byte of the rest.
fn continue_from(part: &Part, headers: &mut HeaderMap) -> Option<u64> {
    let from = part.here();
    let validators = part.record.validators();
    let condition = HeaderValue::from_str(validators.strong()?).ok()?;
    if from == 0 || part.record.total.is_some_and(|total| from >= total) {
        return None;
    }
    headers.insert(RANGE, HeaderValue::from_str(&format!("bytes={from}-")).ok()?);
    headers.insert(IF_RANGE, condition);
    Some(from)
}

/// Checks that a response is the rest of the file: exactly the missing bytes, of the same file. After
/// anything else the next attempt starts again; until then nothing on the disk is touched.
fn rest(mut part: Part, from: u64, response: &Response) -> Result<Part, AttemptError> {
    framing::delimited(response)?;
    if !part.record.validators().continues(&Validators::of(response.headers()))
        || part.record.encoding != headers::encoding(response.headers())
    {
        return Err(AttemptError::invalid("the file has changed since the first part was fetched"));
    }
    let range = ContentRange::of(response.headers()).filter(|range| range.is_rest(from));
    let total = range.map(|range| range.total);
    if total.is_none() || part.record.total.is_some_and(|recorded| total != Some(recorded)) {
        return Err(AttemptError::invalid("the response is not the range that was asked for"));
    }
    let length = framing::length(response.headers())?;
    if length.is_some_and(|length| total != from.checked_add(length)) {
        return Err(AttemptError::invalid("the body is not as long as its range"));
    }
    part.record.total = total;
    Ok(part)
}
