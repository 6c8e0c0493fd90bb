//! Arithmetic: numbers, amounts, durations, and dates moved by units of the calendar.

use super::binder::{Binder, cast};
use super::interval::{has_months, is_length};
use super::scope::Scope;
use super::{Arithmetic, Expr, Function, Node, Type};
use crate::error::{Code, Error, Result, Span};
use crate::query::syntax::{self, BinaryOp, ExprKind, Literal};
use crate::value::{FieldType, Unit, Value};

impl Binder<'_> {
    pub(super) fn negate(
        &self,
        scope: &Scope<'_>,
        inner: &syntax::Expr,
        span: &Span,
    ) -> Result<Expr> {
        let value = self.expr(scope, inner)?;
        let ty = match &value.ty {
            Type::Plain(
                FieldType::Integer
                | FieldType::Number
                | FieldType::Money
                | FieldType::Percent
                | FieldType::Duration,
            ) => value.ty.clone(),
            Type::Missing => Type::NUMBER,
            other => {
                let is = self.describe(other);
                return Err(Error::new(Code::TypeMismatch, format!("`{inner}` is {is}"))
                    .at(value.span)
                    .expected("a number, an amount or a duration after `-`"));
            }
        };
        let ready = match value.node {
            Node::Constant(Value::Integer(n)) => n.checked_neg().map(Value::Integer),
            Node::Constant(Value::Number(n)) => Some(Value::Number(-n)),
            _ => None,
        };
        Ok(match ready {
            Some(constant) => Expr::constant(constant, ty, span),
            None => Expr::new(Node::Negate(Box::new(value)), ty, span),
        })
    }

    pub(super) fn arithmetic(
        &self,
        scope: &Scope<'_>,
        operator: Arithmetic,
        left_tree: &syntax::Expr,
        right_tree: &syntax::Expr,
        span: &Span,
    ) -> Result<Expr> {
        if let Some(shift) = self.shift(scope, operator, left_tree, right_tree, span)? {
            return Ok(shift);
        }
        if let Some(shift) = self.business_shift(scope, operator, left_tree, right_tree, span)? {
            return Ok(shift);
        }
        if let Some(period) = self.counted_period(scope, left_tree, right_tree, span)? {
            return Ok(period);
        }
        let mut left = number_cell(scope, self.expr(scope, left_tree)?);
        let mut right = number_cell(scope, self.expr(scope, right_tree)?);
        // What scales an amount, a length of time or a percentage is a number.
        let beside = |ty: &Type, scales: bool| match ty {
            Type::Plain(FieldType::Money | FieldType::Duration | FieldType::Percent) if scales => {
                Type::NUMBER
            }
            Type::Plain(FieldType::DateTime) if operator == Add => Type::DURATION,
            ty => ty.clone(),
        };
        let product = matches!(operator, Multiply | Divide);
        if left.ty == Type::Missing {
            left.ty = beside(&right.ty, operator == Multiply);
        }
        if right.ty == Type::Missing {
            right.ty = beside(&left.ty, product);
        }
        let mismatch = || {
            let verb = match operator {
                Add => "added to",
                Subtract => "subtracted from",
                Multiply => "multiplied with",
                Divide => "divided by",
            };
            let (l, r) = (self.describe(&left.ty), self.describe(&right.ty));
            let message = match operator {
                Add | Subtract => {
                    format!("{r} cannot be {verb} {l}: `{right_tree}`, `{left_tree}`")
                }
                Multiply | Divide => {
                    format!("{l} cannot be {verb} {r}: `{left_tree}`, `{right_tree}`")
                }
            };
            let error = Error::new(Code::TypeMismatch, message).at(span.clone());
            match (&left.ty, &right.ty) {
                (Type::Plain(FieldType::Text), _) | (_, Type::Plain(FieldType::Text)) => {
                    error.hint("to join texts write concat(a, b)")
                }
                (Type::Plain(FieldType::Date), Type::Plain(FieldType::Integer)) => {
                    let sign = if operator == Add { "+" } else { "-" };
                    error.hint(match right_tree.kind {
                        ExprKind::Literal(_) => {
                            format!("say the unit: `{left_tree} {sign} {right_tree} days`")
                        }
                        _ => format!("say the unit: `{left_tree} {sign} {right_tree} * 1 day`"),
                    })
                }
                _ => error,
            }
        };
        use Arithmetic::{Add, Divide, Multiply, Subtract};
        use FieldType as F;
        let (Type::Plain(l), Type::Plain(r)) = (left.ty.clone(), right.ty.clone()) else {
            return Err(mismatch());
        };
        if matches!(operator, Add | Subtract) {
            check_share(operator, [left_tree, right_tree], [&l, &r], span)?;
        }
        let numeric = |ty: &F| matches!(ty, F::Integer | F::Number | F::Percent);
        let to_base = |value| self.to_base(scope, value);
        let (left, right, ty) = match (operator, &l, &r) {
            (Add | Subtract | Multiply, F::Integer, F::Integer) => (left, right, Type::INTEGER),
            (Add | Subtract, F::Percent, F::Percent) => (left, right, Type::Plain(F::Percent)),
            (_, l, r) if numeric(l) && numeric(r) => (
                cast(left, Type::NUMBER),
                cast(right, Type::NUMBER),
                Type::NUMBER,
            ),
            (Add | Subtract, F::Money, r) if *r == F::Money || numeric(r) => (
                to_base(left),
                to_base(cast(right, Type::MONEY)),
                Type::MONEY,
            ),
            (Add | Subtract, l, F::Money) if numeric(l) => (
                to_base(cast(left, Type::MONEY)),
                to_base(right),
                Type::MONEY,
            ),
            (Multiply, F::Money, r) if numeric(r) => (left, cast(right, Type::NUMBER), Type::MONEY),
            (Multiply, l, F::Money) if numeric(l) => (right, cast(left, Type::NUMBER), Type::MONEY),
            (Divide, F::Money, r) if numeric(r) => (left, cast(right, Type::NUMBER), Type::MONEY),
            (Divide, F::Money, F::Money) => (to_base(left), to_base(right), Type::NUMBER),
            (Add | Subtract, F::Duration, F::Duration) => (left, right, Type::DURATION),
            (Multiply, F::Duration, r) if numeric(r) => {
                (left, cast(right, Type::NUMBER), Type::DURATION)
            }
            (Multiply, l, F::Duration) if numeric(l) => {
                (right, cast(left, Type::NUMBER), Type::DURATION)
            }
            (Divide, F::Duration, r) if numeric(r) => {
                (left, cast(right, Type::NUMBER), Type::DURATION)
            }
            (Divide, F::Duration, F::Duration) => (left, right, Type::NUMBER),
            (Add | Subtract, F::DateTime, F::Duration) => (left, right, Type::DATETIME),
            (Add, F::Duration, F::DateTime) => (right, left, Type::DATETIME),
            (Add | Subtract, F::Date, F::Duration) => {
                (cast(left, Type::DATETIME), right, Type::DATETIME)
            }
            (Add, F::Duration, F::Date) => (cast(right, Type::DATETIME), left, Type::DATETIME),
            (Subtract, F::Date, F::Date) => {
                let node = Node::Function {
                    function: Function::Days,
                    arguments: vec![right, left],
                };
                return Ok(Expr::new(node, Type::INTEGER, span));
            }
            (Subtract, F::DateTime, F::DateTime) => (left, right, Type::DURATION),
            (Subtract, F::DateTime, F::Date) => (left, cast(right, Type::DATETIME), Type::DURATION),
            (Subtract, F::Date, F::DateTime) => (cast(left, Type::DATETIME), right, Type::DURATION),
            _ => return Err(mismatch()),
        };
        let node = Node::Arithmetic {
            operator,
            left: Box::new(left),
            right: Box::new(right),
        };
        Ok(Expr::new(node, ty, span))
    }

    /// `date + 3 months`: calendar units have a meaning beside a date or moment alone.
    pub(super) fn shift(
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
        let (tree, by) = match (is_length(right), is_length(left)) {
            (true, _) => (left, right),
            (_, true) if sign == 1 => (right, left),
            _ => return Ok(None),
        };
        let mut value = self.expr(scope, tree)?;
        if let (Node::Parameter(_), Type::Missing) = (&value.node, &value.ty) {
            // A day, until what stands opposite says otherwise.
            value.ty = Type::DATE;
        }
        match value.ty {
            Type::DATE | Type::DATETIME => {}
            _ if has_months(by) => {
                let is = self.describe(&value.ty);
                return Err(Error::new(Code::TypeMismatch, format!("`{tree}` is {is}"))
                    .at(value.span)
                    .expected("a date or a moment beside months, quarters and years"));
            }
            _ => return Ok(None),
        }
        let Some(interval) = self.interval(scope, by)? else {
            return Ok(None);
        };
        let value = match interval.is_timed() {
            true if matches!(value.node, Node::Parameter(_)) => Expr {
                ty: Type::DATETIME,
                ..value
            },
            true => cast(value, Type::DATETIME),
            false => value,
        };
        let sign = Expr::constant(Value::Integer(sign), Type::INTEGER, span);
        Ok(Some(interval.times(&sign, span).moved(value, span)))
    }
}

/// Refuses a percentage beside an amount: as a number it would be a few cents.
fn check_share(
    operator: Arithmetic,
    [left, right]: [&syntax::Expr; 2],
    types: [&FieldType; 2],
    span: &Span,
) -> Result<()> {
    let (amount, share) = match types {
        [FieldType::Money, FieldType::Percent] => (left, right),
        [FieldType::Percent, FieldType::Money] => (right, left),
        _ => return Ok(()),
    };
    let (op, verb) = match operator {
        Arithmetic::Subtract => (BinaryOp::Subtract, "subtracted from"),
        _ => (BinaryOp::Add, "added to"),
    };
    let tree = |kind| syntax::Expr { kind, span: 0..0 };
    let binary = |op, left: &syntax::Expr, right| {
        let (left, right) = (Box::new(left.clone()), Box::new(right));
        tree(ExprKind::Binary { op, left, right })
    };
    let scale = match share.kind {
        ExprKind::Literal(Literal::Percent(n)) => {
            let n = if op == BinaryOp::Add { n } else { -n };
            tree(ExprKind::Literal(Literal::Percent(1.0 + n)))
        }
        _ => binary(
            op,
            &tree(ExprKind::Literal(Literal::Integer(1))),
            share.clone(),
        ),
    };
    let message = format!("a percentage cannot be {verb} an amount: `{share}`, `{amount}`");
    let error = Error::new(Code::TypeMismatch, message).at(span.clone());
    if op == BinaryOp::Subtract && types[0] == &FieldType::Percent {
        // What is left of a percentage without an amount means nothing.
        return Err(error);
    }
    let meant = binary(BinaryOp::Multiply, amount, scale);
    Err(error.hint(format!("write `{meant}`")))
}

/// In an import cells are text: beside arithmetic they are read as numbers.
fn number_cell(scope: &Scope<'_>, value: Expr) -> Expr {
    if scope.columns_first && matches!(value.node, Node::Slot(_)) && value.ty == Type::TEXT {
        return cast(value, Type::NUMBER);
    }
    value
}

/// Seconds in a unit of fixed length.
pub(super) fn seconds_of(unit: Unit) -> Option<i64> {
    match unit {
        Unit::Minute => Some(60),
        Unit::Hour => Some(3600),
        Unit::Day => Some(86_400),
        Unit::Week => Some(7 * 86_400),
        Unit::Month
        | Unit::Quarter
        | Unit::Year
        | Unit::FiscalMonth
        | Unit::FiscalQuarter
        | Unit::FiscalYear => None,
    }
}
