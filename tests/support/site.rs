//! A site of a vendor in plain HTTP on this machine, in a thread: paths and what lies there.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// What is answered at a path.
type Pages = Arc<Mutex<BTreeMap<String, (u16, Vec<u8>)>>>;

/// A site; it lives as long as the process.
pub(crate) struct Site {
    pages: Pages,
    asked: Arc<Mutex<Vec<String>>>,
    pub(crate) port: u16,
}

impl Site {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (pages, asked) = (Pages::default(), Arc::<Mutex<Vec<String>>>::default());
        let (served, noted) = (Arc::clone(&pages), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (served, noted) = (Arc::clone(&served), Arc::clone(&noted));
                std::thread::spawn(move || answer(&stream, &served, &noted));
            }
        });
        Self { pages, asked, port }
    }

    /// A URL of the site.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    pub(crate) fn put(&self, path: &str, bytes: impl AsRef<[u8]>) {
        self.answer(path, 200, bytes);
    }

    pub(crate) fn answer(&self, path: &str, status: u16, bytes: impl AsRef<[u8]>) {
        let page = (status, bytes.as_ref().to_vec());
        self.pages.lock().unwrap().insert(format!("/{path}"), page);
    }

    /// The paths that were asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// A profile of the vendor whose site it is.
    pub(crate) fn profile(&self, file: &Path) {
        let site = self.url("");
        let text = format!(
            r#"name = "site"
on_failure = "Stop."
[image]
message = "digest"
bundle_label = "org.opencontainers.image.signature.bundle"
key_label = "org.opencontainers.image.signature.key"
[package]
message = "hex-line"
bundle_file = "{{package}}_signature.bundle"
key_file = "{{package}}_publickey.json"
[mirror]
hosts = ["127.0.0.1:{}"]
key_url = "{site}{{key}}"
bundle_url = "{site}{{package}}_signature.bundle"
key_file_url = "{site}{{package}}_publickey.json"
package_url = "{site}{{package}}"
"#,
            self.port
        );
        std::fs::write(file, text).unwrap();
    }
}

fn answer(stream: &TcpStream, pages: &Pages, asked: &Mutex<Vec<String>>) -> Option<()> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    while !lines.next()?.ok()?.is_empty() {}
    let mut words = first.split(' ');
    let (method, path) = (words.next()?, words.next()?);
    asked.lock().unwrap().push(path.to_owned());
    let path = path.split('?').next()?;
    let (status, body) =
        pages.lock().unwrap().get(path).cloned().unwrap_or_else(|| (404, Vec::new()));
    let mut stream = stream;
    let head = format!(
        "HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    if method != "HEAD" {
        stream.write_all(&body).ok()?;
    }
    Some(())
}
