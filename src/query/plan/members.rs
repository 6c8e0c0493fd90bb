//! Folding of sub-queries, lists and hierarchies into values and sets.

use super::condition::conjuncts;
use super::fold::Folder;
use super::hierarchy::Hierarchy;
use super::nodes::truth;
use crate::column::Bitset;
use crate::error::{Code, Error, Result};
use crate::query::bind::{ColumnValue, Expr, Node, Query, Type};
use crate::query::exec::run_folded;
use crate::value::{FieldType, ObjectId, RecordId, Shape, Value};
use std::sync::Arc;

impl Folder<'_> {
    pub(super) fn subquery(&self, expr: &Expr, query: &Query) -> Result<Expr> {
        let (_, values) = self.list_of(query)?;
        let value = match <[Value; 1]>::try_from(values) {
            Ok([value]) => value,
            Err(values) if values.is_empty() => Value::Missing,
            Err(values) => {
                return Err(Error::new(
                    Code::TooManyRows,
                    format!("the query gives {} rows where one is needed", values.len()),
                )
                .hint("add a condition, or `limit 1`"));
            }
        };
        Ok(Expr::constant(value, expr.ty.clone(), &expr.span))
    }

    /// The values of a query's one column.
    pub(super) fn list_of(&self, query: &Query) -> Result<(Type, Vec<Value>)> {
        let query = self.query(query)?;
        let frame = run_folded(&query, self.context)?;
        let ty = match query.columns.first().map(|column| &column.value) {
            Some(ColumnValue::Expr(expr)) => expr.ty.clone(),
            Some(ColumnValue::Nested(_)) => Type::Nested,
            None => Type::Missing,
        };
        let form = ty.field_type();
        let values = frame.columns.first().map_or_else(Vec::new, |vector| {
            (0..frame.len).map(|at| vector.value(&form, at)).collect()
        });
        Ok((ty, values))
    }

    /// `value` among constants: a set where the shape allows one.
    pub(super) fn among(&self, expr: &Expr, value: Expr, mut list: Vec<Expr>) -> Result<Expr> {
        list.retain(|item| item.as_constant() != Some(&Value::Missing));
        if list.is_empty() {
            return Ok(truth(false, &expr.span));
        }
        let constants: Option<Vec<&Value>> = list.iter().map(Expr::as_constant).collect();
        let ints: Option<Vec<i64>> = constants
            .filter(|_| value.ty.shape() == Shape::Ints)
            .and_then(|values| values.into_iter().map(Value::as_int).collect());
        let constant = value.as_constant().is_some();
        let value = Box::new(value);
        let node = match ints {
            Some(ids) if let Type::Plain(FieldType::Reference(object)) = value.ty => {
                let bound = self.context.snapshot.record_bound(object);
                Node::InRecords {
                    value,
                    set: Arc::new(record_set(&ids, bound)),
                }
            }
            Some(mut ints) => {
                ints.sort_unstable();
                ints.dedup();
                Node::InIntegers {
                    value,
                    set: ints.into(),
                }
            }
            None => Node::InList { value, list },
        };
        let folded = Expr::new(node, expr.ty.clone(), &expr.span);
        if constant {
            self.constant(&folded)
        } else {
            Ok(folded)
        }
    }

    pub(super) fn under(
        &self,
        expr: &Expr,
        value: &Expr,
        root: &Expr,
        object: ObjectId,
        above: bool,
    ) -> Result<Expr> {
        let (value, root) = (self.expr(value)?, self.expr(root)?);
        // A record lies below another exactly if that lies above it.
        let (value, known, above) = match (value.as_constant(), root.as_constant()) {
            (_, Some(known)) => (value, known.clone(), above),
            (Some(known), None) => (root, known.clone(), !above),
            (None, None) => {
                let node = Node::Under {
                    value: Box::new(value),
                    root: Box::new(root),
                    object,
                    above,
                };
                return Ok(Expr::new(node, expr.ty.clone(), &expr.span));
            }
        };
        let Value::Reference(id) = known else {
            return Ok(truth(false, &expr.span));
        };
        let set = if above {
            Hierarchy::read(object, self.context)?.above(id)
        } else {
            Hierarchy::read(object, self.context)?.below(id)
        };
        let constant = value.as_constant().is_some();
        let node = Node::InRecords {
            value: Box::new(value),
            set: Arc::new(set),
        };
        let folded = Expr::new(node, expr.ty.clone(), &expr.span);
        if constant {
            self.constant(&folded)
        } else {
            Ok(folded)
        }
    }
}

/// The records with these ids, of those there can be.
fn record_set(ids: &[i64], bound: u64) -> Bitset {
    let given = |id: &usize| (*id as u64) < bound;
    let ids = ids.iter();
    Bitset::of(ids.filter_map(|&id| usize::try_from(id).ok().filter(given)))
}

/// The set of some records.
pub(crate) fn set_of(ids: &[RecordId]) -> Bitset {
    Bitset::of(ids.iter().filter_map(|id| usize::try_from(id.0).ok()))
}

impl Query {
    /// The query over those of its rows alone in which `record` is in a set.
    pub(crate) fn among(self, record: Expr, set: Bitset) -> Self {
        let span = record.span.clone();
        let node = Node::InRecords {
            value: Box::new(record),
            set: Arc::new(set),
        };
        let mut conditions = vec![Expr::new(node, Type::BOOLEAN, &span)];
        conditions.extend(conjuncts(self.filter.as_ref()));
        Self {
            filter: Some(Expr::new(Node::And(conditions), Type::BOOLEAN, &span)),
            ..self
        }
    }
}
