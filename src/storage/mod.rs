//! The file: rows, column chunks, ordered indexes, journal, format version, check, backup.
//!
//! Storage knows type tags, ids and bytes; names live in the catalog above, which storage keeps
//! as opaque bytes. Everything that reads sees "stored structure plus overlay".

mod backup;
mod cache;
mod check;
mod chunk;
mod codec;
mod commit;
mod compact;
mod deed;
mod entries;
mod fault;
mod fold;
mod history;
mod index;
mod inherit;
mod journal;
mod key;
mod layout;
mod load;
mod loaded;
mod log;
mod meta;
mod open;
mod overlay;
mod past;
mod prune;
mod published;
mod row;
mod schema;
mod share;
mod snapshot;
mod spill;
mod store;
mod summary;
mod tables;
mod text;
mod transaction;
mod written;

pub use compact::Sizes;
pub(crate) use deed::{Deed, Later, LaterChange};
pub(crate) use history::{Event, EventKind, Nature, Stamp, Step};
pub(crate) use inherit::Inheritance;
pub(crate) use journal::Change;
pub(crate) use layout::{FieldLayout, IndexKind, IndexLayout, ObjectLayout};
pub(crate) use overlay::place;
pub(crate) use row::Row;
pub(crate) use snapshot::{ChunkSummary, KeyBound, Snapshot, Summary};
pub use store::Durability;
pub(crate) use store::{CheckReport, Settings, Store, StoreOptions};
pub(crate) use text::TextHit;
pub(crate) use transaction::{CommitInfo, Mark, Transaction};

#[cfg(test)]
mod crash;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod model;
#[cfg(test)]
pub(crate) use model::image;
