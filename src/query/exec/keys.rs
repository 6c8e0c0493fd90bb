//! Group numbers: every distinct combination of key values gets the next number.

use crate::column::{Bitset, Floats, Ints, Texts, Vector, ones};
use crate::value::{LabelCode, Shape, Value};
use foldhash::{HashMap, HashMapExt};
use std::hash::Hash;
use std::sync::Arc;

/// Integers this far apart are numbered through an array instead of a hash table.
const DIRECT: i64 = 1 << 21;
/// Not numbered: the slot did not pass.
pub(super) const NOWHERE: u32 = u32::MAX;

/// The numbers of the values of one key.
#[derive(Debug)]
enum Numbers {
    Bits(Hashed<bool>),
    Ints(Integers),
    Floats(Hashed<u64>),
    Texts(Hashed<Arc<str>>),
    Pairs(Pairs),
    Tags(Hashed<Arc<[LabelCode]>>),
}

#[derive(Debug)]
struct Hashed<T> {
    numbers: HashMap<T, u32>,
    /// By number; none is missing.
    values: Vec<Option<T>>,
    missing: Option<u32>,
}

/// Pairs; the last one with each first part modulo [`NEAR`] is found without hashing.
#[derive(Debug)]
struct Pairs {
    all: Hashed<(i64, i64)>,
    near: Vec<(i64, i64, u32)>,
}

const NEAR: usize = 1 << 10;

/// Integers: those within a window by array, others by hash table.
#[derive(Debug)]
struct Integers {
    base: i64,
    window: Vec<u32>,
    others: Hashed<i64>,
}

impl<T: Hash + Eq + Clone> Hashed<T> {
    fn new() -> Self {
        Self {
            numbers: HashMap::new(),
            values: Vec::new(),
            missing: None,
        }
    }

    fn add(&mut self, value: Option<T>) -> u32 {
        let number = u32::try_from(self.values.len()).unwrap_or(NOWHERE);
        self.values.push(value);
        number
    }

    fn missing(&mut self) -> u32 {
        match self.missing {
            Some(number) => number,
            None => {
                let number = self.add(None);
                self.missing = Some(number);
                number
            }
        }
    }

    fn number(&mut self, value: Option<T>) -> u32 {
        let Some(value) = value else {
            return self.missing();
        };
        if let Some(&number) = self.numbers.get(&value) {
            return number;
        }
        let number = self.add(Some(value.clone()));
        self.numbers.insert(value, number);
        number
    }
}

impl Pairs {
    fn number(&mut self, pair: (i64, i64)) -> u32 {
        let at = pair.0.cast_unsigned() as usize % NEAR;
        if let Some(&(first, second, number)) = self.near.get(at)
            && (first, second) == pair
            && number != NOWHERE
        {
            return number;
        }
        let number = self.all.number(Some(pair));
        self.near.resize(NEAR, (0, 0, NOWHERE));
        self.near[at] = (pair.0, pair.1, number);
        number
    }
}

impl Integers {
    fn number(&mut self, value: i64) -> u32 {
        // A value before the base wraps to a place beyond any window.
        let known = usize::try_from(value.wrapping_sub(self.base).cast_unsigned()).ok();
        match known.and_then(|at| self.window.get(at)) {
            Some(&number) if number != NOWHERE => number,
            _ => self.new_number(value),
        }
    }

    #[cold]
    fn new_number(&mut self, value: i64) -> u32 {
        if let Some(at) = self.place(value) {
            if self.window[at] == NOWHERE {
                self.window[at] = self.others.add(Some(value));
            }
            return self.window[at];
        }
        self.others.number(Some(value))
    }

    /// The place of a value in the window, which grows to hold it if it may. Once a value lies
    /// outside, the window stays, so that no value is numbered twice.
    fn place(&mut self, value: i64) -> Option<usize> {
        if self.window.is_empty() {
            self.base = value;
        }
        let offset = value.checked_sub(self.base)?;
        if let Ok(at) = usize::try_from(offset)
            && at < self.window.len()
        {
            return Some(at);
        }
        if !self.others.numbers.is_empty() || offset.unsigned_abs() > DIRECT.unsigned_abs() {
            return None;
        }
        if offset < 0 {
            let more = (offset.unsigned_abs() as usize).max(self.window.len());
            let base = self.base.checked_sub(i64::try_from(more).ok()?)?;
            if self.window.len() + more > 2 * DIRECT as usize {
                return None;
            }
            self.window.splice(0..0, std::iter::repeat_n(NOWHERE, more));
            self.base = base;
        } else {
            let at = offset as usize;
            let len = (at + 1).max(2 * self.window.len()).min(2 * DIRECT as usize);
            self.window.resize(len, NOWHERE);
        }
        usize::try_from(value - self.base).ok()
    }
}

impl Numbers {
    fn new(shape: Shape) -> Self {
        match shape {
            Shape::Bits => Self::Bits(Hashed::new()),
            Shape::Ints => Self::Ints(Integers {
                base: 0,
                window: Vec::new(),
                others: Hashed::new(),
            }),
            Shape::Floats => Self::Floats(Hashed::new()),
            Shape::Texts | Shape::RowOnly => Self::Texts(Hashed::new()),
            Shape::Pair => Self::Pairs(Pairs {
                all: Hashed::new(),
                near: Vec::new(),
            }),
            Shape::Tags => Self::Tags(Hashed::new()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Bits(hashed) => hashed.values.len(),
            Self::Ints(integers) => integers.others.values.len(),
            Self::Floats(hashed) => hashed.values.len(),
            Self::Texts(hashed) => hashed.values.len(),
            Self::Pairs(pairs) => pairs.all.values.len(),
            Self::Tags(hashed) => hashed.values.len(),
        }
    }

    /// The numbers of the values at the slots of `among`.
    fn number(&mut self, vector: &Vector, among: &Bitset) -> Vec<u32> {
        let mut out = vec![NOWHERE; vector.len()];
        match (self, vector) {
            (Self::Bits(hashed), Vector::Bits(bits)) => {
                for at in among.ones() {
                    let missing = bits.missing.as_ref().is_some_and(|m| m.get(at));
                    out[at] = hashed.number((!missing).then(|| bits.data.get(at)));
                }
            }
            (Self::Ints(integers), Vector::Ints(ints)) => {
                let mut values = [0; 64];
                for (index, (out, &word)) in out.chunks_mut(64).zip(among.words()).enumerate() {
                    if word == 0 {
                        continue;
                    }
                    let present = ints.load(index, &mut values);
                    ones(word & present).for_each(|at| out[at] = integers.number(values[at]));
                    ones(word & !present).for_each(|at| out[at] = integers.others.missing());
                }
            }
            (Self::Floats(hashed), Vector::Floats(floats)) => {
                for at in among.ones() {
                    // Zero has one form as a key.
                    out[at] = hashed.number(floats.get(at).map(|n| (n + 0.0).to_bits()));
                }
            }
            (Self::Texts(hashed), Vector::Texts(Texts::Dictionary { codes, entries })) => {
                let mut known = vec![NOWHERE; entries.len()];
                for at in among.ones() {
                    out[at] = match known.get(usize::from(codes[at])) {
                        None => hashed.missing(),
                        Some(&NOWHERE) => {
                            let code = usize::from(codes[at]);
                            known[code] = hashed.number(Some(Arc::from(entries.get(code))));
                            known[code]
                        }
                        Some(&number) => number,
                    };
                }
            }
            (Self::Texts(hashed), Vector::Texts(texts)) => {
                for at in among.ones() {
                    out[at] = match texts.get(at) {
                        None => hashed.missing(),
                        Some(text) => match hashed.numbers.get(text) {
                            Some(&number) => number,
                            None => hashed.number(Some(Arc::from(text))),
                        },
                    };
                }
            }
            (Self::Pairs(pairs), Vector::Pair(a, b)) => {
                let (mut firsts, mut seconds) = ([0; 64], [0; 64]);
                for (index, (out, &word)) in out.chunks_mut(64).zip(among.words()).enumerate() {
                    if word == 0 {
                        continue;
                    }
                    let present = a.load(index, &mut firsts) & b.load(index, &mut seconds);
                    let pair = |at: usize| (firsts[at], seconds[at]);
                    ones(word & present).for_each(|at| out[at] = pairs.number(pair(at)));
                    ones(word & !present).for_each(|at| out[at] = pairs.all.missing());
                }
            }
            (Self::Tags(hashed), Vector::Tags(tags)) => {
                for at in among.ones() {
                    let codes = tags.sets.iter().filter(|(_, set)| set.get(at));
                    let codes: Arc<[LabelCode]> = codes.map(|(&code, _)| code).collect();
                    out[at] = hashed.number((!codes.is_empty()).then_some(codes));
                }
            }
            (other, _) => {
                for at in among.ones() {
                    out[at] = other.number_missing();
                }
            }
        }
        out
    }

    fn number_missing(&mut self) -> u32 {
        match self {
            Self::Bits(hashed) => hashed.missing(),
            Self::Ints(integers) => integers.others.missing(),
            Self::Floats(hashed) => hashed.missing(),
            Self::Texts(hashed) => hashed.missing(),
            Self::Pairs(pairs) => pairs.all.missing(),
            Self::Tags(hashed) => hashed.missing(),
        }
    }

    /// The values of these numbers.
    fn vector(&self, numbers: &[u32]) -> Vector {
        fn of<T: Clone>(hashed: &Hashed<T>, number: u32) -> Option<T> {
            hashed.values.get(number as usize).cloned().flatten()
        }
        match self {
            Self::Bits(hashed) => {
                let values: Vec<_> = numbers
                    .iter()
                    .map(|&n| of(hashed, n).map_or(Value::Missing, Value::Boolean))
                    .collect();
                Vector::from_values(Shape::Bits, &values)
            }
            Self::Ints(integers) => Vector::Ints(Ints::from_options(
                numbers.iter().map(|&n| of(&integers.others, n)),
            )),
            Self::Floats(hashed) => Vector::Floats(Floats::from_options(
                numbers.iter().map(|&n| of(hashed, n).map(f64::from_bits)),
            )),
            Self::Texts(hashed) => {
                let texts: Vec<_> = numbers.iter().map(|&n| of(hashed, n)).collect();
                Vector::Texts(Texts::from_options(texts.iter().map(Option::as_deref)))
            }
            Self::Pairs(pairs) => {
                let part = |pick: fn((i64, i64)) -> i64| {
                    Ints::from_options(numbers.iter().map(|&n| of(&pairs.all, n).map(pick)))
                };
                Vector::Pair(part(|pair| pair.0), part(|pair| pair.1))
            }
            Self::Tags(hashed) => {
                let values: Vec<_> = numbers
                    .iter()
                    .map(|&n| of(hashed, n).map_or(Value::Missing, Value::Tags))
                    .collect();
                Vector::from_values(Shape::Tags, &values)
            }
        }
    }
}

/// Groups by several keys: the first key's numbers are the groups of the first depth, each with
/// a value of the second key one of the second depth, and so on.
#[derive(Debug)]
pub(super) struct KeyTable {
    keys: Vec<Numbers>,
    deeper: Vec<Deeper>,
}

/// Combinations of a group of the depth above with a value's number: the first of them by array,
/// others by hash table.
#[derive(Debug, Default)]
struct Deeper {
    /// By group above, by value.
    window: Vec<Vec<u32>>,
    /// The length of all of them.
    slots: usize,
    others: HashMap<(u32, u32), u32>,
    members: Vec<(u32, u32)>,
}

impl KeyTable {
    pub(super) fn new(shapes: &[Shape]) -> Self {
        Self {
            keys: shapes.iter().map(|&shape| Numbers::new(shape)).collect(),
            deeper: shapes.iter().skip(1).map(|_| Deeper::default()).collect(),
        }
    }

    /// Groups at a depth: at none there is one.
    pub(super) fn len(&self, depth: usize) -> usize {
        match depth {
            0 => 1,
            1 => self.keys[0].len(),
            _ => self.deeper[depth - 2].members.len(),
        }
    }

    /// The group of each slot of `among`, for every depth from one.
    pub(super) fn number(&mut self, vectors: &[Vector], among: &Bitset) -> Vec<Vec<u32>> {
        let mut depths: Vec<Vec<u32>> = Vec::with_capacity(vectors.len());
        for (at, (key, vector)) in self.keys.iter_mut().zip(vectors).enumerate() {
            let mut numbers = key.number(vector, among);
            if let Some(deeper) = at.checked_sub(1).and_then(|at| self.deeper.get_mut(at)) {
                let above = &depths[at - 1];
                for slot in among.ones() {
                    numbers[slot] = deeper.number(above[slot], numbers[slot]);
                }
            }
            depths.push(numbers);
        }
        depths
    }

    /// For every depth from one the group in which each of the last depth's lies.
    pub(super) fn above(&self) -> Vec<Vec<u32>> {
        let full = self.keys.len();
        let mut groups: Vec<u32> = (0..).take(self.len(full)).collect();
        let mut depths = Vec::with_capacity(full);
        for at in (0..full).rev() {
            depths.push(groups.clone());
            if let Some(deeper) = at.checked_sub(1).and_then(|at| self.deeper.get(at)) {
                let up = |group: &mut u32| *group = deeper.members[*group as usize].0;
                groups.iter_mut().for_each(up);
            }
        }
        depths.reverse();
        depths
    }

    /// The distinct values of one key.
    pub(super) fn key(&self, at: usize) -> Vector {
        let numbers: Vec<u32> = (0..).take(self.keys[at].len()).collect();
        self.keys[at].vector(&numbers)
    }

    /// The key values of the groups at a depth, one vector for each of its keys.
    pub(super) fn values(&self, depth: usize) -> Vec<Vector> {
        let mut groups: Vec<u32> = (0..).take(self.len(depth)).collect();
        let mut vectors = Vec::with_capacity(depth);
        for at in (0..depth).rev() {
            let numbers: Vec<u32> = match at.checked_sub(1) {
                None => groups.clone(),
                Some(above) => {
                    let members = &self.deeper[above].members;
                    let pairs = groups.iter().map(|&group| members[group as usize]);
                    let (up, numbers): (Vec<u32>, Vec<u32>) = pairs.unzip();
                    groups = up;
                    numbers
                }
            };
            vectors.push(self.keys[at].vector(&numbers));
        }
        vectors.reverse();
        vectors
    }
}

impl Deeper {
    fn number(&mut self, above: u32, value: u32) -> u32 {
        let row = self.window.get(above as usize);
        match row.and_then(|row| row.get(value as usize)) {
            Some(&number) if number != NOWHERE => number,
            _ => self.new_number(above, value),
        }
    }

    #[cold]
    fn new_number(&mut self, above: u32, value: u32) -> u32 {
        if let Some(&number) = self.others.get(&(above, value)) {
            return number;
        }
        let number = u32::try_from(self.members.len()).unwrap_or(NOWHERE);
        self.members.push((above, value));
        let (row, at) = (above as usize, value as usize);
        let own = self.window.get(row).map_or(0, Vec::len);
        let longer = (at + 1).max(2 * own);
        let more = (row + 1).saturating_sub(self.window.len());
        if at >= own && self.slots + more + longer - own > DIRECT as usize {
            self.others.insert((above, value), number);
            return number;
        }
        if at >= own {
            self.slots += more + longer - own;
            self.window.resize_with(self.window.len() + more, Vec::new);
            self.window[row].resize(longer, NOWHERE);
        }
        self.window[row][at] = number;
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Two slots share a group exactly if their keys are equal, and the group's values are
        /// those keys.
        #[test]
        fn groups_are_the_distinct_keys(
            rows in proptest::collection::vec(
                (
                    proptest::option::of(prop_oneof![-3i64..3, Just(i64::MAX), Just(i64::MIN), Just(1_500_000)]),
                    proptest::option::of("[ab]{0,2}"),
                ),
                1..60,
            ),
        ) {
            let ints = Vector::Ints(Ints::from_options(rows.iter().map(|row| row.0)));
            let texts = Vector::Texts(Texts::from_options(rows.iter().map(|row| row.1.as_deref())));
            let mut table = KeyTable::new(&[Shape::Ints, Shape::Texts]);
            let depths = table.number(&[ints, texts], &Bitset::full(rows.len()));
            for (at, row) in rows.iter().enumerate() {
                for (other_at, other) in rows.iter().enumerate() {
                    prop_assert_eq!(depths[0][at] == depths[0][other_at], row.0 == other.0);
                    prop_assert_eq!(depths[1][at] == depths[1][other_at], row == other);
                }
            }
            let values = table.values(2);
            let (Vector::Ints(ints), Vector::Texts(texts)) = (&values[0], &values[1]) else {
                panic!("shapes")
            };
            for (at, row) in rows.iter().enumerate() {
                let group = depths[1][at] as usize;
                prop_assert_eq!(ints.get(group), row.0);
                prop_assert_eq!(texts.get(group), row.1.as_deref());
            }
        }
    }
}
