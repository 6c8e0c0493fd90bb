//! What storage must know of an object: the type of each field and the indexes.

use crate::value::{FieldId, FieldType, IndexId, ObjectId};
use serde::{Deserialize, Serialize};

/// The fields and indexes of one object. A field's id is its place in `fields` for ever, so rows
/// written before a field was added read it as missing and dropped fields keep their place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ObjectLayout {
    pub id: ObjectId,
    pub fields: Vec<FieldLayout>,
    pub indexes: Vec<IndexLayout>,
    /// The reference to the own object whose chains have no loop.
    pub hierarchy: Option<FieldId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FieldLayout {
    pub ty: FieldType,
    /// A dropped field keeps its old values in rows and journal, but has no column.
    pub dropped: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IndexLayout {
    pub id: IndexId,
    pub kind: IndexKind,
    pub fields: Vec<FieldId>,
    /// No two records may share a key without missing parts.
    pub unique: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum IndexKind {
    /// Fixed-width entries (index, target, id) of one reference field.
    Reference,
    /// Order-preserving keys.
    Ordered,
    /// Order-preserving keys over folded text: labels are found ignoring case.
    Folded,
}
