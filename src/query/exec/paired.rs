//! Two results side by side: rows with equal keys become one.

use super::group::stack;
use super::keys::KeyTable;
use super::{Executor, Frame};
use crate::column::{Bits, Bitset, Vector};
use crate::error::Result;
use crate::query::bind::{Paired, Type};
use crate::value::Shape;

impl Executor<'_> {
    /// The rows of [`Paired`], those of the first in its order, then what is in the second alone.
    pub(super) fn paired(&self, paired: &Paired) -> Result<Frame> {
        let types: Vec<Type> = paired.before.columns.iter().map(|c| c.ty()).collect();
        let (before, after) = (self.frame(&paired.before)?, self.frame(&paired.after)?);
        let first = before.len;
        let both = stack(vec![before, after], &types);
        let shapes: Vec<Shape> = types[..paired.keys].iter().map(Type::shape).collect();
        let mut table = KeyTable::new(&shapes);
        let numbers = table.number(&both.columns[..paired.keys], &Bitset::full(both.len));
        let none = vec![0; both.len];
        let numbers = numbers.last().unwrap_or(&none);
        let rows = numbers.iter().max().map_or(0, |last| *last as usize + 1);
        let mut places: [Vec<Option<u32>>; 2] = [vec![None; rows], vec![None; rows]];
        for (row, (at, &number)) in (0..).zip(numbers.iter().enumerate()) {
            places[usize::from(at >= first)][number as usize] = Some(row);
        }
        let [was, is] = &places;
        let any: Vec<Option<u32>> = was.iter().zip(is).map(|(a, b)| a.or(*b)).collect();
        let (keys, values) = both.columns.split_at(paired.keys);
        let mut columns: Vec<Vector> = keys.iter().map(|key| key.gather(&any)).collect();
        columns.extend(values.iter().map(|value| value.gather(was)));
        columns.extend(values.iter().map(|value| value.gather(is)));
        columns.extend([was, is].map(|places| {
            Vector::Bits(Bits {
                data: Bitset::from_fn(rows, |at| places[at].is_some()),
                missing: None,
            })
        }));
        Ok(Frame { columns, len: rows })
    }
}
