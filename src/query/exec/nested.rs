//! Nested collections: for each row the records, changes or spans that belong to it, read in one
//! pass for all.

use super::Executor;
use super::limit::whole;
use super::profile::part;
use super::rows::Rows;
use super::run::column_type;
use crate::column::{Bitset, Vector};
use crate::error::{Code, Error, Result};
use crate::query::bind::{ColumnValue, Nested, Query};
use crate::query::plan::set_of;
use crate::value::{ObjectId, Record, RecordId, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// The rows of a collection in its order.
struct Belonging {
    rows: Rows,
    /// Each owner with the place of a row of its own.
    owned: Vec<(RecordId, usize)>,
}

impl Executor<'_> {
    /// For each row the list of what belongs to it.
    pub(super) fn nested(&self, nested: &Nested, rows: &Rows) -> Result<Vec<Value>> {
        let (base, owners) = match (&nested.from, rows) {
            (None, Rows::Records { object, ids }) => {
                (*object, ids.iter().copied().map(Some).collect())
            }
            (None, Rows::Slots(_)) => {
                return Err(Error::new(
                    Code::Misplaced,
                    "a nested collection needs rows that are records",
                ));
            }
            (Some((from, base)), _) => match self.evaluator.evaluate(from, &rows.batch())? {
                Vector::Ints(ids) => {
                    let id = |id: i64| RecordId(id.cast_unsigned());
                    (*base, ids.iter().map(|n| n.map(id)).collect::<Vec<_>>())
                }
                _ => {
                    let message = "a list that starts from no reference";
                    return Err(Error::new(Code::Internal, message));
                }
            },
        };
        let present: Vec<RecordId> = owners.iter().flatten().copied().collect();
        let profile = &self.evaluator.profile;
        let found = profile.run(part(nested), || self.belonging(nested, base, &present))?;
        let limit = nested.limit.as_ref().map(|limit| whole(limit, "limit"));
        let limit = limit.transpose()?.unwrap_or(usize::MAX);
        let mut places = Vec::new();
        let mut of: HashMap<RecordId, Vec<usize>> = HashMap::new();
        for (owner, place) in found.owned {
            let list = of.entry(owner).or_default();
            if list.len() < limit {
                list.push(places.len());
                places.push(place);
            }
        }
        let inner = found.rows.pick(&places);
        let mut columns = Vec::with_capacity(nested.columns.len());
        for column in &nested.columns {
            columns.push(match &column.value {
                ColumnValue::Nested(deeper) => self.nested(deeper, &inner)?,
                ColumnValue::Expr(expr) => {
                    let vector = self.evaluator.evaluate(expr, &inner.batch())?;
                    self.present(&vector, &column_type(&column.value))?
                }
            });
        }
        let names: Arc<[Arc<str>]> = nested
            .columns
            .iter()
            .map(|column| column.name.as_str().into())
            .collect();
        let record = |&at: &usize| Record {
            names: Arc::clone(&names),
            values: columns.iter().map(|column| column[at].clone()).collect(),
        };
        // Rows that refer to one record share its list.
        let lists: HashMap<RecordId, Value> = of
            .into_iter()
            .map(|(owner, places)| (owner, Value::Nested(places.iter().map(record).collect())))
            .collect();
        let list = |owner: &Option<RecordId>| {
            let list = owner.and_then(|owner| lists.get(&owner));
            list.map_or_else(|| Value::Nested(Arc::default()), Value::clone)
        };
        Ok(owners.iter().map(list).collect())
    }

    /// The collection's rows of the owners in the collection's order.
    fn belonging(
        &self,
        nested: &Nested,
        object: ObjectId,
        owners: &[RecordId],
    ) -> Result<Belonging> {
        let wanted = set_of(owners);
        let spread = match &nested.subtree {
            Some(subtree) => Some(self.evaluator.spread(subtree, object)?),
            None => None,
        };
        let is_wanted = |&&owner: &&u32| wanted.get(owner as usize);
        let set = match &spread {
            None => wanted.clone(),
            Some(spread) => Bitset::from_fn(spread.len(), |node| {
                spread.of(node).iter().any(|owner| is_wanted(&owner))
            }),
        };
        let query = Query {
            filter: nested.filter.clone(),
            order: nested.order.clone(),
            ..Query::of(nested.source.clone())
        };
        let query = query.among(nested.owner.clone(), set);
        let rows = self.rows_of(&query)?.rows;
        // The owner of each row, or the node of the subtree that it hangs on.
        let Vector::Ints(nodes) = self.evaluator.evaluate(&nested.owner, &rows.batch())? else {
            let message = "a list whose rows belong to no record";
            return Err(Error::new(Code::Internal, message));
        };
        let mut owned = Vec::with_capacity(rows.len());
        for (place, node) in nodes.iter().enumerate() {
            let Some(node) = node.map(i64::cast_unsigned) else {
                continue;
            };
            match &spread {
                None => owned.push((RecordId(node), place)),
                Some(spread) => {
                    let owners = spread.of(node as usize).iter().filter(is_wanted);
                    owned.extend(owners.map(|&owner| (RecordId(owner.into()), place)));
                }
            }
        }
        Ok(Belonging { rows, owned })
    }
}
