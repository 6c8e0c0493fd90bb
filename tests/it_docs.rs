//! The examples of the documents run on the sample book.

use fieldbook::{Book, Date};
use std::fs;

/// The statements of a page: each begins at the margin of a block marked `fieldbook`.
fn statements(page: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for block in page.split("```fieldbook\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        for line in block.lines().filter(|line| !line.trim().is_empty()) {
            match found.last_mut() {
                Some(statement) if line.starts_with(' ') => {
                    statement.push('\n');
                    statement.push_str(line);
                }
                _ => found.push(line.to_owned()),
            }
        }
    }
    found
}

#[test]
fn every_example_runs() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("accounts.csv"),
        "account,sector\nDune Works,retail\n",
    )
    .unwrap();
    fs::write(
        folder.path().join("contacts.csv"),
        "person,company\nIda Marsh,Marsh Mills\n",
    )
    .unwrap();
    fs::write(
        folder.path().join("contacts.jsonl"),
        "{\"name\":\"Uma Dune\",\"email\":\"uma@dune.example\"}\n",
    )
    .unwrap();
    fs::write(
        folder.path().join("contacts.vcf"),
        "BEGIN:VCARD\r\nFN:Uma Oasis\r\nEND:VCARD\r\n",
    )
    .unwrap();
    let today = Date::from_ymd(2026, 5, 15).unwrap();
    for (page, least) in [("README.md", 4), ("docs/query-language.md", 15)] {
        let book = Book::options().today(today).demo(300).unwrap();
        let mut session = book.session();
        session.act_as("Ana Reyes").unwrap();
        session.set_directory(folder.path());
        let text = fs::read_to_string(page).unwrap();
        let examples = statements(&text);
        assert!(
            examples.len() >= least,
            "{page} has {} examples",
            examples.len()
        );
        for example in examples {
            if let Err(error) = session.execute(&example) {
                panic!("{page}: {example}\n{}", error.report());
            }
        }
    }
}
