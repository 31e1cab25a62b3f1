//! Registries that want to know who asks: tokens, passwords, helpers, and certificates of one's own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::mirror::{Mirror, plain};
use super::server::DockerRegistry;
use super::token_service::{IDENTITY, PASSWORD, TokenService, USER};
use crate::support::tools::run;
use base64ct::{Base64, Encoding as _};
use sealift::image::CandidateKind;
use sealift::mirror::Platforms;
use sealift::verdict::Code;
use tempfile::TempDir;

#[test]
fn tokens_and_passwords() {
    let folder = TempDir::new().unwrap();
    let (_, manifest, _) = plain(folder.path(), &[1 << 20]);
    let Some(registry) = DockerRegistry::open() else { return };
    registry.push(folder.path(), "closed/plain:1", &[]);
    registry.push(folder.path(), "public/plain:1", &[]);
    let tokens = TokenService::start(folder.path());
    let Some(registry) = registry.again("", &tokens.config(folder.path())) else { return };
    let reference = format!("{}/closed/plain:1", registry.host);
    let mut mirror = Mirror::from(&registry.host);
    mirror.options.platforms = Platforms::One;

    // Nobody, somebody with a wrong password, and somebody who is known.
    assert_eq!(mirror.refused(&reference).code(), Code::HttpRefused);
    mirror.bring(&format!("{}/public/plain:1", registry.host)).unwrap();
    mirror.config(&basic(&registry.host, "wrong"));
    let fault = mirror.refused(&reference);
    assert_eq!(fault.code(), Code::HttpRefused);
    assert!(fault.to_string().contains("credentials were refused"), "{fault}");
    mirror.config(&basic(&registry.host, PASSWORD));
    mirror
        .bring(&reference)
        .unwrap()
        .proves(CandidateKind::Manifest, manifest["digest"].as_str().unwrap());
    mirror.config(&login(&registry.host, &format!(r#""identitytoken":"{IDENTITY}""#)));
    mirror.bring(&reference).unwrap();
    mirror.config(&login(&registry.host, r#""identitytoken":"other""#));
    assert_eq!(mirror.refused(&reference).code(), Code::HttpRefused);

    // A token that expires in between: late already, but the registry grants a minute.
    mirror.config(&basic(&registry.host, PASSWORD));
    *tokens.life.lock().unwrap() = -56;
    let before = tokens.count();
    let renewed = mirror.bring_after(&reference, || {
        std::thread::sleep(Duration::from_millis(5100));
        *tokens.life.lock().unwrap() = 300;
    });
    renewed.unwrap();
    assert_eq!(tokens.count() - before, 2);
    for line in tokens.asked.lock().unwrap().iter() {
        assert!(!line.contains("sesame"), "{line}");
    }

    // Over TLS nobody is sent to a place without it.
    let (certificate, http) = tls(folder.path());
    let Some(registry) = registry.again(&http, &tokens.config(folder.path())) else { return };
    mirror.http.ca_pem = vec![certificate];
    let fault = mirror.refused(&format!("{}/closed/plain:1", registry.host));
    assert_eq!(fault.code(), Code::CredentialsFailed, "{fault}");

    // A password with every request.
    let users = folder.path().join("users");
    // What `htpasswd -B` makes of the password "open sesame".
    let user = "$2y$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW";
    fs::write(&users, format!("{USER}:{user}\n")).unwrap();
    let auth = format!("auth:\n  htpasswd:\n    realm: us\n    path: {}\n", users.display());
    let Some(registry) = registry.again(&http, &auth) else { return };
    let reference = format!("{}/closed/plain:1", registry.host);
    assert_eq!(mirror.refused(&reference).code(), Code::HttpRefused);
    mirror.config(&basic(&registry.host, "wrong"));
    assert_eq!(mirror.refused(&reference).code(), Code::HttpRefused);
    mirror.config(&basic(&format!("https://{}/v2/", registry.host), PASSWORD));
    mirror.bring(&reference).unwrap();
    a_helper_is_asked(&registry.host, &mirror);
    // A certificate that nobody vouches for.
    mirror.http.ca_pem = Vec::new();
    let fault = mirror.refused(&reference);
    assert_eq!(fault.code(), Code::NetworkFailed);
    assert!(fault.to_string().to_lowercase().contains("certificate"), "{fault}");
}

/// What `docker login` leaves for a host.
fn login(host: &str, auth: &str) -> String {
    format!(r#"{{"auths":{{"{host}":{{{auth}}}}}}}"#)
}

fn basic(host: &str, password: &str) -> String {
    let text = Base64::encode_string(format!("{USER}:{password}").as_bytes());
    login(host, &format!(r#""auth":"{text}""#))
}

/// Credentials from helpers: this program once more, with helpers in its `PATH`.
fn a_helper_is_asked(host: &str, mirror: &Mirror) {
    let folder = TempDir::new().unwrap();
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", folder.path().display());
    let known = format!(
        "test \"$1 $(cat)\" = \"get {host}\" || exit 9\necho '{{\"ServerURL\":\"x\",\"Username\":\"{USER}\",\"Secret\":\"{PASSWORD}\"}}'"
    );
    let helpers = [
        ("known", known.as_str(), "brought"),
        ("unknown", "echo credentials not found in native keychain; exit 1", "http-refused"),
        ("failing", "echo sesame; exit 1", "credentials-failed"),
        ("chatty", "yes sesame", "credentials-failed"),
        ("wrong", "echo '{\"Username\":\"sesame\"}'", "credentials-failed"),
        ("../known", "", "credentials-failed"),
    ];
    for (helper, script, expected) in helpers {
        if !script.is_empty() {
            let file = folder.path().join(format!("docker-credential-{helper}"));
            fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        for config in [
            format!(r#"{{"credsStore":"{helper}"}}"#),
            format!(r#"{{"credHelpers":{{"{host}":"{helper}"}},"credsStore":"none"}}"#),
        ] {
            fs::write(folder.path().join("config.json"), config).unwrap();
            fs::write(folder.path().join("ca"), &mirror.http.ca_pem[0]).unwrap();
            let ran = run(Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "registry::login::bring_once", "--ignored", "--nocapture"])
                .env("PATH", &path)
                .env("SEALIFT_TEST_HOST", host)
                .env("SEALIFT_TEST_FOLDER", folder.path()));
            let text = ran.text();
            assert!(text.contains(&format!("answer: {expected}\n")), "{helper}: {text}");
            assert!(!text.contains("sesame"), "{text}");
        }
    }
}

#[test]
#[ignore = "a part of tokens_and_passwords, in a process of its own"]
fn bring_once() {
    let Ok(host) = std::env::var("SEALIFT_TEST_HOST") else { return };
    let folder = PathBuf::from(std::env::var_os("SEALIFT_TEST_FOLDER").unwrap());
    let mut mirror = Mirror::from(&host);
    mirror.http.allow_http = false;
    mirror.http.ca_pem = vec![fs::read(folder.join("ca")).unwrap()];
    mirror.config(&fs::read_to_string(folder.join("config.json")).unwrap());
    match mirror.bring(&format!("{host}/closed/plain:1")) {
        Ok(_) => println!("answer: brought"),
        Err(fault) => println!("answer: {}\n{fault}", fault.code()),
    }
}

/// A certificate for 127.0.0.1 with an authority of its own, and the lines of configuration for it.
fn tls(folder: &Path) -> (Vec<u8>, String) {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let openssl = |arguments: &[&str]| {
        run(Command::new("openssl").args(arguments)).succeeded();
    };
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let (ca, ca_key, cert) = (path("ca.crt"), path("ca.key"), path("tls.crt"));
    let (tls_key, request, extensions) = (path("tls.key"), path("tls.csr"), path("tls.ext"));
    let authority = ["-x509", "-days", "2", "-subj", "/CN=ca", "-keyout", &ca_key, "-out", &ca];
    openssl(&[&["req"], &key[..], &authority[..]].concat());
    let asked = ["-subj", "/CN=registry", "-keyout", &tls_key, "-out", &request];
    openssl(&[&["req"], &key[..], &asked[..]].concat());
    fs::write(&extensions, "subjectAltName=IP:127.0.0.1\n").unwrap();
    let signed = ["-CA", &ca, "-CAkey", &ca_key, "-CAcreateserial", "-days", "2", "-out", &cert];
    let input = ["x509", "-req", "-in", &request, "-extfile", &extensions];
    openssl(&[&input[..], &signed[..]].concat());
    let http = format!("  tls:\n    certificate: {cert}\n    key: {tls_key}\n");
    (fs::read(ca).unwrap(), http)
}
