//! Working memory of one execution: what has been charged and the bound it may not pass.

use crate::error::{Code, Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Clones share what is charged.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    used: Arc<AtomicUsize>,
    bound: usize,
}

impl Memory {
    pub(super) fn new(bound: usize) -> Self {
        Self {
            used: Arc::default(),
            bound,
        }
    }

    /// Charges `bytes` more to a clause; an error once the bound is passed.
    pub(super) fn charge(&self, bytes: usize, clause: &str) -> Result<()> {
        let before = self.used.fetch_add(bytes, Ordering::Relaxed);
        let used = before.saturating_add(bytes);
        if used <= self.bound {
            return Ok(());
        }
        let bound = self.bound.div_ceil(1 << 20);
        Err(Error::new(
            Code::Limit,
            format!("`{clause}` needs more than the {bound} MiB a query may use"),
        )
        .hint("ask for less with a condition, or raise the memory limit"))
    }

    pub(super) fn release(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}
