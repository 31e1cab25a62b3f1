//! Labels, JSON files and redirects are the vendor's text: they lead nowhere but to the allowed hosts,
//! and their names stay in the artifact's folder.

use serde_json::json;

use crate::made::Vendor;
use crate::side::{Answer, Side};

const HOST: &str = "OMITTED (host-not-allowed: ";

/// Fetches an archive of this machine with these labels, without `--allow-http`.
#[track_caller]
fn archive(vendor: &Vendor, side: &Side, bundle: &str, key: &str, more: &str) -> Answer {
    let image = vendor.image_with("hostile", bundle, key);
    vendor.write("signatures/bundles/app_signature.bundle", vendor.bundle(&image.id));
    side.write("app.tar", image.archive());
    side.run(&side.words(&format!("--vendor-key vendor.pub --image app.tar {more}")))
}

#[test]
fn labels_lead_only_to_the_vendor() {
    let Some(vendor) = Vendor::new("labels") else { return };
    let side = Side::new(&vendor);
    let path = "labels/signatures/bundles/app_signature.bundle";
    let good = format!("https://vendor.example/{path}");
    let secret = format!("https://user:hush@vendor.example/{path}");
    for (bundle, words) in [
        (format!("https://other.example/{path}"), "other.example is not among the allowed hosts"),
        (format!("https://vendor.example:8443/{path}"), "vendor.example:8443"),
        (format!("https://vendor.example.evil/{path}"), "vendor.example.evil"),
        (format!("http://vendor.example/{path}"), "plain HTTP"),
        ("file:///etc/app_signature.bundle".to_owned(), "file"),
        ("ftp://vendor.example/app.bundle".to_owned(), "ftp"),
        (secret, "user or password"),
        ("https://vendor.example/..".to_owned(), "not a URL that ends in a plain file name"),
        (
            "https://vendor.example/a%2f..%2fb".to_owned(),
            "not a URL that ends in a plain file name",
        ),
        ("app_signature.bundle".to_owned(), "relative URL"),
        (String::new(), "not a URL"),
    ] {
        let answer = archive(&vendor, &side, &bundle, "vendor.pub", "").exit(2);
        answer.says(&format!("app.tar: {HOST}")).mentions(words).never_mentions("hush");
        side.is_empty();
    }
    assert!(vendor.requests().is_empty(), "{:?}", vendor.requests());
    archive(&vendor, &side, &good, "vendor.pub", "").exit(0);
    side.verify("").exit(0);
    // The operator may allow a host.
    let elsewhere = format!("https://other.example/{path}");
    archive(&vendor, &side, &elsewhere, "vendor.pub", "--allow-host other.example").exit(0);
    side.verify("").exit(0);
    let requests = vendor.requests();
    assert!(requests.iter().any(|line| line.starts_with("other.example GET")), "{requests:?}");
}

#[test]
fn a_key_label_is_a_file_name() {
    let Some(vendor) = Vendor::new("keylabels") else { return };
    let side = Side::new(&vendor);
    let bundle = vendor.url("signatures/bundles/app_signature.bundle");
    for key in ["../vendor.pub", "a/vendor.pub", "..", "/etc/passwd", "https://other.example/k.pub"]
    {
        // Our own key decides; the label leads nowhere.
        archive(&vendor, &side, &bundle, key, "").exit(0);
        assert!(!side.files().iter().any(|name| name.ends_with("/passwd")));
        // Without one, it is refused.
        side.run(&side.words("--image app.tar")).exit(2).says(&format!("app.tar: {HOST}"));
    }
    let requests = vendor.requests();
    assert!(requests.iter().all(|line| line.contains("/signatures/bundles/")), "{requests:?}");
    // A name that the archive has already.
    archive(&vendor, &side, &bundle, "app.tar", "").exit(0);
    side.verify("").exit(0);
}

#[test]
fn a_bundle_does_not_take_the_place_of_the_artifact() {
    let Some(vendor) = Vendor::new("collide") else { return };
    let side = Side::new(&vendor);
    let image = vendor.image_with("collide", &vendor.url("signatures/APP.tar"), "vendor.pub");
    vendor.write("signatures/APP.tar", vendor.bundle(&image.id));
    side.write("app.tar", image.archive());
    let answer = side.fetch("--image app.tar").exit(1);
    answer.says("app.tar: OMITTED (name-collision: ");
    side.is_empty();
}

#[test]
fn a_key_file_says_one_key_of_the_vendor() {
    let Some(vendor) = Vendor::new("keyfile") else { return };
    let side = Side::new(&vendor);
    vendor.package("pack.tgz", "a package");
    let file = "signatures/bundles/pack.tgz_publickey.json";
    let url = vendor.url("signatures/public-keys/vendor.pub");
    let pin = format!(
        "--pin-key {} --package pack.tgz",
        sealift::key::PublicKey::from_pem(vendor.key.pem().as_bytes()).unwrap().fingerprint()
    );
    let elsewhere = url.replace("vendor.example", "other.example");
    for (text, code) in [
        (json!({ "publicKey": elsewhere }).to_string(), "host-not-allowed"),
        (json!({ "publicKey": url.replace("https", "http") }).to_string(), "host-not-allowed"),
        (json!({ "publicKey": "file:///etc/vendor.pub" }).to_string(), "host-not-allowed"),
        (json!({ "publicKey": 7 }).to_string(), "bundle-malformed"),
        (json!({ "publickey": url, "publicKey": url }).to_string(), "bundle-malformed"),
        (format!("{{\"publicKey\":\"{elsewhere}\",\"publicKey\":\"{url}\"}}"), "bundle-malformed"),
        ("[]".to_owned(), "bundle-malformed"),
        ("<html>".to_owned(), "response-invalid"),
    ] {
        vendor.write(file, &text);
        // Without `--allow-http`; everything here is HTTPS.
        let status = match code {
            "host-not-allowed" => 2,
            "response-invalid" => 4,
            _ => 1,
        };
        let answer = side.run(&side.words(&pin)).exit(status);
        answer.says(&format!("pack.tgz: OMITTED ({code}: "));
        side.is_empty();
        // Where the operator has the key, the file is of no account, and what comes is still a whole.
        side.fetch("--package pack.tgz").exit(0);
        side.verify("").exit(0);
        std::fs::remove_dir_all(side.path("d")).unwrap();
    }
    // It may hold nothing else: another tool might act on it.
    vendor.write(file, json!({ "publicKey": url, "more": [1, 2] }).to_string());
    side.mirror(&pin).exit(1).says("pack.tgz: OMITTED (material-unknown-member: ");
    vendor.write(file, json!({ "publicKey": url }).to_string());
    side.mirror(&pin).exit(0);
}

#[test]
fn a_bundle_has_a_limit() {
    let Some(vendor) = Vendor::new("large") else { return };
    let side = Side::new(&vendor);
    vendor.package("pack.tgz", "a package");
    let file = "signatures/bundles/pack.tgz_signature.bundle";
    vendor.write(file, format!("{}{}", vendor.bundle("x"), " ".repeat(1 << 20)));
    side.fetch("--package pack.tgz").exit(4).says("pack.tgz: OMITTED (response-too-large: ");
    side.is_empty();
}

#[test]
fn redirects_lead_only_to_allowed_hosts() {
    let Some(vendor) = Vendor::new("redirect") else { return };
    let side = Side::new(&vendor);
    let pack = vendor.package("pack.tgz", "a package");
    let moved = |folder: &str| vendor.url(&format!("{folder}/{pack}"));
    for folder in ["elsewhere", "plain"] {
        let words = format!("--vendor-key vendor.pub --package {}", moved(folder));
        let answer = side.run(&side.words(&words)).exit(2);
        answer.says(&format!("{}: {HOST}", moved(folder)));
        side.is_empty();
    }
    let requests = vendor.requests();
    assert!(!requests.iter().any(|line| line.contains("/packages/")), "{requests:?}");
    let words = format!("--package {} --allow-host other.example", moved("elsewhere"));
    side.fetch(&words).exit(0);
    assert_eq!(side.manifest()["artifacts"][0]["source"], moved("elsewhere").as_str());
    side.verify("").exit(0);
    let side = Side::new(&vendor);
    side.fetch(&format!("--package {}", moved("moved"))).exit(0);
    side.verify("").exit(0);
}

#[test]
fn a_certificate_of_nobody_is_refused() {
    let Some(vendor) = Vendor::new("stranger") else { return };
    let side = Side::new(&vendor);
    vendor.package("pack.tgz", "a package");
    // The site's authority is not among those that are believed.
    let words = side.words("--vendor-key vendor.pub --package pack.tgz");
    let answer = side.run(&words.replace("--ca-file ca.pem", "")).exit(4);
    answer.says("pack.tgz: OMITTED (network-failed: ").mentions("certificate");
    // Nor is the site a host that its certificate does not name.
    let url = "https://third.example/stranger/packages/pack.tgz";
    let to = format!("--connect-to third.example={}", vendor.site.place);
    let answer = side.fetch(&format!("{to} --package {url}")).exit(4);
    answer.says(&format!("{url}: OMITTED (network-failed: "));
    side.is_empty();
}

#[test]
fn a_proxy_of_the_environment_is_used() {
    use std::io::{Read as _, Write as _};
    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    let Some(vendor) = Vendor::new("proxy") else { return };
    let side = Side::new(&vendor);
    vendor.package("pack.tgz", "a package");
    let proxy = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = proxy.local_addr().unwrap().port();
    let (place, asked) = (vendor.site.place.clone(), std::sync::mpsc::channel());
    let (say, asked) = asked;
    std::thread::spawn(move || {
        for client in proxy.incoming() {
            let mut client = client.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if client.read(&mut byte).unwrap() == 0 {
                    break;
                }
                head.push(byte[0]);
            }
            let line = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
            drop(say.send(line));
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            let server = TcpStream::connect(&place).unwrap();
            let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            std::thread::spawn(move || std::io::copy(&mut { server }, &mut { client }));
        }
    });
    let words = side.words("--vendor-key vendor.pub --package pack.tgz");
    let words: Vec<&str> = words.split("--connect-to").collect();
    let mut command = side.command(words[0]);
    command.args(["--vendor-key", "vendor.pub", "--package", "pack.tgz"]);
    command.env("HTTPS_PROXY", format!("http://127.0.0.1:{port}"));
    let answer = Answer(crate::support::tools::run(&mut command));
    answer.exit(0).says("pack.tgz: OK");
    assert_eq!(asked.recv().unwrap(), "CONNECT vendor.example:443 HTTP/1.1");
    side.verify("").exit(0);
}
