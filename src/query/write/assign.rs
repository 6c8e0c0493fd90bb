//! Assignment: the value of an expression, or text, becomes a value of a field's type.
//!
//! A value of the same quantity is converted; text is read as the field's type, or looked up as
//! the label it names. Everything else is an error that says what the field takes. Types that
//! never fit were refused by the binder.

use super::writer::{AddedLabel, Writer};
use crate::catalog::{Catalog, Field};
use crate::error::{Code, Error, Result};
use crate::query::bind::Type;
use crate::query::label;
use crate::value::{FieldId, FieldType, Money, ObjectId, Period, RecordId, Value};
use std::sync::Arc;

/// Bytes of a text field.
const TEXT_BYTES: usize = 64 * 1024;
/// Bytes of a long text, filter or expression.
const LONG_TEXT_BYTES: usize = 16 * 1024 * 1024;
/// Labels that writing may add to one tags field.
const TAG_LABELS: usize = 10_000;

impl Writer<'_, '_> {
    /// `value`, which an expression of type `from` gave, as a value of the field. Without `from`
    /// codes of labels are the field's own.
    pub(crate) fn convert(
        &mut self,
        object: ObjectId,
        field: FieldId,
        from: Option<&Type>,
        value: Value,
    ) -> Result<Value> {
        use FieldType as F;
        let catalog = Arc::clone(&self.catalog);
        let definition = catalog.object(object).field(field);
        let clock = self.environment.clock;
        let money = |n: f64| Money::from_number(n, clock.base).map(Value::Money);
        let named = from.and_then(|from| self.named_elsewhere((object, field), from, &value));
        let converted = match (&definition.ty, value) {
            (_, Value::Missing) => Some(Value::Missing),
            _ if let Some(names) = named => {
                drop(catalog);
                return self.read(object, field, &names);
            }
            (_, Value::Text(text)) => {
                drop(catalog);
                return self.read(object, field, &text);
            }
            (F::Picklist, Value::Label(code)) => {
                definition.label_name(code).map(|_| Value::Label(code))
            }
            (F::Number | F::Percent, Value::Integer(n)) => Some(Value::Number(n as f64)),
            (F::Number | F::Percent, Value::Money(m)) => Some(Value::Number(m.amount())),
            (F::Integer, Value::Number(n)) => Some(whole(definition, n)?),
            (F::Integer, Value::Money(m)) => Some(whole(definition, m.amount())?),
            (F::Money, Value::Integer(n)) => n
                .checked_mul(Money::SCALE)
                .map(|units| Value::Money(Money::from_units(units, clock.base))),
            (F::Money, Value::Number(n)) => money(n),
            (F::DateTime, Value::Date(day)) => Some(Value::DateTime(clock.start_of(day))),
            (F::Date, Value::DateTime(moment)) => Some(Value::Date(clock.date_of(moment))),
            (F::Period, Value::Integer(year)) => Period::of_year(year).map(Value::Period),
            (F::AnyReference(targets), Value::Reference(id)) => match from {
                Some(Type::Plain(F::Reference(target))) if targets.contains(target) => {
                    Some(Value::AnyReference(*target, id))
                }
                _ => None,
            },
            (F::Reference(target), Value::AnyReference(found, id)) => {
                (found == *target).then_some(Value::Reference(id))
            }
            (F::Reference(target), value @ Value::Reference(_)) => {
                let same = !matches!(from, Some(Type::Plain(F::Reference(o))) if o != target);
                same.then_some(value)
            }
            (F::AnyReference(targets), Value::AnyReference(target, id)) => targets
                .contains(&target)
                .then_some(Value::AnyReference(target, id)),
            (ty, value) => fits(ty, &value).then_some(value),
        };
        converted.ok_or_else(|| bad_value(definition, "this value"))
    }

    /// What labels of another field are called.
    fn named_elsewhere(
        &self,
        own: (ObjectId, FieldId),
        from: &Type,
        value: &Value,
    ) -> Option<String> {
        let (Type::Label(object, field) | Type::Tags(object, field)) = from else {
            return None;
        };
        let of = self.catalog.object(*object).field(*field);
        let codes = match value {
            Value::Label(code) => std::slice::from_ref(code),
            Value::Tags(codes) => codes,
            _ => return None,
        };
        let names = codes.iter().filter_map(|code| of.label_name(*code));
        (own != (*object, *field)).then(|| names.collect::<Vec<_>>().join(","))
    }

    /// Text as a value of the field: read as its type, or looked up as the label it names.
    pub(crate) fn read(&mut self, object: ObjectId, field: FieldId, text: &str) -> Result<Value> {
        use FieldType as F;
        let catalog = Arc::clone(&self.catalog);
        let definition = catalog.object(object).field(field);
        if text.is_empty() {
            return Ok(Value::Missing);
        }
        match &definition.ty {
            F::Text | F::LongText => clean(definition, text),
            F::Email => {
                let text = text.trim().to_lowercase();
                self.parse(definition, &text)
            }
            F::Picklist => match definition.find_label(text.trim()) {
                Some(label) => Ok(Value::Label(label.code)),
                None => Err(unknown_label(definition, text.trim())),
            },
            F::Tags => {
                drop(catalog);
                self.read_tags(object, field, text)
            }
            F::Reference(target) => self.find(*target, text).map(Value::Reference),
            F::AnyReference(targets) => self.find_any(definition, targets, text),
            F::Filter(target) | F::Expression(target) => {
                limit(definition, text, LONG_TEXT_BYTES)?;
                let condition = matches!(definition.ty, F::Filter(_));
                self.stored_text(*target, condition, text).map(Value::text)
            }
            _ => self.parse(definition, text.trim()),
        }
    }

    fn parse(&self, field: &Field, text: &str) -> Result<Value> {
        limit(field, text, TEXT_BYTES)?;
        refuse_controls(field, text, &[])?;
        field
            .ty
            .parse(text, self.environment.clock)
            .map_err(|e| match e.code() {
                Code::Internal => e,
                _ => e.hint(format!("the field is `{}`", field.name)),
            })
    }

    /// The record of `target` that `text` names.
    pub(super) fn find(&mut self, target: ObjectId, text: &str) -> Result<RecordId> {
        match self.find_known(target, text)? {
            Some(id) => Ok(id),
            None if self.creates(target, text) => self.create(target, text.trim()),
            None => label::lookup(target, text, &self.context()),
        }
    }

    /// Whether a reference that names nobody makes a record. A number never does.
    fn creates(&self, target: ObjectId, text: &str) -> bool {
        self.creating.objects.contains(&target) && label::record_number(text.trim()).is_none()
    }

    /// The record of `target` that `text` names, if there is one.
    fn find_known(&mut self, target: ObjectId, text: &str) -> Result<Option<RecordId>> {
        if let Some(id) = self.labels.get(target, text) {
            return Ok(Some(id));
        }
        let found = label::find(target, text, &self.context())?;
        if let Some(id) = found {
            self.labels.keep(target, text, id);
        }
        Ok(found)
    }

    /// The record of any of `targets` that `text` names, perhaps as `accounts:Acme`.
    fn find_any(&mut self, field: &Field, targets: &[ObjectId], text: &str) -> Result<Value> {
        if let Some((target, label)) = said_object(&self.catalog, targets, text) {
            return self
                .find(target, label)
                .map(|found| Value::AnyReference(target, found));
        }
        let mut hits = Vec::new();
        if label::record_number(text.trim()).is_none() {
            for &target in targets {
                if let Some(id) = self.find_known(target, text)? {
                    hits.push((target, id));
                }
            }
        }
        let names: Vec<_> = targets
            .iter()
            .map(|target| self.catalog.object(*target).name.as_str())
            .collect();
        match hits[..] {
            [(target, id)] => Ok(Value::AnyReference(target, id)),
            [] if let [target] = targets
                .iter()
                .filter(|target| self.creates(**target, text))
                .collect::<Vec<_>>()[..] =>
            {
                let id = self.create(*target, text.trim())?;
                Ok(Value::AnyReference(*target, id))
            }
            [] => Err(Error::new(
                Code::UnknownLabel,
                format!("`{}`: no record is called `{text}`", field.name),
            )
            .hint(format!(
                "it may be of {}; say which: `{}:{text}`",
                names.join(", "),
                names.first().unwrap_or(&"object")
            ))),
            _ => {
                let found: Vec<_> = hits
                    .iter()
                    .map(|(target, _)| self.catalog.object(*target).name.as_str())
                    .collect();
                Err(Error::new(
                    Code::AmbiguousLabel,
                    format!("`{text}` names records of {}", found.join(" and ")),
                )
                .hint(format!("say which: `{}:{text}`", found[0])))
            }
        }
    }

    /// Tags from text, separated by commas or semicolons. Labels that nobody declared are added
    /// to a field whose labels are open.
    fn read_tags(&mut self, object: ObjectId, field: FieldId, text: &str) -> Result<Value> {
        let mut codes = Vec::new();
        for name in text.split([',', ';']).map(str::trim) {
            if name.is_empty() {
                continue;
            }
            let definition = self.catalog.object(object).field(field);
            if let Some(label) = definition.find_label(name) {
                codes.push(label.code);
                continue;
            }
            if !definition.open {
                return Err(unknown_label(definition, name));
            }
            limit(definition, name, 200)?;
            refuse_controls(definition, name, &[])?;
            if definition.labels.len() >= TAG_LABELS {
                return Err(Error::new(
                    Code::Limit,
                    format!("`{}` has {TAG_LABELS} labels already", definition.name),
                ));
            }
            let catalog = Arc::make_mut(&mut self.catalog);
            let definition = catalog.field_mut(object, field)?;
            let gone = definition.gone_labels.len();
            let code = definition.add_label(name);
            self.unused_labels.push(AddedLabel {
                object,
                field,
                code,
                again: definition.gone_labels.len() < gone,
            });
            codes.push(code);
        }
        codes.sort_unstable();
        codes.dedup();
        Ok(match codes[..] {
            [] => Value::Missing,
            _ => Value::Tags(codes.into()),
        })
    }
}

/// The object that the text of a reference to one of several says, and the label behind it:
/// `accounts:Acme`.
pub(super) fn said_object<'s>(
    catalog: &Catalog,
    targets: &[ObjectId],
    text: &'s str,
) -> Option<(ObjectId, &'s str)> {
    text.match_indices(':').find_map(|(at, _)| {
        let object = catalog.find_object(text[..at].trim())?.id;
        targets.contains(&object).then(|| (object, &text[at + 1..]))
    })
}

/// Whether a value has the form of a field's type.
fn fits(ty: &FieldType, value: &Value) -> bool {
    use FieldType as F;
    match value {
        Value::Boolean(_) => *ty == F::Boolean,
        Value::Integer(_) => *ty == F::Integer,
        Value::Number(n) => matches!(ty, F::Number | F::Percent) && n.is_finite(),
        Value::Money(_) => *ty == F::Money,
        Value::Date(_) => *ty == F::Date,
        Value::DateTime(_) => *ty == F::DateTime,
        Value::Period(_) => *ty == F::Period,
        Value::Duration(_) => *ty == F::Duration,
        Value::Tags(_) => *ty == F::Tags,
        _ => false,
    }
}

fn whole(field: &Field, n: f64) -> Result<Value> {
    if n.fract() == 0.0 && n.abs() < 9.0e18 {
        return Ok(Value::Integer(n as i64));
    }
    Err(bad_value(field, &n.to_string()).hint("round it: round(x), floor(x) or ceil(x)"))
}

fn bad_value(field: &Field, what: &str) -> Error {
    Error::new(
        Code::BadValue,
        format!("`{}` cannot hold {what}", field.name),
    )
}

fn unknown_label(field: &Field, text: &str) -> Error {
    let names: Vec<_> = field
        .labels
        .iter()
        .map(|label| label.name.as_str())
        .collect();
    let error = Error::new(
        Code::UnknownLabel,
        format!("`{}` has no label `{text}`", field.name),
    )
    .near_words(text, names.iter().copied());
    if names.len() <= 20 {
        error.expected(format!("one of {}", names.join(", ")))
    } else {
        error
    }
}

/// Text within its limits and without control characters.
fn clean(field: &Field, text: &str) -> Result<Value> {
    if field.ty == FieldType::LongText {
        limit(field, text, LONG_TEXT_BYTES)?;
        refuse_controls(field, text, &['\n', '\r', '\t'])?;
    } else {
        limit(field, text, TEXT_BYTES)?;
        refuse_controls(field, text, &[])?;
    }
    Ok(Value::text(text))
}

fn limit(field: &Field, text: &str, bytes: usize) -> Result<()> {
    if text.len() <= bytes {
        return Ok(());
    }
    Err(Error::new(
        Code::Limit,
        format!(
            "`{}` takes at most {bytes} bytes of text, not {}",
            field.name,
            text.len()
        ),
    ))
}

fn refuse_controls(field: &Field, text: &str, allowed: &[char]) -> Result<()> {
    // Most text is plain.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Ok(());
    }
    let control = |c: &char| c.is_control() && !allowed.contains(c);
    match text.chars().find(control) {
        None => Ok(()),
        Some(c) => {
            let error = bad_value(
                field,
                &format!("the control character U+{:04X}", u32::from(c)),
            );
            Err(if matches!(c, '\n' | '\r' | '\t') {
                error.hint("a field of type longtext can")
            } else {
                error
            })
        }
    }
}
