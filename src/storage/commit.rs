//! The commit: what others committed since is checked, then everything is written at once.

use super::fault::OrFault;
use super::journal::{self, Change, Header, HeaderKind};
use super::meta::{self, Progress};
use super::overlay::Overlay;
use super::store::Writer;
use super::tables::RowsTable;
use super::{CommitInfo, Row, Snapshot, Store, Transaction, fold};
use crate::error::{Code, Error, Result};
use crate::value::{ObjectId, RecordId, Value};
use redb::WriteTransaction;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A small commit leaves its records for a later fold until more than this many wait.
pub(super) const PENDING_RECORDS: usize = 256;

/// A commit that a transaction still open has not seen.
pub(super) struct Recent {
    pub(super) sequence: u64,
    whole: bool,
    changes: Vec<Change>,
}

impl Store {
    pub(super) fn commit(&self, transaction: &Transaction<'_>, info: CommitInfo) -> Result<u64> {
        let (base, state) = (&transaction.base, &transaction.state);
        let changes = transaction.changes()?;
        let schema = !Arc::ptr_eq(&base.overlay.schema, &state.overlay.schema);
        let settings = base.overlay.settings != state.overlay.settings;
        if changes.is_empty() && !schema && !settings {
            return Ok(base.sequence());
        }
        let mut writer = self.writer();
        let latest = self.latest();
        check_clock(&latest, info)?;
        // A fold alone also moves what the overlay lies over.
        let mut overlay = if Arc::ptr_eq(&latest.base, &base.base) {
            state.overlay.clone()
        } else {
            check_conflicts(&writer, transaction, &changes, schema || settings)?;
            rebase(&latest, transaction, &changes)?
        };
        let sequence = latest.sequence() + 1;
        let write = self.begin_write()?;
        if schema {
            let bytes = overlay.schema.encode()?;
            let mut table = write.open_table(super::tables::CATALOGS).or_fault()?;
            table.insert(sequence, bytes.as_slice()).or_fault()?;
        }
        write_rows(&write, sequence, &changes)?;
        let touched = journal::write_changes(&write, sequence, &changes, |object| {
            overlay.schema.layout(object).clone()
        })?;
        let kind = if schema {
            HeaderKind::Schema
        } else {
            HeaderKind::Records
        };
        let header = Header {
            at: info.at,
            actor: info.actor,
            replica: self.replica,
            kind,
            touched,
            old_settings: settings.then(|| (*base.overlay.settings).clone()),
        };
        journal::write_header(&write, sequence, &header)?;
        if settings {
            meta::write_settings(&write, &overlay.settings)?;
        }
        let mut progress = Progress {
            sequence,
            folded: latest.base.progress.folded,
            last_commit: Some(info.at),
        };
        if schema || overlay.len() > PENDING_RECORDS {
            if schema {
                fold::drop_gone(&write, &latest.overlay.schema, &overlay.schema)?;
            }
            let ids = overlay.schema.index_ids();
            let new: BTreeSet<_> = ids
                .filter(|id| !latest.overlay.schema.has_index(*id))
                .collect();
            fold::fold(&write, &overlay, &new)?;
            progress.folded = sequence;
            write_counts(&write, &overlay, overlay.objects.keys().copied())?;
            overlay = Arc::new(overlay.folded());
        } else {
            let mut objects: Vec<_> = changes.iter().map(|change| change.object).collect();
            objects.dedup();
            write_counts(&write, &overlay, objects.into_iter())?;
            stamp(Arc::make_mut(&mut overlay), sequence, &changes);
        }
        meta::write_progress(&write, &progress)?;
        write.commit().or_fault()?;
        self.publish(progress, overlay)?;
        writer.recent.push_back(Recent {
            sequence,
            whole: schema || settings,
            changes,
        });
        self.prune(&mut writer, base.sequence());
        Ok(sequence)
    }

    /// Folds all pending changes into chunks, indexes and summaries.
    pub(crate) fn fold(&self) -> Result<()> {
        let _writer = self.writer();
        let latest = self.latest();
        let progress = Progress {
            folded: latest.sequence(),
            ..latest.base.progress
        };
        if progress == latest.base.progress {
            return Ok(());
        }
        let write = self.begin_write()?;
        fold::fold(&write, &latest.overlay, &BTreeSet::new())?;
        meta::write_progress(&write, &progress)?;
        write.commit().or_fault()?;
        self.publish(progress, Arc::new(latest.overlay.folded()))
    }
}

fn check_clock(latest: &Snapshot, info: CommitInfo) -> Result<()> {
    match latest.last_commit() {
        Some(last) if info.at < last => Err(Error::new(
            Code::ClockBackwards,
            format!(
                "the clock stands {} microseconds before the last transaction",
                last.micros().saturating_sub(info.at.micros())
            ),
        )
        .hint("set the clock right, or begin the transaction at a later moment")),
        _ => Ok(()),
    }
}

fn conflict(message: String) -> Error {
    Error::new(Code::Conflict, message).hint("run the transaction again")
}

/// An error if what others committed since the transaction began does not go with its changes.
fn check_conflicts(
    writer: &Writer,
    transaction: &Transaction<'_>,
    changes: &[Change],
    whole: bool,
) -> Result<()> {
    let since = transaction.base.sequence();
    let schema = &transaction.state.overlay.schema;
    let mine: BTreeSet<_> = changes.iter().map(|c| (c.object, c.id)).collect();
    let gone: BTreeSet<_> = changes
        .iter()
        .filter(|c| c.after.is_none())
        .map(|c| (c.object, c.id))
        .collect();
    let referred = |change: &Change, gone: &BTreeSet<(ObjectId, RecordId)>| {
        let row = change.after.as_ref()?;
        let layout = schema.layout(change.object);
        row.targets(layout).find(|target| gone.contains(target))
    };
    for recent in writer.recent.iter().filter(|r| r.sequence > since) {
        if whole || recent.whole {
            return Err(conflict(
                "the schema or the settings changed in another transaction".to_owned(),
            ));
        }
        let mut their_gone = BTreeSet::new();
        for change in &recent.changes {
            let (object, id) = (change.object, change.id);
            if mine.contains(&(object, id)) {
                return Err(conflict(format!(
                    "record `{id}` of object {} was changed by another transaction",
                    object.0
                )));
            }
            if change.after.is_none() {
                their_gone.insert((object, id));
            }
            if let Some((object, id)) = referred(change, &gone) {
                return Err(conflict(format!(
                    "record `{id}` of object {}, deleted here, was referred to by another \
                     transaction",
                    object.0
                )));
            }
        }
        for change in changes {
            if let Some((object, id)) = referred(change, &their_gone) {
                return Err(conflict(format!(
                    "record `{id}` of object {}, referred to here, was deleted by another \
                     transaction",
                    object.0
                )));
            }
        }
    }
    Ok(())
}

/// The latest state with the transaction's changes, which conflict with none of it; an error if two records share a unique key.
fn rebase(
    latest: &Snapshot,
    transaction: &Transaction<'_>,
    changes: &[Change],
) -> Result<Arc<Overlay>> {
    let mut state = latest.clone();
    let overlay = Arc::make_mut(&mut state.overlay);
    let mine = &transaction.state.overlay;
    overlay.settings = mine.settings.clone();
    let known = latest.overlay.schema.clone();
    overlay.set_schema(mine.schema.clone());
    for change in changes {
        let after = change.after.clone();
        overlay.set(change.object, change.id, change.before.as_ref(), after)?;
    }
    // A schema changes only if nothing was committed since, so these keys are all there are.
    for index in mine.schema.index_ids().filter(|id| !known.has_index(*id)) {
        if let Some(keys) = mine.keys(index) {
            overlay.set_keys(index, keys.clone());
        }
    }
    for change in changes {
        let Some(row) = &change.after else { continue };
        let layout = state.layout(change.object);
        for index in layout.indexes.iter().filter(|index| index.unique) {
            let key: Vec<Value> = index.fields.iter().map(|&f| row.get(f).clone()).collect();
            if key.iter().any(Value::is_missing) {
                continue;
            }
            let same = state.lookup(index.id, &key)?;
            if let Some(other) = same.into_iter().find(|id| *id != change.id) {
                return Err(conflict(format!(
                    "record `{other}` of object {} got the same unique key in another transaction",
                    change.object.0
                )));
            }
        }
    }
    Ok(state.overlay)
}

/// Writes the rows after the changes, stamped with the transaction's number.
fn write_rows(write: &WriteTransaction, sequence: u64, changes: &[Change]) -> Result<()> {
    for changes in changes.chunk_by(|a, b| a.object == b.object) {
        let name = RowsTable::new(changes[0].object);
        let mut rows = write.open_table(name.definition()).or_fault()?;
        for change in changes {
            match &change.after {
                Some(row) => {
                    let bytes = stamped(row, sequence).encode();
                    rows.insert(change.id.0, bytes.as_slice()).or_fault()?;
                }
                None => {
                    rows.remove(change.id.0).or_fault()?;
                }
            }
        }
    }
    Ok(())
}

fn stamped(row: &Row, sequence: u64) -> Row {
    let mut row = row.clone();
    row.changed = sequence;
    if row.created == 0 {
        row.created = sequence;
    }
    row
}

/// Gives the rows in the overlay the stamps they were written with.
fn stamp(overlay: &mut Overlay, sequence: u64, changes: &[Change]) {
    for change in changes {
        let records = overlay.objects.get_mut(&change.object);
        let entry = records.and_then(|o| o.records.get_mut(&change.id.0));
        if let Some(row) = entry.and_then(|entry| entry.current.as_mut()) {
            *row = Arc::new(stamped(row, sequence));
        }
    }
}

fn write_counts(
    write: &WriteTransaction,
    overlay: &Overlay,
    mut objects: impl Iterator<Item = ObjectId>,
) -> Result<()> {
    objects.try_for_each(|object| meta::write_counts(write, object, &overlay.counts(object)))
}
