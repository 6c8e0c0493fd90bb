//! Stored rules: each different text of a batch is bound once and evaluated as vectors over the
//! records it concerns.

use super::follow::distinct;
use super::{Evaluator, internal, narrowed, object_of};
use crate::column::{Bitset, Vector};
use crate::error::Result;
use crate::query::bind::{Expr, Node, Type};
use crate::query::exec::Batch;
use crate::query::label::record_name;
use crate::query::rule::Call;
use crate::value::{RecordId, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// A rule that concerns fewer than one in so many slots is evaluated for these alone.
const SPARSE: usize = 16;

/// A rule, and the slots it is applied to.
type Applied = (Arc<Expr>, Bitset);

impl Evaluator<'_> {
    /// Where the stored filter of each slot holds.
    pub(super) fn matching(&self, expr: &Expr, batch: &Batch<'_>) -> Result<Bitset> {
        let mut hits = Bitset::new(batch.len());
        for (rule, slots) in self.applied(expr, batch)? {
            let (object, record) = target(expr)?;
            let own = matches!(record.node, Node::Id);
            if applies_rules(&rule) || own && slots.count() * SPARSE < batch.len() {
                let places: Vec<usize> = slots.ones().collect();
                let found = narrowed(batch, &places, |batch| match own {
                    true => self.test(&rule, batch),
                    false => self.test_follow(record, object, &rule, batch),
                })?;
                found.ones().for_each(|at| hits.set(places[at], true));
            } else if !own {
                let mut found = self.test_follow(record, object, &rule, batch)?;
                found.and(&slots);
                hits.or(&found);
            } else {
                hits.or(&self.test_among(&rule, batch, &slots)?);
            }
        }
        Ok(hits)
    }

    /// The number of each slot's stored expression.
    pub(super) fn stored_values(&self, expr: &Expr, batch: &Batch<'_>) -> Result<Vector> {
        let mut values = vec![f64::NAN; batch.len()];
        for (rule, slots) in self.applied(expr, batch)? {
            let (object, record) = target(expr)?;
            let found = |batch: &Batch<'_>| match record.node {
                Node::Id => self.evaluate(&rule, batch),
                _ => self.follow(record, object, &rule, batch),
            };
            let places: Vec<usize> = slots.ones().collect();
            let (found, narrow) = match (&record.node, applies_rules(&rule)) {
                (_, true) => (narrowed(batch, &places, found)?, true),
                (Node::Id, false) => (self.evaluate_among(&rule, batch, &slots)?, false),
                (_, false) => (found(batch)?, false),
            };
            let Vector::Floats(found) = found else {
                return Err(internal("a stored expression that is no number", expr));
            };
            for (at, slot) in places.into_iter().enumerate() {
                let at = if narrow { at } else { slot };
                values[slot] = found.get(at).unwrap_or(f64::NAN);
            }
        }
        Ok(Vector::Floats(values.into_iter().collect()))
    }

    /// The different rules of a batch.
    fn applied(&self, expr: &Expr, batch: &Batch<'_>) -> Result<Vec<Applied>> {
        let Node::Stored {
            rule,
            object,
            depth,
            ..
        } = &expr.node
        else {
            return Err(internal("a rule that is none", expr));
        };
        let call = Call {
            object: *object,
            truth: expr.ty == Type::BOOLEAN,
            depth: *depth,
            span: &expr.span,
        };
        // The texts, and for each slot the place of its own: many records share a few rules.
        let (texts, places) = match &rule.node {
            Node::Follow {
                reference,
                object,
                inner,
            } => {
                let ids = self.targets(reference, *object, batch)?;
                let (distinct, places) = distinct(&ids);
                let batch = Batch::Records {
                    object: *object,
                    ids: &distinct,
                };
                (self.evaluate(inner, &batch)?, places)
            }
            _ => {
                let places = (0..).take(batch.len()).map(Some).collect();
                (self.evaluate(rule, batch)?, places)
            }
        };
        let Vector::Texts(texts) = &texts else {
            return Err(internal("a rule that is no text", expr));
        };
        let mut known: HashMap<&str, usize> = HashMap::new();
        let mut numbers = Vec::with_capacity(texts.len());
        for text in texts.iter() {
            let next = known.len();
            numbers.push(text.map(|text| *known.entry(text).or_insert(next)));
        }
        let mut slots = vec![Bitset::new(batch.len()); known.len()];
        for (slot, place) in places.iter().enumerate() {
            if let Some(number) = place.and_then(|place| numbers[place as usize]) {
                slots[number].set(slot, true);
            }
        }
        let mut known: Vec<(&str, usize)> = known.into_iter().collect();
        known.sort_unstable_by_key(|(_, number)| *number);
        let mut applied = Vec::with_capacity(known.len());
        for ((text, _), slots) in known.into_iter().zip(slots) {
            let what = || self.home(rule, batch, slots.ones().next());
            applied.push((self.rule(text, &call, &what)?, slots));
        }
        Ok(applied)
    }

    /// A rule by its text, bound once.
    fn rule(&self, text: &str, call: &Call<'_>, what: &dyn Fn() -> String) -> Result<Arc<Expr>> {
        let key = (call.object, call.truth, call.depth, Arc::from(text));
        if let Some(rule) = self.cache.borrow().rules.get(&key) {
            return Ok(Arc::clone(rule));
        }
        let rule = Arc::new(call.expr(text, self.context, what)?);
        let mut cache = self.cache.borrow_mut();
        cache.rules.insert(key, Arc::clone(&rule));
        Ok(rule)
    }

    /// Where the rule of a slot is stored: `rule` of territories "SW".
    fn home(&self, rule: &Expr, batch: &Batch<'_>, slot: Option<usize>) -> String {
        let unknown = || "a stored rule".to_owned();
        let Some(slot) = slot else { return unknown() };
        match &rule.node {
            Node::Column(field) => match object_of(batch) {
                Some(object) => {
                    let name = &self.context.catalog.object(object).field(*field).name;
                    let id = self.ids(batch).get(slot);
                    let record = id.map_or_else(unknown, |id| {
                        record_name(
                            object,
                            RecordId(id.cast_unsigned()),
                            self.context.snapshot,
                            self.context.catalog,
                        )
                    });
                    format!("`{name}` of {record}")
                }
                None => unknown(),
            },
            Node::Follow {
                reference,
                object,
                inner,
            } => {
                let found = self.evaluate(reference, batch);
                let id = found.map(|ids| ids.value(&reference.ty.field_type(), slot));
                match id {
                    Ok(Value::Reference(id) | Value::AnyReference(_, id)) => {
                        let ids = [id];
                        let object = *object;
                        self.home(inner, &Batch::Records { object, ids: &ids }, Some(0))
                    }
                    _ => unknown(),
                }
            }
            _ => unknown(),
        }
    }
}

/// Whether a rule applies others. It is evaluated for its own slots alone: those around would have
/// their rules applied as deep as it goes, and it may go round in a ring.
fn applies_rules(rule: &Expr) -> bool {
    let mut found = false;
    rule.visit_all(&mut |expr| found |= matches!(expr.node, Node::Stored { .. }));
    found
}

/// The object of the rules, and the record they are applied to.
fn target(expr: &Expr) -> Result<(crate::value::ObjectId, &Expr)> {
    match &expr.node {
        Node::Stored { object, record, .. } => Ok((*object, record)),
        _ => Err(internal("a rule that is none", expr)),
    }
}
