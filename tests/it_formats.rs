//! What is exported and imported again is the same.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fieldbook::{Book, Outcome, Value};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use serde_json::{Map, json};

const SCHEMA: &str = "create object groups (name text label unique);
    create object things (
        code text label unique required, name text, note longtext, amount money, share percent,
        count integer, ratio number, active boolean, day date, at datetime, term period,
        length duration, kind picklist (small, big), topics tags, mail email,
        parent ref things hierarchy collection children, about ref any (groups, things),
        double formula (count * 2)
    );
    add groups (name = \"north\"), (name = \"south, west\"), (name = \"code 0\"), (name = \"padded\"),
        (name = \"  padded\"), (name = \"things:code 0\")";

/// A record: its fields but the code, as parameters of an `add`.
type Record = Map<String, serde_json::Value>;

/// What the record at a place is called: every second one with blanks before it.
fn code(at: usize) -> String {
    format!("{:1$}code {at}", "", at % 2 * 2)
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    // Text of blanks alone is missing in a file.
    let text = || "[ a-c\"',;\\\\\u{e9}\u{20ac}|]{0,8}[a-z=+@-]";
    let long = "[ a-b\n\t\",;]{0,8}[a-z]\n?";
    let picked = |words: &'static [&'static str]| of(prop::sample::select(words));
    let texts = (
        of(text()),
        of(long),
        picked(&["small", "big"]),
        picked(&["a@b.example"]),
    );
    let numbers = (
        of((-9_999_999..9_999_999_i64, picked(&[" EUR", " JPY"]))),
        of(-500..500_i64),
        of(-1_i64 << 52..1_i64 << 52),
        of(any::<f64>().prop_map(|n| if n.is_finite() { n + 0.0 } else { 0.5 })),
        of(any::<bool>()),
    );
    let times = (
        picked(&["2024-02-29", "0001-01-01", "9999-12-31"]),
        picked(&["2026-10-25T02:30:00", "1969-12-31T23:59:59.000001"]),
        picked(&["2026", "2026-Q3", "2026-07", "2026-01-01..2026-02-15"]),
        of(-1_000_000..1_000_000_i64),
    );
    let links = (
        vec(
            prop::sample::select(&["sql", "field work", "\u{e9}t\u{e9}"][..]),
            0..3,
        ),
        of(0..6_usize),
        picked(&[
            "groups:north",
            "groups:south, west",
            "groups:padded",
            "groups:  padded",
            "groups:code 0",
            "groups:things:code 0",
            "things:code 0",
        ]),
    );
    let record = (texts, numbers, times, links).prop_map(|(texts, numbers, times, links)| {
        let mut fields = Map::new();
        let mut put = |name: &str, value: serde_json::Value| {
            if !value.is_null() {
                fields.insert(name.to_owned(), value);
            }
        };
        put("name", json!(texts.0));
        put("note", json!(texts.1));
        put("kind", json!(texts.2));
        put("mail", json!(texts.3));
        let amount = numbers.0.map(|(units, currency)| {
            format!(
                "{}{}",
                units as f64 / 10_000.0,
                currency.unwrap_or_default()
            )
        });
        put("amount", json!(amount));
        put("share", json!(numbers.1.map(|n| n as f64 / 300.0)));
        put("count", json!(numbers.2));
        put("ratio", json!(numbers.3));
        put("active", json!(numbers.4));
        put("day", json!(times.0));
        put("at", json!(times.1));
        put("term", json!(times.2));
        put("length", json!(times.3.map(|s| format!("{s}s"))));
        put("topics", json!(links.0.join(", ")));
        put("parent", json!(links.1.map(code)));
        put("about", json!(links.2));
        fields
    });
    vec(record, 1..8)
}

fn book() -> Book {
    let book = Book::options().bare(true).in_memory().unwrap();
    book.session().execute(SCHEMA).unwrap();
    book
}

/// Tags are a set: their order is that in which the field came to know them. Of records the object
/// and the label are kept, not the number.
fn sorted(value: &Value) -> Value {
    let values = match value {
        Value::List(values) => values,
        Value::Record(record) => {
            return Value::text(format!("{} / {}", record.object, record.label));
        }
        _ => return value.clone(),
    };
    let mut values = values.to_vec();
    values.sort_by_key(|value| format!("{value:?}"));
    Value::List(values.into())
}

fn rows(book: &Book) -> Vec<Vec<Value>> {
    let mut session = book.session();
    let asked = "things select code, name, note, amount, share, count, ratio, active,
        day, at, term, length, kind, topics, mail, parent.code as boss, about order by code";
    match session.execute(asked).unwrap().remove(0) {
        Outcome::Rows(rows) => rows
            .iter()
            .map(|row| row.values().iter().map(sorted).collect())
            .collect(),
        other => panic!("{other}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_export_imports_back_to_an_equal_book(records in records()) {
        let first = book();
        let mut session = first.session();
        for (at, mut record) in records.into_iter().enumerate() {
            record.insert("code".to_owned(), json!(code(at)));
            // What refers to one that is not there yet is left out.
            if at == 0 && record.get("about") == Some(&json!("things:code 0")) {
                record.remove("about");
            }
            let earlier = (0..at).map(|n| json!(code(n)));
            if !record.get("parent").is_none_or(|parent| earlier.into_iter().any(|p| p == *parent)) {
                record.remove("parent");
            }
            session.add("things", &record).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        session.set_directory(folder.path());
        let before = rows(&first);
        for file in ["a.csv", "a.jsonl", "a.json"] {
            let export = format!("export (things select * order by code desc) to \"{file}\"");
            session.execute(&export).unwrap();
            let second = book();
            let mut other = second.session();
            other.set_directory(folder.path());
            let report = other.execute(&format!("import things from \"{file}\" on code")).unwrap();
            let said = report[0].to_string();
            prop_assert!(!said.contains("refused"), "{file}: {said}");
            prop_assert_eq!(format!("{:?}", rows(&second)), format!("{before:?}"), "{}", file);
        }
    }
}
