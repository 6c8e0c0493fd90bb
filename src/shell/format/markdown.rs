//! `markdown`: a table for documents and chats; nested records stand in a cell, a line each.

use crate::value::{Record, Value};
use crate::{Column, Rows};
use std::io::{self, Write};

pub(super) fn write(rows: &Rows, out: &mut dyn Write, _: Option<usize>) -> io::Result<()> {
    let heads = rows.columns().iter().map(|column| cell(column.name()));
    write_line(out, heads)?;
    let rule = |column: &Column| match column.is_numeric() {
        true => "---:".to_owned(),
        false => "---".to_owned(),
    };
    write_line(out, rows.columns().iter().map(rule))?;
    for row in rows {
        let cells = row
            .values()
            .iter()
            .enumerate()
            .map(|(at, value)| match value {
                Value::Nested(records) => {
                    let lines: Vec<_> = records.iter().map(|r| cell(&record(r, rows))).collect();
                    lines.join("<br>")
                }
                _ => cell(&row.text(at)),
            });
        write_line(out, cells)?;
    }
    Ok(())
}

fn write_line(out: &mut dyn Write, cells: impl Iterator<Item = String>) -> io::Result<()> {
    let cells: Vec<_> = cells.collect();
    writeln!(out, "| {} |", cells.join(" | "))
}

/// A nested record as one line: `name: Paz Ruiz; role: buyer`, without what is missing; the value
/// alone if it has no other field. Those in it stand in parentheses.
fn record(record: &Record, rows: &Rows) -> String {
    let show = |value: &Value| match value {
        Value::Nested(inner) => {
            let inner = inner
                .iter()
                .map(|inner| format!("({})", self::record(inner, rows)));
            inner.collect::<Vec<_>>().join(" ")
        }
        value => rows.show(value),
    };
    if let [only] = record.values.as_slice() {
        return show(only);
    }
    let fields = record.names.iter().zip(record.values.iter());
    let is_empty = |value: &Value| match value {
        Value::Nested(inner) => inner.is_empty(),
        value => *value == Value::Missing,
    };
    let given = fields.filter(|(_, value)| !is_empty(value));
    let parts: Vec<_> = given
        .map(|(name, value)| format!("{name}: {}", show(value)))
        .collect();
    parts.join("; ")
}

/// Text that stays one cell.
fn cell(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('|', "\\|");
    let lines: Vec<_> = text.lines().map(super::one_line).collect();
    lines.join("<br>")
}
