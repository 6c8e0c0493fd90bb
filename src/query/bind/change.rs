//! Bound statements that change records.

use super::{Expr, Query};
use crate::query::syntax::Side;
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
        /// No record may have changed since the transaction of this number, without a frame.
        unchanged: Option<Expr>,
    },
    Delete {
        object: ObjectId,
        query: Query,
    },
    /// Deleted records, by a label or reference without a frame, and by what they were, over the
    /// object's frame.
    Restore {
        object: ObjectId,
        key: Option<Expr>,
        filter: Option<Expr>,
    },
    Merge(Merge),
    /// Without `from` expressions have no frame. `on` fields are always assigned.
    Upsert {
        object: ObjectId,
        on: Vec<FieldId>,
        from: Option<From>,
        records: Vec<Assignments>,
    },
}

/// One record that goes into another, each a reference without a frame.
#[derive(Clone, Debug)]
pub(crate) struct Merge {
    pub object: ObjectId,
    pub source: Expr,
    pub target: Expr,
    /// Whose values are kept, but for the fields told.
    pub keep: Side,
    pub fields: Vec<(FieldId, Side)>,
}

/// What an `upsert ... from (query)` goes through.
#[derive(Clone, Debug)]
pub(crate) struct From {
    pub query: Query,
    /// Set where the query's rows are records of this object: its one column is the record, and
    /// expressions are over the object's frame. Else they are over the query's columns' slots.
    pub object: Option<ObjectId>,
}

impl Change {
    pub(crate) fn object(&self) -> ObjectId {
        match self {
            Self::Add { object, .. }
            | Self::Update { object, .. }
            | Self::Delete { object, .. }
            | Self::Merge(Merge { object, .. })
            | Self::Restore { object, .. }
            | Self::Upsert { object, .. } => *object,
        }
    }

    /// What is assigned to each record that the text names.
    pub(crate) fn assignments(&self) -> impl Iterator<Item = &Assignments> {
        match self {
            Self::Add { records, .. } | Self::Upsert { records, .. } => records.as_slice(),
            Self::Update { set, .. } => std::slice::from_ref(set),
            Self::Delete { .. } | Self::Merge(_) | Self::Restore { .. } => &[],
        }
        .iter()
    }

    /// Every expression of the change.
    pub(crate) fn visit_all(&self, each: &mut dyn FnMut(&Expr)) {
        if let Self::Update {
            unchanged: Some(since),
            ..
        } = self
        {
            since.visit_all(each);
        }
        match self {
            Self::Update { query, .. } | Self::Delete { query, .. } => query.visit_all(each),
            Self::Upsert {
                from: Some(from), ..
            } => from.query.visit_all(each),
            Self::Merge(merge) => {
                merge.source.visit_all(each);
                merge.target.visit_all(each);
            }
            Self::Restore { key, filter, .. } => {
                let parts = key.iter().chain(filter);
                parts.for_each(|part| part.visit_all(each));
            }
            Self::Add { .. } | Self::Upsert { from: None, .. } => {}
        }
        for (_, value) in self.assignments().flatten() {
            value.visit_all(each);
        }
    }
}
