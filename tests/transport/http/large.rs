//! LargeFile files against a server that misbehaves: cut, without a length, without room.

use std::time::Duration;

use sealift::directory::Folder;
use sealift::mirror::SilentWatch;
use sealift::mirror::http::{Http, HttpOptions, LargeFile, Validators};
use sealift::verdict::Code;

use super::yard::{DATE, E, HALF, NAME, Yard, content, from, half, once, rest, then};
use super::{Notes, http, on, quick, refused};
use crate::support::server::{Action, Server, head, reply};

#[test]
fn cut_in_the_middle_and_continued_in_one_call() {
    let bytes = content(100_000);
    let all = bytes.clone();
    let server = Server::new(move |_, request| match from(request) {
        None => half(&all, HALF, E),
        Some(at) => {
            assert_eq!(request.header("if-range"), Some("\"x\""));
            rest(&all, at, E)
        }
    });
    let (yard, notes) = (Yard::new(), Notes::default());
    let (url, hosts) = on(&server, "/a.tar?q=1");
    let result = http().large(&url, &hosts, &yard.folder, NAME, None, &notes);
    let fetched = yard.whole(result, &bytes);
    assert_eq!((fetched.status, fetched.resumed_from), (206, 0));
    assert_eq!(
        (fetched.etag.as_deref(), fetched.last_modified.as_deref()),
        (Some("\"x\""), Some(DATE))
    );
    assert_eq!(fetched.url, server.url("/a.tar"));
    assert_eq!(server.seen()[1].header("range"), Some("bytes=40000-"));
    let lines = notes.lines();
    assert_eq!(lines[0], format!("begin {NAME} 0 Some(100000)"));
    assert!(lines[2].contains("trying again in") && lines[2].contains("(1 of 2)"), "{lines:?}");
    assert_eq!(lines[3..], [format!("begin {NAME} {HALF} Some(100000)"), "end".to_owned()]);
}

#[test]
fn without_a_length() {
    let chunk =
        |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    let bytes = content(70_000);
    let headers = [&[("Transfer-Encoding", "chunked")][..], E].concat();
    let begin = [head("200 OK", &headers), chunk(&bytes)].concat();
    let (cut, end) = (begin.clone(), [begin, b"0\r\n\r\n".to_vec()].concat());
    let server = Server::new(move |_, _| vec![Action::Send(end.clone())]);
    let yard = Yard::new();
    yard.whole(yard.get(&server), &bytes);
    // Without the last chunk nobody knows that it was the last: the server is asked for more.
    let server = Server::new(move |_, request| match from(request) {
        None => vec![Action::Send(cut.clone())],
        Some(at) => rest(&content(80_000), at, E),
    });
    let yard = Yard::new();
    yard.whole(yard.get(&server), &content(80_000));
    assert_eq!(from(&server.seen()[1]), Some(70_000));
    let open = Server::new(|_, _| vec![Action::Send(head("200 OK", E)), Action::Send(vec![1])]);
    refused(Yard::new().get(&open), Code::ResponseInvalid, "no length");
}

#[test]
fn nothing_is_left_of_what_never_began() {
    for answer in [
        reply("404 Not Found", &[], b""),
        reply("206 Partial Content", &[], b"a"),
        reply("304 Not Modified", &[], b""),
        Vec::new(),
    ] {
        let server = Server::new(move |_, _| answer.clone());
        let yard = Yard::new();
        assert!(yard.get(&server).is_err());
        assert_eq!(yard.names(), Vec::<String>::new());
    }
}

#[test]
fn a_size_that_is_only_stated_does_not_fill_the_disk() {
    let server =
        Server::new(|_, _| reply("200 OK", &[("Content-Length", "9000000000000000000")], b"a"));
    let yard = Yard::new();
    refused(yard.get(&server), Code::ResponseTooLarge, "free space");
    assert_eq!((server.seen().len(), yard.names()), (1, Vec::new()));
}

#[test]
fn a_body_is_stored_as_it_comes_whatever_its_encoding_is_called() {
    let bytes = content(70_000);
    for encoding in ["gzip", "x-gzip", "aws-chunked", "", "identity", "none", "br, gzip"] {
        let all = bytes.clone();
        let server = Server::new(move |_, request| {
            assert_eq!(request.header("accept-encoding"), Some("identity"));
            reply("200 OK", &[("Content-Encoding", encoding)], &all)
        });
        let yard = Yard::new();
        yard.whole(yard.get(&server), &bytes);
        assert_eq!(server.seen().len(), 1);
    }
}

#[test]
fn who_states_more_than_ever_comes_leaves_no_half() {
    const NONE: &[(&str, &str)] = &[];
    for first in [NONE, E] {
        let server = Server::new(move |_, _| half(&content(100_000), HALF, first));
        let yard = Yard::new();
        let fault = refused(
            yard.get(&server),
            Code::ResponseInvalid,
            "every attempt ends after 40000 bytes",
        );
        assert!(fault.to_string().contains("tried 3 times"), "{fault}");
        assert_eq!(yard.names(), Vec::<String>::new());
    }
    // One that comes further each time may come to the end.
    let server = Server::new(move |number, _| half(&content(100_000), HALF + number, NONE));
    let yard = Yard::new();
    refused(yard.get(&server), Code::NetworkFailed, "broke off");
    assert_eq!(yard.names(), ["a.tar.sealift-tmp"]);
    // A network that ends in the middle of what went on keeps the half.
    let bytes = content(100_000);
    let server = then(&bytes, E, |all, request| {
        let from = from(request).unwrap();
        let mut answer = rest(all, from, E);
        answer.truncate(1);
        answer
    });
    let yard = Yard::new();
    refused(yard.get(&server), Code::NetworkFailed, "broke off");
    assert_eq!(yard.names(), ["a.tar.resume.sealift-tmp", "a.tar.sealift-tmp"]);
}

#[test]
fn a_drip_is_given_up() {
    let drip = || {
        let mut actions = vec![Action::Send(head("200 OK", &[("Content-Length", "100000")]))];
        for _ in 0..40 {
            actions.extend([Action::Send(vec![b'x']), Action::Wait(Duration::from_millis(50))]);
        }
        actions
    };
    let server = Server::new(move |_, _| drip());
    let options = HttpOptions { stall_timeout: Duration::from_millis(300), retries: 0, ..quick() };
    let yard = Yard::new();
    let http = Http::new(options).unwrap();
    refused(yard.get_by(&http, &server), Code::NetworkFailed, "bytes came in 0.3 s");
    let sent = std::fs::metadata(yard.path(".sealift-tmp")).unwrap().len();
    assert!((1..30).contains(&sent), "{sent}");
}

#[test]
fn unchanged_and_a_stale_half() {
    let bytes = content(100_000);
    let server = then(&bytes, E, |_, request| {
        assert_eq!(request.header("if-none-match"), Some("\"old\""));
        reply("304 Not Modified", &[], b"")
    });
    let yard = Yard::new();
    refused(yard.get_by(&once(), &server), Code::NetworkFailed, "");
    let known = Validators { etag: Some("\"old\"".to_owned()), last_modified: None };
    let (url, hosts) = on(&server, "/a.tar?q=1");
    let result =
        http().large(&url, &hosts, &yard.folder, NAME, Some(&known), &SilentWatch).unwrap();
    assert_eq!((result, yard.names()), (LargeFile::Unchanged, Vec::new()));
}

#[test]
fn stands_still_and_is_continued() {
    let bytes = content(100_000);
    let all = bytes.clone();
    let server = Server::new(move |number, request| match number {
        0 => [half(&all, HALF, E), vec![Action::Wait(Duration::from_secs(3))]].concat(),
        _ => rest(&all, from(request).unwrap(), E),
    });
    let options = HttpOptions { stall_timeout: Duration::from_millis(300), ..quick() };
    let yard = Yard::new();
    yard.whole(yard.get_by(&Http::new(options).unwrap(), &server), &bytes);
    assert_eq!(from(&server.seen()[1]), Some(HALF));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_medium_keeps_what_came() {
    let mut yard = Yard::new();
    let Some(_mounted) = Tmpfs::on(yard.dir.path()) else { return };
    std::fs::create_dir(yard.dir.path().join("images")).unwrap();
    yard.folder = Folder::open(yard.dir.path()).unwrap();
    let bytes = content(400_000);
    let chunk = [b"61a80\r\n", &bytes[..], b"\r\n0\r\n\r\n"].concat();
    let begin = head("200 OK", &[&[("Transfer-Encoding", "chunked")][..], E].concat());
    let server = Server::new(move |_, _| vec![Action::Send([&begin[..], &chunk].concat())]);
    refused(yard.get(&server), Code::NoSpace, "what arrived is kept");
    assert_eq!(server.seen().len(), 1);
    let kept = std::fs::read(yard.path(".sealift-tmp")).unwrap();
    assert!(!kept.is_empty() && bytes.starts_with(&kept), "{} bytes", kept.len());
    let known = Server::new(move |_, _| reply("200 OK", E, &content(400_000)));
    refused(yard.get(&known), Code::NoSpace, "not enough space");
    assert_eq!(std::fs::read(yard.path(".sealift-tmp")).unwrap(), kept);
}

/// A file system of 256 KiB, until it is dropped.
#[cfg(target_os = "linux")]
struct Tmpfs(std::path::PathBuf);

#[cfg(target_os = "linux")]
impl Tmpfs {
    fn on(path: &std::path::Path) -> Option<Self> {
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"]).arg(path);
        if mount.output().is_ok_and(|output| output.status.success()) {
            return Some(Self(path.to_owned()));
        }
        crate::support::skip("this user may mount nothing");
        None
    }
}

#[cfg(target_os = "linux")]
impl Drop for Tmpfs {
    fn drop(&mut self) {
        drop(std::process::Command::new("umount").arg("-l").arg(&self.0).output());
    }
}
