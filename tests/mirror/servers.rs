//! The vendor's site (nginx over HTTPS, with a certificate authority of its own) and a registry. Each is
//! started once for the whole program and ends with it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

use crate::support::skip;
use crate::support::tools::{broken, run};

/// The site.
pub(crate) struct Site {
    pub(crate) root: PathBuf,
    pub(crate) ca: PathBuf,
    /// `127.0.0.1:PORT`, HTTPS.
    pub(crate) place: String,
    plain: u16,
    log: PathBuf,
    _server: Child,
}

/// The registry.
pub(crate) struct Registry {
    /// `127.0.0.1:PORT`
    pub(crate) host: String,
    log: PathBuf,
    data: PathBuf,
    _server: Child,
}

/// Whether every one of these programs is here; says which one is not.
pub(crate) fn here(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    programs.iter().all(|program| {
        let found = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
        if !found {
            skip(&format!("{program} is not installed"));
        }
        found
    })
}

/// The one site.
pub(crate) fn site() -> Option<&'static Site> {
    static SITE: OnceLock<Option<Site>> = OnceLock::new();
    SITE.get_or_init(|| {
        let sbin = Path::new("/usr/sbin/nginx").is_file();
        if !(sbin || here(&["nginx"])) || !here(&["openssl"]) {
            return None;
        }
        let started =
            (0..5).find_map(|_| Site::start(if sbin { "/usr/sbin/nginx" } else { "nginx" }));
        if started.is_none() {
            broken("nginx does not start");
        }
        started
    })
    .as_ref()
}

/// The one registry.
pub(crate) fn registry() -> Option<&'static Registry> {
    static REGISTRY: OnceLock<Option<Registry>> = OnceLock::new();
    REGISTRY
        .get_or_init(|| {
            if !here(&["docker-registry"]) {
                return None;
            }
            let started = (0..5).find_map(|_| Registry::start());
            if started.is_none() {
                broken("docker-registry does not start");
            }
            started
        })
        .as_ref()
}

/// Runs a server until this program ends, however it ends: then the pipe closes, the server is killed,
/// and its folder removed.
fn guarded(folder: &Path, command: &str) -> Child {
    let script = format!("{command} >output 2>&1 & cat >/dev/null; kill $!; wait; rm -rf \"$PWD\"");
    Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Whether something answers there soon.
fn answers(port: u16) -> bool {
    (0..300).any(|_| {
        sleep(Duration::from_millis(10));
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
    })
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn folder() -> PathBuf {
    tempfile::Builder::new().prefix("sealift-mirror-").tempdir().unwrap().keep()
}

impl Site {
    fn start(nginx: &str) -> Option<Self> {
        let folder = folder();
        certificates(&folder);
        let (port, plain) = (free_port(), free_port());
        let root = folder.join("root");
        fs::create_dir(&root).unwrap();
        let dir = folder.display();
        // A file below `slow/` arrives slowly, but its rest does not.
        let config = format!(
            "daemon off; master_process off; pid {dir}/pid; error_log {dir}/errors;\n\
             events {{}}\n\
             http {{\n\
             log_format short '$host $request_method $request_uri $status $http_range';\n\
             access_log {dir}/access short;\n\
             client_body_temp_path {dir}; proxy_temp_path {dir}; fastcgi_temp_path {dir};\n\
             uwsgi_temp_path {dir}; scgi_temp_path {dir};\n\
             map $http_range $rate {{ default 0; '' 20k; }}\n\
             server {{\n\
             listen 127.0.0.1:{port} ssl; listen 127.0.0.1:{plain};\n\
             ssl_certificate {dir}/site.pem; ssl_certificate_key {dir}/site.key;\n\
             root {root};\n\
             location ~ ^/[^/]+/slow/ {{ limit_rate_after 100k; limit_rate $rate; }}\n\
             location ~ ^/([^/]+)/elsewhere/(.*)$ {{ return 302 https://other.example/$1/packages/$2; }}\n\
             location ~ ^/([^/]+)/plain/(.*)$ {{ return 302 http://vendor.example/$1/packages/$2; }}\n\
             location ~ ^/([^/]+)/moved/(.*)$ {{ return 302 https://vendor.example/$1/packages/$2; }}\n\
             }}\n}}\n",
            root = root.display()
        );
        fs::write(folder.join("nginx.conf"), config).unwrap();
        let server =
            guarded(&folder, &format!("{nginx} -p {dir} -c {dir}/nginx.conf -e {dir}/errors"));
        let (ca, log) = (folder.join("ca.pem"), folder.join("access"));
        let place = format!("127.0.0.1:{port}");
        answers(port).then_some(Self { root, ca, place, plain, log, _server: server })
    }

    /// What was asked for below `/NAME/`, from a number of lines on: `HOST METHOD PATH STATUS RANGE`.
    pub(crate) fn requests(&self, name: &str) -> Vec<String> {
        static MARK: AtomicUsize = AtomicUsize::new(0);
        // Whatever was answered before this mark stands before it in the log.
        let mark = format!("/mark-{}", MARK.fetch_add(1, Ordering::Relaxed));
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.plain)).unwrap();
        let ask = format!("GET {mark} HTTP/1.1\r\nHost: mark\r\nConnection: close\r\n\r\n");
        stream.write_all(ask.as_bytes()).unwrap();
        drop(stream.read_to_end(&mut Vec::new()));
        let mut text = String::new();
        for _ in 0..300 {
            text = fs::read_to_string(&self.log).unwrap();
            if text.contains(&format!("{mark} ")) {
                break;
            }
            sleep(Duration::from_millis(10));
        }
        let part = format!("/{name}/");
        let lines = text.lines().filter(|line| line.contains(&part));
        lines.map(|line| line.replace(&part, "/")).collect()
    }
}

/// A certificate authority, and a certificate by it for the site.
fn certificates(folder: &Path) {
    let openssl = |words: &str| {
        run(Command::new("openssl").current_dir(folder).args(words.split(' '))).succeeded();
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!(
        "req -x509 {key} -days 2 -subj /CN=test -addext basicConstraints=critical,CA:TRUE -keyout ca.key -out ca.pem"
    ));
    openssl(&format!("req {key} -subj /CN=vendor.example -keyout site.key -out site.csr"));
    fs::write(
        folder.join("site.ext"),
        "subjectAltName=DNS:vendor.example,DNS:other.example\nextendedKeyUsage=serverAuth\n",
    )
    .unwrap();
    openssl(
        "x509 -req -in site.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile site.ext -out site.pem",
    );
}

impl Registry {
    fn start() -> Option<Self> {
        let folder = folder();
        let port = free_port();
        let data = folder.join("data");
        let config = format!(
            "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:{port}\n",
            data.display()
        );
        fs::write(folder.join("config.yml"), config).unwrap();
        let server = guarded(&folder, "docker-registry serve config.yml");
        let log = folder.join("output");
        let host = format!("127.0.0.1:{port}");
        answers(port).then_some(Self { host, log, data, _server: server })
    }

    /// One request; the answer's head.
    #[track_caller]
    fn ask(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.host,
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 20"), "{method} {path}: {answer}");
        answer
    }

    /// Pushes a blob.
    #[track_caller]
    pub(crate) fn blob(&self, name: &str, digest: &str, bytes: &[u8]) {
        let answer = self.ask("POST", &format!("/v2/{name}/blobs/uploads/"), "text/plain", b"");
        let to = answer.lines().find_map(|line| line.strip_prefix("Location: ")).unwrap();
        let path = to.split_once(&self.host).unwrap().1;
        let kind = "application/octet-stream";
        self.ask("PUT", &format!("{path}&digest={digest}"), kind, bytes);
    }

    /// Pushes a manifest; what it names must be there.
    #[track_caller]
    pub(crate) fn manifest(&self, name: &str, tag: &str, kind: &str, bytes: &[u8]) {
        self.ask("PUT", &format!("/v2/{name}/manifests/{tag}"), kind, bytes);
    }

    /// The file in which the registry keeps a blob.
    pub(crate) fn file(&self, digest: &str) -> PathBuf {
        let hex = digest.trim_start_matches("sha256:");
        let folder = self.data.join("docker/registry/v2/blobs/sha256");
        folder.join(&hex[..2]).join(hex).join("data")
    }

    /// How many blobs of a repository were sent so far.
    pub(crate) fn blobs_sent(&self, name: &str) -> usize {
        sleep(Duration::from_millis(50));
        let text = fs::read_to_string(&self.log).unwrap();
        text.matches(&format!("\"GET /v2/{name}/blobs/")).count()
    }
}
