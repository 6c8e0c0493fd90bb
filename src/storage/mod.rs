//! The file: rows, column chunks, ordered indexes, journal, format version, check, backup.
//!
//! Storage knows type tags, ids and bytes; names live in the catalog above, which storage keeps
//! as opaque bytes. Everything that reads sees "stored structure plus overlay".

mod layout;
mod row;
mod snapshot;
mod store;
mod transaction;

pub(crate) use layout::{FieldLayout, IndexKind, IndexLayout, ObjectLayout};
pub(crate) use row::Row;
pub(crate) use snapshot::{ChunkSummary, KeyBound, Snapshot, Summary};
pub(crate) use store::{CheckReport, Settings, Store, StoreOptions};
pub(crate) use transaction::{CommitInfo, Mark, Transaction};
