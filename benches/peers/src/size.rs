//! Bytes on disk.

use crate::Result;
use crate::data::Files;
use crate::table::{Line, Table, Unit};
use std::fs;

pub(crate) fn run(files: &Files, table: &mut Table) -> Result<()> {
    table.section("Bytes on disk");
    table.line(Line {
        name: "the file, compact".to_owned(),
        ours: fs::metadata(&files.fieldbook)?.len() as f64,
        sqlite: Some(fs::metadata(&files.sqlite)?.len() as f64),
        duckdb: Some(fs::metadata(&files.duckdb)?.len() as f64),
        unit: Unit::Bytes,
    });
    Ok(())
}
