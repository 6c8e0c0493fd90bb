//! A write transaction: a snapshot, an overlay of what it changed, and the way to commit.

use super::{ObjectLayout, Row, Settings, Snapshot};
use crate::error::Result;
use crate::value::{DateTime, ObjectId, RecordId};
use std::marker::PhantomData;
use std::sync::Arc;

/// Uncommitted changes over a snapshot. Dropping it forgets them.
pub(crate) struct Transaction<'a> {
    store: PhantomData<&'a ()>,
}

/// A place to roll back to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark(usize);

/// Who committed, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CommitInfo {
    /// Never earlier than the last transaction's.
    pub at: DateTime,
    pub actor: Option<RecordId>,
}

impl Transaction<'_> {
    /// The state with this transaction's changes.
    pub(crate) fn snapshot(&self) -> &Snapshot {
        unimplemented!()
    }

    /// Adds a record under the next id.
    pub(crate) fn insert(&mut self, object: ObjectId, row: Row) -> Result<RecordId> {
        let _ = (object, row);
        unimplemented!()
    }

    /// Replaces a record's row. The record must exist.
    pub(crate) fn put(&mut self, object: ObjectId, id: RecordId, row: Row) -> Result<()> {
        let _ = (object, id, row);
        unimplemented!()
    }

    /// Removes a record. It must exist; who refers to it is the caller's concern.
    pub(crate) fn delete(&mut self, object: ObjectId, id: RecordId) -> Result<()> {
        let _ = (object, id);
        unimplemented!()
    }

    /// Sets the catalog's bytes and the layouts that go with it. New fields and indexes may be
    /// used at once in the same transaction; an index over existing records is filled at once.
    pub(crate) fn set_schema(
        &mut self,
        catalog: Arc<[u8]>,
        layouts: Vec<Arc<ObjectLayout>>,
    ) -> Result<()> {
        let _ = (catalog, layouts);
        unimplemented!()
    }

    pub(crate) fn set_settings(&mut self, settings: Settings) {
        let _ = settings;
        unimplemented!()
    }

    pub(crate) fn mark(&self) -> Mark {
        unimplemented!()
    }

    /// Forgets everything since the mark.
    pub(crate) fn roll_back_to(&mut self, mark: Mark) {
        let _ = mark;
        unimplemented!()
    }

    /// Makes the changes durable, all or none; gives the transaction's number. A transaction
    /// without changes gives the snapshot's number and writes nothing.
    pub(crate) fn commit(self, info: CommitInfo) -> Result<u64> {
        let _ = info;
        unimplemented!()
    }
}
