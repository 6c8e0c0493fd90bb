//! Reading one field of every record, where no index answers.

use crate::catalog::Field;
use crate::column::CHUNK_RECORDS;
use crate::error::Result;
use crate::storage::Snapshot;
use crate::value::{ChunkId, ObjectId, RecordId, Value};

/// Calls `visit` with the field's value of every record, missing ones included, in id order.
pub(crate) fn each_value(
    snapshot: &Snapshot,
    object: ObjectId,
    field: &Field,
    mut visit: impl FnMut(RecordId, Value),
) -> Result<()> {
    for chunk in 0..snapshot.chunk_count(object) {
        let column = snapshot.column(object, field.id, ChunkId(chunk))?;
        let first = u64::from(chunk) * CHUNK_RECORDS as u64;
        for at in snapshot.live(object, ChunkId(chunk))?.ones() {
            visit(RecordId(first + at as u64), column.value(&field.ty, at));
        }
    }
    Ok(())
}
