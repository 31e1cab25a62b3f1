//! Options that cosign's `verify-blob` has and this program can't honour. They are refused, never
//! ignored.

use clap::Args;

use crate::verdict::{Code, Fault};

/// cosign's other options. Hidden, because using one is an error that says why.
#[derive(Debug, Args)]
pub(super) struct CosignOptions {
    /// Always on: this program uses no network
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", hide_possible_values = true)]
    offline: Option<bool>,
    /// Accepted for compatibility with cosign: the format is detected from the bundle
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", hide_possible_values = true)]
    new_bundle_format: Option<bool>,
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "")]
    rekor_url: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    sk: Option<String>,
    #[arg(long, hide = true)]
    slot: Option<String>,
    #[arg(long, hide = true)]
    registry_referrers_mode: Option<String>,
    #[arg(long, short = 't', hide = true)]
    timeout: Option<String>,
    #[arg(long, hide = true)]
    max_workers: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    private_infrastructure: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    insecure_ignore_sct: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    use_signed_timestamps: Option<String>,
    #[arg(long, hide = true)]
    certificate: Option<String>,
    #[arg(long, hide = true)]
    certificate_chain: Option<String>,
    #[arg(long, hide = true)]
    ca_roots: Option<String>,
    #[arg(long, hide = true)]
    ca_intermediates: Option<String>,
    #[arg(long, hide = true)]
    sct: Option<String>,
    #[arg(long, hide = true)]
    rfc3161_timestamp: Option<String>,
    #[arg(long, hide = true)]
    timestamp_certificate_chain: Option<String>,
    #[arg(long, hide = true)]
    certificate_github_workflow_name: Option<String>,
    #[arg(long, hide = true)]
    certificate_github_workflow_ref: Option<String>,
    #[arg(long, hide = true)]
    certificate_github_workflow_repository: Option<String>,
    #[arg(long, hide = true)]
    certificate_github_workflow_sha: Option<String>,
    #[arg(long, hide = true)]
    certificate_github_workflow_trigger: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    experimental_oci11: Option<String>,
    #[arg(long, hide = true)]
    output_file: Option<String>,
}

const NETWORK: &str =
    "it needs a network service or a device; this program verifies from local files alone";
const MATERIAL: &str = "give the material inside a Sigstore bundle (--bundle) and a --trusted-root";
const CLAIMS: &str =
    "this program compares the identity and the issuer, no other certificate claims";

impl CosignOptions {
    /// Refuses the first option that can't be honoured.
    ///
    /// # Errors
    /// [`Code::OptionNotOffline`], naming the option and the reason.
    pub(super) fn refuse(&self) -> Result<(), Fault> {
        if self.offline == Some(false) {
            return Err(refused("--offline=false", NETWORK));
        }
        let table = [
            ("--rekor-url", &self.rekor_url, NETWORK),
            ("--sk", &self.sk, NETWORK),
            ("--slot", &self.slot, NETWORK),
            ("--registry-referrers-mode", &self.registry_referrers_mode, NETWORK),
            ("--experimental-oci11", &self.experimental_oci11, NETWORK),
            ("--timeout", &self.timeout, "nothing here waits for a network"),
            ("--max-workers", &self.max_workers, "one file is read as one stream"),
            ("--output-file", &self.output_file, "redirect standard error instead"),
            (
                "--private-infrastructure",
                &self.private_infrastructure,
                "use --insecure-ignore-tlog if there is no log, or --trusted-root for a private log",
            ),
            ("--insecure-ignore-sct", &self.insecure_ignore_sct, "the SCT is always checked"),
            (
                "--use-signed-timestamps",
                &self.use_signed_timestamps,
                "a timestamp in the bundle is always checked",
            ),
            ("--certificate", &self.certificate, MATERIAL),
            ("--certificate-chain", &self.certificate_chain, MATERIAL),
            ("--ca-roots", &self.ca_roots, MATERIAL),
            ("--ca-intermediates", &self.ca_intermediates, MATERIAL),
            ("--sct", &self.sct, MATERIAL),
            ("--rfc3161-timestamp", &self.rfc3161_timestamp, MATERIAL),
            ("--timestamp-certificate-chain", &self.timestamp_certificate_chain, MATERIAL),
            ("--certificate-github-workflow-name", &self.certificate_github_workflow_name, CLAIMS),
            ("--certificate-github-workflow-ref", &self.certificate_github_workflow_ref, CLAIMS),
            (
                "--certificate-github-workflow-repository",
                &self.certificate_github_workflow_repository,
                CLAIMS,
            ),
            ("--certificate-github-workflow-sha", &self.certificate_github_workflow_sha, CLAIMS),
            (
                "--certificate-github-workflow-trigger",
                &self.certificate_github_workflow_trigger,
                CLAIMS,
            ),
        ];
        match table.into_iter().find(|(_, value, _)| value.is_some()) {
            Some((option, _, reason)) => Err(refused(option, reason)),
            None => Ok(()),
        }
    }
}

fn refused(option: &str, reason: &str) -> Fault {
    Fault::new(Code::OptionNotOffline, format!("{option} is not supported: {reason}"))
}
