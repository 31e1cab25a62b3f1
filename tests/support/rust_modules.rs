//! The modules of a crate and which file uses which, to find circles between files.
//!
//! A name that a `mod.rs` re-exports or imports leads to the file that defines it. What is compiled
//! for unit tests only is left out. Macros are not expanded, and no type is inferred: a file that
//! calls a method uses the file in which it is written only if it names something of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::rust_paths;

/// A path of modules from the crate's root, and the name of an item at its end.
type Names = Vec<String>;

/// The files of a crate as modules.
#[derive(Debug, Default)]
pub(crate) struct Modules(Vec<Module>);

#[derive(Debug)]
struct Module {
    /// The file, relative to `src`.
    file: String,
    path: Names,
    /// The names that `use` brings in, each with its full path.
    imports: BTreeMap<String, Names>,
    globs: Vec<Names>,
    defined: BTreeSet<String>,
    /// All that the file names in the crate, written out in full.
    named: Vec<Names>,
}

/// One file uses another: the two, and a name by which it does.
pub(crate) type Edge = (String, String, String);

impl Modules {
    /// Reads the files, each given by its path relative to `src` and its text.
    pub(crate) fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let files: Vec<_> = files
            .into_iter()
            .map(|(file, text)| (file, path_of(file), without_tests(rust_paths::tokens(text))))
            .collect();
        let tests: Vec<Names> = files
            .iter()
            .flat_map(|(_, path, (_, tests))| {
                tests.iter().map(|name| [path.as_slice(), std::slice::from_ref(name)].concat())
            })
            .collect();
        let paths: BTreeSet<Names> = files.iter().map(|(_, path, _)| path.clone()).collect();
        let modules = files
            .iter()
            .filter(|(_, path, _)| !tests.iter().any(|test| path.starts_with(test)))
            .map(|(file, path, (tokens, _))| Module::read(file, path, tokens, &paths));
        Self(modules.collect())
    }

    /// Who uses whom among the files of each room, without the re-exports of a `mod.rs`.
    pub(crate) fn edges(&self) -> BTreeSet<Edge> {
        let mut edges = BTreeMap::new();
        for module in &self.0 {
            for name in &module.named {
                for used in self.files_of(name) {
                    if used.file != module.file && used.path.first() == module.path.first() {
                        edges
                            .entry((module.file.clone(), used.file.clone()))
                            .or_insert_with(|| name.join("::"));
                    }
                }
            }
        }
        edges.into_iter().map(|((from, to), name)| (from, to, name)).collect()
    }

    /// The circles: sets of files that all lead to one another, with the uses between them.
    pub(crate) fn circles(&self) -> Vec<Vec<Edge>> {
        let edges = self.edges();
        let reached = |from: &str| {
            let mut found = BTreeSet::new();
            let mut open = vec![from.to_owned()];
            while let Some(file) = open.pop() {
                for (_, to, _) in edges.iter().filter(|(from, _, _)| *from == file) {
                    if found.insert(to.clone()) {
                        open.push(to.clone());
                    }
                }
            }
            found
        };
        let reached: BTreeMap<&str, BTreeSet<String>> =
            self.0.iter().map(|module| (module.file.as_str(), reached(&module.file))).collect();
        let leads =
            |from: &str, to: &str| reached.get(from).is_some_and(|found| found.contains(to));
        let mut circles: BTreeMap<String, Vec<Edge>> = BTreeMap::new();
        for edge @ (from, to, _) in &edges {
            if leads(to, from) {
                let first = reached[from.as_str()].iter().find(|file| leads(file, from));
                circles.entry(first.cloned().unwrap_or_default()).or_default().push(edge.clone());
            }
        }
        circles.into_values().collect()
    }

    /// The files that define what a full path names: for `*`, all that the module brings in.
    fn files_of(&self, path: &[String]) -> Vec<&Module> {
        let Some(found) = self.file_of(path, 0) else { return Vec::new() };
        if path.last().is_none_or(|last| last != "*") {
            return vec![found];
        }
        let globs = found.imports.values().chain(&found.globs);
        globs.filter_map(|path| self.file_of(path, 0)).chain([found]).collect()
    }

    /// The file that defines what a full path names.
    fn file_of(&self, path: &[String], depth: usize) -> Option<&Module> {
        let found = self.0.iter().filter(|module| path.starts_with(&module.path));
        let module = found.max_by_key(|module| module.path.len())?;
        let rest = path.get(module.path.len()..).unwrap_or_default();
        let Some((name, rest)) = rest.split_first() else { return Some(module) };
        if module.defined.contains(name) || depth > 8 {
            return Some(module);
        }
        if let Some(import) = module.imports.get(name) {
            return self.file_of(&[import.as_slice(), rest].concat(), depth + 1);
        }
        module
            .globs
            .iter()
            .filter_map(|glob| {
                let path = [glob.as_slice(), std::slice::from_ref(name)].concat();
                self.file_of(&path, depth + 1).filter(|module| module.defined.contains(name))
            })
            .next()
            .or(Some(module))
    }
}

impl Module {
    fn read(file: &str, path: &Names, tokens: &[String], paths: &BTreeSet<Names>) -> Self {
        let mut module = Self {
            file: file.to_owned(),
            path: path.clone(),
            imports: BTreeMap::new(),
            globs: Vec::new(),
            defined: defined(tokens),
            named: Vec::new(),
        };
        let is_child =
            |name: &String| paths.contains(&[path.as_slice(), std::slice::from_ref(name)].concat());
        let mut inner = Vec::new();
        let mut named = Vec::new();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            match token.as_str() {
                "mod" if tokens.get(at + 2).is_some_and(|token| token == "{") => {
                    inner.push((tokens[at + 1].clone(), 1_usize));
                    at += 3;
                    continue;
                }
                "{" => inner.iter_mut().for_each(|(_, depth)| *depth += 1),
                "}" => {
                    inner.iter_mut().for_each(|(_, depth)| *depth -= 1);
                    inner.retain(|(_, depth)| *depth > 0);
                }
                _ => {}
            }
            let here: Names =
                path.iter().chain(inner.iter().map(|(name, _)| name)).cloned().collect();
            let mut found = Vec::new();
            let public = at > 0 && matches!(tokens[at - 1].as_str(), "pub" | ")");
            if token == "use" {
                at = rust_paths::tree(tokens, at + 1, &[], &mut found);
                for (name, used) in found {
                    let Some(used) = full(&here, &used, is_child) else { continue };
                    if name == "*" {
                        module.globs.push(used[..used.len() - 1].to_vec());
                    } else {
                        module.imports.insert(name, used.clone());
                    }
                    // A re-export of what lies below is not a use.
                    if !public || !used.starts_with(path) {
                        named.push(used);
                    }
                }
            } else {
                at = rust_paths::plain(tokens, at, &mut found);
                named.extend(found.into_iter().filter_map(|(_, used)| {
                    full(&here, &used, is_child).or_else(|| {
                        let import = module.imports.get(used.first()?)?;
                        Some([import.as_slice(), &used[1..]].concat())
                    })
                }));
            }
        }
        // To import a module is not to use it yet: what is taken from it is named elsewhere in the file.
        named.retain(|name| !paths.contains(name));
        module.named = named;
        module
    }
}

/// A path of the crate in full; nothing for any other.
fn full(here: &[String], path: &[String], is_child: impl Fn(&String) -> bool) -> Option<Names> {
    match path.first()?.as_str() {
        "crate" | "sealift" => Some(path[1..].to_vec()),
        "self" => Some([here, &path[1..]].concat()),
        "super" => {
            let ups = path.iter().take_while(|part| *part == "super").count();
            let above = here.get(..here.len().checked_sub(ups)?)?;
            Some([above, &path[ups..]].concat())
        }
        _ if is_child(&path[0]) => Some([here, path].concat()),
        _ => None,
    }
}

fn path_of(file: &str) -> Names {
    let path = Path::new(file).with_extension("");
    let mut parts: Names = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod" || parts.len() == 1 && last == "lib") {
        parts.pop();
    }
    parts
}

/// The names of the items that a file defines, at whatever depth.
fn defined(tokens: &[String]) -> BTreeSet<String> {
    const ITEMS: [&str; 9] =
        ["const", "enum", "fn", "macro_rules", "static", "struct", "trait", "type", "union"];
    let named = |at: usize| tokens.get(if tokens.get(at)? == "!" { at + 1 } else { at });
    let items = tokens.iter().enumerate().filter(|(_, token)| ITEMS.contains(&token.as_str()));
    items.filter_map(|(at, _)| named(at + 1).cloned()).collect()
}

/// The tokens without the items under `#[cfg(test)]`, and the names of the files among them.
fn without_tests(tokens: Vec<String>) -> (Vec<String>, Vec<String>) {
    const TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut kept, mut files) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at..].iter().take(TEST.len()).eq(TEST.iter()) {
            let end = after_item(&tokens, at + TEST.len());
            let item = &tokens[at..end];
            files.extend(item.windows(3).filter_map(|three| match three {
                [word, name, end] if word == "mod" && end == ";" => Some(name.clone()),
                _ => None,
            }));
            at = end;
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    (kept, files)
}

/// After the item, field or statement that begins here.
fn after_item(tokens: &[String], mut at: usize) -> usize {
    let is_use = tokens[at..].iter().take(5).any(|token| token == "use");
    let mut depth = 0_usize;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            "}" => {
                depth = depth.saturating_sub(1);
                if depth == 0 && !is_use {
                    return at;
                }
            }
            ";" if depth == 0 => return at,
            _ => {}
        }
    }
    at
}
