//! What a later run does with the half of a file: continues it, or begins anew.

use std::fs;

use sealift::mirror::SilentWatch;
use sealift::verdict::Code;

use super::yard::{DATE, E, HALF, NAME, Yard, content, from, half, once, rest, then};
use super::{http, on, refused};
use crate::support::server::{Action, reply};

#[test]
fn continued_by_a_later_run() {
    let bytes = content(100_000);
    let server = then(&bytes, E, |all, request| rest(all, from(request).unwrap(), E));
    let yard = Yard::new();
    refused(yard.get_by(&once(), &server), Code::NetworkFailed, "broke off");
    assert_eq!(yard.names(), ["a.tar.resume.sealift-tmp", "a.tar.sealift-tmp"]);
    let record = fs::read_to_string(yard.path(".resume.sealift-tmp")).unwrap();
    assert!(!record.contains("q=1"), "{record}");
    let fetched = yard.whole(yard.get_by(&once(), &server), &bytes);
    assert_eq!(fetched.resumed_from, HALF as u64);
    // What is on the disk is what is hashed, also when it is not what came.
    let server = then(&bytes, E, |all, request| rest(all, from(request).unwrap(), E));
    let yard = Yard::new();
    refused(yard.get_by(&once(), &server), Code::NetworkFailed, "");
    let mut other = bytes.clone();
    other[0] ^= 1;
    fs::write(yard.path(".sealift-tmp"), &other[..HALF]).unwrap();
    yard.whole(yard.get_by(&once(), &server), &other);
}

#[test]
fn only_a_date_or_a_weak_etag() {
    const DATED: &[(&str, &str)] = &[("ETag", "W/\"x\""), ("Last-Modified", DATE)];
    const WEAK: &[(&str, &str)] = &[("ETag", "W/\"x\"")];
    let bytes = content(100_000);
    let server = then(&bytes, DATED, |all, request| {
        assert_eq!(request.header("if-range"), Some(DATE));
        rest(all, from(request).unwrap(), DATED)
    });
    assert_eq!(Yard::new().get(&server).map(|_| ()), Ok(()));
    for none in [WEAK, &[]] {
        let server = then(&bytes, none, move |all, request| {
            assert_eq!(from(request), None);
            reply("200 OK", none, all)
        });
        let yard = Yard::new();
        refused(yard.get_by(&once(), &server), Code::NetworkFailed, "");
        assert_eq!(yard.names(), ["a.tar.sealift-tmp"]);
        yard.whole(yard.get(&server), &bytes);
    }
}

#[test]
fn what_does_not_continue_begins_anew() {
    const OTHER: &[(&str, &str)] = &[("ETag", "\"y\""), ("Last-Modified", DATE)];
    const LATER: &[(&str, &str)] =
        &[("ETag", "\"x\""), ("Last-Modified", "Mon, 07 Nov 1994 08:49:37 GMT")];
    type Answer = fn(&[u8], usize) -> Vec<Action>;
    fn with(range: &str, body: &[u8]) -> Vec<Action> {
        reply("206 -", &[&[("Content-Range", range)][..], E].concat(), body)
    }
    let answers: [(&str, Answer); 12] = [
        ("a byte earlier, as long", |all, at| {
            with(&format!("bytes {}-99998/100000", at - 1), &all[at - 1..99_999])
        }),
        ("all of it", |_, _| reply("200 OK", E, &content(90_000))),
        ("another etag", |all, at| rest(all, at, OTHER)),
        ("another date", |all, at| rest(all, at, LATER)),
        ("no validators", |all, at| rest(all, at, &[])),
        ("not so far", |_, _| reply("416 -", &[("Content-Range", "bytes */9")], b"")),
        ("a byte earlier", |all, at| rest(all, at - 1, E)),
        ("a byte less", |all, at| with(&format!("bytes {at}-99998/100000"), &all[at..99_999])),
        ("another total", |all, at| {
            with(&format!("bytes {at}-100000/100001"), &[&all[at..], b"x"].concat())
        }),
        ("no total", |all, at| with(&format!("bytes {at}-99999/*"), &all[at..])),
        ("no range", |all, at| reply("206 -", E, &all[at..])),
        ("another length", |all, at| with(&format!("bytes {at}-99999/100000"), &all[at + 1..])),
    ];
    for (what, answer) in answers {
        let bytes = content(100_000);
        let server = then(&bytes, E, move |all, request| match from(request) {
            Some(at) => answer(all, at),
            None => reply("200 OK", E, &content(90_000)),
        });
        let yard = Yard::new();
        refused(yard.get_by(&once(), &server), Code::NetworkFailed, "");
        let result = yard.get(&server);
        assert!(result.is_ok(), "{what}: {result:?}");
        let fetched = yard.whole(result, &content(90_000));
        assert_eq!((fetched.resumed_from, fetched.status), (0, 200), "{what}");
        assert_eq!(server.seen().len(), if what == "all of it" { 2 } else { 3 }, "{what}");
    }
}

#[test]
fn a_refused_range_leaves_what_is_here() {
    let bytes = content(100_000);
    let server = then(&bytes, E, |_, _| reply("404 Not Found", &[], b""));
    let yard = Yard::new();
    refused(yard.get(&server), Code::HttpRefused, "404");
    assert_eq!(fs::read(yard.path(".sealift-tmp")).unwrap(), &bytes[..HALF]);
}

#[test]
fn parts_of_two_encodings_are_not_joined() {
    const GZIP: &[(&str, &str)] = &[E[0], E[1], ("Content-Encoding", "gzip")];
    let bytes = content(100_000);
    for (first, second, asked) in [(E, GZIP, 3), (GZIP, E, 3), (GZIP, GZIP, 2)] {
        let server = then(&bytes, first, move |all, request| match from(request) {
            Some(at) => rest(all, at, second),
            None => reply("200 OK", second, all),
        });
        let yard = Yard::new();
        yard.whole(yard.get(&server), &bytes);
        assert_eq!(server.seen().len(), asked);
        // Also in a later run.
        let server = then(&bytes, first, move |all, request| match from(request) {
            Some(at) => rest(all, at, second),
            None => reply("200 OK", second, all),
        });
        let yard = Yard::new();
        assert!(yard.get_by(&once(), &server).is_err());
        yard.whole(yard.get(&server), &bytes);
        assert_eq!(server.seen().len(), asked);
    }
}

#[test]
fn a_record_that_is_not_ours_is_not_believed() {
    let bytes = content(100_000);
    for spoil in ["", "{}", "[", "null", "q=2", "unknown"] {
        let all = bytes.clone();
        let server = then(&bytes, E, move |_, request| {
            assert_eq!(from(request), None);
            reply("200 OK", E, &all)
        });
        let yard = Yard::new();
        refused(yard.get_by(&once(), &server), Code::NetworkFailed, "");
        let path = yard.path(".resume.sealift-tmp");
        let text = fs::read_to_string(&path).unwrap();
        let result = if spoil == "q=2" {
            let (url, hosts) = on(&server, "/a.tar?q=2");
            http().large(&url, &hosts, &yard.folder, NAME, None, &SilentWatch)
        } else {
            let text = match spoil {
                "unknown" => text.replacen('{', "{\"more\": 1,", 1),
                _ => spoil.to_owned(),
            };
            fs::write(&path, text).unwrap();
            yard.get(&server)
        };
        assert!(result.is_ok(), "{spoil}: {result:?}");
        yard.whole(result, &bytes);
    }
}

#[test]
fn all_is_here_but_its_name() {
    let bytes = content(100_000);
    let server = then(&bytes, E, |all, request| rest(all, from(request).unwrap(), E));
    let yard = Yard::new();
    refused(yard.get_by(&once(), &server), Code::NetworkFailed, "");
    fs::write(yard.path(".sealift-tmp"), &bytes).unwrap();
    yard.whole(yard.get_by(&once(), &server), &bytes);
    assert_eq!(server.seen()[1].header("range"), Some("bytes=99999-"));
    // More than there can be.
    let server = then(&bytes, E, |all, request| {
        assert_eq!(from(request), None);
        reply("200 OK", E, all)
    });
    let yard = Yard::new();
    refused(yard.get_by(&once(), &server), Code::NetworkFailed, "");
    fs::write(yard.path(".sealift-tmp"), content(100_001)).unwrap();
    yard.whole(yard.get_by(&once(), &server), &bytes);
}

#[test]
fn a_new_beginning_keeps_no_old_byte() {
    let bytes = content(100_000);
    let server = then(&bytes, E, |all, _| half(all, 1000, &[("ETag", "\"y\"")]));
    let yard = Yard::new();
    refused(yard.get_by(&once(), &server), Code::NetworkFailed, "");
    refused(yard.get_by(&once(), &server), Code::NetworkFailed, "");
    assert_eq!(fs::read(yard.path(".sealift-tmp")).unwrap(), &bytes[..1000]);
}
