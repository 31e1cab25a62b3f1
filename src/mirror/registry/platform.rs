//! Chooses among the images of an index.

use super::document::{Platform, RegistryDescriptor};
use crate::verdict::{Code, Fault};

/// Which platforms of an image to fetch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Platforms {
    /// Linux on this machine's architecture.
    #[default]
    One,
    /// These: `os/architecture` with every variant of it, or `os/architecture/variant`.
    List(Vec<String>),
    /// Every platform.
    All,
}

/// What was chosen of an index.
#[derive(Debug)]
pub(super) struct PlatformChoice {
    pub(super) chosen: Vec<RegistryDescriptor>,
    /// The platforms left out.
    pub(super) left_out: Vec<String>,
    /// How many attestations were left out.
    pub(super) attestations: usize,
}

impl Platforms {
    /// Chooses among the images of an index.
    pub(super) fn choose(&self, index: Vec<RegistryDescriptor>) -> Result<PlatformChoice, Fault> {
        let (about, images): (Vec<_>, Vec<_>) =
            index.into_iter().partition(|image| image.attestation);
        let all: Vec<String> = images.iter().map(shown).collect();
        for wanted in self.wanted() {
            if !images
                .iter()
                .any(|image| image.platform.as_ref().is_some_and(|own| fits(own, &wanted)))
            {
                return Err(nothing(&wanted, &all));
            }
        }
        let (chosen, others): (Vec<_>, Vec<_>) = images.into_iter().partition(|image| {
            *self == Self::All || image.platform.as_ref().is_some_and(|own| self.wants(own))
        });
        if chosen.is_empty() {
            return Err(nothing("any platform", &all));
        }
        let left_out = others.iter().map(shown).collect();
        Ok(PlatformChoice { chosen, left_out, attestations: about.len() })
    }

    /// Checks an image without an index: it must be for a platform that was asked for.
    pub(super) fn check_single(&self, platform: &Platform) -> Result<(), Fault> {
        match self {
            Self::List(wanted) if !self.wants(platform) => {
                Err(nothing(&wanted.join(", "), &[platform.to_string()]))
            }
            _ => Ok(()),
        }
    }

    /// Whether a platform is one of those asked for.
    pub(super) fn wants(&self, platform: &Platform) -> bool {
        *self == Self::All || self.wanted().iter().any(|wanted| fits(platform, wanted))
    }

    fn wanted(&self) -> Vec<String> {
        match self {
            Self::One => vec![here()],
            Self::List(list) => list.clone(),
            Self::All => Vec::new(),
        }
    }
}

/// Linux on this machine's architecture, in Go's spelling.
pub(super) fn here() -> String {
    let architecture = if cfg!(target_arch = "x86_64") {
        "amd64"
    } else if cfg!(target_arch = "aarch64") {
        "arm64"
    } else if cfg!(target_arch = "x86") {
        "386"
    } else if cfg!(target_arch = "powerpc64") {
        "ppc64le"
    } else if cfg!(target_arch = "riscv64") {
        "riscv64"
    } else if cfg!(target_arch = "s390x") {
        "s390x"
    } else if cfg!(target_arch = "loongarch64") {
        "loong64"
    } else {
        "arm"
    };
    format!("linux/{architecture}")
}

fn fits(platform: &Platform, wanted: &str) -> bool {
    let mut parts = wanted.splitn(3, '/');
    let (os, architecture, variant) = (parts.next(), parts.next(), parts.next());
    if os != Some(platform.os.as_str()) || architecture != Some(platform.architecture.as_str()) {
        return false;
    }
    let own = platform.variant.as_deref().filter(|own| !own.is_empty());
    // Every 64-bit ARM is v8, stated or not.
    let own = if platform.architecture == "arm64" { own.or(Some("v8")) } else { own };
    variant.is_none() || variant == own
}

fn shown(descriptor: &RegistryDescriptor) -> String {
    descriptor.platform.as_ref().map_or_else(|| descriptor.digest.to_string(), ToString::to_string)
}

fn nothing(wanted: &str, all: &[String]) -> Fault {
    let there = if all.is_empty() { String::from("nothing") } else { all.join(", ") };
    let message = "the image does not exist for the requested platform";
    Fault::new(Code::ReferenceInvalid, message).expected_found(wanted, there)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Sha256Digest;

    fn image(text: &str) -> RegistryDescriptor {
        let mut parts = text.split('/').map(str::to_owned);
        let (os, architecture) = (parts.next().unwrap(), parts.next().unwrap());
        RegistryDescriptor {
            media_type: String::new(),
            digest: Sha256Digest::of(text.as_bytes()),
            size: 1,
            attestation: os == "unknown",
            platform: Some(Platform { os, architecture, variant: parts.next() }),
        }
    }

    fn choose(platforms: &Platforms) -> Result<(Vec<String>, Vec<String>), Code> {
        let all = ["linux/amd64", "linux/arm64", "linux/arm/v6", "linux/arm/v7", "unknown/unknown"];
        let choice = platforms.choose(all.map(image).to_vec()).map_err(|fault| fault.code())?;
        assert_eq!(choice.attestations, 1);
        Ok((choice.chosen.iter().map(shown).collect(), choice.left_out))
    }

    #[test]
    fn variants_and_lists() {
        let list =
            |names: &[&str]| Platforms::List(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(choose(&list(&["linux/arm/v7"])).unwrap().0, ["linux/arm/v7"]);
        assert_eq!(choose(&list(&["linux/arm64/v8"])).unwrap().0, ["linux/arm64"]);
        assert_eq!(choose(&list(&["linux/arm"])).unwrap().0.len(), 2);
        let (chosen, left) = choose(&list(&["linux/amd64", "linux/arm64"])).unwrap();
        assert_eq!((chosen.len(), left.len()), (2, 2));
        assert_eq!(choose(&Platforms::All).unwrap().0.len(), 4);
        // One that is not there is not passed over because another is.
        for bad in [&["linux/amd64", "linux/s390x"][..], &["linux"], &["windows/amd64"]] {
            assert_eq!(choose(&list(bad)), Err(Code::ReferenceInvalid), "{bad:?}");
        }
    }
}
