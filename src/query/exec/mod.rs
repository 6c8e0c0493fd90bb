//! Execution: planned queries over vectors, a chunk at a time.

mod aggregate;
mod batch;
mod context;
mod evaluate;

pub(crate) use batch::{Batch, Frame};
pub(crate) use context::Context;
pub use context::Interrupt;
pub(crate) use evaluate::Evaluator;
