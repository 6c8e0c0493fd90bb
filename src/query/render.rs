//! Rendering: a result as CSV, JSON or JSON lines, for files and for the shell alike.

use super::outcome::Table;
use crate::value::{Clock, Value};
use serde_json::{Map, Value as Json};
use std::io::{Result, Write};

/// A form of text that other programs read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A header line, then a line for each row; missing is empty, nested records are JSON. Where
    /// there are totals, a last column `total_of` names the keys that a row sums over.
    Csv,
    /// One array of objects. A total has a last member `total_of`, the keys that it sums over.
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
    let totals = table.marks.iter().any(|mark| mark.is_total);
    let names = table.columns.iter().map(|column| &*column.name);
    let member = total_name(table);
    writer.write_record(names.chain(totals.then_some(member.as_str())))?;
    let types: Vec<_> = table.columns.iter().map(|c| c.ty.field_type()).collect();
    for (at, row) in table.rows.iter().enumerate() {
        let cells = row.iter().zip(&types);
        let cells = cells.map(|(value, ty)| match value {
            Value::Nested(_) => value.to_json(clock).to_string(),
            value => value.show_as(Some(ty), clock),
        });
        writer.write_record(cells.chain(totals.then(|| total_of(table, at).join(" "))))?;
    }
    writer.flush()
}

/// What the member or column is called that names the keys a total sums over: as no other.
fn total_name(table: &Table) -> String {
    let mut name = "total_of".to_owned();
    while table.columns.iter().any(|column| *column.name == *name) {
        name.push('_');
    }
    name
}

fn total_of(table: &Table, row: usize) -> Vec<&str> {
    let mark = table.marks.get(row).into_iter();
    let columns = mark.flat_map(|mark| mark.summed());
    columns.map(|at| &*table.columns[at].name).collect()
}

fn objects<'t>(table: &'t Table, clock: &'t Clock) -> impl Iterator<Item = Json> + 't {
    let member = total_name(table);
    table.rows.iter().enumerate().map(move |(at, row)| {
        let names = table.columns.iter().map(|column| column.name.to_string());
        let values = row.iter().map(|value| value.to_json(clock));
        let mut object = names.zip(values).collect::<Map<_, _>>();
        if table.marks.get(at).is_some_and(|mark| mark.is_total) {
            object.insert(member.clone(), total_of(table, at).into());
        }
        Json::Object(object)
    })
}
