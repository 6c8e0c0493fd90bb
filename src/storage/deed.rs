//! What one transaction did, and what happened since to the records it did it to.

use super::fault::{OrFault, corrupt, guard};
use super::history::Stamp;
use super::journal::{self, RECORDS, RecordBlock, field_id};
use super::{Row, Snapshot, tables};
use crate::error::Result;
use crate::value::{FieldId, ObjectId, RecordId, Value};
use redb::ReadableTable;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

/// What a transaction did to the records of one object.
#[derive(Debug, Default)]
pub(crate) struct Deed {
    /// Records that came, also those that came back.
    pub came: BTreeSet<RecordId>,
    pub went: BTreeMap<RecordId, Arc<Row>>,
    /// What fields of others were before.
    pub changed: BTreeMap<RecordId, Vec<(FieldId, Value)>>,
}

/// A later transaction's change of what an earlier one did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Later {
    pub sequence: u64,
    pub object: ObjectId,
    pub id: RecordId,
    pub what: LaterChange,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LaterChange {
    Field(FieldId),
    /// The record came back.
    Came,
    Went,
}

impl Snapshot {
    /// The transactions from the last one back, until `each` has seen enough.
    pub(crate) fn transactions_back(
        &self,
        mut each: impl FnMut(Stamp) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        for commit in self.pending.commits.iter().rev() {
            if each(Stamp::of(commit))?.is_break() {
                return Ok(());
            }
        }
        guard(|| {
            let headers = self.base.read.open_table(tables::TRANSACTIONS).or_fault()?;
            for entry in headers.iter().or_fault()?.rev() {
                let (sequence, bytes) = entry.or_fault()?;
                // What the journal begins with did nothing that is known.
                if sequence.value() <= self.base.kept {
                    break;
                }
                if each(Stamp::read(sequence.value(), bytes.value())?)?.is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    /// What a transaction did, by object. Of objects that were dropped since nothing is known but
    /// that it did something.
    pub(crate) fn deeds(&self, sequence: u64) -> Result<BTreeMap<ObjectId, Deed>> {
        self.check_kept(sequence.saturating_sub(1))?;
        let mut deeds: BTreeMap<ObjectId, Deed> = BTreeMap::new();
        if let Some(commit) = self.pending_commit(sequence) {
            for change in &commit.changes {
                let deed = deeds.entry(change.object).or_default();
                match (&change.before, &change.after) {
                    (None, _) => drop(deed.came.insert(change.id)),
                    (Some(row), None) => drop(deed.went.insert(change.id, row.clone())),
                    (Some(before), Some(after)) => {
                        let fields = 0..self.layout(change.object).fields.len();
                        let fields = fields.map(field_id);
                        let changed =
                            fields.filter(|field| before.get(*field) != after.get(*field));
                        let olds = changed.map(|field| (field, before.get(field).clone()));
                        deed.changed.insert(change.id, olds.collect());
                    }
                }
            }
            return Ok(deeds);
        }
        guard(|| {
            let headers = self.base.read.open_table(tables::TRANSACTIONS).or_fault()?;
            let journal = self.base.read.open_table(tables::JOURNAL).or_fault()?;
            let lacks = || corrupt(format!("the journal lacks transaction {sequence}"));
            let header = headers.get(sequence).or_fault()?.ok_or_else(lacks)?;
            for (object, field) in journal::header(header.value())?.touched {
                let deed = deeds.entry(object).or_default();
                let layout = self.layout(object);
                if layout.fields.is_empty() {
                    continue;
                }
                let bytes = journal.get((object.0, field.0, sequence)).or_fault()?;
                let bytes = bytes.ok_or_else(lacks)?;
                if field == RECORDS {
                    let block = RecordBlock::decode(bytes.value(), layout)?;
                    let came = block.inserted.into_iter();
                    let came = came.flat_map(|(first, len)| first..first + len);
                    deed.came.extend(came.map(RecordId));
                    let went = block.deleted.into_iter();
                    deed.went
                        .extend(went.map(|(id, row)| (RecordId(id), Arc::new(row))));
                } else {
                    let block = journal::decode_block(bytes.value(), layout, field)?;
                    let ty = &layout.fields[usize::from(field.0)].ty;
                    for (id, old) in block.iter(ty) {
                        let fields = deed.changed.entry(RecordId(id)).or_default();
                        fields.push((field, old));
                    }
                }
            }
            Ok(())
        })?;
        Ok(deeds)
    }

    /// What transactions after `after` did to what a deed changed, oldest first.
    pub(crate) fn later(&self, object: ObjectId, deed: &Deed, after: u64) -> Result<Vec<Later>> {
        let mut all = Vec::new();
        let mut add = |sequence, id, what| {
            all.push(Later {
                sequence,
                object,
                id,
                what,
            });
        };
        let known = |id: RecordId| {
            deed.came.contains(&id) || deed.went.contains_key(&id) || deed.changed.contains_key(&id)
        };
        for moves in self.moves(object, after)? {
            for (first, len) in moves.inserted {
                let range = || RecordId(first)..RecordId(first + len);
                // Of all that came a few came back.
                let ids = deed.came.range(range()).copied();
                let ids = ids.chain(deed.went.range(range()).map(|(id, _)| *id));
                let ids = ids.chain(deed.changed.range(range()).map(|(id, _)| *id));
                ids.for_each(|id| add(moves.sequence, id, LaterChange::Came));
            }
            let went = moves.deleted.iter().map(|(id, _)| RecordId(*id));
            let went = went.filter(|id| known(*id));
            went.for_each(|id| add(moves.sequence, id, LaterChange::Went));
        }
        let fields = 0..self.layout(object).fields.len();
        for field in fields.map(field_id) {
            let changed = |id: &RecordId| {
                let olds = deed.changed.get(id);
                olds.is_some_and(|olds| olds.iter().any(|(own, _)| *own == field))
            };
            if deed.came.is_empty() && !deed.changed.keys().any(changed) {
                continue;
            }
            for old in self.olds(object, field, after)? {
                if deed.came.contains(&old.id) || changed(&old.id) {
                    add(old.sequence, old.id, LaterChange::Field(field));
                }
            }
        }
        all.sort_unstable();
        Ok(all)
    }

    /// The deleted records of an object, each with the transaction that took it and the row that
    /// this one found.
    pub(crate) fn gone(&self, object: ObjectId) -> Result<BTreeMap<RecordId, (u64, Arc<Row>)>> {
        self.must_know_the_past()?;
        let mut gone = BTreeMap::new();
        for moves in self.moves(object, 0)? {
            for (first, len) in moves.inserted {
                let back = gone.range(RecordId(first)..RecordId(first + len));
                let back: Vec<RecordId> = back.map(|(id, _)| *id).collect();
                back.iter().for_each(|id| drop(gone.remove(id)));
            }
            let went = moves.deleted.into_iter();
            gone.extend(went.map(|(id, row)| (RecordId(id), (moves.sequence, row))));
        }
        Ok(gone)
    }
}
