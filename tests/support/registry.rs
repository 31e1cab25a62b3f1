//! A real registry (Debian's `docker-registry`) on a free port, with a folder of its own, and a wire
//! to it that can be cut.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::Duration;

use tempfile::TempDir;

use super::skip;
use super::tools::{broken, run};

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

/// A wire to a server: counts the bytes that come back, and is cut after so many of them.
pub(crate) struct Wire {
    pub(crate) host: String,
    counted: Arc<AtomicU64>,
    limit: Arc<AtomicU64>,
}

impl Wire {
    pub(crate) fn to(server: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (counted, limit) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(u64::MAX)));
        let wire = Self { host, counted: Arc::clone(&counted), limit: Arc::clone(&limit) };
        let server = server.to_owned();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if counted.load(Ordering::SeqCst) >= limit.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(server) = TcpStream::connect(&server) else { continue };
                let (counted, limit) = (Arc::clone(&counted), Arc::clone(&limit));
                std::thread::spawn(move || carry(&client, &server, &counted, &limit));
            }
        });
        wire
    }

    /// Lets so many bytes through from now on; then nothing at all.
    pub(crate) fn cut_after(&self, bytes: u64) {
        self.counted.store(0, Ordering::SeqCst);
        self.limit.store(bytes, Ordering::SeqCst);
    }

    /// How many bytes came back since the last call of [`Wire::cut_after`].
    pub(crate) fn counted(&self) -> u64 {
        self.counted.load(Ordering::SeqCst)
    }
}

fn carry(client: &TcpStream, server: &TcpStream, counted: &AtomicU64, limit: &AtomicU64) {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            drop(std::io::copy(&mut { client }, &mut { server }));
            drop(server.shutdown(Shutdown::Write));
        });
        let mut buffer = [0; 16 << 10];
        loop {
            let count = match (&mut { server }).read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            let before = counted.fetch_add(count as u64, Ordering::SeqCst);
            let left = limit.load(Ordering::SeqCst).saturating_sub(before);
            let through = usize::try_from(left).unwrap_or(usize::MAX).min(count);
            if (&mut { client }).write_all(&buffer[..through]).is_err() || through < count {
                break;
            }
        }
        drop(client.shutdown(Shutdown::Both));
        drop(server.shutdown(Shutdown::Both));
    });
}
