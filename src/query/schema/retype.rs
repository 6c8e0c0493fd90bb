//! Another type for a field: a new field takes its place, its name and its past, all converted.
//!
//! What a value becomes is what an export would write of it and an import would read, or for
//! quantities of one kind the same quantity. A value that is not kept so is refused.

use super::usage::still_used;
use super::{Definer, name};
use crate::catalog::{Catalog, Field, OnDelete};
use crate::error::{Code, Error, Kind, Result};
use crate::query::bind::{Binder, Type};
use crate::query::syntax::{self, Expr, ExprKind, Literal, Name, TypeName};
use crate::query::write::{Writer, each_value};
use crate::storage::{IndexKind, Inheritance};
use crate::value::{FieldId, FieldType, IndexId, Money, ObjectId, RecordId, Shape, Value};
use std::collections::BTreeMap;

/// Values that an error shows, and records that its query names.
const SHOWN: usize = 3;
const NAMED: usize = 20;

/// A field that takes the place of another.
pub(super) struct Retyped<'s> {
    pub(super) name: &'s Name,
    /// The field as it was.
    old: Field,
    new: FieldId,
    /// Its values, which no column has once it is dropped.
    values: Vec<(RecordId, Value)>,
}

impl Definer<'_, '_> {
    /// Puts a field of another type in the place of one, with no values yet.
    pub(super) fn retype<'s>(
        &mut self,
        id: ObjectId,
        name: &'s Name,
        ty: &TypeName,
        default: Option<&Expr>,
    ) -> Result<Retyped<'s>> {
        let at = self.field(id, name)?;
        let (ty, labels) = self.field_type(ty)?;
        let object = self.catalog.object(id);
        let old = object.field(at).clone();
        let refused =
            |message: String| Error::new(Code::TypeMismatch, message).at(name.span.clone());
        let binder = Binder::new(&self.catalog, self.environment.clock);
        let said = |ty: &FieldType| binder.describe(&Type::Plain(ty.clone()));
        if old.ty == ty && !matches!(ty, FieldType::Picklist | FieldType::Tags) {
            return Err(refused(format!("`{}` is {} already", old.name, said(&ty))));
        }
        if !is_convertible(&old.ty, &ty) {
            let message = format!("{} never becomes {}", said(&old.ty), said(&ty));
            return Err(refused(message).hint("text lies between the two: change to text first"));
        }
        let misplaced = |message: String, hint: &str| {
            let error = Error::new(Code::Misplaced, message).at(name.span.clone());
            Err(error.hint(hint))
        };
        if usize::from(at.0) >= self.transaction.snapshot().layout(id).fields.len() {
            let message = format!("`{}` got its type in this statement", old.name);
            return misplaced(message, "change it in a statement of its own");
        }
        if self.transaction.has_inherited(id, at) {
            let message = format!("`{}` got its type in this transaction", old.name);
            return misplaced(message, "commit first");
        }
        let mut users = Vec::new();
        users.extend(super::alter::role_use(object, at));
        if old.hierarchy {
            users.push(format!("the hierarchy of {}", object.name));
        }
        let day = matches!(ty, FieldType::Date | FieldType::DateTime);
        let dating = object
            .live_fields()
            .filter(|field| field.dated_by == Some(at));
        users.extend(
            dating
                .filter(|_| !day)
                .map(|field| format!("field `{}`, which it dates", field.name)),
        );
        let ordering = matches!(
            ty,
            FieldType::Integer | FieldType::Number | FieldType::Percent | FieldType::Date
        );
        if object.ordered_by == Some(at) && !ordering {
            users.push(format!("the order of {}", object.name));
        }
        let declared =
            |index: &&crate::catalog::Index| index.declared && index.fields.contains(&at);
        if matches!(ty.shape(), Shape::RowOnly | Shape::Tags)
            && object.indexes.iter().any(|index| declared(&index))
        {
            users.push("an index".to_owned());
        }
        if !users.is_empty() {
            return Err(still_used(name, &users));
        }
        let new = u16::try_from(object.fields.len()).ok().map(FieldId);
        let new = new.filter(|new| usize::from(new.0) < super::field::FIELDS);
        let Some(new) = new else {
            let message = format!("an object has at most {} fields", super::field::FIELDS);
            return Err(Error::new(Code::Limit, message).at(name.span.clone()));
        };
        let refers = matches!(ty, FieldType::Reference(_) | FieldType::AnyReference(_));
        let field = Field {
            id: new,
            open: ty == FieldType::Tags && labels.is_empty(),
            collection: old.collection.clone().filter(|_| refers),
            on_delete: match refers {
                true => old.on_delete,
                false => OnDelete::default(),
            },
            dated_by: old.dated_by.filter(|_| ty == FieldType::Money),
            default: match default {
                Some(default) if is_empty(default) => None,
                Some(default) => Some(default.to_string()),
                None => old.default.clone(),
            },
            labels,
            gone_labels: Vec::new(),
            ty,
            ..old.clone()
        };
        let object = self.object_mut(id);
        object.fields[usize::from(at.0)].dropped = true;
        self.check_options(id, &field, name)?;
        self.take_place(id, at, field);
        self.check_default(id, new, name, default)?;
        let mut values = Vec::new();
        each_value(self.transaction.snapshot(), id, &old, |id, value| {
            if !value.is_missing() {
                values.push((id, value));
            }
        })?;
        Ok(Retyped {
            name,
            old,
            new,
            values,
        })
    }

    /// Has all that names a field by its number name the new one.
    fn take_place(&mut self, id: ObjectId, old: FieldId, field: Field) {
        let new = field.id;
        let mut next = self.catalog.next_index;
        let object = self.object_mut(id);
        let one_reference = matches!(field.ty, FieldType::Reference(_));
        object.fields.push(field);
        for field in &mut object.fields {
            if field.dated_by == Some(old) {
                field.dated_by = Some(new);
            }
        }
        if object.ordered_by == Some(old) {
            object.ordered_by = Some(new);
        }
        let indexes = &mut object.indexes;
        indexes.retain(|index| index.declared || !index.fields.contains(&old));
        for index in indexes.iter_mut().filter(|i| i.fields.contains(&old)) {
            index.id = IndexId(next);
            next += 1;
            for field in index.fields.iter_mut().filter(|field| **field == old) {
                *field = new;
            }
            let plain = index.fields.len() == 1 && one_reference && !index.unique;
            index.kind = match plain {
                true => IndexKind::Reference,
                false => IndexKind::Ordered,
            };
        }
        self.catalog.next_index = next;
        self.index_field(id, new);
    }

    fn check_default(
        &mut self,
        id: ObjectId,
        field: FieldId,
        name: &Name,
        given: Option<&Expr>,
    ) -> Result<()> {
        let catalog = self.shared();
        let object = catalog.object(id);
        let definition = object.field(field);
        let Some(text) = &definition.default else {
            return Ok(());
        };
        let binder = Binder::new(&catalog, self.environment.clock);
        let tree = syntax::parse_expression(text)?;
        let tree = given.unwrap_or(&tree);
        let sound = binder
            .assigned_in(object, definition, tree)
            .and_then(|default| {
                let checked = self.check_constant(id, field, &default);
                checked.map_err(|error| error.at(tree.span.clone()))
            });
        match (sound, given) {
            (Ok(_), _) => Ok(()),
            (Err(error), Some(_)) => Err(error),
            (Err(_), None) => Err(Error::new(
                Code::StillUsed,
                format!("the default of `{}`, {text}, would mean nothing", name.text),
            )
            .at(name.span.clone())
            .hint("say another: `type ... default e`, or `default empty` for none")),
        }
    }

    /// Gives the new fields their values and their past; says what of the past is lost.
    pub(super) fn convert_all(
        &mut self,
        id: ObjectId,
        mut all: Vec<Retyped<'_>>,
    ) -> Result<String> {
        let mut told = String::new();
        // What records are called by comes first: references become it, and are found by it.
        let calls = |one: &Retyped<'_>| one.old.label || one.old.unique;
        all.sort_by_key(|one| !calls(one));
        for one in all {
            let (name, span) = (one.old.name.clone(), one.name.span.clone());
            let lost = self.convert_one(id, one).map_err(|e| e.at(span))?;
            if lost > 0 {
                let values = if lost == 1 { "value" } else { "values" };
                told = format!("{told}; {lost} {values} of the history of `{name}` read as empty");
            }
        }
        Ok(told)
    }

    fn convert_one(&mut self, id: ObjectId, one: Retyped<'_>) -> Result<usize> {
        let catalog = self.shared();
        let (old, new) = (&one.old, one.new);
        let mut past = self.transaction.past_of(id, old.id)?;
        if let Some(past) = &mut past {
            each_value(self.transaction.committed(), id, old, |id, value| {
                if !value.is_missing() {
                    past.values.insert(id, value);
                }
            })?;
        }
        let mut writer = Writer::new(self.transaction, catalog, self.environment);
        let mut wrong = Vec::new();
        let mut values: BTreeMap<RecordId, (Value, Value)> = BTreeMap::new();
        for (record, value) in one.values {
            match converted(&mut writer, (id, old, new), &value) {
                Ok(Some(converted)) => drop(values.insert(record, (value, converted))),
                Ok(None) => wrong.push((record, value, None)),
                Err(error) if is_of_value(&error) => wrong.push((record, value, Some(error))),
                Err(error) => return Err(error),
            }
        }
        if !wrong.is_empty() {
            return Err(refusal(&mut writer, (id, old, new), &wrong));
        }
        let mut lost = 0;
        let mut read = |writer: &mut Writer<'_, '_>, value: &mut Value| -> Result<()> {
            if value.is_missing() {
                return Ok(());
            }
            *value = match converted(writer, (id, old, new), value) {
                Ok(Some(converted)) => converted,
                Err(error) if !is_of_value(&error) => return Err(error),
                Ok(None) | Err(_) => {
                    lost += 1;
                    Value::Missing
                }
            };
            Ok(())
        };
        if let Some(past) = &mut past {
            for (record, value) in &mut past.values {
                match values.get(record) {
                    Some((was, converted)) if was == value => *value = converted.clone(),
                    _ => read(&mut writer, value)?,
                }
            }
            let then = past.olds.values_mut().chain(past.gone.values_mut());
            for value in then.flat_map(BTreeMap::values_mut) {
                read(&mut writer, value)?;
            }
            without_standstills(past);
        }
        writer.keep_labels();
        writer.finish()?;
        self.catalog = Catalog::clone(&writer.catalog());
        if let Some(past) = past {
            self.transaction.inherit(id, new, past);
        }
        for (record, (_, value)) in values {
            if let Some(row) = self.transaction.row(id, record)? {
                let mut changed = (*row).clone();
                changed.set(new, value);
                self.transaction.replace(id, record, row, changed)?;
            }
        }
        self.check_unique(id, new)?;
        Ok(lost)
    }

    fn check_unique(&mut self, id: ObjectId, field: FieldId) -> Result<()> {
        let catalog = self.shared();
        let object = catalog.object(id);
        let unique = object.indexes.iter().filter(|index| index.unique);
        let touched = unique.filter(|index| index.fields.contains(&field));
        let name = &object.field(field).name;
        for index in touched {
            let writer = Writer::new(self.transaction, catalog.clone(), self.environment);
            if let Some((a, b)) = writer.duplicates(id, &index.fields)? {
                let message = format!("`{name}` would be the same for {a} and {b}");
                return Err(
                    Error::new(Code::NotUnique, message).hint("merge or change one of them first")
                );
            }
        }
        Ok(())
    }
}

/// Takes out of a past what was a change before and is none now.
fn without_standstills(past: &mut Inheritance) {
    // From the last change to the first, what the record had after it.
    let mut after: BTreeMap<RecordId, Value> = past.values.clone();
    let sequences: Vec<u64> = past.olds.keys().chain(past.gone.keys()).copied().collect();
    for sequence in std::collections::BTreeSet::from_iter(sequences)
        .into_iter()
        .rev()
    {
        for (id, value) in past.gone.get(&sequence).into_iter().flatten() {
            after.insert(*id, value.clone());
        }
        if let Some(olds) = past.olds.get_mut(&sequence) {
            olds.retain(|id, old| {
                let next = after.insert(*id, old.clone()).unwrap_or(Value::Missing);
                *old != next
            });
        }
    }
    past.olds.retain(|_, olds| !olds.is_empty());
}

pub(super) fn is_empty(default: &Expr) -> bool {
    matches!(&default.kind, ExprKind::Literal(Literal::Empty))
}

/// Whether an error is about the value and not about the book.
fn is_of_value(error: &Error) -> bool {
    matches!(
        error.kind(),
        Kind::Syntax | Kind::Bind | Kind::Constraint | Kind::NotFound | Kind::Limit
    )
}

fn is_quantity(ty: &FieldType) -> bool {
    matches!(
        ty,
        FieldType::Integer | FieldType::Number | FieldType::Percent | FieldType::Money
    )
}

/// Whether values of a type are words, or are called by words.
fn is_worded(ty: &FieldType) -> bool {
    ty.is_text()
        || matches!(
            ty,
            FieldType::LongText
                | FieldType::Picklist
                | FieldType::Tags
                | FieldType::Reference(_)
                | FieldType::AnyReference(_)
                | FieldType::Filter(_)
                | FieldType::Expression(_)
        )
}

/// Whether one type's values are another's without their text.
fn is_direct(from: &FieldType, to: &FieldType) -> bool {
    use FieldType as F;
    match (from, to) {
        (F::Date, F::DateTime) | (F::DateTime, F::Date) | (F::Integer, F::Period) => true,
        (F::Reference(one), F::AnyReference(any)) | (F::AnyReference(any), F::Reference(one)) => {
            any.contains(one)
        }
        (F::AnyReference(_), F::AnyReference(_)) => true,
        _ => is_quantity(from) && is_quantity(to),
    }
}

fn is_convertible(from: &FieldType, to: &FieldType) -> bool {
    is_direct(from, to) || is_worded(from) || is_worded(to)
}

/// A value in the new field's type; nothing if it would not be the same.
fn converted(
    writer: &mut Writer<'_, '_>,
    (object, old, new): (ObjectId, &Field, FieldId),
    value: &Value,
) -> Result<Option<Value>> {
    let catalog = writer.catalog();
    let ty = &catalog.object(object).field(new).ty;
    if !is_direct(&old.ty, ty) {
        let text = shown(writer, old, value)?;
        return writer.read(object, new, &text).map(Some);
    }
    let base = writer.clock().base;
    if let (Value::Money(money), false) = (value, *ty == FieldType::Money)
        && money.currency() != base
    {
        return Ok(None);
    }
    let from = Type::Plain(old.ty.clone());
    let converted = writer.convert(object, new, Some(&from), value.clone())?;
    let kept = match (value, &converted) {
        (Value::Integer(n), Value::Number(x)) => *x as i128 == i128::from(*n),
        (Value::Number(x), Value::Money(money)) => money.amount() == *x,
        (Value::Money(money), Value::Number(x)) => {
            Money::from_number(*x, base).is_some_and(|back| back == *money)
        }
        _ => true,
    };
    Ok(kept.then_some(converted))
}

/// A value as an export writes it.
fn shown(writer: &Writer<'_, '_>, old: &Field, value: &Value) -> Result<String> {
    let name = |code| old.label_name(code).unwrap_or_default();
    Ok(match (value, &old.ty) {
        (Value::Label(code), _) => name(*code).to_owned(),
        (Value::Tags(codes), _) => {
            let names: Vec<_> = codes.iter().map(|code| name(*code)).collect();
            names.join(", ")
        }
        (Value::Reference(id), FieldType::Reference(target)) => writer.label(*target, *id)?,
        (Value::AnyReference(target, id), _) => writer.label(*target, *id)?,
        _ => value.show_as(Some(&old.ty), writer.clock()),
    })
}

fn refusal(
    writer: &mut Writer<'_, '_>,
    (object, old, new): (ObjectId, &Field, FieldId),
    wrong: &[(RecordId, Value, Option<Error>)],
) -> Error {
    let catalog = writer.catalog();
    let definition = catalog.object(object);
    let field = definition.field(new);
    let ty = Binder::new(&catalog, writer.clock()).describe(&Type::Plain(field.ty.clone()));
    let (values, are) = match wrong.len() {
        1 => ("value", "is"),
        _ => ("values", "are"),
    };
    let message = format!("{} {values} of `{}` {are} not {ty}", wrong.len(), old.name);
    let mut error = Error::new(Code::BadValue, message);
    for (record, value, why) in wrong.iter().take(SHOWN) {
        let name = writer.name_of(object, *record);
        let said = shown(writer, old, value).unwrap_or_default();
        let why = why
            .as_ref()
            .map_or_else(String::new, |why| format!(": {}", why.message()));
        error = error.hint(format!("{name} has \"{said}\"{why}"));
    }
    let ids: Vec<_> = wrong
        .iter()
        .take(NAMED)
        .map(|(id, ..)| id.0.to_string())
        .collect();
    let first = match wrong.len() > NAMED {
        true => format!("the first {NAMED}"),
        false => "them".to_owned(),
    };
    error.hint(format!(
        "see {first}: {} where id in ({}) select id, {}",
        name::made(&definition.name),
        ids.join(", "),
        name::made(&old.name)
    ))
}
