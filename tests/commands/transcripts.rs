//! Every command, help text and usage error, as a user sees them (`tests/cmd/`), and the documents
//! that are made from the program. `TRYCMD=overwrite cargo test --test commands` writes the answers anew.

use std::fs;
use std::path::Path;

use crate::support::{outcome, sealift};

#[test]
fn commands_answer_as_recorded() {
    let edition = if cfg!(feature = "online") { "online" } else { "airgap" };
    trycmd::TestCases::new()
        .case("tests/cmd/*.trycmd")
        .case(format!("tests/cmd/{edition}/*.trycmd"));
}

#[test]
fn docs_codes_is_what_the_program_says() {
    let output = sealift().args(["explain", "--markdown"]).output().unwrap();
    let (code, said, _) = outcome(&output);
    assert_eq!(code, 0);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/codes.md");
    let written = fs::read_to_string(path).unwrap().replace("\r\n", "\n");
    assert!(
        written == said,
        "docs/codes.md differs: cargo run -- explain --markdown > docs/codes.md"
    );
}
