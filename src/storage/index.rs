//! Ordered indexes: the keys of rows, and the entries stored for them.

use super::fault::{OrFault, corrupt};
use super::key::{KeyWriter, target};
use super::published::Published;
use super::tables::{self, Bytes, ReferenceKey};
use super::{IndexKind, IndexLayout, ObjectLayout, Row};
use crate::error::Result;
use crate::value::{FieldType, IndexId, Value};
use redb::{CursorError, Table, WriteTransaction};
use std::ops::Bound;

/// An entry of an index: a key and a record.
pub(super) type Entry = (Vec<u8>, u64);

/// A range of keys: from the first on, up to but not including the second.
pub(super) type KeyRange = (Vec<u8>, Option<Vec<u8>>);

/// The key of a row; nothing if the index has no entry for it.
pub(super) fn key_of(
    layout: &ObjectLayout,
    index: &IndexLayout,
    row: &Row,
) -> Result<Option<Vec<u8>>> {
    if index.kind == IndexKind::Reference && row.get(index.fields[0]).is_missing() {
        return Ok(None);
    }
    let values = index.fields.iter().map(|&field| row.get(field));
    Ok(Some(encode(layout, index, values, KeyWriter::new())?.bytes))
}

/// The key of a row with no text cut.
pub(super) fn exact_key_of(
    layout: &ObjectLayout,
    index: &IndexLayout,
    row: &Row,
) -> Result<Vec<u8>> {
    let values = index.fields.iter().map(|&field| row.get(field));
    Ok(encode(layout, index, values, KeyWriter::exact())?.bytes)
}

/// The key of the first fields' values.
pub(super) fn encode<'a>(
    layout: &ObjectLayout,
    index: &IndexLayout,
    values: impl IntoIterator<Item = &'a Value>,
    mut key: KeyWriter,
) -> Result<KeyWriter> {
    for (field, value) in index.fields.iter().zip(values) {
        if index.kind == IndexKind::Reference {
            match target(value)? {
                Some(target) => {
                    key.bytes.push(0x01);
                    key.bytes.extend(target.to_be_bytes());
                }
                None => key.bytes.push(0xFF),
            }
            continue;
        }
        let ty = layout.fields.get(usize::from(field.0)).map(|f| &f.ty);
        let folded = index.kind == IndexKind::Folded;
        key.put(ty.unwrap_or(&FieldType::Text), value, folded)?;
    }
    Ok(key)
}

/// The stored entries in a range, in order.
pub(super) fn stored(
    index: &IndexLayout,
    (low, high): &KeyRange,
    base: &Published,
    mut found: impl FnMut(&[u8], u64),
) -> Result<()> {
    let id = index.id.0;
    if index.kind == IndexKind::Reference {
        let Some(low) = target_of(low) else {
            return Ok(());
        };
        let high = match high.as_deref().map(target_of) {
            Some(Some(0)) => return Ok(()),
            Some(Some(high)) => Bound::Excluded((id, high, 0)),
            Some(None) | None => Bound::Included((id, u64::MAX, u64::MAX)),
        };
        let mut key = [1; 9];
        let references = base.references()?;
        for entry in references
            .range((Bound::Included((id, low, 0)), high))
            .or_fault()?
        {
            let (_, target, record) = entry.or_fault()?.0.value();
            key[1..].copy_from_slice(&target.to_be_bytes());
            found(&key, record);
        }
        return Ok(());
    }
    let prefixed = |key: &[u8]| [&id.to_be_bytes(), key].concat();
    let low = prefixed(low);
    let high = match high {
        Some(high) => Some(prefixed(high)),
        None => super::key::after(&id.to_be_bytes()),
    };
    if high.as_ref().is_some_and(|high| *high <= low) {
        return Ok(());
    }
    let high = high.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    let keys = base.keys()?;
    for entry in keys
        .range::<&[u8]>((Bound::Included(low.as_slice()), high))
        .or_fault()?
    {
        let entry = entry.or_fault()?.0;
        let (key, record) = split(entry.value())?;
        found(key, record);
    }
    Ok(())
}

/// The key and the record of an entry of the table of keys.
pub(super) fn split(entry: &[u8]) -> Result<(&[u8], u64)> {
    entry
        .get(4..)
        .and_then(|rest| rest.split_last_chunk())
        .map(|(key, record)| (key, u64::from_be_bytes(*record)))
        .ok_or_else(|| corrupt("an entry of an index is too short"))
}

/// The least target whose key is not before `key`; nothing if there is none.
pub(super) fn target_of(key: &[u8]) -> Option<u64> {
    match key.split_first() {
        None => Some(0),
        Some((1, rest)) => {
            let mut bytes = [0; 8];
            let len = rest.len().min(8);
            bytes[..len].copy_from_slice(&rest[..len]);
            Some(u64::from_be_bytes(bytes))
        }
        Some(_) => None,
    }
}

/// The tables of both kinds of entries, open for writing.
pub(super) struct IndexTables<'txn> {
    pub(super) references: Table<'txn, ReferenceKey, ()>,
    pub(super) keys: Table<'txn, Bytes, ()>,
}

impl<'txn> IndexTables<'txn> {
    pub(super) fn open(write: &'txn WriteTransaction) -> Result<Self> {
        Ok(Self {
            references: write.open_table(tables::REFERENCES).or_fault()?,
            keys: write.open_table(tables::KEYS).or_fault()?,
        })
    }

    /// Removes everything an index holds.
    pub(super) fn clear(&mut self, index: IndexId) -> Result<()> {
        let id = index.0;
        self.references
            .retain_in((id, 0, 0)..=(id, u64::MAX, u64::MAX), |_, ()| false)
            .or_fault()?;
        let low = id.to_be_bytes();
        let high = super::key::after(&low);
        let high = high.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        self.keys
            .retain_in::<&[u8], _>((Bound::Included(low.as_slice()), high), |_, ()| false)
            .or_fault()
    }
}

/// The error of an entry that ought to be there.
pub(super) fn missing_entry(index: IndexId, record: u64) -> crate::error::Error {
    corrupt(format!(
        "index {} lacks its entry for record #{record}",
        index.0
    ))
}

/// Adds entries through a cursor, which fills pages where single inserts would halve them.
pub(super) fn insert_sorted<'k, 'v, K: redb::Key + 'static, V: redb::Value + 'static>(
    table: &mut Table<'_, K, V>,
    entries: impl Iterator<Item = (K::SelfType<'k>, V::SelfType<'v>)>,
) -> Result<()> {
    let mut entries = entries.peekable();
    while let Some((first, _)) = entries.peek() {
        let mut cursor = table.lower_bound_mut(Bound::Included(first)).or_fault()?;
        let mut placed = 0;
        while let Some((key, value)) = entries.peek() {
            match cursor.insert_before(key, value) {
                Ok(()) => placed += 1,
                // An entry lies between: seek the next gap.
                Err(CursorError::UnorderedKey) => break,
                Err(CursorError::Storage(error)) => return Err(error).or_fault(),
                Err(error) => return Err(corrupt(format!("an index cannot grow: {error}"))),
            }
            entries.next();
        }
        cursor.close().or_fault()?;
        if placed == 0 {
            return Err(corrupt("an index already has an entry to be added"));
        }
    }
    Ok(())
}
