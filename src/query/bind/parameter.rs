//! Parameters of a statement: which type each has from where it stands.

use super::binder::Binder;
use super::{Change, Expr, Node, Query, Type};
use crate::error::{Code, Error, Result, Span};
use crate::value::FieldType;

/// A parameter, the type that its value must have, and where the type comes from.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub name: String,
    /// Missing where any value will do.
    pub ty: Type,
    span: Span,
}

impl Binder<'_> {
    /// The parameters of a query, in the order of their names.
    pub(crate) fn parameters(&self, query: &Query) -> Result<Vec<Parameter>> {
        self.collect_parameters(|each| query.visit_all(each))
    }

    /// The parameters of a change and of what it returns. What is assigned takes any value that
    /// can become the field's.
    pub(crate) fn parameters_of_change(
        &self,
        change: &Change,
        returning: Option<&Query>,
    ) -> Result<Vec<Parameter>> {
        let mut found = self.collect_parameters(|each| {
            change.visit_all(each);
            returning.iter().for_each(|query| query.visit_all(each));
        })?;
        let object = self.object(change.object());
        for (field, value) in change.assignments().flatten() {
            if let Node::Parameter(name) = &value.node
                && let Some(known) = found.iter_mut().find(|known| known.name == *name)
                && known.ty == Type::Missing
            {
                known.ty = super::column(object, *field, &value.span).ty;
            }
        }
        Ok(found)
    }

    fn collect_parameters(
        &self,
        visit: impl FnOnce(&mut dyn FnMut(&Expr)),
    ) -> Result<Vec<Parameter>> {
        let mut found: Vec<Parameter> = Vec::new();
        let mut wrong = None;
        let mut note = |name: &str, ty: &Type, span: &Span| {
            let at = match found.binary_search_by(|known| known.name.as_str().cmp(name)) {
                Ok(at) => at,
                Err(at) => {
                    let parameter = Parameter {
                        name: name.to_owned(),
                        ty: Type::Missing,
                        span: span.clone(),
                    };
                    found.insert(at, parameter);
                    at
                }
            };
            let known = &mut found[at];
            if known.ty == Type::Missing {
                known.ty = ty.clone();
                known.span = span.clone();
            } else if *ty != Type::Missing && !same(&known.ty, ty) && wrong.is_none() {
                wrong = Some((known.clone(), ty.clone(), span.clone()));
            }
        };
        // The text of a label looked up, or a value cast, has the type of what becomes of it.
        let mut inner: *const Expr = std::ptr::null();
        visit(&mut |expr| match &expr.node {
            Node::Parameter(_) if std::ptr::eq(expr, inner) => {}
            Node::Parameter(name) => note(name, &expr.ty, &expr.span),
            Node::Lookup { label: of, .. } | Node::Cast(of) => {
                if let Node::Parameter(name) = &of.node {
                    note(name, &expr.ty, &of.span);
                    inner = &raw const **of;
                }
            }
            _ => {}
        });
        let Some((known, ty, span)) = wrong else {
            return Ok(found);
        };
        let (one, other) = (self.describe(&known.ty), self.describe(&ty));
        let message = format!("`${}` is {one} in one place and {other} here", known.name);
        Err(Error::new(Code::TypeMismatch, message)
            .at(span)
            .expected(format!("one type for `${}`", known.name))
            .hint("use two parameters"))
    }
}

/// Whether one value can have both types.
fn same(a: &Type, b: &Type) -> bool {
    let numeric = |ty: &FieldType| {
        matches!(
            ty,
            FieldType::Integer | FieldType::Number | FieldType::Percent
        )
    };
    match (a, b) {
        (Type::Plain(a), Type::Plain(b)) => {
            a == b || a.is_text() && b.is_text() || numeric(a) && numeric(b)
        }
        _ => a == b || a.is_period() && b.is_period(),
    }
}
