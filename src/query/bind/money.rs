//! Money in base: where an amount must be converted, and the day whose rate counts.
//!
//! An amount keeps its own currency as long as it is only shown. Wherever it meets another one it
//! is converted at the rate of the day that its field is `dated by`; whatever is made of one
//! amount keeps that amount's day.

use super::binder::{Binder, cast};
use super::scope::{Base, Scope};
use super::{Arithmetic, Column, ColumnValue, Expr, Function, Node, Query, Type};
use crate::error::{Code, Error, Result, Span};
use crate::query::syntax::{self, ExprKind, Literal};
use crate::value::Currency;
use std::sync::Arc;

/// What the columns of a query stand over, and those of the queries stacked below it.
pub(super) struct Frames {
    pub base: Base,
    /// Whether the base's records are known by the query's columns alone.
    pub shown: bool,
    pub unions: Vec<Self>,
}

impl Binder<'_> {
    /// Money in base; other types stay.
    pub(super) fn to_base(&self, scope: &Scope<'_>, value: Expr) -> Expr {
        self.in_base(&scope.base, value)
    }

    fn in_base(&self, frame: &Base, value: Expr) -> Expr {
        if value.ty != Type::MONEY {
            return value;
        }
        let span = value.span.clone();
        match value.node {
            // Aggregates, functions over rows and the rows of groups are in base.
            Node::ToBase { .. }
            | Node::Collect(_)
            | Node::Subquery(_)
            | Node::Correlated { .. }
            | Node::Given(_)
            | Node::Window(_) => value,
            Node::Slot(_) if !matches!(frame, Base::Slots(_)) => value,
            Node::Follow {
                reference,
                object,
                inner,
            } => {
                let inner = self.in_base(&Base::Object(object), Expr::clone(&inner));
                let node = Node::Follow {
                    reference,
                    object,
                    inner: Arc::new(inner),
                };
                Expr::new(node, Type::MONEY, &span)
            }
            _ => {
                let on = self.day_of(frame, &value).map(Box::new);
                let value = Box::new(value);
                Expr::new(Node::ToBase { value, on }, Type::MONEY, &span)
            }
        }
    }

    /// The day whose rate counts for an amount; none where that is today.
    fn day_of(&self, frame: &Base, value: &Expr) -> Option<Expr> {
        let span = &value.span;
        match (&value.node, frame) {
            (Node::Column(field), Base::Object(object)) => {
                let by = self.object(*object).field(*field).dated_by?;
                Some(cast(self.column(*object, by, span), Type::DATE))
            }
            (Node::Slot(at), Base::Slots(slots)) => {
                Some(Expr::new(Node::Slot(slots[*at].day?), Type::DATE, span))
            }
            (
                Node::Follow {
                    reference,
                    object,
                    inner,
                },
                _,
            ) => {
                let day = self.day_of(&Base::Object(*object), inner)?;
                let node = Node::Follow {
                    reference: reference.clone(),
                    object: *object,
                    inner: Arc::new(day),
                };
                Some(Expr::new(node, Type::DATE, span))
            }
            (
                Node::Arithmetic {
                    operator: Arithmetic::Multiply | Arithmetic::Divide,
                    left,
                    ..
                },
                _,
            ) => self.day_of(frame, left),
            (Node::Negate(value), _) => self.day_of(frame, value),
            (Node::Convert { on, .. }, _) => on.as_deref().cloned(),
            (
                Node::Function {
                    function: Function::Abs | Function::Round | Function::Floor | Function::Ceil,
                    arguments,
                },
                _,
            ) => self.day_of(frame, &arguments[0]),
            (
                Node::Function {
                    function: Function::If,
                    arguments,
                },
                _,
            ) => self.day_of_either(frame, &arguments[0], &arguments[1], &arguments[2]),
            (
                Node::Function {
                    function: Function::Coalesce,
                    arguments,
                },
                _,
            ) => {
                let (first, rest) = arguments.split_first()?;
                if rest.is_empty() {
                    return self.day_of(frame, first);
                }
                let missing = Node::IsMissing(Box::new(first.clone()));
                let missing = Expr::new(missing, Type::BOOLEAN, span);
                let rest = Node::Function {
                    function: Function::Coalesce,
                    arguments: rest.to_vec(),
                };
                let rest = Expr::new(rest, Type::MONEY, span);
                self.day_of_either(frame, &missing, &rest, first)
            }
            _ => None,
        }
    }

    /// The day of the one that a condition chooses.
    fn day_of_either(
        &self,
        frame: &Base,
        condition: &Expr,
        then: &Expr,
        otherwise: &Expr,
    ) -> Option<Expr> {
        let days = [self.day_of(frame, then), self.day_of(frame, otherwise)];
        if days.iter().all(Option::is_none) {
            return None;
        }
        let today = || Expr::new(Node::Today, Type::DATE, &condition.span);
        let mut arguments = vec![condition.clone()];
        arguments.extend(days.into_iter().map(|day| day.unwrap_or_else(today)));
        let node = Node::Function {
            function: Function::If,
            arguments,
        };
        Some(Expr::new(node, Type::DATE, &condition.span))
    }

    /// All amounts of a query's rows in base.
    pub(super) fn columns_to_base(&self, query: &mut Query, frames: &Frames) {
        for column in &mut query.columns {
            if let ColumnValue::Expr(value) = &mut column.value {
                *value = self.in_base(&frames.base, value.clone());
            }
        }
        for (union, frames) in query.unions.iter_mut().zip(&frames.unions) {
            self.columns_to_base(union, frames);
        }
    }

    /// Adds a nameless column with the day of each column that holds amounts with one; for each
    /// column the place of its day.
    pub(super) fn add_days(&self, query: &mut Query, frames: &Frames) -> Vec<Option<usize>> {
        let count = query.columns.len();
        let mut places = vec![None; count];
        for (at, place) in places.iter_mut().enumerate() {
            if self.has_day(query, frames, at) {
                *place = Some(query.columns.len());
                self.add_day(query, frames, at);
            }
        }
        places
    }

    fn has_day(&self, query: &Query, frames: &Frames, at: usize) -> bool {
        let mut unions = query.unions.iter().zip(&frames.unions);
        self.column_day(query, frames, at).is_some()
            || unions.any(|(union, frames)| self.has_day(union, frames, at))
    }

    fn add_day(&self, query: &mut Query, frames: &Frames, at: usize) {
        let day = self.column_day(query, frames, at);
        let today = Expr::new(Node::Today, Type::DATE, &(0..0));
        query.columns.push(Column {
            name: String::new(),
            value: ColumnValue::Expr(day.unwrap_or(today)),
        });
        for (union, frames) in query.unions.iter_mut().zip(&frames.unions) {
            self.add_day(union, frames, at);
        }
    }

    fn column_day(&self, query: &Query, frames: &Frames, at: usize) -> Option<Expr> {
        match &query.columns[at].value {
            ColumnValue::Expr(value) if value.ty == Type::MONEY => self.day_of(&frames.base, value),
            _ => None,
        }
    }

    /// How an amount is written.
    pub(super) fn amount_hint(&self) -> String {
        let base = self.clock.base;
        format!("an amount is written without quotes, in {base}: 100000 or 100k")
    }

    /// `convert(amount, EUR)`: the currency is a bare word or text.
    pub(super) fn convert(
        &self,
        scope: &Scope<'_>,
        tree: &syntax::Expr,
        currency: &syntax::Expr,
        span: &Span,
    ) -> Result<Expr> {
        let value = self.numeric(scope, tree)?;
        if value.ty == Type::DURATION {
            let message = format!("`{tree}` is a duration");
            return Err(Error::new(Code::TypeMismatch, message)
                .at(value.span)
                .expected("an amount, or a number of the base currency"));
        }
        let value = cast(value, Type::MONEY);
        let word = match &currency.kind {
            ExprKind::Path(names) if names.len() == 1 => Some(names[0].text.as_str()),
            ExprKind::Literal(Literal::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        let Some(to) = word.and_then(Currency::new) else {
            return Err(
                Error::new(Code::BadValue, format!("`{currency}` is no currency"))
                    .at(self.at(&currency.span))
                    .expected(format!("three letters: convert({tree}, EUR)")),
            );
        };
        let on = self.day_of(&scope.base, &value).map(Box::new);
        let value = Box::new(value);
        let node = Node::Convert { value, to, on };
        Ok(Expr::new(node, Type::MONEY, span))
    }
}
