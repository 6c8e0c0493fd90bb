//! Rows in order: keys in columns, only as many rows kept as a limit asks for.

use super::cursor::Place;
use super::memory::Memory;
use crate::column::{Bitset, Vector};
use crate::error::Result;
use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

/// Rows beyond twice the limit that are let in before the worst are dropped.
const SLACK: usize = 4096;

/// The values of one sort key.
#[derive(Clone, Debug)]
pub(super) enum KeyColumn {
    Ints(Vec<Option<i64>>),
    Floats(Vec<Option<f64>>),
    Texts(Vec<Option<Arc<str>>>),
    Pairs(Vec<Option<(i64, i64)>>),
}

impl KeyColumn {
    fn of(vector: &Vector) -> Self {
        match vector {
            Vector::Floats(_) => Self::Floats(Vec::new()),
            Vector::Texts(_) => Self::Texts(Vec::new()),
            Vector::Pair(..) => Self::Pairs(Vec::new()),
            _ => Self::Ints(Vec::new()),
        }
    }

    /// Adds the value at a slot; gives the bytes it takes.
    fn push(&mut self, vector: &Vector, at: usize) -> usize {
        match (self, vector) {
            (Self::Floats(values), Vector::Floats(floats)) => {
                values.push(floats.get(at));
                16
            }
            (Self::Texts(values), Vector::Texts(texts)) => {
                let text = texts.get(at);
                values.push(text.map(Arc::from));
                32 + text.map_or(0, str::len)
            }
            (Self::Pairs(values), Vector::Pair(a, b)) => {
                values.push(a.get(at).zip(b.get(at)));
                24
            }
            (Self::Ints(values), vector) => {
                values.push(int(vector, at));
                16
            }
            (Self::Floats(values), _) => {
                values.push(None);
                16
            }
            (Self::Texts(values), _) => {
                values.push(None);
                16
            }
            (Self::Pairs(values), _) => {
                values.push(None);
                24
            }
        }
    }

    fn compare(&self, a: usize, b: usize, descending: bool) -> Ordering {
        match self {
            Self::Ints(values) => missing_last(&values[a], &values[b], descending, Ord::cmp),
            Self::Floats(values) => {
                missing_last(&values[a], &values[b], descending, f64::total_cmp)
            }
            Self::Texts(values) => missing_last(&values[a], &values[b], descending, Ord::cmp),
            Self::Pairs(values) => missing_last(&values[a], &values[b], descending, Ord::cmp),
        }
    }

    /// How the value at a slot of a vector compares with the value at `b`.
    fn compare_slot(&self, vector: &Vector, at: usize, b: usize, descending: bool) -> Ordering {
        match (self, vector) {
            (Self::Floats(values), Vector::Floats(floats)) => {
                missing_last(&floats.get(at), &values[b], descending, f64::total_cmp)
            }
            (Self::Texts(values), Vector::Texts(texts)) => {
                missing_last(&texts.get(at), &values[b].as_deref(), descending, Ord::cmp)
            }
            (Self::Pairs(values), Vector::Pair(x, y)) => {
                let pair = x.get(at).zip(y.get(at));
                missing_last(&pair, &values[b], descending, Ord::cmp)
            }
            (Self::Ints(values), vector) => {
                missing_last(&int(vector, at), &values[b], descending, Ord::cmp)
            }
            _ => Ordering::Equal,
        }
    }

    /// How the value at `a` compares with the first of `other`, which has the same form.
    pub(super) fn compare_with(&self, a: usize, other: &Self, descending: bool) -> Ordering {
        match (self, other) {
            (Self::Ints(x), Self::Ints(y)) => missing_last(&x[a], &y[0], descending, Ord::cmp),
            (Self::Floats(x), Self::Floats(y)) => {
                missing_last(&x[a], &y[0], descending, f64::total_cmp)
            }
            (Self::Texts(x), Self::Texts(y)) => missing_last(&x[a], &y[0], descending, Ord::cmp),
            (Self::Pairs(x), Self::Pairs(y)) => missing_last(&x[a], &y[0], descending, Ord::cmp),
            _ => Ordering::Equal,
        }
    }

    pub(super) fn pick(&self, places: &[usize]) -> Self {
        fn of<T: Clone>(values: &[T], places: &[usize]) -> Vec<T> {
            places.iter().map(|&at| values[at].clone()).collect()
        }
        match self {
            Self::Ints(values) => Self::Ints(of(values, places)),
            Self::Floats(values) => Self::Floats(of(values, places)),
            Self::Texts(values) => Self::Texts(of(values, places)),
            Self::Pairs(values) => Self::Pairs(of(values, places)),
        }
    }
}

fn int(vector: &Vector, at: usize) -> Option<i64> {
    match vector {
        Vector::Ints(ints) => ints.get(at),
        Vector::Bits(bits) => {
            let missing = bits.missing.as_ref().is_some_and(|m| m.get(at));
            (!missing).then(|| i64::from(bits.data.get(at)))
        }
        Vector::Tags(tags) => tags
            .sets
            .iter()
            .find(|(_, set)| set.get(at))
            .map(|(code, _)| i64::from(code.0)),
        _ => None,
    }
}

fn missing_last<T>(
    a: &Option<T>,
    b: &Option<T>,
    descending: bool,
    compare: impl FnOnce(&T, &T) -> Ordering,
) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if descending => compare(b, a),
        (Some(a), Some(b)) => compare(a, b),
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
    }
}

/// Rows while they are collected.
pub(super) struct Sorter<'m> {
    descending: Vec<bool>,
    columns: Vec<KeyColumn>,
    rows: Vec<u64>,
    /// By row, its group; empty while all rows are of one.
    groups: Vec<u32>,
    /// No more than this many rows of a group are wanted, and perhaps those tied with the last.
    keep: Option<usize>,
    ties: bool,
    /// Rows that were kept when the worst were last dropped.
    kept: usize,
    /// By group, a row that at least `keep` of its rows are not worse than.
    worst: Vec<Option<usize>>,
    /// Rows up to this place are left out.
    start: Option<Place>,
    /// Whether a row beyond those wanted was let go.
    dropped: bool,
    memory: &'m Memory,
    charged: usize,
}

/// Rows in order, with their keys.
pub(super) struct Sorted {
    pub rows: Vec<u64>,
    pub(super) columns: Vec<KeyColumn>,
    pub(super) descending: Vec<bool>,
    /// Whether rows beyond the last were let go.
    pub dropped: bool,
}

impl<'m> Sorter<'m> {
    pub(super) fn new(
        descending: Vec<bool>,
        keep: Option<usize>,
        ties: bool,
        memory: &'m Memory,
    ) -> Self {
        Self {
            descending,
            columns: Vec::new(),
            rows: Vec::new(),
            groups: Vec::new(),
            keep,
            ties,
            kept: 0,
            worst: Vec::new(),
            start: None,
            dropped: false,
            memory,
            charged: 0,
        }
    }

    /// Leaves out rows up to a place.
    pub(super) fn start_after(&mut self, place: Option<Place>) {
        self.start = place;
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Adds the rows of the slots in `among`; `row` gives a slot's row.
    pub(super) fn push(
        &mut self,
        keys: &[Vector],
        among: &Bitset,
        row: impl Fn(usize) -> u64,
    ) -> Result<()> {
        self.push_groups(keys, None, among, row)
    }

    /// The same of rows in groups, of each of which so many are wanted; `groups` gives a slot's.
    pub(super) fn push_groups(
        &mut self,
        keys: &[Vector],
        groups: Option<&[u32]>,
        among: &Bitset,
        row: impl Fn(usize) -> u64,
    ) -> Result<()> {
        if self.columns.is_empty() {
            self.columns = keys.iter().map(KeyColumn::of).collect();
            if let Some(start) = &self.start
                && !among.none()
            {
                start.check(&self.columns)?;
            }
        }
        let mut bytes = 0;
        for slot in among.ones() {
            if let Some(start) = &self.start {
                let place = start.keys.iter().zip(keys).zip(&self.descending);
                let place = place
                    .map(|((known, key), &descending)| known.compare_slot(key, slot, 0, descending))
                    .find(|&ordering| ordering != Ordering::Equal)
                    .unwrap_or_else(|| row(slot).cmp(&start.row));
                if place != Ordering::Greater {
                    continue;
                }
            }
            let group = groups.map_or(0, |groups| groups[slot]);
            let worst = self.worst.get(group as usize).copied().flatten();
            if let (Some(worst), Some(key), Some(column)) =
                (worst, keys.first(), self.columns.first())
                && column.compare_slot(key, slot, worst, self.descending[0]) == Ordering::Greater
            {
                self.dropped = true;
                continue;
            }
            for (column, key) in self.columns.iter_mut().zip(keys) {
                bytes += column.push(key, slot);
            }
            self.rows.push(row(slot));
            if groups.is_some() {
                self.groups.push(group);
            }
            bytes += 16;
        }
        self.charged += bytes;
        self.memory.charge(bytes, "order by")?;
        if let Some(keep) = self.keep
            && self.rows.len() > self.kept.max(keep).saturating_mul(2).saturating_add(SLACK)
        {
            self.prune(keep);
        }
        Ok(())
    }

    fn compare(&self, a: usize, b: usize) -> Ordering {
        let rows = || compare(&self.columns, &self.descending, a, b);
        let by_group = self.groups.get(a).cmp(&self.groups.get(b));
        by_group
            .then_with(rows)
            .then(self.rows[a].cmp(&self.rows[b]))
    }

    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        if !order.is_sorted_by(|&a, &b| self.compare(a, b) != Ordering::Greater) {
            order.sort_unstable_by(|&a, &b| self.compare(a, b));
        }
        order
    }

    fn prune(&mut self, keep: usize) {
        let order = self.order();
        let group = |at: usize| self.groups.get(at).copied().unwrap_or(0);
        let mut kept = Vec::new();
        for rows in order.chunk_by(|&a, &b| group(a) == group(b)) {
            let mut end = keep.min(rows.len());
            if self.ties && end > 0 && !self.columns.is_empty() {
                let tied = |at: usize| {
                    compare(&self.columns, &self.descending, rows[end - 1], at) == Ordering::Equal
                };
                end += rows[end..].iter().take_while(|&&at| tied(at)).count();
            }
            if keep > 0 && rows.len() >= keep {
                let group = group(rows[0]) as usize;
                self.worst.resize(self.worst.len().max(group + 1), None);
                self.worst[group] = Some(kept.len() + keep - 1);
            }
            kept.extend_from_slice(&rows[..end]);
        }
        let dropped = order.len() - kept.len();
        self.dropped |= dropped > 0;
        self.kept = kept.len();
        let released = self.charged / order.len().max(1) * dropped;
        self.memory.release(released);
        self.charged -= released;
        self.columns = self
            .columns
            .iter()
            .map(|column| column.pick(&kept))
            .collect();
        self.rows = kept.iter().map(|&at| self.rows[at]).collect();
        if !self.groups.is_empty() {
            self.groups = kept.iter().map(|&at| self.groups[at]).collect();
        }
    }

    pub(super) fn finish(mut self) -> Sorted {
        let order = self.order();
        self.memory.release(self.charged);
        self.columns = self
            .columns
            .iter()
            .map(|column| column.pick(&order))
            .collect();
        Sorted {
            rows: order.iter().map(|&at| self.rows[at]).collect(),
            columns: self.columns,
            descending: self.descending,
            dropped: self.dropped,
        }
    }
}

fn compare(columns: &[KeyColumn], descending: &[bool], a: usize, b: usize) -> Ordering {
    columns
        .iter()
        .zip(descending)
        .map(|(column, &descending)| column.compare(a, b, descending))
        .find(|&ordering| ordering != Ordering::Equal)
        .unwrap_or(Ordering::Equal)
}

impl Sorted {
    /// The rows at these places, in that order.
    pub(super) fn pick(&self, places: &[usize]) -> Self {
        Self {
            rows: places.iter().map(|&at| self.rows[at]).collect(),
            columns: self.columns.iter().map(|c| c.pick(places)).collect(),
            descending: self.descending.clone(),
            dropped: self.dropped,
        }
    }

    /// Whether two rows have the same keys, of those in `keys`.
    pub(super) fn same(&self, a: usize, b: usize, keys: Range<usize>) -> bool {
        self.columns
            .get(keys.start..keys.end.min(self.columns.len()))
            .unwrap_or_default()
            .iter()
            .all(|column| column.compare(a, b, false) == Ordering::Equal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::Ints;
    use proptest::prelude::*;

    proptest! {
        /// Keeping the best rows while they come gives what sorting all of them gives.
        #[test]
        fn top_rows_are_the_first_of_all(
            values in proptest::collection::vec(proptest::option::of(0i64..9), 1..300),
            keep in 0usize..20,
            descending: bool,
            ties: bool,
        ) {
            let memory = Memory::new(usize::MAX);
            let mut sorter = Sorter::new(vec![descending], Some(keep), ties, &memory);
            let mut first = 0;
            for _ in 0..60 {
                let key = Vector::Ints(Ints::from_options(values.iter().copied()));
                sorter.push(&[key], &Bitset::full(values.len()), |slot| first + slot as u64).unwrap();
                first += values.len() as u64;
            }
            let sorted = sorter.finish();
            let mut all: Vec<(Option<i64>, u64)> = (0..first)
                .map(|row| (values[row as usize % values.len()], row))
                .collect();
            all.sort_by_key(|(value, row)| (
                value.is_none(),
                value.map(|n| if descending { -n } else { n }),
                *row,
            ));
            let mut end = keep;
            if ties && keep > 0 {
                while end < all.len() && all[end].0 == all[keep - 1].0 {
                    end += 1;
                }
            }
            let expected: Vec<u64> = all[..end].iter().map(|row| row.1).collect();
            prop_assert!(sorted.rows.len() >= end);
            prop_assert_eq!(&sorted.rows[..end], &expected[..]);
        }

        /// The same within groups, few rows beside.
        #[test]
        fn top_rows_of_groups_are_the_first_of_each(
            values in proptest::collection::vec((0u32..5, proptest::option::of(0i64..9)), 100..300),
            keep in 0usize..20,
            ties: bool,
        ) {
            let memory = Memory::new(usize::MAX);
            let mut sorter = Sorter::new(vec![false], Some(keep), ties, &memory);
            let (groups, keys): (Vec<u32>, Vec<Option<i64>>) = values.iter().copied().unzip();
            let mut all = Vec::new();
            for turn in 0..60 {
                let first = turn * values.len() as u64;
                let vector = Vector::Ints(Ints::from_options(keys.iter().copied()));
                let among = Bitset::full(values.len());
                let row = |slot| first + slot as u64;
                sorter.push_groups(&[vector], Some(&groups), &among, row).unwrap();
                all.extend((first..).zip(&values).map(|(row, &(group, key))| (group, key, row)));
            }
            let kept = sorter.finish().rows;
            if !ties {
                prop_assert!(kept.len() <= 2 * 5 * keep + SLACK + 2 * values.len());
            }
            for group in 0..5 {
                let of = |rows: &mut dyn Iterator<Item = &(u32, Option<i64>, u64)>| {
                    let mut own: Vec<_> = rows.filter(|row| row.0 == group).copied().collect();
                    own.sort_by_key(|&(_, key, row)| (key.is_none(), key, row));
                    let tied = own.get(keep.wrapping_sub(1)).map(|last| last.1).filter(|_| ties);
                    let more = own.iter().skip(keep).take_while(|row| Some(row.1) == tied);
                    let end = keep + more.count();
                    own.truncate(end);
                    own
                };
                let found = of(&mut kept.iter().map(|&row| &all[row as usize]));
                prop_assert_eq!(found, of(&mut all.iter()));
            }
        }
    }
}
