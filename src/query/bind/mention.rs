//! Mentions: where a text says the name of a definition, so that it can go on to say it when the
//! definition is renamed.

use super::Expr;
use super::binder::Binder;
use super::scope::Scope;
use crate::error::Span;
use crate::query::syntax;
use crate::value::{FieldId, LabelCode, ObjectId};

/// What a text says a name of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meant {
    Object(ObjectId),
    /// A view, by the name that it has.
    View(String),
    Field(ObjectId, FieldId),
    /// A formula, by the name that it has.
    Formula(ObjectId, String),
    Label(ObjectId, FieldId, LabelCode),
    /// A column that is called as the name here says.
    Heading,
}

/// A name in a text, what it means and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mention {
    pub meant: Meant,
    pub span: Span,
}

impl Binder<'_> {
    /// Makes the binder keep what the texts mention that it binds from now on.
    pub(crate) fn keep_mentions(&self) {
        self.mentions.replace(Some(Vec::new()));
    }

    /// What the text that was bound mentions, from left to right.
    pub(crate) fn mentions(self) -> Vec<Mention> {
        let mut all = self.mentions.into_inner().unwrap_or_default();
        all.sort_by_key(|mention| mention.span.start);
        all.dedup();
        all
    }

    pub(super) fn keeps_mentions(&self) -> bool {
        self.place.borrow().is_none() && self.mentions.borrow().is_some()
    }

    /// Notes a name of the text itself, not of a formula or view it stands on.
    pub(super) fn mention(&self, meant: Meant, span: &Span) {
        if self.keeps_mentions() {
            let mut mentions = self.mentions.borrow_mut();
            mentions.iter_mut().for_each(|all| {
                all.push(Mention {
                    meant: meant.clone(),
                    span: span.clone(),
                });
            });
        }
    }

    /// Notes the names in a tree whose value is known without it.
    pub(super) fn mention_in(&self, scope: &Scope<'_>, tree: &syntax::Expr) {
        if self.keeps_mentions() {
            // What does not bind here has no names to keep.
            let _: Option<Expr> = self.expr(scope, tree).ok();
        }
    }

    /// Notes that a column is called by the one word it consists of.
    pub(super) fn mention_heading(&self, tree: &syntax::Expr, alias: Option<&syntax::Name>) {
        if let (syntax::ExprKind::Path(names), None) = (&tree.kind, alias)
            && let [name] = names.as_slice()
        {
            self.mention(Meant::Heading, &name.span);
        }
    }
}
