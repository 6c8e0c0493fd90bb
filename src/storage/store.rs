//! The open file: published state, pending changes, and their fold.

use super::{Snapshot, Transaction};
use crate::error::Result;
use crate::value::Currency;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// How a store is opened.
#[derive(Clone, Debug)]
pub(crate) struct StoreOptions {
    pub read_only: bool,
    pub create: bool,
    /// Bytes of page cache.
    pub cache_bytes: usize,
    /// Settings of a new store.
    pub settings: Settings,
}

/// What the meta table says of the book besides its format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// IANA name of the zone in which days begin and end.
    pub zone: String,
    /// Month in which the fiscal year starts, 1 to 12.
    pub fiscal_start: i8,
    pub base: Currency,
}

/// What [`Store::check`] counted and found.
#[derive(Clone, Debug, Default)]
pub(crate) struct CheckReport {
    pub records: u64,
    pub chunks: u64,
    pub index_entries: u64,
    pub journal_entries: u64,
    /// One sentence for each contradiction; empty when all is well.
    pub faults: Vec<String>,
}

/// An open book file, or one in memory. Shared by threads.
pub(crate) struct Store {}

impl Store {
    pub(crate) fn open(path: &Path, options: &StoreOptions) -> Result<Self> {
        let _ = (path, options);
        unimplemented!()
    }

    pub(crate) fn in_memory(options: &StoreOptions) -> Result<Self> {
        let _ = options;
        unimplemented!()
    }

    /// The last committed state. Cheap; never blocks on a writer.
    pub(crate) fn snapshot(&self) -> Result<Snapshot> {
        unimplemented!()
    }

    /// Starts a write transaction on the last committed state. Holds no lock.
    pub(crate) fn begin(&self) -> Result<Transaction<'_>> {
        unimplemented!()
    }

    /// Folds all pending changes into chunks, indexes and summaries.
    pub(crate) fn fold(&self) -> Result<()> {
        unimplemented!()
    }

    /// Compares rows, columns, indexes, summaries and journal with each other.
    pub(crate) fn check(&self) -> Result<CheckReport> {
        unimplemented!()
    }

    /// Copies the committed state into a new file at `path`, tables in key order.
    pub(crate) fn backup(&self, path: &Path) -> Result<()> {
        let _ = path;
        unimplemented!()
    }
}
