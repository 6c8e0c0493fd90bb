//! Fieldbook's side.

use crate::Result;
use crate::cell::{Answer, Cell};
use fieldbook::{Book, Date, Options, Parameters, Row, Rows, Value};
use std::path::Path;

/// The day of all books: the sample lies around it.
pub(crate) fn today() -> Date {
    Date::from_ymd(2026, 5, 15).expect("a day of the calendar")
}

pub(crate) fn options() -> Options {
    let options = Book::options().today(today()).memory_bytes(2 << 30);
    options.create(false)
}

pub(crate) fn open(path: &Path) -> Result<Book> {
    Ok(options().open(path)?)
}

/// The rows as cells; nested records and lists are left out, they are compared as queries of
/// their own.
pub(crate) fn answer(rows: &Rows) -> Answer {
    let cells = |row: Row<'_>| row.values().iter().map(|value| cell(rows, value)).collect();
    rows.iter().map(cells).collect()
}

pub(crate) fn cell(rows: &Rows, value: &Value) -> Cell {
    match value {
        Value::Missing => Cell::Missing,
        Value::Boolean(b) => Cell::Number(f64::from(u8::from(*b))),
        Value::Integer(n) => Cell::Number(*n as f64),
        Value::Number(n) => Cell::Number(*n),
        Value::Money(money) => Cell::Number(money.amount()),
        Value::DateTime(_) => Cell::Text(rows.show(value).replace('T', " ")),
        Value::Period(period) => Cell::Text(period.start().to_string()),
        Value::Nested(records) => Cell::Number(records.len() as f64),
        _ => Cell::Text(rows.show(value)),
    }
}

/// Parameters of one whole number.
pub(crate) fn number(name: &str, n: i64) -> Parameters {
    Parameters::new().with(name, n)
}
