//! An aggregate's argument that passes through a collection: `sum(lines.quantity * lines.price)`.

use super::aggregate::aggregate;
use super::binder::Binder;
use super::path::Joined;
use super::scope::Scope;
use crate::error::{Result, Span};
use crate::query::syntax::{Call, Expr, ExprKind, Name};

impl Binder<'_> {
    /// The collection that an argument passes through, and what the argument says of its
    /// records: nothing for `count(lines)`. The first path through a collection decides which;
    /// a bare name beside it belongs to the collection's record, as in its `where`.
    pub(super) fn through<'t>(
        &self,
        scope: &Scope<'_>,
        argument: &'t Expr,
        span: &Span,
    ) -> Result<Option<(Joined<'t>, Option<Expr>)>> {
        if let ExprKind::Path(names) = &argument.kind {
            let joined = self.joined(scope, names, span)?;
            return Ok(joined.map(|joined| {
                let inner =
                    (!joined.rest.is_empty()).then(|| within(argument, lead(names, &joined)));
                (joined, inner)
            }));
        }
        let mut paths = Vec::new();
        visit_paths(argument, &mut paths);
        for names in paths {
            if let Some(joined) = self.joined(scope, names, span)?
                && !joined.rest.is_empty()
            {
                let inner = within(argument, lead(names, &joined));
                return Ok(Some((joined, Some(inner))));
            }
        }
        Ok(None)
    }
}

/// The names up to the last collection.
fn lead<'t>(names: &'t [Name], joined: &Joined<'_>) -> &'t [Name] {
    &names[..names.len() - joined.rest.len()]
}

/// The paths of an expression, not those of aggregates and sub-queries in it.
fn visit_paths<'t>(tree: &'t Expr, paths: &mut Vec<&'t [Name]>) {
    let mut each = |list: &[&'t Expr]| list.iter().for_each(|tree| visit_paths(tree, paths));
    match &tree.kind {
        ExprKind::Path(names) => paths.push(names),
        ExprKind::Call(call) if aggregate(&call.name.text).is_none() => {
            each(&call.arguments.iter().collect::<Vec<_>>());
        }
        ExprKind::List(items) => each(&items.iter().collect::<Vec<_>>()),
        ExprKind::Binary { left, right, .. } => each(&[left, right]),
        ExprKind::Not(inner) | ExprKind::Negate(inner) => each(&[inner]),
        ExprKind::In { value, list, .. } => each(&[value, list]),
        ExprKind::Between {
            value, low, high, ..
        } => each(&[value, low, high]),
        ExprKind::Is { value, .. } => each(&[value]),
        ExprKind::Call(_) | ExprKind::Literal(_) | ExprKind::Parameter(_) | ExprKind::Query(_) => {}
    }
}

/// The expression as a record of the collection sees it: its paths without `lead`.
fn within(tree: &Expr, lead: &[Name]) -> Expr {
    let one = |tree: &Expr| Box::new(within(tree, lead));
    let all = |trees: &[Expr]| trees.iter().map(|tree| within(tree, lead)).collect();
    let kind = match &tree.kind {
        ExprKind::Path(names) => match names.strip_prefix(lead) {
            Some([]) => ExprKind::Path(vec![Name {
                text: "this".to_owned(),
                span: tree.span.clone(),
            }]),
            Some(rest) => ExprKind::Path(rest.to_vec()),
            None => return tree.clone(),
        },
        ExprKind::Call(call) if aggregate(&call.name.text).is_none() => ExprKind::Call(Call {
            arguments: all(&call.arguments),
            ..call.clone()
        }),
        ExprKind::List(items) => ExprKind::List(all(items)),
        ExprKind::Binary { op, left, right } => ExprKind::Binary {
            op: *op,
            left: one(left),
            right: one(right),
        },
        ExprKind::Not(inner) => ExprKind::Not(one(inner)),
        ExprKind::Negate(inner) => ExprKind::Negate(one(inner)),
        ExprKind::In {
            value,
            list,
            negated,
        } => ExprKind::In {
            value: one(value),
            list: one(list),
            negated: *negated,
        },
        ExprKind::Between {
            value,
            low,
            high,
            negated,
        } => ExprKind::Between {
            value: one(value),
            low: one(low),
            high: one(high),
            negated: *negated,
        },
        ExprKind::Is {
            value,
            what,
            negated,
        } => ExprKind::Is {
            value: one(value),
            what: what.clone(),
            negated: *negated,
        },
        ExprKind::Call(_) | ExprKind::Literal(_) | ExprKind::Parameter(_) | ExprKind::Query(_) => {
            return tree.clone();
        }
    };
    Expr {
        kind,
        span: tree.span.clone(),
    }
}
