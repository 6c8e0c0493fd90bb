//! Values that a query gives for a record, looked up for the records at hand: what the journal
//! tells of each, and what was.

use super::follow::distinct;
use super::{Evaluator, internal};
use crate::column::{Ints, Vector};
use crate::error::Result;
use crate::query::bind::{ColumnValue, Expr, Query, Type};
use crate::query::exec::history::few;
use crate::query::exec::profile::part;
use crate::query::exec::{Batch, run_folded};
use crate::query::plan::set_of;
use crate::value::{FieldType, ObjectId};
use foldhash::HashMap;
use std::sync::Arc;

/// A value for each of some records.
pub(super) struct RecordMap {
    /// By id, the place among the values.
    places: HashMap<i64, u32>,
    values: Vector,
}

impl RecordMap {
    fn at(&self, ids: &Ints) -> Vector {
        let places: Vec<_> = ids
            .iter()
            .map(|id| self.places.get(&id?).copied())
            .collect();
        self.values.gather(&places)
    }

    /// About how many bytes it holds.
    pub(super) fn held(&self) -> usize {
        const CELL: usize = 24;
        self.values.len() * CELL
    }
}

impl Evaluator<'_> {
    /// The second column of the row whose first one is `key`. For few records the query runs for
    /// them alone, else for all, once.
    pub(super) fn keyed(
        &self,
        key: &Expr,
        query: &Arc<Query>,
        expr: &Expr,
        batch: &Batch<'_>,
    ) -> Result<Vector> {
        let (Vector::Ints(ids), Some((object, record))) =
            (self.evaluate(key, batch)?, record_of(query))
        else {
            return Err(internal("a record of no object", expr));
        };
        let at = part(&**query);
        let known = self.cache.borrow().maps.get(&at).cloned();
        if let Some((_, map)) = known {
            return Ok(map.at(&ids));
        }
        let (wanted, _) = distinct(&ids);
        let asked = {
            let mut cache = self.cache.borrow_mut();
            let (_, asked) = cache.asked.entry(at).or_insert((Arc::clone(query), 0));
            *asked += wanted.len();
            *asked
        };
        if few(asked, object, self.context.snapshot) {
            let query = (**query).clone().among(record.clone(), set_of(&wanted));
            return Ok(self.map_of(&query, expr)?.at(&ids));
        }
        let map = Arc::new(self.map_of(query, expr)?);
        let entry = (Arc::clone(query), Arc::clone(&map));
        self.cache.borrow_mut().maps.insert(at, entry);
        Ok(map.at(&ids))
    }

    fn map_of(&self, query: &Query, expr: &Expr) -> Result<RecordMap> {
        let frame = run_folded(query, self.context).map_err(|e| e.at(expr.span.clone()))?;
        let mut columns = frame.columns.into_iter();
        let (Some(Vector::Ints(ids)), Some(values)) = (columns.next(), columns.next()) else {
            return Err(internal("a query that gives no records", expr));
        };
        let places = ids.iter().zip(0..);
        Ok(RecordMap {
            places: places.filter_map(|(id, at)| Some((id?, at))).collect(),
            values,
        })
    }
}

/// What names the record in the rows that a query is made of, and its object.
fn record_of(query: &Query) -> Option<(ObjectId, &Expr)> {
    let record = match (
        &query.group,
        query.columns.first().map(|column| &column.value),
    ) {
        (Some(group), _) => group.keys.first(),
        (None, Some(ColumnValue::Expr(record))) => Some(record),
        _ => None,
    }?;
    match record.ty {
        Type::Plain(FieldType::Reference(object)) => Some((object, record)),
        _ => None,
    }
}
