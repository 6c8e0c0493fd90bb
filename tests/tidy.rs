//! Style rules that a machine can check. Each failure prints `path:line: rule`.
//!
//! The rules are functions from a file's path and text to complaints, so that each has a test
//! below that plants the fault it must find.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Modules of `src` by rank: a module names only lower ones, or its own.
const RANKS: &[(&str, u8)] = &[
    ("error", 0),
    ("value", 1),
    ("column", 2),
    ("storage", 3),
    ("catalog", 4),
    ("query", 5),
    ("crm", 6),
    ("book", 7),
    ("shell", 8),
];

/// Words that may stand in one place only.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("redb::", &["src/storage/"]),
    ("use redb", &["src/storage/"]),
    ("pest::", &["src/query/syntax/"]),
    ("pest_derive", &["src/query/syntax/"]),
    ("Timestamp::now", &["src/value/clock.rs"]),
    ("SystemTime::now", &["src/value/clock.rs"]),
    ("println!", &["src/shell/"]),
    ("eprintln!", &["src/shell/"]),
    ("env::var", &["src/shell/"]),
];

/// Marks of unfinished work. Spelt in halves, so that this file passes.
const UNFINISHED: &[&str] = &[
    concat!("todo", "!("),
    concat!("unimple", "mented!("),
    concat!("FIX", "ME"),
    concat!("dbg", "!("),
];

/// Licences the dependencies may have.
const LICENCES: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Unicode-3.0",
    "Zlib",
    "BSL-1.0",
    "Unlicense",
    "CC0-1.0",
    "0BSD",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The files of the repository below `folder` with one of the endings, by path from the root.
fn files(folder: &str, endings: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                if name != "target" && name != ".git" {
                    folders.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                let short = path.strip_prefix(root()).unwrap_or(&path);
                let short = short.to_string_lossy().replace('\\', "/");
                found.push((short, fs::read_to_string(&path).unwrap_or_default()));
            }
        }
    }
    found.sort();
    found
}

/// Fails with all complaints at once.
fn report(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

fn each(files: &[(String, String)], rule: impl Fn(&str, &str) -> Vec<String>) -> Vec<String> {
    files
        .iter()
        .flat_map(|(path, text)| rule(path, text))
        .collect()
}

fn rank(module: &str) -> Option<u8> {
    RANKS
        .iter()
        .find(|(name, _)| *name == module)
        .map(|(_, rank)| *rank)
}

/// The module of `src` that a file belongs to.
fn module_of(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("src/")?;
    let end = rest.find(['/', '.'])?;
    Some(&rest[..end])
}

/// Names only modules of a lower rank, or the file's own.
fn ranks(path: &str, text: &str) -> Vec<String> {
    let Some(own) = module_of(path) else {
        return Vec::new();
    };
    let Some(own_rank) = rank(own) else {
        let known = matches!(own, "lib" | "main" | "testing");
        return if known {
            Vec::new()
        } else {
            vec![format!("{path}:1: module `{own}` has no rank")]
        };
    };
    let mut complaints = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        for part in line.split("crate::").skip(1) {
            let names: Vec<&str> = match part.strip_prefix('{') {
                Some(list) => list.split(',').map(|name| name.trim()).collect(),
                None => vec![part],
            };
            for name in names {
                let end = name.find(|c: char| !c.is_alphanumeric() && c != '_');
                let name = &name[..end.unwrap_or(name.len())];
                if name != own && rank(name).is_some_and(|rank| rank >= own_rank) {
                    complaints.push(format!("{path}:{}: `{own}` names `{name}`", number + 1));
                }
            }
        }
    }
    complaints
}

/// The number of the first line that is a test: statements and properties there may be longer,
/// and texts there need not be ASCII.
fn first_test(path: &str, text: &str) -> usize {
    if path.contains("tests") {
        return 0;
    }
    text.lines()
        .position(|line| line.trim() == "#[cfg(test)]")
        .unwrap_or(usize::MAX)
}

/// At most 100 columns, and 120 in tests.
fn width(path: &str, text: &str) -> Vec<String> {
    let first_test = first_test(path, text);
    let most = |number: usize| if number < first_test { 100 } else { 120 };
    text.lines()
        .enumerate()
        .filter(|(number, line)| line.chars().count() > most(*number))
        .map(|(number, _)| format!("{path}:{}: over {} columns", number + 1, most(number)))
        .collect()
}

/// The first line says what the file is.
fn module_doc(path: &str, text: &str) -> Vec<String> {
    if text.starts_with("//! ") {
        return Vec::new();
    }
    vec![format!("{path}:1: no module doc in the first line")]
}

fn places(path: &str, text: &str) -> Vec<String> {
    if path == "tests/tidy.rs" {
        return Vec::new();
    }
    let mut complaints = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        for (word, allowed) in ONLY_IN {
            if line.contains(word) && !allowed.iter().any(|place| path.starts_with(place)) {
                complaints.push(format!(
                    "{path}:{}: `{word}` does not belong here",
                    number + 1
                ));
            }
        }
    }
    complaints
}

fn unfinished(path: &str, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for mark in UNFINISHED {
            if line.contains(mark) {
                complaints.push(format!("{path}:{}: `{mark}` is unfinished", number + 1));
            }
        }
        if line.trim_start().starts_with("// mod ") || line.trim_start().starts_with("//mod ") {
            complaints.push(format!("{path}:{}: a module commented out", number + 1));
        }
    }
    complaints
}

/// ASCII, except on lines with a string and in tests.
fn ascii(path: &str, text: &str) -> Vec<String> {
    let first_test = first_test(path, text);
    text.lines()
        .enumerate()
        .filter(|(number, line)| {
            *number < first_test && !line.is_ascii() && !line.contains(['"', '\''])
        })
        .map(|(number, _)| format!("{path}:{}: not ASCII", number + 1))
        .collect()
}

/// The relative links of a Markdown text that lead nowhere.
fn links(path: &str, text: &str) -> Vec<String> {
    let folder = Path::new(path)
        .parent()
        .unwrap_or(Path::new(""))
        .to_path_buf();
    let mut complaints = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for part in line.split("](").skip(1) {
            let Some(end) = part.find(')') else { continue };
            let target = part[..end].split('#').next().unwrap_or("");
            if target.is_empty() || target.contains("://") {
                continue;
            }
            if !root().join(&folder).join(target).exists() {
                complaints.push(format!("{path}:{}: link to `{target}`", number + 1));
            }
        }
    }
    complaints
}

fn rust() -> Vec<(String, String)> {
    ["src", "tests", "benches", "examples"]
        .iter()
        .flat_map(|f| files(f, &[".rs"]))
        .collect()
}

#[test]
fn modules_name_lower_ranks_only() {
    report(&each(&files("src", &[".rs"]), ranks));
}

#[test]
fn lines_fit() {
    report(&each(&rust(), width));
}

#[test]
fn files_say_what_they_are() {
    report(&each(&rust(), module_doc));
}

#[test]
fn words_stand_in_their_place() {
    report(&each(&files("src", &[".rs"]), places));
}

#[test]
fn nothing_is_unfinished() {
    report(&each(&rust(), unfinished));
}

#[test]
fn sources_are_ascii() {
    report(&each(&rust(), ascii));
    report(&each(&files("", &["Cargo.toml", ".pest"]), ascii));
}

#[test]
fn links_lead_somewhere() {
    let texts = files("", &[".md"]);
    assert!(texts.len() > 5, "the documents were not found");
    report(&each(&texts, links));
}

#[test]
fn main_is_short() {
    let lines = fs::read_to_string(root().join("src/main.rs")).unwrap_or_default();
    assert!(
        lines.lines().count() < 30,
        "src/main.rs hands over to the shell and no more"
    );
}

/// The codes of `src/error.rs`, as printed.
fn codes(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter_map(|line| {
            let (name, rest) = line.trim().split_once(" = \"")?;
            let simple = name.chars().all(char::is_alphanumeric);
            let (code, rest) = rest.split_once('"')?;
            (simple && rest.starts_with(", ")).then(|| code.to_owned())
        })
        .collect()
}

/// Codes that no script can bring about: the file with the test that does, and its words.
const CODES_ELSEWHERE: &[(&str, &str, &str)] = &[
    (
        "conflict",
        "src/storage/commit.rs",
        "assert_eq!(error.code(), Code::Conflict",
    ),
    (
        "io",
        "src/storage/open.rs",
        "unwrap_err().code(), Code::Io)",
    ),
    ("locked", "tests/it_shell.rs", "contains(\"error[locked]\")"),
    (
        "not-a-book",
        "tests/it_book.rs",
        "assert_eq!(error.code(), Code::NotABook)",
    ),
    (
        "newer-format",
        "src/storage/open.rs",
        "assert_eq!(error.code(), Code::NewerFormat)",
    ),
    ("older-format", "tests/it_format.rs", "Code::OlderFormat"),
    ("corrupt", "src/storage/damage.rs", "Code::Corrupt"),
    (
        "read-only",
        "tests/it_book.rs",
        "assert_eq!(error.code(), Code::ReadOnly)",
    ),
    (
        "interrupted",
        "tests/it_book.rs",
        "assert_eq!(error.code(), Code::Interrupted)",
    ),
    (
        "limit",
        "tests/it_book.rs",
        "assert_eq!(error.code(), Code::Limit",
    ),
    ("too-long", "src/query/syntax/tests.rs", "Code::TooLong"),
    (
        "rejected",
        "src/query/write/tests.rs",
        "assert_eq!(error.code(), Code::Rejected)",
    ),
    // A fault of the library by definition: nothing brings it about on purpose.
    ("internal", "src/error.rs", "Internal = \"internal\""),
];

#[test]
fn every_code_has_a_script() {
    let known = codes(&fs::read_to_string(root().join("src/error.rs")).unwrap_or_default());
    assert!(known.len() > 30, "the codes were not found");
    let scripts: String = files("tests/scripts/errors", &[""])
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    let missing: Vec<_> = known
        .iter()
        .filter(|code| {
            !CODES_ELSEWHERE
                .iter()
                .any(|(elsewhere, ..)| elsewhere == code)
        })
        .filter(|code| !scripts.contains(&format!("error[{code}]")))
        .map(|code| format!("src/error.rs:1: code `{code}` has no script in tests/scripts/errors"))
        .collect();
    report(&missing);
    let promised = |(code, path, words): &(&str, &str, &str)| {
        let text = fs::read_to_string(root().join(path)).unwrap_or_default();
        (!text.contains(words)).then(|| format!("{path}:1: no test of code `{code}`: {words}"))
    };
    report(
        &CODES_ELSEWHERE
            .iter()
            .filter_map(promised)
            .collect::<Vec<_>>(),
    );
}

#[test]
fn licences_are_allowed() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("metadata");
    let packages = metadata["packages"].as_array().expect("packages");
    assert!(packages.len() > 30, "the dependencies were not found");
    let mut complaints = BTreeMap::new();
    for package in packages {
        let licence = package["license"].as_str().unwrap_or("none");
        if !allowed(licence) {
            complaints.insert(package["name"].to_string(), licence.to_owned());
        }
    }
    assert!(
        complaints.is_empty(),
        "licences not on the list: {complaints:#?}"
    );
}

/// Whether an SPDX expression can be met by the list: each side of an AND by one side of its ORs.
fn allowed(licence: &str) -> bool {
    let plain = licence.replace(['(', ')'], "").replace('/', " OR ");
    plain
        .split(" AND ")
        .all(|part| part.split(" OR ").any(|one| LICENCES.contains(&one.trim())))
}

#[test]
fn the_rules_find_what_they_must() {
    let upward = "//! x\nuse crate::query::exec;\nuse crate::{value, book};\n";
    assert_eq!(ranks("src/storage/a.rs", upward).len(), 2);
    assert!(ranks("src/book/a.rs", "use crate::query::exec;").is_empty());
    assert_eq!(ranks("src/other/a.rs", "").len(), 1);
    assert_eq!(width("a.rs", &"x".repeat(101)).len(), 1);
    assert_eq!(module_doc("a.rs", "use x;\n").len(), 1);
    assert_eq!(places("src/book/a.rs", "use redb::Database;").len(), 2);
    assert!(places("src/storage/a.rs", "use redb::Database;").is_empty());
    assert_eq!(unfinished("a.rs", concat!("todo", "!()")).len(), 1);
    assert_eq!(ascii("a.rs", "let \u{e4} = 1;").len(), 1);
    assert_eq!(
        links("README.md", "[a](nowhere.md) [b](https://x.y)").len(),
        1
    );
    assert!(allowed("MIT OR GPL-3.0") && !allowed("GPL-3.0") && !allowed("MIT AND GPL-3.0"));
    assert!(codes("    Io = \"io\", Io;").contains("io"));
}
