//! Paths to one value: references, then a field; `this`, `outer`, `let` names, formulas.

use super::binder::Binder;
use super::label::is_special;
use super::scope::{Base, Link, Scope, same};
use super::{Expr, Meant, Node, Type, column};
use crate::catalog::{Object, Role};
use crate::error::{Code, Error, Result, Span};
use crate::query::syntax::{self, Name};
use crate::value::{FieldId, FieldType, ObjectId};
use std::sync::Arc;

/// Names of a path at most.
const PATH_MAX: usize = 100;

/// Names, of many only the first.
fn listed(names: &[&str]) -> String {
    const MANY: usize = 6;
    match names.split_at_checked(MANY) {
        Some((first, more @ [_, _, ..])) => {
            format!("{} and {} more", first.join(", "), more.len())
        }
        _ => names.join(", "),
    }
}

impl Binder<'_> {
    /// Whether a bare word names something in the scope.
    pub(super) fn knows(&self, scope: &Scope<'_>, name: &Name) -> bool {
        scope.named(&name.text).is_some()
            || match &scope.base {
                Base::Object(_) if scope.shown.is_some() => scope.shown(&name.text).is_some(),
                Base::Object(object) => {
                    let object = self.object(*object);
                    object.find_field(&name.text).is_some()
                        || object.find_formula(&name.text).is_some()
                }
                Base::Slots(slots) => slots.iter().any(|slot| same(&slot.name, &name.text)),
                Base::Nothing => false,
            }
    }

    /// A path as a value.
    pub(super) fn path(&self, scope: &Scope<'_>, names: &[Name], span: &Span) -> Result<Expr> {
        let (first, rest) = names.split_first().expect("a path has a name");
        if rest.len() >= PATH_MAX {
            return Err(Error::new(
                Code::TooDeep,
                format!("a path has at most {PATH_MAX} names"),
            )
            .at(span.clone()));
        }
        if let Some(group) = &scope.group {
            return self.group_path(scope, group, names, span);
        }
        // What was tested is no name of `select`.
        if scope.alias(&first.text).is_none()
            && let Some((len, object)) = scope.fact(names)
        {
            let start = self.path(scope, &names[..len], span)?;
            return self.followed(start, object, &names[len..], span);
        }
        if rest.is_empty() && is_special(&first.text) {
            return self.special(scope, first, span);
        }
        if same(&first.text, "this") {
            return self.own_path(scope, rest, span);
        }
        if same(&first.text, "outer") {
            return self.outer_path(scope, rest, span);
        }
        if same(&first.text, "me") {
            let me = self.special(scope, first, span)?;
            return self.continue_path(me, rest, span);
        }
        if scope.pairs.is_some() {
            return Err(self.not_of_pair(names, span));
        }
        if let Some(named) = scope.named(&first.text) {
            if self.is_other_field(scope, first, &named.value) {
                return Err(Error::new(
                    Code::AmbiguousName,
                    format!("`{}` is both a field and a name given here", first.text),
                )
                .at(span.clone())
                .hint(format!(
                    "write `this.{}` for the field, or rename the other",
                    first.text
                )));
            }
            self.carry(named.weight, span)?;
            let value = Expr {
                span: span.clone(),
                ..named.value.clone()
            };
            return self.continue_path(value, rest, span);
        }
        let bound = self.own_path(scope, names, span);
        bound.map_err(|error| self.passing(scope, names, error))
    }

    /// The error of a path as a value that passes through a collection.
    fn passing(&self, scope: &Scope<'_>, names: &[Name], error: Error) -> Error {
        let Ok(Some(joined)) = self.joined(scope, names, &(0..0)) else {
            return error;
        };
        if joined.subtree.is_some() {
            return error;
        }
        let words: Vec<_> = names.iter().map(|name| name.text.as_str()).collect();
        let (lead, rest) = words.split_at(words.len() - joined.rest.len());
        let lead = lead.join(".");
        let of = &self.object(joined.object).name;
        let message = match rest {
            [] => format!("`{lead}` is a collection, many {of}"),
            _ => format!(
                "`{}` is of many {of}, since `{lead}` is a collection",
                words.join(".")
            ),
        };
        let told = Error::new(error.code(), message);
        let told = match error.span() {
            Some(span) => told.at(span),
            None => told,
        };
        // A name that nobody knows is the plainer mistake.
        if let Some(field) = joined.rest.first()
            && let Err(error) = self.member(joined.object, field, &field.span)
        {
            return error;
        }
        let field = (!rest.is_empty()).then(|| rest.join("."));
        told.hint(self.collection_hint(&lead, joined.object, field.as_deref()))
    }

    /// Whether the scope's object has a field of this name that the alias does not stand for.
    fn is_other_field(&self, scope: &Scope<'_>, name: &Name, alias: &Expr) -> bool {
        if scope.shown.is_some() {
            return scope.shown(&name.text).is_some();
        }
        let Some(field) = scope
            .object()
            .and_then(|object| self.object(object).find_field(&name.text))
        else {
            return false;
        };
        !matches!(alias.node, Node::Column(id) if id == field.id)
    }

    fn special(&self, scope: &Scope<'_>, name: &Name, span: &Span) -> Result<Expr> {
        let word = name.text.to_lowercase();
        match word.as_str() {
            "today" => Ok(Expr::new(Node::Today, Type::DATE, span)),
            "now" => Ok(Expr::new(Node::Now, Type::DATETIME, span)),
            "me" => match self.catalog.playing(Role::Actors) {
                Some(actors) => {
                    let ty = Type::Plain(FieldType::Reference(actors.id));
                    Ok(Expr::new(Node::Me, ty, span))
                }
                None => Err(
                    Error::new(Code::UnknownObject, "no object is declared `actors`")
                        .at(span.clone())
                        .hint(Role::Actors.example()),
                ),
            },
            "this" => self.own_record(scope, span),
            _ => self.outer_path(scope, &[], span),
        }
    }

    /// The record at hand, as a reference.
    fn own_record(&self, scope: &Scope<'_>, span: &Span) -> Result<Expr> {
        match scope.object() {
            Some(object) => Ok(Expr::this(object, span)),
            None => Err(Error::new(
                Code::Misplaced,
                "there is no record here, only rows of values",
            )
            .at(span.clone())),
        }
    }

    /// A path that starts at the scope's own record or row.
    pub(super) fn own_path(&self, scope: &Scope<'_>, names: &[Name], span: &Span) -> Result<Expr> {
        match &scope.base {
            Base::Object(object) => match &scope.shown {
                None => self.object_path(*object, names, span),
                Some(shown) => self.shown_path(*object, shown, names, span),
            },
            Base::Slots(slots) => {
                let (first, rest) = names.split_first().expect("a path has a name");
                let Some(at) = slots.iter().position(|slot| same(&slot.name, &first.text)) else {
                    let names: Vec<_> = slots.iter().map(|slot| slot.name.as_str()).collect();
                    return Err(self.unknown_column(first, &names));
                };
                let slot = Expr::new(Node::Slot(at), slots[at].ty.clone(), span);
                self.continue_path(slot, rest, span)
            }
            Base::Nothing => {
                let name = &names[0];
                Err(Error::new(
                    Code::UnknownField,
                    format!("`{}` means nothing here", name.text),
                )
                .at(self.at(&name.span))
                .expected("a constant")
                .hint(format!("text is written in quotes: \"{}\"", name.text)))
            }
        }
    }

    /// A path of fields starting at a record of `object`.
    pub(super) fn object_path(
        &self,
        object: ObjectId,
        names: &[Name],
        span: &Span,
    ) -> Result<Expr> {
        let (first, rest) = names.split_first().expect("a path has a name");
        let member = self.member(object, first, span)?;
        self.continue_path(member, rest, span)
    }

    /// The rest of a path after an expression: fields of the record it refers to.
    pub(super) fn continue_path(&self, start: Expr, rest: &[Name], span: &Span) -> Result<Expr> {
        let Some(next) = rest.first() else {
            return Ok(start);
        };
        let target = match &start.ty {
            Type::Plain(FieldType::Reference(object)) => *object,
            Type::Plain(FieldType::AnyReference(objects)) => {
                let fits = |id: &&ObjectId| {
                    let object = self.object(**id);
                    object.find_field(&next.text).is_some()
                        || object.find_formula(&next.text).is_some()
                };
                let mut fitting = objects.iter().filter(fits);
                match (fitting.next(), fitting.next()) {
                    (Some(object), None) => *object,
                    _ => {
                        let names: Vec<_> = objects
                            .iter()
                            .map(|id| self.object(*id).name.as_str())
                            .collect();
                        let having: Vec<_> = objects.iter().filter(fits).collect();
                        let message = match having.len() {
                            0 => format!("none of what it refers to has a field `{}`", next.text),
                            count => {
                                format!("{count} objects it may refer to have `{}`", next.text)
                            }
                        };
                        let error = Error::new(Code::UnknownField, message)
                            .at(self.at(&next.span))
                            .expected(format!("a field of just one of {}", listed(&names)));
                        let Some(first) = having.first() else {
                            return Err(error);
                        };
                        let first = self.object(**first);
                        return Err(match &start.node {
                            Node::Slot(_) => error
                                .hint("by itself it shows what the record is called".to_owned())
                                .hint(format!(
                                    "to search one object alone: find ... in {} select ...",
                                    first.name
                                )),
                            _ => error.hint(format!(
                                "ask first which it is: ... is {} and ...{} = ...",
                                first.singular, next.text
                            )),
                        });
                    }
                }
            }
            other => {
                let is = self.describe(other);
                return Err(Error::new(
                    Code::TypeMismatch,
                    format!(
                        "`.{}` needs a record before it, and this is {is}",
                        next.text
                    ),
                )
                .at(self.at(&next.span)));
            }
        };
        self.followed(start, target, rest, span)
    }

    /// The rest of a path after a reference to a record of `target`.
    fn followed(&self, start: Expr, target: ObjectId, rest: &[Name], span: &Span) -> Result<Expr> {
        let inner = self.object_path(target, rest, span)?;
        if matches!(inner.node, Node::Id) && inner.ty == start.ty {
            return Ok(start);
        }
        let ty = inner.ty.clone();
        let node = Node::Follow {
            reference: Box::new(start),
            object: target,
            inner: Arc::new(inner),
        };
        Ok(Expr::new(node, ty, span))
    }

    /// A field or formula of an object, or its `id`.
    fn member(&self, object: ObjectId, name: &Name, span: &Span) -> Result<Expr> {
        let definition = self.object(object);
        if let Some(field) = definition.find_field(&name.text) {
            self.mention(Meant::Field(object, field.id), &name.span);
            return Ok(self.column(object, field.id, span));
        }
        if let Some(formula) = definition.find_formula(&name.text) {
            self.mention(Meant::Formula(object, formula.name.clone()), &name.span);
            let what = format!("{}.{}", definition.name, formula.name);
            return self.expand(what, span, || {
                let tree = syntax::parse_expression(&formula.text)?;
                self.expr(&Scope::new(Base::Object(object)), &tree)
            });
        }
        if same(&name.text, "id") {
            return Ok(Expr::new(Node::Id, Type::INTEGER, span));
        }
        Err(self.unknown_member(definition, name))
    }

    fn unknown_member(&self, object: &Object, name: &Name) -> Error {
        let error = Error::new(
            Code::UnknownField,
            format!("{} have no field `{}`", object.name, name.text),
        )
        .at(self.at(&name.span));
        if same(&name.text, "subtree") {
            return error.hint(match object.hierarchy_field() {
                Some(_) => "`subtree` is a collection, itself and all below: ask count(subtree), \
                            sum(subtree.field)"
                    .to_owned(),
                None => format!(
                    "{} are no hierarchy: no reference is declared so",
                    object.name
                ),
            });
        }
        if let Some(collection) = self.catalog.find_collection(object.id, &name.text) {
            let of = self.object(collection.object);
            let ask = self.collection_hint(&collection.name, collection.object, None);
            return error.hint(format!(
                "`{}` is a collection, many {}: {ask}",
                collection.name, of.name
            ));
        }
        let fields = object.live_fields().map(|field| field.name.as_str());
        let formulas = object.formulas.iter().map(|formula| formula.name.as_str());
        let names: Vec<_> = fields.chain(formulas).collect();
        if let Some(meant) = self.meant(object, &name.text) {
            return error.hint(meant);
        }
        if super::aggregate::aggregate(&name.text).is_some() {
            return error.hint(format!(
                "`{0}` is a function: write {0}(x), or name the column: {0}(x) as {0}",
                name.text
            ));
        }
        match crate::error::nearest(&name.text, names.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error
                .hint(format!("fields of {}: {}", object.name, names.join(", ")))
                .hint("text is written in quotes"),
        }
    }

    /// A stored field as an expression.
    pub(super) fn column(&self, object: ObjectId, field: FieldId, span: &Span) -> Expr {
        column(self.object(object), field, span)
    }

    /// A path of the scope around, seen from an inner record.
    pub(super) fn outer_path(&self, scope: &Scope<'_>, rest: &[Name], span: &Span) -> Result<Expr> {
        let Some(outer) = scope.around() else {
            return Err(
                Error::new(Code::Misplaced, "there is no record around this one")
                    .at(span.clone())
                    .expected("`outer` inside a collection's or a query's parentheses"),
            );
        };
        let inner = match rest.first() {
            // The record itself.
            None => self.own_record(outer.scope, span)?,
            Some(name) if same(&name.text, "outer") => {
                self.outer_path(outer.scope, &rest[1..], span)?
            }
            Some(name) if is_special(&name.text) && !same(&name.text, "this") => {
                let word = &name.text;
                return Err(
                    Error::new(Code::Misplaced, format!("`outer.{word}` means nothing"))
                        .at(span.clone())
                        .expected(format!(
                            "a field after `outer`; `{word}` is the same everywhere"
                        )),
                );
            }
            Some(_) => self.path(outer.scope, rest, span)?,
        };
        let (owner, object) = match &outer.link {
            Link::Owner(owner, object) => (owner, *object),
            Link::Given(given) => {
                let ty = inner.ty.clone();
                let mut given = given.borrow_mut();
                given.push(self.to_base(outer.scope, inner));
                return Ok(Expr::new(Node::Given(given.len() - 1), ty, span));
            }
        };
        if matches!(inner.node, Node::Id) && inner.ty == owner.ty {
            return Ok((*owner).clone());
        }
        let ty = inner.ty.clone();
        let node = Node::Follow {
            reference: Box::new((*owner).clone()),
            object,
            inner: Arc::new(inner),
        };
        Ok(Expr::new(node, ty, span))
    }
}
