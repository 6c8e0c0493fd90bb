//! The whole chain in one place: text, tree, bound tree, plan, vectors, rows.

use crate::catalog::Catalog;
use crate::error::{Result, Span};
use crate::query::exec::Interrupt;
use crate::query::outcome::Outcome;
use crate::query::syntax::{self, Statement};
use crate::storage::{Snapshot, Transaction};
use crate::value::{Clock, RecordId, Value};
use std::collections::HashMap;
use std::path::Path;

/// What surrounds a statement: clock, asker, parameters, limits, and where its files are.
#[derive(Clone)]
pub(crate) struct Environment<'a> {
    pub clock: &'a Clock,
    pub me: Option<RecordId>,
    pub parameters: &'a HashMap<String, Value>,
    pub interrupt: &'a Interrupt,
    pub memory_bytes: usize,
    /// Relative paths in `import` and `export` start here.
    pub directory: &'a Path,
    /// Refuse a whole import when one line of it is refused.
    pub atomic: bool,
    /// Told the bytes read and the bytes in all while an import runs.
    pub progress: &'a dyn Fn(u64, u64),
}

/// Reads a script into statements with their places.
pub(crate) fn parse(text: &str) -> Result<Vec<(Statement, Span)>> {
    syntax::parse_script(text).map_err(|error| error.in_text(text))
}

/// Whether a statement only reads, so that it runs on a snapshot.
pub(crate) fn is_read(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::Query(_) | Statement::Explain { .. } | Statement::Export { .. }
    )
}

/// Runs a statement that reads.
pub(crate) fn read(
    statement: &Statement,
    snapshot: &Snapshot,
    catalog: &Catalog,
    environment: &Environment<'_>,
) -> Result<Outcome> {
    let _ = (statement, snapshot, catalog, environment);
    unimplemented!()
}

/// Runs a statement that changes records or definitions, or any other within a transaction.
/// A statement that fails leaves the transaction as it was. `begin`, `commit` and `rollback`
/// are the session's and never come here.
pub(crate) fn write(
    statement: &Statement,
    transaction: &mut Transaction<'_>,
    environment: &Environment<'_>,
) -> Result<Outcome> {
    let _ = (statement, transaction, environment);
    unimplemented!()
}
