//! `line`: a field a line, records apart by an empty line.

use super::one_line;
use crate::Rows;
use std::io::{self, Write};

pub(super) fn write(rows: &Rows, out: &mut dyn Write, _: Option<usize>) -> io::Result<()> {
    let names: Vec<_> = rows.columns().iter().map(|c| one_line(c.name())).collect();
    let widths = names.iter().map(|name| console::measure_text_width(name));
    let width = widths.max().unwrap_or(0);
    for (number, row) in rows.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        for (at, name) in names.iter().enumerate() {
            let blanks = " ".repeat(width - console::measure_text_width(name));
            let text = format!("{blanks}{name} = {}", one_line(&row.text(at)));
            writeln!(out, "{}", text.trim_end())?;
        }
    }
    Ok(())
}
