//! Columns in memory: bitsets, typed vectors of one chunk's values, and kernels over them.
//!
//! Vectors keep the small codes they were stored in, so that kernels compare codes instead of
//! decoded values. This layer knows no file and no names.

mod bitset;
mod codes;
mod floats;
mod ints;
mod lanes;
mod texts;
mod vector;

pub(crate) use bitset::Bitset;
pub(crate) use floats::Floats;
pub(crate) use ints::Ints;
pub(crate) use lanes::ones;
pub(crate) use texts::{TextBlock, Texts};
pub(crate) use vector::{Bits, Tags, Vector};

/// Records in a chunk: 62 words of a bitset. Chunk = id / 3968, slot = id % 3968.
pub(crate) const CHUNK_RECORDS: usize = 3968;

/// An ordering comparison. `!=` is the complement of `=`, so it needs no kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Comparison {
    Equal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Comparison {
    /// The comparison that holds when the sides are exchanged.
    pub(crate) fn flipped(self) -> Self {
        match self {
            Self::Equal => Self::Equal,
            Self::Less => Self::Greater,
            Self::LessEqual => Self::GreaterEqual,
            Self::Greater => Self::Less,
            Self::GreaterEqual => Self::LessEqual,
        }
    }

    /// The comparison read from either side: an operand, how it stands to the other, and that one.
    pub(crate) fn both_ways<T: Copy>(self, left: T, right: T) -> [(T, Self, T); 2] {
        [(left, self, right), (right, self.flipped(), left)]
    }

    /// Whether values in this order compare so.
    pub(crate) fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Less => order.is_lt(),
            Self::LessEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterEqual => order.is_ge(),
        }
    }
}
