//! Business time: hours and days of the book's working calendar, and spans of moments around now.

use super::binder::{Binder, and, cast};
use super::interval::{folded, whole};
use super::scope::Scope;
use super::{Arithmetic, Expr, Function, Node, Type};
use crate::catalog::Role;
use crate::column::Comparison;
use crate::error::{Code, Error, Result, Span};
use crate::query::syntax::{self, BinaryOp, BusinessUnit, ExprKind, Literal};
use crate::value::{Unit, Value};

/// A length that has its meaning beside a moment alone: so many units, a whole number.
struct Stretch {
    count: Expr,
    unit: StretchUnit,
}

#[derive(Clone, Copy)]
enum StretchUnit {
    Clock(Unit),
    Business(BusinessUnit),
}

/// Business time written out.
fn business_of(tree: &syntax::Expr) -> Option<(i64, BusinessUnit)> {
    match tree.kind {
        ExprKind::Literal(Literal::Business { count, unit }) => Some((count, unit)),
        _ => None,
    }
}

impl Binder<'_> {
    /// `moment + 4 business hours`, `date - $n business days`, `date + n * 1 business day`
    pub(super) fn business_shift(
        &self,
        scope: &Scope<'_>,
        operator: Arithmetic,
        left: &syntax::Expr,
        right: &syntax::Expr,
        span: &Span,
    ) -> Result<Option<Expr>> {
        let sign = match operator {
            Arithmetic::Add => 1,
            Arithmetic::Subtract => -1,
            Arithmetic::Multiply | Arithmetic::Divide => return Ok(None),
        };
        let (tree, mut by) = match self.business(scope, right)? {
            Some(by) => (left, by),
            None if sign == 1 => match self.business(scope, left)? {
                Some(by) => (right, by),
                None => return Ok(None),
            },
            None => return Ok(None),
        };
        by.count = folded(Arithmetic::Multiply, by.count, whole(sign, span), span);
        let value = self.expr(scope, tree)?;
        if !matches!(value.ty, Type::DATE | Type::DATETIME) {
            let is = self.describe(&value.ty);
            return Err(Error::new(Code::TypeMismatch, format!("`{tree}` is {is}"))
                .at(value.span)
                .expected("a date or a moment beside business time"));
        }
        self.moved(value, by, span).map(Some)
    }

    /// Business time, or a multiple of it.
    fn business(&self, scope: &Scope<'_>, tree: &syntax::Expr) -> Result<Option<Stretch>> {
        let factor = match &tree.kind {
            ExprKind::Binary {
                op: BinaryOp::Multiply,
                left,
                right,
            } => match (business_of(left), business_of(right)) {
                (Some(length), None) => Some((right, length)),
                (None, Some(length)) => Some((left, length)),
                _ => None,
            },
            _ => None,
        };
        let span = &self.at(&tree.span);
        let (count, unit) = match (factor, business_of(tree)) {
            (Some((factor, (count, unit))), _) => {
                let times = self.units(scope, factor)?;
                let count = folded(Arithmetic::Multiply, times, whole(count, span), span);
                (count, unit)
            }
            (None, Some((count, unit))) => (whole(count, span), unit),
            (None, None) => return Ok(None),
        };
        let unit = StretchUnit::Business(unit);
        Ok(Some(Stretch { count, unit }))
    }

    /// A count of units.
    fn units(&self, scope: &Scope<'_>, tree: &syntax::Expr) -> Result<Expr> {
        let count = self.retype(self.expr(scope, tree)?, &Type::INTEGER);
        match count.ty {
            Type::INTEGER => Ok(count),
            Type::Missing => Ok(cast(count, Type::INTEGER)),
            _ => {
                let is = self.describe(&count.ty);
                Err(Error::new(Code::TypeMismatch, format!("`{tree}` is {is}"))
                    .at(count.span)
                    .expected("a whole number, since units are counted"))
            }
        }
    }

    fn moved(&self, value: Expr, by: Stretch, span: &Span) -> Result<Expr> {
        let Stretch { count, unit } = by;
        if matches!(unit, StretchUnit::Business(_)) {
            self.check_working_hours(span)?;
        }
        let each: i64 = match unit {
            StretchUnit::Business(BusinessUnit::Day) => 1,
            StretchUnit::Clock(Unit::Minute) | StretchUnit::Business(BusinessUnit::Minute) => 60,
            _ => 3600,
        };
        let (amount, times) = match count.as_constant() {
            Some(Value::Integer(count)) => (count.saturating_mul(each), None),
            _ => (each, Some(Box::new(count))),
        };
        let days = matches!(unit, StretchUnit::Business(BusinessUnit::Day));
        let value = match days {
            true => value,
            false => cast(value, Type::DATETIME),
        };
        let ty = value.ty.clone();
        let value = Box::new(value);
        let node = match unit {
            StretchUnit::Clock(_) => Node::Shift {
                value,
                months: 0,
                days: 0,
                seconds: amount,
                times,
            },
            StretchUnit::Business(_) => Node::Work {
                value,
                days: if days { amount } else { 0 },
                seconds: if days { 0 } else { amount },
                times,
            },
        };
        Ok(Expr::new(node, ty, span))
    }

    /// `last $n months`, which stands where `last 3 months` may.
    pub(super) fn counted_period(
        &self,
        scope: &Scope<'_>,
        times: &syntax::Expr,
        span_tree: &syntax::Expr,
        span: &Span,
    ) -> Result<Option<Expr>> {
        let &ExprKind::Literal(Literal::Span {
            count,
            unit,
            forward,
        }) = &span_tree.kind
        else {
            return Ok(None);
        };
        let node = Node::SpanPeriod {
            count: Box::new(self.counted(scope, times, count, span)?),
            unit,
            forward,
        };
        Ok(Some(Expr::new(node, Type::PERIOD, span)))
    }

    /// So many times a count of units, refused below 1 as such a number written out is.
    fn counted(
        &self,
        scope: &Scope<'_>,
        times: &syntax::Expr,
        count: i64,
        span: &Span,
    ) -> Result<Expr> {
        let times = self.units(scope, times)?;
        let node = Node::Function {
            function: Function::Counted,
            arguments: vec![times],
        };
        let times = Expr::new(node, Type::INTEGER, span);
        Ok(folded(
            Arithmetic::Multiply,
            times,
            whole(count, span),
            span,
        ))
    }

    /// That a value lies from `start`, which is now or today, to `far`, before or after it.
    fn between(
        &self,
        scope: &Scope<'_>,
        value: &Expr,
        (start, far): (Expr, Expr),
        forward: bool,
        span: &Span,
    ) -> Result<Expr> {
        // What is now, and the last day, are within; the end of hours to come is not.
        let below = match forward && start.ty == Type::DATETIME {
            true => Comparison::Less,
            false => Comparison::LessEqual,
        };
        let (low, high) = if forward { (start, far) } else { (far, start) };
        let low = self.comparison(scope, Comparison::GreaterEqual, value.clone(), low, span)?;
        let high = self.comparison(scope, below, value.clone(), high, span)?;
        Ok(and(vec![low, high], span))
    }

    /// `value in 4 business hours`, `value in last 2 hours`, `value in 3 days`: from now on, or up
    /// to now.
    pub(super) fn within(
        &self,
        scope: &Scope<'_>,
        value: &Expr,
        list: &syntax::Expr,
        span: &Span,
    ) -> Result<Option<Expr>> {
        let (times, literal) = match &list.kind {
            ExprKind::Literal(literal) => (None, literal),
            ExprKind::Binary {
                op: BinaryOp::Multiply,
                left,
                right,
            } => match (&left.kind, &right.kind) {
                (ExprKind::Parameter(_), ExprKind::Literal(literal)) => (Some(left), literal),
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        if !matches!(value.ty, Type::DATE | Type::DATETIME) {
            return Ok(None);
        }
        let (count, unit, forward) = match *literal {
            Literal::Duration { count, unit } => (count, StretchUnit::Clock(unit), true),
            Literal::Span {
                count,
                unit,
                forward,
            } => (count, StretchUnit::Clock(unit), forward),
            Literal::Business { count, unit } => (count, StretchUnit::Business(unit), true),
            Literal::BusinessSpan {
                count,
                unit,
                forward,
            } => (count, StretchUnit::Business(unit), forward),
            _ => return Ok(None),
        };
        let place = self.at(&list.span);
        if count < 1 {
            return Err(Error::new(Code::BadLiteral, "a period of no length").at(place));
        }
        let count = match times {
            Some(times) => self.counted(scope, times, count, &place)?,
            None => whole(count, &place),
        };
        let days = match unit {
            StretchUnit::Clock(Unit::Minute | Unit::Hour) => false,
            StretchUnit::Clock(unit) => {
                let node = Node::SpanPeriod {
                    count: Box::new(count),
                    unit,
                    forward,
                };
                let period = Expr::new(node, Type::PERIOD, &place);
                return self.in_period(value.clone(), period, span).map(Some);
            }
            StretchUnit::Business(unit) => unit == BusinessUnit::Day,
        };
        if !days && value.ty != Type::DATETIME {
            let message = "hours and minutes count moments, and this is a date";
            return Err(Error::new(Code::TypeMismatch, message)
                .at(value.span.clone())
                .hint("count days: in next 1 day, in next 2 business days"));
        }
        let start = match days {
            true => Expr::new(Node::Today, Type::DATE, &place),
            false => Expr::new(Node::Now, Type::DATETIME, &place),
        };
        let sign = whole(if forward { 1 } else { -1 }, &place);
        let count = folded(Arithmetic::Multiply, count, sign, &place);
        let far = self.moved(start.clone(), Stretch { count, unit }, &place)?;
        self.between(scope, value, (start, far), forward, span)
            .map(Some)
    }

    /// `business_hours(from, to)`: the working time between two moments.
    pub(super) fn business_hours(
        &self,
        scope: &Scope<'_>,
        trees: &[syntax::Expr],
        span: &Span,
    ) -> Result<Expr> {
        self.check_working_hours(span)?;
        let mut arguments = Vec::new();
        for tree in trees {
            let value = self.time(scope, tree)?;
            if value.ty.is_period() {
                return Err(
                    Error::new(Code::TypeMismatch, format!("`{tree}` is a period"))
                        .at(value.span)
                        .expected("a date or a moment")
                        .hint(format!("write start({tree}) or end({tree})")),
                );
            }
            arguments.push(cast(value, Type::DATETIME));
        }
        let node = Node::Function {
            function: Function::BusinessHours,
            arguments,
        };
        Ok(Expr::new(node, Type::DURATION, span))
    }

    /// An error for business time that is no part of a date, a moment or an `in`.
    pub(super) fn misplaced_business(&self, count: i64, unit: BusinessUnit, span: &Span) -> Error {
        let words = Literal::Business { count, unit };
        Error::new(
            Code::TypeMismatch,
            format!("`{words}` have no fixed length"),
        )
        .at(span.clone())
        .hint(format!(
            "add them to a date or a moment, `now + {words}`, or write `in {words}`"
        ))
        .hint("business_hours(from, to) is a duration: compare it with `4 hours`")
    }

    fn check_working_hours(&self, span: &Span) -> Result<()> {
        match self.catalog.playing(Role::WorkingHours) {
            Some(_) => Ok(()),
            None => Err(
                Error::new(Code::UnknownObject, "no object is declared `working_hours`")
                    .at(span.clone())
                    .hint(Role::WorkingHours.example()),
            ),
        }
    }
}
