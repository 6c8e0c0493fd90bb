//! Binding: names to ids, types, formulas and views expanded. Needs the catalog alone.

mod bound;

pub(crate) use bound::*;
