//! A state of the past: the present with what came after it undone, field by field as it is asked
//! for.

use super::index::{self, Entry as KeyEntry};
use super::journal::Block;
use super::overlay::chunk_ids;
use super::{IndexLayout, ObjectLayout, Row, Snapshot};
use crate::column::CHUNK_RECORDS;
use crate::error::{Code, Error, Result};
use crate::value::{FieldId, FieldType, IndexId, ObjectId, RecordId, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What lies between a past state and the present one it is kept with.
#[derive(Default)]
pub(super) struct Past {
    /// The last transaction that is seen.
    pub(super) sequence: u64,
    lives: Known<ObjectId, Lives>,
    values: Known<(ObjectId, FieldId), Values>,
    keys: Known<IndexId, PastKeys>,
}

/// What was found out so far.
type Known<K, V> = Mutex<BTreeMap<K, Arc<V>>>;

/// The records of an object that came or went since.
pub(super) struct Lives {
    /// First and number of the ids that were not there yet; the ranges do not touch.
    unborn: BTreeMap<u64, u64>,
    /// Records that were there and went, with the transaction that took them first and the row
    /// that it found. They may have come back.
    gone: BTreeMap<u64, (u64, Arc<Row>)>,
    /// The records there were.
    pub(super) count: u64,
}

/// What records had in a field before transactions since, chunk by chunk.
pub(super) struct Values {
    ty: FieldType,
    /// By transaction: what it changed, and then the rows that it took.
    blocks: Vec<Block>,
    /// By chunk.
    chunks: BTreeMap<u32, Olds>,
}

/// The old values of one chunk.
#[derive(Default)]
struct Olds {
    /// Where in the blocks they are, oldest first: the number of a block, and a range of it.
    runs: Vec<(u32, Range<u32>)>,
    /// The oldest of each slot, by slot.
    oldest: OnceLock<Vec<Place>>,
}

/// Where the value of a slot is.
#[derive(Clone, Copy)]
struct Place {
    slot: u16,
    block: u32,
    at: u32,
}

/// The keys of an index that were different.
pub(super) struct PastKeys {
    /// Records whose stored entries are not those of then.
    changed: BTreeSet<u64>,
    /// Their entries then.
    pub(super) keys: BTreeSet<KeyEntry>,
}

/// How many past states are kept with a present one.
const KEPT: usize = 8;

/// The past states kept with a present one, the last one asked for at the end.
#[derive(Default)]
pub(super) struct Pasts(Mutex<Vec<Arc<Past>>>);

impl Pasts {
    fn get(&self, sequence: u64) -> Arc<Past> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.iter().position(|past| past.sequence == sequence);
        let past = match known {
            Some(at) => kept.remove(at),
            None => Arc::new(Past {
                sequence,
                ..Past::default()
            }),
        };
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push(past.clone());
        past
    }
}

impl Lives {
    pub(super) fn is_unborn(&self, id: u64) -> bool {
        let before = self.unborn.range(..=id).next_back();
        before.is_some_and(|(first, len)| id - first < *len)
    }

    /// The slots of a chunk without a record then that may have one now.
    pub(super) fn unborn_in(&self, chunk: u32) -> impl Iterator<Item = usize> {
        let Range { start, end } = chunk_ids(chunk);
        let before = self.unborn.range(..start).next_back();
        let ranges = before.into_iter().chain(self.unborn.range(start..end));
        ranges
            .flat_map(move |(&first, &len)| first.max(start)..(first + len).min(end))
            .map(move |id| usize::try_from(id - start).unwrap_or(0))
    }

    /// The slots of a chunk whose record went since.
    pub(super) fn gone_in(&self, chunk: u32) -> impl Iterator<Item = usize> {
        let ids = chunk_ids(chunk);
        let start = ids.start;
        let gone = self.gone.range(ids);
        gone.map(move |(id, _)| usize::try_from(id - start).unwrap_or(0))
    }
}

impl Values {
    /// `blocks` come by transaction.
    fn new(ty: FieldType, blocks: Vec<Block>) -> Self {
        let mut chunks: BTreeMap<u32, Olds> = BTreeMap::new();
        for (number, block) in (0..).zip(&blocks) {
            let (ids, mut from) = (&block.ids, 0);
            while let Some((chunk, _)) = ids.get(from).and_then(|id| place(*id)) {
                let end = chunk_ids(chunk).end;
                let len = ids[from..].iter().take_while(|id| **id < end).count();
                let olds = chunks.entry(chunk).or_default();
                let run = u32::try_from(from).ok().zip(u32::try_from(from + len).ok());
                olds.runs.extend(run.map(|(from, to)| (number, from..to)));
                from += len;
            }
        }
        Self { ty, blocks, chunks }
    }

    fn oldest<'a>(&'a self, olds: &'a Olds) -> &'a [Place] {
        olds.oldest.get_or_init(|| {
            let mut places = Vec::new();
            for (block, run) in &olds.runs {
                for at in run.clone() {
                    let slot = place(self.blocks[*block as usize].ids[at as usize]);
                    places.extend(slot.map(|(_, slot)| Place {
                        slot,
                        block: *block,
                        at,
                    }));
                }
            }
            places.sort_by_key(|place| place.slot);
            places.dedup_by_key(|place| place.slot);
            places
        })
    }

    fn value(&self, place: Place) -> Value {
        let block = &self.blocks[place.block as usize];
        block.values.value(&self.ty, place.at as usize)
    }

    fn get(&self, id: u64) -> Option<Value> {
        let (chunk, slot) = place(id)?;
        let places = self.oldest(self.chunks.get(&chunk)?);
        let at = places
            .binary_search_by_key(&slot, |place| place.slot)
            .ok()?;
        Some(self.value(places[at]))
    }

    /// The values of a chunk's slots.
    pub(super) fn in_chunk(&self, chunk: u32) -> impl Iterator<Item = (usize, Value)> {
        let places = self.chunks.get(&chunk).map(|olds| self.oldest(olds));
        let places = places.unwrap_or_default().iter();
        places.map(|place| (usize::from(place.slot), self.value(*place)))
    }

    /// The records that had another value, some more than once.
    fn ids(&self) -> impl Iterator<Item = u64> {
        self.blocks.iter().flat_map(|block| &block.ids).copied()
    }
}

/// The chunk and the slot of a record.
fn place(id: u64) -> Option<(u32, u16)> {
    let chunk = u32::try_from(id / CHUNK_RECORDS as u64).ok()?;
    let slot = u16::try_from(id % CHUNK_RECORDS as u64).ok()?;
    Some((chunk, slot))
}

impl PastKeys {
    pub(super) fn hides(&self, id: u64) -> bool {
        self.changed.contains(&id)
    }
}

impl Past {
    /// What is known under a key, found out on the first asking.
    fn known<K: Ord, V>(
        cell: &Known<K, V>,
        key: K,
        find: impl FnOnce() -> Result<V>,
    ) -> Result<Arc<V>> {
        let locked = || cell.lock().unwrap_or_else(PoisonError::into_inner);
        let known = locked().get(&key).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let found = Arc::new(find()?);
        locked().insert(key, found.clone());
        Ok(found)
    }

    pub(super) fn lives(&self, now: &Snapshot, object: ObjectId) -> Result<Arc<Lives>> {
        Self::known(&self.lives, object, || {
            let mut lives = Lives {
                unborn: BTreeMap::new(),
                gone: BTreeMap::new(),
                count: now.overlay.counts(object).live,
            };
            let (mut came, mut went) = (0, 0);
            for moves in now.moves(object, self.sequence)? {
                for (first, len) in moves.inserted {
                    came += len;
                    lives.come(first, len);
                }
                for (id, row) in moves.deleted {
                    went += 1;
                    if !lives.is_unborn(id) {
                        lives.gone.entry(id).or_insert((moves.sequence, row));
                    }
                }
            }
            lives.count = (lives.count + went).saturating_sub(came);
            Ok(lives)
        })
    }

    pub(super) fn values(
        &self,
        now: &Snapshot,
        object: ObjectId,
        field: FieldId,
    ) -> Result<Arc<Values>> {
        Self::known(&self.values, (object, field), || {
            let lives = self.lives(now, object)?;
            let ty = now.layout(object).fields.get(usize::from(field.0));
            let ty = ty.map_or(FieldType::Boolean, |field| field.ty.clone());
            let mut blocks = now.old_blocks(object, field, self.sequence)?;
            let mut gone: BTreeMap<u64, Vec<(u64, Value)>> = BTreeMap::new();
            for (&id, (sequence, row)) in &lives.gone {
                let taken = gone.entry(*sequence).or_default();
                taken.push((id, row.get(field).clone()));
            }
            blocks.extend(
                gone.into_iter()
                    .map(|(sequence, taken)| (sequence, Block::of(ty.shape(), taken.into_iter()))),
            );
            blocks.sort_by_key(|(sequence, _)| *sequence);
            let blocks = blocks.into_iter().map(|(_, block)| block);
            Ok(Values::new(ty, blocks.collect()))
        })
    }

    pub(super) fn keys(
        &self,
        now: &Snapshot,
        layout: &ObjectLayout,
        index: &IndexLayout,
    ) -> Result<Arc<PastKeys>> {
        Self::known(&self.keys, index.id, || {
            let lives = self.lives(now, layout.id)?;
            let mut changed: BTreeSet<u64> = lives.gone.keys().copied().collect();
            for &field in &index.fields {
                let values = self.values(now, layout.id, field)?;
                changed.extend(values.ids());
            }
            let mut keys = BTreeSet::new();
            for &id in &changed {
                if let Some(row) = self.row(now, layout, RecordId(id))? {
                    keys.extend(index::key_of(layout, index, &row)?.map(|key| (key, id)));
                }
            }
            Ok(PastKeys { changed, keys })
        })
    }

    /// The row of a record then. Its numbers of transactions are those of now.
    pub(super) fn row(
        &self,
        now: &Snapshot,
        layout: &ObjectLayout,
        id: RecordId,
    ) -> Result<Option<Arc<Row>>> {
        let lives = self.lives(now, layout.id)?;
        if lives.is_unborn(id.0) {
            return Ok(None);
        }
        let row = match lives.gone.get(&id.0) {
            Some((_, row)) => Some(row.clone()),
            None => now.row(layout.id, id)?,
        };
        let Some(mut row) = row else {
            return Ok(None);
        };
        for field in (0..layout.fields.len()).map(super::journal::field_id) {
            let values = self.values(now, layout.id, field)?;
            if let Some(value) = values.get(id.0)
                && *row.get(field) != value
            {
                Arc::make_mut(&mut row).set(field, value);
            }
        }
        Ok(Some(row))
    }

    /// The records whose texts were others, or that were there and went, by id.
    pub(super) fn changed_texts(
        &self,
        now: &Snapshot,
        layout: &ObjectLayout,
    ) -> Result<BTreeSet<u64>> {
        let lives = self.lives(now, layout.id)?;
        let mut changed: BTreeSet<u64> = lives.gone.keys().copied().collect();
        for (at, field) in layout.fields.iter().enumerate() {
            if !field.dropped && field.ty.is_text() {
                let values = self.values(now, layout.id, super::journal::field_id(at))?;
                changed.extend(values.ids());
            }
        }
        Ok(changed)
    }
}

impl Lives {
    /// Records came: those that had been there before went first, and have been met.
    fn come(&mut self, first: u64, len: u64) {
        let ids = first..first + len;
        let mut from = first;
        let gone: Vec<u64> = self.gone.range(ids.clone()).map(|(id, _)| *id).collect();
        for id in gone {
            self.add_unborn(from, id);
            from = id + 1;
        }
        self.add_unborn(from, ids.end);
    }

    fn add_unborn(&mut self, mut from: u64, to: u64) {
        while from < to {
            let before = self.unborn.range(..=from).next_back();
            let met = before.map(|(first, len)| (*first, first + len));
            if let Some((_, end)) = met
                && end > from
            {
                // It comes a second time, after it went, and is known.
                from = end;
                continue;
            }
            let next = self.unborn.range(from..to).next();
            let next = next.map_or(to, |(first, _)| *first);
            match met {
                Some((first, end)) if end == from => self.unborn.insert(first, next - first),
                _ => self.unborn.insert(from, next - from),
            };
            from = next;
        }
    }
}

impl Snapshot {
    /// The state after the transaction `sequence`, of which all that is read is read as it was.
    /// The schema and the settings are those of now.
    pub(crate) fn as_of(&self, sequence: u64) -> Result<Self> {
        if sequence >= self.pending.sequence {
            return self.last_committed();
        }
        self.check_kept(sequence)?;
        Ok(Self {
            past: Some(self.pending.pasts.get(sequence)),
            ..self.last_committed()?
        })
    }

    /// Refuses a transaction in which what the journal holds is not of the fields' types.
    pub(super) fn must_know_the_past(&self) -> Result<()> {
        if !self.overlay.inherits {
            return Ok(());
        }
        Err(Error::new(
            Code::Misplaced,
            "the past cannot be asked in a transaction that gives a field another type",
        )
        .hint("commit first"))
    }

    /// The present state without the changes of a transaction, which the journal does not know.
    pub(super) fn last_committed(&self) -> Result<Self> {
        let Some(committed) = &self.committed else {
            return Ok(self.now());
        };
        self.must_know_the_past()?;
        let mut then = Self::clone(committed);
        let (schema, known) = (&self.overlay.schema, then.overlay.schema.clone());
        if !Arc::ptr_eq(schema, &known) {
            if schema.index_ids().any(|id| !known.has_index(id)) {
                return Err(Error::new(
                    Code::Misplaced,
                    "the past cannot be asked in a transaction that makes indexes",
                )
                .hint("commit first"));
            }
            Arc::make_mut(&mut then.overlay).set_schema(schema.clone());
        }
        Ok(then)
    }

    /// The present state that a past one is read through.
    pub(super) fn now(&self) -> Self {
        Self {
            past: None,
            ..self.clone()
        }
    }

    /// The chunks in which this state and the one it is read through may differ.
    pub(super) fn changed_chunks(
        &self,
        past: &Past,
        object: ObjectId,
        field: FieldId,
    ) -> Result<BTreeSet<u32>> {
        let now = self.now();
        let lives = past.lives(&now, object)?;
        let values = past.values(&now, object, field)?;
        let mut chunks: BTreeSet<u32> = values.chunks.keys().copied().collect();
        let chunk = |id: u64| place(id).map(|(chunk, _)| chunk);
        chunks.extend(lives.gone.keys().filter_map(|id| chunk(*id)));
        for (first, len) in &lives.unborn {
            if let (Some(first), Some(last)) = (chunk(*first), chunk(first + len - 1)) {
                chunks.extend(first..=last);
            }
        }
        Ok(chunks)
    }
}
