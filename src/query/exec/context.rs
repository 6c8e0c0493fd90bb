//! What every step of an execution may look at.

use super::roles::Roles;
use super::then::Past;
use super::threads::Threads;
use crate::catalog::Catalog;
use crate::error::{Code, Error, Result};
use crate::storage::Snapshot;
use crate::value::{Clock, RecordId, Value};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag by which another thread stops a statement.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Asks the statement that is running to stop.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Makes the flag ready for the next statement.
    pub fn reset(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// An error once the flag is raised; asked once a chunk.
    pub(crate) fn check(&self) -> Result<()> {
        if self.0.load(Ordering::Relaxed) {
            return Err(Error::new(Code::Interrupted, "the statement was stopped"));
        }
        Ok(())
    }
}

/// The state, definitions, clock, asker and parameters of one execution.
pub(crate) struct Context<'a> {
    pub snapshot: &'a Snapshot,
    pub catalog: &'a Catalog,
    pub clock: &'a Clock,
    /// The past that state and clock are of; nothing: they are of now.
    pub past: Option<Past<'a>>,
    pub me: Option<RecordId>,
    pub parameters: &'a HashMap<String, Value>,
    pub interrupt: &'a Interrupt,
    /// Bytes of working memory that the execution may hold.
    pub memory_bytes: usize,
    pub threads: Threads,
    /// What is known of objects with a role, once it was asked for.
    pub roles: Roles,
}
