//! What a statement changed, as rows: for `returning`, and for a dry run.

use crate::catalog::Catalog;
use crate::error::Result;
use crate::query::bind::{self, Expr, Function, Node, Query, Type};
use crate::query::exec;
use crate::query::outcome::{Heading, Table};
use crate::query::pipeline::Environment;
use crate::query::plan::set_of;
use crate::storage::{Change, Mark, Snapshot, Transaction};
use crate::value::{FieldType, Value};
use std::sync::Arc;

/// A query over what a statement changed, which says the number of its transaction: that is known
/// once it is committed.
pub(crate) struct Numbered {
    query: Query,
    snapshot: Snapshot,
    catalog: Catalog,
}

impl Numbered {
    /// The rows once the transaction has its number.
    pub(crate) fn rows(self, number: u64, environment: &Environment<'_>) -> Result<Table> {
        let snapshot = self.snapshot.committed_as(number)?;
        exec::run(&self.query, &environment.context(&snapshot, &self.catalog))
    }
}

/// A transaction as it was before a statement.
pub(crate) struct Before {
    mark: Mark,
    snapshot: Snapshot,
    catalog: Arc<Catalog>,
}

impl Before {
    pub(crate) fn new(transaction: &Transaction<'_>, catalog: &Arc<Catalog>) -> Self {
        Self {
            mark: transaction.mark(),
            snapshot: transaction.snapshot().clone(),
            catalog: Arc::clone(catalog),
        }
    }

    /// Forgets what the statement did.
    pub(crate) fn restore(self, transaction: &mut Transaction<'_>) {
        transaction.roll_back_to(self.mark);
    }

    /// A query over the records of an object that a statement changed, as they are now; if it
    /// deletes, over those deleted, as they were.
    pub(crate) fn returning(
        &self,
        query: &Query,
        change: &bind::Change,
        transaction: &Transaction<'_>,
        environment: &Environment<'_>,
    ) -> Result<(Table, Option<Numbered>)> {
        let changes = transaction.changes_since(self.mark);
        let object = change.object();
        let own = || changes.iter().filter(|change| change.object == object);
        let gone = matches!(change, bind::Change::Delete { .. });
        let among = own().filter(|change| gone == change.after.is_none());
        let ids: Vec<_> = among.map(|change| change.id).collect();
        let query = query
            .clone()
            .among(Expr::this(object, &(0..0)), set_of(&ids));
        if gone {
            let context = environment.context(&self.snapshot, &self.catalog);
            return Ok((exec::run(&query, &context)?, None));
        }
        let snapshot = transaction.snapshot();
        let catalog = Catalog::decode(snapshot.catalog())?;
        let rows = exec::run(&query, &environment.context(snapshot, &catalog))?;
        let mut says_number = false;
        query.visit_all(&mut |expr| {
            let Node::Function { function, .. } = &expr.node else {
                return;
            };
            says_number |= *function == Function::Revision;
        });
        let numbered = says_number.then(|| Numbered {
            query,
            snapshot: snapshot.clone(),
            catalog,
        });
        Ok((rows, numbered))
    }

    /// A row for each record that came or went since, and for each field that changed.
    pub(crate) fn changes(
        &self,
        transaction: &Transaction<'_>,
        environment: &Environment<'_>,
    ) -> Result<Table> {
        let catalog = Catalog::decode(transaction.snapshot().catalog())?;
        let before = environment.context(&self.snapshot, &self.catalog);
        let after = environment.context(transaction.snapshot(), &catalog);
        let all = transaction.changes_since(self.mark);
        let mut rows = Vec::new();
        for changes in all.chunk_by(|a, b| a.object == b.object) {
            let object = catalog.object(changes[0].object);
            let ty = Type::Plain(FieldType::Reference(object.id));
            let records = |new: bool| {
                let own = changes.iter().filter(|change| new == change.is_new());
                own.map(|change| Value::Reference(change.id)).collect()
            };
            let mut old_names = exec::named(records(false), &ty, &before)?.into_iter();
            let mut new_names = exec::named(records(true), &ty, &after)?.into_iter();
            let names: Vec<_> = changes
                .iter()
                .map(|change| match change.is_new() {
                    true => new_names.next(),
                    false => old_names.next(),
                })
                .map(|name| name.unwrap_or(Value::Missing))
                .collect();
            // By record and field, what the field was and is.
            let mut fields = Vec::new();
            for (place, field) in object.live_fields().enumerate() {
                let differs = |change: &Change| match (&change.before, &change.after) {
                    (Some(a), Some(b)) if a.get(field.id) != b.get(field.id) => {
                        Some((a.get(field.id).clone(), b.get(field.id).clone()))
                    }
                    _ => None,
                };
                let own = (0..)
                    .zip(changes)
                    .filter_map(|(at, c)| Some((at, differs(c)?)));
                let (at, (old, new)): (Vec<usize>, (Vec<_>, Vec<_>)) = own.unzip();
                let ty = bind::column(object, field.id, &(0..0)).ty;
                let old = exec::named(old, &ty, &before)?;
                let new = exec::named(new, &ty, &after)?;
                let values = old.into_iter().zip(new);
                fields.extend(
                    at.into_iter()
                        .zip(values)
                        .map(|(at, values)| (at, place, &field.name, values)),
                );
            }
            fields.sort_by_key(|(at, place, ..)| (*at, *place));
            let mut fields = fields.into_iter().peekable();
            for (at, (change, name)) in changes.iter().zip(names).enumerate() {
                let mut row = |what: &str, rest: [Value; 3]| {
                    let mut row = vec![Value::text(what), Value::text(&object.name), name.clone()];
                    row.extend(rest);
                    rows.push(row);
                };
                match (&change.before, &change.after) {
                    (None, _) if change.is_return() => row("restored", Default::default()),
                    (None, _) => row("added", Default::default()),
                    (_, None) => row("deleted", Default::default()),
                    _ => {
                        while let Some((_, _, field, (old, new))) =
                            fields.next_if(|(of, ..)| *of == at)
                        {
                            let shown = |value: &Value| match value {
                                Value::Missing => Value::Missing,
                                value => Value::text(value.show(environment.clock)),
                            };
                            row("updated", [Value::text(field), shown(&old), shown(&new)]);
                        }
                    }
                }
            }
        }
        let mut objects: Vec<_> = all.iter().map(|change| change.object).collect();
        objects.dedup();
        let record = Type::Plain(match objects[..] {
            [object] => FieldType::Reference(object),
            _ => FieldType::AnyReference(objects),
        });
        let heading = |(name, ty): (&str, Type)| Heading {
            name: name.into(),
            ty,
        };
        let columns = [
            ("change", Type::TEXT),
            ("object", Type::TEXT),
            ("record", record),
            ("field", Type::TEXT),
            ("old", Type::TEXT),
            ("new", Type::TEXT),
        ];
        Ok(Table {
            columns: columns.into_iter().map(heading).collect(),
            rows,
            next: None,
            marks: Vec::new(),
        })
    }
}
