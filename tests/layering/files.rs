//! The files inside the rooms: none uses another in a circle, and none is too long to read.

use std::path::Path;

use crate::rust_files;
use crate::rust_modules::Modules;

/// The most lines of a file, its unit tests included, and of a function.
const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 80;

/// Files and functions that may be longer, because they are tables: cut in two they would be harder
/// to read, not easier.
const TABLES: &[(&str, &str)] = &[
    ("trust/policy_tests.rs: every_mistake_is_refused_with_its_place", "one row for each mistake"),
    ("verdict/code.rs", "one row for each code"),
];

fn room_of(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap_or_default()
}

/// The text of every source file, with its path relative to `src`.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    rust_files(&root)
        .iter()
        .map(|file| {
            let name = file.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
            (name, std::fs::read_to_string(file).unwrap())
        })
        .collect()
}

/// No file of a room uses another one that uses it, directly or through others.
#[test]
fn no_circle_between_the_files_of_a_room() {
    let files = sources();
    let files: Vec<_> = files.iter().map(|(file, text)| (&**file, &**text)).collect();
    let circles: Vec<_> = circles(&files).into_iter().map(|(_, circle)| circle).collect();
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

/// The circles among some files: the room, and who uses whom by which name.
fn circles(files: &[(&str, &str)]) -> Vec<(String, String)> {
    let circles = Modules::read(files.iter().copied()).circles();
    let shown = circles.iter().map(|circle| {
        let room = room_of(&circle[0].0);
        let edges = circle.iter().map(|(from, to, name)| format!("  {from} -> {to} ({name})"));
        let text = edges.collect::<Vec<_>>().join("\n");
        (room.to_owned(), format!("circle in {room}:\n{text}"))
    });
    shown.collect()
}

#[test]
fn no_file_and_no_function_is_too_long() {
    let excepted = |place: &str| TABLES.iter().any(|(table, _)| *table == place);
    let faults: Vec<String> = sources()
        .iter()
        .flat_map(|(file, text)| too_long(file, text))
        .filter(|(place, _)| !excepted(place))
        .map(|(place, lines)| format!("{place}: {lines} lines"))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What is too long in a file that is formatted by rustfmt: a function ends at the first brace that
/// stands as far to the right as its beginning.
fn too_long(file: &str, text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let functions = lines.iter().enumerate().filter_map(|(start, line)| {
        let (before, rest) = line.split_once("fn ")?;
        let words =
            before.split_whitespace().map(|word| word.split('(').next().unwrap_or_default());
        let is_function = words.clone().all(|word| ["pub", "const", "async"].contains(&word));
        let name = rest.split(['(', '<']).next().filter(|_| is_function)?;
        let margin = &line[..line.len() - line.trim_start().len()];
        let body = lines.get(start..)?;
        let length = body.iter().position(|line| {
            line.strip_prefix(margin)
                .is_some_and(|rest| rest == "}" || rest.ends_with(';') && !rest.starts_with(' '))
        });
        Some((format!("{file}: {name}"), length.map_or(0, |length| length + 1)))
    });
    std::iter::once((file.to_owned(), lines.len()))
        .filter(|(_, length)| *length > FILE_LINES)
        .chain(functions.filter(|(_, length)| *length > FUNCTION_LINES))
        .collect()
}

/// The checks themselves, seen to refuse and to pass.
#[test]
fn bad_files_are_refused() {
    let mod_rs = "mod a; mod b; pub(crate) use a::A; pub use b::{B, C as D};";
    let circle = |a: &str, b: &str| circles(&[("x/mod.rs", mod_rs), ("x/a.rs", a), ("x/b.rs", b)]);
    for (a, b) in [
        ("use super::b::B; struct A;", "use super::a::A; struct B;"),
        ("use super::B; struct A;", "use super::A; struct B;"),
        ("use crate::x::D; struct A;", "use super::A; struct B; struct C;"),
        ("struct A(super::b::B);", "struct B; fn f() { crate::x::a::f() }"),
        ("use crate::x; struct A(x::B);", "use super::{a}; struct B; fn f() { a::f() }"),
        ("mod inner { use super::super::B; } struct A;", "use crate::x::A; struct B;"),
        ("use super::*; struct A;", "use super::A as Other; struct B;"),
    ] {
        assert_eq!(circle(a, b).len(), 1, "{a} | {b}");
    }
    for (a, b) in [
        ("use super::b::B; struct A;", "struct B;"),
        ("use super::B; struct A;", "struct B; #[cfg(test)] mod tests { use super::super::A; }"),
        ("use super::B; struct A;", "struct B; #[cfg(test)] use super::A; // super::A"),
        (
            "use super::b; struct A;",
            "mod inner { use super::B; } struct B; const A: &str = \"super::A\";",
        ),
    ] {
        assert_eq!(circle(a, b), [], "{a} | {b}");
    }
    let with_own =
        [("x/mod.rs", "mod a; use a::A; struct M;"), ("x/a.rs", "use super::M; struct A;")];
    assert_eq!(circles(&with_own).len(), 1);

    let long = "    x;\n".repeat(FUNCTION_LINES);
    for (text, expected) in [
        (format!("fn f() {{\n{long}}}\n"), vec!["a.rs: f"]),
        (format!("pub(super) const fn f<T>(\n    a: A,\n) {{\n{long}}}\n"), vec!["a.rs: f"]),
        (format!("fn f() {{\n{}}}\n", "    x;\n".repeat(FUNCTION_LINES - 2)), vec![]),
        (format!("trait T {{\n    fn f();\n}}\nstruct S {{\n{long}}}\n"), vec![]),
        ("\n".repeat(FILE_LINES + 1), vec!["a.rs"]),
    ] {
        let found = too_long("a.rs", &text);
        let found: Vec<&str> = found.iter().map(|(place, _)| place.as_str()).collect();
        assert_eq!(found, expected, "{text}");
    }
}
