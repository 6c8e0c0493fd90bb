//! The journal: a header for each transaction, and under each field what its values were.

use super::codec::{self, Reader, Writer};
use super::fault::OrFault;
use super::index::insert_sorted;
use super::load::Ranges;
use super::schema::{LIVE, Schema};
use super::tables;
use super::{ObjectLayout, Row, Settings, chunk};
use crate::column::Vector;
use crate::error::Result;
use crate::value::{DateTime, FieldId, FieldType, LabelCode, ObjectId, RecordId, Shape, Value};
use redb::WriteTransaction;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The field number under which a block tells which records came and went.
pub(super) const RECORDS: FieldId = LIVE;

/// What the journal says of a transaction as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) at: DateTime,
    pub(super) actor: Option<RecordId>,
    pub(super) replica: u64,
    pub(super) kind: HeaderKind,
    /// The blocks it wrote.
    pub(super) touched: Vec<(ObjectId, FieldId)>,
    /// The settings before, if it changed them.
    pub(super) old_settings: Option<Settings>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum HeaderKind {
    /// Records changed, and perhaps settings.
    Records,
    /// The schema changed; the table of catalogs has it under the same number.
    Schema,
    /// The same, but the schema only got labels.
    Labels,
    /// Records changed, and nothing but to what they were before this transaction.
    Undo(u64),
}

impl HeaderKind {
    /// Whether the table of catalogs has an entry under the transaction's number.
    pub(super) fn has_catalog(self) -> bool {
        matches!(self, Self::Schema | Self::Labels)
    }
}

/// A record before and after a transaction, or a part of one.
#[derive(Clone)]
pub(crate) struct Change {
    pub object: ObjectId,
    pub id: RecordId,
    pub before: Option<Arc<Row>>,
    pub after: Option<Arc<Row>>,
    /// The record that one that went was merged into.
    pub into: Option<RecordId>,
}

impl Change {
    pub(crate) fn is_new(&self) -> bool {
        self.before.is_none() && self.after.is_some()
    }

    /// Whether the record had gone and comes back.
    pub(crate) fn is_return(&self) -> bool {
        let back = |row: &Arc<Row>| row.created != 0 && row.created != row.changed;
        self.before.is_none() && self.after.as_ref().is_some_and(back)
    }
}

/// The records that came and went in one transaction.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct RecordBlock {
    /// Ranges of ids: first and number.
    pub(super) inserted: Vec<(u64, u64)>,
    pub(super) deleted: Vec<(u64, Row)>,
    /// Those of them that were merged, and into which others.
    pub(super) merged: Vec<(u64, u64)>,
}

impl RecordBlock {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.put(self.inserted.len() as u64);
        self.inserted.iter().for_each(|range| out.put(*range));
        out.put(self.deleted.len() as u64);
        for (id, row) in &self.deleted {
            out.put(*id);
            out.put_block(&row.encode());
        }
        if !self.merged.is_empty() {
            out.put(self.merged.len() as u64);
            self.merged.iter().for_each(|pair| out.put(*pair));
        }
        out.bytes
    }

    pub(super) fn decode(bytes: &[u8], layout: &ObjectLayout) -> Result<Self> {
        let mut reader = Reader::new("a block of the journal", bytes);
        let len = reader.get_len()?;
        let inserted = (0..len).map(|_| reader.get()).collect::<Result<_>>()?;
        let len = reader.get_len()?;
        let deleted = (0..len)
            .map(|_| {
                let id = reader.get()?;
                Ok((id, Row::decode(reader.get_block()?, &layout.fields)?))
            })
            .collect::<Result<_>>()?;
        let mut merged = Vec::new();
        if !reader.is_empty() {
            for _ in 0..reader.get_len()? {
                merged.push(reader.get()?);
            }
        }
        reader.end()?;
        Ok(Self {
            inserted,
            deleted,
            merged,
        })
    }

    /// The records that others were merged into.
    pub(super) fn targets(&self) -> impl Iterator<Item = u64> {
        self.merged.iter().map(|(_, target)| *target)
    }

    /// Whether a record came, perhaps again.
    pub(super) fn inserts(&self, id: u64) -> bool {
        let mut ranges = self.inserted.iter();
        ranges.any(|(first, len)| (*first..first + len).contains(&id))
    }
}

/// The values that records had in one field before one transaction, by id.
pub(super) fn encode_block(
    layout: &ObjectLayout,
    field: FieldId,
    old: &[(u64, &Value)],
) -> Vec<u8> {
    let values: Vec<Value> = old.iter().map(|(_, value)| (*value).clone()).collect();
    let ids: Vec<u64> = old.iter().map(|(id, _)| *id).collect();
    let shape = layout.fields[usize::from(field.0)].ty.shape();
    encode_olds(&ids, &Vector::from_values(shape, &values))
}

/// The same of a vector.
pub(super) fn encode_olds(ids: &[u64], olds: &Vector) -> Vec<u8> {
    let mut out = Writer::default();
    out.put(ids.len() as u64);
    let mut last = 0;
    for id in ids {
        out.put(id - last);
        last = *id;
    }
    let parts = chunk::encode(olds);
    out.put(parts.len() as u64);
    for (part, bytes) in parts {
        out.put(part);
        out.put_block(&bytes);
    }
    out.bytes
}

/// A block read: the records it is about by ascending id, and the value each of them had.
pub(super) struct Block {
    pub(super) ids: Vec<u64>,
    pub(super) values: Vector,
}

impl Block {
    /// What is no block in the file, by ascending id.
    pub(super) fn of(shape: Shape, olds: impl Iterator<Item = (u64, Value)>) -> Self {
        let (ids, values): (_, Vec<_>) = olds.unzip();
        let values = Vector::from_values(shape, &values);
        Self { ids, values }
    }

    pub(super) fn iter<'a>(&'a self, ty: &'a FieldType) -> impl Iterator<Item = (u64, Value)> {
        let values = (0..self.ids.len()).map(|at| self.values.value(ty, at));
        self.ids.iter().copied().zip(values)
    }
}

/// The reverse of [`encode_block`].
pub(super) fn decode_block(bytes: &[u8], layout: &ObjectLayout, field: FieldId) -> Result<Block> {
    let mut reader = Reader::new("a block of the journal", bytes);
    let fault = reader.fault();
    let Some(ty) = layout.fields.get(usize::from(field.0)).map(|f| &f.ty) else {
        return Err(fault);
    };
    let len = reader.get_len()?;
    let mut last = 0_u64;
    let mut ids = Vec::with_capacity(len);
    for _ in 0..len {
        let step: u64 = reader.get()?;
        last = last.checked_add(step).ok_or_else(|| reader.fault())?;
        ids.push(last);
    }
    let mut parts = BTreeMap::new();
    for _ in 0..reader.get_len()? {
        parts.insert(reader.get()?, reader.get_block()?);
    }
    reader.end()?;
    let labels: Vec<LabelCode> = parts.keys().copied().map(LabelCode).collect();
    let values = chunk::decode(ty.shape(), len, &labels, &parts)?;
    Ok(Block { ids, values })
}

/// Writes the blocks of the changes, sorted by object and id, and gives the blocks' keys.
pub(super) fn write_changes(
    write: &WriteTransaction,
    sequence: u64,
    changes: &[Change],
    schema: &Schema,
) -> Result<Vec<(ObjectId, FieldId)>> {
    let mut touched = Vec::new();
    let mut journal = write.open_table(tables::JOURNAL).or_fault()?;
    let mut by_record = write.open_table(tables::JOURNAL_RECORDS).or_fault()?;
    for changes in changes.chunk_by(|a, b| a.object == b.object) {
        let object = changes[0].object;
        let layout = schema.layout(object);
        let mut records = RecordBlock::default();
        let mut fields: BTreeMap<FieldId, Vec<(u64, &Value)>> = BTreeMap::new();
        let mut known = BTreeSet::new();
        for change in changes {
            let id = change.id.0;
            let mut differs = change.after.is_none();
            match (&change.before, &change.after) {
                (None, Some(_)) => match records.inserted.last_mut() {
                    Some((first, len)) if *first + *len == id => *len += 1,
                    _ => records.inserted.push((id, 1)),
                },
                (Some(row), None) => records.deleted.push((id, (**row).clone())),
                (Some(before), Some(after)) => {
                    for field in (0..layout.fields.len()).map(field_id) {
                        if before.get(field) != after.get(field) {
                            differs = true;
                            fields
                                .entry(field)
                                .or_default()
                                .push((id, before.get(field)));
                        }
                    }
                }
                (None, None) => {}
            }
            if differs && change.before.is_some() || change.is_return() {
                known.insert(id);
            }
            if let Some(target) = change.into {
                records.merged.push((id, target.0));
                known.insert(target.0);
            }
        }
        let known = known.into_iter().map(|id| ((object.0, id, sequence), ()));
        insert_sorted(&mut by_record, known)?;
        let mut blocks: Vec<_> = fields
            .iter()
            .map(|(&field, old)| (field, encode_block(layout, field, old)))
            .collect();
        if records != RecordBlock::default() {
            blocks.push((RECORDS, records.encode()));
        }
        for (field, bytes) in blocks {
            let key = (object.0, field.0, sequence);
            journal.insert(key, bytes.as_slice()).or_fault()?;
            touched.push((object, field));
        }
    }
    Ok(touched)
}

/// Writes that a transaction did nothing but add these records.
pub(super) fn write_inserted(
    write: &WriteTransaction,
    sequence: u64,
    object: ObjectId,
    inserted: &Ranges,
) -> Result<()> {
    let block = RecordBlock {
        inserted: inserted.to_vec(),
        ..RecordBlock::default()
    };
    let mut journal = write.open_table(tables::JOURNAL).or_fault()?;
    let key = (object.0, RECORDS.0, sequence);
    let bytes = block.encode();
    journal.insert(key, bytes.as_slice()).or_fault()?;
    Ok(())
}

pub(super) fn write_header(write: &WriteTransaction, sequence: u64, header: &Header) -> Result<()> {
    let mut table = write.open_table(tables::TRANSACTIONS).or_fault()?;
    let bytes = codec::encode(header)?;
    table.insert(sequence, bytes.as_slice()).or_fault()?;
    Ok(())
}

/// The field at a place of a layout.
pub(super) fn field_id(at: usize) -> FieldId {
    FieldId(u16::try_from(at).unwrap_or(u16::MAX))
}

/// Reads the header of a transaction.
pub(super) fn header(bytes: &[u8]) -> Result<Header> {
    codec::decode("a header of the journal", bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::model;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn blocks_come_back(
            ids in prop::collection::btree_set(0_u64..1 << 39, 1..40),
            all in model::types().iter()
                .map(|ty| prop::collection::vec(model::value(ty), 40))
                .collect::<Vec<_>>(),
        ) {
            let layout = &model::layouts()[0];
            for (field, values) in (0..).map(FieldId).zip(&all) {
                let old: Vec<_> = ids.iter().copied().zip(values).collect();
                let back = decode_block(&encode_block(layout, field, &old), layout, field);
                let back = back.unwrap();
                let back: Vec<_> = back.iter(&layout.fields[usize::from(field.0)].ty).collect();
                prop_assert_eq!(back.len(), old.len());
                for ((id, value), (back_id, back)) in old.iter().zip(&back) {
                    prop_assert_eq!(id, back_id);
                    prop_assert_eq!(*value, back);
                }
            }
        }

        #[test]
        fn record_blocks_come_back(
            rows in prop::collection::vec(model::row(), 0..4),
            merged in prop::collection::vec((0_u64..9, 0_u64..1 << 39), 0..3),
        ) {
            let block = RecordBlock {
                merged,
                inserted: vec![(0, 3), (9, 1 << 30)],
                deleted: (7..).zip(rows).collect(),
            };
            let layout = &model::layouts()[0];
            prop_assert_eq!(RecordBlock::decode(&block.encode(), layout).unwrap(), block);
        }
    }
}
