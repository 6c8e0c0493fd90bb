//! SQLite's side: bundled, WAL, FULL, 1 GB of cache.

use crate::Result;
use crate::cell::{Answer, Cell, moment};
use crate::data::{INDEXES, Stored, TABLES, Table, create};
use fieldbook::Date;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement, ToSql};
use std::path::Path;

pub(crate) fn open(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -1000000; \
         PRAGMA temp_store = MEMORY;",
    )?;
    connection.set_prepared_statement_cache_capacity(100);
    Ok(connection)
}

/// Reads all rows, each value once, and keeps nothing.
pub(crate) fn drain(statement: &mut Statement<'_>, parameters: &[&dyn ToSql]) -> Result<()> {
    let columns = statement.column_count();
    let mut rows = statement.query(parameters)?;
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            std::hint::black_box(row.get_ref(column)?);
        }
    }
    Ok(())
}

pub(crate) fn answer(statement: &mut Statement<'_>, parameters: &[&dyn ToSql]) -> Result<Answer> {
    let columns = statement.column_count();
    let mut rows = statement.query(parameters)?;
    let mut answer = Vec::new();
    while let Some(row) = rows.next()? {
        let cell = |column| {
            Ok(match row.get_ref(column)? {
                ValueRef::Null => Cell::Missing,
                ValueRef::Integer(n) => Cell::Number(n as f64),
                ValueRef::Real(n) => Cell::Number(n),
                ValueRef::Text(text) => Cell::Text(String::from_utf8(text.to_vec())?),
                ValueRef::Blob(_) => return Err("no table has bytes".into()),
            })
        };
        answer.push((0..columns).map(cell).collect::<Result<Vec<Cell>>>()?);
    }
    Ok(answer)
}

impl ToSql for Stored {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Missing => ToSqlOutput::Owned(rusqlite::types::Value::Null),
            Self::Whole(n) => (*n).into(),
            Self::Number(n) => (*n).into(),
            Self::Text(text) => text.as_str().into(),
            Self::Date(days) => Date::from_days(*days).to_string().into(),
            Self::Moment(micros) => moment(*micros).into(),
        })
    }
}

/// Fills a new file.
pub(crate) struct Loader {
    connection: Connection,
}

impl Loader {
    pub(crate) fn new(path: &Path) -> Result<Self> {
        let connection = Connection::open(path)?;
        connection.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;")?;
        for table in TABLES {
            connection.execute_batch(&create(table, "INTEGER", "TEXT", "TEXT"))?;
        }
        Ok(Self { connection })
    }

    pub(crate) fn add(&mut self, table: &Table, row: &[Stored]) -> Result<()> {
        let marks = vec!["?"; row.len()].join(", ");
        let text = format!("INSERT INTO {} VALUES ({marks})", table.name);
        self.connection
            .prepare_cached(&text)?
            .execute(rusqlite::params_from_iter(row))?;
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<()> {
        for index in INDEXES {
            self.connection.execute_batch(index)?;
        }
        self.connection.execute_batch("COMMIT; ANALYZE; VACUUM;")?;
        Ok(())
    }
}
