//! The HTML page in a real browser: it asks for nothing, runs nothing, follows the reader's choice of light
//! and dark, prints, and stays quick with ten thousand rows. Skipped where Chromium is not installed.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use sealift::verdict::Report;

use super::page::page;
use super::samples::{HOSTILE, everything, good, ok, report};
use crate::support::skip;
use crate::support::tools::{broken, run};

/// No run of the browser takes longer.
const LIMIT: Duration = Duration::from_secs(120);

/// A folder with one page.
struct Browser {
    folder: tempfile::TempDir,
}

/// What a run of the browser said.
struct Seen {
    stdout: String,
    stderr: String,
    took: Duration,
}

impl Browser {
    fn with(page: &str) -> Option<Self> {
        match Command::new("chromium").arg("--version").output() {
            Ok(output) if output.status.success() => {}
            Ok(_) => {
                broken("chromium does not start");
                return None;
            }
            Err(_) => {
                skip("chromium is not here");
                return None;
            }
        }
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("page.html"), page).unwrap();
        Some(Self { folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Opens the page with these arguments; `{}` in one stands for the folder.
    fn open(&self, arguments: &[&str]) -> Seen {
        let file = |name: &str| fs::File::create(self.path(name)).unwrap();
        let folder = self.folder.path().to_str().unwrap();
        let mut command = Command::new("chromium");
        command
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ])
            .args(["--enable-logging=stderr", "--hide-scrollbars", "--window-size=1100,1600"])
            .arg(format!("--user-data-dir={folder}/profile"))
            .args(arguments.iter().map(|argument| argument.replace("{}", folder)))
            .arg(format!("file://{folder}/page.html"))
            .stdin(Stdio::null())
            .stdout(file("stdout"))
            .stderr(file("stderr"));
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let start = Instant::now();
        let mut child = command.spawn().unwrap();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if start.elapsed() > LIMIT {
                // The group is this browser and its own processes.
                drop(
                    Command::new("kill")
                        .args(["-KILL", "--", &format!("-{}", child.id())])
                        .status(),
                );
                drop(child.kill());
                child.wait().unwrap();
                panic!("the browser did not end within {LIMIT:?}");
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let text =
            |name: &str| String::from_utf8_lossy(&fs::read(self.path(name)).unwrap()).into_owned();
        let seen = Seen { stdout: text("stdout"), stderr: text("stderr"), took: start.elapsed() };
        assert!(status.success(), "{}", seen.stderr);
        seen
    }

    /// The colour of the page's first pixel.
    fn ground(&self, scheme: &str) -> [u8; 3] {
        let scheme = format!("--blink-settings=preferredColorScheme={scheme}");
        self.open(&[&scheme, "--screenshot={}/shot.png"]);
        first_pixel(&fs::read(self.path("shot.png")).unwrap())
    }
}

impl Seen {
    /// Lines that the page wrote to the console, which is where a browser complains.
    fn console(&self) -> Vec<&str> {
        self.stderr.lines().filter(|line| line.contains("CONSOLE")).collect()
    }
}

/// The first pixel of a PNG with 8 bits a channel: no filter changes it, because nothing lies left of it or
/// above.
fn first_pixel(png: &[u8]) -> [u8; 3] {
    let mut data = Vec::new();
    let mut rest = &png[8..];
    while !rest.is_empty() {
        let length = usize::try_from(u32::from_be_bytes(rest[..4].try_into().unwrap())).unwrap();
        match &rest[4..8] {
            b"IHDR" => assert!(rest[16] == 8 && matches!(rest[17], 2 | 6), "{:?}", &rest[8..21]),
            b"IDAT" => data.extend_from_slice(&rest[8..8 + length]),
            _ => {}
        }
        rest = &rest[12 + length..];
    }
    let mut row = [0; 4];
    flate2::read::ZlibDecoder::new(data.as_slice()).read_exact(&mut row).unwrap();
    [row[1], row[2], row[3]]
}

fn hostile(port: u16) -> Report {
    let names = HOSTILE.map(|name| name.replace(":9/", &format!(":{port}/")));
    everything(&names.each_ref().map(String::as_str))
}

/// A server that answers everything with nothing: its port, and how often it was asked.
fn server() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    // Ends with the test program.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            count.fetch_add(1, Relaxed);
            let mut stream = stream.unwrap();
            drop(stream.read(&mut [0; 4096]));
            drop(stream.write_all(
                b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            ));
        }
    });
    (port, asked)
}

#[test]
fn hostile_names_run_nothing_and_ask_for_nothing() {
    let (port, asked) = server();
    let Some(browser) = Browser::with(&page(&hostile(port))) else { return };
    let seen = browser.open(&["--dump-dom"]);
    assert_eq!(seen.console(), Vec::<&str>::new());
    assert_eq!(asked.swap(0, Relaxed), 0, "the page asked for something");
    let dom = &seen.stdout;
    for tag in ["<script", "<img", "<iframe", "<link", "<form", "<object", "<!-- &"] {
        assert!(!dom.contains(tag), "{tag}");
    }
    assert_eq!(dom.matches("<h1>").count(), 1);
    assert_eq!(dom.matches("<style>").count(), 1);
    assert_eq!(dom.matches("<article").count(), 8 * HOSTILE.len());
    assert!(dom.contains("<title>FAILED · Sealift report"));

    // The same eyes see a page that does ask, and one that is refused by the policy.
    let asks = format!("<img src=http://127.0.0.1:{port}/x><script>console.log('ran')</script>");
    let browser = Browser::with(&asks).unwrap();
    let seen = browser.open(&["--dump-dom"]);
    assert!(asked.swap(0, Relaxed) > 0, "a request is not seen");
    assert!(seen.console().iter().any(|line| line.contains("ran")), "{}", seen.stderr);
    let with_policy = page(&good()).replace("<main>", &format!("<main>{asks}"));
    let seen = Browser::with(&with_policy).unwrap().open(&["--dump-dom"]);
    assert_eq!(asked.load(Relaxed), 0, "the policy does not hold");
    assert!(!seen.console().is_empty());
    assert!(!seen.console().iter().any(|line| line.contains("\"ran\"")), "{:?}", seen.console());
}

#[test]
fn light_and_dark_are_the_readers_choice() {
    let Some(browser) = Browser::with(&page(&everything(&["a"]))) else { return };
    assert_eq!(browser.ground("1"), [0xff, 0xff, 0xff]);
    assert_eq!(browser.ground("0"), [0x14, 0x17, 0x1b]);
}

#[test]
fn ten_thousand_rows_are_shown_at_once() {
    let name = |place: u32| format!("images/release-2026.3/component-{place:05}.tar");
    let text = page(&report((0..10_000).map(|place| ok(&name(place))).collect()));
    assert!(text.len() < 20 << 20, "{}", text.len());
    let Some(browser) = Browser::with(&text) else { return };
    let seen = browser.open(&["--screenshot={}/shot.png"]);
    assert_eq!(seen.console(), Vec::<&str>::new());
    // Seconds alone on a slow machine; the bound leaves room for a busy one.
    assert!(seen.took < Duration::from_secs(30), "{:?}", seen.took);
}

#[test]
fn what_is_folded_is_printed() {
    let Some(browser) = Browser::with(&page(&everything(&["images/fabric.tar"]))) else { return };
    let dark = "--blink-settings=preferredColorScheme=0";
    browser.open(&[dark, "--no-pdf-header-footer", "--print-to-pdf={}/page.pdf"]);
    let pdf = browser.path("page.pdf");
    assert!(fs::read(&pdf).unwrap().starts_with(b"%PDF-"));
    if Command::new("pdftotext").arg("-v").output().is_err() {
        return skip("pdftotext is not here");
    }
    let text = run(Command::new("pdftotext").arg("-layout").arg(&pdf).arg("-")).succeeded();
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // The evidence of all nine, of which six are folded on the screen.
    assert_eq!(words.matches("archive structure").count(), 9, "{text}");
    for word in
        ["FAILED", "UNDECIDED", "Reviewed by", "Uncovered files", "not present: key carried"]
    {
        assert!(words.contains(word), "{word}: {text}");
    }
}
