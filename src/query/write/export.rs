//! `export`: a query's rows as a CSV, JSON or JSON lines file.

use super::cards;
use super::input::io_error;
use crate::catalog::Catalog;
use crate::error::{Code, Error, Result};
use crate::query::bind::Type;
use crate::query::outcome::{Heading, Outcome, Table};
use crate::query::pipeline::Environment;
use crate::query::render::{self, Format};
use crate::query::syntax::Text;
use crate::value::{FieldType, Value};
use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes the rows to the file, which appears whole or not at all.
pub(crate) fn export(
    table: &Table,
    file: &Text,
    catalog: &Catalog,
    environment: &Environment<'_>,
) -> Result<Outcome> {
    let path = environment.directory.join(&file.text);
    let clock = environment.clock;
    let object = match table.columns.last().map(|column| &column.ty) {
        Some(Type::Plain(FieldType::Reference(object))) => &*catalog.object(*object).name,
        _ => "",
    };
    let cards = cards::of_file(&path, object, environment.cards);
    let path = match cards.map_err(|e| e.at(file.span.clone()))? {
        Some(cards) => write_whole(file, environment, |out| {
            Ok(cards::write(cards, table, clock, out)?)
        })?,
        None => {
            let format = format_of(&path).ok_or_else(|| {
                Error::new(
                    Code::BadValue,
                    format!("\"{}\" does not say its format", file.text),
                )
                .at(file.span.clone())
                .expected("a name that ends in .csv, .json, .jsonl, .vcf or .ics")
            })?;
            write_whole(file, environment, |out| {
                Ok(render::render(&with_objects(table), format, clock, out)?)
            })?
        }
    };
    Ok(Outcome::Exported {
        file: path,
        records: table.rows.len() as u64,
    })
}

/// The rows with references to one of several objects as an import reads them, `accounts:Acme`:
/// records of two may be called the same.
fn with_objects(table: &Table) -> Cow<'_, Table> {
    let of_any = |column: &Heading| matches!(column.ty.field_type(), FieldType::AnyReference(_));
    let places: Vec<_> = (0..table.columns.len())
        .filter(|at| of_any(&table.columns[*at]))
        .collect();
    if places.is_empty() {
        return Cow::Borrowed(table);
    }
    let mut table = table.clone();
    for row in &mut table.rows {
        for &at in &places {
            if let Value::Record(record) = &row[at] {
                row[at] = Value::text(format!("{}:{}", record.object, record.label));
            }
        }
    }
    Cow::Owned(table)
}

/// Why a file was not written: what cannot be read, or the operating system.
pub(crate) enum Failure {
    Book(Error),
    Io(std::io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Book(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

/// Writes a file, which appears whole or not at all; gives its path.
pub(crate) fn write_whole(
    file: &Text,
    environment: &Environment<'_>,
    work: impl FnOnce(&mut dyn Write) -> Result<(), Failure>,
) -> Result<PathBuf> {
    let path = environment.directory.join(&file.text);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let written = write(&part, work).and_then(|()| Ok(fs::rename(&part, &path)?));
    if let Err(failure) = written {
        // The first error is the one to tell.
        let _ = fs::remove_file(&part);
        return Err(match failure {
            Failure::Book(error) => error,
            Failure::Io(error) => io_error(&path, error).at(file.span.clone()),
        });
    }
    Ok(path)
}

fn format_of(path: &Path) -> Option<Format> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    match extension.as_str() {
        "csv" => Some(Format::Csv),
        "json" => Some(Format::Json),
        "jsonl" | "ndjson" => Some(Format::JsonLines),
        _ => None,
    }
}

fn write(
    part: &Path,
    work: impl FnOnce(&mut dyn Write) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut out = BufWriter::new(File::create(part)?);
    work(&mut out)?;
    out.flush()?;
    out.get_ref().sync_all()?;
    Ok(())
}
