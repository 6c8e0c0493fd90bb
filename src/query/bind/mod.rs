//! Binding: names to ids, types, formulas and views expanded. Needs the catalog alone.

mod bound;
mod change;

pub(crate) use bound::*;
pub(crate) use change::{Assignments, Change};
