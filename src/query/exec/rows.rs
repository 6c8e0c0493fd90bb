//! Rows on their way from the source to the result.

use super::{Batch, Frame};
use crate::column::Vector;
use crate::value::{ObjectId, RecordId, Shape};

/// Rows that passed: records of an object, or rows without one.
#[derive(Clone, Debug)]
pub(super) enum Rows {
    Records {
        object: ObjectId,
        ids: Vec<RecordId>,
    },
    Slots(Frame),
}

impl Rows {
    pub(super) fn len(&self) -> usize {
        self.batch().len()
    }

    pub(super) fn batch(&self) -> Batch<'_> {
        match self {
            Self::Records { object, ids } => Batch::Records {
                object: *object,
                ids,
            },
            Self::Slots(frame) => Batch::Slots(frame),
        }
    }

    /// The rows at these places, in that order.
    pub(super) fn pick(&self, places: &[usize]) -> Self {
        match self {
            Self::Records { object, ids } => Self::Records {
                object: *object,
                ids: places.iter().map(|&at| ids[at]).collect(),
            },
            Self::Slots(frame) => Self::Slots(frame.pick(places)),
        }
    }
}

impl Frame {
    /// The rows at these places, in that order.
    pub(super) fn pick(&self, places: &[usize]) -> Self {
        let slots = slots(places);
        Self {
            columns: self
                .columns
                .iter()
                .map(|column| column.gather(&slots))
                .collect(),
            len: places.len(),
        }
    }
}

pub(super) fn pick(vector: &Vector, places: &[usize]) -> Vector {
    vector.gather(&slots(places))
}

/// The opposite of a pick: each value at its place of `len`, nothing at the others.
pub(super) fn place_again(values: Vector, places: &[usize], len: usize, shape: Shape) -> Vector {
    if places.len() == len && places.is_sorted() {
        return values;
    }
    if values.len() == 0 {
        return Vector::missing(shape, len);
    }
    let mut slots = vec![None; len];
    for (at, &place) in (0..).zip(places) {
        slots[place] = Some(at);
    }
    values.gather(&slots)
}

fn slots(places: &[usize]) -> Vec<Option<u32>> {
    places.iter().map(|&at| u32::try_from(at).ok()).collect()
}
