//! What is compared of records: each value as a number, each text as its trigrams.

use crate::column::{Bitset, Vector};
use crate::error::Result;
use crate::query::exec::Interrupt;
use crate::query::exec::keys::KeyTable;
use crate::value::{Shape, Trigrams, fold};
use foldhash::{HashMap, HashMapExt};
use std::borrow::Cow;

/// A missing value.
pub(super) const MISSING: u32 = 0;

/// One compared column of all records.
#[derive(Default)]
pub(super) struct Compared {
    /// By record; equal values have one number, and [`MISSING`] is missing.
    pub numbers: Vec<u32>,
    /// By number less 1, the texts without case, accents and blanks around.
    texts: Vec<String>,
    /// By number less 1, the trigrams, ascending; the rarer one is the lower.
    pieces: Vec<Box<[u32]>>,
}

impl Compared {
    pub(super) fn of(vector: &Vector, shape: Shape) -> Self {
        if let Vector::Texts(texts) = vector {
            let mut known: HashMap<Cow<'_, str>, u32> = HashMap::new();
            let mut one = Self::default();
            for text in texts.iter() {
                let number = match text.map(plain) {
                    None => MISSING,
                    Some(text) if text.is_empty() => MISSING,
                    Some(text) => {
                        let next = one.texts.len() as u32 + 1;
                        *known.entry(text).or_insert_with_key(|text| {
                            one.texts.push(text.clone().into_owned());
                            next
                        })
                    }
                };
                one.numbers.push(number);
            }
            return one;
        }
        let all = Bitset::full(vector.len());
        let missing = vector.missing_slots();
        let mut table = KeyTable::new(&[shape]);
        let mut numbers = table
            .number(std::slice::from_ref(vector), &all)
            .pop()
            .unwrap_or_default();
        for (at, number) in numbers.iter_mut().enumerate() {
            *number = match missing.get(at) {
                true => MISSING,
                false => *number + 1,
            };
        }
        Self {
            numbers,
            ..Self::default()
        }
    }

    /// Cuts the texts into trigrams.
    pub(super) fn cut(&mut self, interrupt: &Interrupt) -> Result<()> {
        // A text without letters is like its equals alone: it is one piece of its own.
        let mut known: HashMap<Result<[char; 3], &str>, u32> = HashMap::new();
        let mut counts: Vec<u32> = Vec::new();
        for (at, text) in self.texts.iter().enumerate() {
            if at % 4096 == 0 {
                interrupt.check()?;
            }
            let trigrams = Trigrams::of(text);
            let mut number = |piece| {
                let next = counts.len() as u32;
                let number = *known.entry(piece).or_insert(next);
                if number == next {
                    counts.push(0);
                }
                counts[number as usize] += 1;
                number
            };
            let pieces: Vec<u32> = match trigrams.parts() {
                [] => vec![number(Err(text))],
                parts => parts.iter().map(|part| number(Ok(*part))).collect(),
            };
            self.pieces.push(pieces.into());
        }
        let mut order: Vec<u32> = (0..counts.len() as u32).collect();
        order.sort_unstable_by_key(|&piece| (counts[piece as usize], piece));
        let mut ranks = vec![0; order.len()];
        for (rank, piece) in (0..).zip(order) {
            ranks[piece as usize] = rank;
        }
        for pieces in &mut self.pieces {
            pieces
                .iter_mut()
                .for_each(|piece| *piece = ranks[*piece as usize]);
            pieces.sort_unstable();
        }
        Ok(())
    }

    pub(super) fn pieces(&self, number: u32) -> &[u32] {
        &self.pieces[number as usize - 1]
    }

    /// As [`Trigrams::similarity`] of the two texts.
    pub(super) fn similarity(&self, a: u32, b: u32) -> f64 {
        let (a, b) = (self.pieces(a), self.pieces(b));
        let (mut x, mut y, mut common) = (0, 0, 0_u32);
        while let (Some(left), Some(right)) = (a.get(x), b.get(y)) {
            common += u32::from(left == right);
            x += usize::from(left <= right);
            y += usize::from(right <= left);
        }
        2.0 * f64::from(common) / (a.len() + b.len()) as f64
    }

    pub(super) fn bytes(&self) -> usize {
        let texts = self
            .texts
            .iter()
            .map(|text| size_of::<String>() + text.len());
        // Some of them are kept once more while they are looked up.
        let pieces = self.pieces.iter().map(|pieces| 16 + 12 * pieces.len());
        4 * self.numbers.len() + texts.sum::<usize>() + pieces.sum::<usize>()
    }
}

/// The form in which texts are compared.
pub(in crate::query::exec) fn plain(text: &str) -> Cow<'_, str> {
    match fold(text) {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}
