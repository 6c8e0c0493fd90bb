//! Evaluation of expressions over batches: values as vectors, conditions as bitsets.
//!
//! Expressions are folded: sub-queries, labels, clock and parameters are constants and sets by
//! then. What an expression needs of other objects is computed for all their records at once and
//! kept as long as the evaluator lives.

mod arithmetic;
mod business;
mod cast;
mod condition;
mod correlated;
mod crossed;
mod follow;
mod function;
mod gather;
mod keyed;
mod money;
mod read;
mod stored;
#[cfg(test)]
mod tests;
mod time;

pub(super) use arithmetic::rounded;
use correlated::Run;
pub(crate) use money::known_rates;
use read::{Cache, concat, constant};

use super::memory::Memory;
use super::profile::Profile;
use super::{Batch, Context, Frame, Threads};
use crate::column::CHUNK_RECORDS;
use crate::column::{Bits, Bitset, Vector};
use crate::error::{Code, Error, Kind, Result};
use crate::query::bind::{Expr, Node, Type};
use crate::query::plan::fold_expr;
use crate::value::{ObjectId, RecordId, Value};
use std::cell::RefCell;

/// Evaluates the expressions of one execution.
pub(crate) struct Evaluator<'a> {
    pub(super) context: &'a Context<'a>,
    cache: RefCell<Cache>,
    pub(super) profile: Profile,
    pub(super) memory: Memory,
    /// Those that a scan may use.
    pub(super) threads: Threads,
    runs: RefCell<Vec<Run<'a>>>,
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(context: &'a Context<'a>) -> Self {
        Self {
            context,
            cache: RefCell::default(),
            profile: Profile::default(),
            memory: Memory::new(context.memory_bytes),
            threads: context.threads,
            runs: RefCell::default(),
        }
    }

    /// One for another thread, which knows what this one has computed of all records.
    pub(super) fn fork(&self) -> Self {
        Self {
            context: self.context,
            cache: RefCell::new(self.cache.borrow().fork()),
            profile: self.profile.fork(),
            memory: self.memory.clone(),
            threads: Threads::ONE,
            runs: RefCell::default(),
        }
    }

    /// The values of an expression, in the shape of its type.
    pub(crate) fn evaluate(&self, expr: &Expr, batch: &Batch<'_>) -> Result<Vector> {
        match &expr.node {
            Node::Constant(value) => Ok(constant(value, expr.ty.shape(), batch.len())),
            Node::Id => Ok(Vector::Ints(self.ids(batch))),
            Node::Column(field) => self.column(*field, &expr.ty, batch),
            Node::Slot(at) => match batch {
                Batch::Slots(frame) => frame.columns.get(*at).cloned(),
                _ => None,
            }
            .ok_or_else(|| internal("a slot without a frame", expr)),
            Node::Follow {
                reference,
                object,
                inner,
            } => self.follow(reference, *object, inner, batch),
            Node::Collect(collect) => self.collect(collect, batch),
            Node::Correlated { given, body } => self.correlated(given, body, batch),
            Node::Arithmetic {
                operator,
                left,
                right,
            } => self.arithmetic(expr, *operator, left, right, batch),
            Node::Negate(value) => self.negate(expr, value, batch),
            Node::Shift {
                value,
                months,
                days,
                seconds,
                times,
            } => {
                let by = [*months, *days, *seconds];
                self.shift(value, by, times.as_deref(), expr, batch)
            }
            Node::Work {
                value,
                days,
                seconds,
                times,
            } => {
                let by = [*days, *seconds];
                self.work(value, by, times.as_deref(), expr, batch)
            }
            Node::Bucket { unit, value } => self.bucket(*unit, value, expr, batch),
            Node::ToBase { value, on } => self.to_base(value, on.as_deref(), expr, batch),
            Node::Convert { value, to, on } => self.convert(value, *to, on.as_deref(), expr, batch),
            Node::Cast(value) => self.cast(value, expr, batch),
            Node::Rank(value) => self.rank(value, expr, batch),
            Node::Function {
                function,
                arguments,
            } => self.function(*function, arguments, expr, batch),
            Node::Stored { .. } if expr.ty != Type::BOOLEAN => self.stored_values(expr, batch),
            Node::And(_)
            | Node::Or(_)
            | Node::Not(_)
            | Node::Compare { .. }
            | Node::IsMissing(_)
            | Node::InList { .. }
            | Node::InPeriod { .. }
            | Node::IsObject { .. }
            | Node::Has { .. }
            | Node::Contains { .. }
            | Node::Like { .. }
            | Node::Under { .. }
            | Node::Stored { .. }
            | Node::InRecords { .. }
            | Node::InIntegers { .. } => Ok(Vector::Bits(Bits {
                data: self.test(expr, batch)?,
                missing: None,
            })),
            Node::Keyed { key, query } => self.keyed(key, query, expr, batch),
            Node::Window(_) => Err(internal("a function over all rows", expr)),
            Node::InQuery { .. }
            | Node::Given(_)
            | Node::Argument { .. }
            | Node::Parameter(_)
            | Node::Today
            | Node::Now
            | Node::Me
            | Node::RelativePeriod { .. }
            | Node::SpanPeriod { .. }
            | Node::Lookup { .. }
            | Node::Subquery(_) => Err(internal("an expression that was not folded", expr)),
        }
    }

    /// The slots for which a condition holds; missing counts as false.
    pub(crate) fn test(&self, expr: &Expr, batch: &Batch<'_>) -> Result<Bitset> {
        match &expr.node {
            Node::And(parts) => {
                let mut hits = Bitset::full(batch.len());
                self.narrow(parts, batch, &mut hits)?;
                Ok(hits)
            }
            Node::Or(parts) => {
                let mut open = Bitset::full(batch.len());
                for part in parts {
                    if open.none() {
                        break;
                    }
                    let hits = self.test_among(part, batch, &open)?;
                    open.and_not(&hits);
                }
                open.not();
                Ok(open)
            }
            Node::Not(inner) => {
                let mut hits = self.test(inner, batch)?;
                hits.not();
                Ok(hits)
            }
            Node::Compare {
                comparison,
                left,
                right,
            } => self.compare(*comparison, left, right, expr, batch),
            Node::IsMissing(value) => Ok(self.evaluate(value, batch)?.missing_slots()),
            Node::InList { value, list } => self.in_list(value, list, expr, batch),
            Node::InPeriod { value, period } => self.in_period(value, period, expr, batch),
            Node::IsObject { value, object } => self.is_object(value, *object, batch),
            Node::Has { value, label } => self.has(value, *label, expr, batch),
            Node::Contains { value, pattern } => self.contains(value, pattern, expr, batch),
            Node::Like { value, pattern } => self.like(value, pattern, expr, batch),
            Node::Under {
                value,
                root,
                object,
                above,
            } => match *above {
                false => self.under(value, root, *object, expr, batch),
                true => self.under(root, value, *object, expr, batch),
            },
            Node::Stored { .. } => self.matching(expr, batch),
            Node::InRecords { value, set } => self.in_records(value, set, expr, batch),
            Node::InIntegers { value, set } => self.in_integers(value, set, expr, batch),
            Node::Follow {
                reference,
                object,
                inner,
            } => self.test_follow(reference, *object, inner, batch),
            _ => match self.evaluate(expr, batch)? {
                Vector::Bits(bits) => Ok(bits.data),
                _ => Err(internal("a condition that is no truth value", expr)),
            },
        }
    }

    /// Leaves in `among` the slots that meet all conditions. One that fails for a slot is asked
    /// again of those alone that meet the others, so that their order does not matter.
    pub(super) fn narrow<'e>(
        &self,
        conditions: impl IntoIterator<Item = &'e Expr>,
        batch: &Batch<'_>,
        among: &mut Bitset,
    ) -> Result<()> {
        let mut failed = Vec::new();
        for condition in conditions {
            match self.test_among(condition, batch, among) {
                Ok(hits) => *among = hits,
                Err(error) if error.kind() == Kind::Constraint => failed.push(condition),
                Err(error) => return Err(error),
            }
        }
        for condition in failed {
            *among = self.test_among(condition, batch, among)?;
        }
        Ok(())
    }

    /// Like [`Self::test`] for the slots of `among` alone; others are false.
    pub(super) fn test_among(
        &self,
        expr: &Expr,
        batch: &Batch<'_>,
        among: &Bitset,
    ) -> Result<Bitset> {
        if among.none() {
            return Ok(Bitset::new(batch.len()));
        }
        if !runs_for_each(expr) || among.all() {
            match self.test(expr, batch) {
                Ok(mut hits) => {
                    hits.and(among);
                    return Ok(hits);
                }
                Err(error) if is_of_a_slot(&error) && !among.all() => {}
                Err(error) => return Err(error),
            }
        }
        let slots: Vec<usize> = among.ones().collect();
        let found = narrowed(batch, &slots, |batch| self.test(expr, batch))?;
        let mut hits = Bitset::new(batch.len());
        found.ones().for_each(|at| hits.set(slots[at], true));
        Ok(hits)
    }

    /// Like [`Self::evaluate`] for the slots of `among` alone; others hold anything.
    pub(super) fn evaluate_among(
        &self,
        expr: &Expr,
        batch: &Batch<'_>,
        among: &Bitset,
    ) -> Result<Vector> {
        if !runs_for_each(expr) || among.all() {
            match self.evaluate(expr, batch) {
                Err(error) if is_of_a_slot(&error) && !among.all() => {}
                result => return result,
            }
        }
        let slots: Vec<usize> = among.ones().collect();
        let found = narrowed(batch, &slots, |batch| self.evaluate(expr, batch))?;
        let mut places = vec![None; batch.len()];
        for (at, &slot) in (0..).zip(&slots) {
            places[slot] = Some(at);
        }
        Ok(found.gather(&places))
    }
}

/// The value of an expression that has no frame.
pub(crate) fn alone(expr: &Expr, context: &Context<'_>) -> Result<Value> {
    let folded = fold_expr(expr, context)?;
    if let Some(value) = folded.as_constant() {
        return Ok(value.clone());
    }
    let frame = Frame {
        columns: Vec::new(),
        len: 1,
    };
    let vector = Evaluator::new(context).evaluate(&folded, &Batch::Slots(&frame))?;
    Ok(vector.value(&folded.ty.field_type(), 0))
}

/// Whether a slot that does not count may have failed, its value or its rule.
fn is_of_a_slot(error: &Error) -> bool {
    error.kind() == Kind::Constraint || error.code() == Code::Recursive
}

/// Whether what an expression costs grows with each slot it is asked for, as runs of a query do:
/// then slots that do not count are left out first. Asked for every batch.
fn runs_for_each(expr: &Expr) -> bool {
    match &expr.node {
        Node::Correlated { .. } | Node::Keyed { .. } => true,
        Node::Not(value) | Node::IsMissing(value) | Node::Negate(value) | Node::Cast(value) => {
            runs_for_each(value)
        }
        Node::InRecords { value, .. } | Node::InIntegers { value, .. } => runs_for_each(value),
        Node::Compare { left, right, .. } | Node::Arithmetic { left, right, .. } => {
            runs_for_each(left) || runs_for_each(right)
        }
        Node::Function { arguments, .. } => arguments.iter().any(runs_for_each),
        _ => false,
    }
}

/// Runs over a batch of these slots of another.
fn narrowed<R>(batch: &Batch<'_>, slots: &[usize], run: impl FnOnce(&Batch<'_>) -> R) -> R {
    match batch {
        Batch::Chunk { object, chunk, .. } => {
            let first = u64::from(chunk.0) * CHUNK_RECORDS as u64;
            let ids: Vec<_> = slots
                .iter()
                .map(|&at| RecordId(first + at as u64))
                .collect();
            run(&Batch::Records {
                object: *object,
                ids: &ids,
            })
        }
        Batch::Records { object, ids } => {
            let ids: Vec<_> = slots.iter().map(|&at| ids[at]).collect();
            run(&Batch::Records {
                object: *object,
                ids: &ids,
            })
        }
        Batch::Rows { object, rows, ids } => {
            let rows: Vec<_> = slots.iter().map(|&at| rows[at].clone()).collect();
            let ids: Option<Vec<_>> = ids.map(|ids| slots.iter().map(|&at| ids[at]).collect());
            run(&Batch::Rows {
                object: *object,
                rows: &rows,
                ids: ids.as_deref(),
            })
        }
        Batch::Slots(frame) => {
            let places: Vec<_> = slots.iter().map(|&at| u32::try_from(at).ok()).collect();
            run(&Batch::Slots(&Frame {
                columns: frame.columns.iter().map(|c| c.gather(&places)).collect(),
                len: slots.len(),
            }))
        }
    }
}

/// The object whose records a batch has.
fn object_of(batch: &Batch<'_>) -> Option<ObjectId> {
    match batch {
        Batch::Chunk { object, .. }
        | Batch::Records { object, .. }
        | Batch::Rows { object, .. } => Some(*object),
        Batch::Slots(_) => None,
    }
}

fn internal(what: &str, expr: &Expr) -> Error {
    Error::new(Code::Internal, format!("{what} was evaluated")).at(expr.span.clone())
}

fn overflow(expr: &Expr) -> Error {
    Error::new(Code::Overflow, "the result is too large for its type").at(expr.span.clone())
}
