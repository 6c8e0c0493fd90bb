//! Books of every released format, kept as files: this version must read and write each.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fieldbook::Book;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// Makes the fixture of the current format. Its last transactions are in the log.
#[test]
#[ignore = "it makes a committed file anew"]
fn make_the_fixture() {
    let book = Book::in_memory().unwrap();
    let script = std::fs::read_to_string(fixture("book.fb")).unwrap();
    book.execute(&script).unwrap();
    let _ = std::fs::remove_file(fixture("format-v2/book.v2"));
    book.backup(fixture("format-v2/book.v2")).unwrap();
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

fn assert_reads_and_writes(name: &str) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("book");
    std::fs::copy(fixture(name), &path).unwrap();
    let book = Book::options().read_only(true).open(&path).unwrap();
    assert_reads(&book);
    let copy = directory.path().join("copy");
    book.backup(&copy).unwrap();
    book.close().unwrap();
    assert_reads(&Book::open(&copy).unwrap());
    let book = Book::options().create(false).open(&path).unwrap();
    assert_reads(&book);
    book.execute("add accounts (name = \"Zenith\")").unwrap();
    book.execute("delete accounts where name = \"Zenith\"")
        .unwrap();
    book.close().unwrap();
    assert_reads(&Book::options().read_only(true).open(&path).unwrap());
}

#[test]
fn a_book_of_format_1_is_read_and_brought_to_the_current_one() {
    assert_reads_and_writes("format-v1/book.v1");
}

#[test]
fn a_book_of_format_1_with_pending_changes_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("book");
    std::fs::copy(fixture("format-v1/unfolded.v1"), &path).unwrap();
    for read_only in [true, false] {
        let opened = Book::options().read_only(read_only).open(&path);
        let error = opened.map(|_| ()).unwrap_err();
        assert_eq!(error.code(), fieldbook::Code::OlderFormat);
        assert!(error.to_string().contains("was not closed cleanly"));
    }
}

#[test]
fn a_book_of_format_2_is_read_and_written() {
    assert_reads_and_writes("format-v2/book.v2");
}
