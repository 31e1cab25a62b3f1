//! A real registry (Debian's `docker-registry`) on a free port, with a folder of its own.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::skip;
use crate::support::tools::{broken, run};

/// A running registry; it ends when this is dropped.
pub(crate) struct DockerRegistry {
    server: Child,
    pub(crate) folder: TempDir,
    /// `127.0.0.1:PORT`
    pub(crate) host: String,
}

/// Whether every one of these programs is here; says which one is not.
pub(crate) fn here(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    programs.iter().all(|program| {
        let here = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
        if !here {
            skip(&format!("{program} is not installed"));
        }
        here
    })
}

impl DockerRegistry {
    /// A registry open to all, over plain HTTP.
    pub(crate) fn open() -> Option<Self> {
        Self::start(TempDir::new().unwrap(), "", "")
    }

    /// A registry with lines more in its configuration, below `http:` and at the top.
    pub(crate) fn start(folder: TempDir, http: &str, top: &str) -> Option<Self> {
        if !here(&["docker-registry", "skopeo", "openssl"]) {
            return None;
        }
        // Another process may take the port before the registry does: then another one.
        for _ in 0..5 {
            let port = free_port();
            let config = format!(
                "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:{port}\n{http}{top}",
                folder.path().join("data").display()
            );
            let file = folder.path().join("config.yml");
            fs::write(&file, config).unwrap();
            let log = fs::File::create(folder.path().join("log")).unwrap();
            let mut server = Command::new("docker-registry")
                .arg("serve")
                .arg(&file)
                .stdin(Stdio::null())
                .stdout(log.try_clone().unwrap())
                .stderr(log)
                .spawn()
                .unwrap();
            for _ in 0..500 {
                if server.try_wait().unwrap().is_some() {
                    break;
                }
                if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                    return Some(Self { server, folder, host: format!("127.0.0.1:{port}") });
                }
                sleep(Duration::from_millis(10));
            }
            drop(server.kill());
            drop(server.wait());
        }
        let log = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        broken(&format!("docker-registry does not start: {log}"));
        None
    }

    /// The same registry with other lines in its configuration, on another port.
    pub(crate) fn again(mut self, http: &str, top: &str) -> Option<Self> {
        let folder = std::mem::replace(&mut self.folder, TempDir::new().unwrap());
        drop(self);
        Self::start(folder, http, top)
    }

    /// Copies an OCI layout to the registry, with everything that its index leads to.
    #[track_caller]
    pub(crate) fn push(&self, layout: &Path, name: &str, more: &[&str]) {
        let from = format!("oci:{}", layout.display());
        let to = format!("docker://{}/{name}", self.host);
        let mut command = Command::new("skopeo");
        command.args(["copy", "--insecure-policy", "--quiet", "--all", "--preserve-digests"]);
        run(command.arg("--dest-tls-verify=false").args(more).args([from, to])).succeeded();
    }

    /// Puts a manifest of any kind, which no tool would push; what it names must be there.
    #[track_caller]
    pub(crate) fn put(&self, name: &str, tag: &str, media_type: &str, bytes: &[u8]) {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let head = format!(
            "PUT /v2/{name}/manifests/{tag} HTTP/1.1\r\nHost: {}\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.host,
            bytes.len()
        );
        stream.write_all(&[head.as_bytes(), bytes].concat()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    }

    /// The file in which the registry keeps a blob, a manifest or a config.
    pub(crate) fn blob(&self, digest: &str) -> PathBuf {
        let hex = digest.trim_start_matches("sha256:");
        let folder = self.folder.path().join("data/docker/registry/v2/blobs/sha256");
        folder.join(&hex[..2]).join(hex).join("data")
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
