//! Redirects: each is checked as if it had been asked for.

use sealift::mirror::Hosts;
use sealift::mirror::http::{Http, HttpOptions, SmallFile};
use sealift::verdict::Code;
use url::Url;

use super::{http, on, quick, refused};
use crate::support::nginx::Nginx;
use crate::support::server::{Server, reply};

const CAP: u64 = 1000;

/// A server that sends everything but `/end` somewhere else.
fn leading_to(status: u16, location: String) -> Server {
    Server::new(move |_, request| match request.path() {
        "/end" => reply("200 OK", &[], b"end"),
        _ => reply(&format!("{status} -"), &[("Location", &location)], b"moved"),
    })
}

#[test]
fn to_an_allowed_place() {
    for status in [301, 302, 303, 307, 308] {
        let server = leading_to(status, "../end?token=t#x".to_owned());
        let (url, hosts) = on(&server, "/a/b");
        let SmallFile::Body(body, fetched) = http().small(&url, &hosts, CAP, None).unwrap() else {
            panic!()
        };
        assert_eq!((body.as_slice(), fetched.url), (&b"end"[..], server.url("/a/b")));
        assert_eq!(server.seen()[1].target, "/end?token=t");
        assert_eq!(server.seen()[1].header("referer"), None);
    }
    for status in [300, 304, 305, 306] {
        let server = leading_to(status, "/end".to_owned());
        let (url, hosts) = on(&server, "/");
        assert!(http().small(&url, &hosts, CAP, None).is_err());
        assert_eq!(server.seen().len(), 1, "{status}");
    }
}

#[test]
fn to_a_forbidden_place() {
    let other = Server::new(|_, _| reply("200 OK", &[], b"evil"));
    let server = leading_to(302, other.url("/end?token=t"));
    let (url, hosts) = on(&server, "/");
    let fault = refused(http().small(&url, &hosts, CAP, None), Code::HostNotAllowed, "among");
    assert!(!fault.to_string().contains("token"), "{fault}");
    for location in
        ["file:///etc/passwd", "http://u:p@127.0.0.1/", "//evil.example/", "gopher://x/"]
    {
        let server = leading_to(302, location.to_owned());
        let (url, hosts) = on(&server, "/");
        refused(http().small(&url, &hosts, CAP, None), Code::HostNotAllowed, "");
        assert_eq!(server.seen().len(), 1, "{location}");
    }
    assert!(other.seen().is_empty());
    // The same way with both allowed.
    let server = leading_to(302, other.url("/"));
    let (url, hosts) = on(&server, "/");
    let hosts = hosts.and(&Url::parse(&other.url("/")).unwrap());
    assert!(http().small(&url, &hosts, CAP, None).is_ok());
}

#[test]
fn nowhere() {
    let none = Server::new(|_, _| reply("302 Found", &[], b""));
    let (url, hosts) = on(&none, "/");
    refused(http().small(&url, &hosts, CAP, None), Code::ResponseInvalid, "Location");
    for (location, words) in [("http://[", "not a URL"), ("/a", "loop")] {
        let server = leading_to(302, location.to_owned());
        let (url, hosts) = on(&server, "/a");
        refused(http().small(&url, &hosts, CAP, None), Code::ResponseInvalid, words);
        assert_eq!(server.seen().len(), 1);
    }
}

#[test]
fn five_and_no_more() {
    let steps = |last: usize| {
        Server::new(move |_, request| {
            let step: usize = request.path()[1..].parse().unwrap();
            if step == last {
                return reply("200 OK", &[], b"end");
            }
            reply("302 Found", &[("Location", &format!("/{}", step + 1))], b"")
        })
    };
    let (five, six) = (steps(5), steps(6));
    let (url, hosts) = on(&five, "/0");
    assert!(http().small(&url, &hosts, CAP, None).is_ok());
    let (url, hosts) = on(&six, "/0");
    refused(http().small(&url, &hosts, CAP, None), Code::ResponseInvalid, "too many");
    assert_eq!(six.seen().len(), 6);
}

#[test]
fn never_out_of_tls() {
    let plain = Server::new(|_, _| reply("200 OK", &[], b"plain"));
    let to = format!("location /moved {{ return 302 {}; }}", plain.url("/"));
    let Some(nginx) = Nginx::start(&to) else { return };
    let url = Url::parse(&nginx.url("/moved")).unwrap();
    let ca_pem = vec![std::fs::read(nginx.ca()).unwrap()];
    for allow_http in [false, true] {
        let http =
            Http::new(HttpOptions { ca_pem: ca_pem.clone(), allow_http, ..quick() }).unwrap();
        // The hosts allow it: the client still does not.
        let hosts = Hosts::new([], true).and(&url).and(&Url::parse(&plain.url("/")).unwrap());
        let result = http.small(&url, &hosts, CAP, None);
        assert_eq!(plain.seen().len(), usize::from(allow_http));
        if allow_http {
            result.unwrap();
        } else {
            refused(result, Code::HostNotAllowed, "plain HTTP");
        }
    }
}

#[test]
fn credentials_stay_with_their_host() {
    let far = leading_to(302, "/end".to_owned());
    let near = {
        let to = far.url("/");
        Server::new(move |_, request| match request.path() {
            "/a" => reply("302 -", &[("Location", "/b")], b""),
            _ => reply("302 -", &[("Location", &to)], b""),
        })
    };
    let (url, hosts) = on(&near, "/a");
    let hosts = hosts.and(&Url::parse(&far.url("/")).unwrap());
    let http = http();
    http.small_with(&url, &hosts, CAP, Some("Basic c2VjcmV0")).unwrap();
    for request in near.seen() {
        assert_eq!(request.header("authorization"), Some("Basic c2VjcmV0"));
    }
    assert_eq!((near.seen().len(), far.seen().len()), (2, 2));
    assert!(far.seen().iter().all(|request| request.header("authorization").is_none()));
    let bad = http.small_with(&url, &hosts, CAP, Some("a\nb"));
    refused(bad, Code::CredentialsFailed, "header");
}
