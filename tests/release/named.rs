//! What an operator names by an option is read as cosign reads it: text around the one PEM block, and of a trusted
//! root what is understood.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::made::{Made, VENDOR, line, logged};
use crate::support::log::{TestKey, TestLog, base64, sha256};
use crate::support::sealift;
use crate::support::tools::run;
use crate::support::transfers::private_pem;

fn openssl(made: &Made, words: &str) -> Vec<u8> {
    let mut command = Command::new("openssl");
    command.current_dir(made.yard.path("")).args(words.split_whitespace());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{words}");
    output.stdout
}

#[test]
fn a_named_key_may_have_text_around_its_one_block() {
    let made = Made::new();
    let key = TestKey::new(VENDOR).pem();
    made.package("a.tgz", "a").beside("k.pub", &key).beside("line", line("a"));
    let text = String::from_utf8(openssl(&made, "pkey -pubin -text -in k.pub")).unwrap();
    let other = TestKey::new(9).pem();
    let latin = [b"# Schl\xfcssel\n".as_slice(), key.as_bytes()].concat();
    for (good, file) in [
        (true, key.clone().into_bytes()),
        (true, format!("# Vendor release key\n{key}").into_bytes()),
        (true, format!("any text\n\n{key}and more\n").into_bytes()),
        (true, text.into_bytes()),
        (true, key.replace('\n', " \t\n").into_bytes()),
        (true, key.replace('\n', " \r\n").into_bytes()),
        (true, format!("\u{feff}{key}").into_bytes()),
        (true, latin),
        (false, format!("{key}{key}").into_bytes()),
        (false, format!("{key}{other}").into_bytes()),
        (false, format!("# -----BEGIN PUBLIC KEY-----\n{key}").into_bytes()),
        (false, format!("x {key}").into_bytes()),
        (false, format!("{}x", key.trim_end()).into_bytes()),
        (false, format!("{key}{}", private_pem(3)).into_bytes()),
        (false, private_pem(1).into_bytes()),
        (false, b"# nothing\n".to_vec()),
    ] {
        made.beside("vendor-1.pub", &file);
        let status = if good { 0 } else { 2 };
        assert_eq!(made.verify("").status, status, "{:?}", String::from_utf8_lossy(&file));
        let mut blob = sealift();
        blob.current_dir(made.yard.path("")).args(["verify-blob", "--insecure-ignore-tlog"]);
        blob.args(["--key", "vendor-1.pub", "--bundle", "r/a.tgz_signature.bundle", "line"]);
        assert_eq!(run(&mut blob).status == Some(0), good, "{:?}", String::from_utf8_lossy(&file));
        let mut inspect = sealift();
        inspect.current_dir(made.yard.path("")).args(["inspect", "vendor-1.pub"]);
        let inspected = run(&mut inspect);
        let by_text = file.starts_with(b"any") || file.starts_with(b"x ");
        assert!(by_text || (inspected.status == Some(0)) == good, "{}", inspected.text());
    }
}

fn root() -> Value {
    TestLog::new(77, "log.test").trusted_root()
}

/// A copy of the log, with something else in it, as another log.
fn another(id: [u8; 32], place: &str, value: &str) -> Value {
    let mut log = root()["tlogs"][0].clone();
    log["baseUrl"] = json!("https://other.test");
    log["logId"]["keyId"] = json!(base64(id));
    *log.pointer_mut(place).unwrap() = json!(value);
    log
}

#[test]
fn a_root_s_logs_that_are_not_understood_are_left_aside_and_said() {
    let made = Made::new();
    openssl(&made, "ecparam -name secp521r1 -genkey -noout -out p521.key");
    let der = openssl(&made, "ec -in p521.key -pubout -outform DER");
    made.package("none.tgz", "none");
    made.file("a.tgz", "a")
        .file("a.tgz_signature.bundle", logged(VENDOR, &line("a"), 1_735_689_600));
    let verify = |root: &Value, options: &str| {
        fs::write(made.yard.path("trusted_root.json"), root.to_string()).unwrap();
        let mut command = sealift();
        command.current_dir(made.yard.path("")).args(["verify", "--key", "vendor-1.pub"]);
        command.args(["--trusted-root", "trusted_root.json"]).args(options.split_whitespace());
        run(command.arg("r/a.tgz"))
    };
    let p521 = another(sha256(&der), "/publicKey/rawBytes", &base64(&der));
    let hash = another([7; 32], "/hashAlgorithm", "SHA3_512");
    for (list, log, words) in [
        ("tlogs", &p521, "ECDSA P-521 keys are not supported"),
        ("tlogs", &hash, "hash function SHA3_512"),
        ("ctlogs", &p521, "ECDSA P-521 keys are not supported"),
    ] {
        let mut more = root();
        if more[list].is_null() {
            more[list] = json!([]);
        }
        more[list].as_array_mut().unwrap().push(log.clone());
        let ran = verify(&more, "");
        assert_eq!(ran.status, Some(0), "{list}: {}", ran.text());
        assert!(
            ran.stderr.contains(words) && ran.stderr.contains("https://other.test"),
            "{}",
            ran.text()
        );
    }
    // The log that is needed is the one that can't be used.
    let mut needed = root();
    needed["tlogs"][0]["hashAlgorithm"] = json!("SHA3_512");
    let ran = verify(&needed, "");
    assert_eq!(ran.status, Some(3), "{}", ran.text());
    assert!(
        ran.stdout.contains("log-unknown") && ran.stdout.contains("SHA3_512"),
        "{}",
        ran.text()
    );
    // What is malformed is no unknown kind, and another spelling is no unknown member.
    for (place, value) in [("/publicKey/rawBytes", "AAAA"), ("/logId/keyId", "AAAA")] {
        let mut bad = root();
        bad["tlogs"].as_array_mut().unwrap().push(another([8; 32], place, value));
        let ran = verify(&bad, "");
        assert_eq!(ran.status, Some(2), "{place}: {}", ran.text());
        assert!(ran.stderr.contains("trusted-root-malformed"), "{}", ran.text());
    }
    let mut spelled = root();
    let log = spelled["tlogs"][0]["publicKey"].as_object_mut().unwrap();
    let window = log.remove("validFor").unwrap_or(json!({"start": "2020-01-01T00:00:00Z"}));
    log.insert("valid_for".to_owned(), window);
    assert_eq!(verify(&spelled, "").status, Some(2));
    let mut unknown = root();
    unknown["tlogs"][0]["witness"] = json!({});
    let ran = verify(&unknown, "");
    assert_eq!(ran.status, Some(0), "{}", ran.text());
    assert!(ran.stderr.contains("unknown member, ignored: tlogs[0].witness"), "{}", ran.text());
}
