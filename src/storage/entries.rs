//! Many entries of one index, as they are stored: gathered in any order, then sorted.

use super::fault::OrFault;
use super::index::{self, Entry, IndexTables, insert_sorted, target_of};
use super::key::{self, KeyWriter};
use super::tables::{Bytes, ReferenceKey};
use super::{IndexKind, IndexLayout, ObjectLayout, Row};
use crate::error::Result;
use redb::Table;
use std::ops::Range;

/// Looking at so many entries costs about what removing one by itself does.
const SPARSE: u64 = 32;

#[derive(Default)]
pub(super) struct Entries {
    /// Target and record, of an index of references.
    references: Vec<(u64, u64)>,
    /// The bytes of all entries of another index, and the place of each.
    bytes: Vec<u8>,
    places: Vec<Range<usize>>,
}

impl Entries {
    /// Adds the entry of a row, if it has one.
    pub(super) fn add(
        &mut self,
        layout: &ObjectLayout,
        index: &IndexLayout,
        row: &Row,
        record: u64,
    ) -> Result<()> {
        if index.kind == IndexKind::Reference {
            let target = key::target(row.get(index.fields[0]))?;
            self.references
                .extend(target.map(|target| (target, record)));
            return Ok(());
        }
        let start = self.bytes.len();
        self.bytes.extend(index.id.0.to_be_bytes());
        let values = index.fields.iter().map(|&field| row.get(field));
        let writer = KeyWriter::after(std::mem::take(&mut self.bytes));
        self.bytes = index::encode(layout, index, values, writer)?.bytes;
        self.end(start, record);
        Ok(())
    }

    fn end(&mut self, start: usize, record: u64) {
        self.bytes.extend(record.to_be_bytes());
        self.places.push(start..self.bytes.len());
    }

    /// Forgets the last entry of both if it is the same. Each has one of the same record.
    pub(super) fn cancel(&mut self, other: &mut Self) {
        if self.references.last() == other.references.last() {
            self.references.pop();
            other.references.pop();
        }
        let last = |of: &Self| of.places.last().cloned();
        if let (Some(a), Some(b)) = (last(self), last(other))
            && self.bytes[a.clone()] == other.bytes[b.clone()]
        {
            self.bytes.truncate(a.start);
            other.bytes.truncate(b.start);
            self.places.pop();
            other.places.pop();
        }
    }

    /// Takes over keys that stand in their order.
    pub(super) fn of<'k>(index: &IndexLayout, keys: impl IntoIterator<Item = &'k Entry>) -> Self {
        let mut all = Self::default();
        for (key, record) in keys {
            if index.kind == IndexKind::Reference {
                all.references.push((target_of(key).unwrap_or(0), *record));
                continue;
            }
            let start = all.bytes.len();
            all.bytes.extend(index.id.0.to_be_bytes());
            all.bytes.extend(key);
            all.end(start, *record);
        }
        all
    }

    pub(super) fn bytes(&self) -> usize {
        let references = size_of_val(self.references.as_slice());
        references + self.bytes.len() + size_of_val(self.places.as_slice())
    }

    pub(super) fn sort(&mut self) {
        self.references.sort_unstable();
        let bytes = &self.bytes;
        let of = |place: &Range<usize>| &bytes[place.clone()];
        self.places.sort_unstable_by(|a, b| of(a).cmp(of(b)));
    }

    fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.places.iter().map(|place| &self.bytes[place.clone()])
    }

    /// Removes the entries, which are sorted, from an index of `records` records.
    pub(super) fn remove(
        &self,
        tables: &mut IndexTables<'_>,
        index: &IndexLayout,
        records: u64,
    ) -> Result<()> {
        let id = index.id;
        let len = self.references.len() + self.places.len();
        let many = len > 1 && len as u64 > records / SPARSE;
        let reference = |&(target, record): &(u64, u64)| (id.0, target, record);
        if !many {
            for entry in &self.references {
                if tables
                    .references
                    .remove(reference(entry))
                    .or_fault()?
                    .is_none()
                {
                    return Err(index::missing_entry(id, entry.1));
                }
            }
            for entry in self.keys() {
                if tables.keys.remove(entry).or_fault()?.is_none() {
                    return Err(index::missing_entry(id, index::split(entry)?.1));
                }
            }
            return Ok(());
        }
        // One pass over the entries between the first and the last.
        if let [first, .., last] = &self.references[..] {
            let mut gone = self.references.iter().peekable();
            let kept = |entry, ()| gone.next_if(|gone| reference(gone) == entry).is_none();
            let all = reference(first)..=reference(last);
            tables.references.retain_in(all, kept).or_fault()?;
            if let Some((_, record)) = gone.peek() {
                return Err(index::missing_entry(id, *record));
            }
        }
        if let [first, .., last] = &self.places[..] {
            let mut gone = self.keys().peekable();
            let kept = |entry: &[u8], ()| gone.next_if(|gone| *gone == entry).is_none();
            let all = &self.bytes[first.clone()]..=&self.bytes[last.clone()];
            tables.keys.retain_in::<&[u8], _>(all, kept).or_fault()?;
            if let Some(entry) = gone.peek() {
                return Err(index::missing_entry(id, index::split(entry)?.1));
            }
        }
        Ok(())
    }

    /// Adds the entries, which are sorted.
    pub(super) fn insert(&self, tables: &mut IndexTables<'_>, index: &IndexLayout) -> Result<()> {
        self.insert_references(&mut tables.references, index)?;
        self.insert_keys(&mut tables.keys)
    }

    pub(super) fn insert_references(
        &self,
        table: &mut Table<'_, ReferenceKey, ()>,
        index: &IndexLayout,
    ) -> Result<()> {
        let entry = |&(target, record): &(u64, u64)| ((index.id.0, target, record), ());
        insert_sorted(table, self.references.iter().map(entry))
    }

    pub(super) fn insert_keys(&self, table: &mut Table<'_, Bytes, ()>) -> Result<()> {
        insert_sorted(table, self.keys().map(|entry| (entry, ())))
    }
}
