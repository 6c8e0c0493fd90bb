//! Order: the expressions by which values sort.

use super::{Expr, Node, OrderKey, Type};
use crate::catalog::{Catalog, Object};
use crate::error::Span;
use crate::value::{FieldId, FieldType};
use std::sync::Arc;

/// A field of an object's records.
pub(crate) fn column(object: &Object, field: FieldId, span: &Span) -> Expr {
    let ty = match &object.field(field).ty {
        FieldType::Picklist => Type::Label(object.id, field),
        FieldType::Tags => Type::Tags(object.id, field),
        ty => Type::Plain(ty.clone()),
    };
    Expr::new(Node::Column(field), ty, span)
}

/// The expressions by which values of an expression sort: labels by rank; references by their
/// object's order, then label, then id; everything else by itself.
pub(crate) fn sort_keys(expr: &Expr, catalog: &Catalog) -> Vec<Expr> {
    match &expr.ty {
        Type::Label(..) => vec![Expr::new(
            Node::Rank(Box::new(expr.clone())),
            Type::INTEGER,
            &expr.span,
        )],
        Type::Plain(FieldType::Reference(object)) => {
            let object = catalog.object(*object);
            let at = |inner: Expr| {
                let (ty, span) = (inner.ty.clone(), inner.span.clone());
                let node = Node::Follow {
                    reference: Box::new(expr.clone()),
                    object: object.id,
                    inner: Arc::new(inner),
                };
                Expr::new(node, ty, &span)
            };
            let field = |field| column(object, field, &expr.span);
            // An order by another reference would have to follow that one's order and so on.
            let mut forms: Vec<Expr> = object
                .ordered_by
                .map(field)
                .into_iter()
                .filter(|position| !matches!(position.ty, Type::Plain(FieldType::Reference(_))))
                .map(|position| match position.ty {
                    Type::Label(..) => {
                        let span = position.span.clone();
                        at(Expr::new(
                            Node::Rank(Box::new(position)),
                            Type::INTEGER,
                            &span,
                        ))
                    }
                    _ => at(position),
                })
                .collect();
            forms.extend(object.label_field().map(|label| at(field(label.id))));
            forms.push(expr.clone());
            forms
        }
        _ => vec![expr.clone()],
    }
}

/// The same of several expressions, as ascending sort keys.
pub(crate) fn ascending<'e>(
    exprs: impl IntoIterator<Item = &'e Expr>,
    catalog: &Catalog,
) -> Vec<OrderKey> {
    exprs
        .into_iter()
        .flat_map(|expr| sort_keys(expr, catalog))
        .map(|value| OrderKey {
            value,
            descending: false,
        })
        .collect()
}
