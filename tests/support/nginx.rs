//! A real server: nginx over HTTPS on a free port, with a certificate of a CA made for it.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::skip;
use super::tools::{broken, run};

/// nginx, until it is dropped.
pub(crate) struct Nginx {
    folder: tempfile::TempDir,
    child: Child,
    ports: [u16; 2],
}

impl Nginx {
    /// Starts it with more lines for its `server` block; nothing where it is not installed.
    pub(crate) fn start(more: &str) -> Option<Self> {
        for (tool, word) in [("nginx", "-v"), ("openssl", "version")] {
            let mut command = Command::new(tool);
            command.arg(word).stdout(Stdio::null()).stderr(Stdio::null());
            if command.status().is_err() {
                skip(&format!("{tool} is not installed"));
                return None;
            }
        }
        let folder = tempfile::tempdir().unwrap();
        for name in ["files", "temporary"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        certificates(folder.path());
        // Somebody else may take the free port before nginx does.
        for _ in 0..5 {
            let ports = free_ports();
            if let Some(child) = start(folder.path(), ports, more) {
                return Some(Self { folder, child, ports });
            }
        }
        let log = fs::read_to_string(folder.path().join("error.log")).unwrap_or_default();
        broken(&format!("nginx does not start: {log}"));
        None
    }

    /// The PEM file of the CA.
    pub(crate) fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Where a file lies that is served as `/NAME`.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("files").join(name)
    }

    /// The URL of a path that begins with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.ports[0])
    }

    /// The same over HTTP/2.
    pub(crate) fn url_of_http2(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.ports[1])
    }

    /// A line for each request: its line, its Range, the status, and the bytes of the body.
    pub(crate) fn log(&self) -> String {
        // nginx writes it after the answer.
        thread::sleep(Duration::from_millis(50));
        fs::read_to_string(self.folder.path().join("access.log")).unwrap()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind(("127.0.0.1", 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

fn start(folder: &Path, [port, second]: [u16; 2], more: &str) -> Option<Child> {
    let here = folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {here}/temporary/{kind}; "))
        .collect();
    let text = format!(
        "daemon off; master_process off; pid {here}/pid; error_log {here}/error.log;
         events {{}}
         http {{
           {temporary}
           default_type application/octet-stream;
           log_format seen '$request|$http_range|$status|$body_bytes_sent|$http_if_range';
           access_log {here}/access.log seen;
           server {{
             listen 127.0.0.1:{port} ssl;
             listen 127.0.0.1:{second} ssl http2;
             server_name localhost;
             ssl_certificate {here}/tls.pem; ssl_certificate_key {here}/tls.key;
             root {here}/files;
             {more}
           }}
         }}"
    );
    let config = folder.join("nginx.conf");
    fs::write(&config, text).unwrap();
    let mut command = Command::new("nginx");
    command.arg("-p").arg(folder).arg("-c").arg(&config);
    let errors = fs::File::create(folder.join("start.log")).unwrap();
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors).spawn().ok()?;
    for _ in 0..200 {
        if child.try_wait().ok()?.is_some() {
            return None;
        }
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some(child);
        }
        thread::sleep(Duration::from_millis(20));
    }
    drop(child.kill());
    drop(child.wait());
    None
}

/// `ca.pem`, and `tls.pem` with `tls.key` for this machine.
fn certificates(folder: &Path) {
    const KEY: [&str; 5] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let openssl = |words: &[&str]| {
        run(Command::new("openssl").args(words).current_dir(folder)).succeeded();
    };
    let request = ["req", "-subj", "/CN=Sealift test CA", "-x509", "-days", "2"];
    let files = ["-keyout", "ca.key", "-out", "ca.pem"];
    openssl(&[&request[..], &KEY, &files].concat());
    let files = ["-keyout", "tls.key", "-out", "tls.csr"];
    openssl(&[&["req", "-subj", "/CN=localhost"][..], &KEY, &files].concat());
    let names = "subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n";
    fs::write(folder.join("names"), names).unwrap();
    let sign = ["x509", "-req", "-in", "tls.csr", "-CA", "ca.pem", "-CAkey", "ca.key"];
    let more = ["-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "tls.pem"];
    openssl(&[&sign[..], &more].concat());
}
