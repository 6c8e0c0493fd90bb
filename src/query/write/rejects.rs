//! The rejects: lines of an import that were refused, as a CSV file with their reasons.

use super::input::{Again, Place, io_error};
use crate::error::{Code, Error, Result};
use crate::query::outcome::ImportReport;
use crate::value::FieldId;
use csv::{ByteRecord, StringRecord, Writer, WriterBuilder};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Refused lines that the error of an atomic import lists.
const LISTED: usize = 5;

/// A line that was refused.
pub(super) struct Refused {
    pub place: Place,
    pub field: Option<FieldId>,
    pub reason: String,
    /// Nothing of those that are read again.
    pub record: Option<ByteRecord>,
}

/// `accounts.rejected.csv` beside `accounts.csv`, made when the first line is refused.
pub(super) struct Rejects {
    places: Vec<PathBuf>,
    header: Vec<String>,
    delimiter: u8,
    writer: Option<(PathBuf, Writer<File>)>,
}

impl Rejects {
    /// Beside `input`, or else in `directory`.
    pub(super) fn new(input: &Path, directory: &Path, header: &[String], delimiter: u8) -> Self {
        let stem = input.file_stem().unwrap_or_default().to_string_lossy();
        let name = format!("{stem}.rejected.csv");
        Self {
            places: vec![input.with_file_name(&name), directory.join(&name)],
            header: header.to_vec(),
            delimiter,
            writer: None,
        }
    }

    /// Writes refused lines, which are sorted.
    pub(super) fn write_all(&mut self, lines: &[Refused], again: &mut Again<'_>) -> Result<()> {
        for line in lines {
            if let Some(record) = &line.record {
                self.write(record, &line.reason)?;
                continue;
            }
            let cells = loop {
                let read = again.next()?;
                if read.place == line.place {
                    break read.cells;
                }
            };
            let record = cells.map_or_else(|(record, _)| record, StringRecord::into_byte_record);
            self.write(&record, &line.reason)?;
        }
        Ok(())
    }

    fn write(&mut self, cells: &ByteRecord, reason: &str) -> Result<()> {
        let width = self.header.len();
        let (path, writer) = match &mut self.writer {
            Some(open) => open,
            None => {
                let (path, file) = create(&self.places)?;
                let mut writer = WriterBuilder::new()
                    .delimiter(self.delimiter)
                    .flexible(true)
                    .from_writer(file);
                let header = self.header.iter().map(String::as_str);
                writer
                    .write_record(header.chain(["reason"]))
                    .map_err(|e| csv_error(&path, e))?;
                self.writer.insert((path, writer))
            }
        };
        // The reason stands in its own column, whatever the line has too few or too many of.
        let own = cells.iter().chain(std::iter::repeat(&b""[..])).take(width);
        let rest = cells.iter().skip(width);
        writer
            .write_record(own.chain([reason.as_bytes()]).chain(rest))
            .map_err(|e| csv_error(path, e))
    }

    /// Where the lines went, if there were any.
    pub(super) fn finish(self) -> Result<Option<PathBuf>> {
        let Some((path, mut writer)) = self.writer else {
            return Ok(None);
        };
        writer.flush().map_err(|e| io_error(&path, e))?;
        Ok(Some(path))
    }
}

fn create(places: &[PathBuf]) -> Result<(PathBuf, File)> {
    let mut failure = None;
    for path in places {
        match File::create(path) {
            Ok(file) => return Ok((path.clone(), file)),
            Err(error) => failure = failure.or(Some(io_error(path, error))),
        }
    }
    Err(failure.unwrap_or_else(|| Error::new(Code::Io, "no place for refused lines")))
}

fn csv_error(path: &Path, error: csv::Error) -> Error {
    Error::new(Code::Io, format!("cannot write \"{}\"", path.display())).caused_by(error)
}

/// The error of an atomic import.
pub(super) fn rejected(report: &ImportReport) -> Error {
    let error = Error::new(
        Code::Rejected,
        format!(
            "{} lines were refused, so nothing is imported",
            report.refused.len()
        ),
    );
    report
        .refused
        .iter()
        .take(LISTED)
        .fold(error, |error, line| {
            let field = line.field.as_ref().map(|field| format!(", {field}"));
            let field = field.unwrap_or_default();
            error.hint(format!("line {}{field}: {}", line.line, line.reason))
        })
}

/// The error in one line, with what helps.
pub(super) fn reason(error: &Error) -> String {
    let mut out = error.message().to_owned();
    for hint in error.hints() {
        out.push_str("; ");
        out.push_str(hint);
    }
    out
}
