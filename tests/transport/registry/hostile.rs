//! A registry of the tests' own that says and sends what it should not, and registries that are found
//! where the operator says.

use std::fmt::Write as _;
use std::time::Duration;

use base64ct::{Base64, Encoding as _};
use sealift::digest::Sha256Digest;
use sealift::mirror::http::Http;
use sealift::mirror::{Hosts, ImageSource as _, Platforms, Registry, SilentWatch, Watch};
use sealift::verdict::Code;

use super::mirror::Mirror;
use crate::support::server::{Action, Request, Server, endless, head, reply};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// An image of one layer.
#[derive(Clone)]
struct Image {
    config: Vec<u8>,
    layer: Vec<u8>,
    manifest: Vec<u8>,
}

impl Image {
    fn new() -> Self {
        Self::with(&vec![7; 5000], 5000, "")
    }

    /// With a layer of a size that may be a lie, and with more in the config.
    fn with(layer: &[u8], size: u64, more: &str) -> Self {
        let diff = Sha256Digest::of(layer);
        let config = format!(
            r#"{{"architecture":"amd64","os":"linux","config":{{"Labels":{{{more}}}}},"rootfs":{{"type":"layers","diff_ids":["{diff}"]}}}}"#
        );
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{}","size":{}}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{diff}","size":{size}}}]}}"#,
            Sha256Digest::of(config.as_bytes()),
            config.len()
        );
        Self { config: config.into_bytes(), layer: layer.to_vec(), manifest: manifest.into_bytes() }
    }

    fn is_layer(&self, request: &Request) -> bool {
        request.path().ends_with(&Sha256Digest::of(&self.layer).to_string())
    }

    /// What a good registry answers.
    fn answer(&self, request: &Request) -> Vec<Action> {
        let path = request.path();
        if path == "/v2/" {
            return reply("200 OK", &[], b"{}");
        }
        let known = [&self.manifest, &self.config, &self.layer];
        let named = |bytes: &&&Vec<u8>| path.ends_with(&Sha256Digest::of(bytes).to_string());
        match known.iter().find(named) {
            Some(bytes) => reply("200 OK", &[], bytes),
            None if path.ends_with("/manifests/1") => reply("200 OK", &[], &self.manifest),
            None => reply("404 Not Found", &[], b"{}"),
        }
    }
}

fn facing(server: &Server) -> (Mirror, String) {
    let host = server.address().to_string();
    (Mirror::from(&host), format!("{host}/v/app:1"))
}

fn asked(server: &Server, part: &str) -> usize {
    server.seen().iter().filter(|request| request.target.contains(part)).count()
}

#[test]
fn an_error_without_an_end_is_not_read() {
    let image = Image::new();
    let begin = head("500 Oops", &[("Content-Length", "1610612736")]);
    let (place, sent) = endless(&begin);
    let server = Server::new(move |_, request| match image.is_layer(request) {
        true => reply("307 -", &[("Location", &format!("http://{place}/blob"))], b""),
        false => image.answer(request),
    });
    let (mirror, reference) = facing(&server);
    assert_eq!(mirror.refused(&reference).code(), Code::HttpRefused);
    assert!(sent() < 32 << 20, "{} bytes were sent", sent());
}

#[test]
fn what_is_listed_often_is_fetched_and_kept_once() {
    let image = Image::with(&[7; 5000], 5000, &format!("\"a\":\"{}\"", "x".repeat(1 << 20)));
    let (digest, size) = (Sha256Digest::of(&image.manifest), image.manifest.len());
    let mut list = String::new();
    for number in 0..400 {
        let comma = if number == 0 { "" } else { "," };
        write!(list, r#"{comma}{{"mediaType":"{MANIFEST}","digest":"{digest}","size":{size},"platform":{{"os":"linux","architecture":"amd64","variant":"v{number}"}}}}"#).unwrap();
    }
    let index = format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{list}]}}"#);
    let other = index.replacen(&format!("\"size\":{size}"), "\"size\":7", 1);
    let server = Server::new(move |_, request| match request.path() {
        "/v2/v/app/manifests/1" => reply("200 OK", &[], index.as_bytes()),
        "/v2/v/app/manifests/2" => reply("200 OK", &[], other.as_bytes()),
        _ => image.answer(request),
    });
    let (mut mirror, reference) = facing(&server);
    mirror.options.platforms = Platforms::All;
    let brought = mirror.bring(&reference).unwrap();
    assert_eq!(brought.description.labels.len(), 1);
    assert_eq!(brought.description.stated.len(), 3);
    assert_eq!((asked(&server, "manifests"), asked(&server, "blobs")), (2, 2));
    let two = mirror.refused(&reference.replace(":1", ":2"));
    assert_eq!(two.code(), Code::SourceDisagrees, "{two}");
}

#[test]
fn a_config_of_many_manifests_is_kept_once() {
    let image = Image::with(&[7; 5000], 5000, &format!("\"a\":\"{}\"", "x".repeat(1 << 20)));
    let text = String::from_utf8(image.manifest.clone()).unwrap();
    let manifests: Vec<String> = (0..40)
        .map(|number| text.replacen('{', &format!("{{\"annotations\":{{\"n\":\"{number}\"}},"), 1))
        .collect();
    let list: Vec<String> = manifests
        .iter()
        .map(|it| {
            let digest = Sha256Digest::of(it.as_bytes());
            format!(r#"{{"mediaType":"{MANIFEST}","digest":"{digest}","size":{},"platform":{{"os":"linux","architecture":"amd64"}}}}"#, it.len())
        })
        .collect();
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, list.join(","));
    let server = Server::new(move |_, request| {
        let path = request.path();
        let named = |it: &&String| path.ends_with(&Sha256Digest::of(it.as_bytes()).to_string());
        match manifests.iter().find(named) {
            Some(manifest) => reply("200 OK", &[], manifest.as_bytes()),
            None if path.ends_with("/manifests/1") => reply("200 OK", &[], index.as_bytes()),
            None => image.answer(request),
        }
    });
    let (mirror, reference) = facing(&server);
    let brought = mirror.bring(&reference).unwrap();
    assert_eq!(brought.description.labels.len(), 1);
    assert_eq!((asked(&server, "manifests"), asked(&server, "blobs")), (41, 2));
}

#[test]
fn sizes_that_are_lies_concern_one_image() {
    let stated = |size: u64| {
        let image = Image::with(&[7; 5000], size, "");
        Server::new(move |_, request| image.answer(request))
    };
    for (size, code) in [
        (5001, Code::SourceDisagrees),
        (1 << 20, Code::SourceDisagrees),
        (1 << 50, Code::ResponseTooLarge),
        (1 << 62, Code::ResponseTooLarge),
    ] {
        let server = stated(size);
        let (mirror, reference) = facing(&server);
        let fault = mirror.refused(&reference);
        assert_eq!(fault.code(), code, "{size}: {fault}");
    }
    // What the answer says of its length.
    for (length, code) in [
        ("4999", Code::SourceDisagrees),
        ("5001", Code::SourceDisagrees),
        ("9000000000000000000", Code::SourceDisagrees),
    ] {
        let image = Image::new();
        let server = Server::new(move |_, request| match image.is_layer(request) {
            true => reply("200 OK", &[("Content-Length", length)], &image.layer),
            false => image.answer(request),
        });
        let (mirror, reference) = facing(&server);
        assert_eq!(mirror.refused(&reference).code(), code, "{length}");
    }
}

#[test]
fn a_drip_is_given_up() {
    let drip = |begin: Vec<u8>| {
        let mut actions = vec![Action::Send(begin)];
        for _ in 0..60 {
            actions.extend([Action::Send(vec![b'x']), Action::Wait(Duration::from_millis(50))]);
        }
        actions
    };
    for what in ["/v2/", "/manifests/", "/blobs/", "layer"] {
        let image = Image::new();
        let server = Server::new(move |_, request| {
            let this = match what {
                "/v2/" => request.path() == what,
                "layer" => image.is_layer(request),
                _ => request.path().contains(what) && !image.is_layer(request),
            };
            match this {
                true => drip(head("200 OK", &[("Content-Length", "5000")])),
                false => image.answer(request),
            }
        });
        let (mut mirror, reference) = facing(&server);
        mirror.http.stall_timeout = Duration::from_millis(300);
        mirror.http.retries = 0;
        let fault = mirror.refused(&reference);
        assert_eq!(fault.code(), Code::NetworkFailed, "{what}: {fault}");
        let given_up = ["no complete response within", "bytes came in"];
        assert!(given_up.iter().any(|it| fault.message().contains(it)), "{what}: {fault}");
    }
}

#[test]
fn a_server_says_when_it_may_be_asked_again() {
    for what in ["/v2/", "/manifests/", "/blobs/", "layer"] {
        let image = Image::new();
        let server = Server::new(move |_, request| {
            let this = match what {
                "/v2/" => request.path() == what,
                "layer" => image.is_layer(request),
                _ => request.path().contains(what) && !image.is_layer(request),
            };
            match this {
                true => reply("429 -", &[("Retry-After", "3600")], b"{}"),
                false => image.answer(request),
            }
        });
        let (mut mirror, reference) = facing(&server);
        mirror.http.retries = 5;
        let fault = mirror.refused(&reference);
        assert_eq!(fault.code(), Code::HttpRefused, "{what}: {fault}");
        assert!(fault.message().contains("again in 3600 seconds, at 20"), "{what}: {fault}");
        let again = server
            .seen()
            .iter()
            .filter(|it| it.target == server.seen().last().unwrap().target)
            .count();
        assert_eq!(again, 1, "{what}");
    }
}

#[test]
fn a_page_is_no_image() {
    const PAGE: &[u8] = b"<!DOCTYPE html><title>Log in</title>";
    let html = [("Content-Type", "text/html")];
    for what in ["/manifests/", "/blobs/", "layer"] {
        for headers in [&html[..], &[]] {
            let image = Image::new();
            let headers = headers.to_vec();
            let server = Server::new(move |_, request| {
                let this = match what {
                    "layer" => image.is_layer(request),
                    _ => request.path().contains(what) && !image.is_layer(request),
                };
                if this { reply("200 OK", &headers, PAGE) } else { image.answer(request) }
            });
            let (mirror, reference) = facing(&server);
            let fault = mirror.refused(&reference);
            assert_eq!(fault.code(), Code::ResponseInvalid, "{what}: {fault}");
            assert!(fault.message().contains("a proxy or login page"), "{what}: {fault}");
            assert_eq!(mirror.left(), Vec::<String>::new());
        }
    }
}

#[test]
fn redirects_of_blobs_have_an_end_and_carry_no_secret() {
    let image = Image::new();
    let far = {
        let image = image.clone();
        Server::new(move |_, _| reply("200 OK", &[], &image.layer))
    };
    let to = far.url("/blob");
    let basic = format!("Basic {}", Base64::encode_string(b"u:p"));
    let near = {
        let (image, basic) = (image.clone(), basic.clone());
        Server::new(move |_, request| {
            if request.header("authorization") != Some(&basic) {
                return reply("401 -", &[("WWW-Authenticate", "Basic realm=x")], b"{}");
            }
            match image.is_layer(request) {
                true => reply("307 -", &[("Location", &to)], b""),
                false => image.answer(request),
            }
        })
    };
    let (mut mirror, reference) = facing(&near);
    mirror.config(&login(&near.address().to_string(), r#""username":"u","password":"p""#));
    mirror.bring(&reference).unwrap();
    assert_eq!(far.seen().len(), 1);
    assert!(far.seen()[0].header("authorization").is_none());

    let circle = Server::new(move |number, request| match image.is_layer(request) {
        true => reply("307 -", &[("Location", &format!("{}?{number}", request.path()))], b""),
        false => image.answer(request),
    });
    let (mirror, reference) = facing(&circle);
    assert_eq!(mirror.refused(&reference).code(), Code::ResponseInvalid);
    assert!(circle.seen().len() < 15, "{}", circle.seen().len());
}

#[test]
fn who_sends_less_than_is_stated_leaves_no_half() {
    let image = Image::new();
    let server = Server::new(move |_, request| match image.is_layer(request) {
        true => reply("200 OK", &[("Content-Length", "5000")], &image.layer[..3000]),
        false => image.answer(request),
    });
    let (mirror, reference) = facing(&server);
    let fault = mirror.refused(&reference);
    assert_eq!(fault.code(), Code::ResponseInvalid, "{fault}");
    assert!(fault.message().contains("every attempt ends after 3000 bytes"), "{fault}");
    assert_eq!(mirror.left(), Vec::<String>::new());
}

#[test]
fn no_answer_is_read_beyond_its_bound() {
    let begin = head("200 OK", &[("Transfer-Encoding", "chunked")]);
    let begin = [&begin[..], b"fffffff0\r\n"].concat();
    for what in ["/v2/", "/manifests/", "/blobs/", "token"] {
        let image = Image::new();
        let (place, sent) = endless(&begin);
        let server = Server::new(move |_, request| {
            let asks = format!("Bearer realm=\"http://{place}/token\"");
            if what == "token" {
                return reply("401 -", &[("WWW-Authenticate", &asks)], b"{}");
            }
            let this = match what {
                "/v2/" => request.path() == what,
                _ => request.path().contains(what),
            };
            let to = format!("http://{place}/");
            match this {
                true => reply("307 -", &[("Location", &to)], b""),
                false => image.answer(request),
            }
        });
        let (mirror, reference) = facing(&server);
        let fault = mirror.refused(&reference);
        assert_eq!(fault.code(), Code::ResponseTooLarge, "{what}: {fault}");
        assert!(sent() < 32 << 20, "{what}: {} bytes were sent", sent());
    }
}

/// What `docker login` leaves for a host.
fn login(host: &str, auth: &str) -> String {
    format!(r#"{{"auths":{{"{host}":{{{auth}}}}}}}"#)
}

/// A registry that sends everybody to a token service.
fn closed(image: &Image, realm: String) -> Server {
    let image = image.clone();
    Server::new(move |_, request| {
        if request.path() == "/token" {
            return reply("200 OK", &[], br#"{"token":"T"}"#);
        }
        match request.header("authorization") {
            Some("Bearer T") => image.answer(request),
            _ => {
                let asks = format!("Bearer realm=\"{realm}\",service=\"s\"");
                reply("401 -", &[("WWW-Authenticate", &asks)], b"{}")
            }
        }
    })
}

#[test]
fn a_password_goes_to_no_other_host() {
    let image = Image::new();
    // Whoever gets a connection there has seen too much already.
    let thief = Server::new(|_, _| reply("200 OK", &[], br#"{"token":"T"}"#));
    let port = thief.address().port();
    for (realm, code) in [
        ("https://auth.test/token".to_owned(), Code::HostNotAllowed),
        (format!("https://auth.test:{port}/token"), Code::HostNotAllowed),
        ("https://reg.test.evil/token".to_owned(), Code::HostNotAllowed),
        ("https://reg.test:8443/token".to_owned(), Code::HostNotAllowed),
        ("http://auth.test/token".to_owned(), Code::CredentialsFailed),
        ("http://127.evil.example/token".to_owned(), Code::CredentialsFailed),
    ] {
        for secret in [r#""auth":"dTpw""#, r#""identitytoken":"secret""#] {
            let server = closed(&image, realm.clone());
            let mut mirror = Mirror::from("reg.test");
            mirror.http.connect_to = vec![format!("reg.test={}", server.address())];
            for host in ["auth.test", "reg.test.evil", "127.evil.example"] {
                mirror.http.connect_to.push(format!("{host}=127.0.0.1:{port}"));
            }
            mirror.config(&login("reg.test", secret));
            let fault = mirror.refused("reg.test/v/app:1");
            assert_eq!(fault.code(), code, "{realm}: {fault}");
            if code == Code::HostNotAllowed {
                assert!(fault.message().contains("--allow-host "), "{fault}");
            }
            assert!(server.seen().iter().all(|it| it.header("authorization").is_none()));
        }
    }
    assert!(thief.seen().is_empty(), "{:?}", thief.seen());
    // The registry itself may have it, and what is on this machine where it is too.
    for realm in ["http://reg.test/token", "http://reg.test:80/token"] {
        let server = closed(&image, realm.to_owned());
        let mut mirror = Mirror::from("reg.test");
        mirror.http.connect_to = vec![format!("reg.test={}", server.address())];
        mirror.config(&login("reg.test", r#""auth":"dTpw""#));
        mirror.bring("reg.test/v/app:1").unwrap();
        let token = server.seen().into_iter().find(|it| it.path() == "/token").unwrap();
        assert_eq!(token.header("authorization"), Some("Basic dTpw"));
    }
    // An allowed host over TLS is asked, and only there does it fail.
    let server = closed(&image, "https://auth.test/token".to_owned());
    let mut mirror = Mirror::from("reg.test");
    mirror.http.retries = 0;
    mirror.http.connect_to = vec![format!("reg.test={}", server.address())];
    mirror.http.connect_to.push(format!("auth.test=127.0.0.1:{port}"));
    mirror.options.hosts = Hosts::new(["auth.test".to_owned()], true);
    mirror.config(&login("reg.test", r#""auth":"dTpw""#));
    assert_eq!(mirror.refused("reg.test/v/app:1").code(), Code::NetworkFailed);
}

#[test]
fn a_redirect_of_the_token_service_is_not_followed() {
    let thief = Server::new(|_, _| reply("200 OK", &[], br#"{"token":"T"}"#));
    let to = thief.url("/token");
    let server = Server::new(move |_, request| match request.path() {
        "/token" => reply("307 -", &[("Location", &to)], b""),
        _ => reply("401 -", &[("WWW-Authenticate", "Bearer realm=\"http://reg.test/token\"")], b""),
    });
    let mut mirror = Mirror::from("reg.test");
    mirror.http.connect_to = vec![format!("reg.test={}", server.address())];
    mirror.config(&login("reg.test", r#""auth":"dTpw""#));
    assert_eq!(mirror.refused("reg.test/v/app:1").code(), Code::HttpRefused);
    assert!(thief.seen().is_empty());
}

#[test]
fn a_registry_is_where_the_operator_says() {
    let image = Image::new();
    let server = Server::new(move |_, request| image.answer(request));
    for (host, name) in
        [("reg.test", "reg.test"), ("reg.test:5000", "reg.test"), ("reg.test:5000", "REG.test")]
    {
        let mut mirror = Mirror::from(host);
        mirror.http.connect_to = vec![format!("{name}={}", server.address())];
        mirror.bring(&format!("{host}/v/app:1")).unwrap();
        assert!(server.seen().last().unwrap().header("host") == Some(host));
    }
    for bad in
        ["reg.test:5000=127.0.0.1:1", "127.0.0.2=127.0.0.1:1", "reg.test=127.0.0.1", "=127.0.0.1:1"]
    {
        let mut mirror = Mirror::from("reg.test");
        mirror.http.connect_to = vec![bad.to_owned()];
        assert_eq!(mirror.refused("reg.test/v/app:1").code(), Code::Usage, "{bad}");
    }
}

#[test]
fn credentials_that_can_t_be_read_are_no_reason_not_to_ask() {
    struct Said(std::sync::Mutex<Vec<String>>);
    impl Watch for Said {
        fn begin(&self, _: &str, _: u64, _: Option<u64>) -> u64 {
            0
        }
        fn advance(&self, _: u64, _: u64) {}
        fn end(&self, _: u64) {}
        fn say(&self, line: &str) {
            self.0.lock().unwrap().push(line.to_owned());
        }
    }
    let image = Image::new();
    let open = {
        let image = image.clone();
        Server::new(move |_, request| image.answer(request))
    };
    let shut = Server::new(|_, _| reply("401 -", &[("WWW-Authenticate", "Basic realm=x")], b"{}"));
    for config in [
        r#"{"auths":{},"credsStore":"desktop.exe"}"#,
        r#"{"credsStore":"../evil"}"#,
        "{",
        r#"{"auths":7}"#,
    ] {
        let (mut mirror, reference) = facing(&open);
        mirror.config(config);
        let http = Http::new(mirror.http.clone()).unwrap();
        let registry = Registry::new(&http, mirror.options.clone());
        let said = Said(Default::default());
        for _ in 0..2 {
            registry.find(&reference, &said).unwrap();
        }
        let lines = said.0.lock().unwrap().clone();
        assert!(lines.len() == 1 && lines[0].contains("without credentials"), "{lines:?}");
        let (mut mirror, reference) = facing(&shut);
        mirror.config(config);
        assert_eq!(mirror.refused(&reference).code(), Code::CredentialsFailed, "{config}");
    }
    let (mut mirror, reference) = facing(&open);
    mirror.config("");
    let http = Http::new(mirror.http.clone()).unwrap();
    Registry::new(&http, mirror.options.clone()).find(&reference, &SilentWatch).unwrap();
}
