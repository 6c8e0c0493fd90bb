//! Names for the columns of groups: those the query gives them, else their own.

use super::parts::{Part, distinct, endings};
use super::translate::{Mode, Translator};
use crate::query::bind::{
    Aggregate, AggregateFunction, ColumnValue, Expr, Group, Node, Query, Source, Type,
};
use crate::value::ObjectId;
use std::collections::HashSet;

impl Translator<'_> {
    /// The names of the keys' and aggregates' columns: those the query gives them, else their own.
    pub(super) fn group_names(&self, query: &Query, group: &Group) -> Vec<Vec<Part>> {
        let mut used: HashSet<String> = ["row_no", "part", "place", "depth", "present"]
            .into_iter()
            .map(str::to_owned)
            .collect();
        let given = |slot: usize| {
            query.columns.iter().find_map(|column| match &column.value {
                ColumnValue::Expr(Expr {
                    node: Node::Slot(at),
                    ..
                }) if *at == slot => Some(column.name.clone()),
                _ => None,
            })
        };
        let keys = group.keys.iter().map(|key| {
            let base = self.hint(of_source(query), key);
            (base, key.ty.clone(), false)
        });
        let aggregates = group.aggregates.iter().map(|aggregate| {
            let base = self.aggregate_hint(query, aggregate);
            let picks = matches!(
                aggregate.function,
                AggregateFunction::First | AggregateFunction::Last
            );
            (base, aggregate.ty.clone(), !picks)
        });
        let mut names = Vec::new();
        for (slot, (own, ty, in_base)) in keys.chain(aggregates).enumerate() {
            let base = given(slot).map(|name| plain(&name)).unwrap_or(own);
            let key = slot < group.keys.len();
            let parts = endings(&ty, Mode::Rows)
                .iter()
                .enumerate()
                .map(|(part, ending)| match ty == Type::MONEY && part == 1 {
                    true if key || in_base => Part::Same(self.base()),
                    _ => Part::Column(distinct(&mut used, &base, ending)),
                })
                .collect();
            names.push(parts);
        }
        names
    }

    /// What to call a key that has no name.
    fn hint(&self, object: Option<ObjectId>, expr: &Expr) -> String {
        let of_object = |object, field| {
            let object = self.context.catalog.object(object);
            plain(&object.field(field).name)
        };
        match (&expr.node, object) {
            (Node::Column(field), Some(object)) => of_object(object, *field),
            (Node::Follow { object, inner, .. }, _) => match inner.node {
                Node::Column(field) => of_object(*object, field),
                _ => "key".to_owned(),
            },
            (Node::Bucket { unit, .. }, _) => format!("{unit:?}").to_lowercase(),
            (Node::ToBase { value, .. } | Node::Cast(value), _) => self.hint(object, value),
            _ => "key".to_owned(),
        }
    }

    fn aggregate_hint(&self, query: &Query, aggregate: &Aggregate) -> String {
        use AggregateFunction as A;
        let word = match aggregate.function {
            A::Count | A::Exists => "count",
            A::Sum => "sum",
            A::Average => "avg",
            A::Minimum => "min",
            A::Maximum => "max",
            A::Percentile(_) => "percentile",
            A::Deviation => "stddev",
            A::Share => "share",
            A::First => "first",
            A::Last => "last",
            A::List => "list",
            _ => "value",
        };
        let object = match &aggregate.over {
            Some(over) => Some(over.object),
            None => of_source(query),
        };
        let of = aggregate.argument.as_ref().map(|a| self.hint(object, a));
        match of {
            Some(of) if of != "key" => format!("{word}_{of}"),
            _ => word.to_owned(),
        }
    }
}

fn of_source(query: &Query) -> Option<ObjectId> {
    match query.source {
        Source::Object(object) => Some(object),
        _ => None,
    }
}

/// A name of plain letters.
pub(super) fn plain(name: &str) -> String {
    let lower = name.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    words.join("_")
}
