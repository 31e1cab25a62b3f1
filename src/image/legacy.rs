//! The metadata of one layer as Docker wrote it before 1.10 ("v1 JSON"), which writers still leave next to
//! layers for engines of that age. No current engine reads it if the archive has a `manifest.json`.
//!
//! | member | who writes it | our rule |
//! |---|---|---|
//! | `id`, `parent` | all but old nix | 64 lower-case hexadecimal digits |
//! | `config` | all, for the topmost layer | an object; `leftover` compares it with the image's |
//! | `container_config` | Docker, containers/image | an object; engines never ran it |
//! | `created`, `author`, `comment`, `container`, `docker_version`, `architecture`, `variant`, `os`, `os.version` | all | texts |
//! | `os.features` | Windows images | texts |
//! | `Size`, `checksum` | nix | a number; a text |
//! | `throwaway` | rules_docker, crane | true or false |
//! | `rootfs` | crane (its type has no way to leave it out) | exactly as empty as Go writes it |
//! | any other | | refused: with layers, a history or manifests it could be read as another document |
//!
//! `null` means an absent member everywhere, as in Go.

use serde_json::{Map, Value};

use crate::digest::Sha256Digest;
use crate::json;
use crate::limits;

/// What matters of a v1 JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct V1 {
    pub(super) id: Option<Sha256Digest>,
    /// The form of `config`, unless that has no members.
    pub(super) config: Option<Sha256Digest>,
    /// Whether it has an empty `rootfs`.
    pub(super) rootfs: bool,
}

/// Reads a v1 JSON.
///
/// # Errors
/// Why it is not one, in words that follow "it".
pub(super) fn parse(bytes: &[u8]) -> Result<V1, &'static str> {
    let value = json::parse(bytes, limits::V1_JSON_BYTES).map_err(|_| "is no strict JSON")?;
    let object = value.as_object().ok_or("is no JSON object")?;
    let mut rootfs = false;
    for (key, value) in object.iter().filter(|(_, value)| !value.is_null()) {
        let fits = match key.as_str() {
            "id" | "parent" => hex(value).is_some(),
            "config" | "container_config" => value.is_object(),
            "created" | "author" | "comment" | "container" | "docker_version" | "architecture"
            | "variant" | "os" | "os.version" | "checksum" => value.is_string(),
            "os.features" => {
                value.as_array().is_some_and(|texts| texts.iter().all(Value::is_string))
            }
            "Size" => value.is_u64(),
            "throwaway" => value.is_boolean(),
            "rootfs" => {
                rootfs = true;
                is_empty_rootfs(value)
            }
            _ => return Err("has a member that the metadata of a layer doesn't have"),
        };
        if !fits {
            return Err("has a member that is not as the metadata of a layer has it");
        }
    }
    let config = object.get("config").and_then(Value::as_object);
    let config = config.filter(|config| !said(config, |_| true).is_empty());
    Ok(V1 {
        id: object.get("id").and_then(hex),
        config: config.map(|config| config_form(config, |_| true)),
        rootfs,
    })
}

/// The forms that an image's `config` may have in a v1 JSON: Docker writes the members that it knows,
/// containers/image all of them.
pub(super) fn config_forms(config: &Map<String, Value>) -> [Sha256Digest; 2] {
    [config_form(config, |_| true), config_form(config, |key| DOCKER_KNOWS.contains(&key))]
}

/// Members of Docker's `container.Config`.
const DOCKER_KNOWS: [&str; 25] = [
    "Hostname",
    "Domainname",
    "User",
    "AttachStdin",
    "AttachStdout",
    "AttachStderr",
    "ExposedPorts",
    "Tty",
    "OpenStdin",
    "StdinOnce",
    "Env",
    "Cmd",
    "Healthcheck",
    "ArgsEscaped",
    "Image",
    "Volumes",
    "WorkingDir",
    "Entrypoint",
    "NetworkDisabled",
    "MacAddress",
    "OnBuild",
    "Labels",
    "StopSignal",
    "StopTimeout",
    "Shell",
];

/// The members that say something: Go writes others with their zero value or leaves them out, as the
/// version has it.
fn said(config: &Map<String, Value>, known: impl Fn(&str) -> bool) -> Vec<(&String, &Value)> {
    let zero = |value: &Value| match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(value) => value.as_u64() == Some(0),
        Value::String(value) => value.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(members) => members.is_empty(),
    };
    let mut said: Vec<_> =
        config.iter().filter(|(key, value)| known(key) && !zero(value)).collect();
    said.sort_unstable_by_key(|(key, _)| *key);
    said
}

fn config_form(config: &Map<String, Value>, known: impl Fn(&str) -> bool) -> Sha256Digest {
    let text: Vec<String> = said(config, known)
        .into_iter()
        .map(|(key, value)| format!("{}:{value}", Value::from(key.as_str())))
        .collect();
    Sha256Digest::of(text.join(",").as_bytes())
}

/// A `rootfs` as Go writes an empty one.
fn is_empty_rootfs(value: &Value) -> bool {
    let Some(rootfs) = value.as_object() else { return false };
    rootfs.iter().all(|(key, value)| match key.as_str() {
        "type" => value.as_str() == Some(""),
        "diff_ids" => value.is_null(),
        _ => false,
    })
}

fn hex(value: &Value) -> Option<Sha256Digest> {
    Sha256Digest::from_hex(value.as_str()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    #[test]
    fn only_the_known_members_in_their_form() {
        let good = [
            format!(r#"{{"id":"{A}","parent":"{A}","created":"x","container":null}}"#),
            format!(r#"{{"id":"{A}","Size":3,"checksum":"tarsum","throwaway":true}}"#),
            format!(r#"{{"id":"{A}","rootfs":{{"type":"","diff_ids":null}},"config":{{}}}}"#),
            String::from(r#"{"architecture":"amd64","os":"linux"}"#),
        ];
        for text in good {
            assert!(parse(text.as_bytes()).is_ok(), "{text}");
        }
        let bad = [
            r#"{"id":"a"}"#,
            r#"{"ID":"a"}"#,
            r#"{"id":1}"#,
            r#"{"created":"a","created":"b"}"#,
            r#"{"history":[]}"#,
            r#"{"rootfs":{"type":"layers"}}"#,
            r#"{"rootfs":{"diff_ids":[]}}"#,
            r#"{"schemaVersion":2}"#,
            r#"{"layers":[]}"#,
            r#"{"manifests":[]}"#,
            r#"{"config":[]}"#,
            r#"{"Size":-1}"#,
            r"[]",
        ];
        for text in bad {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_config_is_what_it_says() {
        let config = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap();
        let forms = config_forms(&config(r#"{"Env":["A=b"],"Cmd":null,"Memory":5}"#));
        let v1 = |text: &str| parse(format!(r#"{{"config":{text}}}"#).as_bytes()).unwrap().config;
        assert_eq!(v1(r#"{"Env":["A=b"],"Tty":false,"Hostname":""}"#), Some(forms[1]));
        assert_eq!(v1(r#"{"Memory":5,"Env":["A=b"]}"#), Some(forms[0]));
        assert!(!forms.map(Some).contains(&v1(r#"{"Env":["A=c"]}"#)));
        assert!(!forms.map(Some).contains(&v1(r#"{"Env":["A=b"],"Cmd":["x"]}"#)));
        assert_eq!(v1(r#"{"Tty":false,"Cmd":null}"#), None);
    }
}
