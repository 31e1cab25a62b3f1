//! What lies where a bundle is looked for need not be a file that can be read to an end.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::log::TestKey;
use crate::support::{outcome, sealift};

/// The program's answer, which must come.
fn answer(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = sealift();
    command.current_dir(folder).args(arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("{arguments:?} hangs");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let (code, out, err) = outcome(&child.wait_with_output().unwrap());
    (code, out + &err)
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_pipe_or_a_device_under_a_bundles_name_is_refused() {
    let key = TestKey::new(7);
    for what in ["pipe", "directory", "socket", "/dev/zero", "/dev/tty"] {
        // What judges lies apart from what is judged.
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("k.pub"), key.pem()).unwrap();
        let release = folder.path().join("release");
        fs::create_dir(&release).unwrap();
        let at = |name: &str| release.join(name);
        fs::write(at("app.bin"), "content").unwrap();
        let bundle = at("app.bin_signature.bundle");
        let mut _listener = None;
        match what {
            "pipe" => pipe(&bundle),
            "directory" => fs::create_dir(&bundle).unwrap(),
            "socket" => {
                _listener = Some(std::os::unix::net::UnixListener::bind(&bundle).unwrap());
            }
            device => std::os::unix::fs::symlink(device, &bundle).unwrap(),
        }
        let (code, said) = answer(&release, &["verify", "--key", "../k.pub", "app.bin"]);
        assert_eq!(code, 1, "{what}: {said}");
        assert!(said.contains("file-type-refused"), "{what}: {said}");
        let (code, said) = answer(&release, &["verify", "--key", "../k.pub", "."]);
        assert_eq!(code, if what == "directory" { 3 } else { 1 }, "{what}: {said}");
    }
}

#[test]
fn a_link_to_a_bundle_and_a_named_pipe_are_fine() {
    let key = TestKey::new(7);
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("k.pub"), key.pem()).unwrap();
    fs::write(at("other.pub"), TestKey::new(8).pem()).unwrap();
    fs::write(at("app.bin"), "content").unwrap();
    let text = format!("{}\n", crate::support::log::hex(&crate::support::log::sha256("content")));
    fs::write(at("elsewhere"), key.bundle(&text)).unwrap();
    std::os::unix::fs::symlink("elsewhere", at("app.bin_signature.bundle")).unwrap();
    let verify = ["verify", "--insecure-ignore-tlog", "--key", "k.pub"];
    let (code, said) = answer(folder.path(), &[&verify[..], &["app.bin"]].concat());
    assert_eq!(code, 0, "{said}");

    // The operator names a pipe, as cosign takes `--bundle <(command)`.
    pipe(&at("named"));
    let (from, to) = (at("elsewhere"), at("named"));
    let writer = std::thread::spawn(move || fs::write(to, fs::read(from).unwrap()).unwrap());
    let (code, said) =
        answer(folder.path(), &[&verify[..], &["--bundle", "named", "app.bin"]].concat());
    assert_eq!(code, 0, "{said}");
    writer.join().unwrap();
}
