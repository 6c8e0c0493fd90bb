//! Execution: planned queries over vectors, a chunk at a time.

mod aggregate;
mod batch;
mod context;
mod cursor;
#[cfg(test)]
mod differential;
mod duplicates;
mod empty;
mod evaluate;
mod find;
mod group;
mod grouped;
mod history;
mod keys;
mod limit;
mod memory;
mod nested;
mod paired;
mod present;
mod profile;
mod reached;
#[cfg(test)]
mod reference;
mod roles;
mod rows;
mod run;
mod scan;
mod snippet;
mod sort;
mod spread;
mod tally;
mod then;
mod threads;
mod window;

pub(crate) use batch::{Batch, Frame};
pub(crate) use context::Context;
pub use context::Interrupt;
pub(crate) use cursor::Cursor;
pub(crate) use empty::{asked_period, boundless, computed};
pub(crate) use evaluate::{Evaluator, alone, known_rates};
pub(crate) use find::search;
pub(crate) use profile::{Profile, Work, part};
pub(crate) use roles::Roles;
use run::Executor;
pub(crate) use run::{
    is_column_over_rows, named, record, records, run, run_folded, run_frame, run_profiled,
};
pub(crate) use then::{Then, beginning, moment, settled};
pub(crate) use threads::Threads;
