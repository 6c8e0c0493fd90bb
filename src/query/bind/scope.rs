//! What names mean at one place of a statement.

use super::aggregate::path_of;
use super::duplicates::Pairs;
use super::{Aggregate, Column, ColumnValue, Expr, Node, Type};
pub(super) use crate::catalog::same_name as same;
use crate::query::syntax;
use crate::value::{FieldType, ObjectId};
use std::cell::{Cell, RefCell};
use std::sync::Arc;

/// The names an expression may use: the frame's, `let` names and aliases, the outer scope's.
pub(super) struct Scope<'s> {
    pub base: Base,
    /// What a query underneath shows of the base's records: the only names of theirs here.
    pub shown: Option<Vec<Column>>,
    /// `let` names.
    pub names: Vec<Named>,
    /// `select` aliases, good in later items, `having` and `order by`.
    pub aliases: Vec<Named>,
    pub group: Option<GroupScope<'s>>,
    pub outer: Option<Outer<'s>>,
    /// Paths to one of several objects, and which one each is known to lead to here.
    pub facts: RefCell<Vec<(Vec<String>, ObjectId)>>,
    /// In imports and `from (query)`: a bare word opposite a label is a column if there is one.
    pub columns_first: bool,
    /// Whether functions over all rows of the result may stand here.
    pub over_rows: Cell<bool>,
    /// In a rule about pairs of records: what it may compare.
    pub pairs: Option<&'s Pairs<'s>>,
}

/// An expression under a name.
pub(super) struct Named {
    pub name: String,
    pub value: Expr,
    /// How many parts the expression is made of, those of the names in it included.
    pub weight: u64,
}

/// What bare names belong to.
#[derive(Clone, Debug)]
pub(super) enum Base {
    /// Records of an object.
    Object(ObjectId),
    /// Columns of a sub-query or an import.
    Slots(Vec<Slot>),
    /// Nothing: only constants make sense.
    Nothing,
}

/// A column of a frame without object.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub name: String,
    pub ty: Type,
    /// Of an amount: the slot of the day whose rate counts.
    pub day: Option<usize>,
}

/// The scope around a collection's or sub-query's.
pub(super) struct Outer<'s> {
    pub scope: &'s Scope<'s>,
    pub link: Link<'s>,
}

/// How an inner record gets at values of the outer one.
#[derive(Clone, Copy)]
pub(super) enum Link<'s> {
    /// By this way from an inner record to the one outer record it belongs to.
    Owner(&'s Expr, ObjectId),
    /// Not from the inner record: the values asked for are gathered here, and what is inside
    /// runs for each set of them.
    Given(&'s RefCell<Vec<Expr>>),
}

/// `body` with the values gathered for it while it was bound.
pub(super) fn correlated(body: Expr, given: RefCell<Vec<Expr>>) -> Expr {
    let given = given.into_inner();
    if given.is_empty() {
        return body;
    }
    let (ty, span) = (body.ty.clone(), body.span.clone());
    let body = Arc::new(body);
    Expr::new(Node::Correlated { given, body }, ty, &span)
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

impl GroupKey {
    fn is_called(&self, name: &syntax::Name) -> bool {
        self.alias
            .as_deref()
            .is_some_and(|alias| same(alias, &name.text))
    }
}

/// A path of the record at hand without the word `this`.
fn own(path: &[syntax::Name]) -> &[syntax::Name] {
    match path.split_first() {
        Some((first, rest @ [_, ..])) if same(&first.text, "this") => rest,
        _ => path,
    }
}

impl Slot {
    pub(super) fn new(name: String, ty: Type) -> Self {
        let day = None;
        Self { name, ty, day }
    }
}

impl<'s> Scope<'s> {
    pub(super) fn new(base: Base) -> Self {
        Self {
            base,
            shown: None,
            names: Vec::new(),
            aliases: Vec::new(),
            group: None,
            outer: None,
            facts: RefCell::default(),
            columns_first: false,
            over_rows: Cell::new(false),
            pairs: None,
        }
    }

    /// The records of `object` inside `outer`.
    pub(super) fn inside(object: ObjectId, outer: &'s Scope<'s>, link: Link<'s>) -> Self {
        Self {
            outer: Some(Outer { scope: outer, link }),
            ..Self::new(Base::Object(object))
        }
    }

    /// The scope around this one's records; what a group stands in is around its records.
    pub(super) fn around(&self) -> Option<&Outer<'s>> {
        match &self.group {
            Some(group) => group.records.outer.as_ref(),
            None => self.outer.as_ref(),
        }
    }

    pub(super) fn object(&self) -> Option<ObjectId> {
        match self.base {
            Base::Object(object) => Some(object),
            Base::Slots(_) | Base::Nothing => None,
        }
    }

    /// Remembers that a path leads to records of one object.
    pub(super) fn learn(&self, path: &[syntax::Name], object: ObjectId) {
        let path = own(path).iter().map(|name| name.text.clone()).collect();
        self.facts.borrow_mut().push((path, object));
    }

    /// The longest lead of a path that is known to end at records of one object, and that object.
    pub(super) fn fact(&self, names: &[syntax::Name]) -> Option<(usize, ObjectId)> {
        let facts = self.facts.borrow();
        let own = own(names);
        let leads = facts.iter().filter(|(path, _)| {
            path.len() < own.len() && path.iter().zip(own).all(|(a, b)| same(a, &b.text))
        });
        let longest = leads.max_by_key(|(path, _)| path.len());
        longest.map(|(path, object)| (names.len() - own.len() + path.len(), *object))
    }

    /// The object whose records a whole path is known to end at.
    pub(super) fn known(&self, path: &[syntax::Name]) -> Option<ObjectId> {
        let (facts, path) = (self.facts.borrow(), own(path));
        let mut facts = facts.iter().filter(|(known, _)| {
            known.len() == path.len() && known.iter().zip(path).all(|(a, b)| same(a, &b.text))
        });
        facts.next_back().map(|(_, object)| *object)
    }

    /// What a path begins with, and how many of its names say that: none for the record at hand,
    /// which the others are fields or collections of.
    pub(super) fn first(&self, names: &[syntax::Name]) -> Option<(Type, usize)> {
        if let Some(group) = &self.group {
            return group.leading(names);
        }
        let name = names.first()?;
        let ty = match (&self.base, &self.shown) {
            (Base::Object(object), None) => {
                return Some((Type::Plain(FieldType::Reference(*object)), 0));
            }
            (Base::Object(_), Some(_)) => match &self.shown(&name.text)?.value {
                ColumnValue::Expr(value) => &value.ty,
                ColumnValue::Nested(_) => return None,
            },
            (Base::Slots(slots), _) => &slots.iter().find(|slot| same(&slot.name, &name.text))?.ty,
            (Base::Nothing, _) => return None,
        };
        Some((ty.clone(), 1))
    }

    /// The column of this name that a query underneath shows.
    pub(super) fn shown(&self, name: &str) -> Option<&Column> {
        let mut shown = self.shown.iter().flatten();
        shown.find(|column| same(&column.name, name))
    }

    /// The expression a `let` name or alias stands for.
    pub(super) fn named(&self, name: &str) -> Option<&Named> {
        self.alias(name).or_else(|| self.let_name(name))
    }

    /// The expression a `let` name stands for.
    pub(super) fn let_name(&self, name: &str) -> Option<&Named> {
        self.names.iter().rfind(|known| same(&known.name, name))
    }

    /// The expression an alias of `select` stands for.
    pub(super) fn alias(&self, name: &str) -> Option<&Named> {
        self.aliases.iter().rfind(|known| same(&known.name, name))
    }
}

impl GroupScope<'_> {
    /// The slot of the key that is written exactly so.
    pub(super) fn key(&self, tree: &syntax::Expr) -> Option<Expr> {
        let at = self.keys.iter().position(|key| key.tree == *tree)?;
        Some(self.slot(at, tree))
    }

    /// The longest key that a path begins with: its type, and how many names it has.
    pub(super) fn leading(&self, names: &[syntax::Name]) -> Option<(Type, usize)> {
        let leads = self.keys.iter().filter_map(|key| {
            let is_called = |name: &syntax::Name| key.is_called(name);
            let path = path_of(&key.tree).filter(|path| names.starts_with(path));
            let len = match names.first().is_some_and(is_called) {
                true => 1,
                false => path?.len(),
            };
            Some((key.ty.clone(), len))
        });
        leads.max_by_key(|(_, len)| *len)
    }

    /// The slot of the key with this alias.
    pub(super) fn alias(&self, name: &syntax::Name) -> Option<Expr> {
        let at = self.keys.iter().position(|key| key.is_called(name))?;
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
