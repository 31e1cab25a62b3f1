//! What servers do that is not as it should be, and `sealift mirror` as a whole: it takes what is right
//! however it is served, says what it is where it is wrong, and leaves out no more than that.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex};

use crate::support::log::{TestKey, hex, new_bundle, sha256};
use crate::support::sealift;
use crate::support::server::{Action, Server, reply};
use crate::support::tools::{Ran, run};
use crate::support::transfers::Yard;
use serde_json::{Value, json};

type Answers = Arc<Mutex<BTreeMap<String, Vec<Action>>>>;

/// A vendor's site that answers as it is told, and a place for keys and transfers.
struct Side {
    server: Server,
    answers: Answers,
    yard: Yard,
}

impl Side {
    fn new() -> Self {
        let answers = Answers::default();
        let told = Arc::clone(&answers);
        let server = Server::new(move |_, request| {
            let known = told.lock().unwrap().get(request.path()).cloned();
            known.unwrap_or_else(|| reply("404 Not Found", &[], b""))
        });
        let yard = Yard::new();
        let profile = format!(
            "name = \"example\"\non_failure = \"Call the vendor.\"\n\
             [image]\nmessage = \"digest\"\nbundle_label = \"b\"\nkey_label = \"k\"\n\
             [package]\nmessage = \"hex-line\"\n\
             bundle_file = \"{{package}}_signature.bundle\"\n\
             key_file = \"{{package}}_publickey.json\"\n\
             [mirror]\nhosts = [\"{0}\"]\nkey_url = \"http://{0}/{{key}}\"\n\
             bundle_url = \"http://{0}/{{package}}_signature.bundle\"\n\
             key_file_url = \"http://{0}/{{package}}_publickey.json\"\n",
            server.address(),
        );
        fs::write(yard.path("site.toml"), profile).unwrap();
        Self { server, answers, yard }
    }

    fn answer(&self, path: &str, actions: Vec<Action>) {
        self.answers.lock().unwrap().insert(path.to_owned(), actions);
    }

    /// A signed package under a name as URLs spell it, with headers; its URL.
    fn package(&self, spelled: &str, headers: &[(&str, &str)], content: &[u8]) -> String {
        let text = format!("{}\n", hex(&sha256(content)));
        let bundle = new_bundle(&sha256(&text), &TestKey::new(1).sign(text.as_bytes()), None);
        let key = json!({ "publicKey": self.server.url("/vendor.pub") });
        self.answer(&format!("/{spelled}"), reply("200 OK", headers, content));
        let put =
            |path: &str, text: String| self.answer(path, reply("200 OK", &[], text.as_bytes()));
        put(&format!("/{spelled}_signature.bundle"), bundle.to_string());
        put(&format!("/{spelled}_publickey.json"), key.to_string());
        put("/vendor.pub", TestKey::new(1).pem());
        self.server.url(&format!("/{spelled}"))
    }

    fn mirror(&self, retries: u32, packages: &[&str]) -> Ran {
        drop(fs::remove_dir_all(self.yard.path("out")));
        let mut command = sealift();
        command.current_dir(self.yard.path("")).env("NO_PROXY", "127.0.0.1");
        command.args(["mirror", "--out", "out", "--key", "transfer.key"]);
        command.args(["--vendor-profile", "site.toml", "--allow-http", "--no-refresh"]);
        command.args(["--insecure-ignore-tlog", "--retries", &retries.to_string()]);
        let key = format!("sha256:{}", hex(&sha256(TestKey::new(1).spki())));
        command.args(["--pin-key", &key]);
        for package in packages {
            command.args(["--package", package]);
        }
        run(&mut command)
    }

    /// The paths of what was sealed.
    fn sealed(&self) -> Vec<String> {
        let bytes = fs::read(self.yard.path("out/manifest.json")).unwrap();
        let manifest: Value = serde_json::from_slice(&bytes).unwrap();
        let artifacts = manifest["artifacts"].as_array().unwrap();
        artifacts.iter().map(|it| it["path"].as_str().unwrap().to_owned()).collect()
    }
}

#[track_caller]
fn ended(ran: &Ran, status: i32, words: &str) {
    assert_eq!(ran.status, Some(status), "{}", ran.text());
    assert!(ran.text().contains(words), "{words:?} is not in {}", ran.text());
}

#[test]
fn encodings_of_what_is_stored() {
    let side = Side::new();
    for encoding in ["gzip", "x-gzip", "aws-chunked", "", "none"] {
        let headers = [("Content-Encoding", encoding), ("Content-Type", "application/gzip")];
        let url = side.package("app-1.0.tgz", &headers, b"\x1f\x8b signed as it is stored");
        ended(&side.mirror(0, &[&url]), 0, "OK");
    }
}

#[test]
fn names_that_urls_spell_otherwise() {
    let side = Side::new();
    for (spelled, name) in [
        ("app-1.0%2Bb5.tgz", "app-1.0+b5.tgz"),
        ("app-1.0+b6.tgz", "app-1.0+b6.tgz"),
        ("app%201.0.tgz", "app 1.0.tgz"),
    ] {
        let url = side.package(spelled, &[], spelled.as_bytes());
        ended(&side.mirror(0, &[&url]), 0, "OK");
        assert_eq!(side.sealed(), [format!("packages/{name}/{name}")]);
    }
    for bad in ["a%2f..%2fb.tgz", "a%00.tgz", "%2e%2e", "a%5cb.tgz", "CON", "%e2%80%aea.tgz"] {
        let url = side.package(bad, &[], b"x");
        ended(&side.mirror(0, &[&url]), 2, "error[reference-invalid]");
    }
}

#[test]
fn a_page_in_place_of_a_file() {
    const PAGE: &[u8] = b"<!DOCTYPE html><html><title>Sign in</title></html>";
    let html = [("Content-Type", "text/html")];
    let side = Side::new();
    let good = side.package("good.tgz", &[], b"good");
    let url = side.package("app.tgz", &[], b"content");
    for path in ["/app.tgz", "/app.tgz_signature.bundle", "/app.tgz_publickey.json"] {
        let before = side.answers.lock().unwrap().get(path).cloned().unwrap();
        for headers in [&html[..], &[]] {
            side.answer(path, reply("200 OK", headers, PAGE));
            let ran = side.mirror(0, &[&url, &good]);
            ended(&ran, 4, "a proxy or login page");
            assert!(!ran.text().contains("Stop the deployment"), "{}", ran.text());
            assert_eq!(side.sealed(), ["packages/good.tgz/good.tgz"]);
        }
        side.answer(path, before);
    }
    // A page that is signed is a package like any other.
    let page = side.package("notes", &html, PAGE);
    ended(&side.mirror(0, &[&page]), 0, "OK");
}

#[test]
fn a_wrong_length_concerns_one_package() {
    let side = Side::new();
    let good = side.package("good.tgz", &[], b"good");
    for length in ["9000000000000000000", "1000000", "4"] {
        let liar = side.package("liar.tgz", &[("Content-Length", length)], b"content");
        let ran = side.mirror(1, &[&liar, &good]);
        assert!(ran.status != Some(0) && !ran.text().contains("no-space"), "{}", ran.text());
        assert_eq!(side.sealed(), ["packages/good.tgz/good.tgz"], "{length}: {}", ran.text());
    }
}

#[test]
fn later_is_said_with_its_time() {
    let side = Side::new();
    let good = side.package("good.tgz", &[], b"good");
    let url = side.package("app.tgz", &[], b"content");
    for path in ["/app.tgz", "/app.tgz_signature.bundle"] {
        let before = side.answers.lock().unwrap().get(path).cloned().unwrap();
        side.answer(path, reply("503 Busy", &[("Retry-After", "3600")], b""));
        let asked = side.server.seen().len();
        ended(&side.mirror(5, &[&url, &good]), 4, "again in 3600 seconds, at 20");
        let seen = side.server.seen();
        let again = seen[asked..].iter().filter(|it| it.path() == path).count();
        assert_eq!(again, 1, "{path}");
        side.answer(path, before);
    }
}

#[test]
fn a_name_is_not_this_machine_because_of_how_it_begins() {
    let side = Side::new();
    let port = side.server.address().port();
    for (host, plain) in
        [("127.evil.example", false), ("localhost.example", false), ("127.0.0.1", true)]
    {
        let asked = side.server.seen().len();
        let mut command = sealift();
        command.current_dir(side.yard.path("")).env("DOCKER_CONFIG", side.yard.path("none"));
        command.args(["mirror", "--out", "out", "--key", "transfer.key", "--retries", "0"]);
        command.args(["--vendor-profile", "site.toml", "--allow-http", "--no-refresh"]);
        command.arg("--image").arg(format!("{host}:{port}/v/app:1"));
        if !plain {
            command.arg("--connect-to").arg(format!("{host}=127.0.0.1:{port}"));
        }
        let ran = run(&mut command);
        assert_eq!(ran.status, Some(4), "{}", ran.text());
        let seen = side.server.seen();
        let readable = seen[asked..].iter().filter(|it| it.path() == "/v2/").count();
        assert_eq!(readable, usize::from(plain), "{host}: {}", ran.text());
    }
}

#[test]
fn one_meaning_for_a_code() {
    let side = Side::new();
    let url = side.package("app.tgz", &[], b"content");
    side.answer("/moved.tgz", reply("302 -", &[("Location", "https://other.example/")], b""));
    let moved = side.server.url("/moved.tgz");
    ended(&side.mirror(0, &[&moved]), 2, "host-not-allowed");
    // Another host that is not allowed, and what is not there: 2 wins.
    let absent = side.server.url("/absent.tgz");
    ended(&side.mirror(0, &[&url, &absent]), 4, "http-refused");
    ended(&side.mirror(0, &[&url, &absent, &moved]), 2, "host-not-allowed");
    // What is not what was signed wins over both.
    side.answer("/app.tgz", reply("200 OK", &[], b"other"));
    ended(&side.mirror(0, &[&url, &absent, &moved]), 1, "digest-mismatch");
}
