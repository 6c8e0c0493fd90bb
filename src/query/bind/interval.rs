//! Lengths of calendar time that are worked out: `7 days * 2`, `if(won, 1 month, 2 weeks)`.

use super::binder::Binder;
use super::scope::Scope;
use super::{Arithmetic, Expr, Function, Node, Type};
use crate::error::{Result, Span};
use crate::query::syntax::{self, BinaryOp, ExprKind, Literal};
use crate::value::{Unit, Value};

/// Months, days and seconds, whole numbers; nothing of what is absent.
#[derive(Default)]
pub(super) struct Interval {
    parts: [Option<Expr>; 3],
}

impl Binder<'_> {
    /// What a tree of durations comes to; nothing if a factor in it is no whole number.
    pub(super) fn interval(
        &self,
        scope: &Scope<'_>,
        tree: &syntax::Expr,
    ) -> Result<Option<Interval>> {
        let span = &self.at(&tree.span);
        match &tree.kind {
            ExprKind::Literal(Literal::Duration { count, unit }) => {
                Ok(Some(Interval::of(*count, *unit, span)))
            }
            ExprKind::Negate(inner) => {
                let inner = self.interval(scope, inner)?;
                Ok(inner.map(|inner| inner.times(&whole(-1, span), span)))
            }
            ExprKind::Binary { op, left, right } => match op {
                BinaryOp::Multiply => {
                    let (length, factor) = match is_length(left) {
                        true => (left, right),
                        false => (right, left),
                    };
                    let factor = self.retype(self.expr(scope, factor)?, &Type::INTEGER);
                    let length = self.interval(scope, length)?;
                    Ok(length
                        .filter(|_| factor.ty == Type::INTEGER)
                        .map(|length| length.times(&factor, span)))
                }
                _ => {
                    let left = self.interval(scope, left)?;
                    let right = self.interval(scope, right)?;
                    let sign = if *op == BinaryOp::Add { 1 } else { -1 };
                    Ok(left.zip(right).map(|(left, right)| {
                        let right = right.times(&whole(sign, span), span);
                        left.zip(right, |a, b| match (a, b) {
                            (Some(a), Some(b)) => Some(folded(Arithmetic::Add, a, b, span)),
                            (a, b) => a.or(b),
                        })
                    }))
                }
            },
            ExprKind::Call(call) => {
                let condition = self.condition(scope, &call.arguments[0])?;
                let then = self.interval(scope, &call.arguments[1])?;
                let other = match call.arguments.get(2) {
                    Some(other) => self.interval(scope, other)?,
                    None => Some(Interval::default()),
                };
                let absent = match call.arguments.get(2) {
                    Some(_) => whole(0, span),
                    None => Expr::constant(Value::Missing, Type::INTEGER, span),
                };
                let choice = |a: Option<Expr>, b: Option<Expr>| {
                    a.is_some().then_some(()).or(b.is_some().then_some(()))?;
                    let then = a.unwrap_or_else(|| whole(0, span));
                    let other = b.unwrap_or_else(|| absent.clone());
                    let node = Node::Function {
                        function: Function::If,
                        arguments: vec![condition.clone(), then, other],
                    };
                    Some(Expr::new(node, Type::INTEGER, span))
                };
                Ok(then.zip(other).map(|(then, other)| then.zip(other, choice)))
            }
            _ => Ok(None),
        }
    }
}

impl Interval {
    pub(super) fn of(count: i64, unit: Unit, span: &Span) -> Self {
        let (place, each) = match unit {
            Unit::Month | Unit::FiscalMonth => (0, 1),
            Unit::Quarter | Unit::FiscalQuarter => (0, 3),
            Unit::Year | Unit::FiscalYear => (0, 12),
            Unit::Day => (1, 1),
            Unit::Week => (1, 7),
            Unit::Hour => (2, 3600),
            Unit::Minute => (2, 60),
        };
        let mut interval = Self::default();
        interval.parts[place] = Some(whole(count.saturating_mul(each), span));
        interval
    }

    /// Whether it has hours or minutes, which move a moment.
    pub(super) fn is_timed(&self) -> bool {
        self.parts[2].is_some()
    }

    pub(super) fn times(self, factor: &Expr, span: &Span) -> Self {
        let times = |part| folded(Arithmetic::Multiply, part, factor.clone(), span);
        Self {
            parts: self.parts.map(|part| part.map(times)),
        }
    }

    fn zip(
        self,
        other: Self,
        mut both: impl FnMut(Option<Expr>, Option<Expr>) -> Option<Expr>,
    ) -> Self {
        let mut others = other.parts.into_iter();
        Self {
            parts: self.parts.map(|part| both(part, others.next().flatten())),
        }
    }

    /// A date or moment moved by so much: months first.
    pub(super) fn moved(self, mut value: Expr, span: &Span) -> Expr {
        let mut fixed = [0; 3];
        let mut varying = Vec::new();
        for (place, part) in self.parts.into_iter().enumerate() {
            match part.as_ref().map(Expr::as_constant) {
                None => {}
                Some(Some(Value::Integer(n))) if varying.is_empty() => fixed[place] = *n,
                Some(_) => varying.extend(part.map(|part| (place, part))),
            }
        }
        let ty = value.ty.clone();
        let mut shift = |[months, days, seconds]: [i64; 3], times: Option<Expr>| {
            let node = Node::Shift {
                value: Box::new(value.clone()),
                months,
                days,
                seconds,
                times: times.map(Box::new),
            };
            value = Expr::new(node, ty.clone(), span);
        };
        if fixed != [0; 3] || varying.is_empty() {
            shift(fixed, None);
        }
        for (place, times) in varying {
            let mut one = [0; 3];
            one[place] = 1;
            shift(one, Some(times));
        }
        value
    }
}

pub(super) fn whole(n: i64, span: &Span) -> Expr {
    Expr::constant(Value::Integer(n), Type::INTEGER, span)
}

pub(super) fn folded(operator: Arithmetic, left: Expr, right: Expr, span: &Span) -> Expr {
    let (a, b) = (left.as_constant(), right.as_constant());
    let one = |value| operator == Arithmetic::Multiply && value == Some(&Value::Integer(1));
    if one(a) || one(b) {
        return if one(a) { right } else { left };
    }
    if let (Some(Value::Integer(a)), Some(Value::Integer(b))) = (a, b)
        && let Some(n) = match operator {
            Arithmetic::Multiply => a.checked_mul(*b),
            _ => a.checked_add(*b),
        }
    {
        return whole(n, span);
    }
    let node = Node::Arithmetic {
        operator,
        left: Box::new(left),
        right: Box::new(right),
    };
    Expr::new(node, Type::INTEGER, span)
}

/// Whether a tree is made of durations written out: their sums, multiples and choices.
pub(super) fn is_length(tree: &syntax::Expr) -> bool {
    match &tree.kind {
        ExprKind::Literal(Literal::Duration { .. }) => true,
        ExprKind::Negate(inner) => is_length(inner),
        ExprKind::Binary { op, left, right } => match op {
            BinaryOp::Multiply => is_length(left) != is_length(right),
            BinaryOp::Add | BinaryOp::Subtract => is_length(left) && is_length(right),
            _ => false,
        },
        ExprKind::Call(call) => {
            call.name.text.eq_ignore_ascii_case("if")
                && (2..=3).contains(&call.arguments.len())
                && call.filter.is_none()
                && !call.distinct
                && call.order.is_empty()
                && call.arguments[1..].iter().all(is_length)
        }
        _ => false,
    }
}

/// Whether there are months, quarters or years among the durations of a tree.
pub(super) fn has_months(tree: &syntax::Expr) -> bool {
    match &tree.kind {
        ExprKind::Literal(Literal::Duration { unit, .. }) => {
            super::arithmetic::seconds_of(*unit).is_none()
        }
        _ => tree.children().into_iter().any(has_months),
    }
}
