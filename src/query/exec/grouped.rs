//! The rows of a grouped query in order: groups sorted and cut, each subtotal below what it sums,
//! the nodes of a hierarchy each above what lies below it.

use super::group::{Grouped, stack};
use super::limit::Cut;
use super::rows::Rows;
use super::run::{Answer, column_type, is_over_rows, key_vectors, places};
use super::sort::{Sorted, Sorter};
use super::{Batch, Executor, Frame};
use crate::column::{Bitset, Ints, Vector};
use crate::error::Result;
use crate::query::bind::{
    ColumnValue, Expr, Group, Node, OrderKey, Query, Type, ascending, first_keys,
};
use crate::query::outcome::{Mark, MarkedCell};
use crate::query::plan::Hierarchy;
use std::collections::HashMap;

/// Where a row stands among totals and in hierarchies.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    /// The keys it has, of those in all: with fewer it is a total.
    depth: usize,
    keys: usize,
    /// By key, how many nodes lie above its own.
    levels: Vec<usize>,
}

/// Sort keys and whether each descends.
#[derive(Default)]
struct Keys {
    vectors: Vec<Vector>,
    descending: Vec<bool>,
}

impl Keys {
    fn push(&mut self, rank: Vector) {
        self.vectors.push(rank);
        self.descending.push(false);
    }
}

impl Executor<'_> {
    pub(super) fn grouped(&self, query: &Query, group: &Group) -> Result<Answer> {
        let mut grouped = self.group(query, group)?;
        let mut among = Bitset::full(grouped.rows.len);
        if let Some(having) = &query.having {
            let batch = Batch::Slots(&grouped.rows);
            among.and(&self.evaluator.test(having, &batch)?);
        }
        let slots = group_slots(group);
        // What one subtotal sums stands together: the first keys come before the order asked for.
        let first = match group.rollup {
            true => slots.len().saturating_sub(1),
            false => 0,
        };
        let outer = first_keys(query).filter(|&outer| outer <= first);
        let overlaps = grouped.hierarchies.iter().any(Option::is_some);
        let tops = match overlaps && is_over_rows(query) {
            true => Some(self.tops(&mut grouped, &among, outer.unwrap_or(0))?),
            false => None,
        };
        let (mut given, per) = self.sort_keys(query);
        let order = given.split_off(per);
        let ranks = match first {
            0 => Vec::new(),
            _ => self.ranks(&grouped, &slots, &order)?,
        };
        let mut keys = Keys::default();
        match outer.and_then(|outer| ranks.get(outer - 1)) {
            Some(rank) => keys.push(rank.clone()),
            None => self.evaluated(&mut keys, &given, &grouped.rows)?,
        }
        let per = keys.vectors.len();
        let cut = Cut::of(query, per)?;
        if let Some(rank) = ranks.into_iter().next_back() {
            keys.push(rank);
        }
        let before = keys.vectors.len();
        let all = Rows::Slots(grouped.rows.clone());
        let vectors = self.row_keys(query, &order, &all, &among, tops.as_ref())?;
        keys.vectors.extend(vectors);
        keys.descending
            .extend(order.iter().map(|key| key.descending));
        // Rows are tied by the order asked for alone.
        let counted = match order.is_empty() {
            true => per,
            false => keys.vectors.len(),
        };
        let last = ascending(&slots[first..], self.context.catalog);
        self.evaluated(&mut keys, &last, &grouped.rows)?;
        let mut sorter = Sorter::new(keys.descending, None, false, &self.evaluator.memory);
        sorter.push(&keys.vectors, &among, |slot| slot as u64)?;
        let mut sorted = sorter.finish();
        if let (Some(hierarchy), Some(nodes)) = (
            grouped.hierarchies.last().and_then(Option::as_ref),
            slots
                .len()
                .checked_sub(1)
                .map(|at| &grouped.rows.columns[at]),
        ) {
            sorted = arranged(sorted, before, nodes, hierarchy);
        }
        let places = places(&sorted);
        let tops = tops.map(|tops| Bitset::from_fn(places.len(), |at| tops.get(places[at])));
        let rows = Rows::Slots(grouped.rows.pick(&places));
        let (answer, kept) = self.cut(query, rows, &sorted, (per, per..counted), &cut, tops)?;
        let kept: Vec<usize> = kept.iter().map(|&at| places[at]).collect();
        Ok(with_totals(answer, &kept, grouped, query, group))
    }

    fn evaluated(&self, keys: &mut Keys, order: &[OrderKey], rows: &Frame) -> Result<()> {
        let all = Bitset::full(rows.len);
        let vectors = key_vectors(&self.evaluator, order, &Batch::Slots(rows), &all)?;
        keys.vectors.extend(vectors);
        keys.descending
            .extend(order.iter().map(|key| key.descending));
        Ok(())
    }

    /// The place of each row's group by the first key, by the first two, up to all but the last.
    /// The groups come in the order asked for of their subtotals, then by key; in a hierarchy
    /// siblings do.
    fn ranks(&self, grouped: &Grouped, slots: &[Expr], order: &[OrderKey]) -> Result<Vec<Vector>> {
        let mut all = Vec::new();
        let mut ranks = vec![Some(0); grouped.rows.len];
        // No subtotal is a row that functions over the rows run over.
        let order = order.iter().filter(|key| !key.value.is_over_rows());
        let order: Vec<OrderKey> = order.cloned().collect();
        for totals in grouped.totals.iter().rev().filter(|own| own.depth > 0) {
            let (rows, key) = (&totals.rows, totals.depth - 1);
            let mut outer = vec![None; rows.len];
            for (&of, &rank) in totals.of.iter().zip(&ranks) {
                outer[of as usize] = rank;
            }
            let mut keys = Keys::default();
            keys.push(Vector::Ints(Ints::from_options(outer.into_iter())));
            self.evaluated(&mut keys, &order, rows)?;
            let own = ascending([&slots[key]], self.context.catalog);
            self.evaluated(&mut keys, &own, rows)?;
            let mut sorter = Sorter::new(keys.descending, None, false, &self.evaluator.memory);
            sorter.push(&keys.vectors, &Bitset::full(rows.len), |slot| slot as u64)?;
            let mut sorted = sorter.finish();
            if let Some(hierarchy) = &grouped.hierarchies[key] {
                sorted = arranged(sorted, 1, &rows.columns[key], hierarchy);
            }
            let mut places_of = vec![None; rows.len];
            for (rank, at) in (0..).zip(places(&sorted)) {
                places_of[at] = Some(rank);
            }
            for (rank, &of) in ranks.iter_mut().zip(&totals.of) {
                *rank = places_of[of as usize];
            }
            all.push(Vector::Ints(Ints::from_options(ranks.iter().copied())));
        }
        Ok(all)
    }
}

fn node(nodes: &Vector, row: usize) -> Option<usize> {
    match nodes {
        Vector::Ints(ints) => usize::try_from(ints.get(row)?).ok(),
        _ => None,
    }
}

/// Sorted rows with those that share their first `before` keys in the order of the hierarchy.
fn arranged(sorted: Sorted, before: usize, nodes: &Vector, hierarchy: &Hierarchy) -> Sorted {
    let mut order = Vec::with_capacity(sorted.rows.len());
    let mut start = 0;
    while start < sorted.rows.len() {
        let mut end = start + 1;
        while end < sorted.rows.len() && sorted.same(start, end, 0..before) {
            end += 1;
        }
        let run: Vec<_> = sorted.rows[start..end]
            .iter()
            .map(|&row| node(nodes, row as usize))
            .collect();
        order.extend(arrange(&run, hierarchy).into_iter().map(|at| start + at));
        start = end;
    }
    sorted.pick(&order)
}

/// Places of nodes, each before those below it; those side by side stay in order.
fn arrange(nodes: &[Option<usize>], hierarchy: &Hierarchy) -> Vec<usize> {
    let places: HashMap<usize, usize> = (0..)
        .zip(nodes)
        .filter_map(|(place, node)| Some(((*node)?, place)))
        .collect();
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    let mut open = Vec::new();
    for (place, node) in nodes.iter().enumerate() {
        let mut up = node.iter().flat_map(|&node| hierarchy.path(node).skip(1));
        match up.find_map(|up| places.get(&up)) {
            Some(&parent) => below[parent].push(place),
            None => open.push(place),
        }
    }
    open.reverse();
    let mut order = Vec::with_capacity(nodes.len());
    let mut met = Bitset::new(nodes.len());
    // What lies on a cycle, in damaged data, is below nothing and comes last.
    let mut rest = 0..nodes.len();
    while let Some(place) = open.pop().or_else(|| rest.find(|&place| !met.get(place))) {
        if !met.get(place) {
            met.set(place, true);
            order.push(place);
            open.extend(below[place].iter().rev());
        }
    }
    order
}

/// The rows with subtotals, each after the last row that it sums, and the total at the end.
fn with_totals(
    mut answer: Answer,
    kept: &[usize],
    mut grouped: Grouped,
    query: &Query,
    group: &Group,
) -> Answer {
    let keys = group.keys.len();
    grouped.totals.retain(|totals| totals.shown);
    if grouped.totals.is_empty() && grouped.hierarchies.iter().all(Option::is_none) {
        return answer;
    }
    let mut firsts = vec![kept.len()];
    for totals in &grouped.totals {
        firsts.push(firsts[firsts.len() - 1] + totals.rows.len);
    }
    // By level and group, the last row in it.
    let lasts: Vec<HashMap<u32, usize>> = grouped
        .totals
        .iter()
        .map(|totals| (0..).zip(kept).map(|(at, &row)| (totals.of[row], at)))
        .map(Iterator::collect)
        .collect();
    let mut order = Vec::new();
    for (at, &row) in kept.iter().enumerate() {
        order.push(at);
        for ((totals, lasts), first) in grouped.totals.iter().zip(&lasts).zip(&firsts) {
            let of = totals.of[row];
            if totals.depth > 0 && lasts.get(&of) == Some(&at) {
                order.push(first + of as usize);
            }
        }
    }
    if let Some((totals, first)) = grouped.totals.iter().zip(&firsts).next_back()
        && totals.depth == 0
    {
        order.push(*first);
    }
    let frame = match &mut answer.rows {
        Rows::Slots(frame) => std::mem::take(frame),
        Rows::Records { .. } => return answer,
    };
    let mut depths = vec![keys; frame.len];
    let mut frames = vec![frame];
    for totals in grouped.totals {
        depths.extend(std::iter::repeat_n(totals.depth, totals.rows.len));
        frames.push(totals.rows);
    }
    let types: Vec<Type> = group
        .keys
        .iter()
        .map(|key| &key.ty)
        .chain(group.aggregates.iter().map(|aggregate| &aggregate.ty))
        .cloned()
        .collect();
    let frame = stack(frames, &types).pick(&order);
    answer.marks = order
        .iter()
        .enumerate()
        .map(|(at, &from)| Standing {
            depth: depths[from],
            keys,
            levels: (0..)
                .zip(&grouped.hierarchies)
                .map(|(key, hierarchy): (usize, _)| {
                    let own = hierarchy.as_ref().zip(node(&frame.columns[key], at));
                    own.map_or(0, |(hierarchy, node)| hierarchy.path(node).count() - 1)
                })
                .collect(),
        })
        .collect();
    let group_rows = kept.len();
    let slots: Vec<Option<u32>> = order
        .iter()
        .map(|&from| u32::try_from(from).ok().filter(|_| from < group_rows))
        .collect();
    for (window, column) in answer.windows.iter_mut().zip(&query.columns) {
        if let Some(window) = window {
            *window = match group_rows {
                0 => Vector::missing(column_type(&column.value).shape(), slots.len()),
                _ => window.gather(&slots),
            };
        }
    }
    answer.rows = Rows::Slots(frame);
    answer
}

/// The keys of a group as columns of its rows.
fn group_slots(group: &Group) -> Vec<Expr> {
    group
        .keys
        .iter()
        .enumerate()
        .map(|(at, key)| Expr::new(Node::Slot(at), key.ty.clone(), &key.span))
        .collect()
}

impl Standing {
    /// What the row is in the query's columns.
    pub(super) fn mark(&self, query: &Query) -> Mark {
        let mut cells = Vec::new();
        for (column, value) in query.columns.iter().enumerate() {
            let ColumnValue::Expr(Expr {
                node: Node::Slot(key),
                ..
            }) = value.value
            else {
                continue;
            };
            if key >= self.keys {
                continue;
            }
            if key >= self.depth {
                cells.push((column, MarkedCell::All));
            } else if self.levels[key] > 0 {
                cells.push((column, MarkedCell::Below(self.levels[key])));
            }
        }
        Mark {
            is_total: self.depth < self.keys,
            cells,
        }
    }
}
