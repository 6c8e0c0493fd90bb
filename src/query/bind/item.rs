//! Items of `select`: values, all fields, nested collections.

use super::aggregate::path_of;
use super::binder::Binder;
use super::joined::only_to;
use super::query::COLUMNS_MAX;
use super::scope::{Base, Link, Named, Outer, Scope, same};
use super::{Column, ColumnValue, Expr, Nested, Node, Source, Subtree, Type};
use crate::error::{Code, Error, Result, Span, nearest};
use crate::query::syntax::{self, ExprKind, Item};
use crate::value::{FieldType, ObjectId};
use std::cell::RefCell;
use std::collections::HashSet;

/// A collection to list in each row.
pub(super) struct Listed {
    /// The record that has it, where it is not the row's own.
    pub from: Option<Expr>,
    /// The object of what has it.
    pub base: ObjectId,
    pub source: Source,
    /// What names mean in it.
    pub rows: Base,
    /// From a row of it to the record that has it, or to a node of the subtree.
    pub owner: Expr,
    pub subtree: Option<Subtree>,
}

impl Binder<'_> {
    /// The items of `select`; aliases hold in later items.
    pub(super) fn items(&self, scope: &mut Scope<'_>, items: &[Item]) -> Result<Vec<Column>> {
        if items.len() > COLUMNS_MAX {
            let message = format!("a result has at most {COLUMNS_MAX} columns");
            return Err(Error::new(Code::Limit, message));
        }
        let mut columns = Vec::new();
        for item in items {
            match item {
                Item::All(span) => self.all_fields(scope, span, &mut columns)?,
                Item::Nested(nested) => {
                    self.check_alias(nested.alias.as_ref(), &columns)?;
                    columns.push(self.nested(scope, nested)?);
                }
                Item::Value { value, alias } => {
                    self.check_alias(alias.as_ref(), &columns)?;
                    let name = self.heading(scope, value, alias.as_ref());
                    self.mention_heading(value, alias.as_ref());
                    if let Some([word]) = path_of(value)
                        && let Some(Column {
                            value: value @ ColumnValue::Nested(_),
                            ..
                        }) = scope.shown(&word.text)
                    {
                        let value = value.clone();
                        columns.push(Column { name, value });
                        continue;
                    }
                    let (bound, weight) = self.weighed(|| self.expr(scope, value))?;
                    // Under its own name a value needs no other.
                    let own = |alias: &syntax::Name| match path_of(value) {
                        Some([name]) => same(&name.text, &alias.text),
                        _ => false,
                    };
                    if let Some(alias) = alias
                        && !own(alias)
                    {
                        scope.aliases.push(Named {
                            name: alias.text.clone(),
                            value: bound.clone(),
                            weight,
                        });
                    }
                    let value = ColumnValue::Expr(bound);
                    columns.push(Column { name, value });
                }
            }
        }
        tell_apart(&mut columns);
        Ok(columns)
    }

    /// What a column is called: its alias, else the words that make it; the record itself after
    /// its object.
    pub(super) fn heading(
        &self,
        scope: &Scope<'_>,
        tree: &syntax::Expr,
        alias: Option<&syntax::Name>,
    ) -> String {
        let name = alias.map_or_else(|| column_name(tree), |alias| alias.text.clone());
        if !name.is_empty() {
            return name;
        }
        let group = scope.group.as_ref();
        let records = group.map_or(scope, |group| group.records);
        let object = records.object().map(|id| &self.object(id).singular);
        object.map_or_else(|| "record".to_owned(), String::clone)
    }

    /// Refuses an alias that another column has.
    pub(super) fn check_alias(
        &self,
        alias: Option<&syntax::Name>,
        columns: &[Column],
    ) -> Result<()> {
        let Some(alias) = alias else {
            return Ok(());
        };
        if !columns.iter().any(|column| same(&column.name, &alias.text)) {
            return Ok(());
        }
        let message = format!("another column is called `{}` too", alias.text);
        Err(Error::new(Code::AmbiguousName, message)
            .at(self.at(&alias.span))
            .hint("give one of them another name"))
    }

    pub(super) fn all_fields(
        &self,
        scope: &Scope<'_>,
        span: &Span,
        columns: &mut Vec<Column>,
    ) -> Result<()> {
        match &scope.base {
            Base::Object(_) if scope.shown.is_some() => {
                columns.extend(scope.shown.iter().flatten().cloned());
                Ok(())
            }
            Base::Object(object) => {
                for field in self.object(*object).live_fields() {
                    let value = ColumnValue::Expr(self.column(*object, field.id, span));
                    columns.push(Column {
                        name: field.name.clone(),
                        value,
                    });
                }
                Ok(())
            }
            Base::Slots(slots) => {
                for (at, slot) in slots.iter().enumerate() {
                    let value = ColumnValue::Expr(Expr::new(Node::Slot(at), slot.ty.clone(), span));
                    columns.push(Column {
                        name: slot.name.clone(),
                        value,
                    });
                }
                Ok(())
            }
            Base::Nothing => Err(
                Error::new(Code::Misplaced, "a group has no fields of its own")
                    .at(self.at(span))
                    .expected("group keys and aggregates"),
            ),
        }
    }

    /// Rows of a collection inside each row.
    pub(super) fn nested(&self, scope: &Scope<'_>, tree: &syntax::Nested) -> Result<Column> {
        let written: Vec<_> = tree.path.iter().map(|name| name.text.as_str()).collect();
        let mut written = written.join(".");
        let mut what = "records";
        if let Some(kind) = tree.past {
            what = kind.word();
            written = format!("{what}({written})");
        }
        let span = tree.path.first().map_or(0..0, |name| self.at(&name.span));
        let lead = tree.path.split_last().map_or(&[][..], |(_, lead)| lead);
        if let Some(group) = &scope.group
            && group.leading(lead).is_none()
        {
            let message =
                format!("`{written} {{ ... }}` lists {what} of a record, and here is a group");
            let error = Error::new(Code::Misplaced, message)
                .at(span)
                .expected("group keys and aggregates");
            let error = match tree.past {
                None => error.hint("list(name) gives the values of a group's records"),
                Some(_) => error,
            };
            if lead.is_empty() {
                return Err(error);
            }
            let lead: Vec<_> = lead.iter().map(|name| name.text.as_str()).collect();
            let lead = lead.join(".");
            return Err(error.hint(format!("a key's record has one: `group by {lead}`")));
        }
        let listed = match tree.past {
            None => self.listed(scope, &tree.path, &written, &span)?,
            Some(kind) => self.past_list(scope, kind, &tree.path, &span)?,
        };
        let given = RefCell::default();
        // Many rows may share what a list starts from.
        let link = match (&listed.subtree, &listed.from) {
            (None, None) => Link::Owner(&listed.owner, listed.base),
            _ => Link::Given(&given),
        };
        let mut inner = Scope {
            outer: Some(Outer { scope, link }),
            ..Scope::new(listed.rows)
        };
        let filter = match &tree.filter {
            Some(filter) => Some(self.condition(&inner, filter)?),
            None => None,
        };
        let columns = self.items(&mut inner, &tree.select)?;
        let order = self.order(&inner, &tree.order)?;
        let limit = match &tree.limit {
            Some(limit) => Some(self.count(limit)?),
            None => None,
        };
        if !given.borrow().is_empty() {
            let message = "a list through `subtree` or a reference has many records around one \
                           of its own";
            return Err(Error::new(Code::Misplaced, message)
                .at(span)
                .expected("a list without `outer`"));
        }
        drop(inner);
        let nested = Nested {
            from: listed.from.map(|from| (from, listed.base)),
            source: listed.source,
            owner: listed.owner,
            subtree: listed.subtree,
            filter,
            columns,
            order,
            limit,
        };
        let name = tree
            .alias
            .as_ref()
            .map_or(written, |alias| alias.text.clone());
        Ok(Column {
            name,
            value: ColumnValue::Nested(Box::new(nested)),
        })
    }

    /// The collection of a path.
    fn listed(
        &self,
        scope: &Scope<'_>,
        path: &[syntax::Name],
        written: &str,
        span: &Span,
    ) -> Result<Listed> {
        let joined = self.joined(scope, path, span)?;
        let Some(joined) = joined.filter(|joined| joined.rest.is_empty()) else {
            return Err(self.not_listed(scope, path, written, span));
        };
        Ok(Listed {
            from: joined.lead.map(|(from, base)| match from.ty {
                Type::Plain(FieldType::AnyReference(_)) => only_to(from, base),
                _ => from,
            }),
            base: joined.base,
            source: Source::Object(joined.object),
            rows: Base::Object(joined.object),
            owner: joined.owner,
            subtree: joined.subtree,
        })
    }

    /// The error about a path to a list that ends at no collection.
    fn not_listed(
        &self,
        scope: &Scope<'_>,
        path: &[syntax::Name],
        written: &str,
        span: &Span,
    ) -> Error {
        let ask = |of: &str| format!("select {of} {{ ... }}");
        if let Some(error) = self.untested(scope, path, ask) {
            return error.at(span.clone());
        }
        let message = format!("`{written}` is no collection here");
        let error = Error::new(Code::UnknownObject, message).at(span.clone());
        let object = match (path.split_last(), &scope.shown) {
            (Some((_, [])), Some(shown)) => match (scope.object(), scope.shown(written)) {
                (Some(object), None) => return self.not_shown(object, shown, &path[0]),
                _ => None,
            },
            (Some((_, lead @ [_, ..])), _) => match self.path(scope, lead, span) {
                Ok(Expr {
                    ty: Type::Plain(FieldType::Reference(object)),
                    ..
                }) => Some(object),
                Ok(_) => None,
                // A name nobody knows is the plainer mistake.
                Err(error) => return error,
            },
            _ => scope.object(),
        };
        let last = &path[path.len() - 1].text;
        match (object, &scope.base) {
            (Some(object), _) => {
                let all = self.catalog.collections(object);
                let names: Vec<_> = all.iter().map(|one| one.name.as_str()).collect();
                match nearest(last, names.iter().copied()) {
                    Some(near) if same(near, last) => error
                        .hint("a list starts at a field of a row, or at a name that `let` gives"),
                    None if !names.is_empty() => error.hint(format!(
                        "collections of {}: {}",
                        self.object(object).name,
                        names.join(", ")
                    )),
                    _ => error.near(last, names),
                }
            }
            (None, Base::Slots(slots)) => {
                let having = slots.iter().find(|slot| match &slot.ty {
                    Type::Plain(FieldType::Reference(object)) => {
                        self.catalog.find_collection(*object, last).is_some()
                    }
                    _ => false,
                });
                match having {
                    Some(slot) => error.hint(format!("did you mean `{}.{last}`?", slot.name)),
                    None => error,
                }
            }
            _ => error,
        }
    }
}

/// The heading of an item without an alias: its text, `count` for `count()`.
pub(super) fn column_name(tree: &syntax::Expr) -> String {
    match &tree.kind {
        ExprKind::Call(call) if call.arguments.is_empty() && call.filter.is_none() => {
            call.name.text.to_lowercase()
        }
        _ => match path_of(tree) {
            Some(names) => {
                let names: Vec<_> = names
                    .iter()
                    .map(|name| name.text.as_str())
                    .filter(|name| !same(name, "this"))
                    .collect();
                names.join(".")
            }
            None => tree.to_string(),
        },
    }
}

/// Gives columns of one name different ones: `name`, `name_2`, `name_3`.
pub(super) fn tell_apart(columns: &mut [Column]) {
    let mut known: HashSet<String> = HashSet::new();
    for column in columns {
        let name = column.name.clone();
        let mut number = 2;
        while !known.insert(column.name.to_lowercase()) {
            column.name = format!("{name}_{number}");
            number += 1;
        }
    }
}

impl Column {
    pub(crate) fn ty(&self) -> Type {
        match &self.value {
            ColumnValue::Expr(value) => value.ty.clone(),
            ColumnValue::Nested(_) => Type::Nested,
        }
    }
}
