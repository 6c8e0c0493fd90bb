//! A state that is being written, to read from before it is committed; and a table of any state.

use super::fault::OrFault;
use super::tables::{Bytes, RowsTable};
use crate::error::Result;
use crate::value::ObjectId;
use redb::{
    AccessGuard, Key, Range, ReadOnlyTable, ReadableTable, StorageError, Table, TableDefinition,
    TableHandle, Value, WriteTransaction,
};
use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::ops::RangeBounds;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// An open write transaction. It opens a table once at a time, so threads take turns.
pub(super) struct Written {
    pub(super) write: WriteTransaction,
    turns: [Mutex<()>; 6],
}

/// The tables that are read so.
#[derive(Clone, Copy)]
pub(super) enum Turn {
    Columns,
    References,
    Keys,
    Words,
    Summaries,
    Rows,
}

impl Written {
    pub(super) fn new(write: WriteTransaction) -> Self {
        Self {
            write,
            turns: Default::default(),
        }
    }

    pub(super) fn table<K: Key + 'static, V: Value + 'static>(
        &self,
        turn: Turn,
        definition: TableDefinition<'_, K, V>,
    ) -> Result<Reading<'_, K, V>> {
        let turn = self.turns[turn as usize].lock();
        let turn = turn.unwrap_or_else(PoisonError::into_inner);
        let table = self.write.open_table(definition).or_fault()?;
        Ok(Reading::Written { table, _turn: turn })
    }

    /// The objects that have rows.
    pub(super) fn objects(&self) -> Result<BTreeSet<ObjectId>> {
        let tables = self.write.list_tables().or_fault()?;
        let ids = tables.filter_map(|table| {
            let name = table.name().strip_prefix(RowsTable::PREFIX)?;
            name.parse().ok().map(ObjectId)
        });
        Ok(ids.collect())
    }
}

/// A table to read from. What is written is closed before its turn ends.
pub(super) enum Reading<'a, K: Key + 'static, V: Value + 'static> {
    Committed(&'a ReadOnlyTable<K, V>),
    Written {
        table: Table<'a, K, V>,
        _turn: MutexGuard<'a, ()>,
    },
}

type Found<T> = std::result::Result<T, StorageError>;

impl<K: Key + 'static, V: Value + 'static> Reading<'_, K, V> {
    pub(super) fn get<'k>(
        &self,
        key: impl Borrow<K::SelfType<'k>>,
    ) -> Found<Option<AccessGuard<'_, V>>> {
        match self {
            Self::Committed(table) => ReadableTable::get(*table, key),
            Self::Written { table, .. } => table.get(key),
        }
    }

    pub(super) fn range<'k, B>(&self, range: impl RangeBounds<B> + 'k) -> Found<Range<'_, K, V>>
    where
        B: Borrow<K::SelfType<'k>> + 'k,
    {
        match self {
            Self::Committed(table) => ReadableTable::range(*table, range),
            Self::Written { table, .. } => table.range(range),
        }
    }

    pub(super) fn iter(&self) -> Found<Range<'_, K, V>> {
        match self {
            Self::Committed(table) => table.iter(),
            Self::Written { table, .. } => table.iter(),
        }
    }
}

/// The rows of an object, as bytes.
pub(super) type Rows<'a> = Reading<'a, u64, Bytes>;
