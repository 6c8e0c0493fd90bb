//! The groups of a query while records come in, whole or in parts.

use super::aggregate::{Accumulator, Input};
use super::keys::KeyTable;
use super::spread::Spread;
use super::{Batch, Context, Evaluator, Frame};
use crate::column::{Bitset, Ints, Vector};
use crate::error::Result;
use crate::query::bind::{Aggregate, Group};
use crate::value::Shape;
use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};

/// Groups of a batch that are cheap to put together with those of others, at most.
const FEW: usize = 128;

/// The groups of every depth.
pub(super) struct Tally {
    pub table: KeyTable,
    pub levels: Vec<Level>,
    /// The group of each slot where all are one.
    one: Vec<u32>,
}

/// The groups of one depth while they are made.
pub(super) struct Level {
    pub depth: usize,
    /// None until they are gathered, for those over collections; none for those that are served.
    pub accumulators: Vec<Option<Accumulator>>,
    served: Vec<Served>,
    /// For each group by all keys those at this depth that its records count for.
    pub way: Option<Spread>,
}

/// An aggregate whose values come from what is kept for an earlier one.
struct Served {
    aggregate: Aggregate,
    /// The places of both.
    at: usize,
    by: usize,
}

/// What groups need of the records of a batch.
pub(super) struct Taken {
    pub among: Bitset,
    keys: Vec<Vector>,
    /// By aggregate.
    pub of: Vec<Of>,
}

/// What one aggregate needs.
pub(super) enum Of {
    Own(Input),
    /// What the aggregate at this place needs.
    Same(usize),
    /// The records that have the collection it is over.
    Bases(Ints),
}

/// What a thread makes of some batches: groups of its own, where they are few, then what is needed
/// of the batches, to be taken in order.
#[derive(Default)]
pub(super) struct Part {
    tally: Option<Tally>,
    taken: Vec<Taken>,
}

impl Tally {
    pub(super) fn new(group: &Group, spreads: bool, context: &Context<'_>) -> Result<Self> {
        let shapes: Vec<Shape> = group.keys.iter().map(|key| key.ty.shape()).collect();
        let level = |depth| Level::new(depth, &group.aggregates, spreads, context);
        Ok(Self {
            table: KeyTable::new(&shapes),
            levels: depths(group)
                .into_iter()
                .map(level)
                .collect::<Result<_>>()?,
            one: Vec::new(),
        })
    }

    /// Whether it does not matter that groups are made in parts.
    pub(super) fn is_exact(&self) -> bool {
        self.levels.iter().all(|level| {
            let made = level.accumulators.iter().flatten();
            made.clone().all(Accumulator::is_exact)
                && made.count() + level.served.len() == level.accumulators.len()
        })
    }

    /// The groups by all keys.
    pub(super) fn len(&self) -> usize {
        self.table
            .len(self.levels.first().map_or(0, |level| level.depth))
    }

    /// Takes a batch; gives the group by all keys of each slot.
    pub(super) fn take(
        &mut self,
        taken: &Taken,
        evaluator: &Evaluator<'_>,
    ) -> Result<Cow<'_, [u32]>> {
        let numbers = self.table.number(&taken.keys, &taken.among);
        self.take_numbered(taken, numbers, evaluator)
    }

    fn take_numbered(
        &mut self,
        taken: &Taken,
        mut numbers: Vec<Vec<u32>>,
        evaluator: &Evaluator<'_>,
    ) -> Result<Cow<'_, [u32]>> {
        let len = taken.among.len();
        if self.one.len() < len {
            self.one.resize(len, 0);
        }
        for level in &mut self.levels {
            let groups = match level.depth.checked_sub(1) {
                None => &self.one[..len],
                Some(at) => &numbers[at],
            };
            let count = self.table.len(level.depth);
            for (accumulator, of) in level.accumulators.iter_mut().zip(&taken.of) {
                if let (Some(accumulator), Some(input)) = (accumulator, taken.input(of)) {
                    accumulator.take(input, groups, count, evaluator)?;
                }
            }
        }
        let full = numbers.pop().map(Cow::Owned);
        Ok(full.unwrap_or(Cow::Borrowed(&self.one[..len])))
    }

    /// Takes what another made of the records after its own.
    fn absorb(&mut self, part: Self) -> Result<()> {
        let full = part.levels.first().map_or(0, |level| level.depth);
        let all = Bitset::full(part.table.len(full));
        let numbers = self.table.number(&part.table.values(full), &all);
        let above = part.table.above();
        for (own, level) in self.levels.iter_mut().zip(part.levels) {
            let mut to = vec![0; part.table.len(level.depth)];
            if let Some(at) = level.depth.checked_sub(1) {
                let groups = above[at].iter().zip(&numbers[at]);
                groups.for_each(|(&group, &target)| to[group as usize] = target);
            }
            let mut spread = Spread::new(self.table.len(level.depth));
            to.into_iter()
                .try_for_each(|target| spread.push([target]))?;
            for pair in own.accumulators.iter_mut().zip(level.accumulators) {
                if let (Some(own), Some(part)) = pair {
                    own.absorb(part, &spread);
                }
            }
        }
        Ok(())
    }
}

impl Level {
    fn new(
        depth: usize,
        aggregates: &[Aggregate],
        spreads: bool,
        context: &Context<'_>,
    ) -> Result<Self> {
        let new = match spreads {
            true => Accumulator::spreading,
            false => Accumulator::new,
        };
        let mut accumulators = Vec::with_capacity(aggregates.len());
        let mut served = Vec::new();
        for (at, aggregate) in aggregates.iter().enumerate() {
            let mut earlier = aggregates[..at].iter();
            let own = match earlier.position(|earlier| earlier.serves(aggregate)) {
                Some(by) => {
                    let aggregate = aggregate.clone();
                    served.push(Served { aggregate, at, by });
                    None
                }
                None if aggregate.over.is_some() => None,
                None => Some(new(aggregate, context)?),
            };
            accumulators.push(own);
        }
        Ok(Self {
            depth,
            accumulators,
            served,
            way: None,
        })
    }

    pub(super) fn finish(
        mut self,
        table: &KeyTable,
        shapes: &[Shape],
        evaluator: &Evaluator<'_>,
    ) -> Result<Frame> {
        let len = table.len(self.depth);
        let mut columns = table.values(self.depth);
        let absent = shapes.iter().skip(self.depth);
        columns.extend(absent.map(|&shape| Vector::missing(shape, len)));
        let mut values: Vec<Option<Vector>> = vec![None; self.accumulators.len()];
        for served in self.served {
            if let Some(by) = &mut self.accumulators[served.by] {
                values[served.at] = Some(by.other(&served.aggregate, len)?);
            }
        }
        for (values, accumulator) in values.iter_mut().zip(self.accumulators) {
            if let Some(accumulator) = accumulator {
                *values = Some(accumulator.finish(len, evaluator)?);
            }
        }
        columns.extend(values.into_iter().flatten());
        Ok(Frame { columns, len })
    }
}

impl Taken {
    pub(super) fn of(
        group: &Group,
        evaluator: &Evaluator<'_>,
        batch: &Batch<'_>,
        among: &Bitset,
    ) -> Result<Self> {
        let keys = group.keys.iter();
        let of = |(at, aggregate): (usize, &Aggregate)| {
            if let Some(over) = &aggregate.over {
                return evaluator.bases(over, batch, among).map(Of::Bases);
            }
            let mut earlier = group.aggregates[..at].iter();
            match earlier.position(|earlier| earlier.reads_as(aggregate)) {
                Some(at) => Ok(Of::Same(at)),
                None => Input::of(aggregate, evaluator, batch, among).map(Of::Own),
            }
        };
        Ok(Self {
            among: among.clone(),
            keys: keys
                .map(|key| evaluator.evaluate_among(key, batch, among))
                .collect::<Result<_>>()?,
            of: (group.aggregates.iter().enumerate().map(of)).collect::<Result<_>>()?,
        })
    }

    fn input<'a>(&'a self, of: &'a Of) -> Option<&'a Input> {
        match of {
            Of::Own(input) => Some(input),
            Of::Same(at) => self.input(self.of.get(*at)?),
            Of::Bases(_) => None,
        }
    }
}

impl Part {
    /// Takes a batch; with groups of its own while `few`, which says whether those of all parts
    /// were few so far.
    pub(super) fn add(
        &mut self,
        taken: Taken,
        few: &AtomicBool,
        group: &Group,
        evaluator: &Evaluator<'_>,
    ) -> Result<()> {
        if !self.taken.is_empty() || !few.load(Ordering::Relaxed) {
            self.taken.push(taken);
            return Ok(());
        }
        if let Some(tally) = &mut self.tally {
            tally.take(&taken, evaluator)?;
            return Ok(());
        }
        let mut tally = Tally::new(group, false, evaluator.context)?;
        let numbers = tally.table.number(&taken.keys, &taken.among);
        if tally.len() > FEW {
            few.store(false, Ordering::Relaxed);
            self.taken.push(taken);
            return Ok(());
        }
        tally.take_numbered(&taken, numbers, evaluator)?;
        self.tally = Some(tally);
        Ok(())
    }

    /// Hands what was made to the groups of all records.
    pub(super) fn finish(
        self,
        whole: &mut Tally,
        mut take: impl FnMut(&mut Tally, Taken) -> Result<()>,
    ) -> Result<()> {
        if let Some(tally) = self.tally {
            whole.absorb(tally)?;
        }
        let mut taken = self.taken.into_iter();
        taken.try_for_each(|taken| take(whole, taken))
    }
}

/// The depths at which groups are made, the full one first.
fn depths(group: &Group) -> Vec<usize> {
    let full = group.keys.len();
    let mut depths = vec![full];
    if group.rollup {
        depths.extend((1..full).rev());
    }
    if group.totals && full > 0 {
        depths.push(0);
    }
    depths
}
