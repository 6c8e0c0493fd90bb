//! Bytes on disk and in memory.

use crate::data::Files;
use crate::table::{Table, Unit};
use crate::{Arguments, Result};
use std::fs;

pub(crate) fn run(arguments: &Arguments, files: &Files, table: &mut Table) -> Result<()> {
    table.section("Bytes");
    let files = [&files.fieldbook, &files.sqlite, &files.duckdb];
    let compared = if arguments.alone { 1 } else { files.len() };
    let size = |path| Ok(fs::metadata(path)?.len() as f64);
    let sizes = files.into_iter().take(compared).map(size);
    let sizes = sizes.collect::<Result<Vec<f64>>>()?;
    table.line("the file, compact", Unit::Bytes, &sizes);
    if let Some(peak) = peak_memory().filter(|_| arguments.alone) {
        table.line("memory at its highest", Unit::Bytes, &[peak]);
    }
    Ok(())
}

/// The most memory that this process had, where the system tells it.
fn peak_memory() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024.0)
}
