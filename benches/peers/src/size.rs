//! Bytes on disk.

use crate::Result;
use crate::data::Files;
use crate::table::{Table, Unit};
use std::fs;

pub(crate) fn run(files: &Files, table: &mut Table) -> Result<()> {
    table.section("Bytes on disk");
    let files = [&files.fieldbook, &files.sqlite, &files.duckdb];
    let size = |path| Ok(fs::metadata(path)?.len() as f64);
    let sizes = files.into_iter().map(size).collect::<Result<Vec<f64>>>()?;
    table.line("the file, compact", Unit::Bytes, &sizes);
    Ok(())
}
