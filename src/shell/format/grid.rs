//! `table`: columns side by side, numbers to the right, cut to the terminal's width.

use super::one_line;
use crate::value::Value;
use crate::{Column, Row, Rows};
use std::io::{self, Write};

/// Text in columns.
#[derive(Debug, Default)]
pub(in crate::shell) struct Grid {
    /// Each heading, and whether its column is aligned right.
    pub(in crate::shell) headings: Vec<(String, bool)>,
    pub(in crate::shell) lines: Vec<Vec<String>>,
}

/// Columns are not cut below this width.
const WIDTH_MIN: usize = 8;
const GAP: &str = "  ";

pub(super) fn write(rows: &Rows, out: &mut dyn Write, width: Option<usize>) -> io::Result<()> {
    let nested = |column: &Column| column.type_name() == "records";
    let flat: Vec<usize> = (0..rows.columns().len())
        .filter(|&at| !nested(&rows.columns()[at]))
        .collect();
    let cells = |row: Row<'_>| flat.iter().map(|&at| cell(&row, at)).collect();
    let grid = Grid {
        headings: flat
            .iter()
            .map(|&at| &rows.columns()[at])
            .map(|column| (one_line(column.name()), column.is_numeric()))
            .collect(),
        lines: rows.iter().map(cells).collect(),
    };
    if flat.len() == rows.columns().len() {
        // What does not fit side by side is readable one field a line.
        let room = width.is_none_or(|width| grid.narrowest() <= width);
        return match room {
            true => grid.write(out, width, 0),
            false => super::line::write(rows, out, width),
        };
    }
    let each: Vec<Row<'_>> = rows.iter().collect();
    grid.write_around(out, width, 0, &mut |at, out| {
        for (column, value) in rows.columns().iter().zip(each[at].values()) {
            if nested(column) {
                write_nested(out, column.name(), value, rows, width, GAP.len())?;
            }
        }
        Ok(())
    })
}

/// A cell's text: what a total sums over by that word, a node indented by what lies above it.
fn cell(row: &Row<'_>, at: usize) -> String {
    match row.is_summed(at) {
        true => "(all)".to_owned(),
        false => format!("{}{}", GAP.repeat(row.level(at)), one_line(&row.text(at))),
    }
}

/// The records of a nested collection below their record, indented.
fn write_nested(
    out: &mut dyn Write,
    name: &str,
    value: &Value,
    rows: &Rows,
    width: Option<usize>,
    indent: usize,
) -> io::Result<()> {
    writeln!(out, "{:indent$}{}:", "", one_line(name))?;
    let indent = indent + GAP.len();
    let Value::Nested(records) = value else {
        return Ok(());
    };
    let Some(first) = records.first() else {
        return writeln!(out, "{:indent$}(none)", "");
    };
    let all = |at: usize, is: fn(&Value) -> bool| records.iter().all(|r| is(&r.values[at]));
    let numeric = |at: usize| {
        all(at, |value| {
            matches!(
                value,
                Value::Missing | Value::Integer(_) | Value::Number(_) | Value::Money(_)
            )
        })
    };
    let nested = |at: &usize| all(*at, |value| matches!(value, Value::Nested(_)));
    let (deeper, flat): (Vec<usize>, Vec<usize>) = (0..first.names.len()).partition(nested);
    let grid = Grid {
        headings: flat
            .iter()
            .map(|&at| (one_line(&first.names[at]), numeric(at)))
            .collect(),
        lines: records
            .iter()
            .map(|record| {
                let show = |&at: &usize| one_line(&rows.show(&record.values[at]));
                flat.iter().map(show).collect()
            })
            .collect(),
    };
    let room = width.map(|width| width.saturating_sub(indent));
    grid.write_around(out, room, indent, &mut |at, out| {
        let record = &records[at];
        deeper.iter().try_for_each(|&at| {
            let (name, value) = (&record.names[at], &record.values[at]);
            write_nested(out, name, value, rows, width, indent + GAP.len())
        })
    })
}

impl Grid {
    /// Prints headings, a rule and the lines, `indent` blanks to the right.
    pub(in crate::shell) fn write(
        &self,
        out: &mut dyn Write,
        width: Option<usize>,
        indent: usize,
    ) -> io::Result<()> {
        self.write_around(out, width, indent, &mut |_, _| Ok(()))
    }

    /// The same with `below` after each line; lines without columns are told apart by empty ones.
    fn write_around(
        &self,
        out: &mut dyn Write,
        width: Option<usize>,
        indent: usize,
        below: &mut dyn FnMut(usize, &mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let widths = self.widths(width);
        if !widths.is_empty() {
            self.write_head(out, &widths, indent)?;
        }
        for (at, line) in self.lines.iter().enumerate() {
            if !widths.is_empty() {
                self.write_line(out, line, &widths, indent)?;
            } else if at > 0 {
                writeln!(out)?;
            }
            below(at, out)?;
        }
        Ok(())
    }

    fn write_head(&self, out: &mut dyn Write, widths: &[usize], indent: usize) -> io::Result<()> {
        let heads: Vec<_> = self.headings.iter().map(|(name, _)| name.clone()).collect();
        let rules: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
        self.write_line(out, &heads, widths, indent)?;
        self.write_line(out, &rules, widths, indent)
    }

    fn write_line(
        &self,
        out: &mut dyn Write,
        cells: &[String],
        widths: &[usize],
        indent: usize,
    ) -> io::Result<()> {
        let mut text = " ".repeat(indent);
        for (at, (cell, width)) in cells.iter().zip(widths).enumerate() {
            let cell = console::truncate_str(cell, *width, "...");
            let blanks = " ".repeat(width.saturating_sub(console::measure_text_width(&cell)));
            let gap = if at == 0 { "" } else { GAP };
            let right = self.headings.get(at).is_some_and(|(_, right)| *right);
            match right {
                true => text.extend([gap, &blanks, &cell]),
                false => text.extend([gap, &cell, &blanks]),
            }
        }
        writeln!(out, "{}", text.trim_end())
    }

    /// The width below which columns cannot be cut.
    fn narrowest(&self) -> usize {
        let least: usize = self.widths(Some(0)).iter().sum();
        least + GAP.len() * self.headings.len().saturating_sub(1)
    }

    /// Each column's width: its widest text, and less where the terminal is narrower.
    fn widths(&self, terminal: Option<usize>) -> Vec<usize> {
        let heads = self.headings.iter();
        let mut widths: Vec<_> = heads
            .map(|(name, _)| console::measure_text_width(name))
            .collect();
        for line in &self.lines {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(console::measure_text_width(cell));
            }
        }
        let gaps = GAP.len() * widths.len().saturating_sub(1);
        let room = terminal.unwrap_or(usize::MAX).saturating_sub(gaps);
        while widths.iter().sum::<usize>() > room {
            match widths.iter_mut().max() {
                Some(widest) if *widest > WIDTH_MIN => *widest -= 1,
                _ => break,
            }
        }
        widths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Grid {
        Grid {
            headings: vec![("name".into(), false), ("amount".into(), true)],
            lines: vec![
                vec!["Acme, the first of its name".into(), "12".into()],
                vec!["Zürich 東京".into(), "3400".into()],
            ],
        }
    }

    fn shown(width: Option<usize>) -> String {
        let mut out = Vec::new();
        grid().write(&mut out, width, 0).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_stand_right_and_wide_characters_count_double() {
        let wanted = "\
name                         amount
---------------------------  ------
Acme, the first of its name      12
Zürich 東京                    3400
";
        assert_eq!(shown(None), wanted);
    }

    #[test]
    fn a_narrow_terminal_cuts_the_widest_column() {
        let wanted = "\
name          amount
------------  ------
Acme, the...      12
Zürich 東京     3400
";
        assert_eq!(shown(Some(20)), wanted);
    }
}
