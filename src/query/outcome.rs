//! What a statement gives back.

use crate::query::bind::Type;
use crate::query::exec::Cursor;
use crate::value::Value;
use std::path::PathBuf;
use std::sync::Arc;

/// The result of one statement.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// A query's rows.
    Rows(Table),
    /// Records added, updated, deleted or brought back.
    Changed {
        added: u64,
        updated: u64,
        deleted: u64,
        restored: u64,
        cascaded: u64,
        emptied: u64,
        object: String,
    },
    Imported(ImportReport),
    /// One record went into another, both as messages call them.
    Merged {
        source: String,
        target: String,
        /// Fields of the target that changed.
        fields: u64,
        /// References that led to the source.
        references: u64,
    },
    /// A transaction was undone.
    Undone {
        transaction: u64,
        /// `of 2026-05-15T09:00:00 by reps "Dee"`
        of: String,
        /// Records that it had deleted.
        restored: u64,
        /// Records that it had changed.
        updated: u64,
        /// Records that it had added.
        deleted: u64,
    },
    /// What a statement would change, and what it would have given.
    DryRun {
        changes: Table,
        outcome: Box<Outcome>,
    },
    Exported {
        file: PathBuf,
        records: u64,
    },
    /// A plan, as `explain` prints it.
    Plan(String),
    /// A query as SQL.
    Sql(String),
    /// A definition or setting changed; a short sentence.
    Done(String),
}

/// Rows under named columns; values carry names (labels, records), not codes.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub columns: Arc<[Heading]>,
    pub rows: Vec<Vec<Value>>,
    /// Where the rows end, if the limit cut off more.
    pub next: Option<Box<Cursor>>,
    /// By row, where totals or rolled up hierarchies were asked for; else none.
    pub marks: Vec<Mark>,
}

/// What a row is, beyond its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Whether it sums over several groups.
    pub is_total: bool,
    /// By column, those that say more than their value.
    pub cells: Vec<(usize, MarkedCell)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MarkedCell {
    /// A group key that the row sums over: all its values.
    All,
    /// A node of a hierarchy that lies below so many others.
    Below(usize),
}

impl Mark {
    /// The columns whose keys the row sums over.
    pub(crate) fn summed(&self) -> impl Iterator<Item = usize> {
        let cells = self.cells.iter();
        cells.filter_map(|(column, cell)| (*cell == MarkedCell::All).then_some(*column))
    }
}

/// A column of a result.
#[derive(Clone, Debug, PartialEq)]
pub struct Heading {
    pub(crate) name: Arc<str>,
    pub(crate) ty: Type,
}

/// What an import did.
#[derive(Clone, Debug, Default)]
pub(crate) struct ImportReport {
    pub object: String,
    /// The encoding of the file.
    pub encoding: String,
    /// The columns of the file, in order.
    pub columns: Vec<ImportedColumn>,
    pub added: u64,
    pub updated: u64,
    /// Lines whose record is that of an earlier line.
    pub repeated: Vec<u64>,
    /// Records of other objects that were added for references to them.
    pub created: Vec<(String, u64)>,
    pub refused: Vec<RefusedLine>,
    /// Where the refused lines went, if there were any.
    pub rejects: Option<PathBuf>,
}

/// A column of an imported file, with the fields that it was used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImportedColumn {
    pub name: String,
    pub fields: Vec<String>,
}

/// A line of an import that broke a rule.
#[derive(Clone, Debug)]
pub(crate) struct RefusedLine {
    /// From 1, the header's line being 1.
    pub line: u64,
    /// The field at fault, where there is one.
    pub field: Option<String>,
    pub reason: String,
}
