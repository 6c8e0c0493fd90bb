//! Grouping: keys to group numbers, then an accumulator for each aggregate; totals and subtotals
//! are groups of fewer keys, computed from the records so that any aggregate is exact. A key that
//! is rolled up over a hierarchy has a group for every node, of all records below it.

use super::find::reads_snippet;
use super::keys::KeyTable;
use super::reached::Reached;
use super::spread::Spread;
use super::tally::{Level, Of, Part, Taken, Tally};
use super::{Batch, Evaluator, Executor, Frame};
use crate::column::{Bitset, Ints, Vector};
use crate::error::Result;
use crate::query::bind::{Aggregate, Group, Query, Source, Type};
use crate::query::plan::{Hierarchy, choose};
use crate::value::{FieldType, Shape, Value};
use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;

/// Chunks that are put into groups together, where these are then put together with others.
const PART: usize = 4;

/// Groups as rows: keys, then aggregates.
pub(super) struct Grouped {
    /// The groups by all keys.
    pub rows: Frame,
    /// Subtotals by the first keys, longest first; then the total, by none.
    pub totals: Vec<Totals>,
    /// By key, if it is rolled up over one.
    pub hierarchies: Vec<Option<Hierarchy>>,
    table: KeyTable,
}

/// The groups by some first keys.
pub(super) struct Totals {
    pub depth: usize,
    /// Whether they are rows, or just what the groups in them are ordered by.
    pub shown: bool,
    pub rows: Frame,
    /// For each group by all keys the one of these that it lies in.
    pub of: Vec<u32>,
}

/// Groups with every combination of nodes above theirs.
struct Climbed {
    /// The group that each combination is of.
    slots: Vec<u32>,
    /// By key, its value in each.
    keys: Vec<Vector>,
}

impl Executor<'_> {
    pub(super) fn group(&self, query: &Query, group: &Group) -> Result<Grouped> {
        let shapes: Vec<Shape> = group.keys.iter().map(|key| key.ty.shape()).collect();
        let hierarchies = self.hierarchies(group)?;
        let spreads = hierarchies.iter().any(Option::is_some);
        let mut tally = Tally::new(group, spreads, self.context)?;
        let mut reached: Vec<Option<Reached>> = group
            .aggregates
            .iter()
            .map(|aggregate| aggregate.over.as_ref().map(|_| Reached::default()))
            .collect();
        let gathers = reached.iter().any(Option::is_some);
        let mut charged = 0;
        let width = 48 * (group.keys.len() + group.aggregates.len());
        let mut take = |tally: &mut Tally, taken: Taken| {
            let groups = tally.take(&taken, &self.evaluator)?;
            for (reached, of) in reached.iter_mut().zip(&taken.of) {
                if let (Some(reached), Of::Bases(ids)) = (reached, of) {
                    reached.add(ids, &taken.among, &groups, &self.evaluator.memory)?;
                }
            }
            drop(groups);
            let bytes = tally.len() * width;
            self.evaluator
                .memory
                .charge(bytes.saturating_sub(charged), "group by")?;
            charged = charged.max(bytes);
            Ok(())
        };
        let mut of_frame = |tally: &mut Tally, frame: &Frame| {
            self.scan_frame(frame, query.filter.as_ref(), |batch, among| {
                take(tally, Taken::of(group, &self.evaluator, batch, among)?)
            })
        };
        match &query.source {
            Source::Object(object) => {
                let access = choose(
                    *object,
                    query.filter.as_ref(),
                    &self.evaluator,
                    self.context,
                )?;
                let splits = self.evaluator.threads.most > 1 && tally.is_exact();
                let few = AtomicBool::new(splits);
                let add = |evaluator: &Evaluator<'_>,
                           part: &mut Part,
                           batch: &Batch<'_>,
                           among: &Bitset| {
                    let taken = Taken::of(group, evaluator, batch, among)?;
                    part.add(taken, &few, group, evaluator)
                };
                let size = if splits { PART } else { 1 };
                let mut aggregates = group.aggregates.iter();
                let reads = !group.keys.is_empty() || aggregates.any(Aggregate::reads);
                self.scan_parts(&access, size, reads, add, |part| {
                    part.finish(&mut tally, &mut take)?;
                    Ok(ControlFlow::Continue(()))
                })?;
            }
            Source::Query(inner) => of_frame(&mut tally, &self.frame(inner)?)?,
            Source::Life(life) => of_frame(&mut tally, &self.life(life, query)?)?,
            Source::Paired(paired) => of_frame(&mut tally, &self.paired(paired)?)?,
            Source::Duplicates(duplicates) => {
                of_frame(&mut tally, &self.duplicates(duplicates)?)?;
            }
            Source::History(history) => of_frame(&mut tally, &self.history(history, query)?)?,
            Source::Find(find) => {
                let frame = self.found(find, shows_snippets(query, group))?;
                of_frame(&mut tally, &frame)?;
            }
        }
        let Tally {
            mut table,
            mut levels,
            ..
        } = tally;
        if group.empty {
            let values = self.every_group(query, group, &table)?;
            let len = values.first().map_or(0, Vector::len);
            table.number(&values, &Bitset::full(len));
        }
        if gathers {
            let above = table.above();
            for level in &mut levels {
                level.way = Some(within(level.depth, &above)?);
            }
        }
        if spreads {
            let climbed = self.climb(&table, &hierarchies, 0)?;
            let mut whole = KeyTable::new(&shapes);
            let numbers = whole.number(&climbed.keys, &Bitset::full(climbed.slots.len()));
            let above = table.above();
            for level in &mut levels {
                let spread = climbed.spread(level.depth, &above, &numbers, &whole)?;
                for accumulator in &mut level.accumulators {
                    if let Some(own) = accumulator.take() {
                        *accumulator = Some(own.spread(&spread, self.context, &self.evaluator)?);
                    }
                }
                if let Some(way) = &mut level.way {
                    *way = way.then(&spread)?;
                }
            }
            table = whole;
        }
        if gathers {
            self.gathered(group, reached, &mut levels)?;
        }
        let bytes = table.len(group.keys.len()) * width;
        self.evaluator
            .memory
            .charge(bytes.saturating_sub(charged), "group by")?;
        charged = charged.max(bytes);
        let above = table.above();
        let mut rows = Frame::default();
        let mut totals = Vec::new();
        for level in levels {
            let depth = level.depth;
            let frame = level.finish(&table, &shapes, &self.evaluator)?;
            if depth == group.keys.len() {
                rows = frame;
                continue;
            }
            let of = match depth.checked_sub(1) {
                Some(at) => above[at].clone(),
                None => vec![0; rows.len],
            };
            totals.push(Totals {
                depth,
                shown: depth == 0 || group.subtotals,
                rows: frame,
                of,
            });
        }
        self.evaluator.memory.release(charged);
        let count = rows.len as u64;
        self.evaluator.profile.add_here(|own| own.groups += count);
        Ok(Grouped {
            rows,
            totals,
            hierarchies,
            table,
        })
    }

    /// The aggregates over collections, from the records that have these.
    fn gathered(
        &self,
        group: &Group,
        reached: Vec<Option<Reached>>,
        levels: &mut [Level],
    ) -> Result<()> {
        let ways: Vec<Spread> = levels
            .iter_mut()
            .filter_map(|level| level.way.take())
            .collect();
        for (at, (aggregate, reached)) in group.aggregates.iter().zip(reached).enumerate() {
            let (Some(over), Some(reached)) = (&aggregate.over, reached) else {
                continue;
            };
            let reached = reached.finish(&self.evaluator.memory);
            let gathered = self.evaluator.gather(aggregate, over, &reached, &ways)?;
            for (level, accumulator) in levels.iter_mut().zip(gathered) {
                level.accumulators[at] = Some(accumulator);
            }
        }
        Ok(())
    }

    /// By key the hierarchy that it is rolled up over; of a source none: its groups never overlap.
    fn hierarchies(&self, group: &Group) -> Result<Vec<Option<Hierarchy>>> {
        group
            .keys
            .iter()
            .map(|key| match &key.ty {
                Type::Plain(FieldType::Reference(object))
                    if group.subtotals
                        && self
                            .context
                            .catalog
                            .object(*object)
                            .hierarchy_field()
                            .is_some() =>
                {
                    Hierarchy::read(*object, self.context).map(Some)
                }
                _ => Ok(None),
            })
            .collect()
    }

    /// Every group of the table with all nodes above its own, itself included; up the hierarchies
    /// of the keys from one on.
    fn climb(
        &self,
        table: &KeyTable,
        hierarchies: &[Option<Hierarchy>],
        from: usize,
    ) -> Result<Climbed> {
        const PAIR: usize = 24;
        let values = table.values(hierarchies.len());
        let mut slots: Vec<u32> = (0..).take(table.len(hierarchies.len())).collect();
        // By key and combination the node, where the key has a hierarchy.
        let mut nodes: Vec<Option<Vec<Option<i64>>>> = vec![None; hierarchies.len()];
        let mut charged = 0;
        for (key, hierarchy) in hierarchies.iter().enumerate().skip(from) {
            let (Some(hierarchy), Vector::Ints(own)) = (hierarchy, &values[key]) else {
                continue;
            };
            let (mut wider, mut up) = (Vec::new(), Vec::new());
            let mut places: Vec<u32> = Vec::new();
            for (place, &slot) in (0..).zip(&slots) {
                match own
                    .get(slot as usize)
                    .and_then(|id| usize::try_from(id).ok())
                {
                    None => up.push(None),
                    Some(id) => up.extend(hierarchy.path(id).map(|node| i64::try_from(node).ok())),
                }
                wider.resize(up.len(), slot);
                places.resize(up.len(), place);
                if up.len() * PAIR > charged {
                    self.evaluator.memory.charge(1 << 20, "rollup")?;
                    charged += 1 << 20;
                }
            }
            for known in nodes.iter_mut().flatten() {
                *known = places.iter().map(|&at| known[at as usize]).collect();
            }
            slots = wider;
            nodes[key] = Some(up);
        }
        self.evaluator.memory.release(charged);
        let of: Vec<Option<u32>> = slots.iter().map(|&slot| Some(slot)).collect();
        let keys = values
            .iter()
            .zip(nodes)
            .map(|(own, nodes)| match nodes {
                Some(nodes) => Vector::Ints(Ints::from_options(nodes.into_iter())),
                None => own.gather(&of),
            })
            .collect();
        Ok(Climbed { slots, keys })
    }

    /// Those of the rows in `among` that no other of them holds, of those that share the keys
    /// before `from`.
    pub(super) fn tops(
        &self,
        grouped: &mut Grouped,
        among: &Bitset,
        from: usize,
    ) -> Result<Bitset> {
        let climbed = self.climb(&grouped.table, &grouped.hierarchies, from)?;
        let all = Bitset::full(climbed.slots.len());
        let numbers = grouped.table.number(&climbed.keys, &all).pop();
        let mut tops = among.clone();
        for (&slot, &above) in climbed.slots.iter().zip(numbers.iter().flatten()) {
            if above != slot && (above as usize) < among.len() && among.get(above as usize) {
                tops.set(slot as usize, false);
            }
        }
        Ok(tops)
    }
}

impl Climbed {
    /// For each group at a depth those it counts for. `above` are the groups climbed from, and
    /// `numbers` the combinations' groups in `whole`, both for every depth from one.
    fn spread(
        &self,
        depth: usize,
        above: &[Vec<u32>],
        numbers: &[Vec<u32>],
        whole: &KeyTable,
    ) -> Result<Spread> {
        let mut spread = Spread::new(whole.len(depth));
        let Some(at) = depth.checked_sub(1) else {
            spread.push([0])?;
            return Ok(spread);
        };
        let count = above[at].iter().map(|&group| group as usize + 1).max();
        let mut targets = vec![Vec::new(); count.unwrap_or(0)];
        for (&slot, &target) in self.slots.iter().zip(&numbers[at]) {
            targets[above[at][slot as usize] as usize].push(target);
        }
        for targets in targets {
            spread.push(targets)?;
        }
        Ok(spread)
    }
}

/// For each group by all keys the one at a depth that it lies in.
fn within(depth: usize, above: &[Vec<u32>]) -> Result<Spread> {
    let groups = above.last().map_or(1, Vec::len);
    let own = match depth.checked_sub(1) {
        Some(at) => above[at].clone(),
        None => vec![0; groups],
    };
    let count = own.iter().map(|&group| group as usize + 1).max();
    let mut spread = Spread::new(count.unwrap_or(0));
    for group in own {
        spread.push([group])?;
    }
    Ok(spread)
}

/// Whether the groups of what is found depend on its snippets, which cost a row each.
fn shows_snippets(query: &Query, group: &Group) -> bool {
    let aggregates = group.aggregates.iter().flat_map(|aggregate| {
        let own = aggregate.argument.iter().chain(&aggregate.second);
        own.chain(&aggregate.filter)
            .chain(aggregate.order.iter().map(|key| &key.value))
    });
    let mut read = group.keys.iter().chain(aggregates).chain(&query.filter);
    read.any(reads_snippet)
}

/// Frames of the same columns, one below the other.
pub(super) fn stack(mut frames: Vec<Frame>, types: &[Type]) -> Frame {
    if frames.len() == 1 {
        return frames.remove(0);
    }
    let columns = types
        .iter()
        .enumerate()
        .map(|(at, ty)| {
            let form = ty.field_type();
            let values: Vec<Value> = frames
                .iter()
                .flat_map(|frame| {
                    let column = &frame.columns[at];
                    let form = &form;
                    (0..frame.len).map(move |slot| column.value(form, slot))
                })
                .collect();
            Vector::from_values(ty.shape(), &values)
        })
        .collect();
    Frame {
        columns,
        len: frames.iter().map(|frame| frame.len).sum(),
    }
}
