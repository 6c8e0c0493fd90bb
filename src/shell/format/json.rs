//! `json`: one array of objects a statement; `jsonl`: one object a record.

use crate::{Row, Rows};
use std::io::{self, Write};

pub(super) fn write_array(rows: &Rows, out: &mut dyn Write, _: Option<usize>) -> io::Result<()> {
    if rows.is_empty() {
        return writeln!(out, "[]");
    }
    for (at, row) in rows.iter().enumerate() {
        let before = if at == 0 { "[\n  " } else { ",\n  " };
        out.write_all(before.as_bytes())?;
        write_object(row, out)?;
    }
    out.write_all(b"\n]\n")
}

pub(super) fn write_lines(rows: &Rows, out: &mut dyn Write, _: Option<usize>) -> io::Result<()> {
    for row in rows {
        write_object(row, out)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn write_object(row: Row<'_>, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(out, &row.to_json()).map_err(io::Error::from)
}
