//! Rendering: a result as CSV, JSON or JSON lines, for files and for the shell alike.

use super::outcome::Table;
use crate::value::Clock;
use serde_json::{Map, Value as Json};
use std::io::{Result, Write};

/// A form of text that other programs read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A header line, then a line for each row; missing is empty.
    Csv,
    /// One array of objects.
    Json,
    /// One object a line.
    JsonLines,
}

/// Writes all rows of a result.
pub(crate) fn render(
    table: &Table,
    format: Format,
    clock: &Clock,
    out: &mut dyn Write,
) -> Result<()> {
    match format {
        Format::Csv => csv(table, clock, out),
        Format::Json => {
            let mut between = "[\n";
            for row in objects(table, clock) {
                write!(out, "{between}  {row}")?;
                between = ",\n";
            }
            let end = if table.rows.is_empty() {
                "[]\n"
            } else {
                "\n]\n"
            };
            out.write_all(end.as_bytes())
        }
        Format::JsonLines => objects(table, clock).try_for_each(|row| writeln!(out, "{row}")),
    }
}

fn csv(table: &Table, clock: &Clock, out: &mut dyn Write) -> Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(table.columns.iter().map(|column| &*column.name))?;
    let types: Vec<_> = table.columns.iter().map(|c| c.ty.field_type()).collect();
    for row in &table.rows {
        let cells = row.iter().zip(&types);
        writer.write_record(cells.map(|(value, ty)| value.show_as(Some(ty), clock)))?;
    }
    writer.flush()
}

fn objects<'t>(table: &'t Table, clock: &'t Clock) -> impl Iterator<Item = Json> + 't {
    table.rows.iter().map(|row| {
        let names = table.columns.iter().map(|column| column.name.to_string());
        let values = row.iter().map(|value| value.to_json(clock));
        Json::Object(names.zip(values).collect::<Map<_, _>>())
    })
}
