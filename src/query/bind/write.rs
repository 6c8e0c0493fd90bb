//! Statements that change records, and the texts a schema stores.

use super::binder::{Binder, and, cast};
use super::label::is_labelled;
use super::scope::{Base, Scope, Slot};
use super::{
    Assignments, Change, Column, ColumnValue, Expr, From, Merge, Node, Query, Source, Type,
};
use crate::catalog::{Field, Object, same_name};
use crate::error::{Code, Error, Result, Span};
use crate::query::syntax::{self, Binding, ExprKind, Literal, Name};
use crate::value::{FieldId, FieldType, ObjectId, RecordId, Unit, Value};

impl<'a> Binder<'a> {
    pub(crate) fn add(&self, tree: &syntax::Add) -> Result<Change> {
        let object = self.target(&tree.object)?;
        let scope = Self::nothing();
        let records = tree
            .records
            .iter()
            .map(|record| self.assignments(&scope, object, record))
            .collect::<Result<_>>()?;
        Ok(Change::Add {
            object: object.id,
            records,
        })
    }

    pub(crate) fn update(&self, tree: &syntax::Update) -> Result<Change> {
        let object = self.target(&tree.object)?;
        let query = self.chosen("update", object, &tree.object, &tree.key, &tree.filter)?;
        let set = self.assignments(&Scope::new(Base::Object(object.id)), object, &tree.set)?;
        let unchanged = tree.unchanged.as_ref();
        Ok(Change::Update {
            object: object.id,
            query,
            set,
            unchanged: unchanged.map(|since| self.revision(since)).transpose()?,
        })
    }

    /// The number of a transaction.
    fn revision(&self, tree: &syntax::Expr) -> Result<Expr> {
        let mut bound = self.expr(&Self::nothing(), tree)?;
        if matches!(bound.node, Node::Parameter(_)) {
            bound = cast(bound, Type::INTEGER);
        }
        if bound.ty != Type::INTEGER {
            let is = self.describe(&bound.ty);
            return Err(Error::new(Code::TypeMismatch, format!("`{tree}` is {is}"))
                .at(bound.span)
                .expected("the number of a transaction, as `revision()` gives it"));
        }
        Ok(bound)
    }

    pub(crate) fn delete(&self, tree: &syntax::Delete) -> Result<Change> {
        let object = self.target(&tree.object)?;
        let query = self.chosen("delete", object, &tree.object, &tree.key, &tree.filter)?;
        Ok(Change::Delete {
            object: object.id,
            query,
        })
    }

    pub(crate) fn restore(&self, tree: &syntax::Restore) -> Result<Change> {
        let object = self.target(&tree.object)?;
        let span = &self.at(&tree.object.span);
        if tree.key.is_none() && tree.filter.is_none() {
            return Err(needs_where("restore", object, span));
        }
        let key = tree.key.as_ref().map(|key| match &key.kind {
            // There is no record that could be looked up.
            ExprKind::Literal(Literal::Record(id)) => {
                let ty = Type::Plain(FieldType::Reference(object.id));
                let id = Value::Reference(RecordId(*id));
                Ok(Expr::constant(id, ty, &self.at(&key.span)))
            }
            _ => Ok(cast(self.expr(&Self::nothing(), key)?, Type::TEXT)),
        });
        let scope = Scope::new(Base::Object(object.id));
        let filter = tree.filter.as_ref();
        Ok(Change::Restore {
            object: object.id,
            key: key.transpose()?,
            filter: filter.map(|f| self.condition(&scope, f)).transpose()?,
        })
    }

    pub(crate) fn merge(&self, tree: &syntax::Merge) -> Result<Change> {
        let object = self.target(&tree.object)?;
        let ty = Type::Plain(FieldType::Reference(object.id));
        let mut fields: Vec<(FieldId, syntax::Side)> = Vec::new();
        for (name, side) in &tree.fields {
            let field = self.field(object, name)?;
            if fields.iter().any(|(id, _)| *id == field.id) {
                let message = format!("`{}` is said twice", field.name);
                return Err(Error::new(Code::NameTaken, message).at(self.at(&name.span)));
            }
            fields.push((field.id, *side));
        }
        Ok(Change::Merge(Merge {
            object: object.id,
            source: self.opposite(&Self::nothing(), &tree.source, &ty)?,
            target: self.opposite(&Self::nothing(), &tree.target, &ty)?,
            keep: tree.keep.unwrap_or(syntax::Side::Target),
            fields,
        }))
    }

    pub(crate) fn upsert(&self, tree: &syntax::Upsert) -> Result<Change> {
        let object = self.target(&tree.object)?;
        let on = self.fields(object, &tree.on)?;
        let (from, scope) = match &tree.from {
            None => (None, Self::nothing()),
            Some(from) => {
                let span = self.at(&from.span);
                let (mut query, frames) = self.query_in(from, None)?;
                query.without_totals();
                let shown = frames.shown.then(|| query.columns.clone());
                let records = from.select.is_empty() && query.group.is_none();
                let over = match query.source {
                    Source::Object(object) if records => {
                        self.record_column(&mut query, &span);
                        Some(object)
                    }
                    _ => None,
                };
                if let (true, Base::Slots(slots)) = (records && over.is_none(), frames.base) {
                    show_all(&mut query, slots, &span);
                }
                let base = match over {
                    Some(object) => Base::Object(object),
                    None => Base::Slots(
                        query
                            .columns
                            .iter()
                            .map(|c| Slot::new(c.name.clone(), c.ty()))
                            .collect(),
                    ),
                };
                let scope = Scope {
                    columns_first: true,
                    shown: shown.filter(|_| over.is_some()),
                    ..Scope::new(base)
                };
                (
                    Some(From {
                        query,
                        object: over,
                    }),
                    scope,
                )
            }
        };
        let records = tree
            .records
            .iter()
            .map(|record| {
                let set = self.assignments(&scope, object, record)?;
                self.check_keys(object, &on, &tree.on, &set)?;
                Ok(set)
            })
            .collect::<Result<_>>()?;
        Ok(Change::Upsert {
            object: object.id,
            on,
            from,
            records,
        })
    }

    /// What `returning` shows: a query over all records of the object, of which the caller takes
    /// those that changed.
    pub(crate) fn returning(&self, object: ObjectId, select: &[syntax::Item]) -> Result<Query> {
        let object = self.object(object);
        let query = self.query(&syntax::Query {
            select: select.to_vec(),
            ..syntax::bare(syntax::Source::Named {
                path: vec![Name {
                    text: object.name.clone(),
                    span: 0..0,
                }],
                key: None,
            })
        });
        query.map_err(|error| match (error.code(), error.span()) {
            (Code::MisplacedAggregate, Some(span)) => {
                let hint = "`returning` has no groups: show values of each record, or only \
                            aggregates of them all";
                Error::new(error.code(), error.message())
                    .at(span)
                    .hint(hint)
            }
            _ => error,
        })
    }

    /// What an import assigns, over the columns of its header. Without a mapping every column
    /// goes to the field of its name; one without a name goes nowhere.
    pub(crate) fn import(
        &self,
        tree: &syntax::Import,
        header: &[String],
    ) -> Result<(ObjectId, Vec<FieldId>, Assignments)> {
        let object = self.target(&tree.object)?;
        let on = self.fields(object, &tree.on)?;
        let slots = header
            .iter()
            .map(|name| Slot::new(name.clone(), Type::TEXT))
            .collect();
        let scope = Scope {
            columns_first: true,
            ..Scope::new(Base::Slots(slots))
        };
        let set = if tree.fields.is_empty() {
            let mut set = Assignments::new();
            let named = |(_, column): &(usize, &String)| !column.is_empty();
            for (at, column) in header.iter().enumerate().filter(named) {
                let name = Name {
                    text: column.clone(),
                    span: tree.object.span.clone(),
                };
                let Some(field) = self.column_field(object, &name)? else {
                    continue;
                };
                if let Some((_, other)) = set.iter().find(|(own, _)| *own == field.id)
                    && let Node::Slot(other) = other.node
                {
                    let message = format!(
                        "the columns `{}` and `{column}` are both for `{}`",
                        header[other], field.name
                    );
                    let error = Error::new(Code::Misplaced, message);
                    return Err(error
                        .at(self.at(&tree.file.span))
                        .hint(in_words(object, column)));
                }
                set.push((
                    field.id,
                    Expr::new(Node::Slot(at), Type::TEXT, &tree.file.span),
                ));
            }
            set
        } else {
            self.assignments(&scope, object, &tree.fields)?
        };
        self.check_keys(object, &on, &tree.on, &set)?;
        Ok((object.id, on, set))
    }

    /// The objects whose records an import adds where a reference names nobody.
    pub(crate) fn creating(
        &self,
        tree: &syntax::Import,
        object: ObjectId,
        set: &[FieldId],
    ) -> Result<Vec<ObjectId>> {
        let mut all = Vec::new();
        for name in &tree.creating {
            let target = self.target(name)?;
            let wrong =
                |message: String| Error::new(Code::Misplaced, message).at(self.at(&name.span));
            if target.id == object {
                let message = format!("{} are what is imported", target.name);
                return Err(wrong(message).hint("the lines of the file may name each other"));
            }
            let own = self.object(object);
            if !set
                .iter()
                .any(|field| own.field(*field).refers_to(target.id))
            {
                let message = format!("no column is for a reference to {}", target.name);
                return Err(wrong(message));
            }
            if target.label_field().is_none() {
                let message = format!("{} have no label to be called by", target.name);
                return Err(wrong(message));
            }
            all.push(target.id);
        }
        Ok(all)
    }

    /// The field of a column's name, in which case, blanks and underscores do not count; none where
    /// the name is a formula's.
    fn column_field(&self, object: &'a Object, name: &Name) -> Result<Option<&'a Field>> {
        let squeezed = |name: &str| {
            let letters = name.chars().filter(|c| !c.is_whitespace() && *c != '_');
            letters.collect::<String>().to_lowercase()
        };
        let column = squeezed(&name.text);
        let alike = |name: &str| squeezed(name) == column;
        if let Some(field) = object.find_field(&name.text) {
            return Ok(Some(field));
        }
        let mut fields = object.live_fields().filter(|field| alike(&field.name));
        let computed = object.formulas.iter().any(|formula| alike(&formula.name));
        match (fields.next(), fields.next()) {
            (Some(field), None) => Ok(Some(field)),
            (None, None) if computed => Ok(None),
            _ => self
                .field(object, name)
                .map(Some)
                .map_err(|error| error.hint(in_words(object, &name.text))),
        }
    }

    /// The object a statement changes.
    pub(crate) fn target(&self, name: &Name) -> Result<&'a Object> {
        self.catalog.find_object(&name.text).ok_or_else(|| {
            let error = Error::new(
                Code::UnknownObject,
                format!("there is no object `{}`", name.text),
            )
            .at(self.at(&name.span));
            if self.catalog.find_view(&name.text).is_some() {
                return error.hint(format!("`{}` is a view; change its object", name.text));
            }
            error.near(
                &name.text,
                self.catalog.live_objects().map(|o| o.name.as_str()),
            )
        })
    }

    /// A stored field by name.
    pub(crate) fn field(&self, object: &'a Object, name: &Name) -> Result<&'a Field> {
        object.find_field(&name.text).ok_or_else(|| {
            let error = Error::new(
                Code::UnknownField,
                format!("{} have no field `{}`", object.name, name.text),
            )
            .at(self.at(&name.span));
            if object.find_formula(&name.text).is_some() {
                return error.hint(format!("`{}` is computed and cannot be set", name.text));
            }
            error.near(
                &name.text,
                object.live_fields().map(|field| field.name.as_str()),
            )
        })
    }

    fn fields(&self, object: &'a Object, names: &[Name]) -> Result<Vec<FieldId>> {
        names
            .iter()
            .map(|name| self.field(object, name).map(|field| field.id))
            .collect()
    }

    fn check_keys(
        &self,
        object: &Object,
        on: &[FieldId],
        names: &[Name],
        set: &Assignments,
    ) -> Result<()> {
        for (field, name) in on.iter().zip(names) {
            if !set.iter().any(|(assigned, _)| assigned == field) {
                return Err(Error::new(
                    Code::Misplaced,
                    format!("`on {}` needs a value for it", object.field(*field).name),
                )
                .at(self.at(&name.span))
                .hint(format!("add `{} = ...` in the parentheses", name.text)));
            }
        }
        Ok(())
    }

    /// The records an `update` or `delete` is about.
    fn chosen(
        &self,
        verb: &str,
        object: &Object,
        name: &Name,
        key: &Option<syntax::Expr>,
        filter: &Option<syntax::Expr>,
    ) -> Result<Query> {
        let span = &self.at(&name.span);
        let scope = Scope::new(Base::Object(object.id));
        let ty = Type::Plain(FieldType::Reference(object.id));
        let mut conditions = Vec::new();
        if let Some(key) = key {
            conditions.push(self.is_record(&scope, key, ty.clone(), span)?);
        }
        if let Some(filter) = filter {
            conditions.push(self.condition(&scope, filter)?);
        }
        let filter = match conditions.len() {
            0 => {
                return Err(needs_where(verb, object, span));
            }
            1 => conditions.pop(),
            _ => Some(and(conditions, span)),
        };
        let value = ColumnValue::Expr(Expr::new(Node::Id, ty, span));
        Ok(Query {
            filter,
            columns: vec![Column {
                name: object.singular.clone(),
                value,
            }],
            ..Query::of(Source::Object(object.id))
        })
    }

    /// `(field = expression, ...)` of an object.
    fn assignments(
        &self,
        scope: &Scope<'_>,
        object: &'a Object,
        bindings: &[Binding],
    ) -> Result<Assignments> {
        let mut set = Assignments::new();
        for binding in bindings {
            let field = self.field(object, &binding.name)?;
            if set.iter().any(|(id, _)| *id == field.id) {
                return Err(
                    Error::new(Code::NameTaken, format!("`{}` is set twice", field.name))
                        .at(self.at(&binding.name.span)),
                );
            }
            set.push((
                field.id,
                self.assigned(scope, object, field, &binding.value)?,
            ));
        }
        Ok(set)
    }

    /// An expression as the value of a field: labels looked up, numbers cast. Text stays text;
    /// the writer reads it as the field's type.
    pub(crate) fn assigned_in(
        &self,
        object: &'a Object,
        field: &'a Field,
        tree: &syntax::Expr,
    ) -> Result<Expr> {
        let bound = self.assigned(&Scope::new(Base::Object(object.id)), object, field, tree)?;
        self.without_parameters(bound)
    }

    fn assigned(
        &self,
        scope: &Scope<'_>,
        object: &'a Object,
        field: &'a Field,
        tree: &syntax::Expr,
    ) -> Result<Expr> {
        let column = self.column(object.id, field.id, &tree.span);
        let ty = column.ty;
        let span = &self.at(&tree.span);
        if let Type::Tags(..) = ty {
            // Labels by text: a tags field without declared labels grows by new ones.
            let items = match &tree.kind {
                ExprKind::List(items) => items.as_slice(),
                _ => std::slice::from_ref(tree),
            };
            let mut names = Vec::new();
            for item in items {
                let named = match self.tag_name(scope, item) {
                    Some(name) => name,
                    None if items.len() == 1 => return self.expr(scope, item),
                    None => {
                        return Err(
                            Error::new(Code::TypeMismatch, format!("`{item}` is no tag"))
                                .at(self.at(&item.span))
                                .expected("words or strings in parentheses"),
                        );
                    }
                };
                names.push(named);
            }
            return Ok(Expr::constant(
                Value::text(names.join(",")),
                Type::TEXT,
                span,
            ));
        }
        let bound = match &ty {
            Type::Plain(FieldType::AnyReference(_)) if !matches!(tree.kind, ExprKind::Path(_)) => {
                self.expr(scope, tree)?
            }
            _ => self.opposite(scope, tree, &ty)?,
        };
        self.fit(object, field, bound, ty, tree)
    }

    fn tag_name(&self, scope: &Scope<'_>, item: &syntax::Expr) -> Option<String> {
        match &item.kind {
            ExprKind::Literal(Literal::Text(text)) => Some(text.clone()),
            _ => super::label::word(item)
                .filter(|name| !self.knows(scope, name))
                .map(|name| name.text.clone()),
        }
    }

    /// Refuses what can never be a value of the field; casts what is one in another type.
    fn fit(
        &self,
        object: &Object,
        field: &Field,
        bound: Expr,
        ty: Type,
        tree: &syntax::Expr,
    ) -> Result<Expr> {
        use FieldType as F;
        let numeric = |ty: &F| matches!(ty, F::Integer | F::Number | F::Percent);
        let fits = match (&bound.ty, &ty) {
            (Type::Missing, _) => true,
            (a, b) if a == b || a.is_period() && b.is_period() => true,
            // Read or looked up by the writer.
            (Type::Plain(a), _) if a.is_text() => true,
            // Labels of another field go by their names.
            (Type::Label(..), Type::Label(..) | Type::Tags(..)) => true,
            (Type::Tags(..), Type::Tags(..)) => true,
            (Type::Label(..), Type::Plain(b)) if b.is_text() => true,
            (Type::Plain(a), Type::Plain(b)) if numeric(a) && numeric(b) => {
                let whole = *a == F::Integer || *b != F::Integer;
                return if whole {
                    Ok(cast(bound, ty))
                } else {
                    Ok(bound)
                };
            }
            (Type::Plain(a), Type::Plain(F::Money)) if numeric(a) => return Ok(cast(bound, ty)),
            (Type::Plain(F::Date), Type::Plain(F::DateTime))
            | (Type::Plain(F::DateTime), Type::Plain(F::Date)) => return Ok(cast(bound, ty)),
            (Type::Plain(F::Date), Type::Plain(F::Period)) => {
                let span = bound.span.clone();
                let node = Node::Bucket {
                    unit: Unit::Day,
                    value: Box::new(bound),
                };
                return Ok(Expr::new(node, ty, &span));
            }
            (Type::Plain(F::Reference(one)), Type::Plain(F::AnyReference(any)))
                if any.contains(one) =>
            {
                return Ok(cast(bound, ty));
            }
            _ => false,
        };
        if fits {
            return Ok(bound);
        }
        let mut is = self.describe(&bound.ty);
        if let Type::Label(of, _) | Type::Tags(of, _) = bound.ty
            && of != object.id
        {
            is = format!("{is} of {}", self.object(of).name);
        }
        let (own, wanted) = (&field.name, self.describe(&ty));
        let message = format!(
            "`{own}` of {} is {wanted}, and `{tree}` is {is}",
            object.name
        );
        let error = Error::new(Code::TypeMismatch, message).at(bound.span);
        Err(if is_labelled(&ty) {
            error.expected("a label, or a record of that object")
        } else {
            error
        })
    }

    /// A condition over the records of an object: a `check` or a stored filter.
    pub(crate) fn record_condition(&self, object: ObjectId, tree: &syntax::Expr) -> Result<Expr> {
        let bound = self.condition(&Scope::new(Base::Object(object)), tree)?;
        self.without_parameters(bound)
    }

    /// An expression over the records of an object: a formula.
    pub(crate) fn record_expression(&self, object: ObjectId, tree: &syntax::Expr) -> Result<Expr> {
        let bound = self.expr(&Scope::new(Base::Object(object)), tree)?;
        self.without_parameters(bound)
    }

    /// A formula of an object while it is being defined: it may not reach itself by name.
    pub(crate) fn formula(&self, object: &Object, name: &str, tree: &syntax::Expr) -> Result<Expr> {
        self.expanding
            .borrow_mut()
            .push(format!("{}.{name}", object.name));
        let bound = self.record_expression(object.id, tree);
        self.expanding.borrow_mut().pop();
        bound
    }

    /// A view's query with its parameters unset, to see whether it means anything.
    pub(crate) fn view(&self, tree: &syntax::CreateView) -> Result<Query> {
        let mut known = std::collections::HashMap::new();
        for parameter in &tree.parameters {
            let ty = self.type_named(&parameter.ty.to_string())?;
            if let Some(default) = &parameter.default {
                self.argument(default, &ty, &parameter.name)?;
            }
            let node = Node::Parameter(parameter.name.clone());
            known.insert(parameter.name.to_lowercase(), Expr::new(node, ty, &(0..0)));
        }
        self.expanding
            .borrow_mut()
            .push(format!("view {}", tree.name.text));
        self.arguments.borrow_mut().push(known);
        let query = self.query(&tree.query);
        self.arguments.borrow_mut().pop();
        self.expanding.borrow_mut().pop();
        query
    }
}

/// Appends the columns of a source that it shows only where they are asked for.
fn show_all(query: &mut Query, slots: Vec<Slot>, span: &Span) {
    for (at, slot) in slots.into_iter().enumerate() {
        let shown = |column: &Column| same_name(&column.name, &slot.name);
        if !query.columns.iter().any(shown) {
            query.columns.push(Column {
                name: slot.name,
                value: ColumnValue::Expr(Expr::new(Node::Slot(at), slot.ty, span)),
            });
        }
    }
}

fn needs_where(verb: &str, object: &Object, span: &Span) -> Error {
    let message = format!("`{verb}` needs to know which {}", object.name);
    Error::new(Code::Misplaced, message)
        .at(span.clone())
        .expected("`where` and a condition")
        .hint(format!(
            "for all of them write: {verb} {} where true",
            object.name
        ))
}

/// How to say what a column is for.
fn in_words(object: &Object, column: &str) -> String {
    format!(
        "say what the columns are: import {} from \"...\" ({} = `{column}`, ...)",
        object.name,
        object.fields.first().map_or("name", |field| &field.name)
    )
}
