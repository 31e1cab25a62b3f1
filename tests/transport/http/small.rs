//! SmallFile files, statuses, retries and questions.

use std::time::{Duration, Instant};

use sealift::digest::Sha256Digest;
use sealift::mirror::Hosts;
use sealift::mirror::http::{AttemptError, Http, HttpOptions, SmallFile, Validators};
use sealift::verdict::{Code, Fault};
use url::Url;

use super::{http, on, quick, refused};
use crate::support::server::{Action, Server, endless, head, reply};

const CAP: u64 = 1000;

#[track_caller]
fn body(small: SmallFile) -> Vec<u8> {
    let SmallFile::Body(body, fetched) = small else { panic!("unchanged") };
    assert_eq!(fetched.size, body.len() as u64);
    assert_eq!(fetched.sha256, Sha256Digest::of(&body));
    body
}

/// What `small` says of one answer that is always the same, and how often it was asked.
fn answer(actions: Vec<Action>) -> (Result<SmallFile, Fault>, usize) {
    let server = Server::new(move |_, _| actions.clone());
    let (url, hosts) = on(&server, "/dir/a.pub?secret=1");
    let result = http().small(&url, &hosts, CAP, None);
    (result, server.seen().len())
}

#[test]
fn a_small_file_and_what_is_known_of_it() {
    let headers = [("ETag", "\"x\""), ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")];
    let server = Server::new(move |_, _| reply("200 OK", &headers, b"hello"));
    let (url, hosts) = on(&server, "/a.pub?secret=1");
    let SmallFile::Body(body, fetched) = http().small(&url, &hosts, 5, None).unwrap() else {
        panic!()
    };
    assert_eq!((body.as_slice(), fetched.status, fetched.path), (&b"hello"[..], 200, None));
    assert_eq!(fetched.url, server.url("/a.pub"));
    assert_eq!(fetched.etag.as_deref(), Some("\"x\""));
    assert_eq!(fetched.last_modified.as_deref(), Some(headers[1].1));
    assert!(fetched.time.len() == 20 && fetched.time.ends_with('Z'), "{}", fetched.time);
    let seen = &server.seen()[0];
    assert_eq!(seen.target, "/a.pub?secret=1");
    assert_eq!(seen.header("accept-encoding"), Some("identity"));
    assert!(seen.header("user-agent").unwrap().starts_with("sealift/"));
    for none in ["authorization", "cookie", "referer", "range", "if-none-match"] {
        assert_eq!(seen.header(none), None);
    }
}

#[test]
fn no_more_than_the_cap() {
    let (result, asked) = answer(reply("200 OK", &[], &[b'x'; 1001]));
    refused(result, Code::ResponseTooLarge, "1000");
    assert_eq!(asked, 1);
    // Without a length, and without an end: what is too much is not waited for.
    let mut chunks = head("200 OK", &[("Transfer-Encoding", "chunked")]);
    chunks.extend_from_slice(format!("3e9\r\n{}\r\n", "x".repeat(1001)).as_bytes());
    let (result, _) = answer(vec![Action::Send(chunks), Action::Wait(Duration::from_secs(4))]);
    refused(result, Code::ResponseTooLarge, "1000");
    assert_eq!(body(answer(reply("200 OK", &[], &[b'x'; 1000])).0.unwrap()).len(), 1000);
}

#[test]
fn an_answer_that_contradicts_itself() {
    let gzip = reply("200 OK", &[("Content-Encoding", "gzip")], b"\x1f\x8b");
    let (result, asked) = answer(gzip);
    refused(result, Code::ResponseInvalid, "compressed");
    assert_eq!(asked, 1);
    for encoding in ["Identity", "", "gzip", "aws-chunked"] {
        let same = reply("200 OK", &[("Content-Encoding", encoding)], b"a");
        assert_eq!(body(answer(same).0.unwrap()), b"a");
    }
    let open = vec![Action::Send(head("200 OK", &[])), Action::Send(b"a".to_vec())];
    refused(answer(open).0, Code::ResponseInvalid, "no length");
    refused(answer(reply("206 Partial Content", &[], b"a")).0, Code::ResponseInvalid, "206");
    refused(answer(reply("304 Not Modified", &[], b"")).0, Code::ResponseInvalid, "304");
}

#[test]
fn a_page_in_place_of_a_file() {
    let html = [("Content-Type", "text/html; charset=utf-8")];
    for (headers, page) in [
        (&html[..], "<!DOCTYPE html><title>Log in</title>"),
        (&html[..], "<p>Log in</p>"),
        (&[], "\r\n<HTML><body>"),
        (&[("Content-Type", "application/json")], "\u{feff}<!doctype html>"),
    ] {
        let (result, asked) = answer(reply("200 OK", headers, page.as_bytes()));
        refused(result, Code::ResponseInvalid, "a proxy or login page");
        assert_eq!(asked, 1);
    }
    // A server that calls everything a page.
    assert_eq!(body(answer(reply("200 OK", &html, b"{\"a\":\"<html>\"}")).0.unwrap()).len(), 14);
}

#[test]
fn what_is_read_of_a_refusal_is_bounded() {
    // An answer without an end to what was refused: whoever sends it can't send much.
    for status in ["404 Not Found", "302 Found"] {
        let (sent, count) = endless(&head(status, &[("Content-Length", "1610612736")]));
        let url = Url::parse(&format!("http://{sent}/a.pub")).unwrap();
        let hosts = Hosts::new([], true).and(&url);
        assert!(http().small(&url, &hosts, CAP, None).is_err());
        assert!(count() < 16 << 20, "{} bytes were sent", count());
    }
    // A header section without an end.
    let (sent, count) = endless(b"HTTP/1.1 200 OK\r\nX: ");
    let url = Url::parse(&format!("http://{sent}/a.pub")).unwrap();
    let hosts = Hosts::new([], true).and(&url);
    let once = Http::new(HttpOptions { retries: 0, ..quick() }).unwrap();
    refused(once.small(&url, &hosts, CAP, None), Code::NetworkFailed, "");
    assert!(count() < 16 << 20, "{} bytes were sent", count());
}

#[test]
fn a_drip_has_an_end() {
    let drip = |start: Vec<u8>| {
        let server = Server::new(move |_, _| {
            let mut actions = vec![Action::Send(start.clone())];
            for _ in 0..200 {
                actions.extend([Action::Send(vec![b'x']), Action::Wait(Duration::from_millis(20))]);
            }
            actions
        });
        let (url, hosts) = on(&server, "/");
        let stall_timeout = Duration::from_millis(200);
        let http = Http::new(HttpOptions { stall_timeout, retries: 0, ..quick() }).unwrap();
        refused(http.small(&url, &hosts, CAP, None), Code::NetworkFailed, "")
    };
    let fault = drip(head("200 OK", &[("Content-Length", "900")]));
    assert!(fault.to_string().contains("no complete response within 0.4 s"), "{fault}");
    let fault = drip(b"HTTP/1.1 200 OK\r\nX: ".to_vec());
    assert!(fault.to_string().contains("timed out"), "{fault}");
}

#[test]
fn a_body_that_ends_early_is_asked_for_again() {
    let short = reply("200 OK", &[("Content-Length", "6")], b"hello");
    let (result, asked) = answer(short);
    let fault = refused(result, Code::NetworkFailed, "broke off");
    assert!(fault.to_string().contains("tried 3 times"), "{fault}");
    assert!(!fault.to_string().contains("secret"), "{fault}");
    assert_eq!(asked, 3);
    let mut chunks = head("200 OK", &[("Transfer-Encoding", "chunked")]);
    chunks.extend_from_slice(b"5\r\nhello\r\n");
    let (result, asked) = answer(vec![Action::Send(chunks)]);
    refused(result, Code::NetworkFailed, "broke off");
    assert_eq!(asked, 3);
    let (result, asked) = answer(Vec::new());
    refused(result, Code::NetworkFailed, "tried 3 times");
    assert_eq!(asked, 3);
}

#[test]
fn a_refusal_is_not_asked_twice() {
    for status in
        ["400 Bad Request", "401 Unauthorized", "404 Not Found", "204 No Content", "300 -"]
    {
        let (result, asked) = answer(reply(status, &[], b""));
        let fault = refused(result, Code::HttpRefused, &status[..3]);
        assert!(fault.message().contains("127.0.0.1") && fault.message().contains("/dir/a.pub"));
        assert!(!fault.to_string().contains("secret"), "{fault}");
        assert_eq!(asked, 1, "{status}");
    }
}

#[test]
fn what_passes_is_waited_for() {
    for status in [408, 425, 429, 500, 502, 503, 504] {
        let server = Server::new(move |number, _| match number {
            0 => reply(&format!("{status} -"), &[], b"no"),
            _ => reply("200 OK", &[], b"yes"),
        });
        let (url, hosts) = on(&server, "/");
        assert_eq!(body(http().small(&url, &hosts, CAP, None).unwrap()), b"yes", "{status}");
    }
    let (result, asked) = answer(reply("500 -", &[], b""));
    refused(result, Code::HttpRefused, "500");
    assert_eq!(asked, 3);
}

#[test]
fn the_server_says_when() {
    let server = Server::new(|number, _| match number {
        0 => reply("429 -", &[("Retry-After", "1")], b""),
        _ => reply("200 OK", &[], b"yes"),
    });
    let (url, hosts) = on(&server, "/");
    let start = Instant::now();
    assert_eq!(body(http().small(&url, &hosts, CAP, None).unwrap()), b"yes");
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    for when in ["121", "3600", "Fri, 06 Nov 2093 08:49:37 GMT"] {
        let (result, asked) = answer(reply("503 -", &[("Retry-After", when)], b""));
        let fault = refused(result, Code::HttpRefused, "seconds, at 2");
        assert!(fault.to_string().contains("tried again in"), "{fault}");
        assert_eq!(asked, 1);
    }
}

#[test]
fn a_server_that_says_nothing() {
    let options = HttpOptions { stall_timeout: Duration::from_millis(200), retries: 1, ..quick() };
    let http = Http::new(options).unwrap();
    for sent in [Vec::new(), head("200 OK", &[("Content-Length", "9")])] {
        let server = Server::new(move |_, _| {
            vec![Action::Send(sent.clone()), Action::Wait(Duration::from_secs(3))]
        });
        let (url, hosts) = on(&server, "/");
        let start = Instant::now();
        refused(http.small(&url, &hosts, CAP, None), Code::NetworkFailed, "timed out");
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        assert_eq!(server.seen().len(), 2);
    }
}

#[test]
fn nobody_listens() {
    let (url, hosts) = on(&Server::new(|_, _| Vec::new()), "/");
    refused(http().small(&url, &hosts, CAP, None), Code::NetworkFailed, "tried 3 times");
}

#[test]
fn unchanged_if_it_was_asked() {
    let server = Server::new(|_, request| match request.header("if-none-match") {
        Some("\"x\"") => reply("304 Not Modified", &[], b""),
        _ => reply("200 OK", &[], b"new"),
    });
    let (url, hosts) = on(&server, "/");
    let known = |etag: &str| Validators { etag: Some(etag.to_owned()), last_modified: None };
    let same = http().small(&url, &hosts, CAP, Some(&known("\"x\""))).unwrap();
    assert_eq!(same, SmallFile::Unchanged);
    assert_eq!(body(http().small(&url, &hosts, CAP, Some(&known("\"y\""))).unwrap()), b"new");
    // Nothing is known after all.
    let none = Some(&Validators::default());
    let server = Server::new(|_, _| reply("304 Not Modified", &[], b""));
    let (url, hosts) = on(&server, "/");
    refused(http().small(&url, &hosts, CAP, none), Code::ResponseInvalid, "304");
    let date = Validators { etag: None, last_modified: Some("yesterday".to_owned()) };
    assert_eq!(http().small(&url, &hosts, CAP, Some(&date)).unwrap(), SmallFile::Unchanged);
    assert_eq!(server.seen()[1].header("if-modified-since"), Some("yesterday"));
}

#[test]
fn plain_http_only_where_it_is_allowed() {
    let server = Server::new(|_, _| reply("200 OK", &[], b""));
    let (url, hosts) = on(&server, "/?secret=1");
    let strict = Http::new(HttpOptions { allow_http: false, ..quick() }).unwrap();
    let fault = refused(strict.small(&url, &hosts, 9, None), Code::HostNotAllowed, "plain HTTP");
    assert!(!fault.to_string().contains("secret"), "{fault}");
    let hosts = Hosts::new([], false).and(&url);
    refused(http().small(&url, &hosts, 9, None), Code::HostNotAllowed, "plain HTTP");
    refused(http().small(&url, &Hosts::new([], true), 9, None), Code::HostNotAllowed, "among");
    assert!(server.seen().is_empty());
}

#[test]
fn a_question_is_a_head() {
    let headers = [("ETag", "\"x\""), ("Content-Length", "77")];
    for refusal in ["", "403 -", "405 -", "501 -"] {
        let server = Server::new(move |_, request| match request.method.as_str() {
            "HEAD" if !refusal.is_empty() => reply(refusal, &[], b""),
            "HEAD" => vec![Action::Send(head("200 OK", &headers))],
            _ => reply("200 OK", &headers, b"not read"),
        });
        let (url, hosts) = on(&server, "/");
        let asked = http().head(&url, &hosts).unwrap();
        assert_eq!(asked.size, Some(77));
        assert_eq!(asked.validators.etag.as_deref(), Some("\"x\""));
        assert_eq!(server.seen().len(), if refusal.is_empty() { 1 } else { 2 });
    }
    let server = Server::new(|_, _| reply("404 Not Found", &[], b""));
    let (url, hosts) = on(&server, "/");
    refused(http().head(&url, &hosts), Code::HttpRefused, "404");
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn others_share_the_rule() {
    let http = http();
    let mut seen = Vec::new();
    let fault = || Fault::new(Code::NetworkFailed, "no");
    let done = http.retrying("x", |tried| {
        seen.push(tried);
        if tried < 2 { Err(AttemptError::Retry(fault(), None)) } else { Ok(tried) }
    });
    assert_eq!((done.unwrap(), seen), (2, vec![0, 1, 2]));
    let stop = http.retrying("x", |tried| -> Result<(), _> {
        assert_eq!(tried, 0);
        Err(AttemptError::Fatal(fault()))
    });
    refused(stop, Code::NetworkFailed, "no");
}
