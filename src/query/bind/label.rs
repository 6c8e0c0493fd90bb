//! Labels: what a bare word or string means opposite a picklist, tags or reference.

use super::binder::{Binder, SpokenLabel};
use super::scope::Scope;
use super::{Expr, Meant, Node, Type};
use crate::error::{Code, Error, Result, Span};
use crate::query::syntax::{self, ExprKind, Literal};
use crate::value::{FieldType, RecordId, Value};

impl Binder<'_> {
    /// `tree` as it is meant opposite a value of type `ty`: as a label, else as itself.
    pub(super) fn opposite(
        &self,
        scope: &Scope<'_>,
        tree: &syntax::Expr,
        ty: &Type,
    ) -> Result<Expr> {
        let span = &self.at(&tree.span);
        if let (ExprKind::Literal(Literal::Record(id)), Type::Plain(FieldType::Reference(_))) =
            (&tree.kind, ty)
        {
            let id = Expr::constant(Value::Reference(RecordId(*id)), ty.clone(), span);
            // A stored rule stays what it was when a record that it names goes.
            return match self.depth {
                0 => self.label(id, ty, span),
                _ => Ok(id),
            };
        }
        if is_labelled(ty) {
            if let Some(label) = self.label_text(scope, tree) {
                return self.label(label, ty, span);
            }
            // Cells of an import are text, which the writer looks up.
            if let ExprKind::Call(call) = &tree.kind
                && !scope.columns_first
                && let Some(bound) = self.labelled_call(scope, call, ty, span)?
            {
                return Ok(bound);
            }
        }
        if let (ExprKind::Literal(Literal::Decimal(text)), Type::Plain(FieldType::Money)) =
            (&tree.kind, ty)
            && let Ok(amount) = FieldType::Money.parse(text, self.clock)
        {
            return Ok(Expr::constant(amount, ty.clone(), span));
        }
        let bound = self.expr(scope, tree)?;
        if let (Node::Constant(Value::Text(text)), Type::Plain(FieldType::Email)) =
            (&bound.node, ty)
        {
            // Addresses are folded when written.
            let folded = Value::text(text.to_lowercase());
            return Ok(Expr::constant(folded, bound.ty.clone(), span));
        }
        Ok(self.retype(bound, ty))
    }

    /// The text of a tree that names a label: a string, a parameter, a bare word.
    pub(super) fn label_text(&self, scope: &Scope<'_>, tree: &syntax::Expr) -> Option<Expr> {
        let span = &self.at(&tree.span);
        match &tree.kind {
            ExprKind::Literal(Literal::Text(text)) => {
                Some(Expr::constant(Value::text(text), Type::TEXT, span))
            }
            ExprKind::Literal(Literal::Integer(n)) => {
                Some(Expr::constant(Value::text(n.to_string()), Type::TEXT, span))
            }
            ExprKind::Parameter(name) => match self.parameter(name, span) {
                bound @ Expr {
                    ty: Type::Missing, ..
                } if bound.as_constant().is_none() => Some(Expr {
                    ty: Type::TEXT,
                    ..bound
                }),
                bound if bound.ty == Type::TEXT => Some(bound),
                _ => None,
            },
            _ => {
                let name = word(tree)?;
                if scope.columns_first && self.knows(scope, name) {
                    return None;
                }
                Some(Expr::constant(Value::text(&name.text), Type::TEXT, span))
            }
        }
    }

    /// The label `text` of a picklist, tags field or referred object.
    pub(super) fn label(&self, text: Expr, ty: &Type, span: &Span) -> Result<Expr> {
        match ty {
            Type::Plain(FieldType::Reference(object)) => {
                let spoken = match text.as_constant() {
                    Some(Value::Text(name)) => Some(name.to_string()),
                    Some(Value::Reference(id)) => Some(id.to_string()),
                    _ => None,
                };
                if let (Some(text), None) = (spoken, &*self.place.borrow()) {
                    self.labels.borrow_mut().push(SpokenLabel {
                        object: *object,
                        text,
                        span: span.clone(),
                    });
                }
                let node = Node::Lookup {
                    object: *object,
                    label: Box::new(text),
                };
                Ok(Expr::new(node, ty.clone(), span))
            }
            Type::Label(object, field) | Type::Tags(object, field) => {
                let Some(Value::Text(name)) = text.as_constant() else {
                    return Ok(Expr {
                        ty: Type::Label(*object, *field),
                        ..text
                    });
                };
                let known = self.object(*object).field(*field);
                match known.find_label(name) {
                    Some(label) => {
                        self.mention(Meant::Label(*object, *field, label.code), span);
                        Ok(Expr::constant(
                            Value::Label(label.code),
                            Type::Label(*object, *field),
                            span,
                        ))
                    }
                    None => {
                        let names = || known.labels.iter().map(|label| label.name.as_str());
                        let all: Vec<_> = names().take(12).collect();
                        let error = Error::new(
                            Code::UnknownLabel,
                            format!("`{}` has no label `{name}`", known.name),
                        )
                        .at(span.clone());
                        let mut fields = self.object(*object).live_fields();
                        let error = match fields.find(|field| field.find_label(name).is_some()) {
                            Some(other) => error.hint(format!(
                                "`{name}` is a label of `{0}`: name the field, `{0} = {name}`",
                                other.name
                            )),
                            None => error.near_words(name, names()),
                        };
                        Err(error.hint(format!("labels of `{}`: {}", known.name, all.join(", "))))
                    }
                }
            }
            Type::Plain(FieldType::AnyReference(objects)) => {
                let example = objects
                    .first()
                    .map_or("object", |id| &self.object(*id).name);
                let label = constant_text(&text);
                let label = label.map_or_else(|| "$label".to_owned(), |text| format!("\"{text}\""));
                Err(Error::new(
                    Code::TypeMismatch,
                    "a label alone does not say which object",
                )
                .at(span.clone())
                .hint(format!("name it: ({example} {label})")))
            }
            _ => Ok(text),
        }
    }
}

/// A written text.
pub(super) fn constant_text(value: &Expr) -> Option<&str> {
    match value.as_constant() {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

/// The bare word a tree consists of, if it is one that may be a label.
pub(super) fn word(tree: &syntax::Expr) -> Option<&syntax::Name> {
    match &tree.kind {
        ExprKind::Path(names) => match names.as_slice() {
            [name] if !is_special(&name.text) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// Words with a meaning of their own everywhere.
pub(super) fn is_special(word: &str) -> bool {
    ["today", "now", "me", "this", "outer"]
        .iter()
        .any(|w| w.eq_ignore_ascii_case(word))
}

/// Whether a bare word opposite this type is a label.
pub(super) fn is_labelled(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Label(..)
            | Type::Tags(..)
            | Type::Plain(FieldType::Reference(_) | FieldType::AnyReference(_))
    )
}
