//! Bound statements that change records.

use super::{Expr, Query};
use crate::value::{FieldId, ObjectId};

/// `field = expression` for each field named.
pub(crate) type Assignments = Vec<(FieldId, Expr)>;

/// A bound statement that changes records. An assigned expression is of any type that can become
/// the field's; the writer reads text as the field's type, or looks it up as a label.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// Expressions have no frame (slots of an empty frame of one row).
    Add {
        object: ObjectId,
        records: Vec<Assignments>,
    },
    /// The query gives the records: its one column is the record itself. Expressions are over
    /// the object's frame and see the old values.
    Update {
        object: ObjectId,
        query: Query,
        set: Assignments,
    },
    Delete {
        object: ObjectId,
        query: Query,
    },
    /// Without `from` expressions have no frame. `on` fields are always assigned.
    Upsert {
        object: ObjectId,
        on: Vec<FieldId>,
        from: Option<From>,
        records: Vec<Assignments>,
    },
}

/// What an `upsert ... from (query)` goes through.
#[derive(Clone, Debug)]
pub(crate) struct From {
    pub query: Query,
    /// Set where the query's rows are records of this object: its one column is the record, and
    /// expressions are over the object's frame. Else they are over the query's columns' slots.
    pub object: Option<ObjectId>,
}
