//! Aggregates over the records of a collection that any record of a group has, each once a group.

use super::Evaluator;
use super::follow::{FEW_OWNERS, Owned, ids_in};
use crate::column::{Bitset, Ints};
use crate::error::Result;
use crate::query::bind::{Aggregate, Over};
use crate::query::exec::Batch;
use crate::query::exec::aggregate::{Accumulator, Input};
use crate::query::exec::profile::part;
use crate::query::exec::reached::Reached;
use crate::query::exec::spread::Spread;

impl Evaluator<'_> {
    /// The ids of the records that have the collection, by slot of a batch of the group's.
    pub(in crate::query::exec) fn bases(
        &self,
        over: &Over,
        batch: &Batch<'_>,
        among: &Bitset,
    ) -> Result<Ints> {
        let values = self.evaluate_among(&over.from, batch, among)?;
        ids_in(values, &over.from, over.base)
    }

    /// For each way that groups count for others, the aggregate over the collection's records that
    /// the latter have.
    pub(in crate::query::exec) fn gather(
        &self,
        aggregate: &Aggregate,
        over: &Over,
        reached: &Reached,
        ways: &[Spread],
    ) -> Result<Vec<Accumulator>> {
        let owned = Owned {
            part: part(over),
            object: over.object,
            owner: &over.owner,
            subtree: over.subtree.as_ref(),
            filter: over.filter.as_ref(),
        };
        if let Some(bases) = reached.few(FEW_OWNERS) {
            let ids = Ints::from_options(bases.iter().map(|&id| Some(i64::from(id))));
            if let Some(found) = self.few_owned(&owned, over.base, &ids)? {
                let way = |way: &Spread| {
                    let mut records = Vec::new();
                    for &(at, id) in &found {
                        for group in reached.of(bases[at as usize]) {
                            records.extend(way.of(group as usize).iter().map(|&to| (to, id)));
                        }
                    }
                    records.sort_unstable();
                    records.dedup();
                    self.accumulated(aggregate, &owned, &records, way.count())
                };
                return ways.iter().map(way).collect();
            }
        }
        let bases = reached.by_id()?;
        let (node, groups) = match &over.subtree {
            None => (over.base, bases),
            Some(subtree) => {
                let above = self.spread(subtree, over.base)?;
                (subtree.object, above.then(&bases)?)
            }
        };
        let (mut spreads, mut accumulators) = (Vec::new(), Vec::new());
        for way in ways {
            let spread = groups.then(way)?;
            let single = spread.single();
            accumulators.push(match single {
                Some(_) => Accumulator::new(aggregate, self.context)?,
                None => Accumulator::spreading(aggregate, self.context)?,
            });
            spreads.push((spread, single));
        }
        let map = |evaluator: &Self, batch: &Batch<'_>, among: &Bitset, nodes: Vec<u32>| {
            let mut inputs = Vec::with_capacity(spreads.len());
            for (spread, single) in &spreads {
                let mut own = vec![0; nodes.len()];
                let mut counted = Bitset::new(nodes.len());
                for slot in among.ones() {
                    let node = nodes[slot];
                    // Where no record counts for several groups, its own is known at once.
                    let group = match single {
                        Some(single) => single.get(node as usize).copied().flatten(),
                        None => Some(node).filter(|_| !spread.of(node as usize).is_empty()),
                    };
                    if let Some(group) = group {
                        own[slot] = group;
                        counted.set(slot, true);
                    }
                }
                inputs.push((Input::of(aggregate, evaluator, batch, &counted)?, own));
            }
            Ok(inputs)
        };
        self.each_owned(&owned, node, map, |inputs| {
            let taking = accumulators.iter_mut().zip(&spreads).zip(inputs);
            for ((accumulator, (spread, single)), (input, own)) in taking {
                let count = match single {
                    Some(_) => spread.count(),
                    None => spread.len(),
                };
                accumulator.take(&input, &own, count, self)?;
            }
            Ok(())
        })?;
        accumulators
            .into_iter()
            .zip(spreads)
            .map(|(accumulator, (spread, single))| match single {
                Some(_) => Ok(accumulator),
                None => accumulator.spread(&spread, self.context, self),
            })
            .collect()
    }
}
