//! What an accumulator keeps of each group while records come in.

use super::super::spread::Spread;
use super::argument_type;
use crate::column::{Bitset, Ints, Vector, ones};
use crate::query::bind::{Aggregate, AggregateFunction, OrderKey, Type};
use crate::value::{Shape, Value};
use std::cmp::Ordering;
use std::sync::Arc;

/// By group.
pub(super) enum State {
    Counts(Vec<u64>),
    /// Sums of integers: plain ones, units of money, seconds.
    Sums {
        sums: Vec<i128>,
        counts: Vec<u64>,
    },
    FloatSums {
        sums: Vec<f64>,
        counts: Vec<u64>,
    },
    IntExtremes(Vec<Option<i64>>),
    FloatExtremes(Vec<Option<f64>>),
    PairExtremes(Vec<Option<(i64, i64)>>),
    TextExtremes(Vec<Option<Arc<str>>>),
    BitExtremes(Vec<Option<bool>>),
    Ints(Values<i64>),
    Floats(Values<f64>),
    Spreads(Vec<Moments>),
    Pairs(Vec<Pairs>),
    Shares(Vec<(u64, u64)>),
    Picks(Vec<Option<Item>>),
    Lists(Vec<Vec<Item>>),
}

/// All values of all groups.
pub(super) struct Values<T> {
    /// As they came, with their groups.
    taken: Vec<(u32, T)>,
    /// Side by side, once no more come, and where each group's start and the last one's end.
    grouped: Vec<T>,
    starts: Vec<usize>,
}

/// Count, mean and sum of squared differences from it (Welford).
#[derive(Clone, Copy, Default)]
pub(super) struct Moments {
    pub count: u64,
    mean: f64,
    pub squares: f64,
}

/// Of pairs of numbers: count, means, sums of squared differences from them and of the products
/// of both differences (Welford).
#[derive(Clone, Copy, Default)]
pub(super) struct Pairs {
    pub count: u64,
    means: (f64, f64),
    pub squares: (f64, f64),
    pub products: f64,
}

/// A value with the keys by which it is ordered.
pub(super) struct Item {
    pub keys: Vec<Value>,
    pub value: Value,
}

impl<T: Copy> Values<T> {
    fn new() -> Self {
        Self {
            taken: Vec::new(),
            grouped: Vec::new(),
            starts: Vec::new(),
        }
    }

    /// The values of each of `count` groups side by side, and their ends.
    pub(super) fn by_group(&mut self, count: usize) -> (&mut [T], &[usize]) {
        if self.starts.is_empty() {
            let mut starts = vec![0; count + 1];
            let groups = self.taken.iter().map(|&(group, _)| group as usize);
            groups.for_each(|group| starts[group + 1] += 1);
            for group in 0..count {
                starts[group + 1] += starts[group];
            }
            let mut next = starts.clone();
            self.grouped = self.taken.iter().map(|&(_, value)| value).collect();
            for (group, value) in std::mem::take(&mut self.taken) {
                let place = &mut next[group as usize];
                self.grouped[*place] = value;
                *place += 1;
            }
            self.starts = starts;
        }
        (&mut self.grouped, &self.starts)
    }
}

impl State {
    /// The empty state, if the function works on arguments of this form.
    pub(super) fn new(aggregate: &Aggregate) -> Option<Self> {
        use AggregateFunction as A;
        let ty = aggregate.argument.as_ref().map(|argument| &argument.ty);
        let shape = match ty {
            // The word `empty`: nothing but missing values comes in.
            Some(Type::Missing) => aggregate.ty.shape(),
            _ => argument_type(aggregate).shape(),
        };
        let ints = matches!(shape, Shape::Ints | Shape::Pair);
        Some(match aggregate.function {
            A::Count | A::Exists => Self::Counts(Vec::new()),
            A::Sum | A::Average if ints => Self::Sums {
                sums: Vec::new(),
                counts: Vec::new(),
            },
            A::Sum | A::Average if shape == Shape::Floats => Self::FloatSums {
                sums: Vec::new(),
                counts: Vec::new(),
            },
            A::Minimum | A::Maximum => match shape {
                Shape::Ints => Self::IntExtremes(Vec::new()),
                Shape::Floats => Self::FloatExtremes(Vec::new()),
                Shape::Pair => Self::PairExtremes(Vec::new()),
                Shape::Texts | Shape::RowOnly => Self::TextExtremes(Vec::new()),
                Shape::Bits => Self::BitExtremes(Vec::new()),
                Shape::Tags => return None,
            },
            A::Percentile(_) if ints => Self::Ints(Values::new()),
            A::Percentile(_) if shape == Shape::Floats => Self::Floats(Values::new()),
            A::Deviation if ints || shape == Shape::Floats => Self::Spreads(Vec::new()),
            A::Correlation | A::Slope if shape == Shape::Floats => Self::Pairs(Vec::new()),
            A::Share if shape == Shape::Bits => Self::Shares(Vec::new()),
            A::First | A::Last => Self::Picks(Vec::new()),
            A::List => Self::Lists(Vec::new()),
            A::Sum
            | A::Average
            | A::Percentile(_)
            | A::Deviation
            | A::Correlation
            | A::Slope
            | A::Share => return None,
        })
    }

    /// Whether the states of two groups make that of both together.
    pub(super) fn merges(&self) -> bool {
        !matches!(
            self,
            Self::Ints(_) | Self::Floats(_) | Self::Picks(_) | Self::Lists(_)
        )
    }

    /// Whether records may be taken in parts, and these put together in their order, without any
    /// difference to the result: numbers with a fraction are rounded, picks cost as much again.
    pub(super) fn is_exact(&self) -> bool {
        !matches!(
            self,
            Self::FloatSums { .. }
                | Self::Spreads(_)
                | Self::Pairs(_)
                | Self::Picks(_)
                | Self::Lists(_)
        )
    }

    /// Takes the states of other groups, which count for these. Picks and lists are in the order
    /// of records and stay.
    pub(super) fn absorb(&mut self, other: Self, aggregate: &Aggregate, spread: &Spread) {
        fn all<T>(whole: &mut [T], part: &[T], spread: &Spread, mut add: impl FnMut(&mut T, &T)) {
            for (group, state) in part.iter().enumerate() {
                for &target in spread.of(group) {
                    add(&mut whole[target as usize], state);
                }
            }
        }
        fn best<T: Clone>(
            whole: &mut [Option<T>],
            part: &[Option<T>],
            spread: &Spread,
            better: impl Fn(&T, &T) -> bool,
        ) {
            all(whole, part, spread, |best, value| {
                if let Some(value) = value {
                    keep(best, value.clone(), &better);
                }
            });
        }
        fn listed<T: Copy>(whole: &mut Values<T>, part: &Values<T>, spread: &Spread) {
            for &(group, value) in &part.taken {
                let groups = spread.of(group as usize).iter();
                whole.taken.extend(groups.map(|&to| (to, value)));
            }
        }
        self.grow(spread.count());
        let wanted = wanted(aggregate);
        match (self, &other) {
            (Self::Counts(own), Self::Counts(more)) => all(own, more, spread, |a, b| *a += b),
            (
                Self::Sums { sums, counts },
                Self::Sums {
                    sums: more,
                    counts: present,
                },
            ) => {
                all(sums, more, spread, |a, b| *a += b);
                all(counts, present, spread, |a, b| *a += b);
            }
            (
                Self::FloatSums { sums, counts },
                Self::FloatSums {
                    sums: more,
                    counts: present,
                },
            ) => {
                all(sums, more, spread, |a, b| *a += b);
                all(counts, present, spread, |a, b| *a += b);
            }
            (Self::IntExtremes(own), Self::IntExtremes(more)) => {
                best(own, more, spread, |a, b| a.cmp(b) == wanted);
            }
            (Self::FloatExtremes(own), Self::FloatExtremes(more)) => {
                best(own, more, spread, |a, b| a.partial_cmp(b) == Some(wanted));
            }
            (Self::PairExtremes(own), Self::PairExtremes(more)) => {
                best(own, more, spread, |a, b| a.cmp(b) == wanted);
            }
            (Self::TextExtremes(own), Self::TextExtremes(more)) => {
                best(own, more, spread, |a, b| a.cmp(b) == wanted);
            }
            (Self::BitExtremes(own), Self::BitExtremes(more)) => {
                best(own, more, spread, |a, b| a.cmp(b) == wanted);
            }
            (Self::Ints(own), Self::Ints(more)) => listed(own, more, spread),
            (Self::Floats(own), Self::Floats(more)) => listed(own, more, spread),
            (Self::Spreads(own), Self::Spreads(more)) => all(own, more, spread, Moments::merge),
            (Self::Pairs(own), Self::Pairs(more)) => all(own, more, spread, Pairs::merge),
            (Self::Shares(own), Self::Shares(more)) => all(own, more, spread, |a, b| {
                *a = (a.0 + b.0, a.1 + b.1);
            }),
            _ => {}
        }
    }

    /// Makes room for `count` groups.
    pub(super) fn grow(&mut self, count: usize) {
        fn to<T: Clone>(groups: &mut Vec<T>, count: usize, with: T) {
            if groups.len() < count {
                groups.resize(count, with);
            }
        }
        match self {
            Self::Counts(counts) => to(counts, count, 0),
            Self::Sums { sums, counts } => {
                to(sums, count, 0);
                to(counts, count, 0);
            }
            Self::FloatSums { sums, counts } => {
                to(sums, count, 0.0);
                to(counts, count, 0);
            }
            Self::IntExtremes(best) => to(best, count, None),
            Self::FloatExtremes(best) => to(best, count, None),
            Self::PairExtremes(best) => to(best, count, None),
            Self::TextExtremes(best) => to(best, count, None),
            Self::BitExtremes(best) => to(best, count, None),
            Self::Ints(_) | Self::Floats(_) => {}
            Self::Spreads(spreads) => to(spreads, count, Moments::default()),
            Self::Pairs(pairs) => to(pairs, count, Pairs::default()),
            Self::Shares(shares) => to(shares, count, (0, 0)),
            Self::Picks(picks) => picks.resize_with(picks.len().max(count), || None),
            Self::Lists(lists) => lists.resize_with(lists.len().max(count), Vec::new),
        }
    }

    /// Counts the slots of `among`.
    pub(super) fn count(&mut self, among: &Bitset, groups: &[u32]) {
        let Self::Counts(counts) = self else { return };
        if let [count] = counts.as_mut_slice() {
            *count += among.count() as u64;
            return;
        }
        for (groups, &word) in groups.chunks(64).zip(among.words()) {
            if word == u64::MAX {
                groups.iter().for_each(|&group| counts[group as usize] += 1);
            } else {
                ones(word).for_each(|at| counts[groups[at] as usize] += 1);
            }
        }
    }

    /// Takes the pairs at the slots of `among`, of which no number is missing.
    pub(super) fn add_pairs(
        &mut self,
        first: &Vector,
        second: &Vector,
        among: &Bitset,
        groups: &[u32],
    ) {
        if let (Self::Pairs(pairs), Vector::Floats(first), Vector::Floats(second)) =
            (self, first, second)
        {
            for at in among.ones() {
                if let Some((x, y)) = first.get(at).zip(second.get(at)) {
                    pairs[groups[at] as usize].add(x, y);
                }
            }
        }
    }

    /// Takes the values at the slots of `among`, none of which is missing.
    pub(super) fn add(
        &mut self,
        aggregate: &Aggregate,
        values: &Vector,
        keys: &[Vector],
        among: &Bitset,
        groups: &[u32],
    ) {
        let wanted = wanted(aggregate);
        match (self, values) {
            (Self::Sums { sums, counts }, Vector::Ints(ints) | Vector::Pair(ints, _)) => {
                if let ([sum], [count]) = (sums.as_mut_slice(), counts.as_mut_slice()) {
                    let (more, present) = ints.sum(among);
                    *sum += more;
                    *count += present;
                    return;
                }
                each_int(ints, among, groups, |group, n| {
                    sums[group] += i128::from(n);
                    counts[group] += 1;
                });
            }
            (Self::FloatSums { sums, counts }, Vector::Floats(floats)) => {
                if let ([sum], [count]) = (sums.as_mut_slice(), counts.as_mut_slice()) {
                    let (more, present) = floats.sum(among);
                    *sum += more;
                    *count += present;
                    return;
                }
                for at in among.ones() {
                    sums[groups[at] as usize] += floats.get(at).unwrap_or(0.0);
                    counts[groups[at] as usize] += 1;
                }
            }
            (Self::IntExtremes(best), Vector::Ints(ints)) => {
                if let [best] = best.as_mut_slice() {
                    for n in ints.min_max(among).into_iter().flat_map(|(a, b)| [a, b]) {
                        keep(best, n, |a, b| a.cmp(b) == wanted);
                    }
                    return;
                }
                each_int(ints, among, groups, |group, n| {
                    keep(&mut best[group], n, |a, b| a.cmp(b) == wanted);
                });
            }
            (Self::FloatExtremes(best), Vector::Floats(floats)) => {
                for at in among.ones() {
                    let better = |a: &f64, b: &f64| a.partial_cmp(b) == Some(wanted);
                    if let Some(n) = floats.get(at) {
                        keep(&mut best[groups[at] as usize], n, better);
                    }
                }
            }
            (Self::PairExtremes(best), Vector::Pair(a, b)) => {
                for at in among.ones() {
                    if let Some(pair) = a.get(at).zip(b.get(at)) {
                        keep(&mut best[groups[at] as usize], pair, |a, b| {
                            a.cmp(b) == wanted
                        });
                    }
                }
            }
            (Self::BitExtremes(best), Vector::Bits(bits)) => {
                for at in among.ones() {
                    let best = &mut best[groups[at] as usize];
                    keep(best, bits.data.get(at), |a, b| a.cmp(b) == wanted);
                }
            }
            (Self::TextExtremes(best), Vector::Texts(texts)) => {
                for at in among.ones() {
                    let best = &mut best[groups[at] as usize];
                    let text = texts.get(at).unwrap_or("");
                    if best.as_deref().is_none_or(|best| text.cmp(best) == wanted) {
                        *best = Some(Arc::from(text));
                    }
                }
            }
            (Self::Ints(all), Vector::Ints(ints) | Vector::Pair(ints, _)) => {
                each_int(ints, among, groups, |group, n| {
                    all.taken.push((group as u32, n))
                });
            }
            (Self::Floats(all), Vector::Floats(floats)) => {
                let ones = among.ones();
                let values = ones.filter_map(|at| Some((groups[at], floats.get(at)?)));
                all.taken.extend(values);
            }
            (Self::Spreads(spreads), Vector::Ints(ints) | Vector::Pair(ints, _)) => {
                each_int(ints, among, groups, |group, n| spreads[group].add(n as f64));
            }
            (Self::Spreads(spreads), Vector::Floats(floats)) => {
                for at in among.ones() {
                    spreads[groups[at] as usize].add(floats.get(at).unwrap_or(0.0));
                }
            }
            (Self::Shares(shares), Vector::Bits(bits)) => {
                for at in among.ones() {
                    let (hits, all) = &mut shares[groups[at] as usize];
                    *hits += u64::from(bits.data.get(at));
                    *all += 1;
                }
            }
            (Self::Picks(picks), values) => {
                let last = aggregate.function == AggregateFunction::Last;
                each_item(aggregate, values, keys, among, |at, item| {
                    let best = &mut picks[groups[at] as usize];
                    // Records come in their order: later ones win ties for the last.
                    let better = best.as_ref().is_none_or(|best| {
                        let order = compare_keys(&item.keys, &best.keys, &aggregate.order);
                        if last { order.is_ge() } else { order.is_lt() }
                    });
                    if better {
                        *best = Some(item);
                    }
                });
            }
            (Self::Lists(lists), values) => {
                each_item(aggregate, values, keys, among, |at, item| {
                    lists[groups[at] as usize].push(item);
                });
            }
            _ => {}
        }
    }
}

impl Moments {
    fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let count = self.count + other.count;
        let gap = other.mean - self.mean;
        let part = other.count as f64 / count as f64;
        self.mean += gap * part;
        self.squares += other.squares + gap * gap * self.count as f64 * part;
        self.count = count;
    }

    fn add(&mut self, n: f64) {
        self.count += 1;
        let from_old = n - self.mean;
        self.mean += from_old / self.count as f64;
        self.squares += from_old * (n - self.mean);
    }
}

impl Pairs {
    fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let own = self.count as f64;
        self.count += other.count;
        let part = other.count as f64 / self.count as f64;
        let gap = (other.means.0 - self.means.0, other.means.1 - self.means.1);
        self.means.0 += gap.0 * part;
        self.means.1 += gap.1 * part;
        self.squares.0 += other.squares.0 + gap.0 * gap.0 * own * part;
        self.squares.1 += other.squares.1 + gap.1 * gap.1 * own * part;
        self.products += other.products + gap.0 * gap.1 * own * part;
    }

    fn add(&mut self, x: f64, y: f64) {
        self.count += 1;
        let count = self.count as f64;
        let from_old = (x - self.means.0, y - self.means.1);
        self.means.0 += from_old.0 / count;
        self.means.1 += from_old.1 / count;
        self.squares.0 += from_old.0 * (x - self.means.0);
        self.squares.1 += from_old.1 * (y - self.means.1);
        self.products += from_old.0 * (y - self.means.1);
    }
}

/// The order of two items: missing keys come last both ways.
pub(super) fn compare_keys(a: &[Value], b: &[Value], order: &[OrderKey]) -> Ordering {
    a.iter()
        .zip(b)
        .zip(order)
        .map(|((a, b), key)| match (a.is_missing(), b.is_missing()) {
            (false, false) if key.descending => b.compare(a),
            (false, false) => a.compare(b),
            (a, b) => a.cmp(&b),
        })
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// How a value compares with one that it is better than.
fn wanted(aggregate: &Aggregate) -> Ordering {
    match aggregate.function {
        AggregateFunction::Minimum => Ordering::Less,
        _ => Ordering::Greater,
    }
}

fn keep<T>(best: &mut Option<T>, value: T, better: impl Fn(&T, &T) -> bool) {
    if best.as_ref().is_none_or(|best| better(&value, best)) {
        *best = Some(value);
    }
}

/// The group and value of each slot of `among` that is not missing.
fn each_int(ints: &Ints, among: &Bitset, groups: &[u32], mut each: impl FnMut(usize, i64)) {
    let mut values = [0; 64];
    for (index, (groups, &word)) in groups.chunks(64).zip(among.words()).enumerate() {
        if word == 0 {
            continue;
        }
        let present = ints.load(index, &mut values) & word;
        if present == u64::MAX {
            for (&group, &n) in groups.iter().zip(&values) {
                each(group as usize, n);
            }
        } else {
            ones(present).for_each(|at| each(groups[at] as usize, values[at]));
        }
    }
}

fn each_item(
    aggregate: &Aggregate,
    values: &Vector,
    keys: &[Vector],
    among: &Bitset,
    mut each: impl FnMut(usize, Item),
) {
    let ty = argument_type(aggregate);
    let types: Vec<_> = aggregate
        .order
        .iter()
        .map(|key| key.value.ty.field_type())
        .collect();
    for at in among.ones() {
        let keys = keys
            .iter()
            .zip(&types)
            .map(|(key, ty)| key.value(ty, at))
            .collect();
        let value = values.value(&ty, at);
        each(at, Item { keys, value });
    }
}
