//! The numbers that stand for objects, fields, records and labels once names are resolved.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $vis:vis $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash,
            Serialize, Deserialize,
        )]
        $vis struct $name($vis $inner);
    };
}

id! {
    /// An object of a book, for example accounts. Never reused.
    pub ObjectId(u32)
}
id! {
    /// A record of an object: its position, given in order from 0 and never reused.
    /// Printed and written as `#0`.
    pub RecordId(u64)
}
id! {
    /// A label of a picklist or tags field. Never reused within its field; its rank is kept apart.
    pub LabelCode(u32)
}
id! {
    /// A field of one object: its position in the object's rows. Never reused.
    pub(crate) FieldId(u16)
}
id! {
    /// An ordered index of a book. Never reused.
    pub(crate) IndexId(u32)
}
id! {
    /// A chunk of an object's columns: records `chunk * CHUNK_RECORDS ..`.
    pub(crate) ChunkId(u32)
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}
