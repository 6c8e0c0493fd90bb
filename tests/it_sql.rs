//! The translation to SQL, and SQLite as the oracle of the language's meaning.
//!
//! `FIELDBOOK_ORACLE_CASES` is the number of queries (420), `FIELDBOOK_ORACLE_SEED` where they
//! start; a failure names the seed of its book and the query.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod oracle;

use fieldbook::{Book, Code, DateTime};
use oracle::answers::{Verdict, against, compare, relational, translated};
use oracle::expression::Writer;
use oracle::{Random, book};
use std::collections::BTreeMap;

/// 2026-05-15T16:00 UTC.
const NOW: i64 = 1_778_860_800_000_000;
/// Queries asked of one book.
const QUERIES: u64 = 60;
/// Differences shown of a run.
const SHOWN: usize = 6;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn made_up(seed: u64) -> (Book, rusqlite::Connection, Random) {
    let mut random = Random(seed);
    let (records, _) = book::records(&mut random);
    let options = Book::options().bare(true).now(DateTime::from_micros(NOW));
    let made = options.in_memory().unwrap();
    let zone = random.pick(&["UTC", "Europe/Berlin", "America/Phoenix"]);
    let month = 1 + random.below(12);
    made.execute(&format!("set zone = \"{zone}\"; set fiscal year = {month}"))
        .and_then(|_| made.execute(book::SCHEMA))
        .and_then(|_| made.execute(&format!("begin;\n{records}commit")))
        .map_err(|e| e.report())
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let sqlite = relational(&made, folder.path());
    (made, sqlite, random)
}

#[test]
fn sqlite_agrees() {
    let cases = variable("FIELDBOOK_ORACLE_CASES").unwrap_or(420);
    let start = variable("FIELDBOOK_ORACLE_SEED").unwrap_or(20_260_515);
    let mut refused: BTreeMap<&str, u64> = BTreeMap::new();
    let mut same = 0;
    let mut differences = Vec::new();
    for seed in start..start + cases.div_ceil(QUERIES) {
        let (made, sqlite, mut random) = made_up(seed);
        for _ in 0..QUERIES {
            let query = Writer {
                random: &mut random,
            }
            .query();
            match compare(&made, &sqlite, &query) {
                Ok(Verdict::Same) => same += 1,
                Ok(Verdict::Refused(code)) => *refused.entry(code.as_str()).or_default() += 1,
                Err(difference) => {
                    differences.push(format!("FIELDBOOK_ORACLE_SEED={seed}\n{difference}"));
                }
            }
        }
    }
    // Most of what is made up must be a query, and have a form in SQL.
    println!("{same} the same, refused: {refused:?}");
    let shown: Vec<&str> = differences.iter().map(String::as_str).take(SHOWN).collect();
    assert!(
        differences.is_empty(),
        "{} queries differ\n\n{}",
        differences.len(),
        shown.join("\n\n")
    );
    let other: u64 = refused.values().sum();
    assert!(same > 4 * other, "{same} the same, refused: {refused:?}");
}

/// Queries as people write them: the language's own examples, and what else F0 and the sample
/// book are asked.
const WRITTEN: &str = include_str!("oracle/written.fb");

fn written(book: &Book) {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = relational(book, folder.path());
    let mut differences = Vec::new();
    for query in WRITTEN.lines().filter(|line| !line.is_empty()) {
        match compare(book, &sqlite, query) {
            Ok(Verdict::Same) => {}
            // Not every book has these names.
            Ok(Verdict::Refused(Code::UnknownLabel | Code::MissingRate | Code::Untranslatable)) => {
            }
            Ok(Verdict::Refused(code)) => differences.push(format!("{query}: {}", code.as_str())),
            Err(difference) => differences.push(difference),
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}

#[test]
fn sqlite_agrees_on_f0() {
    let options = Book::options().now(DateTime::from_micros(NOW));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f0.fieldbook");
    let book = options.open(&path).unwrap();
    let fixture = include_str!("fixtures/f0.fb");
    book.execute(fixture).map_err(|e| e.report()).unwrap();
    book.close().unwrap();
    // Its zone counts from the next opening on.
    written(&options.open(&path).unwrap());
}

#[test]
fn sqlite_agrees_on_the_sample() {
    let options = Book::options().now(DateTime::from_micros(NOW));
    written(&options.demo(200).unwrap());
}

/// Each of these changes to the SQL or to the data must be found.
#[test]
fn faults_are_found() {
    let (made, sqlite, _) = made_up(9);
    for (query, right, wrong) in [
        (
            "deals order by amount desc",
            "DESC NULLS LAST",
            "DESC NULLS FIRST",
        ),
        ("deals where units != 3", "IS DISTINCT FROM", "<>"),
        ("deals where units > 2", "units > 2", "units >= 2"),
        (
            "deals select sum(amount) as s",
            "coalesce(sum",
            "coalesce(max",
        ),
        (
            "deals order by units limit 3 with ties",
            "rank()",
            "row_number()",
        ),
        (
            "companies select count(deals) as n",
            "= companies.id",
            "<> companies.id",
        ),
        ("companies where name ~ \"e\"", "%e%", "e%"),
        (
            "deals group by month(closed) as m",
            "start of month",
            "start of year",
        ),
        ("people where region under West", "UNION", "EXCEPT"),
    ] {
        let sql = translated(&made, query).unwrap();
        let rows = made.query(query).unwrap();
        assert_eq!(against(&rows, &sqlite, &sql), Ok(()), "{query}");
        assert!(sql.contains(right), "{query}: {sql}");
        let wrong = sql.replace(right, wrong);
        assert!(against(&rows, &sqlite, &wrong).is_err(), "{query}: {wrong}");
    }
    let query = "deals select id, amount, units";
    let (rows, sql) = (
        made.query(query).unwrap(),
        translated(&made, query).unwrap(),
    );
    sqlite
        .execute_batch("UPDATE deals SET units = units + 1")
        .unwrap();
    assert!(against(&rows, &sqlite, &sql).is_err());
}
