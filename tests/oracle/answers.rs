//! Answers side by side: ours from the library, SQLite's from the exported script.

use fieldbook::{Book, Code, Outcome, Rows, Value};
use rusqlite::functions::FunctionFlags;
use rusqlite::types::Value as Cell;
use std::path::Path;

/// What comparing one query came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Same,
    /// We refuse the query, or SQL has no form for it.
    Refused(Code),
}

/// The book's relational form in SQLite.
pub(crate) fn relational(book: &Book, folder: &Path) -> rusqlite::Connection {
    let mut session = book.session();
    session.set_directory(folder);
    session
        .execute("export relational \"book.sql\"")
        .map_err(|e| e.report())
        .unwrap();
    let script = std::fs::read_to_string(folder.join("book.sql")).unwrap();
    let sqlite = rusqlite::Connection::open_in_memory().unwrap();
    sqlite.execute_batch(&script).unwrap();
    // What sqlite3 has built in and the bundled library leaves out.
    for (name, function) in [
        ("floor", f64::floor as fn(f64) -> f64),
        ("ceil", f64::ceil),
        ("sqrt", f64::sqrt),
    ] {
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
        sqlite
            .create_scalar_function(name, 1, flags, move |context| {
                Ok(context.get::<Option<f64>>(0)?.map(function))
            })
            .unwrap();
    }
    sqlite
}

/// The query as SQL.
pub(crate) fn translated(book: &Book, query: &str) -> Result<String, fieldbook::Error> {
    let outcome = book.session().execute(&format!("sql {query}"))?.pop();
    match outcome {
        Some(Outcome::Sql(text)) => Ok(text),
        other => panic!("`sql` gave {other:?}"),
    }
}

/// Runs a query in both; tells the first difference.
pub(crate) fn compare(
    book: &Book,
    sqlite: &rusqlite::Connection,
    query: &str,
) -> Result<Verdict, String> {
    let rows = match book.query(query) {
        Ok(rows) => rows,
        Err(error) if error.code() == Code::Internal => return Err(error.report()),
        Err(error) => return Ok(Verdict::Refused(error.code())),
    };
    let sql = match translated(book, query) {
        Ok(sql) => sql,
        Err(error) if error.code() == Code::Untranslatable => {
            return Ok(Verdict::Refused(error.code()));
        }
        Err(error) => return Err(error.report()),
    };
    match against(&rows, sqlite, &sql) {
        Ok(()) => Ok(Verdict::Same),
        Err(difference) => Err(format!("{query}\n\n{sql}\n\n{difference}")),
    }
}

/// Compares rows of ours with what SQLite says to a statement.
pub(crate) fn against(rows: &Rows, sqlite: &rusqlite::Connection, sql: &str) -> Result<(), String> {
    let mut statement = sqlite.prepare(sql).map_err(|error| error.to_string())?;
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut found: Vec<Vec<Cell>> = Vec::new();
    let mut answer = statement.query([]).map_err(|error| error.to_string())?;
    while let Some(row) = answer.next().map_err(|error| error.to_string())? {
        let cells = (0..names.len()).map(|at| row.get(at).unwrap()).collect();
        found.push(cells);
    }
    if rows.len() != found.len() {
        return Err(format!(
            "we give {} rows, SQLite {}\nours {:?}\nSQLite's {found:?}",
            rows.len(),
            found.len(),
            rows.iter()
                .map(|row| row.values().to_vec())
                .collect::<Vec<_>>()
        ));
    }
    for (at, (row, cells)) in rows.iter().zip(&found).enumerate() {
        let mut cells = cells.iter().zip(&names).peekable();
        for (column, value) in rows.columns().iter().zip(row.values()) {
            let Some((first, name)) = cells.next() else {
                return Err(format!("SQLite has no column for {}", column.name()));
            };
            let second = match column.type_name() {
                "money" | "ref" | "period" => cells
                    .next_if(|(_, next)| {
                        let ends = ["_currency", "_kind", "_end"];
                        ends.iter().any(|end| next.ends_with(end))
                    })
                    .map(|(cell, _)| cell),
                _ => None,
            };
            if !same(rows, column.type_name(), value, first, second) {
                return Err(format!(
                    "row {at}, {}: ours {value:?}, SQLite's {first:?} {second:?} ({name})\n\
                     ours {:?}\nSQLite's {:?}",
                    column.name(),
                    rows.iter()
                        .map(|row| row.values().to_vec())
                        .collect::<Vec<_>>(),
                    found
                ));
            }
        }
        if let Some((_, name)) = cells.next() {
            return Err(format!("SQLite has a column {name} too many"));
        }
    }
    Ok(())
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-6)
}

fn number(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Integer(n) => Some(*n as f64),
        Cell::Real(n) => Some(*n),
        _ => None,
    }
}

fn same(rows: &Rows, ty: &str, value: &Value, first: &Cell, second: Option<&Cell>) -> bool {
    let text = |cell: Option<&Cell>| match cell {
        Some(Cell::Text(text)) => Some(text.clone()),
        _ => None,
    };
    match value {
        Value::Missing => *first == Cell::Null,
        Value::Boolean(on) => *first == Cell::Integer(i64::from(*on)),
        Value::Integer(n) => *first == Cell::Integer(*n),
        Value::Number(n) => number(first).is_some_and(|found| near(*n, found)),
        // Averages and percentiles are rounded to a ten-thousandth.
        Value::Money(money) => {
            let close = number(first).is_some_and(|found| {
                (money.amount() - found).abs() <= 1.000_1e-4 || near(money.amount(), found)
            });
            close && text(second).is_none_or(|code| code == money.currency().to_string())
        }
        Value::Duration(length) => {
            number(first).is_some_and(|found| (length.seconds() as f64 - found).abs() <= 1.0)
        }
        Value::Period(period) => {
            text(Some(first)) == Some(period.start().to_string())
                && text(second) == Some(period.end().to_string())
        }
        Value::DateTime(_) => text(Some(first)) == Some(rows.show(value).replace('T', " ")),
        Value::Nested(_) => {
            let Some(found) = text(Some(first)) else {
                return false;
            };
            let found: serde_json::Value = serde_json::from_str(&found).unwrap_or_default();
            alike(&nested(rows, value), &found)
        }
        Value::Record(_) | Value::Text(_) | Value::Date(_) => {
            text(Some(first)) == Some(rows.show(value))
        }
        Value::List(items) if items.is_empty() => *first == Cell::Null,
        Value::List(items) => {
            let Some(found) = text(Some(first)) else {
                return false;
            };
            // Amounts and numbers are an array of JSON.
            let whole = || serde_json::from_str::<serde_json::Value>(&found);
            let apart: Vec<_> = items.iter().map(|item| nested(rows, item)).collect();
            found == rows.show(value)
                || whole().is_ok_and(|found| alike(&serde_json::Value::from(apart), &found))
        }
        _ => panic!("a {ty} that is {value:?}"),
    }
}

fn nested(rows: &Rows, value: &Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Value::Missing => Json::Null,
        Value::Boolean(on) => Json::from(i64::from(*on)),
        Value::Integer(n) => Json::from(*n),
        Value::Number(n) => Json::from(*n),
        Value::Money(money) if money.currency().to_string() == "USD" => Json::from(money.amount()),
        Value::Money(money) => Json::from(format!("{:?} {}", money.amount(), money.currency())),
        Value::DateTime(_) => Json::from(rows.show(value).replace('T', " ")),
        Value::Duration(length) => Json::from(length.seconds()),
        Value::Nested(records) => records
            .iter()
            .map(|record| {
                let names = record.names.iter().map(|name| name.to_string());
                let values = record.values.iter().map(|value| nested(rows, value));
                Json::Object(names.zip(values).collect())
            })
            .collect(),
        _ => Json::from(rows.show(value)),
    }
}

fn alike(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    use serde_json::Value as Json;
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => near(a, b),
            _ => false,
        },
        (Json::Array(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b))
        }
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && alike(a.1, b.1))
        }
        _ => a == b,
    }
}
