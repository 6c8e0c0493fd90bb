//! `line`: a field a line, records apart by an empty line, nested ones below their name, indented.

use super::one_line;
use crate::value::{Record, Value};
use crate::{Row, Rows};
use std::io::{self, Write};

/// How far nested records stand to the right.
const INDENT: usize = 4;

pub(super) fn write(rows: &Rows, out: &mut dyn Write, _: Option<usize>) -> io::Result<()> {
    let names: Vec<_> = rows.columns().iter().map(|c| c.name()).collect();
    let show = |row: &Row<'_>, at: usize| row.text(at);
    for (number, row) in rows.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        let fields = names.iter().zip(row.values()).enumerate();
        let fields = fields.map(|(at, (name, value))| (*name, value, show(&row, at)));
        write_fields(&fields.collect::<Vec<_>>(), rows, out, 0)?;
    }
    Ok(())
}

/// Fields by name, each with its value and the text for it.
fn write_fields(
    fields: &[(&str, &Value, String)],
    rows: &Rows,
    out: &mut dyn Write,
    indent: usize,
) -> io::Result<()> {
    let width = |name: &str| console::measure_text_width(&one_line(name));
    let flat = fields.iter().filter(|(_, value, _)| !is_nested(value));
    let widest = flat.map(|(name, ..)| width(name)).max().unwrap_or(0);
    for (name, value, text) in fields {
        let line = match value {
            Value::Nested(records) => {
                write_nested(&one_line(name), records, rows, out, indent)?;
                continue;
            }
            _ => {
                let blanks = " ".repeat(indent + widest - width(name));
                format!("{blanks}{} = {}", one_line(name), one_line(text))
            }
        };
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn write_nested(
    name: &str,
    records: &[Record],
    rows: &Rows,
    out: &mut dyn Write,
    indent: usize,
) -> io::Result<()> {
    let none = if records.is_empty() { " (none)" } else { "" };
    writeln!(out, "{:indent$}{name}:{none}", "")?;
    for (number, record) in records.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        let fields = record.names.iter().zip(record.values.iter());
        let fields = fields.map(|(name, value)| (&**name, value, rows.show(value)));
        write_fields(&fields.collect::<Vec<_>>(), rows, out, indent + INDENT)?;
    }
    Ok(())
}

fn is_nested(value: &Value) -> bool {
    matches!(value, Value::Nested(_))
}
