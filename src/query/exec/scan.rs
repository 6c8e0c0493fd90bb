//! The records of an object that meet the conditions, a chunk at a time.

use super::{Batch, Evaluator, Executor, Frame};
use crate::column::{Bitset, CHUNK_RECORDS};
use crate::error::Result;
use crate::query::bind::Expr;
use crate::query::plan::{Access, Path};
use crate::storage::{KeyBound, place};
use crate::value::{ChunkId, IndexId, ObjectId, RecordId, Value};
use std::ops::ControlFlow;
use std::time::Instant;

/// Of fewer than one in this many slots of a batch what is read is read one by one.
const SPARSE: usize = 16;

/// Slots of a batch that passed, when the batch is gone.
pub(super) struct Passed {
    pub among: Bitset,
    /// The record of the first slot, where they are in a row.
    first: u64,
    ids: Vec<RecordId>,
}

impl Executor<'_> {
    /// Works on every batch with passing records, and takes what that gives in the order of ids;
    /// may end the scan.
    pub(super) fn scan<T: Send>(
        &self,
        access: &Access,
        map: impl Fn(&Evaluator<'_>, &Batch<'_>, &Bitset) -> Result<T> + Sync,
        mut take: impl FnMut(T) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let fold = |evaluator: &Evaluator<'_>,
                    given: &mut Option<T>,
                    batch: &Batch<'_>,
                    among: &Bitset| {
            *given = Some(map(evaluator, batch, among)?);
            Ok(())
        };
        self.scan_parts(access, 1, true, fold, |given| {
            given.map_or(Ok(ControlFlow::Continue(())), &mut take)
        })
    }

    /// The same where up to `size` batches are worked on together. `reads` says whether more is
    /// read of the records that pass.
    pub(super) fn scan_parts<P: Default + Send>(
        &self,
        access: &Access,
        size: usize,
        reads: bool,
        fold: impl Fn(&Evaluator<'_>, &mut P, &Batch<'_>, &Bitset) -> Result<()> + Sync,
        take: impl FnMut(P) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let object = access.object;
        let started = Instant::now();
        let found = match &access.path {
            Path::Nothing => return Ok(()),
            Path::Scan { chunks, total } => {
                let skipped = u64::from(*total) - chunks.len() as u64;
                self.evaluator
                    .profile
                    .add_here(|own| own.skipped += skipped);
                let parts: Vec<_> = chunks.chunks(size).collect();
                let step = |evaluator: &Evaluator<'_>, at: usize| {
                    let mut part = P::default();
                    for &(chunk, settled) in parts[at] {
                        evaluator.scan_chunk(access, chunk, settled, reads, |batch, among| {
                            fold(evaluator, &mut part, batch, among)
                        })?;
                    }
                    Ok(part)
                };
                return self.evaluator.in_order(parts.len(), step, take);
            }
            path => self.ids_by(object, path)?,
        };
        self.evaluator
            .profile
            .add_here(|own| own.finding += started.elapsed());
        let batches: Vec<&[RecordId]> = found.chunks(CHUNK_RECORDS).collect();
        let step = |evaluator: &Evaluator<'_>, at: usize| {
            evaluator.context.interrupt.check()?;
            let ids = batches[at];
            let batch = Batch::Records { object, ids };
            let passed = evaluator.passing(access, &batch, Bitset::full(ids.len()), 0)?;
            let mut part = P::default();
            if !passed.none() {
                fold(evaluator, &mut part, &batch, &passed)?;
            }
            Ok(part)
        };
        self.evaluator.in_order(batches.len(), step, take)
    }

    /// What a path other than a scan finds, in the order of ids.
    fn ids_by(&self, object: ObjectId, path: &Path) -> Result<Vec<RecordId>> {
        match path {
            Path::Nothing | Path::Scan { .. } => Ok(Vec::new()),
            Path::Ids(ids) => self.existing(object, ids),
            Path::Lookup { index, keys } => self.looked_up(*index, keys),
            Path::Range { index, low, high } => self.ranged(*index, low, high),
            Path::Both(paths) => {
                let [mut found, other] = [
                    self.ids_by(object, &paths[0])?,
                    self.ids_by(object, &paths[1])?,
                ];
                let mut other = other.into_iter().peekable();
                found.retain(|id| {
                    while other.next_if(|next| next < id).is_some() {}
                    other.peek() == Some(id)
                });
                Ok(found)
            }
        }
    }

    fn existing(&self, object: ObjectId, ids: &[RecordId]) -> Result<Vec<RecordId>> {
        let bound = self.context.snapshot.record_bound(object);
        let mut live: Option<(ChunkId, Bitset)> = None;
        let mut found = Vec::new();
        for &id in ids.iter().filter(|id| id.0 < bound) {
            let (chunk, slot) = place(id);
            if live.as_ref().is_none_or(|(at, _)| *at != chunk) {
                live = Some((chunk, self.context.snapshot.live(object, chunk)?));
            }
            if live.as_ref().is_some_and(|(_, bits)| bits.get(slot)) {
                found.push(id);
            }
        }
        Ok(found)
    }

    fn looked_up(&self, index: IndexId, keys: &[Vec<Value>]) -> Result<Vec<RecordId>> {
        let mut found = Vec::new();
        for key in keys {
            self.context.interrupt.check()?;
            found.extend(self.context.snapshot.lookup(index, key)?);
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    fn ranged(&self, index: IndexId, low: &KeyBound, high: &KeyBound) -> Result<Vec<RecordId>> {
        let mut found = self
            .context
            .snapshot
            .scan(index, low.clone(), high.clone())?;
        found.sort_unstable();
        Ok(found)
    }

    /// Hands the rows of a frame that pass `filter` to `each`, all at once.
    pub(super) fn scan_frame(
        &self,
        frame: &Frame,
        filter: Option<&Expr>,
        each: impl FnOnce(&Batch<'_>, &Bitset) -> Result<()>,
    ) -> Result<()> {
        let batch = Batch::Slots(frame);
        let passed = match filter {
            Some(filter) => self.evaluator.test(filter, &batch)?,
            None => Bitset::full(frame.len),
        };
        self.evaluator.profile.add_here(|own| {
            own.records += frame.len as u64;
            own.passed += passed.count() as u64;
        });
        each(&batch, &passed)
    }
}

impl Evaluator<'_> {
    fn scan_chunk(
        &self,
        access: &Access,
        chunk: ChunkId,
        settled: u64,
        reads: bool,
        each: impl FnOnce(&Batch<'_>, &Bitset) -> Result<()>,
    ) -> Result<()> {
        self.context.interrupt.check()?;
        let object = access.object;
        let live = self.context.snapshot.live(object, chunk)?;
        let len = live.len();
        let batch = Batch::Chunk { object, chunk, len };
        self.profile.add_here(|own| own.chunks += 1);
        let passed = self.passing(access, &batch, live, settled)?;
        if passed.none() {
            return Ok(());
        }
        match reads.then(|| batch.sparse(&passed)).flatten() {
            Some(ids) => {
                let batch = Batch::Records { object, ids: &ids };
                each(&batch, &Bitset::full(ids.len()))
            }
            None => each(&batch, &passed),
        }
    }

    /// The slots of `among` that meet all conditions but the settled ones.
    fn passing(
        &self,
        access: &Access,
        batch: &Batch<'_>,
        mut among: Bitset,
        settled: u64,
    ) -> Result<Bitset> {
        let open = |at: usize| at >= 64 || settled >> at & 1 == 0;
        let tests: Vec<&Expr> = access
            .conditions
            .iter()
            .enumerate()
            .filter(|(at, _)| open(*at))
            .map(|(_, condition)| &condition.test)
            .collect();
        let records = among.count() as u64;
        let narrow = || self.narrow(tests, batch, &mut among);
        let (done, took) = self.profile.clocked(narrow);
        done?;
        self.profile.add_here(|own| {
            own.records += records;
            own.passed += among.count() as u64;
            own.finding += took;
        });
        Ok(among)
    }
}

impl Passed {
    pub(super) fn of(batch: &Batch<'_>, among: &Bitset) -> Self {
        Self {
            among: among.clone(),
            first: match batch {
                Batch::Chunk { .. } => batch.record(0).0,
                _ => 0,
            },
            ids: match batch {
                Batch::Records { ids, .. } | Batch::Rows { ids: Some(ids), .. } => ids.to_vec(),
                _ => Vec::new(),
            },
        }
    }

    /// As of the batch.
    pub(super) fn record(&self, slot: usize) -> RecordId {
        let own = self.ids.get(slot).copied();
        own.unwrap_or(RecordId(self.first + slot as u64))
    }

    pub(super) fn records(&self) -> impl Iterator<Item = RecordId> {
        self.among.ones().map(|slot| self.record(slot))
    }
}

impl Batch<'_> {
    /// The records at some slots, if they are so few that they are better read one by one.
    pub(super) fn sparse(&self, among: &Bitset) -> Option<Vec<RecordId>> {
        let count = among.count();
        (count * SPARSE < self.len()).then(|| {
            let mut ids = Vec::with_capacity(count);
            ids.extend(among.ones().map(|at| self.record(at)));
            ids
        })
    }

    /// The record at a slot; for a batch without records, the slot's number.
    pub(super) fn record(&self, slot: usize) -> RecordId {
        match self {
            Self::Chunk { chunk, .. } => {
                RecordId(u64::from(chunk.0) * CHUNK_RECORDS as u64 + slot as u64)
            }
            Self::Records { ids, .. } | Self::Rows { ids: Some(ids), .. } => ids[slot],
            Self::Rows { .. } | Self::Slots(_) => RecordId(slot as u64),
        }
    }
}
