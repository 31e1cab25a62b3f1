//! Mutants of an archive: one to three changes, each of a kind that some loader was fooled by.

use super::draft::{BLOCK, Draft, Member};
use super::header_changes;
use super::images::{Base, Pair, hex};
use super::random::Random;
use super::whole::{ENCODERS, gzip};

/// A mutant, and what was changed.
pub(crate) fn mutant(base: &Base, pair: &Pair, random: &mut Random) -> (Vec<u8>, Vec<String>) {
    let mut draft = base.draft.clone();
    let mut story = Vec::new();
    if random.one_in(10) {
        story.push(stocked(&mut draft, pair, random));
    }
    // Often one change alone: of three, one is refused nearly always.
    let most = *random.pick(&[1, 1, 2, 3]);
    for _ in 0..=random.below(most) {
        story.push(match random.below(10) {
            0..=3 => header_changes::change(&mut draft, pair, random),
            4 => order(&mut draft, random),
            5 | 6 => addition(&mut draft, pair, random),
            7 | 8 => document(&mut draft, pair, random),
            _ => content(&mut draft, pair, random),
        });
    }
    let mut bytes = draft.to_bytes();
    if random.one_in(5) {
        story.push(packing(&mut bytes, pair, random));
    }
    (bytes, story)
}

fn order(draft: &mut Draft, random: &mut Random) -> String {
    let count = draft.members.len();
    match random.below(3) {
        0 => draft.members.reverse(),
        1 => draft.members.rotate_left(random.below(count)),
        _ => draft.members.swap(random.below(count), random.below(count)),
    }
    "another order".to_owned()
}

/// All of the evil image under names that are not taken: what a link or a second reading may lead to.
fn stocked(draft: &mut Draft, pair: &Pair, random: &mut Random) -> String {
    let place = random.below(draft.members.len() + 1);
    for (name, content) in &pair.parts {
        let root = !name.contains('/') && !name.ends_with(".tar") && name.len() < 60;
        let name = if root { format!("evil-{name}") } else { name.clone() };
        if draft.members.iter().all(|member| member.name() != name) {
            draft.members.insert(place, Member::file(&name, content.clone()));
        }
    }
    "the parts of another image".to_owned()
}

/// An entry of the evil image, or a second one of a name, at any place.
fn addition(draft: &mut Draft, pair: &Pair, random: &mut Random) -> String {
    let (part, evil) = random.pick(&pair.parts).clone();
    let known = random.pick(&draft.members).clone();
    let name = match random.below(3) {
        0 => part,
        1 => disguised(&known.name(), random),
        _ => {
            let root = random.pick(&["manifest.json", "index.json", "oci-layout", "repositories"]);
            disguised(root, random)
        }
    };
    let content = match random.below(4) {
        0 => known.content,
        1 => Vec::new(),
        2 => b"#!/bin/sh\n".to_vec(),
        _ => evil,
    };
    let kind = *random.pick(b"000000\x0052");
    let link = if kind == b'2' { random.pick(&pair.parts).0.clone() } else { String::new() };
    let content = if matches!(kind, b'5' | b'2') { Vec::new() } else { content };
    let place = random.below(draft.members.len() + 1);
    let link = link.get(..link.len().min(100)).unwrap_or_default().to_owned();
    draft.members.insert(place, Member::new(kind, &name, &link, content));
    format!("{name:?} of type {:?} at {place}", char::from(kind))
}

/// A name that some reader takes for this one.
fn disguised(name: &str, random: &mut Random) -> String {
    match random.below(14) {
        0 => name.to_uppercase(),
        1 => format!("./{name}"),
        2 => format!("{name}."),
        3 => format!("{name} "),
        4 => format!("{name}/"),
        5 => format!("x/../{name}"),
        6 => format!("/{name}"),
        7 => format!("{name}\u{200b}"),
        8 => format!("{name}::$DATA"),
        9 => name.replacen('s', "\u{17f}", 1),
        10 => name.replace('/', "\\"),
        11 => format!("./././{name}"),
        12 => format!("{name}/json"),
        _ => name.to_owned(),
    }
}

/// A change in one of the JSON documents that no digest covers.
fn document(draft: &mut Draft, pair: &Pair, random: &mut Random) -> String {
    let names = ["manifest.json", "index.json", "oci-layout", "repositories"];
    let found: Vec<usize> = draft
        .members
        .iter()
        .enumerate()
        .filter(|(_, member)| names.contains(&member.name().as_str()))
        .map(|(number, _)| number)
        .collect();
    if found.is_empty() {
        return "no document".to_owned();
    }
    let number = *random.pick(&found);
    let name = draft.members[number].name();
    let text = String::from_utf8_lossy(&draft.members[number].content).into_owned();
    let evil_config = format!("{}.json", hex(&pair.evil.config));
    let same: Vec<&Vec<u8>> =
        pair.parts.iter().filter(|(part, _)| *part == name).map(|(_, content)| content).collect();
    let other = same.first().map(|it| String::from_utf8_lossy(it).into_owned()).unwrap_or_default();
    let first = |from: &str, to: &str| text.replacen(from, to, 1);
    let evil_id = format!("sha256:{}", hex(&pair.evil.config));
    let (what, new) = match random.below(18) {
        0 => ("blanks", format!(" \n\t{text}\n")),
        1 => ("a second value", format!("{text}{other}")),
        2 => ("a mark in front", format!("\u{feff}{text}")),
        3 => ("the evil one", other),
        4 => ("a second Config", first("{", &format!("{{\"Config\":\"{evil_config}\","))),
        5 => ("a second config, folded", first("{", &format!("{{\"config\":\"{evil_config}\","))),
        6 => ("an unknown key", first("{", "{\"x-unknown\":{\"a\":[1]},")),
        7 => ("Parent", first("\"Config\"", &format!("\"Parent\":\"{evil_id}\",\"Config\""))),
        8 => (
            "LayerSources",
            first(
                "\"Config\"",
                &format!(
                    "\"LayerSources\":{{\"{evil_id}\":{{\"digest\":\"{evil_id}\",\"size\":5}}}},\"Config\""
                ),
            ),
        ),
        9 => ("urls", first("\"digest\"", "\"urls\":[\"https://192.0.2.1/x\"],\"digest\"")),
        10 => ("data", first("\"digest\"", "\"data\":\"e30=\",\"digest\"")),
        11 => ("an artifact type", first("\"digest\"", "\"artifactType\":\"a/b\",\"digest\"")),
        12 => (
            "a platform",
            first(
                "\"digest\"",
                "\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"},\"digest\"",
            ),
        ),
        13 => ("the list twice", doubled(&text, &other)),
        14 => (
            "a subject",
            first(
                "\"schemaVersion\"",
                &format!(
                    "\"subject\":{{\"mediaType\":\"a/b\",\"digest\":\"{evil_id}\",\"size\":5}},\"schemaVersion\""
                ),
            ),
        ),
        15 => ("a layer less", fewer(&text)),
        16 => (
            "escaped letters",
            text.replacen("json", "js\\u006fn", 1).replacen("Config", "Conf\\u0069g", 1),
        ),
        _ => ("upper case hex", text.to_uppercase().replace("SHA256", "sha256")),
    };
    draft.members[number].refill(new.into_bytes());
    format!("{what} in {name}")
}

/// Two lists as one, either first.
fn doubled(text: &str, other: &str) -> String {
    let inner =
        |text: &str| text.strip_prefix('[').and_then(|it| it.strip_suffix(']')).map(str::to_owned);
    match (inner(text), inner(other)) {
        (Some(one), Some(two)) => format!("[{one},{two}]"),
        (Some(one), None) => format!("[{one},{one}]"),
        _ => text.to_owned(),
    }
}

/// Without the last layer.
fn fewer(text: &str) -> String {
    let Some(at) = text.find("\"Layers\":[") else { return text.to_owned() };
    let Some(end) = text[at..].find(']').map(|it| it + at) else { return text.to_owned() };
    match text[at..end].rfind(",\"") {
        Some(comma) => format!("{}{}", &text[..at + comma], &text[end..]),
        None => text.to_owned(),
    }
}

/// Another content under the same name, an entry less, or a packed layer.
fn content(draft: &mut Draft, pair: &Pair, random: &mut Random) -> String {
    let number = random.below(draft.members.len());
    let name = draft.members[number].name();
    match random.below(6) {
        0 => {
            draft.members.remove(number);
            if draft.members.is_empty() {
                draft.members.push(Member::file("manifest.json", "[]"));
            }
            format!("without {name}")
        }
        1 => {
            draft.members[number].refill(random.pick(&pair.parts).1.clone());
            format!("evil content in {name}")
        }
        2 => {
            let target = Member::new(b'2', &name, &random.pick(&pair.parts).0.clone(), Vec::new());
            draft.members[number] = target;
            format!("{name} as a link")
        }
        _ => {
            let (kind, encode) = random.pick(&ENCODERS);
            let layers: Vec<usize> = draft
                .members
                .iter()
                .enumerate()
                .filter(|(_, member)| pair.good.layers.contains(&member.content))
                .map(|(number, _)| number)
                .collect();
            let Some(number) = layers.get(random.below(layers.len().max(1))) else {
                return "no plain layer".to_owned();
            };
            let plain = draft.members[*number].content.clone();
            let evil = &pair.evil.layers[0];
            let half = plain.len() / 2;
            let packed = match random.below(6) {
                0 => [encode(&plain), encode(evil)].concat(),
                1 => [encode(&plain), b"junk".to_vec()].concat(),
                2 => [encode(&plain[..half]), encode(&plain[half..])].concat(),
                3 => [encode(&plain), vec![0; 100]].concat(),
                4 => [plain, vec![0; BLOCK]].concat(),
                _ => encode(&plain),
            };
            draft.members[*number].refill(packed);
            format!("a layer as {kind}")
        }
    }
}

/// Changes the archive as a whole.
fn packing(bytes: &mut Vec<u8>, pair: &Pair, random: &mut Random) -> String {
    let (kind, encode) = random.pick(&ENCODERS);
    let evil = Draft::new(
        pair.parts.iter().map(|(name, content)| Member::file(name, content.clone())).collect(),
    )
    .to_bytes();
    let half = random.below(bytes.len() + 1);
    let (what, new) = match random.below(10) {
        0 => ("packed in two", [encode(&bytes[..half]), encode(&bytes[half..])].concat()),
        1 => ("packed with another behind it", [encode(bytes), encode(&evil)].concat()),
        2 => ("packed with junk behind it", [encode(bytes), b"junk".to_vec()].concat()),
        3 => ("another archive behind it", [bytes.clone(), evil].concat()),
        4 => ("cut", bytes[..half].to_vec()),
        5 => ("padded", [bytes.clone(), vec![0; BLOCK * (1 + random.below(30))]].concat()),
        6 => ("one zero block", bytes[..bytes.len().saturating_sub(BLOCK)].to_vec()),
        7 => ("packed twice", gzip(&encode(bytes))),
        8 => ("packed with zeros behind it", [encode(bytes), vec![0; BLOCK]].concat()),
        _ => ("packed", encode(bytes)),
    };
    *bytes = new;
    format!("{what} ({kind})")
}
