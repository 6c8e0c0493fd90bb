//! Which records have the collections that groups are asked about, and for which groups.

use super::memory::Memory;
use super::spread::Spread;
use crate::column::{Bitset, Ints};
use crate::error::Result;

/// Pairs taken between two looks for those that are there twice.
const PAUSE: usize = 1 << 16;

/// Pairs of a record and a group, each once.
#[derive(Default)]
pub(super) struct Reached {
    /// Up to `sorted` in order and distinct.
    pairs: Vec<(u32, u32)>,
    sorted: usize,
    charged: usize,
}

impl Reached {
    /// Takes the records of a batch's slots with the groups of these.
    pub(super) fn add(
        &mut self,
        ids: &Ints,
        among: &Bitset,
        groups: &[u32],
        memory: &Memory,
    ) -> Result<()> {
        for slot in among.ones() {
            let Some(id) = ids.get(slot).and_then(|id| u32::try_from(id).ok()) else {
                continue;
            };
            let pair = (id, groups[slot]);
            if self.pairs.last() != Some(&pair) {
                self.pairs.push(pair);
            }
        }
        if self.pairs.len() > 2 * self.sorted + PAUSE {
            self.sort();
            let bytes = 2 * self.sorted * size_of::<(u32, u32)>();
            memory.charge(bytes.saturating_sub(self.charged), "group by")?;
            self.charged = self.charged.max(bytes);
        }
        Ok(())
    }

    fn sort(&mut self) {
        self.pairs.sort_unstable();
        self.pairs.dedup();
        self.sorted = self.pairs.len();
    }

    /// All pairs taken, in order.
    pub(super) fn finish(mut self, memory: &Memory) -> Self {
        self.sort();
        memory.release(self.charged);
        self
    }

    /// The ids of the records, if these are no more than `most`.
    pub(super) fn few(&self, most: usize) -> Option<Vec<u32>> {
        let mut ids: Vec<u32> = Vec::new();
        for &(id, _) in &self.pairs {
            if ids.last() != Some(&id) {
                ids.push(id);
            }
            if ids.len() > most {
                return None;
            }
        }
        Some(ids)
    }

    /// The groups of a record.
    pub(super) fn of(&self, id: u32) -> impl Iterator<Item = u32> {
        let start = self.pairs.partition_point(|pair| pair.0 < id);
        let own = self.pairs[start..].iter();
        own.take_while(move |pair| pair.0 == id).map(|pair| pair.1)
    }

    /// By id the groups of each record.
    pub(super) fn by_id(&self) -> Result<Spread> {
        let groups = self.pairs.iter().map(|pair| pair.1 as usize + 1).max();
        let mut spread = Spread::new(groups.unwrap_or(0));
        let mut rest = self.pairs.as_slice();
        for id in 0.. {
            let Some(&(next, _)) = rest.first() else {
                break;
            };
            let count = match next == id {
                true => rest.partition_point(|pair| pair.0 == id),
                false => 0,
            };
            let (own, after) = rest.split_at(count);
            spread.push(own.iter().map(|pair| pair.1))?;
            rest = after;
        }
        Ok(spread)
    }
}
