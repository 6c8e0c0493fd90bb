//! Comparisons: which side is a label, which types meet, what order means for them.

use super::binder::{Binder, cast, negate_if};
use super::label::{is_labelled, word};
use super::scope::Scope;
use super::{Arithmetic, Expr, Node, OrderKey, Type, sort_keys};
use crate::column::Comparison;
use crate::error::{Code, Error, Result, Span};
use crate::query::syntax::{self, BinaryOp, ExprKind, Literal};
use crate::value::{Duration, FieldId, FieldType, ObjectId, Period, Shape, Unit, Value};
use std::sync::Arc;

impl Binder<'_> {
    /// `left op right` for `= != < <= > >=`.
    pub(super) fn compare(
        &self,
        scope: &Scope<'_>,
        op: BinaryOp,
        left: &syntax::Expr,
        right: &syntax::Expr,
        span: &Span,
    ) -> Result<Expr> {
        let (bound_left, bound_right) = self.operands(scope, left, right)?;
        let negated = op == BinaryOp::NotEqual;
        let comparison = match op {
            BinaryOp::Less => Comparison::Less,
            BinaryOp::LessEqual => Comparison::LessEqual,
            BinaryOp::Greater => Comparison::Greater,
            BinaryOp::GreaterEqual => Comparison::GreaterEqual,
            _ => Comparison::Equal,
        };
        self.check_possible(op, [left, right], [&bound_left, &bound_right])?;
        let tags = matches!(bound_left.ty, Type::Tags(..));
        let bound = self.comparison(scope, comparison, bound_left, bound_right, span);
        let bound = bound.map_err(|error| match error.code() {
            Code::TypeMismatch if tags => {
                error
                    .about(format!("`{left}` with `{right}`"))
                    .hint(match negated {
                        true => format!("tags are many: write `{left} not has {right}`"),
                        false => format!("tags are many: write `{left} has {right}`"),
                    })
            }
            Code::TypeMismatch => error.about(format!("`{left}` with `{right}`")),
            _ => error,
        })?;
        Ok(negate_if(bound, negated))
    }

    /// Both sides bound, a bare word or string opposite a label taken as one.
    pub(super) fn operands(
        &self,
        scope: &Scope<'_>,
        left: &syntax::Expr,
        right: &syntax::Expr,
    ) -> Result<(Expr, Expr)> {
        if !is_open(left) {
            match self.expr(scope, left) {
                Ok(bound) => {
                    let text = matches!(&bound.ty, Type::Plain(ty) if ty.is_text());
                    let other = self.opposite(scope, right, &bound.ty);
                    let truth = bound.ty == Type::BOOLEAN;
                    let other = other.map_err(|error| match word(right) {
                        Some(name) if truth && error.code() == Code::UnknownField => {
                            let message = format!("`{}` is no truth value", name.text);
                            Error::new(Code::UnknownField, message)
                                .at(self.at(&name.span))
                                .expected("`true` or `false`")
                                .hint(truth_hint(&left.to_string()))
                        }
                        Some(name) if text && error.code() == Code::UnknownField => {
                            Error::new(Code::UnknownField, error.message())
                                .at(self.at(&name.span))
                                .hint(format!("text is written in quotes: \"{}\"", name.text))
                        }
                        _ => error,
                    })?;
                    return Ok((self.retype(bound, &other.ty), other));
                }
                Err(error) if word(left).is_none() => return Err(error),
                Err(error) => {
                    // An unknown word may still be a label of what stands opposite.
                    match self.expr(scope, right) {
                        Ok(bound) if is_labelled(&bound.ty) => {
                            return Ok((self.opposite(scope, left, &bound.ty)?, bound));
                        }
                        _ => return Err(error),
                    }
                }
            }
        }
        if is_open(right) {
            let (left, right) = (self.expr(scope, left)?, self.expr(scope, right)?);
            let right = self.retype(right, &left.ty);
            return Ok((self.retype(left, &right.ty), right));
        }
        let bound = self.expr(scope, right)?;
        Ok((self.opposite(scope, left, &bound.ty)?, bound))
    }

    /// An expression without a type of its own takes the other side's.
    pub(super) fn retype(&self, value: Expr, ty: &Type) -> Expr {
        let span = value.span.clone();
        match (&value.node, ty) {
            (Node::Parameter(_), _) if value.ty == Type::Missing && *ty != Type::Missing => {
                let ty = match ty {
                    Type::Tags(object, field) => Type::Label(*object, *field),
                    other => other.clone(),
                };
                Expr { ty, ..value }
            }
            (Node::Shift { value: moved, .. }, &Type::DATETIME) if is_given(moved) => {
                let mut value = value.clone();
                if let Node::Shift { value: moved, .. } = &mut value.node {
                    **moved = self.retype((**moved).clone(), ty);
                    moved.ty = ty.clone();
                }
                Expr {
                    ty: ty.clone(),
                    ..value
                }
            }
            // Beside a length of time it is a length as well.
            (
                Node::Shift {
                    value: moved,
                    months: 0,
                    days,
                    seconds,
                    times: None,
                },
                &Type::DURATION,
            ) if matches!(moved.node, Node::Parameter(_)) => {
                let length = Duration::from_seconds(days.saturating_mul(86_400) + seconds);
                let node = Node::Arithmetic {
                    operator: Arithmetic::Add,
                    left: Box::new(Expr {
                        ty: ty.clone(),
                        ..(**moved).clone()
                    }),
                    right: Box::new(Expr::constant(Value::Duration(length), ty.clone(), &span)),
                };
                Expr::new(node, ty.clone(), &span)
            }
            // An amount with its currency; a number in quotes is a mistake.
            (Node::Constant(Value::Text(text)), &Type::MONEY) if names_currency(text) => {
                match FieldType::Money.parse(text, self.clock) {
                    Ok(amount) => Expr::constant(amount, Type::MONEY, &span),
                    Err(_) => value,
                }
            }
            (Node::Constant(Value::Integer(n @ 1000..=9999)), Type::Fiscal) => {
                self.fiscal(&format!("FY{n}"), &span).unwrap_or(value)
            }
            (Node::Constant(Value::Integer(n)), ty) if ty.is_time() => match Period::of_year(*n) {
                Some(period) => Expr::period(period, &span),
                None => value,
            },
            (Node::Constant(Value::Duration(d)), Type::Plain(FieldType::Integer))
                if d.seconds() % 86_400 == 0 =>
            {
                Expr::constant(Value::Integer(d.seconds() / 86_400), Type::INTEGER, &span)
            }
            _ => value,
        }
    }

    /// A comparison of two bound sides.
    pub(super) fn comparison(
        &self,
        scope: &Scope<'_>,
        comparison: Comparison,
        left: Expr,
        right: Expr,
        span: &Span,
    ) -> Result<Expr> {
        for (value, other) in [(&left, &right), (&right, &left)] {
            if matches!(value.node, Node::Constant(Value::Missing)) {
                if comparison != Comparison::Equal {
                    return Err(
                        Error::new(Code::NotOrdered, "nothing is above or below `empty`")
                            .at(value.span.clone())
                            .hint("ask `is empty` or `is not empty`"),
                    );
                }
                let node = Node::IsMissing(Box::new(other.clone()));
                return Ok(Expr::new(node, Type::BOOLEAN, span));
            }
        }
        let right = self.retype(right, &left.ty);
        let left = self.retype(left, &right.ty);
        if let Some(timed) = self.compare_time(comparison, &left, &right, span)? {
            return Ok(timed);
        }
        let (left, right) = self.unify(scope, left, right, span)?;
        let (left, right) = if comparison == Comparison::Equal {
            (left, right)
        } else {
            (self.orderly(left)?, self.orderly(right)?)
        };
        Ok(compare_node(comparison, left, right, span))
    }

    /// Dates, moments and periods: the finer is compared at the coarser.
    pub(crate) fn compare_time(
        &self,
        comparison: Comparison,
        left: &Expr,
        right: &Expr,
        span: &Span,
    ) -> Result<Option<Expr>> {
        let fineness = |ty: &Type| match ty {
            &Type::DATETIME => Some(0),
            &Type::DATE => Some(1),
            ty => ty.is_period().then_some(2),
        };
        let sides = (fineness(&left.ty), fineness(&right.ty));
        let (Some(fine_left), Some(fine_right)) = sides else {
            return Ok(None);
        };
        if fine_left == 2 && fine_right == 2 && comparison != Comparison::Equal {
            return Ok(Some(compare_periods(comparison, left, right, span)));
        }
        if fine_left == fine_right {
            return Ok(None);
        }
        let (fine, coarse, comparison) = if fine_left < fine_right {
            (left, right, comparison)
        } else {
            (right, left, comparison.flipped())
        };
        let period = if coarse.ty == Type::DATE {
            let node = Node::Bucket {
                unit: Unit::Day,
                value: Box::new(coarse.clone()),
            };
            Expr::new(node, Type::PERIOD, &coarse.span)
        } else {
            coarse.clone()
        };
        if comparison == Comparison::Equal {
            let node = Node::InPeriod {
                value: Box::new(fine.clone()),
                period: Box::new(period),
            };
            return Ok(Some(Expr::new(node, Type::BOOLEAN, span)));
        }
        // Before the period, up to its end, from its start, or after it.
        let (edge, comparison) = match comparison {
            Comparison::Less => (super::Function::PeriodStart, Comparison::Less),
            Comparison::LessEqual => (super::Function::PeriodEnd, Comparison::Less),
            Comparison::GreaterEqual => (super::Function::PeriodStart, Comparison::GreaterEqual),
            _ => (super::Function::PeriodEnd, Comparison::GreaterEqual),
        };
        let edge = Expr::new(
            Node::Function {
                function: edge,
                arguments: vec![period],
            },
            Type::DATE,
            &coarse.span,
        );
        let edge = cast(edge, fine.ty.clone());
        Ok(Some(compare_node(comparison, fine.clone(), edge, span)))
    }

    /// Both sides in one form, or an error that names both.
    pub(super) fn unify(
        &self,
        scope: &Scope<'_>,
        left: Expr,
        right: Expr,
        span: &Span,
    ) -> Result<(Expr, Expr)> {
        let to_base = |value| self.to_base(scope, value);
        use FieldType as F;
        let periods = left.ty.is_period() && right.ty.is_period();
        let lists = matches!(left.ty, Type::List(_));
        if periods || left.ty == right.ty && left.ty != Type::MONEY && !lists {
            return Ok((left, right));
        }
        let numeric = |ty: &F| matches!(ty, F::Integer | F::Number | F::Percent);
        match (&left.ty, &right.ty) {
            (Type::Missing, _) => {
                let ty = right.ty.clone();
                Ok((cast(left, ty), right))
            }
            (_, Type::Missing) => {
                let ty = left.ty.clone();
                Ok((left, cast(right, ty)))
            }
            (Type::Plain(F::Money), Type::Plain(r)) if numeric(r) || *r == F::Money => {
                Ok((to_base(left), to_base(cast(right, Type::MONEY))))
            }
            (Type::Plain(l), Type::Plain(F::Money)) if numeric(l) => {
                Ok((to_base(cast(left, Type::MONEY)), to_base(right)))
            }
            (Type::Plain(l), Type::Plain(r)) if numeric(l) && numeric(r) => {
                Ok((cast(left, Type::NUMBER), cast(right, Type::NUMBER)))
            }
            (Type::Plain(l), Type::Plain(r)) if l.is_text() && r.is_text() => Ok((left, right)),
            (Type::Plain(F::AnyReference(any)), Type::Plain(F::Reference(one)))
                if any.contains(one) =>
            {
                let ty = left.ty.clone();
                Ok((left, cast(right, ty)))
            }
            (Type::Plain(F::Reference(one)), Type::Plain(F::AnyReference(any)))
                if any.contains(one) =>
            {
                let ty = right.ty.clone();
                Ok((cast(left, ty), right))
            }
            (l, r) => {
                let message = format!(
                    "{} cannot be compared with {}",
                    self.describe(l),
                    self.describe(r)
                );
                let error = Error::new(Code::TypeMismatch, message).at(span.clone());
                Err(match (l, r) {
                    (&Type::BOOLEAN, _) | (_, &Type::BOOLEAN) => {
                        error.hint("`true` and `false` are words: `= true`, `= false`")
                    }
                    (p, Type::Plain(F::Text)) | (Type::Plain(F::Text), p) if p.is_period() => {
                        error.hint("periods are written without quotes: 2026-05, 2026-Q2, 2026")
                    }
                    (p, Type::Plain(n)) | (Type::Plain(n), p) if p.is_period() && numeric(n) => {
                        error.hint("periods are written 2026, 2026-Q2 or 2026-05")
                    }
                    (t, Type::Plain(n)) | (Type::Plain(n), t) if t.is_time() && numeric(n) => {
                        error.hint("dates are written year, month, day: 2026-05-15")
                    }
                    (t, Type::Plain(F::Text)) | (Type::Plain(F::Text), t) if t.is_time() => {
                        error.hint("dates are written without quotes: 2026-05-15")
                    }
                    (Type::Plain(F::Money), Type::Plain(F::Text))
                    | (Type::Plain(F::Text), Type::Plain(F::Money)) => {
                        error.hint(self.amount_hint())
                    }
                    (Type::Plain(ty), Type::Plain(F::Text))
                    | (Type::Plain(F::Text), Type::Plain(ty))
                        if numeric(ty) =>
                    {
                        error.hint("numbers are written without quotes: 100000 or 100k")
                    }
                    _ => error,
                })
            }
        }
    }

    /// The form of a value that `<` and `>` compare, and results sort by.
    pub(super) fn orderly(&self, value: Expr) -> Result<Expr> {
        let span = value.span.clone();
        match &value.ty {
            Type::Label(..) => Ok(Expr::new(Node::Rank(Box::new(value)), Type::INTEGER, &span)),
            Type::Plain(FieldType::Reference(object)) => {
                let target = self.object(*object);
                match target.ordered_by {
                    Some(field) => Ok(self.follow_field(value, target.id, field)),
                    None => Err(Error::new(
                        Code::NotOrdered,
                        format!("{} have no order", target.name),
                    )
                    .at(span)
                    .hint(
                        match self.some_field(target.id, FieldType::is_text) {
                            Some(field) => {
                                format!("compare with = or !=, or a field of it: its `{field}`")
                            }
                            None => "compare with = or !=".to_owned(),
                        },
                    )),
                }
            }
            Type::Plain(FieldType::Boolean | FieldType::AnyReference(_) | FieldType::Tags)
            | Type::Tags(..)
            | Type::List(_)
            | Type::Nested => {
                let is = self.describe(&value.ty);
                Err(Error::new(Code::NotOrdered, format!("{is} has no order"))
                    .at(span)
                    .expected("a number, an amount, text, a time or an ordered label"))
            }
            _ => Ok(value),
        }
    }

    /// The keys by which results are sorted by a value.
    pub(super) fn order_keys(
        &self,
        scope: &Scope<'_>,
        value: Expr,
        descending: bool,
    ) -> Result<Vec<OrderKey>> {
        if matches!(
            value.ty,
            Type::Plain(FieldType::Tags) | Type::Tags(..) | Type::List(_) | Type::Nested
        ) {
            let is = self.describe(&value.ty);
            let message = format!("{is} cannot be sorted by");
            return Err(Error::new(Code::NotOrdered, message).at(value.span));
        }
        let keys = sort_keys(&self.to_base(scope, value), self.catalog);
        Ok(keys
            .into_iter()
            .map(|value| OrderKey { value, descending })
            .collect())
    }

    /// A field of the record that `reference` points to.
    pub(super) fn follow_field(&self, reference: Expr, object: ObjectId, field: FieldId) -> Expr {
        let span = reference.span.clone();
        let inner = self.column(object, field, &span);
        let ty = inner.ty.clone();
        let node = Node::Follow {
            reference: Box::new(reference),
            object,
            inner: Arc::new(inner),
        };
        Expr::new(node, ty, &span)
    }
}

pub(super) fn compare_node(comparison: Comparison, left: Expr, right: Expr, span: &Span) -> Expr {
    debug_assert!(
        left.ty.shape() == right.ty.shape()
            || left.ty.shape() == Shape::RowOnly
            || right.ty.shape() == Shape::RowOnly
    );
    let node = Node::Compare {
        comparison,
        left: Box::new(left),
        right: Box::new(right),
    };
    Expr::new(node, Type::BOOLEAN, span)
}

/// Whether a day is that of a parameter, perhaps moved.
fn is_given(day: &Expr) -> bool {
    match &day.node {
        Node::Parameter(_) => day.ty == Type::DATE,
        Node::Shift { value, .. } => is_given(value),
        _ => false,
    }
}

/// Whether a text begins or ends with a currency, as amounts do: `100 EUR`.
fn names_currency(text: &str) -> bool {
    let (text, letter) = (text.trim(), |c: char| c.is_ascii_alphabetic());
    let without = [
        text.trim_start_matches(letter),
        text.trim_end_matches(letter),
    ];
    without.iter().any(|number| number.len() + 3 == text.len())
}

/// Whether a tree has no type of its own: strings, parameters, `#42` and `empty`.
fn is_open(tree: &syntax::Expr) -> bool {
    matches!(
        tree.kind,
        ExprKind::Literal(Literal::Text(_) | Literal::Record(_) | Literal::Empty)
            | ExprKind::Parameter(_)
    )
}

/// Two periods: the left one wholly before or after the right one, or up to its end or from its
/// start.
fn compare_periods(comparison: Comparison, left: &Expr, right: &Expr, span: &Span) -> Expr {
    use super::Function::{PeriodEnd, PeriodStart};
    let edge = |function, period: &Expr| {
        let node = Node::Function {
            function,
            arguments: vec![period.clone()],
        };
        Expr::new(node, Type::DATE, &period.span)
    };
    let (of_left, comparison, of_right) = match comparison {
        Comparison::Less => (PeriodEnd, Comparison::LessEqual, PeriodStart),
        Comparison::Greater => (PeriodStart, Comparison::GreaterEqual, PeriodEnd),
        Comparison::GreaterEqual => (PeriodStart, Comparison::GreaterEqual, PeriodStart),
        _ => (PeriodEnd, Comparison::LessEqual, PeriodEnd),
    };
    compare_node(comparison, edge(of_left, left), edge(of_right, right), span)
}

/// How a truth value is asked for.
fn truth_hint(of: &str) -> String {
    format!("write `{of} = true` or just `{of}`; else `{of} = false` or `not {of}`")
}
