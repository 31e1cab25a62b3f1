//! What a hostile site, name or directory can't do to `sealift mirror`.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use sealift::mirror::Hosts;
use sealift::mirror::http::{Http, HttpOptions};
use sealift::verdict::Code;
use serde_json::{Value, json};
use url::Url;

use crate::support::log::{TestKey, hex, new_bundle, sha256};
use crate::support::sealift;
use crate::support::site::Site;
use crate::support::tools::{Ran, run};
use crate::support::transfers::{Yard, example, snapshot};

/// A vendor's site, and a place for keys and transfers.
struct Side {
    site: Site,
    yard: Yard,
}

impl Side {
    fn new() -> Self {
        let (site, yard) = (Site::new(), Yard::new());
        site.profile(&yard.path("site.toml"));
        Self { site, yard }
    }

    /// A package of the vendor of this number, with its bundle and key.
    fn package(&self, name: &str, content: &str, vendor: u8) {
        self.site.put(name, content);
        self.site.put(&format!("{name}_signature.bundle"), bundle(content, vendor));
        self.key(name, &format!("vendor-{vendor}.pub"), vendor);
    }

    fn key(&self, package: &str, name: &str, vendor: u8) {
        let text = json!({"publicKey": self.site.url(name)}).to_string();
        self.site.put(&format!("{package}_publickey.json"), text);
        self.site.put(name, TestKey::new(vendor).pem());
    }

    fn mirror(&self, out: &str, more: &[&str]) -> Ran {
        let mut command = sealift();
        command.current_dir(self.yard.path("")).env("NO_PROXY", "127.0.0.1");
        command.args(["mirror", "-q", "--jobs", "1", "--out", out, "--key", "transfer.key"]);
        command.args(["--vendor-profile", "site.toml", "--allow-http", "--no-refresh"]);
        command.args(["--insecure-ignore-tlog", "--retries", "0"]).args(more);
        run(&mut command)
    }

    fn manifest(&self, out: &str) -> Value {
        serde_json::from_slice(&fs::read(self.yard.path(out).join("manifest.json")).unwrap())
            .unwrap()
    }

    /// The names of what was sealed.
    fn sealed(&self, out: &str) -> Vec<String> {
        let manifest = self.manifest(out);
        let artifacts = manifest["artifacts"].as_array().unwrap();
        artifacts.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    }
}

/// A bundle that states the digest of the text it signs.
fn bundle(content: &str, vendor: u8) -> String {
    let text = format!("{}\n", hex(&sha256(content)));
    let signature = TestKey::new(vendor).sign(text.as_bytes());
    new_bundle(&sha256(text), &signature, None).to_string()
}

fn pin(vendor: u8) -> String {
    format!("sha256:{}", hex(&sha256(TestKey::new(vendor).spki())))
}

#[test]
fn pinned_keys_need_not_lie_beside_every_artifact() {
    let side = Side::new();
    side.package("a.tgz", "a", 1);
    side.package("b.tgz", "b", 2);
    let words = ["--package", "a.tgz", "b.tgz", "--pin-key", &pin(1), "--pin-key", &pin(2)];
    side.mirror("out", &words).succeeded();
    assert_eq!(side.sealed("out"), ["a.tgz", "b.tgz"]);
    // Nor anywhere, where what it signed could not be brought.
    side.site.answer("b.tgz", 404, "");
    let ran = side.mirror("new", &words);
    assert_eq!(ran.status, Some(4), "{}", ran.text());
    assert_eq!(side.sealed("new"), ["a.tgz"]);
    // A pin that names no key of the site does not let the others count.
    let ran = side.mirror("none", &["--package", "a.tgz", "--pin-key", &pin(3)]);
    assert_eq!(ran.status, Some(2), "{}", ran.text());
    assert!(ran.text().contains("key-not-named"), "{}", ran.text());
}

#[test]
fn what_stands_in_a_query_is_told_to_nobody() {
    let side = Side::new();
    side.package("a.tgz", "a", 1);
    side.package("x.tgz", "x", 1);
    // Nothing listens there.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{gone}/x.tgz?token=s3cret");
    let words = ["--package", "a.tgz", &url, "--vendor-key", "vendor-1.pub"];
    let ran = side.mirror("out", &words);
    assert_eq!(ran.status, Some(4), "{}", ran.text());
    assert!(!ran.text().contains("s3cret"), "{}", ran.text());
    let manifest = side.manifest("out").to_string();
    assert!(manifest.contains("x.tgz") && !manifest.contains("s3cret"), "{manifest}");
}

#[test]
fn a_hostile_name_harms_only_its_own_artifact() {
    for name in ["a.tgz.sealift-tmp", "a.tgz.resume.sealift-tmp", "CON.pub", "A.TGZ_publickey.json"]
    {
        let side = Side::new();
        side.package("a.tgz", "a", 1);
        side.package("b.tgz", "b", 1);
        side.key("a.tgz", name, 1);
        let words = ["--package", "a.tgz", "b.tgz", "--vendor-key", "vendor-1.pub"];
        let ran = side.mirror("out", &words);
        assert!(side.sealed("out").contains(&"b.tgz".to_owned()), "{name}: {}", ran.text());
        assert!(!side.yard.path("out/packages/a.tgz").join(name).exists(), "{name}");
    }
}

#[test]
fn an_order_that_can_t_be_sealed_fetches_nothing() {
    let side = Side::new();
    side.package("a.tgz", "a", 1);
    fs::write(side.yard.path("verify-with-openssl.sh"), "x").unwrap();
    let words = ["--package", "a.tgz", "--vendor-key", "vendor-1.pub"];
    for bad in [
        ["--expires", "2001-01-01T00:00:00Z"],
        ["--stream", "a/b c"],
        ["--tool", "verify-with-openssl.sh"],
    ] {
        let ran = side.mirror("out", &[&words[..], &bad].concat());
        assert_eq!(ran.status, Some(2), "{bad:?}: {}", ran.text());
    }
    assert_eq!(side.site.asked(), Vec::<String>::new());
}

#[test]
fn the_operators_own_list_is_not_overwritten() {
    let own = "{\"the vendor's\": \"own list\"}";
    for (names, blamed) in [
        (&["SHA256SUMS"][..], "SHA256SUMS"),
        (&["manifest.json"], "manifest.json"),
        (&["manifest.json.sigstore.json"], "manifest.json.sigstore.json"),
        // A marker that anybody can plant is no reason to believe that a sealing wrote the rest.
        (&["SHA256SUMS", "-manifest.json.sealift-tmp"], "SHA256SUMS"),
        (&["manifest.json", "-manifest.json.sealift-tmp"], "manifest.json"),
        (&["manifest.json.sealift-tmp"], "manifest.json.sealift-tmp"),
    ] {
        let side = Side::new();
        side.package("a.tgz", "a", 1);
        fs::create_dir_all(side.yard.path("out")).unwrap();
        for name in names {
            let (name, content) = name.strip_prefix('-').map_or((*name, own), |it| (it, ""));
            fs::write(side.yard.path("out").join(name), content).unwrap();
        }
        let before = snapshot(&side.yard.path("out"));
        for (status, package) in [(200, "a.tgz"), (404, "absent.tgz")] {
            let words = ["--package", package, "--vendor-key", "vendor-1.pub"];
            let ran = side.mirror("out", &words);
            assert_eq!(ran.status, Some(2), "{names:?} {status}: {}", ran.text());
            assert!(ran.text().contains("output-exists"), "{}", ran.text());
            assert!(ran.text().contains(blamed), "{names:?}: {}", ran.text());
            assert_eq!(snapshot(&side.yard.path("out")), before);
        }
        assert_eq!(side.site.asked(), Vec::<String>::new());
        let mut seal = sealift();
        seal.current_dir(side.yard.path("")).args(["seal", "out", "--key", "transfer.key"]);
        seal.args(["--vendor-key", "vendor-1.pub", "--insecure-ignore-tlog"]);
        assert!(run(&mut seal).text().contains("output-exists"), "{names:?}");
        assert_eq!(snapshot(&side.yard.path("out")), before);
    }
}

#[cfg(unix)]
#[test]
fn an_earlier_transfer_is_never_the_one_that_is_filled() {
    let side = Side::new();
    side.package("a.tgz", "a", 1);
    let words = ["--package", "a.tgz", "--vendor-key", "vendor-1.pub"];
    side.mirror("out", &words).succeeded();
    std::os::unix::fs::symlink("out", side.yard.path("link")).unwrap();
    fs::create_dir(side.yard.path("out/below")).unwrap();
    let before = snapshot(&side.yard.path("out"));
    for (out, base) in [
        ("out", "out"),
        ("out", "./out/../out/"),
        ("link", "out"),
        ("out", "link"),
        ("out/new/deep", "out"),
        ("link/new", "out"),
        ("out/below", "out"),
        (".", "out"),
    ] {
        let ran = side.mirror(out, &[&words[..], &["--base", base]].concat());
        assert_eq!(ran.status, Some(2), "{out} {base}: {}", ran.text());
        assert!(ran.text().contains("error[usage]"), "{out} {base}: {}", ran.text());
        assert_eq!(snapshot(&side.yard.path("out")), before);
    }
}

#[test]
fn what_a_bundle_states_is_no_proof_that_it_was_carried() {
    let side = Side::new();
    side.package("a.tgz", "one", 1);
    side.package("b.tgz", "b", 1);
    let words = ["--package", "a.tgz", "b.tgz", "--vendor-key", "vendor-1.pub"];
    side.mirror("one", &words).succeeded();
    side.package("c.tgz", "c", 1);
    let words = [&words[..], &["--package", "c.tgz", "--base", "one"]].concat();
    // A new package, and a bundle by somebody else that says it is the old one.
    side.site.put("a.tgz", "two");
    side.site.put("a.tgz_signature.bundle", bundle("one", 2));
    let ran = side.mirror("two", &words);
    assert_eq!(ran.status, Some(1), "{}", ran.text());
    let manifest = side.manifest("two");
    let names = |list: &Value| -> Vec<String> {
        let items = list.as_array().unwrap().iter();
        items.map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&manifest["omitted"]), ["a.tgz"]);
    assert_eq!(names(&manifest["base"]["artifacts"]), ["b.tgz"]);
}

#[test]
fn a_plan_knows_what_an_earlier_transfer_carried() {
    let side = Side::new();
    side.package("a.tgz", "one", 1);
    let words = ["--package", "a.tgz", "--vendor-key", "vendor-1.pub"];
    side.mirror("one", &words).succeeded();
    side.package("b.tgz", "two", 1);
    let words = ["--package", "a.tgz", "b.tgz", "--vendor-key", "vendor-1.pub", "--dry-run"];
    let ran = side.mirror("two", &[&words[..], &["--base", "one"]].concat());
    assert_eq!(ran.status, Some(0), "{}", ran.text());
    let carried = "a.tgz: 3 bytes, carried by --base, if its bundle still says so";
    assert!(ran.stdout.contains(carried), "{}", ran.text());
    assert!(ran.stdout.contains("to fetch: 3 B (3 bytes)"), "{}", ran.text());
    let ran = side.mirror("two", &words);
    assert!(ran.stdout.contains("to fetch: 6 B (6 bytes)"), "{}", ran.text());
    assert!(!side.yard.path("two").exists());
    // And no name stands twice in a line.
    side.site.put("b.tgz", "not two");
    let ran = side.mirror("two", &["--package", "b.tgz", "--vendor-key", "vendor-1.pub"]);
    assert!(ran.stdout.contains("b.tgz: OMITTED (digest-mismatch: "), "{}", ran.text());
    assert!(!ran.stdout.contains(": b.tgz: "), "{}", ran.text());
}

#[test]
fn the_report_says_what_the_exit_code_says() {
    let side = Side::new();
    side.package("a.tgz", "a", 1);
    let words = ["-o", "json", "--package", "a.tgz", "--vendor-key", "vendor-1.pub"];
    let report = |out: &str, more: &[&str], status: i32| -> String {
        let ran = side.mirror(out, &[&words[..], more].concat());
        assert_eq!(ran.status, Some(status), "{}", ran.text());
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(report["exit_status"], json!(status), "{report}");
        ran.text()
    };
    report("one", &[], 0);
    // A file that nobody asked for: nothing is sealed, and that is the result.
    fs::create_dir_all(side.yard.path("two/packages/x")).unwrap();
    fs::write(side.yard.path("two/packages/x/x"), "x").unwrap();
    assert!(report("two", &[], 1).contains("packages/x/x"));
    fs::create_dir_all(side.yard.path("three/x.sealift-tmp")).unwrap();
    // Nothing was fetched, so there is nothing to report.
    let ran = side.mirror("three", &words);
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{}", ran.text());
    assert!(ran.text().contains("output-exists"), "{}", ran.text());
    // All of it was carried before, by a bundle that verifies: nothing is new.
    assert!(report("four", &["--base", "one"], 2).contains("--base"));
    assert_eq!(fs::read_dir(side.yard.path("four")).unwrap().count(), 0);
    side.site.answer("b.tgz", 404, "");
    report("five", &["--package", "b.tgz"], 4);
}

#[test]
fn only_what_is_not_there_is_taken_for_unsigned() {
    let side = Side::new();
    side.package("b.tgz", "b", 1);
    side.site.put("a.tgz", "a");
    let words = ["--package", "a.tgz", "b.tgz", "--vendor-key", "vendor-1.pub"];
    let words = [&words[..], &["--allow-unsigned", "a.tgz"]].concat();
    side.site.answer("a.tgz_signature.bundle", 503, "");
    let ran = side.mirror("out", &words);
    assert_eq!(ran.status, Some(4), "{}", ran.text());
    assert_eq!(side.sealed("out"), ["b.tgz"]);
    side.site.answer("a.tgz_signature.bundle", 404, "");
    side.mirror("out", &words).succeeded();
    assert_eq!(side.sealed("out"), ["a.tgz", "b.tgz"]);
}

#[test]
fn an_image_is_no_package() {
    let side = Side::new();
    side.package("b.tgz", "b", 1);
    side.site.put("a.tgz", fs::read(example("hello-image.tar")).unwrap());
    let words = ["--package", "a.tgz", "b.tgz", "--vendor-key", "vendor-1.pub"];
    let ran = side.mirror("out", &[&words[..], &["--allow-unsigned", "a.tgz"]].concat());
    assert_eq!(ran.status, Some(1), "{}", ran.text());
    assert!(ran.text().contains("source-disagrees"), "{}", ran.text());
    assert_eq!(side.sealed("out"), ["b.tgz"]);
}

#[cfg(unix)]
#[test]
fn a_half_written_file_with_another_name_is_left_alone() {
    let side = Side::new();
    side.package("a.tgz", "a", 1);
    let precious = side.yard.path("precious");
    fs::write(&precious, "precious").unwrap();
    fs::create_dir_all(side.yard.path("out/packages/a.tgz.sealift-tmp")).unwrap();
    let half = side.yard.path("out/packages/a.tgz.sealift-tmp/a.tgz.sealift-tmp");
    fs::hard_link(&precious, &half).unwrap();
    let words = ["--package", "a.tgz", "--vendor-key", "vendor-1.pub"];
    // No run made the directory.
    let ran = side.mirror("out", &words);
    assert_eq!(ran.status, Some(2), "{}", ran.text());
    assert!(ran.text().contains("output-exists"), "{}", ran.text());
    assert_eq!(fs::read(&half).unwrap(), b"precious");
    assert_eq!(fs::read(&precious).unwrap(), b"precious");
}

#[test]
fn a_dripping_answer_has_an_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
                let mut more = stream.write_all(head.as_bytes());
                while more.is_ok() {
                    std::thread::sleep(Duration::from_millis(50));
                    more = stream.write_all(b"x");
                }
            });
        }
    });
    let options = HttpOptions {
        allow_http: true,
        retries: 0,
        stall_timeout: Duration::from_millis(200),
        ..HttpOptions::default()
    };
    let url = Url::parse(&format!("http://{address}/x")).unwrap();
    let begun = Instant::now();
    let hosts = Hosts::new([address.to_string()], true);
    let fault = Http::new(options).unwrap().small(&url, &hosts, 1 << 20, None).unwrap_err();
    assert_eq!(fault.code(), Code::NetworkFailed);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}
