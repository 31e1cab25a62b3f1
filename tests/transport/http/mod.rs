//! The HTTP stack of the mirror, against a server that misbehaves and against nginx.

mod large;
mod nginx;
mod proxy;
mod redirects;
mod resume;
mod small;
mod yard;

use std::fmt::Debug;
use std::sync::Mutex;
use std::time::Duration;

use crate::support::server::Server;
use sealift::mirror::http::{Http, HttpOptions};
use sealift::mirror::{Hosts, Watch};
use sealift::verdict::{Code, Fault};
use url::Url;

/// Options with which a test ends soon.
fn quick() -> HttpOptions {
    HttpOptions {
        allow_http: true,
        retries: 2,
        connect_timeout: Duration::from_secs(5),
        stall_timeout: Duration::from_secs(5),
        backoff: Duration::from_millis(10),
        ..HttpOptions::default()
    }
}

fn http() -> Http {
    Http::new(quick()).unwrap()
}

/// A URL, and that its host may be asked.
fn at(url: &str) -> (Url, Hosts) {
    let url = Url::parse(url).unwrap();
    let hosts = Hosts::new([], true).and(&url);
    (url, hosts)
}

fn on(server: &Server, path: &str) -> (Url, Hosts) {
    at(&server.url(path))
}

/// The fault, which must have this code and these words.
#[track_caller]
fn refused<T: Debug>(result: Result<T, Fault>, code: Code, words: &str) -> Fault {
    let fault = result.unwrap_err();
    assert_eq!(fault.code(), code, "{fault}");
    assert!(fault.to_string().contains(words), "{fault}");
    fault
}

/// Keeps what it was told.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Notes {
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn add(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

impl Watch for Notes {
    fn begin(&self, name: &str, here: u64, total: Option<u64>) -> u64 {
        self.add(format!("begin {name} {here} {total:?}"));
        7
    }
    fn begin_reading(&self, name: &str, total: u64) -> u64 {
        self.begin(name, 0, Some(total))
    }
    fn advance(&self, transfer: u64, _: u64) {
        assert_eq!(transfer, 7);
    }
    fn end(&self, transfer: u64) {
        assert_eq!(transfer, 7);
        self.add(String::from("end"));
    }
    fn say(&self, line: &str) {
        self.add(format!("say {line}"));
    }
}
