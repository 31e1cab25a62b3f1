//! The same against a real server, over TLS.

use std::fs;
use std::time::{Duration, Instant};

use sealift::digest::Sha256Digest;
use sealift::mirror::http::{Http, HttpOptions, LargeFile, SmallFile, Validators};
use sealift::verdict::Code;

use super::yard::{NAME, Yard, content};
use super::{Notes, at, quick, refused};
use crate::support::nginx::Nginx;

fn client(nginx: &Nginx) -> Http {
    let ca_pem = vec![fs::read(nginx.ca()).unwrap()];
    Http::new(HttpOptions { ca_pem, allow_http: false, ..quick() }).unwrap()
}

#[test]
fn a_half_that_lies_there_is_continued() {
    let Some(nginx) = Nginx::start("") else { return };
    let (http, bytes) = (client(&nginx), content(3_000_000));
    fs::write(nginx.file("a.tar"), &bytes).unwrap();
    for (url, protocol) in
        [(nginx.url("/a.tar"), "HTTP/1.1"), (nginx.url_of_http2("/a.tar"), "HTTP/2.0")]
    {
        let (url, hosts) = at(&url);
        let asked = http.head(&url, &hosts).unwrap();
        assert_eq!(asked.size, Some(3_000_000));
        let Validators { etag, last_modified } = asked.validators;
        assert!(last_modified.is_some());
        let yard = Yard::new();
        let record = serde_json::json!({
            "url": url.as_str(),
            "url_sha256": Sha256Digest::of(url.as_str().as_bytes()),
            "etag": etag.unwrap(),
            "last_modified": null,
            "total": 3_000_000,
        });
        fs::write(yard.path(".resume.sealift-tmp"), record.to_string()).unwrap();
        fs::write(yard.path(".sealift-tmp"), &bytes[..1_000_000]).unwrap();
        let notes = Notes::default();
        let result = http.large(&url, &hosts, &yard.folder, NAME, None, &notes);
        assert_eq!(yard.whole(result, &bytes).resumed_from, 1_000_000);
        let line = format!("GET /a.tar {protocol}|bytes=1000000-|206|2000000|");
        assert!(nginx.log().contains(&line), "{}", nginx.log());
        assert_eq!(notes.lines(), [format!("begin {NAME} 1000000 Some(3000000)"), "end".into()]);
        // Another file meanwhile: the range is not given, and all comes.
        let yard = Yard::new();
        let text = record.to_string().replacen("\\\"", "\\\"0", 1);
        fs::write(yard.path(".resume.sealift-tmp"), text).unwrap();
        fs::write(yard.path(".sealift-tmp"), vec![0; 1_000_000]).unwrap();
        let result = http.large(&url, &hosts, &yard.folder, NAME, None, &notes);
        assert_eq!(yard.whole(result, &bytes).resumed_from, 0);
        assert!(nginx.log().contains(&format!("{protocol}|bytes=1000000-|200|3000000|")));
    }
}

#[test]
fn compression_is_neither_asked_for_nor_got() {
    let more = "gzip on; gzip_types *; gzip_min_length 1;";
    let Some(nginx) = Nginx::start(more) else { return };
    let bytes = vec![b'a'; 100_000];
    fs::write(nginx.file("a.txt"), &bytes).unwrap();
    let (url, hosts) = at(&nginx.url("/a.txt"));
    let SmallFile::Body(body, _) = client(&nginx).small(&url, &hosts, 200_000, None).unwrap()
    else {
        panic!()
    };
    assert!(body == bytes);
    assert!(nginx.log().contains("|200|100000|"), "{}", nginx.log());
}

#[test]
fn slow_but_not_still() {
    let Some(nginx) = Nginx::start("limit_rate 100k;") else { return };
    let (bytes, yard) = (content(200_000), Yard::new());
    fs::write(nginx.file("a.tar"), &bytes).unwrap();
    let ca_pem = vec![fs::read(nginx.ca()).unwrap()];
    let stall_timeout = Duration::from_millis(1500);
    let http = Http::new(HttpOptions { ca_pem, stall_timeout, retries: 0, ..quick() }).unwrap();
    let (url, hosts) = at(&nginx.url("/a.tar"));
    let (start, notes) = (Instant::now(), Notes::default());
    yard.whole(http.large(&url, &hosts, &yard.folder, NAME, None, &notes), &bytes);
    assert!(start.elapsed() > Duration::from_millis(900), "{:?}", start.elapsed());
}

#[test]
fn only_a_known_authority() {
    let Some(nginx) = Nginx::start("") else { return };
    let Some(other) = Nginx::start("") else { return };
    fs::write(nginx.file("a.tar"), "a").unwrap();
    let (url, hosts) = at(&nginx.url("/a.tar"));
    for roots in [Vec::new(), vec![fs::read(other.ca()).unwrap()]] {
        let http = Http::new(HttpOptions { ca_pem: roots, ..quick() }).unwrap();
        let (yard, notes) = (Yard::new(), Notes::default());
        let result = http.large(&url, &hosts, &yard.folder, NAME, None, &notes);
        refused(result, Code::NetworkFailed, "certificate is not accepted");
        assert_eq!((notes.lines(), yard.names()), (Vec::new(), Vec::new()), "tried again");
    }
    assert!(client(&nginx).small(&url, &hosts, 9, None).is_ok());
    // Two roots in one file, and the right one is the second.
    let both = [fs::read(other.ca()).unwrap(), fs::read(nginx.ca()).unwrap()].concat();
    let http = Http::new(HttpOptions { ca_pem: vec![both], ..quick() }).unwrap();
    assert!(http.small(&url, &hosts, 9, None).is_ok());
    let key = b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
    for bad in [&b""[..], b"no", key] {
        let options = HttpOptions { ca_pem: vec![bad.to_vec()], ..quick() };
        refused(Http::new(options), Code::Usage, "no PEM certificate");
    }
    let bad = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec();
    refused(Http::new(HttpOptions { ca_pem: vec![bad], ..quick() }), Code::Usage, "");
}

#[test]
fn what_is_known_is_not_sent_again() {
    let Some(nginx) = Nginx::start("") else { return };
    let http = client(&nginx);
    fs::write(nginx.file("a.tar"), content(5000)).unwrap();
    let (url, hosts) = at(&nginx.url_of_http2("/a.tar"));
    let (yard, notes) = (Yard::new(), Notes::default());
    let first = http.large(&url, &hosts, &yard.folder, NAME, None, &notes);
    let fetched = yard.whole(first, &content(5000));
    let etag = Validators { etag: fetched.etag, last_modified: None };
    let date = Validators { etag: None, last_modified: fetched.last_modified };
    for known in [&etag, &date] {
        let again = http.large(&url, &hosts, &yard.folder, NAME, Some(known), &notes);
        assert_eq!(again.unwrap(), LargeFile::Unchanged);
    }
    fs::write(nginx.file("a.tar"), content(5001)).unwrap();
    let again = http.large(&url, &hosts, &yard.folder, NAME, Some(&etag), &notes);
    yard.whole(again, &content(5001));
}
