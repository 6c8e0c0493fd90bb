//! Binding: names to ids, types, formulas and views expanded. Needs the catalog alone.

mod aggregate;
mod arithmetic;
mod binder;
mod bound;
mod business;
mod call;
mod change;
mod compare;
mod compared;
mod duplicates;
mod example;
mod find;
mod foreign;
mod group;
mod history;
mod interval;
mod item;
mod joined;
mod label;
mod membership;
mod mention;
mod money;
mod order;
mod page;
mod pair;
mod parameter;
mod path;
mod possible;
mod query;
mod scope;
mod shown;
mod source;
mod stored;
mod text;
mod through;
mod visit;
mod window;
mod write;

#[cfg(test)]
pub(crate) use aggregate::AGGREGATES;
pub(crate) use binder::{Binder, SpokenLabel};
pub(crate) use bound::*;
#[cfg(test)]
pub(crate) use call::FUNCTIONS;
pub(crate) use change::{Assignments, Change, From, Merge};
pub(crate) use duplicates::{usual_rule, usual_view};
pub(crate) use group::first_keys;
pub(crate) use mention::{Meant, Mention};
pub(crate) use order::{ascending, column, sort_keys};
pub(crate) use page::Fingerprint;
pub(crate) use pair::{Duplicates, Rule, Term, Way};
pub(crate) use parameter::Parameter;
