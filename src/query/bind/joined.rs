//! Paths through collections: from the record they are counted for to the last one's records.

use super::binder::Binder;
use super::scope::{Scope, same};
use super::{Expr, Meant, Node, Subtree, Type};
use crate::catalog::Collection;
use crate::error::{Code, Error, Result, Span};
use crate::query::syntax::Name;
use crate::value::{FieldId, FieldType, ObjectId};
use std::sync::Arc;

/// Collections joined one after the other, seen from the record they are counted for.
pub(super) struct Joined<'t> {
    /// References before the first collection: from the frame's record to the counted one.
    pub lead: Option<(Expr, ObjectId)>,
    /// The object that has the first collection.
    pub base: ObjectId,
    /// Whether they start at a record around the frame's.
    pub is_outer: bool,
    /// The last collection's object.
    pub object: ObjectId,
    /// From a record of `object` to its record of `base`, or to a node of the subtree.
    pub owner: Expr,
    pub subtree: Option<Subtree>,
    /// What follows the last collection.
    pub rest: &'t [Name],
}

impl Binder<'_> {
    /// The collections a path passes through, if it passes through any.
    pub(super) fn joined<'t>(
        &self,
        scope: &Scope<'_>,
        names: &'t [Name],
        span: &Span,
    ) -> Result<Option<Joined<'t>>> {
        let (mut start, mut rest) = (scope, names);
        let next = |rest: &[Name], word| rest.first().is_some_and(|name| same(&name.text, word));
        while next(rest, "outer")
            && let Some(outer) = start.around()
        {
            (start, rest) = (outer.scope, &rest[1..]);
        }
        let is_outer = rest.len() < names.len();
        // What a reference points to, after which the path goes on with `rest`.
        let written = rest;
        let target = |ty: &Type, rest: &[Name]| match ty {
            Type::Plain(FieldType::Reference(target)) => Some(*target),
            Type::Plain(FieldType::AnyReference(_)) => {
                start.known(&written[..written.len() - rest.len()])
            }
            _ => None,
        };
        let mut named = None;
        if start.group.is_none() && next(rest, "this") {
            rest = &rest[1..];
        } else if let Some(name) = rest.first() {
            named = start.let_name(&name.text);
        }
        let from = rest;
        let first = match named {
            Some(named) => Some((named.value.ty.clone(), 1)),
            None => start.first(rest),
        };
        let Some((first, mut lead)) = first else {
            return Ok(None);
        };
        rest = &rest[lead..];
        let Some(mut at) = target(&first, rest) else {
            return Ok(None);
        };
        // References first.
        while let Some(name) = rest.first() {
            let definition = self.object(at);
            match definition.find_field(&name.text) {
                Some(field) => {
                    self.mention(Meant::Field(at, field.id), &name.span);
                    rest = &rest[1..];
                    let ty = Type::Plain(field.ty.clone());
                    let Some(target) = target(&ty, rest) else {
                        return Ok(None);
                    };
                    at = target;
                    lead += 1;
                }
                None if definition.find_formula(&name.text).is_some() => return Ok(None),
                None => break,
            }
        }
        let (base, before) = (at, names.len() - rest.len());
        let own = |object| Expr::this(object, span);
        let mut owner: Option<Expr> = None;
        let mut subtree: Option<Subtree> = None;
        while let Some(name) = rest.first() {
            if same(&name.text, "subtree") && self.object(at).hierarchy_field().is_some() {
                if subtree.is_some() {
                    let message = "a path passes through one `subtree` at most";
                    return Err(Error::new(Code::Misplaced, message).at(self.at(&name.span)));
                }
                let owner = owner.take().unwrap_or_else(|| own(at));
                subtree = Some(Subtree {
                    object: at,
                    owner: Arc::new(owner),
                });
                rest = &rest[1..];
                continue;
            }
            if (owner.is_some() || subtree.is_some())
                && self.object(at).find_field(&name.text).is_some()
            {
                break;
            }
            let Some(Collection { object, field, .. }) =
                self.catalog.find_collection(at, &name.text)
            else {
                break;
            };
            if same(&self.object(object).name, &name.text) {
                self.mention(Meant::Object(object), &name.span);
            }
            let reference = self.reference_to(object, field, at, span);
            owner = Some(match owner {
                None => reference,
                Some(inner) => {
                    let ty = inner.ty.clone();
                    let node = Node::Follow {
                        reference: Box::new(reference),
                        object: at,
                        inner: Arc::new(inner),
                    };
                    Expr::new(node, ty, span)
                }
            });
            at = object;
            rest = &rest[1..];
        }
        let owner = match (owner, &subtree) {
            (Some(owner), _) => owner,
            (None, Some(_)) => own(at),
            (None, None) => return Ok(None),
        };
        let lead = match lead {
            _ if is_outer || named.is_some() || start.group.is_some() => {
                Some(names[..before].to_vec())
            }
            0 => None,
            // Names of `select` mean nothing here.
            count => {
                let text = "this".to_owned();
                let this = Name {
                    text,
                    span: span.clone(),
                };
                Some([&[this], &from[..count]].concat())
            }
        };
        let lead = lead.map(|lead| self.path(scope, &lead, span));
        let lead = lead.transpose()?;
        let lead = lead.map(|lead| (lead, base));
        Ok(Some(Joined {
            lead,
            base,
            is_outer,
            object: at,
            owner,
            subtree,
            rest,
        }))
    }

    /// A reference field as a plain reference to `target`.
    fn reference_to(
        &self,
        object: ObjectId,
        field: FieldId,
        target: ObjectId,
        span: &Span,
    ) -> Expr {
        let column = self.column(object, field, span);
        match column.ty {
            Type::Plain(FieldType::AnyReference(_)) => only_to(column, target),
            _ => column,
        }
    }
}

/// A reference to any of several as one to `object`: missing where it points to another.
pub(super) fn only_to(reference: Expr, object: ObjectId) -> Expr {
    let span = reference.span.clone();
    let inner = Arc::new(Expr::this(object, &span));
    let ty = inner.ty.clone();
    let node = Node::Follow {
        reference: Box::new(reference),
        object,
        inner,
    };
    Expr::new(node, ty, &span)
}
