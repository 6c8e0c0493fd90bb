//! Books of every released format, kept as files: this version must read and write each.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fieldbook::Book;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/format-v1")
        .join(name)
}

/// Makes the fixture of the current format. Its last transactions are not folded.
#[test]
#[ignore = "it makes a committed file anew"]
fn make_the_fixture() {
    let book = Book::in_memory().unwrap();
    let script = std::fs::read_to_string(fixture("book.fb")).unwrap();
    book.execute(&script).unwrap();
    let _ = std::fs::remove_file(fixture("book.v1"));
    book.backup(fixture("book.v1")).unwrap();
}

fn assert_reads(book: &Book) {
    assert_eq!(book.check().unwrap().faults, Vec::<String>::new());
    let deals: Vec<(String, String, String)> = book
        .query(
            "opportunities select name, amount, coalesce(account.parent.name, \"-\") \
             order by amount desc",
        )
        .unwrap()
        .deserialize()
        .unwrap();
    let deal = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
    assert_eq!(
        deals,
        [deal("Rockets", "1500", "-"), deal("Anvils", "300", "Acme")]
    );
    let named: Vec<(String, Option<String>, String)> = book
        .query("accounts select name, nickname, owner.name order by name")
        .unwrap()
        .deserialize()
        .unwrap();
    let named: Vec<_> = named
        .iter()
        .map(|(name, nickname, owner)| (&**name, nickname.as_deref(), &**owner))
        .collect();
    assert_eq!(
        named,
        [
            ("Acme", Some("the big one"), "Ana"),
            ("Acme East", None, "Ben"),
            ("\u{c9}clair", None, "Ben")
        ]
    );
}

#[test]
fn a_book_of_format_1_is_read_and_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("book");
    std::fs::copy(fixture("book.v1"), &path).unwrap();
    let book = Book::options().read_only(true).open(&path).unwrap();
    assert_reads(&book);
    book.close().unwrap();
    let book = Book::options().create(false).open(&path).unwrap();
    assert_reads(&book);
    book.execute("add accounts (name = \"Zenith\")").unwrap();
    book.execute("delete accounts where name = \"Zenith\"")
        .unwrap();
    book.close().unwrap();
    assert_reads(&Book::options().read_only(true).open(&path).unwrap());
}
