//! Functions over all rows of a result: `total(x)`, `rank()`, `running(x)`, `previous(x)`,
//! `growth(x)`, `quartile(x)`.

use super::binder::Binder;
use super::scope::Scope;
use super::{Expr, Node, OrderKey, Type, Window, WindowFunction};
use crate::error::{Code, Error, Result, Span};
use crate::query::syntax;
use crate::value::FieldType;
use std::sync::Arc;

pub(super) const WINDOWS: &[(&str, WindowFunction)] = &[
    ("total", WindowFunction::Total),
    ("rank", WindowFunction::Rank),
    ("running", WindowFunction::Running),
    ("previous", WindowFunction::Previous),
    ("growth", WindowFunction::Growth),
    ("quartile", WindowFunction::Quartile),
];

impl Binder<'_> {
    pub(super) fn window(
        &self,
        scope: &Scope<'_>,
        call: &syntax::Call,
        function: WindowFunction,
        span: &Span,
    ) -> Result<Expr> {
        let name = call.name.text.to_lowercase();
        if !scope.over_rows.get() {
            return Err(Error::new(
                Code::Misplaced,
                format!("`{name}` is about all rows of the result, and here is one"),
            )
            .at(span.clone())
            .expected("a place in `select` or `order by`, not inside an aggregate")
            .hint(
                "to choose rows by it put the query in parentheses: (... select ...) where ...",
            ));
        }
        if call.filter.is_some() || call.distinct || !call.order.is_empty() {
            let message = format!("`{name}` takes a value alone");
            return Err(Error::new(Code::Misplaced, message)
                .at(span.clone())
                .hint(format!(
                    "conditions fit in an aggregate: {name}(sum(x where ...))"
                )));
        }
        let takes = usize::from(function != WindowFunction::Rank);
        if call.arguments.len() != takes {
            let got = call.arguments.len();
            let message = format!("`{name}` takes {takes} argument(s), and got {got}");
            let error = Error::new(Code::WrongArguments, message).at(span.clone());
            return Err(match takes {
                0 => error.hint("it ranks by the query's order: order by x desc"),
                _ => error,
            });
        }
        let argument = match call.arguments.first() {
            Some(argument) => {
                scope.over_rows.set(false);
                let bound = self.expr(scope, argument);
                scope.over_rows.set(true);
                Some(self.to_base(scope, bound?))
            }
            None => None,
        };
        let ty = match (&argument, function) {
            (None, _) => Type::INTEGER,
            (Some(argument), WindowFunction::Previous) => argument.ty.clone(),
            (Some(argument), _) => {
                let sums = matches!(
                    argument.ty,
                    Type::Plain(
                        FieldType::Integer
                            | FieldType::Number
                            | FieldType::Money
                            | FieldType::Percent
                            | FieldType::Duration,
                    )
                );
                let placed = function == WindowFunction::Quartile
                    && matches!(
                        argument.ty,
                        Type::Plain(FieldType::Date | FieldType::DateTime)
                    );
                if !sums && !placed {
                    let is = self.describe(&argument.ty);
                    return Err(
                        Error::new(Code::TypeMismatch, format!("`{name}` over {is}"))
                            .at(argument.span.clone())
                            .expected("a number, an amount or a duration"),
                    );
                }
                match function {
                    WindowFunction::Growth => Type::Plain(FieldType::Percent),
                    WindowFunction::Quartile => Type::INTEGER,
                    _ => argument.ty.clone(),
                }
            }
        };
        let node = Node::Window(Arc::new(Window { function, argument }));
        Ok(Expr::new(node, ty, span))
    }

    /// Binds what may hold functions over the rows.
    pub(super) fn over_rows<T>(
        &self,
        scope: &mut Scope<'_>,
        bind: impl FnOnce(&mut Scope<'_>) -> Result<T>,
    ) -> Result<T> {
        scope.over_rows.set(true);
        let bound = bind(scope);
        scope.over_rows.set(false);
        bound
    }

    /// An error where an alias brings a function over the rows to a clause that makes them.
    pub(super) fn check_own_row(&self, value: &Expr, clause: &str) -> Result<()> {
        if !value.is_over_rows() {
            return Ok(());
        }
        let message = format!("`{clause}` makes the rows that this runs over");
        Err(Error::new(Code::Misplaced, message)
            .at(value.span.clone())
            .hint("put the query in parentheses: (... select ...) where ..."))
    }

    /// An error where the order would depend on itself.
    pub(super) fn check_order(&self, keys: &[OrderKey]) -> Result<()> {
        let mut wrong = None;
        for key in keys {
            key.value.visit(&mut |expr| {
                if let Node::Window(window) = &expr.node
                    && window.function.is_ordered()
                {
                    wrong.get_or_insert((window.function, key.value.span.clone()));
                }
            });
        }
        let Some((function, span)) = wrong else {
            return Ok(());
        };
        let name = WINDOWS.iter().find(|(_, known)| *known == function);
        let name = name.map_or("this", |(name, _)| name);
        Err(Error::new(
            Code::Misplaced,
            format!("`{name}` follows the order of the rows and cannot decide it"),
        )
        .at(span)
        .expected("the values it runs over, or `total` or `quartile`")
        .hint("order the rows of a query in parentheses: (... select ...) order by ..."))
    }
}

/// The function over a result's rows of this name.
pub(super) fn window(name: &str) -> Option<WindowFunction> {
    let known = WINDOWS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    Some(known.1)
}
