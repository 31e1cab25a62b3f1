//! Which token services may get a registry's credentials. The registry names its token service, and that text
//! is untrusted: it can't send a password anywhere else.

use url::Url;

use crate::mirror::urls::host_and_port;
use crate::mirror::{Hosts, is_this_machine};
use crate::verdict::{Code, Fault};

/// Registries whose token services are known to be on another host.
const KNOWN: [(&str, &str); 4] = [
    ("registry-1.docker.io", "auth.docker.io"),
    ("index.docker.io", "auth.docker.io"),
    ("registry.gitlab.com", "gitlab.com"),
    ("docker.elastic.co", "docker-auth.elastic.co"),
];

/// Refuses a token service that must not get a registry's credentials. Hosts that the operator allows
/// (`--allow-host`, the vendor profile) may get them.
pub(super) fn check(registry: &Url, realm: &Url, allowed: &Hosts) -> Result<(), Fault> {
    let same = registry.origin() == realm.origin();
    let here = is_this_machine(registry) && is_this_machine(realm);
    let plain = registry.scheme() == "http" && (same || here);
    if realm.scheme() != "https" && !plain {
        let message = "the registry asks for credentials to be sent without TLS";
        return Err(Fault::new(Code::CredentialsFailed, message));
    }
    let pair =
        (host_and_port(registry).unwrap_or_default(), host_and_port(realm).unwrap_or_default());
    let known = KNOWN.iter().any(|(one, other)| (*one, *other) == (&*pair.0, &*pair.1));
    if same || here || known || allowed.check(realm).is_ok() {
        return Ok(());
    }
    let (registry, realm) = pair;
    let message = format!(
        "{registry} asks for its credentials to be sent to {realm}, which is another host; if that is \
         its token service, use --allow-host {realm}"
    );
    Err(Fault::new(Code::HostNotAllowed, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(registry: &str, realm: &str, allowed: &[&str]) -> Option<Code> {
        let url = |text: &str| Url::parse(text).unwrap();
        let hosts = Hosts::new(allowed.iter().map(|host| (*host).to_owned()), true);
        check(&url(registry), &url(realm), &hosts).err().map(|fault| fault.code())
    }

    #[test]
    fn only_the_registry_itself_and_what_is_allowed() {
        for (registry, realm, allowed) in [
            ("https://r.example/v2/", "https://r.example/token?a=b", &[][..]),
            ("https://R.example/v2/", "https://r.EXAMPLE:443/token", &[]),
            ("https://r.example:5000/v2/", "https://r.example:5000/token", &[]),
            ("http://r.example:5000/v2/", "http://r.example:5000/token", &[]),
            ("http://127.0.0.1:5000/v2/", "http://127.0.0.1:5001/token", &[]),
            ("http://localhost:5000/v2/", "http://[::1]:5001/token", &[]),
            ("https://registry-1.docker.io/v2/", "https://auth.docker.io/token", &[]),
            ("https://index.docker.io/v2/", "https://auth.docker.io/token", &[]),
            ("https://registry.gitlab.com/v2/", "https://gitlab.com/jwt/auth", &[]),
            ("https://r.example/v2/", "https://auth.example/token", &["auth.example"]),
            ("https://r.example/v2/", "https://auth.r.example/token", &["*.r.example"]),
            ("https://r.example/v2/", "https://r.example:8443/token", &["r.example:8443"]),
        ] {
            assert_eq!(code(registry, realm, allowed), None, "{registry} {realm}");
        }
        let refused = Some(Code::HostNotAllowed);
        for (registry, realm, allowed) in [
            ("https://r.example/v2/", "https://auth.r.example/token", &[][..]),
            ("https://r.example/v2/", "https://r.example:8443/token", &[]),
            ("https://r.example/v2/", "https://r.example.evil/token", &[]),
            ("https://r.example/v2/", "https://r.example@evil.example/token", &[]),
            ("https://r.example/v2/", "https://evil.example/r.example", &["other.example"]),
            ("https://registry-1.docker.io/v2/", "https://auth.docker.io.evil/token", &[]),
            ("https://registry-1.docker.io/v2/", "https://auth.docker.io:8443/token", &[]),
            ("https://registry-1.docker.io:8443/v2/", "https://auth.docker.io/token", &[]),
            ("https://r.example/v2/", "https://auth.docker.io/token", &[]),
            ("https://127.evil.example/v2/", "https://127.0.0.1/token", &[]),
            ("https://localhost.evil.example/v2/", "https://localhost/token", &[]),
        ] {
            assert_eq!(code(registry, realm, allowed), refused, "{registry} {realm}");
        }
        // Never without TLS, not even to what is allowed.
        for (registry, realm) in [
            ("https://r.example/v2/", "http://r.example/token"),
            ("https://127.0.0.1:5000/v2/", "http://127.0.0.1:5001/token"),
            ("https://r.example/v2/", "http://auth.example/token"),
            ("http://r.example/v2/", "http://auth.example/token"),
            ("http://127.0.0.1:5000/v2/", "http://auth.example/token"),
            ("http://127.0.0.1:5000/v2/", "http://127.evil.example/token"),
        ] {
            let code = code(registry, realm, &["auth.example"]);
            assert_eq!(code, Some(Code::CredentialsFailed), "{registry} {realm}");
        }
    }
}
