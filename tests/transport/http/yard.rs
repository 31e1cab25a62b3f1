//! A directory to fetch large files into, and answers to make them of.

use std::fs;
use std::path::PathBuf;

use sealift::digest::Sha256Digest;
use sealift::directory::Folder;
use sealift::mirror::http::{Http, HttpOptions, LargeFile};
use sealift::mirror::{FetchRecord, SilentWatch};
use sealift::verdict::Fault;
use tempfile::TempDir;

use super::{http, on, quick};
use crate::support::server::{Action, Request, Server, head, reply};

pub(crate) const NAME: &str = "images/a.tar";
pub(crate) const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

/// A directory to fetch into.
pub(crate) struct Yard {
    pub(crate) dir: TempDir,
    pub(crate) folder: Folder,
}

impl Yard {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        fs::create_dir(dir.path().join("images")).unwrap();
        Self { dir, folder }
    }

    pub(crate) fn path(&self, ending: &str) -> PathBuf {
        self.dir.path().join(format!("{NAME}{ending}"))
    }

    /// What lies there, and that nothing has a name that it must not have.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.path().join("images")).unwrap();
        let mut names: Vec<String> =
            entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert!(names.iter().all(|it| it == "a.tar" || it.ends_with(".sealift-tmp")), "{names:?}");
        names
    }

    pub(crate) fn get(&self, server: &Server) -> Result<LargeFile, Fault> {
        self.get_by(&http(), server)
    }

    pub(crate) fn get_by(&self, http: &Http, server: &Server) -> Result<LargeFile, Fault> {
        let (url, hosts) = on(server, "/a.tar?q=1");
        http.large(&url, &hosts, &self.folder, NAME, None, &SilentWatch)
    }

    /// The file is whole, and alone.
    #[track_caller]
    pub(crate) fn whole(&self, result: Result<LargeFile, Fault>, content: &[u8]) -> FetchRecord {
        let LargeFile::Done(fetched) = result.unwrap() else { panic!("unchanged") };
        assert!(fs::read(self.path("")).unwrap() == content, "other bytes");
        assert_eq!(fetched.sha256, Sha256Digest::of(content));
        assert_eq!(fetched.size, content.len() as u64);
        assert_eq!(fetched.path.as_deref(), Some(NAME));
        assert_eq!(self.names(), ["a.tar"]);
        fetched
    }
}

pub(crate) fn content(size: usize) -> Vec<u8> {
    let byte = |at: usize| u8::try_from((at ^ (at >> 16)) % 251).unwrap();
    (0..size).map(byte).collect()
}

/// Where the range that is asked for begins.
pub(crate) fn from(request: &Request) -> Option<usize> {
    let range = request.header("range")?;
    Some(range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().unwrap())
}

/// The rest of the bytes, as a good server sends it.
pub(crate) fn rest(bytes: &[u8], from: usize, validators: &[(&str, &str)]) -> Vec<Action> {
    let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
    let headers = [&[("Content-Range", range.as_str())][..], validators].concat();
    reply("206 Partial Content", &headers, &bytes[from..])
}

/// The first bytes, and then the connection ends.
pub(crate) fn half(bytes: &[u8], count: usize, validators: &[(&str, &str)]) -> Vec<Action> {
    let length = bytes.len().to_string();
    let headers = [&[("Content-Length", length.as_str())][..], validators].concat();
    vec![Action::Send(head("200 OK", &headers)), Action::Send(bytes[..count].to_vec())]
}

pub(crate) const E: &[(&str, &str)] = &[("ETag", "\"x\""), ("Last-Modified", DATE)];
pub(crate) const HALF: usize = 40_000;

pub(crate) fn once() -> Http {
    Http::new(HttpOptions { retries: 0, ..quick() }).unwrap()
}

/// Cuts the first answer; what it does with the request that continues is the test's business.
pub(crate) fn then(
    bytes: &[u8],
    first: &'static [(&str, &str)],
    script: impl Fn(&[u8], &Request) -> Vec<Action> + Send + Sync + 'static,
) -> Server {
    let all = bytes.to_vec();
    Server::new(move |number, request| match number {
        0 => half(&all, HALF, first),
        _ => script(&all, request),
    })
}
