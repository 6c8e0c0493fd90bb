//! The rows of a grouped query in order: groups sorted and cut, each subtotal below what it sums,
//! the nodes of a hierarchy each above what lies below it.

use super::group::{Grouped, stack};
use super::limit::Cut;
use super::rows::Rows;
use super::run::{Answer, column_type, is_over_rows, places};
use super::sort::{Sorted, Sorter, ascending};
use super::{Batch, Executor, Frame};
use crate::column::{Bitset, Ints, Vector};
use crate::error::Result;
use crate::query::bind::{ColumnValue, Expr, Group, Node, OrderKey, Query, Type};
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

impl Executor<'_> {
    pub(super) fn grouped(&self, query: &Query, group: &Group) -> Result<Answer> {
        let mut grouped = self.group(query, group)?;
        let mut among = Bitset::full(grouped.rows.len);
        if let Some(having) = &query.having {
            let batch = Batch::Slots(&grouped.rows);
            among.and(&self.evaluator.test(having, &batch)?);
        }
        let overlaps = grouped.hierarchies.iter().any(Option::is_some);
        let tops = match overlaps && is_over_rows(query) {
            true => Some(self.tops(&mut grouped, &among)?),
            false => None,
        };
        let slots = group_slots(group);
        let (given, per) = self.sort_keys(query);
        let cut = Cut::of(query, per)?;
        // What one subtotal sums stands together: the first keys come before the order asked for.
        let first = match group.rollup {
            true => slots.len().saturating_sub(1),
            false => 0,
        };
        let mut keys = Keys::default();
        self.evaluated(&mut keys, &given[..per], &grouped.rows)?;
        for (slot, hierarchy) in slots.iter().zip(&grouped.hierarchies).take(first) {
            match hierarchy {
                Some(hierarchy) => {
                    keys.vectors
                        .push(self.ranks(slot, hierarchy, &grouped.rows)?);
                    keys.descending.push(false);
                }
                None => {
                    let order = ascending([slot], self.context.catalog);
                    self.evaluated(&mut keys, &order, &grouped.rows)?;
                }
            }
        }
        let before = keys.vectors.len();
        let all = Rows::Slots(grouped.rows.clone());
        let order = &given[per..];
        let vectors = self.row_keys(query, order, &all, &among, tops.as_ref())?;
        keys.vectors.extend(vectors);
        keys.descending
            .extend(order.iter().map(|key| key.descending));
        // Rows are tied by the order asked for alone.
        let counted = match given.len() {
            len if len > per => keys.vectors.len(),
            _ => per,
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
        let vectors = self.key_vectors(order, &Batch::Slots(rows), &all)?;
        keys.vectors.extend(vectors);
        keys.descending
            .extend(order.iter().map(|key| key.descending));
        Ok(())
    }

    /// The place of each row's node in its hierarchy: above those below it, siblings in order.
    fn ranks(&self, slot: &Expr, hierarchy: &Hierarchy, rows: &Frame) -> Result<Vector> {
        let mut keys = Keys::default();
        let order = ascending([slot], self.context.catalog);
        self.evaluated(&mut keys, &order, rows)?;
        let mut sorter = Sorter::new(keys.descending, None, false, &self.evaluator.memory);
        sorter.push(&keys.vectors, &Bitset::full(rows.len), |slot| slot as u64)?;
        let own = self.evaluator.evaluate(slot, &Batch::Slots(rows))?;
        let mut nodes: Vec<Option<usize>> = places(&sorter.finish())
            .into_iter()
            .map(|row| node(&own, row))
            .collect();
        nodes.dedup();
        let mut ranks = HashMap::new();
        for (rank, at) in (0..).zip(arrange(&nodes, hierarchy)) {
            ranks.insert(nodes[at], rank);
        }
        let rank = |row| node(&own, row).and_then(|id| ranks.get(&Some(id)).copied());
        Ok(Vector::Ints(Ints::from_options((0..rows.len).map(rank))))
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
    grouped: Grouped,
    query: &Query,
    group: &Group,
) -> Answer {
    let keys = group.keys.len();
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
