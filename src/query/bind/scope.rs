//! What names mean at one place of a statement.

use super::{Aggregate, Expr, Node, Type};
use crate::query::syntax;
use crate::value::ObjectId;
use std::cell::RefCell;

/// The names an expression may use: the frame's, `let` names and aliases, the outer scope's.
pub(super) struct Scope<'s> {
    pub base: Base,
    /// `let` names, and computed columns of a view underneath.
    pub names: Vec<(String, Expr)>,
    /// `select` aliases, good in later items, `having` and `order by`.
    pub aliases: Vec<(String, Expr)>,
    pub group: Option<GroupScope<'s>>,
    pub outer: Option<Outer<'s>>,
    /// In imports and `from (query)`: a bare word opposite a label is a column if there is one.
    pub columns_first: bool,
}

/// What bare names belong to.
#[derive(Clone, Debug)]
pub(super) enum Base {
    /// Records of an object.
    Object(ObjectId),
    /// Columns of a sub-query or an import.
    Slots(Vec<(String, Type)>),
    /// Nothing: only constants make sense.
    Nothing,
}

/// The scope around a collection's or sub-query's.
pub(super) struct Outer<'s> {
    pub scope: &'s Scope<'s>,
    /// From an inner record to the outer record, where the two are joined.
    pub link: Option<(Expr, ObjectId)>,
}

/// The rows of a grouped query: keys, and the aggregates met so far.
pub(super) struct GroupScope<'s> {
    /// The records that are grouped: the scope inside an aggregate's parentheses.
    pub records: &'s Scope<'s>,
    pub keys: Vec<GroupKey>,
    pub aggregates: RefCell<Vec<(syntax::Call, Aggregate)>>,
}

pub(super) struct GroupKey {
    pub tree: syntax::Expr,
    pub alias: Option<String>,
    pub ty: Type,
}

impl<'s> Scope<'s> {
    pub(super) fn new(base: Base) -> Self {
        Self {
            base,
            names: Vec::new(),
            aliases: Vec::new(),
            group: None,
            outer: None,
            columns_first: false,
        }
    }

    /// The records of `object` inside `outer`.
    pub(super) fn inside(
        object: ObjectId,
        outer: &'s Scope<'s>,
        link: Option<(Expr, ObjectId)>,
    ) -> Self {
        Self {
            outer: Some(Outer { scope: outer, link }),
            ..Self::new(Base::Object(object))
        }
    }

    pub(super) fn object(&self) -> Option<ObjectId> {
        match self.base {
            Base::Object(object) => Some(object),
            Base::Slots(_) | Base::Nothing => None,
        }
    }

    /// The expression a `let` name or alias stands for.
    pub(super) fn named(&self, name: &str) -> Option<&Expr> {
        let find =
            |list: &'_ [(String, Expr)]| list.iter().rposition(|(known, _)| same(known, name));
        find(&self.aliases)
            .map(|at| &self.aliases[at].1)
            .or_else(|| find(&self.names).map(|at| &self.names[at].1))
    }
}

impl GroupScope<'_> {
    /// The slot of the key that is written exactly so.
    pub(super) fn key(&self, tree: &syntax::Expr) -> Option<Expr> {
        let at = self.keys.iter().position(|key| key.tree == *tree)?;
        Some(self.slot(at, tree))
    }

    /// The slot of the key with this alias.
    pub(super) fn alias(&self, name: &syntax::Name) -> Option<Expr> {
        let named = |key: &GroupKey| key.alias.as_deref().is_some_and(|a| same(a, &name.text));
        let at = self.keys.iter().position(named)?;
        Some(Expr::new(
            Node::Slot(at),
            self.keys[at].ty.clone(),
            &name.span,
        ))
    }

    fn slot(&self, at: usize, tree: &syntax::Expr) -> Expr {
        Expr::new(Node::Slot(at), self.keys[at].ty.clone(), &tree.span)
    }
}

/// Whether two names are the same, ignoring case.
pub(super) fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || a.to_lowercase() == b.to_lowercase()
}
