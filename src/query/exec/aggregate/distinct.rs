//! Which values a group has had already.

use crate::column::{Bitset, Vector};
use crate::value::{FieldType, LabelCode, Value};
use foldhash::{HashMap, HashSet};
use std::sync::Arc;

/// Groups, and numbers of values, for which a bit a value is kept; others are hashed.
const BIT_GROUPS: u32 = 256;
const BIT_VALUES: i64 = 1 << 22;

#[derive(Default)]
pub(super) struct Seen {
    bits: Vec<Bitset>,
    pairs: HashSet<(u32, i64, i64)>,
    /// Numbers of texts.
    texts: HashMap<Arc<str>, i64>,
    tags: HashMap<Arc<[LabelCode]>, i64>,
}

impl Seen {
    /// What a value of a group takes, texts aside.
    pub(super) const BYTES: usize = 48;

    /// Those slots of `among` whose value is new in their group. None is missing.
    pub(super) fn first(&mut self, values: &Vector, among: &Bitset, groups: &[u32]) -> Bitset {
        let mut fresh = Bitset::new(among.len());
        for at in among.ones() {
            let group = groups[at];
            let new = match values {
                Vector::Ints(ints) => ints.get(at).is_some_and(|n| self.int(group, n)),
                Vector::Pair(a, b) => {
                    let pair = a.get(at).zip(b.get(at));
                    pair.is_some_and(|(a, b)| self.pairs.insert((group, a, b)))
                }
                Vector::Floats(floats) => floats.get(at).is_some_and(|n| {
                    // Zero has one form.
                    let bits = (n + 0.0).to_bits().cast_signed();
                    self.pairs.insert((group, bits, 0))
                }),
                Vector::Bits(bits) => self.int(group, bits.data.get(at).into()),
                Vector::Texts(texts) => texts.get(at).is_some_and(|text| {
                    let number = self.text(text);
                    self.int(group, number)
                }),
                Vector::Tags(_) => match values.value(&FieldType::Tags, at) {
                    Value::Tags(codes) => {
                        let next = i64::try_from(self.tags.len()).unwrap_or(i64::MAX);
                        let number = *self.tags.entry(codes).or_insert(next);
                        self.int(group, number)
                    }
                    _ => false,
                },
                Vector::Lists(_) => true,
            };
            if new {
                fresh.set(at, true);
            }
        }
        fresh
    }

    fn int(&mut self, group: u32, n: i64) -> bool {
        if group >= BIT_GROUPS || !(0..BIT_VALUES).contains(&n) {
            return self.pairs.insert((group, n, 0));
        }
        let (group, at) = (group as usize, n as usize);
        if self.bits.len() <= group {
            self.bits.resize_with(group + 1, || Bitset::new(0));
        }
        let bits = &mut self.bits[group];
        if bits.len() <= at {
            bits.resize((at + 1).next_power_of_two().max(1024));
        }
        let new = !bits.get(at);
        bits.set(at, true);
        new
    }

    fn text(&mut self, text: &str) -> i64 {
        if let Some(&number) = self.texts.get(text) {
            return number;
        }
        let number = i64::try_from(self.texts.len()).unwrap_or(i64::MAX);
        self.texts.insert(Arc::from(text), number);
        number
    }
}
