//! The credentials that `docker login` left: from Docker's config file, or from the helper program
//! that it names. They are never shown.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64ct::{Base64, Encoding as _};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::json;
use crate::verdict::{Code, Fault};

const CONFIG_BYTES: u64 = 1 << 20;
const ANSWER_BYTES: u64 = 64 << 10;
const HELPER_TIME: Duration = Duration::from_secs(30);
/// Under what name Docker keeps the credentials of docker.io.
const DOCKER_IO: &str = "https://index.docker.io/v1/";

/// How to show a registry who is asking.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Credentials {
    Password {
        user: String,
        password: String,
    },
    /// A refresh token for the registry's token service.
    Identity(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password { .. } => "Password(…)",
            Self::Identity(_) => "Identity(…)",
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Config {
    auths: Option<BTreeMap<String, Login>>,
    #[serde(rename = "credHelpers")]
    helpers: Option<BTreeMap<String, String>>,
    #[serde(rename = "credsStore")]
    store: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Login {
    auth: Option<String>,
    identitytoken: Option<String>,
}

/// Looks for the credentials of a registry in a directory of Docker's configuration.
pub(super) fn find(folder: &Path, registry: &str) -> Result<Option<Credentials>, Fault> {
    let path = folder.join("config.json");
    let shown = path.display().to_string();
    let file = match std::fs::File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error.to_string()).at(shown)),
    };
    let mut bytes = Vec::new();
    file.take(CONFIG_BYTES.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| failed(error.to_string()).at(shown.as_str()))?;
    in_config(&bytes, registry).map_err(|fault| fault.at(shown))
}

fn in_config(bytes: &[u8], registry: &str) -> Result<Option<Credentials>, Fault> {
    let config: Config = parse(bytes, CONFIG_BYTES)?;
    let key = if registry == "docker.io" { DOCKER_IO } else { registry };
    if let Some(helper) = config.helpers.unwrap_or_default().get(key) {
        return ask(helper, key);
    }
    if let Some(store) = config.store.filter(|store| !store.is_empty())
        && let Some(found) = ask(&store, key)?
    {
        return Ok(Some(found));
    }
    let auths = config.auths.unwrap_or_default();
    let login = auths.get(key).or_else(|| {
        auths.iter().find(|(name, _)| key != DOCKER_IO && host(name) == key).map(|(_, it)| it)
    });
    match login {
        None => Ok(None),
        Some(login) => in_login(login).map_err(|fault| fault.at(key)),
    }
}

/// The host of a name that was written as a URL, as old versions of Docker did.
fn host(name: &str) -> &str {
    let name = name.trim_start_matches("https://").trim_start_matches("http://");
    name.split('/').next().unwrap_or(name)
}

fn in_login(login: &Login) -> Result<Option<Credentials>, Fault> {
    let some = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if let Some(token) = some(&login.identitytoken) {
        return Ok(Some(Credentials::Identity(token)));
    }
    let Some(auth) = some(&login.auth) else { return Ok(None) };
    // No word of what it holds: it is a password.
    let text = Base64::decode_vec(auth.trim_end_matches('\0'))
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| failed("\"auth\" is not the Base64 of a text"))?;
    let Some((user, password)) = text.split_once(':') else {
        return Err(failed("\"auth\" is not a user and a password"));
    };
    let (user, password) = (user.to_owned(), password.trim_end_matches('\0').to_owned());
    Ok(Some(Credentials::Password { user, password }))
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Username")]
    user: String,
    #[serde(rename = "Secret")]
    secret: String,
}

/// Asks a credential helper.
fn ask(helper: &str, key: &str) -> Result<Option<Credentials>, Fault> {
    let plain = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-';
    if helper.is_empty() || !helper.bytes().all(plain) {
        return Err(failed(format!("{helper:?} can't be the name of a credential helper")));
    }
    let program = format!("docker-credential-{helper}");
    let (good, output) = run(&program, key).map_err(|error| failed(error).at(program.as_str()))?;
    if !good {
        // The helpers say so on standard output; nothing else of their output is shown.
        let said = String::from_utf8_lossy(&output);
        if said.contains("credentials not found") {
            return Ok(None);
        }
        return Err(failed("the credential helper failed").at(program));
    }
    let answer: Answer = parse(&output, ANSWER_BYTES).map_err(|fault| fault.at(program))?;
    Ok(match answer.user.as_str() {
        "" => None,
        "<token>" => Some(Credentials::Identity(answer.secret)),
        _ => Some(Credentials::Password { user: answer.user, password: answer.secret }),
    })
}

/// Runs a helper: whether it succeeded, and the beginning of what it wrote.
fn run(program: &str, key: &str) -> Result<(bool, Vec<u8>), String> {
    let mut child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("the credential helper can't be started: {error}"))?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    // A helper that neither reads nor ends, or whose own children keep the pipe open, is left behind
    // after its time: so nothing here waits for the threads.
    let (send, receive) = std::sync::mpsc::channel();
    let key = key.to_owned();
    std::thread::spawn(move || {
        // A helper may answer without reading.
        let _ = stdin.map(|mut stdin| stdin.write_all(key.as_bytes()));
        let mut output = Vec::new();
        let read = stdout.map(|stdout| stdout.take(ANSWER_BYTES + 1).read_to_end(&mut output));
        let _ = send.send(read.and_then(Result::ok).map(|_| output));
    });
    let deadline = Instant::now() + HELPER_TIME;
    let output = receive.recv_timeout(HELPER_TIME);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => {
                let output = output.ok().flatten().ok_or("the credential helper wrote nothing")?;
                return Ok((status.success(), output));
            }
            Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(10)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("no answer within {} seconds", HELPER_TIME.as_secs()));
            }
        }
    }
}

/// Strict JSON; a fault names no value, as it may be a password.
fn parse<T: DeserializeOwned>(bytes: &[u8], limit: u64) -> Result<T, Fault> {
    let value = json::parse(bytes, limit).map_err(|error| failed(error.to_string()))?;
    serde_json::from_value(value)
        .map_err(|_| failed("a field that is needed has another type, or is not there"))
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
    fn what_is_wrong_is_said_without_the_secret() {
        for bad in [
            r#"{"auths":{"r.example":{"auth":"c2VjcmV0"}}}"#,
            r#"{"auths":{"r.example":{"auth":"c2VjcmV0!"}}}"#,
            r#"{"auths":{"r.example":{"auth":7}}}"#,
            r#"{"credHelpers":{"r.example":"../evil"}}"#,
            r#"{"credHelpers":{"r.example":"no-such-helper-c2VjcmV0"}}"#,
            r#"{"auths":{},"auths":{}}"#,
            "",
        ] {
            let fault = in_config(bad.as_bytes(), "r.example").unwrap_err();
            assert_eq!(fault.code(), Code::CredentialsFailed, "{bad}");
            assert!(!fault.to_string().contains("secret"), "{fault}");
        }
    }
}
