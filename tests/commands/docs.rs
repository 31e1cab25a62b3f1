//! Documentation that repeats the program is held equal to it.

use std::collections::BTreeSet;
use std::path::Path;

fn text(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The words that must stand in backquotes on the page and do not.
fn missing<'w>(words: &'w [String], page: &str) -> Vec<&'w String> {
    words.iter().filter(|word| !page.contains(&format!("`{word}`"))).collect()
}

/// Public fields of the structures in a source file.
fn fields(source: &str) -> Vec<String> {
    source
        .lines()
        .filter_map(|line| line.strip_prefix("    pub ")?.split_once(": "))
        .map(|(name, _)| name.to_owned())
        .filter(|name| name.chars().all(|c| c.is_lowercase() || c == '_'))
        .collect()
}

/// Variants of the enums in a source file, in kebab case.
fn variants(source: &str) -> Vec<String> {
    source
        .lines()
        .filter_map(|line| line.strip_prefix("    ")?.strip_suffix(','))
        .filter(|name| {
            name.starts_with(char::is_uppercase) && name.chars().all(char::is_alphanumeric)
        })
        .map(kebab)
        .collect()
}

fn kebab(name: &str) -> String {
    let mut out = String::new();
    for (index, c) in name.char_indices() {
        if c.is_uppercase() && index > 0 {
            out.push('-');
        }
        out.extend(c.to_lowercase());
    }
    out
}

#[test]
fn the_report_page_names_every_member_check_and_status() {
    let page = text("docs/report.md");
    let mut members = fields(&text("src/verdict/report.rs"));
    members.extend(fields(&text("src/verdict/run_report.rs")));
    // The members of a run stand in the report itself.
    members.retain(|member| member != "run");
    let values = variants(&text("src/verdict/check.rs"));
    assert!(members.len() > 20 && values.len() > 10, "{members:?} {values:?}");
    assert_eq!(missing(&members, &page), Vec::<&String>::new());
    assert_eq!(missing(&values, &page), Vec::<&String>::new());
    assert_eq!(missing(&[kebab("NoSuchCheck")], &page), ["no-such-check"]);
}

#[test]
fn the_architecture_page_draws_every_room() {
    let page = text("docs/architecture.md");
    let modules: Vec<String> = text("src/lib.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .map(str::to_owned)
        .collect();
    assert!(modules.len() > 3, "{modules:?}");
    assert_eq!(missing(&modules, &page), Vec::<&String>::new());
}

#[test]
fn the_codes_in_the_specification_exist() {
    let (page, codes) = (text("bundle-format/README.md"), text("docs/codes.md"));
    // Other words of this form on the page.
    let others = ["platform-manifest"];
    let named: BTreeSet<&str> = page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| word.contains('-') && word.split('-').all(|part| !part.is_empty()))
        .filter(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
        .filter(|word| !others.contains(word))
        .collect();
    assert!(named.len() > 20 && named.contains("serial-rolled-back"), "{named:?}");
    let missing: Vec<&&str> =
        named.iter().filter(|code| !codes.contains(&format!("\n### `{code}`\n"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn links_between_the_pages_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut links = 0;
    let mut pages: Vec<String> = std::fs::read_dir(root.join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".md"))
        .map(|name| format!("docs/{name}"))
        .collect();
    assert!(pages.len() > 8, "{pages:?}");
    let others = [
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "bundle-format/README.md",
        "bundle-format/CHANGELOG.md",
    ];
    pages.extend(others.map(str::to_owned));
    for page in &pages {
        for target in text(page).split("](").skip(1).filter_map(|rest| rest.split_once(')')) {
            let target = target.0.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            links += 1;
            let path = root.join(page).parent().unwrap().join(target);
            assert!(path.exists(), "{page} links to {target}");
        }
    }
    assert!(links > 5, "{links}");
}
