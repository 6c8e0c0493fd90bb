//! Sub-queries that ask which stored rules hold for the record around: each rule is tested on a
//! whole batch of those records, never each record on its own.
//!
//! Scoring is `(rules where matches(condition, outer) select sum(points))`, routing
//! `(rules where matches(condition, outer) select rep order by position limit 1)`.

use super::Evaluator;
use crate::column::Bitset;
use crate::column::Vector;
use crate::error::{Code, Error, Result};
use crate::query::bind::{Aggregate, ColumnValue, Expr, Group, Node, Query, Source, Type};
use crate::query::exec::aggregate::Accumulator;
use crate::query::exec::profile::part;
use crate::query::exec::{Batch, Frame, records};
use crate::query::label::record_name;
use crate::query::plan;
use crate::query::rule::Call;
use crate::value::{ObjectId, RecordId, Value};
use std::sync::Arc;

/// A sub-query over rules, made ready for batches of the records around.
pub(super) struct Crossed {
    object: ObjectId,
    /// In the query's order: each rule's record, and its conditions on the record around.
    rules: Vec<(RecordId, Expr)>,
    /// What is shown of the rules that hold, folded.
    shown: Query,
}

impl Evaluator<'_> {
    /// The sub-query's value for each slot; nothing if it is of another form, or has more rules
    /// than the batch has records.
    pub(super) fn crossed(
        &self,
        given: &[Expr],
        body: &Arc<Expr>,
        batch: &Batch<'_>,
    ) -> Result<Option<Vector>> {
        let key = part(&**body);
        let known = self.cache.borrow().crossed.get(&key).cloned();
        let crossed = match known {
            Some((_, crossed)) => crossed,
            None => {
                let made = self.cross(given, body)?.map(Arc::new);
                let entry = (Arc::clone(body), made.clone());
                self.cache.borrow_mut().crossed.insert(key, entry);
                made
            }
        };
        let Some(crossed) = crossed.filter(|crossed| crossed.rules.len() <= batch.len()) else {
            return Ok(None);
        };
        match &crossed.shown.group {
            Some(group) => self.crossed_group(&crossed, group, batch),
            None => self.crossed_rule(&crossed, body, batch),
        }
        .map(Some)
    }

    /// The aggregates of the rules that hold, for each slot.
    fn crossed_group(&self, crossed: &Crossed, group: &Group, batch: &Batch<'_>) -> Result<Vector> {
        let count = batch.len();
        let live = self.live(batch)?;
        let accumulators = group.aggregates.iter();
        let mut accumulators = accumulators
            .map(|aggregate| Accumulator::new(aggregate, self.context))
            .collect::<Result<Vec<_>>>()?;
        for (id, condition) in &crossed.rules {
            self.context.interrupt.check()?;
            let hits = self.test_among(condition, batch, &live)?;
            let slots: Vec<u32> = hits
                .ones()
                .filter_map(|at| u32::try_from(at).ok())
                .collect();
            let ids = vec![*id; slots.len()];
            let rules = Batch::Records {
                object: crossed.object,
                ids: &ids,
            };
            for accumulator in &mut accumulators {
                let all = Bitset::full(ids.len());
                accumulator.update(self, &rules, &all, &slots, count)?;
            }
        }
        let columns = accumulators.into_iter();
        let frame = Frame {
            columns: columns
                .map(|accumulator| accumulator.finish(count, self))
                .collect::<Result<_>>()?,
            len: count,
        };
        self.evaluate(column(&crossed.shown)?, &Batch::Slots(&frame))
    }

    /// What is shown of the one rule that holds, or of the first one, for each slot.
    fn crossed_rule(
        &self,
        crossed: &Crossed,
        body: &Arc<Expr>,
        batch: &Batch<'_>,
    ) -> Result<Vector> {
        let mut open = self.live(batch)?;
        let mut first: Vec<Option<u32>> = vec![None; batch.len()];
        let first_alone = crossed.shown.limit.is_some();
        for (at, (_, condition)) in (0..).zip(&crossed.rules) {
            self.context.interrupt.check()?;
            let hits = self.test_among(condition, batch, &open)?;
            for slot in hits.ones() {
                if first[slot].replace(at).is_some() {
                    let message = "the query gives several rows where one is needed";
                    return Err(Error::new(Code::TooManyRows, message)
                        .at(body.span.clone())
                        .hint("add a condition, or `limit 1`"));
                }
            }
            if first_alone {
                open.and_not(&hits);
            }
        }
        let ids: Vec<RecordId> = crossed.rules.iter().map(|(id, _)| *id).collect();
        let rules = Batch::Records {
            object: crossed.object,
            ids: &ids,
        };
        Ok(self
            .evaluate(column(&crossed.shown)?, &rules)?
            .gather(&first))
    }

    fn live(&self, batch: &Batch<'_>) -> Result<Bitset> {
        match batch {
            Batch::Chunk { object, chunk, .. } => self.context.snapshot.live(*object, *chunk),
            _ => Ok(Bitset::full(batch.len())),
        }
    }

    fn cross(&self, given: &[Expr], body: &Expr) -> Result<Option<Crossed>> {
        let Node::Subquery(query) = &body.node else {
            return Ok(None);
        };
        let Source::Object(object) = query.source else {
            return Ok(None);
        };
        let conditions = match query.filter.as_ref() {
            Some(Expr {
                node: Node::And(list),
                ..
            }) => list.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        let (rules, others): (Vec<&Expr>, Vec<&Expr>) =
            conditions.iter().partition(|condition| mentions(condition));
        if rules.is_empty() || !rules.iter().all(|rule| is_rule(rule)) || !is_plain(query) {
            return Ok(None);
        }
        // Which rules there are, and in which order, does not depend on the record around.
        let span = &body.span;
        let filter = others.into_iter().cloned().collect();
        let shown = Query {
            filter: Some(Expr::new(Node::And(filter), Type::BOOLEAN, span)),
            page: None,
            ..(**query).clone()
        };
        let own = Type::Plain(crate::value::FieldType::Reference(object));
        let mut list = Query {
            group: None,
            limit: None,
            ..shown.clone()
        };
        for column in list.columns.iter_mut().take(1) {
            column.value = ColumnValue::Expr(Expr::new(Node::Id, own.clone(), span));
        }
        let mut found = Vec::new();
        for id in records(&list, self.context)? {
            let conditions = rules
                .iter()
                .map(|rule| self.applied_to(rule, object, id, given))
                .collect::<Result<_>>()?;
            found.push((id, Expr::new(Node::And(conditions), Type::BOOLEAN, span)));
        }
        Ok(Some(Crossed {
            object,
            rules: found,
            shown: plan::fold(&shown, self.context)?,
        }))
    }

    /// `matches(rule, outer...)` of one record, over the records around.
    fn applied_to(
        &self,
        condition: &Expr,
        object: ObjectId,
        id: RecordId,
        given: &[Expr],
    ) -> Result<Expr> {
        match &condition.node {
            Node::Not(inner) => {
                let inner = Box::new(self.applied_to(inner, object, id, given)?);
                Ok(Expr::new(Node::Not(inner), Type::BOOLEAN, &condition.span))
            }
            Node::Stored {
                rule,
                object: of,
                record,
                depth,
            } => {
                let ids = [id];
                let batch = Batch::Records { object, ids: &ids };
                let rule = plan::fold_expr(rule, self.context)?;
                let text = self
                    .evaluate(&rule, &batch)?
                    .value(&rule.ty.field_type(), 0);
                let call = Call {
                    object: *of,
                    truth: true,
                    depth: *depth,
                    span: &condition.span,
                };
                let (Value::Text(text), Node::Given(at)) = (text, &record.node) else {
                    return Ok(call.nothing());
                };
                let what = || {
                    format!(
                        "a rule of {}",
                        record_name(object, id, self.context.snapshot, self.context.catalog)
                    )
                };
                let rule = call.expr(&text, self.context, &what)?;
                let record = given[*at].clone();
                if matches!(record.node, Node::Id) {
                    return Ok(rule);
                }
                let node = Node::Follow {
                    reference: Box::new(record),
                    object: *of,
                    inner: Arc::new(rule),
                };
                Ok(Expr::new(node, Type::BOOLEAN, &condition.span))
            }
            _ => Err(super::internal("a condition that is no rule", condition)),
        }
    }
}

fn column(query: &Query) -> Result<&Expr> {
    match query.columns.first().map(|column| &column.value) {
        Some(ColumnValue::Expr(value)) => Ok(value),
        _ => Err(Error::new(Code::Internal, "a sub-query without a value")),
    }
}

/// `matches(rule, outer...)`, or its opposite.
fn is_rule(condition: &Expr) -> bool {
    match &condition.node {
        Node::Not(inner) => is_rule(inner),
        Node::Stored { rule, record, .. } => {
            matches!(record.node, Node::Given(_)) && !mentions(rule)
        }
        _ => false,
    }
}

/// One column, of all rules or of the first, in which nothing depends on the record around.
fn is_plain(query: &Query) -> bool {
    let one_row = match (&query.group, &query.limit) {
        (Some(group), None) => {
            let free =
                |aggregate: &Aggregate| !aggregate_mentions(aggregate) && aggregate.over.is_none();
            group.keys.is_empty() && group.aggregates.iter().all(free)
        }
        (None, None) => true,
        (None, Some(limit)) => {
            limit.per.is_empty()
                && !limit.with_ties
                && limit.count.as_constant() == Some(&Value::Integer(1))
        }
        _ => false,
    };
    let free = |value: &ColumnValue| match value {
        ColumnValue::Expr(value) => !mentions(value) && !value.is_over_rows(),
        ColumnValue::Nested(_) => false,
    };
    one_row
        && query.having.is_none()
        && query.offset.is_none()
        && query.page.as_ref().is_none_or(|page| page.after.is_none())
        && query.unions.is_empty()
        && query.columns.len() == 1
        && query.columns.iter().all(|column| free(&column.value))
        && !query.order.iter().any(|key| mentions(&key.value))
}

fn aggregate_mentions(aggregate: &Aggregate) -> bool {
    let order = aggregate.order.iter().map(|key| &key.value);
    let parts = aggregate.argument.iter().chain(&aggregate.second);
    parts.chain(&aggregate.filter).chain(order).any(mentions)
}

/// Whether a value given from around stands in the expression.
fn mentions(expr: &Expr) -> bool {
    let inside = match &expr.node {
        Node::Given(_) => true,
        Node::Follow { inner, .. } => mentions(inner),
        Node::Collect(collect) => {
            collect.filter.iter().any(mentions) || aggregate_mentions(&collect.aggregate)
        }
        _ => false,
    };
    inside || expr.node.operands().into_iter().any(mentions)
}
