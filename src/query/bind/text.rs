//! Text: `~` and `like`, and values as text.

use super::binder::Binder;
use super::scope::Scope;
use super::{Expr, Node, Type};
use crate::error::{Code, Error, Result, Span};
use crate::query::syntax::{self, BinaryOp};
use crate::value::{FieldType, Value, fold};

impl Binder<'_> {
    /// `value ~ pattern`, `value like pattern`; labels and references by their text.
    pub(super) fn text_match(
        &self,
        scope: &Scope<'_>,
        op: BinaryOp,
        value: &syntax::Expr,
        pattern: &syntax::Expr,
        span: &Span,
    ) -> Result<Expr> {
        let bound = self.expr(scope, value)?;
        let pattern = self.opposite(scope, pattern, &Type::TEXT)?;
        if !matches!(&pattern.ty, Type::Plain(ty) if ty.is_text()) {
            let is = self.describe(&pattern.ty);
            return Err(
                Error::new(Code::TypeMismatch, format!("{is} is no text to look for"))
                    .at(pattern.span)
                    .expected("text in quotes"),
            );
        }
        if let (BinaryOp::Like, Some(Value::Text(text))) = (op, pattern.as_constant())
            && text.contains('%')
            && !text.contains(['*', '?'])
        {
            let ours = text.replace('%', "*");
            return Err(Error::new(Code::BadLiteral, "`%` is no wildcard in `like`")
                .at(pattern.span.clone())
                .expected("`*` for any text and `?` for one character")
                .hint(format!("write `like \"{ours}\"`"))
                .hint(format!("for the sign itself: `{value} ~ \"{text}\"`")));
        }
        if let Type::Label(object, field) = bound.ty {
            let Some(Value::Text(text)) = pattern.as_constant() else {
                return Err(
                    Error::new(Code::Misplaced, "labels are matched with plain text")
                        .at(pattern.span),
                );
            };
            let text = fold(text).into_owned();
            let fits = |name: &str| match op {
                BinaryOp::Contains => fold(name).contains(&text),
                _ => crate::value::matches_like(&fold(name), &text),
            };
            let labels = self.object(object).field(field).labels.iter();
            let list = labels
                .filter(|label| fits(&label.name))
                .map(|label| Expr::constant(Value::Label(label.code), bound.ty.clone(), span))
                .collect();
            let node = Node::InList {
                value: Box::new(bound),
                list,
            };
            return Ok(Expr::new(node, Type::BOOLEAN, span));
        }
        let text = self.text_of(bound, value)?;
        let (text, pattern) = (Box::new(text), Box::new(pattern));
        let node = match op {
            BinaryOp::Contains => Node::Contains {
                value: text,
                pattern,
            },
            _ => Node::Like {
                value: text,
                pattern,
            },
        };
        Ok(Expr::new(node, Type::BOOLEAN, span))
    }

    /// A value as text: itself, or the label of the record it refers to.
    pub(super) fn text_of(&self, bound: Expr, tree: &syntax::Expr) -> Result<Expr> {
        match &bound.ty {
            Type::Plain(ty) if ty.is_text() => Ok(bound),
            Type::Plain(FieldType::Reference(object)) => {
                let target = self.object(*object);
                match target.label_field() {
                    Some(label) => Ok(self.follow_field(bound, target.id, label.id)),
                    None => Err(Error::new(
                        Code::TypeMismatch,
                        format!("{} have no label to search", target.name),
                    )
                    .at(bound.span)),
                }
            }
            Type::Missing => Ok(Expr {
                ty: Type::TEXT,
                ..bound
            }),
            other => {
                let is = self.describe(other);
                Err(Error::new(Code::TypeMismatch, format!("`{tree}` is {is}"))
                    .at(bound.span)
                    .expected("text"))
            }
        }
    }
}
