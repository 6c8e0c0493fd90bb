//! `export relational`: the relational form of a book as a script that makes and fills its tables.

use super::Dialect;
use super::fragment::{self, name};
use super::relational::{Columns, Relational, Table};
use super::time::offsets;
use crate::catalog::{Field, Object, OnDelete};
use crate::column::{CHUNK_RECORDS, Vector};
use crate::error::Result;
use crate::query::bind;
use crate::query::exec::{Batch, Context, Evaluator};
use crate::query::outcome::Outcome;
use crate::query::pipeline::Environment;
use crate::query::rule;
use crate::query::syntax::Text;
use crate::query::write::{self, Failure};
use crate::value::{ChunkId, FieldType, LabelCode, Value, fold};
use std::io::{self, Write};

/// Rows of one `INSERT`.
const ROWS: usize = 250;

/// Writes the script to a file, which appears whole or not at all.
pub(crate) fn export(
    file: &Text,
    dialect: Dialect,
    context: &Context<'_>,
    environment: &Environment<'_>,
) -> Result<Outcome> {
    let mut records = 0;
    let path = write::write_whole(file, environment, |out| {
        let script = Script {
            context,
            dialect,
            relational: Relational::of(context.catalog),
        };
        script.write(out, &mut records)
    })?;
    Ok(Outcome::Exported {
        file: path,
        records,
    })
}

struct Script<'a> {
    context: &'a Context<'a>,
    dialect: Dialect,
    relational: Relational,
}

impl Script<'_> {
    fn write(&self, out: &mut dyn Write, records: &mut u64) -> Result<(), Failure> {
        writeln!(
            out,
            "-- The relational form of a book, for {}. `sql for {0} QUERY` gives queries over it.\n\
             -- Amounts (..._e4) are in ten-thousandths; lengths of time are in seconds; moments\n\
             -- stand as the book's clocks show them, and in microseconds since 1970 UTC (..._us).",
            self.dialect.word()
        )?;
        if self.dialect == Dialect::Sqlite {
            writeln!(out, "PRAGMA foreign_keys = OFF;")?;
        }
        writeln!(out, "BEGIN;")?;
        self.zone(out)?;
        for object in self.context.catalog.live_objects() {
            self.create(object, out)?;
        }
        for object in self.context.catalog.live_objects() {
            self.fill(object, out, records)?;
        }
        writeln!(out, "COMMIT;")?;
        Ok(())
    }

    /// The name of a column type.
    fn ty(&self, ty: &FieldType) -> &'static str {
        use FieldType as F;
        let whole = self.whole();
        let duck = self.dialect == Dialect::DuckDb;
        match ty {
            F::Integer | F::Money | F::Duration | F::Reference(_) | F::AnyReference(_) => whole,
            F::Number | F::Percent if duck => "DOUBLE",
            F::Number | F::Percent => "REAL",
            F::Boolean if duck => "BOOLEAN",
            F::Boolean => "INTEGER",
            F::Date | F::Period if duck => "DATE",
            F::DateTime if duck => "TIMESTAMP",
            _ if duck => "VARCHAR",
            _ => "TEXT",
        }
    }

    fn whole(&self) -> &'static str {
        match self.dialect {
            Dialect::Sqlite => "INTEGER",
            Dialect::DuckDb => "BIGINT",
        }
    }

    /// When the clocks of the book's zone are set, if ever.
    fn zone(&self, out: &mut dyn Write) -> Result<(), Failure> {
        let offsets = offsets(self.context.clock);
        if offsets.len() < 2 {
            return Ok(());
        }
        let (table, whole) = (name(&self.relational.zone), self.whole());
        writeln!(
            out,
            "\n-- From `since_us` on, until clocks show `until_local_us`, local time is UTC plus\n\
             -- `offset_us`: microseconds all.\n\
             CREATE TABLE {table} (\n  since_us {whole} PRIMARY KEY,\n  offset_us {whole},\n  \
             until_local_us {whole}\n);"
        )?;
        for (at, (since, offset)) in offsets.iter().enumerate() {
            // In the hour that is skipped the old offset holds, in the one shown twice as well.
            let until = match offsets.get(at + 1) {
                Some((next, more)) => next.micros() + offset.max(more),
                None => i64::MAX,
            };
            let since = match at {
                0 => -i64::MAX,
                _ => since.micros(),
            };
            writeln!(
                out,
                "INSERT INTO {table} VALUES ({since}, {offset}, {until});"
            )?;
        }
        Ok(())
    }

    fn create(&self, object: &Object, out: &mut dyn Write) -> Result<(), Failure> {
        let table = self.relational.table(object.id);
        let mut lines = vec![format!("{} {} PRIMARY KEY", name(&table.id), self.whole())];
        let mut side = Vec::new();
        for field in object.live_fields() {
            let columns = table.columns(field.id);
            if let Some(labels) = &columns.labels {
                self.create_labels(field, labels, &mut side);
            }
            if let Some(links) = &columns.links {
                side.push(format!(
                    "CREATE TABLE {} (\n  id {},\n  label {},\n  PRIMARY KEY (id, label)\n);",
                    name(links),
                    self.whole(),
                    self.ty(&FieldType::Text)
                ));
                continue;
            }
            lines.extend(self.definitions(field, columns));
        }
        writeln!(
            out,
            "\nCREATE TABLE {} (\n  {}\n);",
            name(&table.name),
            lines.join(",\n  ")
        )?;
        for text in side {
            writeln!(out, "{text}")?;
        }
        Ok(())
    }

    /// The table of a field's labels in their order, whole.
    fn create_labels(&self, field: &Field, table: &str, side: &mut Vec<String>) {
        let table = name(table);
        side.push(format!(
            "CREATE TABLE {table} (\n  label {} PRIMARY KEY,\n  rank {}\n);",
            self.ty(&FieldType::Text),
            self.whole()
        ));
        let rows: Vec<String> = field
            .labels
            .iter()
            .enumerate()
            .map(|(rank, label)| {
                let label = fragment::text(&label.name, self.dialect).text;
                format!("({label}, {rank})")
            })
            .collect();
        if !rows.is_empty() {
            side.push(format!("INSERT INTO {table} VALUES {};", rows.join(", ")));
        }
    }

    fn definitions(&self, field: &Field, columns: &Columns) -> Vec<String> {
        let required = if field.required { " NOT NULL" } else { "" };
        let ty = self.ty(&field.ty);
        let text = self.ty(&FieldType::Text);
        let first = name(&columns.parts[0]);
        let second = columns.parts.get(1).map(|second| name(second));
        let beside = columns.beside.as_ref().map(|beside| name(beside));
        let sqlite = self.dialect == Dialect::Sqlite;
        let mut lines = match &field.ty {
            FieldType::DateTime => {
                let shown = beside.unwrap_or_default();
                let whole = self.whole();
                return vec![
                    format!("{shown} {ty}{required}"),
                    format!("{first} {whole}{required}"),
                ];
            }
            FieldType::Reference(target) if sqlite => {
                let target = self.relational.table(*target);
                let on_delete = match field.on_delete {
                    OnDelete::Refuse => "",
                    OnDelete::Empty => " ON DELETE SET NULL",
                    OnDelete::Cascade => " ON DELETE CASCADE",
                };
                vec![format!(
                    "{first} {ty}{required} REFERENCES {} ({}){on_delete}",
                    name(&target.name),
                    name(&target.id)
                )]
            }
            _ => vec![format!("{first} {ty}{required}")],
        };
        if let Some(second) = second {
            let ty = if field.ty == FieldType::Period {
                ty
            } else {
                text
            };
            lines.push(format!("{second} {ty}{required}"));
        }
        lines.extend(beside.map(|beside| format!("{beside} {text}{required}")));
        lines
    }

    fn fill(&self, object: &Object, out: &mut dyn Write, records: &mut u64) -> Result<(), Failure> {
        let table = self.relational.table(object.id);
        let snapshot = self.context.snapshot;
        for chunk in (0..snapshot.chunk_count(object.id)).map(ChunkId) {
            self.context.interrupt.check()?;
            let evaluator = Evaluator::new(self.context);
            let live = snapshot.live(object.id, chunk)?;
            let batch = Batch::Chunk {
                object: object.id,
                chunk,
                len: live.len(),
            };
            let mut columns = Vec::new();
            for field in object.live_fields() {
                let column = bind::column(object, field.id, &(0..0));
                let vector = evaluator.evaluate(&column, &batch)?;
                columns.push((field, vector));
            }
            let first = u64::from(chunk.0) * CHUNK_RECORDS as u64;
            let mut rows = Inserts::new(&table.name);
            for slot in live.ones() {
                let mut cells = (first + slot as u64).to_string();
                for (field, vector) in &columns {
                    let value = match (vector.value(&field.ty, slot), &field.ty) {
                        (Value::Text(text), FieldType::Filter(_) | FieldType::Expression(_)) => {
                            Value::text(rule::shown(&text, &field.ty, self.context)?)
                        }
                        (value, _) => value,
                    };
                    self.cells(field, table.columns(field.id), &value, &mut cells);
                }
                rows.push(&cells, out)?;
                *records += 1;
            }
            rows.finish(out)?;
            self.fill_tags(table, &columns, first, out)?;
        }
        Ok(())
    }

    /// The cells of a field's value, each after a comma.
    fn cells(&self, field: &Field, columns: &Columns, value: &Value, cells: &mut String) {
        if columns.links.is_some() {
            return;
        }
        let count = columns.parts.len() + usize::from(columns.beside.is_some());
        let mut push = |text: &str| {
            cells.push_str(", ");
            cells.push_str(text);
        };
        let text = |text: &str| fragment::text(text, self.dialect).text;
        let day = |day: crate::value::Date| format!("'{day}'");
        match value {
            Value::Missing => (0..count).for_each(|_| push("NULL")),
            Value::Money(money) => {
                push(&money.units().to_string());
                push(&text(&money.currency().to_string()));
            }
            Value::Period(period) => {
                push(&day(period.start()));
                push(&day(period.end()));
            }
            Value::AnyReference(object, id) => {
                push(&id.0.to_string());
                push(&text(&self.context.catalog.object(*object).name));
            }
            Value::DateTime(moment) => {
                let (date, micros) = self.context.clock.local_of(*moment);
                push(&format!("'{}'", clock_text(date, micros)));
                push(&moment.micros().to_string());
            }
            Value::Label(code) => {
                let label = field.label_name(*code).unwrap_or_default();
                push(&text(label));
            }
            Value::Text(value) => {
                push(&text(value));
                if columns.beside.is_some() {
                    push(&text(&fold(value)));
                }
            }
            Value::Date(date) => push(&day(*date)),
            other => match fragment::plain(other, self.dialect) {
                Some(sql) => push(&sql.text),
                None => push("NULL"),
            },
        }
    }

    fn fill_tags(
        &self,
        table: &Table,
        columns: &[(&Field, Vector)],
        first: u64,
        out: &mut dyn Write,
    ) -> Result<(), Failure> {
        for (field, vector) in columns {
            let Some(links) = &table.columns(field.id).links else {
                continue;
            };
            let mut rows = Inserts::new(links);
            for slot in 0..vector.len() {
                let Value::Tags(codes) = vector.value(&field.ty, slot) else {
                    continue;
                };
                for code in codes.iter() {
                    let label = |code: &LabelCode| field.label_name(*code).unwrap_or_default();
                    let text = fragment::text(label(code), self.dialect).text;
                    rows.push(&format!("{}, {text}", first + slot as u64), out)?;
                }
            }
            rows.finish(out)?;
        }
        Ok(())
    }
}

/// What clocks show, `2026-05-15 09:00:00`, with a fraction only where there is one.
fn clock_text(day: crate::value::Date, micros: i64) -> String {
    let seconds = micros / 1_000_000;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let text = format!("{day} {hour:02}:{minute:02}:{second:02}");
    match micros % 1_000_000 {
        0 => text,
        rest => format!("{text}.{rest:06}"),
    }
}

/// Rows gathered into `INSERT` statements.
struct Inserts {
    head: String,
    rows: usize,
}

impl Inserts {
    fn new(table: &str) -> Self {
        Self {
            head: format!("INSERT INTO {} VALUES\n", name(table)),
            rows: 0,
        }
    }

    fn push(&mut self, cells: &str, out: &mut dyn Write) -> io::Result<()> {
        let before = match self.rows % ROWS {
            0 if self.rows > 0 => ";\n",
            0 => "",
            _ => ",\n",
        };
        out.write_all(before.as_bytes())?;
        if self.rows.is_multiple_of(ROWS) {
            out.write_all(self.head.as_bytes())?;
        }
        self.rows += 1;
        write!(out, "({cells})")
    }

    fn finish(self, out: &mut dyn Write) -> io::Result<()> {
        match self.rows {
            0 => Ok(()),
            _ => out.write_all(b";\n"),
        }
    }
}
