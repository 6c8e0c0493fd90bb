//! Execution: planned queries over vectors, a chunk at a time.

mod batch;
mod context;

pub(crate) use batch::{Batch, Frame};
pub(crate) use context::Context;
pub use context::Interrupt;
