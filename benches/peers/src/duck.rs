//! DuckDB's side: in this process, two threads.

use crate::Result;
use crate::cell::{Answer, Cell, moment};
use crate::data::{Stored, TABLES, Table, create};
use duckdb::types::{TimeUnit, ToSqlOutput, Value, ValueRef};
use duckdb::{Connection, Statement, ToSql};
use fieldbook::Date;
use std::collections::HashMap;
use std::path::Path;

pub(crate) fn open(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch("SET threads = 2;")?;
    Ok(connection)
}

/// Reads all rows, each value once, and keeps nothing.
pub(crate) fn drain(statement: &mut Statement<'_>, parameters: &[&dyn ToSql]) -> Result<()> {
    let mut rows = statement.query(parameters)?;
    while let Some(row) = rows.next()? {
        for column in 0..row.as_ref().column_count() {
            std::hint::black_box(row.get_ref(column)?);
        }
    }
    Ok(())
}

pub(crate) fn answer(statement: &mut Statement<'_>, parameters: &[&dyn ToSql]) -> Result<Answer> {
    let mut rows = statement.query(parameters)?;
    let mut answer = Vec::new();
    while let Some(row) = rows.next()? {
        let columns = row.as_ref().column_count();
        let cell = |column| Ok(cell(row.get_ref(column)?));
        answer.push((0..columns).map(cell).collect::<Result<Vec<Cell>>>()?);
    }
    Ok(answer)
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value.to_owned() {
        Value::Null => Cell::Missing,
        Value::Boolean(b) => Cell::Number(f64::from(u8::from(b))),
        Value::Int(n) => Cell::Number(f64::from(n)),
        Value::BigInt(n) => Cell::Number(n as f64),
        Value::HugeInt(n) => Cell::Number(n as f64),
        Value::Double(n) => Cell::Number(n),
        Value::Text(text) => Cell::Text(text),
        Value::Date32(days) => Cell::Text(Date::from_days(days).to_string()),
        Value::Timestamp(TimeUnit::Microsecond, micros) => Cell::Text(moment(micros)),
        other => Cell::Text(format!("{other:?}")),
    }
}

impl ToSql for Stored {
    fn to_sql(&self) -> duckdb::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(match self {
            Self::Missing => Value::Null,
            Self::Whole(n) => Value::BigInt(*n),
            Self::Number(n) => Value::Double(*n),
            Self::Text(text) => Value::Text(text.clone()),
            Self::Date(days) => Value::Date32(*days),
            Self::Moment(micros) => Value::Timestamp(TimeUnit::Microsecond, *micros),
        }))
    }
}

/// Fills a new file, table by table.
pub(crate) struct Loader {
    connection: Connection,
    rows: HashMap<&'static str, Vec<Vec<Value>>>,
}

impl Loader {
    pub(crate) fn new(path: &Path) -> Result<Self> {
        let connection = Connection::open(path)?;
        for table in TABLES {
            connection.execute_batch(&create(table, "BIGINT", "DATE", "TIMESTAMP"))?;
        }
        Ok(Self {
            connection,
            rows: HashMap::new(),
        })
    }

    pub(crate) fn add(&mut self, table: &Table, row: &[Stored]) -> Result<()> {
        let rows = self.rows.entry(table.name).or_default();
        let values = row.iter().map(|value| match value.to_sql() {
            Ok(ToSqlOutput::Owned(value)) => value,
            _ => Value::Null,
        });
        rows.push(values.collect());
        if rows.len() >= 100_000 {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        for (table, rows) in self.rows.drain() {
            let mut appender = self.connection.appender(table)?;
            for row in rows {
                appender.append_row(duckdb::appender_params_from_iter(row))?;
            }
            appender.flush()?;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<()> {
        self.flush()?;
        self.connection.execute_batch("ANALYZE; CHECKPOINT;")?;
        Ok(())
    }
}
