//! Planning: what a bound query becomes when it runs. `fold` turns everything that depends on
//! data, clock and parameters into constants and sets, `access` decides how records are found,
//! `explain` prints both. Nothing here reads more than it must decide.

mod access;
mod condition;
mod describe;
mod explain;
mod fold;
mod hierarchy;
mod members;
mod nodes;
mod parameter;
mod probe;

pub(crate) use access::{Access, Path, choose};
pub(crate) use explain::explain;
pub(crate) use fold::{fold, fold_expr, fold_given};
pub(crate) use hierarchy::{Hierarchy, Places};
pub(crate) use members::set_of;
pub(crate) use nodes::map_operands;
pub(crate) use parameter::{coarsened, coarser};
pub(crate) use probe::{asked_records, first_change};
