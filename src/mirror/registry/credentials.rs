//! The credentials that `docker login` stored, in Docker's config file or with the helper program that it
//! names, read as Docker's own client does. They are never shown. It is not an error if they can't be read:
//! the image may be public.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64ct::{Base64, Encoding as _};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::verdict::{Code, Fault};
use crate::{json, limits};

/// The name under which Docker stores the credentials of docker.io.
const DOCKER_IO: &str = "https://index.docker.io/v1/";
/// Other names for it, which other tools use.
const ALSO_DOCKER_IO: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];

/// What authenticates a user to a registry.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Credentials {
    Password {
        user: String,
        password: String,
    },
    /// A refresh token for the registry's token service.
    Identity(String),
    /// A token for the registry itself.
    Registry(String),
}

/// What was found for a registry.
#[derive(Debug, Default)]
pub(super) struct Login {
    pub(super) credentials: Option<Credentials>,
    /// Why credentials could not be read.
    pub(super) error: Option<Fault>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password { .. } => "Password(…)",
            Self::Identity(_) => "Identity(…)",
            Self::Registry(_) => "Registry(…)",
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DockerConfig {
    /// Each is parsed when it is needed: a mistake in the entry of another registry does not matter.
    auths: Option<BTreeMap<String, Value>>,
    #[serde(rename = "credHelpers")]
    helpers: Option<BTreeMap<String, String>>,
    #[serde(rename = "credsStore")]
    store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AuthEntry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

/// Looks for the credentials of a registry in a directory of Docker's configuration.
pub(super) fn find(folder: &Path, registry: &str) -> Login {
    let path = folder.join("config.json");
    let found = read(&path).and_then(|bytes| match bytes {
        Some(bytes) => in_config(&bytes, registry),
        None => Ok(None),
    });
    match found {
        Ok(credentials) => Login { credentials, error: None },
        Err(fault) => {
            let error = Some(fault.at(path.display().to_string()));
            Login { credentials: None, error }
        }
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, Fault> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error.to_string())),
    };
    let mut bytes = Vec::new();
    file.take(limits::DOCKER_CONFIG_BYTES.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| failed(error.to_string()))?;
    Ok(Some(bytes))
}

fn in_config(bytes: &[u8], registry: &str) -> Result<Option<Credentials>, Fault> {
    // Docker accepts an empty file.
    if bytes.trim_ascii().is_empty() {
        return Ok(None);
    }
    let config: DockerConfig = parse(bytes, limits::DOCKER_CONFIG_BYTES)?;
    let docker = ALSO_DOCKER_IO.contains(&registry);
    let key = if docker { DOCKER_IO } else { registry };
    let helpers = config.helpers.unwrap_or_default();
    let others = ALSO_DOCKER_IO.iter().filter(|_| docker).find_map(|name| helpers.get(*name));
    if let Some(helper) = helpers.get(key).or(others).filter(|helper| !helper.is_empty()) {
        return ask(helper, key);
    }
    let stored = match config.store.filter(|store| !store.is_empty()) {
        Some(store) => ask(&store, key),
        None => Ok(None),
    };
    if let Ok(Some(found)) = stored {
        return Ok(Some(found));
    }
    let auths = config.auths.unwrap_or_default();
    let same = |name: &str| match host(name) {
        name if docker => ALSO_DOCKER_IO.contains(&name),
        name => name == key,
    };
    let entry = auths
        .get(key)
        .or_else(|| auths.iter().find(|(name, _)| same(name)).map(|(_, entry)| entry));
    let written = match entry {
        None => Ok(None),
        Some(entry) => in_entry(entry).map_err(|fault| fault.at(key)),
    };
    // A failing store does not matter if the file itself holds them.
    match written {
        Ok(None) => stored,
        other => other,
    }
}

/// The host of a name that was written as a URL, as old versions of Docker did.
fn host(name: &str) -> &str {
    let name = name.strip_prefix("https://").or(name.strip_prefix("http://")).unwrap_or(name);
    name.split('/').next().unwrap_or(name)
}

fn in_entry(entry: &Value) -> Result<Option<Credentials>, Fault> {
    let entry: AuthEntry = typed(entry.clone())?;
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    if let Some(token) = some(entry.identitytoken) {
        return Ok(Some(Credentials::Identity(token)));
    }
    if let Some(token) = some(entry.registrytoken) {
        return Ok(Some(Credentials::Registry(token)));
    }
    let Some(auth) = some(entry.auth) else {
        let user = some(entry.username);
        let password = entry.password.unwrap_or_default();
        return Ok(user.map(|user| Credentials::Password { user, password }));
    };
    // Its content is not shown: it is a password. Go's decoder ignores line breaks.
    let auth: String = auth.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let text = Base64::decode_vec(auth.trim_end_matches('\0'))
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| failed("\"auth\" is not the Base64 of a text"))?;
    let Some((user, password)) = text.split_once(':') else {
        return Err(failed("\"auth\" is not a user and a password"));
    };
    let (user, password) = (user.to_owned(), password.trim_matches('\0').to_owned());
    Ok(Some(Credentials::Password { user, password }))
}

#[derive(Deserialize)]
struct HelperResponse {
    #[serde(rename = "Username")]
    user: String,
    #[serde(rename = "Secret")]
    secret: String,
}

/// Gets credentials from a helper.
fn ask(helper: &str, key: &str) -> Result<Option<Credentials>, Fault> {
    // Docker Desktop writes `desktop.exe`. No name leads out of the directories of `PATH`.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if helper.is_empty() || helper.len() > 100 || !helper.bytes().all(plain) {
        return Err(failed(format!("{helper:?} can't be the name of a credential helper")));
    }
    let program = format!("docker-credential-{helper}");
    let (good, output) = run(&program, key).map_err(|error| failed(error).at(program.as_str()))?;
    if !good {
        // By Docker's protocol helpers say this on standard output. Their output is not shown.
        let said = String::from_utf8_lossy(&output);
        if said.contains("credentials not found") {
            return Ok(None);
        }
        return Err(failed("the credential helper failed").at(program));
    }
    let answer: HelperResponse =
        parse(&output, limits::HELPER_BYTES).map_err(|fault| fault.at(program))?;
    Ok(match answer.user.as_str() {
        "" => None,
        "<token>" => Some(Credentials::Identity(answer.secret)),
        _ => Some(Credentials::Password { user: answer.user, password: answer.secret }),
    })
}

/// Runs a helper; returns whether it succeeded, and the start of its output.
fn run(program: &str, key: &str) -> Result<(bool, Vec<u8>), String> {
    let mut child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("the credential helper can't be started: {error}"))?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    // A helper may neither read nor end, and its children may keep the pipe open. It is abandoned after a
    // time limit, so nothing here waits for the thread.
    let (send, receive) = std::sync::mpsc::channel();
    let key = key.to_owned();
    std::thread::spawn(move || {
        // A helper may respond without reading.
        let _ = stdin.map(|mut stdin| stdin.write_all(key.as_bytes()));
        let mut output = Vec::new();
        let read =
            stdout.map(|stdout| stdout.take(limits::HELPER_BYTES + 1).read_to_end(&mut output));
        let _ = send.send(read.and_then(Result::ok).map(|_| output));
    });
    let begun = Instant::now();
    let output = receive.recv_timeout(limits::HELPER_TIME);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => {
                let output = output.ok().flatten().ok_or("the credential helper wrote nothing")?;
                return Ok((status.success(), output));
            }
            Ok(None) if begun.elapsed() < limits::HELPER_TIME => {
                std::thread::sleep(Duration::from_millis(10))
            }
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("no answer within {} seconds", limits::HELPER_TIME.as_secs()));
            }
        }
    }
}

/// Parses strict JSON. Faults quote no value, which may be a password.
fn parse<T: DeserializeOwned>(bytes: &[u8], limit: u64) -> Result<T, Fault> {
    typed(json::parse(bytes, limit).map_err(|error| failed(error.to_string()))?)
}

fn typed<T: DeserializeOwned>(value: Value) -> Result<T, Fault> {
    serde_json::from_value(value)
        .map_err(|_| failed("a required field is missing or has the wrong type"))
}

fn failed(message: impl Into<String>) -> Fault {
    Fault::new(Code::CredentialsFailed, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, registry: &str) -> Option<Credentials> {
        in_config(text.as_bytes(), registry).unwrap()
    }

    #[test]
    fn what_docker_login_writes() {
        // user:pa:ss
        let text = r#"{"auths":{"r.example":{"auth":"dXNlcjpwYTpzcw=="},"https://index.docker.io/v1/":{"auth":"","identitytoken":"secret-token"},"https://old.example/v2/":{"auth":"dXNlcjpwYTpzcw=="},"empty.example":{}},"HttpHeaders":{"a":"b"},"credsStore":""}"#;
        let password = Credentials::Password { user: "user".into(), password: "pa:ss".into() };
        assert_eq!(found(text, "r.example"), Some(password.clone()));
        assert_eq!(found(text, "old.example"), Some(password.clone()));
        assert_eq!(found(text, "docker.io"), Some(Credentials::Identity("secret-token".into())));
        assert_eq!(found(text, "empty.example"), None);
        assert_eq!(found(text, "example"), None);
        assert_eq!(found("{}", "r.example"), None);
        assert!(!format!("{password:?}").contains("pa:ss"));
    }

    #[test]
    fn what_else_docker_reads() {
        let password = |user: &str, password: &str| {
            Some(Credentials::Password { user: user.into(), password: password.into() })
        };
        let auths = |entry: &str| format!(r#"{{"auths":{{"r.example":{{{entry}}}}}}}"#);
        let one = |entry: &str| found(&auths(entry), "r.example");
        assert_eq!(one(r#""username":"u","password":"p""#), password("u", "p"));
        assert_eq!(one(r#""username":"u","password":"p","auth":"""#), password("u", "p"));
        assert_eq!(one(r#""username":"x","password":"x","auth":"dTpw""#), password("u", "p"));
        assert_eq!(one(r#""auth":"dT\r\npw\n""#), password("u", "p"));
        let token = |text: &str| Some(Credentials::Registry(text.into()));
        assert_eq!(one(r#""registrytoken":"t""#), token("t"));
        assert_eq!(one(r#""email":"a@b","username":"""#), None);
        for empty in ["", " \n", "{}", r#"{"auths":null,"credsStore":""}"#] {
            assert_eq!(found(empty, "r.example"), None);
        }
        // Errors of another registry's entry, and a store that is missing although an entry exists.
        let other = r#"{"auths":{"bad.example":{"auth":7},"r.example":{"auth":"dTpw"}},"credsStore":"no-such-store"}"#;
        assert_eq!(found(other, "r.example"), password("u", "p"));
        for name in [DOCKER_IO, "docker.io", "index.docker.io", "https://docker.io/v2/"] {
            let text = format!(r#"{{"auths":{{"{name}":{{"auth":"dTpw"}}}}}}"#);
            assert_eq!(found(&text, "docker.io"), password("u", "p"), "{name}");
            assert_eq!(found(&text, "r.example"), None);
        }
        for name in ["https://r.example/v1/", "http://r.example", "r.example/team"] {
            let text = format!(r#"{{"auths":{{"{name}":{{"auth":"dTpw"}}}}}}"#);
            assert_eq!(found(&text, "r.example"), password("u", "p"), "{name}");
            assert_eq!(found(&text, "r.example.evil"), None);
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_secret() {
        for bad in [
            r#"{"auths":{"r.example":{"auth":"c2VjcmV0"}}}"#,
            r#"{"auths":{"r.example":{"auth":"c2VjcmV0!"}}}"#,
            r#"{"auths":{"r.example":{"auth":7}}}"#,
            r#"{"credHelpers":{"r.example":"../evil"}}"#,
            r#"{"credHelpers":{"r.example":"no-such-helper-c2VjcmV0"}}"#,
            r#"{"auths":{},"auths":{}}"#,
            r#"{"credsStore":"../evil"}"#,
            r#"{"credsStore":"a/b"}"#,
            r#"{"credsStore":"a\\b"}"#,
            "x",
        ] {
            let fault = in_config(bad.as_bytes(), "r.example").unwrap_err();
            assert_eq!(fault.code(), Code::CredentialsFailed, "{bad}");
            assert!(!fault.to_string().contains("secret"), "{fault}");
        }
    }
}
