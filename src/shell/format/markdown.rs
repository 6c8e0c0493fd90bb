//! `markdown`: a table for documents and chats.

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
        let cells = (0..rows.columns().len()).map(|at| cell(&row.text(at)));
        write_line(out, cells)?;
    }
    Ok(())
}

fn write_line(out: &mut dyn Write, cells: impl Iterator<Item = String>) -> io::Result<()> {
    let cells: Vec<_> = cells.collect();
    writeln!(out, "| {} |", cells.join(" | "))
}

/// Text that stays one cell.
fn cell(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('|', "\\|");
    let lines: Vec<_> = text.lines().map(super::one_line).collect();
    lines.join("<br>")
}
