//! Inheritance: a field that takes the place of another one takes its past over, converted by the
//! caller, as if the records had always had it.

use super::codec;
use super::fault::{OrFault, corrupt};
use super::journal::{self, Change, RECORDS, RecordBlock};
use super::schema::Schema;
use super::{Snapshot, Transaction, meta, tables};
use crate::error::Result;
use crate::value::{FieldId, ObjectId, RecordId, Value};
use redb::{ReadableTable, WriteTransaction};
use std::collections::BTreeMap;

/// What a field has from the one whose place it takes. Missing values need not be told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inheritance {
    /// Of the committed records.
    pub values: BTreeMap<RecordId, Value>,
    /// What they were before changes, by transaction.
    pub olds: BTreeMap<u64, BTreeMap<RecordId, Value>>,
    /// Of records that transactions deleted.
    pub gone: BTreeMap<u64, BTreeMap<RecordId, Value>>,
}

/// An inheritance and the field that has it.
#[derive(Debug)]
pub(super) struct Inherited {
    object: ObjectId,
    field: FieldId,
    from: Inheritance,
}

impl Transaction<'_> {
    /// The state that this transaction began with.
    pub(crate) fn committed(&self) -> &Snapshot {
        &self.base
    }

    /// What the journal says of a field, unless the field is this transaction's own.
    pub(crate) fn past_of(&self, object: ObjectId, field: FieldId) -> Result<Option<Inheritance>> {
        if usize::from(field.0) >= self.base.layout(object).fields.len() {
            return Ok(None);
        }
        let mut past = Inheritance::default();
        for old in self.base.olds(object, field, 0)? {
            let olds = past.olds.entry(old.sequence).or_default();
            olds.insert(old.id, old.value);
        }
        for moves in self.base.moves(object, 0)? {
            let deleted = moves.deleted.into_iter();
            let gone = deleted.map(|(id, row)| (RecordId(id), row.get(field).clone()));
            let gone: BTreeMap<_, _> = gone.collect();
            if !gone.is_empty() {
                past.gone.insert(moves.sequence, gone);
            }
        }
        Ok(Some(past))
    }

    /// Gives a field of this transaction the past of the one whose place it takes.
    pub(crate) fn inherit(&mut self, object: ObjectId, field: FieldId, from: Inheritance) {
        self.inherited.push(Inherited {
            object,
            field,
            from,
        });
        self.log.push(super::transaction::Undo::Inherit);
        self.overlay().inherits = true;
    }

    /// Whether a field has inherited in this transaction.
    pub(crate) fn has_inherited(&self, object: ObjectId, field: FieldId) -> bool {
        let mut all = self.inherited.iter();
        all.any(|one| (one.object, one.field) == (object, field))
    }

    /// Gives the rows before the changes what their fields have inherited, which is no change.
    pub(super) fn bequeath(&self, changes: &mut [Change]) {
        for one in &self.inherited {
            for change in changes.iter_mut().filter(|c| c.object == one.object) {
                if let (Some(row), Some(value)) =
                    (&mut change.before, one.from.values.get(&change.id))
                {
                    std::sync::Arc::make_mut(row).set(one.field, value.clone());
                }
            }
        }
    }
}

/// Writes what fields inherit into the journal, all of whose transactions are folded.
pub(super) fn write(
    write: &WriteTransaction,
    inherited: &[Inherited],
    schema: &Schema,
) -> Result<()> {
    let kept = meta::read_kept(&write.open_table(tables::META).or_fault()?)?;
    let mut journal = write.open_table(tables::JOURNAL).or_fault()?;
    for one in inherited {
        let (object, field) = (one.object, one.field);
        let layout = schema.layout(object);
        for (&sequence, olds) in one.from.olds.range(kept + 1..) {
            let olds: Vec<_> = olds.iter().map(|(id, value)| (id.0, value)).collect();
            let bytes = journal::encode_block(layout, field, &olds);
            let key = (object.0, field.0, sequence);
            journal.insert(key, bytes.as_slice()).or_fault()?;
            touch(write, sequence, (object, field))?;
        }
        for (&sequence, gone) in one.from.gone.range(kept + 1..) {
            let key = (object.0, RECORDS.0, sequence);
            let lacks = || {
                corrupt(format!(
                    "the journal lacks a block of transaction {sequence}"
                ))
            };
            let block = journal.get(key).or_fault()?;
            let bytes = block.as_ref().ok_or_else(lacks)?.value();
            let mut block = {
                let decoded = RecordBlock::decode(bytes, layout)?;
                drop(block);
                decoded
            };
            for (id, row) in &mut block.deleted {
                if let Some(value) = gone.get(&RecordId(*id)) {
                    row.set(field, value.clone());
                }
            }
            journal.insert(key, block.encode().as_slice()).or_fault()?;
        }
    }
    Ok(())
}

/// Notes in the header of a transaction that it has one block more.
fn touch(write: &WriteTransaction, sequence: u64, block: (ObjectId, FieldId)) -> Result<()> {
    let mut headers = write.open_table(tables::TRANSACTIONS).or_fault()?;
    let bytes = headers.get(sequence).or_fault()?;
    let lacks = || corrupt(format!("the journal lacks transaction {sequence}"));
    let mut header = journal::header(bytes.as_ref().ok_or_else(lacks)?.value())?;
    drop(bytes);
    header.touched.push(block);
    let bytes = codec::encode(&header)?;
    headers.insert(sequence, bytes.as_slice()).or_fault()?;
    Ok(())
}
