//! `with empty`: the groups that there may be, whether they have records or not.

use super::keys::KeyTable;
use super::profile::part;
use super::scan::Passed;
use super::{Batch, Evaluator, Executor};
use crate::column::{Bitset, Vector};
use crate::error::{Code, Error, Result};
use crate::query::bind::{Expr, Function, Group, Node, Query, Type};
use crate::query::plan::choose;
use crate::value::{FieldType, ObjectId, Period, RecordId, Unit, Value};
use std::ops::ControlFlow;

/// Groups that `empty` may make.
const GROUPS_MAX: usize = 1_000_000;

impl Executor<'_> {
    /// All combinations of the values that the keys may have, a vector for each key. `table` has
    /// the groups with records.
    pub(super) fn every_group(
        &self,
        query: &Query,
        group: &Group,
        table: &KeyTable,
    ) -> Result<Vec<Vector>> {
        let mut domains = Vec::new();
        for (at, key) in group.keys.iter().enumerate() {
            domains.push(self.domain(key, query.filter.as_ref(), &table.key(at))?);
        }
        let sizes = domains.iter().map(Vec::len);
        let count = sizes.clone().try_fold(1, usize::checked_mul);
        let Some(count) = count.filter(|&count| count <= GROUPS_MAX) else {
            let sizes: Vec<_> = sizes.map(|size| size.to_string()).collect();
            let message = format!(
                "`empty` makes {} groups, and it may make {GROUPS_MAX}",
                sizes.join(" x ")
            );
            return Err(Error::new(Code::Limit, message)
                .at(group.keys[0].span.clone())
                .hint("group by fewer keys, or by keys with fewer values"));
        };
        let mut repeat = count;
        Ok(group
            .keys
            .iter()
            .zip(domains)
            .map(|(key, values)| {
                repeat /= values.len().max(1);
                let slots: Vec<_> = (0..count)
                    .map(|at| u32::try_from(at / repeat % values.len()).ok())
                    .collect();
                Vector::from_values(key.ty.shape(), &values).gather(&slots)
            })
            .collect())
    }

    /// The values that a key may have, missing aside; `seen` are those of the records.
    fn domain(&self, key: &Expr, filter: Option<&Expr>, seen: &Vector) -> Result<Vec<Value>> {
        let whole = |last| (1..=last).map(Value::Integer).collect();
        match (&key.ty, computed(key)) {
            (Type::Label(object, field), _) => {
                let field = self.context.catalog.object(*object).field(*field);
                let codes = field.labels.iter().map(|label| Value::Label(label.code));
                Ok(codes.collect())
            }
            (Type::Plain(FieldType::Boolean), _) => {
                Ok(vec![Value::Boolean(false), Value::Boolean(true)])
            }
            (Type::Plain(FieldType::Reference(object)), _) => {
                let ids = self.live_records(*object)?;
                Ok(ids.into_iter().map(Value::Reference).collect())
            }
            (_, Node::Bucket { unit, .. }) => {
                let asked = filter.and_then(|filter| asked_period(filter, key));
                let range = asked.or_else(|| spanned(seen));
                range.map_or_else(|| Ok(Vec::new()), |range| self.periods(*unit, range))
            }
            (
                _,
                Node::Function {
                    function: Function::MonthOfYear,
                    ..
                },
            ) => Ok(whole(12)),
            (
                _,
                Node::Function {
                    function: Function::Weekday,
                    ..
                },
            ) => Ok(whole(7)),
            _ => Err(boundless(key)),
        }
    }

    /// The periods of a unit that a span of days touches.
    fn periods(&self, unit: Unit, range: Period) -> Result<Vec<Value>> {
        let mut found = Vec::new();
        let mut day = range.start();
        while day < range.end() && found.len() <= GROUPS_MAX {
            let period = Period::of_unit(unit, day, 0, self.context.clock)?;
            found.push(Value::Period(period));
            day = period.end();
        }
        Ok(found)
    }

    fn live_records(&self, object: ObjectId) -> Result<Vec<RecordId>> {
        let access = choose(object, None, &self.evaluator, self.context)?;
        let mut ids = Vec::new();
        self.evaluator.profile.run(part(&access), || {
            let passed =
                |_: &Evaluator<'_>, batch: &Batch<'_>, among: &Bitset| Ok(Passed::of(batch, among));
            self.scan(&access, passed, |passed| {
                ids.extend(passed.records());
                Ok(ControlFlow::Continue(()))
            })
        })?;
        Ok(ids)
    }
}

/// The error for a key whose values nobody can list.
pub(crate) fn boundless(key: &Expr) -> Error {
    Error::new(Code::Misplaced, "`empty` needs keys whose values are known")
        .at(key.span.clone())
        .expected("labels, references, truth values, or periods such as month(x)")
}

/// What a key is computed by, of the record at hand or a referred one.
pub(crate) fn computed(key: &Expr) -> &Node {
    match &key.node {
        Node::Follow { inner, .. } => computed(inner),
        node => node,
    }
}

/// The days from the first to the last of the periods.
fn spanned(seen: &Vector) -> Option<Period> {
    let periods = (0..seen.len()).filter_map(|at| match seen.value(&FieldType::Period, at) {
        Value::Period(period) => Some(period),
        _ => None,
    });
    periods.reduce(|a, b| Period::new(a.start().min(b.start()), a.end().max(b.end())))
}

/// The period in which a condition asks the days that a key puts into periods to lie.
pub(crate) fn asked_period(filter: &Expr, key: &Expr) -> Option<Period> {
    match (&filter.node, &key.node) {
        (Node::And(parts), _) => parts.iter().find_map(|part| asked_period(part, key)),
        (
            Node::Follow {
                reference: a,
                object,
                inner,
            },
            Node::Follow {
                reference: b,
                object: other,
                inner: key,
            },
        ) if object == other && a == b => asked_period(inner, key),
        (Node::InPeriod { value, period }, Node::Bucket { value: days, .. }) if value == days => {
            match period.as_constant() {
                Some(Value::Period(period)) => Some(*period),
                _ => None,
            }
        }
        _ => None,
    }
}
