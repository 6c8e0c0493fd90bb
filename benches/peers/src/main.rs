//! The comparison: one sample book in Fieldbook, SQLite and DuckDB, the same questions and
//! changes, answers checked against each other, one table of medians and ratios.

mod cell;
mod changes;
mod data;
mod duck;
mod fieldbook_engine;
mod measure;
mod questions;
mod size;
mod sqlite;
mod table;

use clap::Parser;
use mimalloc::MiMalloc;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

/// As in the shell; it serves Rust alone, the other two engines keep their own.
#[global_allocator]
static MEMORY: MiMalloc = MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Compares Fieldbook with SQLite and DuckDB on one sample book.
#[derive(Parser)]
pub(crate) struct Arguments {
    /// Opportunities of the sample book; a tenth as many accounts, three times as many activities
    #[arg(long, default_value_t = 1_000_000)]
    scale: u64,

    /// Where the three books are kept between runs
    #[arg(long, default_value = "target/books")]
    directory: PathBuf,

    /// Ask only what has this in its name
    #[arg(long)]
    only: Option<String>,

    /// Seconds given to each question in each engine
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,

    /// Leave out what changes the books
    #[arg(long)]
    read_only: bool,

    /// Change Fieldbook's book with other processes locked out
    #[arg(long)]
    exclusive: bool,

    /// Measure Fieldbook alone, and its memory
    #[arg(long)]
    alone: bool,
}

impl Arguments {
    fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name.contains(only))
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    fs::create_dir_all(&arguments.directory)?;
    let files = data::files(&arguments.directory, arguments.scale, arguments.alone)?;
    let mut table = table::Table::default();
    questions::run(&arguments, &files, &mut table)?;
    if !arguments.read_only && !arguments.alone {
        changes::run(&arguments, &files, &mut table)?;
    }
    if arguments.only.is_none() {
        size::run(&arguments, &files, &mut table)?;
    }
    print!("{}", table.text(arguments.scale));
    Ok(())
}
