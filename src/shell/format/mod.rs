//! Output formats: one file each for those that people read, and this table of all.

mod grid;
mod line;
mod markdown;

pub(super) use grid::Grid;

use crate::Rows;
use crate::book::Format as Form;
use std::io::{self, Write};

/// A way to print rows.
#[derive(Debug)]
pub(super) struct Format {
    pub(super) name: &'static str,
    /// Prints rows, given the columns of the terminal if they go to one.
    pub(super) write: fn(&Rows, &mut dyn Write, Option<usize>) -> io::Result<()>,
}

/// The format without `--format`.
pub(super) const DEFAULT: &str = "table";

/// Every format.
pub(super) const FORMATS: &[Format] = &[
    Format {
        name: DEFAULT,
        write: grid::write,
    },
    Format {
        name: "csv",
        write: |rows, out, _| rows.render(Form::Csv, out),
    },
    Format {
        name: "json",
        write: |rows, out, _| rows.render(Form::Json, out),
    },
    Format {
        name: "jsonl",
        write: |rows, out, _| rows.render(Form::JsonLines, out),
    },
    Format {
        name: "markdown",
        write: markdown::write,
    },
    Format {
        name: "line",
        write: line::write,
    },
];

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FORMATS.iter().map(|format| format.name)
}

pub(super) fn find(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// Text for one line of a terminal: line ends and other control characters become blanks.
fn one_line(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(clean).collect()
}
