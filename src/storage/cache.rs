//! Decoded chunks of columns, kept from query to query.

use super::overlay::Overlay;
use crate::column::{CHUNK_RECORDS, Vector};
use crate::value::{FieldId, ObjectId, Shape};
use foldhash::HashMap;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Object, field and chunk, and the transaction up to which it is read, if it is not as stored.
type Key = (ObjectId, FieldId, u32, Option<u64>);

/// Chunks as one state of the file stores them, and as they were. When those asked for of late
/// fill half of the bytes, the others go.
pub(super) struct ChunkCache {
    bytes: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    late: HashMap<Key, Vector>,
    early: HashMap<Key, Vector>,
    /// Bytes of the late ones.
    bytes: usize,
}

impl ChunkCache {
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            bytes,
            kept: Mutex::default(),
        }
    }

    /// An empty one of the same size.
    pub(super) fn anew(&self) -> Self {
        Self::new(self.bytes)
    }

    /// The chunks kept, but for those of the past, those in which records lie that were folded,
    /// and those written `beside` them. Nothing stays behind.
    pub(super) fn moved_on(
        &self,
        folded: &Overlay,
        beside: &dyn Fn(ObjectId, u32) -> bool,
    ) -> Self {
        let mut kept = std::mem::take(&mut *self.lock());
        let changed: BTreeSet<(ObjectId, u64)> = folded
            .objects
            .iter()
            .flat_map(|(&object, records)| records.records.keys().map(move |&id| (object, id)))
            .map(|(object, id)| (object, id / CHUNK_RECORDS as u64))
            .collect();
        for chunks in [&mut kept.late, &mut kept.early] {
            chunks.retain(|&(object, _, chunk, past), _| {
                let is_changed = changed.contains(&(object, chunk.into()));
                past.is_none() && !is_changed && !beside(object, chunk)
            });
        }
        kept.bytes = kept.late.values().map(Vector::bytes).sum();
        Self {
            bytes: self.bytes,
            kept: Mutex::new(kept),
        }
    }

    /// A chunk whose values are of a shape. It has another one if its field was another one's, in
    /// a transaction that was rolled back.
    pub(super) fn get(&self, key: Key, shape: Shape) -> Option<Vector> {
        let mut kept = self.lock();
        let vector = match kept.late.get(&key) {
            Some(vector) => vector.clone(),
            None => {
                let vector = kept.early.remove(&key)?;
                self.keep(&mut kept, key, vector.clone());
                vector
            }
        };
        Some(vector).filter(|vector| vector.is_of(shape))
    }

    pub(super) fn put(&self, key: Key, vector: Vector) {
        self.keep(&mut self.lock(), key, vector);
    }

    fn keep(&self, kept: &mut Kept, key: Key, vector: Vector) {
        kept.bytes += vector.bytes();
        if kept.bytes > self.bytes / 2 {
            kept.bytes = vector.bytes();
            kept.early = std::mem::take(&mut kept.late);
        }
        if let Some(known) = kept.late.insert(key, vector) {
            kept.bytes -= known.bytes();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::model;
    use crate::value::RecordId;
    use std::sync::Arc;

    fn bits(len: usize) -> Vector {
        Vector::missing(Shape::Bits, len)
    }

    #[test]
    fn what_was_asked_for_of_late_stays() {
        let one = bits(CHUNK_RECORDS).bytes();
        let cache = ChunkCache::new(8 * one);
        let key = |chunk| (model::OBJECT, FieldId(0), chunk, None);
        for chunk in 0..40 {
            assert!(
                chunk < 1 || cache.get(key(0), Shape::Bits).is_some(),
                "at {chunk}"
            );
            cache.put(key(chunk), bits(CHUNK_RECORDS));
        }
        let kept = (0..40).filter(|&chunk| cache.get(key(chunk), Shape::Bits).is_some());
        assert!((4..=8).contains(&kept.count()));
    }

    #[test]
    fn a_fold_drops_the_chunks_it_changes() {
        let cache = ChunkCache::new(1 << 20);
        let key = |object, chunk| (object, FieldId(3), chunk, None);
        let past = (model::OTHER, FieldId(3), 1, Some(7));
        let keys = [
            key(model::OBJECT, 0),
            key(model::OBJECT, 1),
            key(model::OTHER, 1),
            past,
        ];
        keys.iter().for_each(|&key| cache.put(key, bits(9)));
        let mut overlay = Overlay::clone(&model::store().snapshot().unwrap().overlay);
        let id = RecordId(CHUNK_RECORDS as u64 + 5);
        overlay
            .set(model::OBJECT, id, None, Some(Arc::default()))
            .unwrap();
        let moved = cache.moved_on(&overlay, &|_, _| false);
        let kept = keys.map(|key| moved.get(key, Shape::Bits).is_some());
        assert_eq!(kept, [true, false, true, false]);
        assert!(cache.get(keys[0], Shape::Bits).is_none());
    }
}
