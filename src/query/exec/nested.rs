//! Nested collections: for each row the records that belong to it, read in one pass for all.

use super::limit::whole;
use super::profile::part;
use super::rows::Rows;
use super::run::{column_type, key_vectors};
use super::scan::Passed;
use super::sort::Sorter;
use super::{Batch, Evaluator, Executor};
use crate::column::{Bitset, Vector};
use crate::error::{Code, Error, Result};
use crate::query::bind::{ColumnValue, Expr, Nested, Node, Type};
use crate::query::plan::choose;
use crate::value::{ObjectId, Record, RecordId, Value};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

impl Executor<'_> {
    /// For each row the list of its records.
    pub(super) fn nested(&self, nested: &Nested, rows: &Rows) -> Result<Vec<Value>> {
        let Rows::Records { object, ids } = rows else {
            return Err(Error::new(
                Code::Misplaced,
                "a nested collection needs rows that are records",
            ));
        };
        let (base, owners) = match &nested.from {
            None => (*object, ids.iter().copied().map(Some).collect()),
            Some((from, base)) => match self.evaluator.evaluate(from, &rows.batch())? {
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
        let belonging = profile.run(part(nested), || self.belonging(nested, base, &present))?;
        let limit = nested.limit.as_ref().map(|limit| whole(limit, "limit"));
        let limit = limit.transpose()?.unwrap_or(usize::MAX);
        let mut ids = Vec::new();
        let mut of: HashMap<RecordId, Vec<usize>> = HashMap::new();
        for (owner, id) in belonging {
            let list = of.entry(owner).or_default();
            if list.len() < limit {
                list.push(ids.len());
                ids.push(id);
            }
        }
        let inner = Rows::Records {
            object: nested.object,
            ids,
        };
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
        let list = |owner: &Option<RecordId>| {
            let places = owner
                .and_then(|owner| of.get(&owner))
                .map_or(&[][..], Vec::as_slice);
            Value::Nested(places.iter().map(record).collect())
        };
        Ok(owners.iter().map(list).collect())
    }

    /// The collection's records of the owners in the collection's order, each with its owner.
    fn belonging(
        &self,
        nested: &Nested,
        object: ObjectId,
        owners: &[RecordId],
    ) -> Result<Vec<(RecordId, RecordId)>> {
        let ids = || owners.iter().filter_map(|id| usize::try_from(id.0).ok());
        let mut wanted = Bitset::new(ids().max().map_or(0, |id| id + 1));
        ids().for_each(|id| wanted.set(id, true));
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
        let span = nested.owner.span.clone();
        let node = Node::InRecords {
            value: Box::new(nested.owner.clone()),
            set: Arc::new(set),
        };
        let mut conditions = vec![Expr::new(node, Type::BOOLEAN, &span)];
        conditions.extend(nested.filter.clone());
        let filter = Expr::new(Node::And(conditions), Type::BOOLEAN, &span);
        let access = choose(nested.object, Some(&filter), &self.evaluator, self.context)?;
        let descending = nested.order.iter().map(|key| key.descending).collect();
        let mut sorter = Sorter::new(descending, None, false, &self.evaluator.memory);
        // The owner of each record, or the node of the subtree that it hangs on.
        let mut owner_of: HashMap<u64, u64> = HashMap::new();
        let map = |evaluator: &Evaluator<'_>, batch: &Batch<'_>, among: &Bitset| {
            let owners = evaluator.evaluate_among(&nested.owner, batch, among)?;
            let keys = key_vectors(evaluator, &nested.order, batch, among)?;
            Ok((owners, keys, Passed::of(batch, among)))
        };
        self.scan(&access, map, |(owners, keys, passed)| {
            let Vector::Ints(owners) = &owners else {
                return Ok(ControlFlow::Continue(()));
            };
            for slot in passed.among.ones() {
                if let Some(owner) = owners.get(slot) {
                    owner_of.insert(passed.record(slot).0, owner.cast_unsigned());
                }
            }
            sorter.push(&keys, &passed.among, |slot| passed.record(slot).0)?;
            Ok(ControlFlow::Continue(()))
        })?;
        let mut found = Vec::new();
        for row in sorter.finish().rows {
            let Some(&owner) = owner_of.get(&row) else {
                continue;
            };
            match &spread {
                None => found.push((RecordId(owner), RecordId(row))),
                Some(spread) => {
                    let owners = spread.of(owner as usize).iter().filter(is_wanted);
                    found.extend(owners.map(|&o| (RecordId(o.into()), RecordId(row))));
                }
            }
        }
        Ok(found)
    }
}
