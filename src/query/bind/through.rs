//! An aggregate's argument that passes through a collection: `sum(lines.quantity * lines.price)`.

use super::aggregate::aggregate;
use super::binder::Binder;
use super::joined::Joined;
use super::scope::Scope;
use crate::error::{Result, Span};
use crate::query::syntax::{Expr, ExprKind, Name};

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
    match &tree.kind {
        ExprKind::Path(names) => paths.push(names),
        ExprKind::Call(call) if aggregate(&call.name.text).is_some() => {}
        _ => {
            let children = tree.children().into_iter();
            children.for_each(|child| visit_paths(child, paths));
        }
    }
}

/// The expression as a record of the collection sees it: its paths without `lead`.
fn within(tree: &Expr, lead: &[Name]) -> Expr {
    let rest = match &tree.kind {
        ExprKind::Path(names) => match names.strip_prefix(lead) {
            Some([]) => vec![Name {
                text: "this".to_owned(),
                span: tree.span.clone(),
            }],
            Some(rest) => rest.to_vec(),
            None => return tree.clone(),
        },
        ExprKind::Call(call) if aggregate(&call.name.text).is_some() => return tree.clone(),
        _ => return tree.map_children(|child| within(child, lead)),
    };
    Expr {
        kind: ExprKind::Path(rest),
        span: tree.span.clone(),
    }
}
