//! A registry's token service: gives out tokens (JWT, ES256) to those who know the password, and to
//! everybody for what is below `public/`.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::DecodePrivateKey as _;
use serde_json::{Value, json};

use crate::support::tools::run;

pub(crate) const USER: &str = "mirror";
pub(crate) const PASSWORD: &str = "open sesame";
pub(crate) const IDENTITY: &str = "an-identity-token";

pub(crate) struct TokenService {
    pub(crate) realm: String,
    /// What was asked: the first line and the form of each request.
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
    /// How long the tokens are good, in seconds.
    pub(crate) life: Arc<Mutex<i64>>,
}

impl TokenService {
    /// Starts one; its certificate is `token.crt` in the folder.
    pub(crate) fn start(folder: &Path) -> Self {
        let (pem, der) = (folder.join("token.pem"), folder.join("token.der"));
        let certificate = folder.join("token.crt");
        run(Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
            .args(["-nodes", "-days", "2", "-subj", "/CN=token", "-keyout"])
            .arg(&pem)
            .arg("-out")
            .arg(&certificate))
        .succeeded();
        run(Command::new("openssl")
            .args(["pkcs8", "-topk8", "-nocrypt", "-outform", "DER", "-in"])
            .arg(&pem)
            .arg("-out")
            .arg(&der))
        .succeeded();
        let key = SigningKey::from_pkcs8_der(&fs::read(der).unwrap()).unwrap();
        let text = fs::read_to_string(certificate).unwrap();
        let x5c: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let realm = format!("http://{}/token", listener.local_addr().unwrap());
        let service = Self { realm, asked: Arc::default(), life: Arc::new(Mutex::new(300)) };
        let (asked, life) = (Arc::clone(&service.asked), Arc::clone(&service.life));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let life = *life.lock().unwrap();
                drop(answer(stream, &asked, &key, &x5c, life));
            }
        });
        service
    }

    /// The lines of a registry's configuration that send everybody here.
    pub(crate) fn config(&self, folder: &Path) -> String {
        format!(
            "auth:\n  token:\n    realm: {}\n    service: the-registry\n    issuer: the-issuer\n    rootcertbundle: {}\n",
            self.realm,
            folder.join("token.crt").display()
        )
    }

    pub(crate) fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn answer(
    mut stream: TcpStream,
    asked: &Mutex<Vec<String>>,
    key: &SigningKey,
    x5c: &str,
    life: i64,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let header = |name: &str| {
        lines.iter().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    };
    let length = header("content-length").and_then(|it| it.parse().ok()).unwrap_or(0);
    let mut form = vec![0; length];
    std::io::Read::read_exact(&mut reader, &mut form)?;
    let form = String::from_utf8_lossy(&form).into_owned();
    asked.lock().unwrap().push(format!("{} {form}", lines[0]));
    let basic = format!("Basic {}", Base64::encode_string(format!("{USER}:{PASSWORD}").as_bytes()));
    let known = match header("authorization") {
        Some(authorization) => authorization == basic,
        None => form.contains(&format!("refresh_token={IDENTITY}")),
    };
    let query = format!("{} {form}", lines[0]).replace("%3A", ":").replace("%2F", "/");
    let scope = query.split(['?', '&', ' ']).find_map(|it| it.strip_prefix("scope=repository:"));
    let (status, body) = match scope.and_then(|scope| scope.split_once(':')) {
        Some((repository, "pull")) if known || repository.starts_with("public/") => {
            let token = token(key, x5c, repository, life);
            ("200 OK", json!({ "token": token }).to_string())
        }
        _ => ("401 Unauthorized", String::from("{\"details\":\"incorrect username or password\"}")),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn token(key: &SigningKey, x5c: &str, repository: &str, life: i64) -> String {
    let now = jiff::Timestamp::now().as_second();
    let part = |value: Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
    let header = part(json!({ "typ": "JWT", "alg": "ES256", "x5c": [x5c] }));
    let claims = part(json!({
        "iss": "the-issuer", "sub": USER, "aud": "the-registry", "jti": "1",
        "nbf": now - 60, "iat": now, "exp": now + life,
        "access": [{ "type": "repository", "name": repository, "actions": ["pull"] }],
    }));
    let message = format!("{header}.{claims}");
    let signature: Signature = key.sign(message.as_bytes());
    format!("{message}.{}", Base64UrlUnpadded::encode_string(&signature.to_bytes()))
}
