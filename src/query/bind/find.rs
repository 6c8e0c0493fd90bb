//! `find`: what is looked for, where, and the columns of what is found.

use super::binder::{Binder, cast};
use super::source::Start;
use super::{Expr, Find, Node, OrderKey, Source, Type};
use crate::error::{Code, Error, Result};
use crate::query::syntax::{self, ExprKind, Literal, Name};

impl Binder<'_> {
    /// `find "mesa tools" in accounts, contacts`
    pub(super) fn find(&self, text: &syntax::Expr, objects: &[Name]) -> Result<Start> {
        let span = &self.at(&text.span);
        if let ExprKind::Literal(Literal::Record(id)) = text.kind {
            return Err(
                Error::new(Code::TypeMismatch, format!("`#{id}` is no text"))
                    .at(span.clone())
                    .expected("the words to find, in quotes"),
            );
        }
        let mut words = self.expr(&Self::nothing(), text)?;
        if words.ty == Type::Missing {
            words = cast(words, Type::TEXT);
        }
        if !matches!(&words.ty, Type::Plain(ty) if ty.is_text()) {
            let is = self.describe(&words.ty);
            return Err(Error::new(Code::TypeMismatch, format!("`{text}` is {is}"))
                .at(span.clone())
                .expected("the words to find, as text"));
        }
        let mut searched = Vec::new();
        for name in objects {
            searched.push(self.named_object(name)?.id);
        }
        if searched.is_empty() {
            searched.extend(self.catalog.live_objects().map(|object| object.id));
        }
        searched.sort_unstable();
        searched.dedup();
        let find = Find {
            text: words,
            objects: searched,
        };
        Ok(Start {
            order: vec![OrderKey {
                value: Expr::new(Node::Slot(Find::SCORE), Type::NUMBER, span),
                descending: true,
            }],
            ..Start::of_columns(find.columns(), Source::Find(Box::new(find)), span)
        })
    }
}
