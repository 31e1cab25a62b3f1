//! Images from a container engine, by its own command line: pull, inspect, save.
//!
//! The engine is not trusted: the caller compares what `inspect` prints with what the saved archive
//! proves.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{FetchRecord, FoundImage, ImageDescription, ImageSource, ProgressTask, Watch};
use crate::digest::{Hasher, Sha256Digest};
use crate::directory::{Folder, TEMPORARY};
use crate::json;
use crate::limits;
use crate::verdict::{Code, Fault};

/// Which engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineKind {
    /// `docker`.
    Docker,
    /// `podman`.
    Podman,
}

impl EngineKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }
}

/// A container engine.
#[derive(Debug, Clone)]
pub struct Engine {
    program: EngineKind,
    pull: bool,
    platform: Option<String>,
}

impl Engine {
    /// An engine. Without `pull` it finds only images that it has already; a platform says which one to
    /// pull.
    #[must_use]
    pub const fn new(program: EngineKind, pull: bool, platform: Option<String>) -> Self {
        Self { program, pull, platform }
    }

    fn inspect(&self, reference: &str) -> Result<Value, Fault> {
        let arguments = ["image", "inspect", "--format", "{{json .}}", reference];
        let printed = self.printed(&arguments)?;
        let refuse = |reason: String| {
            let message = format!("what `{} image inspect` printed: {reason}", self.program.name());
            Fault::new(Code::EngineFailed, message).at(reference)
        };
        json::parse(printed.trim_ascii_end(), limits::ENGINE_OUTPUT_BYTES)
            .map_err(|error| refuse(error.to_string()))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program.name());
        command.args(arguments).stdin(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// Runs a command of the engine that prints little.
    fn printed(&self, arguments: &[&str]) -> Result<Vec<u8>, Fault> {
        let mut printed = Vec::new();
        self.run(arguments, &mut |out| {
            let most = limits::ENGINE_OUTPUT_BYTES.saturating_add(1);
            out.take(most)
                .read_to_end(&mut printed)
                .map(drop)
                .map_err(|error| Fault::new(Code::EngineFailed, error.to_string()))
        })?;
        Ok(printed)
    }

    /// Runs a command of the engine and hands what it prints to `read`.
    fn run(
        &self,
        arguments: &[&str],
        read: &mut dyn FnMut(&mut dyn Read) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let name = self.program.name();
        let words = || format!("`{name} {}`", arguments.join(" "));
        let fail =
            |reason: String| Fault::new(Code::EngineFailed, format!("{}: {reason}", words()));
        let mut child = self
            .command(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| fail(error.to_string()))?;
        let (Some(mut out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(fail(String::from("its output can't be read")));
        };
        // Its messages are read at the same time as its output: a full pipe would stop it.
        let messages = std::thread::spawn(move || {
            let mut text = Vec::new();
            let mut err = err;
            let _ = (&mut err).take(limits::ENGINE_WORDS_BYTES).read_to_end(&mut text);
            let _ = std::io::copy(&mut err, &mut std::io::sink());
            text
        });
        let result = read(&mut out);
        drop(out);
        if result.is_err() {
            let _ = child.kill();
        }
        let status = child.wait().map_err(|error| fail(error.to_string()))?;
        let text = messages.join().unwrap_or_default();
        result?;
        if status.success() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&text);
        let last = text.trim().lines().last().unwrap_or("it says nothing").trim().to_owned();
        Err(fail(format!("{status}: {last}")))
    }
}

impl ImageSource for Engine {
    fn find(&self, reference: &str, watch: &dyn Watch) -> Result<Box<dyn FoundImage + '_>, Fault> {
        plain(reference)?;
        if self.pull {
            let task = ProgressTask::begin(
                watch,
                &format!("{} pull {reference}", self.program.name()),
                0,
                None,
            );
            let mut arguments = vec!["pull", "--quiet"];
            if let Some(platform) = &self.platform {
                arguments.extend(["--platform", platform]);
            }
            arguments.push(reference);
            self.printed(&arguments)?;
            drop(task);
        }
        let facts = self.inspect(reference)?;
        let description = describe(self.program, reference, &facts)?;
        Ok(Box::new(EngineImage { engine: self, reference: reference.to_owned(), description }))
    }
}

/// An image that an engine has.
#[derive(Debug)]
struct EngineImage<'a> {
    engine: &'a Engine,
    reference: String,
    description: ImageDescription,
}

impl FoundImage for EngineImage<'_> {
    fn description(&self) -> &ImageDescription {
        &self.description
    }

    fn fetch(
        &self,
        folder: &Folder,
        name: &str,
        watch: &dyn Watch,
    ) -> Result<Vec<FetchRecord>, Fault> {
        let mut arguments = vec!["save"];
        if self.engine.program == EngineKind::Podman {
            arguments.extend(["--format", "docker-archive"]);
        }
        arguments.push(&self.reference);
        let task = ProgressTask::begin(watch, &self.reference, 0, self.description.size);
        let mut saved = None;
        self.engine.run(&arguments, &mut |out| {
            saved = Some(write_stream(out, folder, name, &task)?);
            Ok(())
        })?;
        let Some((size, sha256)) = saved else {
            return Err(Fault::new(Code::EngineFailed, "nothing was saved").at(&self.reference));
        };
        folder.commit(name)?;
        Ok(vec![FetchRecord::local(self.description.source.clone(), name, size, sha256)])
    }
}

/// Writes a stream to the temporary file for `name`, hashes it, and syncs it to the medium.
pub(super) fn write_stream(
    from: &mut dyn Read,
    folder: &Folder,
    name: &str,
    task: &ProgressTask<'_>,
) -> Result<(u64, Sha256Digest), Fault> {
    let mut file = folder.part(name)?;
    let unwritable = |error: std::io::Error| {
        Fault::new(Code::WriteFailed, error.to_string())
            .at(folder.show(&format!("{name}{TEMPORARY}")))
    };
    // A stream can't be continued, so what an earlier run left is overwritten.
    file.set_len(0).map_err(unwritable)?;
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; limits::COPY_BYTES];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Fault::new(Code::Unreadable, error.to_string())),
        };
        let bytes = buffer.get(..count).unwrap_or_default();
        hasher.update(bytes);
        file.write_all(bytes).map_err(unwritable)?;
        task.advance(count as u64);
    }
    file.sync_all().map_err(unwritable)?;
    Ok((hasher.bytes(), hasher.finish()))
}

/// Refuses a reference that a command line could take for anything else.
fn plain(reference: &str) -> Result<(), Fault> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:/@+".contains(&byte);
    let first = reference.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if first && reference.len() <= 1024 && reference.bytes().all(fits) {
        return Ok(());
    }
    Err(Fault::new(Code::ReferenceInvalid, "not an image reference").at(reference))
}

/// What `image inspect` says that is of use here.
fn describe(
    program: EngineKind,
    reference: &str,
    facts: &Value,
) -> Result<ImageDescription, Fault> {
    let lacking = |what: &str| {
        let message = format!("`{} image inspect` prints no {what}", program.name());
        Fault::new(Code::EngineFailed, message).at(reference)
    };
    // Podman prints a list, whatever the format.
    let facts = match facts.as_array().map(Vec::as_slice) {
        Some([one]) => one,
        _ => facts,
    };
    let id = facts.get("Id").and_then(Value::as_str).ok_or_else(|| lacking("Id"))?;
    // Podman prints it without the algorithm.
    let id = Sha256Digest::from_hex(id.strip_prefix("sha256:").unwrap_or(id))
        .map_err(|_| lacking("SHA-256 as Id"))?;
    let config = facts.get("Config").and_then(|config| config.get("Labels"));
    let labels = facts.get("Labels").filter(|labels| labels.is_object()).or(config);
    let labels = labels
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect();
    Ok(ImageDescription {
        source: format!("{}:{reference}@{id}", program.name()),
        labels: vec![labels],
        size: facts.get("Size").and_then(Value::as_u64),
        stated: vec![id],
        whole: None,
        notes: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_no_options_and_no_paths() {
        for good in ["app:1", "reg.example:5000/team/app@sha256:ab", "0a1b"] {
            assert!(plain(good).is_ok(), "{good}");
        }
        for bad in ["", "-it", "--help", "a b", "a;b", "$(x)", "a\nb", "/etc/passwd", "./x"] {
            assert_eq!(plain(bad).unwrap_err().code(), Code::ReferenceInvalid, "{bad:?}");
        }
    }

    #[test]
    fn both_engines_words_are_understood() {
        let hex = Sha256Digest::of(b"x").to_hex();
        let docker = serde_json::json!({"Id": format!("sha256:{hex}"), "Size": 7,
            "Config": {"Labels": {"a": "b"}}});
        let podman = serde_json::json!({"Id": hex, "Labels": {"a": "b"}, "Config": {}});
        let list = serde_json::json!([podman]);
        for (program, facts) in
            [(EngineKind::Docker, docker), (EngineKind::Podman, podman), (EngineKind::Podman, list)]
        {
            let found = describe(program, "app:1", &facts).unwrap();
            assert_eq!(found.stated, [Sha256Digest::of(b"x")]);
            assert_eq!(found.labels[0]["a"], "b");
            assert_eq!(found.source, format!("{}:app:1@sha256:{hex}", program.name()));
        }
        for odd in [r#"{"Id": "sha512:00"}"#, "[]", "[{}, {}]", "7"] {
            let odd: Value = serde_json::from_str(odd).unwrap();
            assert!(describe(EngineKind::Docker, "app:1", &odd).is_err());
        }
    }
}
