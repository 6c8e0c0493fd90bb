//! Writes: bound changes, imports and bulk loads carried out on a transaction. Values become
//! values of their fields here, and every rule of an object is held here; names were resolved
//! by the binder, and marks and commits are the caller's.

mod add;
mod assign;
mod back;
mod card_reader;
mod cards;
mod cells;
mod columns;
mod creating;
mod defaults;
mod delete;
mod encoding;
mod export;
mod import;
mod input;
mod json;
mod keys;
mod linked;
mod merge;
mod order;
mod rejects;
mod restore;
mod rules;
#[cfg(test)]
mod runs;
mod shown;
mod stored;
#[cfg(test)]
mod tests;
mod undo;
mod update;
mod upsert;
mod writer;

pub(crate) use cards::{Cards, Component, Property, with_record};
pub(crate) use columns::each_value;
pub(crate) use defaults::order as default_order;
pub(crate) use export::{Failure, export, write_whole};
pub(crate) use import::import;
pub(crate) use rules::Rules;
pub(crate) use shown::{Before, Numbered};
pub(crate) use undo::undo;
pub(crate) use writer::Writer;

use crate::catalog::Catalog;
use crate::error::Result;
use crate::query::bind::Change;
use crate::query::outcome::Outcome;
use crate::query::pipeline::Environment;
use crate::storage::Transaction;
use std::sync::Arc;

/// Records handled at once where expressions are evaluated over many.
const BATCH_RECORDS: usize = if cfg!(test) { 30 } else { 4_000 };

/// Carries out one statement that changes records. When it fails, the transaction holds what was
/// done so far: the caller rolls back to its mark.
pub(crate) fn change(
    change: &Change,
    transaction: &mut Transaction<'_>,
    catalog: &Arc<Catalog>,
    environment: &Environment<'_>,
) -> Result<Outcome> {
    let mark = transaction.mark();
    let mut writer = Writer::new(transaction, Arc::clone(catalog), environment);
    let (object, mut tally) = match change {
        Change::Add { object, records } => (*object, writer.add(*object, records)?),
        Change::Update {
            object,
            query,
            set,
            unchanged,
        } => {
            let tally = writer.update(*object, query, set, unchanged.as_ref())?;
            (*object, tally)
        }
        Change::Delete { object, query } => (*object, writer.delete(*object, query)?),
        Change::Merge(merge) => {
            let outcome = writer.merge(merge)?;
            writer.finish()?;
            return Ok(outcome);
        }
        Change::Restore {
            object,
            key,
            filter,
        } => {
            let tally = writer.restore(*object, key.as_ref(), filter.as_ref())?;
            (*object, tally)
        }
        Change::Upsert {
            object,
            on,
            from,
            records,
        } => {
            writer.upsert(*object, on, from.as_ref(), records)?;
            (*object, Tally::default())
        }
    };
    writer.finish()?;
    if let Change::Upsert { .. } = change {
        // Several rows may have met in one record.
        let changes = transaction.changes_since(mark);
        tally.added = changes.iter().filter(|change| change.is_new()).count() as u64;
        tally.updated = changes.len() as u64 - tally.added;
    }
    Ok(Outcome::Changed {
        added: tally.added,
        updated: tally.updated,
        deleted: tally.deleted,
        restored: tally.restored,
        cascaded: tally.cascaded,
        emptied: tally.emptied,
        object: catalog.object(object).name.clone(),
    })
}

/// What a statement did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub added: u64,
    pub updated: u64,
    pub deleted: u64,
    pub restored: u64,
    /// Deleted because they referred to a deleted record.
    pub cascaded: u64,
    /// Changed because they did.
    pub emptied: u64,
}
