//! Binding: names to ids, types, formulas and views expanded. Needs the catalog alone.

mod binder;
mod bound;
mod call;
mod change;
mod compare;
mod order;
mod path;
mod query;
mod scope;
mod write;

pub(crate) use binder::Binder;
pub(crate) use bound::*;
pub(crate) use change::{Assignments, Change, From};
pub(crate) use order::{column, sort_keys};
