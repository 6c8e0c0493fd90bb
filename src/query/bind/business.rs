//! Business time: hours and days of the book's working calendar, and spans of moments around now.

use super::binder::{Binder, and, cast};
use super::interval::Interval;
use super::scope::Scope;
use super::{Arithmetic, Expr, Function, Node, Type};
use crate::catalog::Role;
use crate::column::Comparison;
use crate::error::{Code, Error, Result, Span};
use crate::query::syntax::{self, BinaryOp, BusinessUnit, ExprKind, Literal};
use crate::value::Unit;

/// A length that has its meaning beside a moment alone.
#[derive(Clone, Copy)]
struct Stretch {
    count: i64,
    unit: StretchUnit,
}

#[derive(Clone, Copy)]
enum StretchUnit {
    Clock(Unit),
    Business(BusinessUnit),
}

impl Binder<'_> {
    /// `moment + 4 business hours`, `date - 3 business days`
    pub(super) fn business_shift(
        &self,
        scope: &Scope<'_>,
        operator: Arithmetic,
        left: &syntax::Expr,
        right: &syntax::Expr,
        span: &Span,
    ) -> Result<Option<Expr>> {
        let (tree, count, unit) = match (operator, &left.kind, &right.kind) {
            (Arithmetic::Add, _, ExprKind::Literal(Literal::Business { count, unit })) => {
                (left, *count, *unit)
            }
            (Arithmetic::Subtract, _, ExprKind::Literal(Literal::Business { count, unit })) => {
                (left, count.saturating_neg(), *unit)
            }
            (Arithmetic::Add, ExprKind::Literal(Literal::Business { count, unit }), _) => {
                (right, *count, *unit)
            }
            _ => return Ok(None),
        };
        let value = self.expr(scope, tree)?;
        if !matches!(value.ty, Type::DATE | Type::DATETIME) {
            let is = self.describe(&value.ty);
            return Err(Error::new(Code::TypeMismatch, format!("`{tree}` is {is}"))
                .at(value.span)
                .expected("a date or a moment beside business time"));
        }
        let unit = StretchUnit::Business(unit);
        self.moved(value, Stretch { count, unit }, span).map(Some)
    }

    fn moved(&self, value: Expr, by: Stretch, span: &Span) -> Result<Expr> {
        let Stretch { count, unit } = by;
        if matches!(unit, StretchUnit::Business(_)) {
            self.check_working_hours(span)?;
        }
        let each = match unit {
            StretchUnit::Business(BusinessUnit::Day) => 1,
            StretchUnit::Clock(Unit::Minute) | StretchUnit::Business(BusinessUnit::Minute) => 60,
            _ => 3600,
        };
        let amount = count.saturating_mul(each);
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
                times: None,
            },
            StretchUnit::Business(_) => Node::Work {
                value,
                days: if days { amount } else { 0 },
                seconds: if days { 0 } else { amount },
            },
        };
        Ok(Expr::new(node, ty, span))
    }

    /// `value in last $n months`: as many as the parameter says.
    fn within_given(
        &self,
        scope: &Scope<'_>,
        value: &Expr,
        list: &syntax::Expr,
        span: &Span,
    ) -> Result<Option<Expr>> {
        let ExprKind::Binary {
            op: BinaryOp::Multiply,
            left,
            right,
        } = &list.kind
        else {
            return Ok(None);
        };
        let (
            ExprKind::Parameter(_),
            &ExprKind::Literal(Literal::Span {
                count,
                unit,
                forward,
            }),
        ) = (&left.kind, &right.kind)
        else {
            return Ok(None);
        };
        if !matches!(value.ty, Type::DATE | Type::DATETIME) {
            return Ok(None);
        }
        let place = self.at(&list.span);
        let times = self.retype(self.expr(scope, left)?, &Type::INTEGER);
        let length = Interval::of(if forward { count } else { -count }, unit, &place);
        let timed = length.is_timed();
        let start = match timed {
            false => Expr::new(Node::Today, Type::DATE, &place),
            true => Expr::new(Node::Now, Type::DATETIME, &place),
        };
        let far = length.times(&times, &place).moved(start.clone(), &place);
        self.between(scope, value, (start, far), forward, span)
            .map(Some)
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
        if let Some(within) = self.within_given(scope, value, list, span)? {
            return Ok(Some(within));
        }
        let ExprKind::Literal(literal) = &list.kind else {
            return Ok(None);
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
            return Err(Error::new(Code::BadLiteral, "a span of no length").at(place));
        }
        let days = match unit {
            StretchUnit::Clock(Unit::Minute | Unit::Hour) => false,
            StretchUnit::Clock(unit) => {
                let node = Node::SpanPeriod {
                    count,
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
        let count = if forward { count } else { -count };
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
