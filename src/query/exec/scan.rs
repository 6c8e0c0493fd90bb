//! The records of an object that meet the conditions, a chunk at a time.

use super::{Batch, Executor, Frame, Work};
use crate::column::{Bitset, CHUNK_RECORDS};
use crate::error::Result;
use crate::query::bind::Expr;
use crate::query::plan::{Access, Path};
use crate::storage::KeyBound;
use crate::value::{ChunkId, IndexId, ObjectId, RecordId, Value};
use std::ops::ControlFlow;
use std::time::Duration;

/// A chunk of which fewer than one in this many slots pass is handed on as single records.
const SPARSE: usize = 16;

/// Takes a batch and which of its slots passed; may end the scan.
pub(super) type Each<'e> = dyn FnMut(&Batch<'_>, &Bitset) -> Result<ControlFlow<()>> + 'e;

impl Executor<'_> {
    /// Hands every batch with passing records to `each`, in the order of ids.
    pub(super) fn scan(&self, access: &Access, each: &mut Each<'_>) -> Result<()> {
        let profile = &self.evaluator.profile;
        let mut work = Work::default();
        let mut after = Duration::ZERO;
        let mut each = |batch: &Batch<'_>, among: &Bitset| {
            let (done, took) = profile.clocked(|| each(batch, among));
            after += took;
            done
        };
        let (done, took) = profile.clocked(|| self.find(access, &mut work, &mut each));
        work.finding = took.saturating_sub(after);
        profile.add_here(|own| own.add(&work));
        done
    }

    fn find(&self, access: &Access, work: &mut Work, each: &mut Each<'_>) -> Result<()> {
        let object = access.object;
        let ids = match &access.path {
            Path::Nothing => return Ok(()),
            Path::Scan { chunks, total } => {
                work.skipped += u64::from(*total) - chunks.len() as u64;
                for &(chunk, settled) in chunks {
                    if self
                        .scan_chunk(access, chunk, settled, work, each)?
                        .is_break()
                    {
                        break;
                    }
                }
                return Ok(());
            }
            Path::Ids(ids) => self.existing(object, ids)?,
            Path::Lookup { index, keys } => self.looked_up(*index, keys)?,
            Path::Range { index, low, high } => self.ranged(*index, low, high)?,
        };
        for ids in ids.chunks(CHUNK_RECORDS) {
            self.context.interrupt.check()?;
            let batch = Batch::Records { object, ids };
            let passed = self.passing(access, &batch, Bitset::full(ids.len()), 0)?;
            work.records += ids.len() as u64;
            work.passed += passed.count() as u64;
            if !passed.none() && each(&batch, &passed)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn scan_chunk(
        &self,
        access: &Access,
        chunk: ChunkId,
        settled: u64,
        work: &mut Work,
        each: &mut Each<'_>,
    ) -> Result<ControlFlow<()>> {
        self.context.interrupt.check()?;
        let object = access.object;
        let live = self.context.snapshot.live(object, chunk)?;
        let len = live.len();
        let batch = Batch::Chunk { object, chunk, len };
        work.chunks += 1;
        work.records += live.count() as u64;
        let passed = self.passing(access, &batch, live, settled)?;
        let count = passed.count();
        work.passed += count as u64;
        if count == 0 {
            return Ok(ControlFlow::Continue(()));
        }
        if count * SPARSE < len {
            let mut ids: Vec<RecordId> = Vec::with_capacity(count);
            let ones = passed.ones();
            ones.for_each(|at| ids.push(batch.record(at)));
            let full = Bitset::full(ids.len());
            return each(&Batch::Records { object, ids: &ids }, &full);
        }
        each(&batch, &passed)
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
        self.evaluator.narrow(tests, batch, &mut among)?;
        Ok(among)
    }

    fn existing(&self, object: ObjectId, ids: &[RecordId]) -> Result<Vec<RecordId>> {
        let bound = self.context.snapshot.record_bound(object);
        let mut live: Option<(ChunkId, Bitset)> = None;
        let mut found = Vec::new();
        for &id in ids.iter().filter(|id| id.0 < bound) {
            let chunk = ChunkId(u32::try_from(id.0 / CHUNK_RECORDS as u64).unwrap_or(u32::MAX));
            if live.as_ref().is_none_or(|(at, _)| *at != chunk) {
                live = Some((chunk, self.context.snapshot.live(object, chunk)?));
            }
            let slot = (id.0 % CHUNK_RECORDS as u64) as usize;
            if live.as_ref().is_some_and(|(_, bits)| bits.get(slot)) {
                found.push(id);
            }
        }
        Ok(found)
    }

    fn looked_up(&self, index: IndexId, keys: &[Value]) -> Result<Vec<RecordId>> {
        let mut found = Vec::new();
        for key in keys {
            self.context.interrupt.check()?;
            let key = std::slice::from_ref(key);
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
        each: &mut Each<'_>,
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
        each(&batch, &passed).map(|_| ())
    }
}

impl Batch<'_> {
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
