//! Values as a reader wants them: labels for records, amounts for ten-thousandths.

use super::fragment::{self, Level, Sql, Truth, name};
use super::frame::{Frame, Row, Target};
use super::order::Key;
use super::select::Select;
use super::translate::Translator;
use super::untranslatable;
use super::value::amount;
use crate::error::Result;
use crate::query::bind::{ColumnValue, Expr, Nested, Type};
use crate::value::{FieldId, FieldType, ObjectId};

/// A value's parts as they are shown.
pub(super) struct Shown {
    pub parts: Vec<Sql>,
}

impl Translator<'_> {
    /// What is shown of an expression.
    pub(super) fn shown(&self, frame: &Frame<'_>, expr: &Expr) -> Result<Shown> {
        let parts = match &expr.ty {
            Type::Plain(FieldType::Reference(object)) => {
                vec![self.record_shown(frame, expr, *object)?]
            }
            Type::Tags(..) => {
                let (id, object, field) = self.tags_of(frame, expr)?;
                self.tags_shown(&id, object, field)?
            }
            Type::Plain(FieldType::DateTime) => match self.clock_of(frame, expr)? {
                Some(shown) => vec![shown],
                None => self.parts_shown(&expr.ty, self.value(frame, expr)?),
            },
            ty => self.parts_shown(ty, self.value(frame, expr)?),
        };
        Ok(Shown { parts })
    }

    /// What is shown of a value's parts.
    pub(super) fn parts_shown(&self, ty: &Type, mut parts: Vec<Sql>) -> Vec<Sql> {
        if parts[0].is_null() {
            return parts;
        }
        parts[0] = match ty {
            Type::Plain(FieldType::Money) => amount(&parts[0]),
            Type::Plain(FieldType::DateTime) => {
                self.dialect.clock_of_micros(&self.local(&parts[0]))
            }
            Type::Plain(FieldType::Reference(object)) => self.label_of(*object, &parts[0]),
            Type::Plain(FieldType::AnyReference(objects)) => {
                let cases: Vec<String> = objects
                    .iter()
                    .map(|object| {
                        let label = self.label_of(*object, &parts[0]);
                        format!("WHEN {} THEN {}", self.kind(*object).text, label.text)
                    })
                    .collect();
                Sql::atom(format!("CASE {} {} END", parts[1].text, cases.join(" ")))
            }
            _ => return parts,
        };
        parts
    }

    fn record_shown(&self, frame: &Frame<'_>, expr: &Expr, object: ObjectId) -> Result<Sql> {
        match self.target(frame, expr, object)? {
            Target::Same(frame) | Target::Joined(frame, _) => self.label(&frame),
            Target::Apart => {
                let labels = self.apart(frame, expr, object, |frame| Ok(vec![self.label(frame)?]));
                Ok(labels?.remove(0))
            }
        }
    }

    /// What the frame's record is called: its label, or its id.
    fn label(&self, frame: &Frame<'_>) -> Result<Sql> {
        let Row::Record { object, alias } = &frame.row else {
            return Ok(Sql::null());
        };
        let number = Sql::new(
            format!("'#' || {}", self.id_of(*object, alias).text),
            Level::Sum,
        );
        let Some(field) = self.context.catalog.object(*object).label_field() else {
            return Ok(number);
        };
        let column = &self.columns_of(*object, field.id).parts[0];
        let mut label = self.qualified(alias, column);
        if !field.ty.is_text() {
            label = Sql::atom(format!("CAST({} AS VARCHAR)", label.text));
        }
        match field.required {
            true => Ok(label),
            false => Ok(Sql::call("coalesce", &[&label, &number])),
        }
    }

    /// What the record with this id is called.
    fn label_of(&self, object: ObjectId, id: &Sql) -> Sql {
        let (tables, row) = self.open(object);
        let frame = Frame {
            tables: &tables,
            row: row.clone(),
        };
        let (Ok(label), Row::Record { alias, .. }) = (self.label(&frame), &row) else {
            return Sql::null();
        };
        let same = Sql::binary(&self.id_of(object, alias), "=", id, Level::Compare);
        let mut select = tables.select();
        select.columns = vec![label.text];
        select.require(Truth::open(same));
        select.nested()
    }

    /// A record's tags in their order.
    pub(super) fn tags_shown(
        &self,
        id: &Sql,
        object: ObjectId,
        field: FieldId,
    ) -> Result<Vec<Sql>> {
        let columns = self.columns_of(object, field);
        let (Some(links), Some(labels)) = (&columns.links, &columns.labels) else {
            return Ok(vec![Sql::null()]);
        };
        let (links, labels) = (name(links), name(labels));
        let tags = Select {
            columns: vec![format!("{links}.label")],
            from: links.clone(),
            joins: vec![format!("JOIN {labels} ON {labels}.label = {links}.label")],
            filter: vec![Truth::open(Sql::new(
                format!("{links}.id = {}", id.text),
                Level::Compare,
            ))],
            order: vec![format!("{labels}.rank")],
            ..Select::default()
        };
        let all = Select {
            columns: vec!["group_concat(label, ', ')".to_owned()],
            from: format!("{} AS {}", tags.nested().text, name(&self.alias("tags"))),
            ..Select::default()
        };
        Ok(vec![all.nested()])
    }

    /// Records of a collection, as a JSON array of objects.
    pub(super) fn nested(&self, frame: &Frame<'_>, nested: &Nested) -> Result<Sql> {
        let (tables, row) = self.source(&nested.source)?;
        let inner = Frame {
            tables: &tables,
            row,
        };
        let owner = (&nested.owner, nested.subtree.as_ref());
        let start = match &nested.from {
            Some((from, base)) => match self.target(frame, from, *base)? {
                Target::Same(frame) | Target::Joined(frame, _) => Some(frame),
                Target::Apart => {
                    return Err(untranslatable("a list that starts here", &from.span));
                }
            },
            None => None,
        };
        let frame = start.as_ref().unwrap_or(frame);
        let filter = self.belonging(frame, &inner, owner, nested.filter.as_ref())?;
        let alias = self.alias("members");
        let mut columns = Vec::new();
        let mut pairs = Vec::new();
        for (at, column) in nested.columns.iter().enumerate() {
            let item = format!("item_{}", at + 1);
            let named = format!("{}.{item}", name(&alias));
            let key = fragment::text(&column.name, self.dialect).text;
            let (sql, value) = match &column.value {
                ColumnValue::Nested(deeper) => {
                    (self.nested(&inner, deeper)?, format!("json({named})"))
                }
                ColumnValue::Expr(expr) => (self.nested_item(&inner, expr)?, named),
            };
            columns.push(format!("{} AS {item}", sql.text));
            pairs.push(format!("{key}, {value}"));
        }
        let mut keys = self.keys(&inner, &nested.order)?;
        keys.push(self.tie(&inner));
        let mut select = tables.select();
        select.columns = columns;
        select.filter = filter;
        select.order = keys.iter().map(Key::text).collect();
        if let Some(limit) = &nested.limit {
            select.limit = Some(self.count(limit)?.to_string());
        }
        let all = Select {
            columns: vec![
                self.dialect
                    .array(&format!("json_object({})", pairs.join(", "))),
            ],
            from: format!("{} AS {}", select.nested().text, name(&alias)),
            ..Select::default()
        };
        Ok(all.nested())
    }

    pub(super) fn nested_item(&self, frame: &Frame<'_>, expr: &Expr) -> Result<Sql> {
        let Shown { mut parts } = self.shown(frame, expr)?;
        let second = parts.get(1).filter(|second| **second != self.base());
        match (second, &expr.ty) {
            (None, _) => Ok(parts.remove(0)),
            (Some(currency), Type::Plain(FieldType::Money)) => Ok(Sql::atom(format!(
                "CASE {} WHEN {} THEN {} ELSE {} END",
                currency.text,
                self.base().text,
                self.dialect.json(&parts[0].text),
                self.dialect.json(&format!(
                    "{} || ' ' || {}",
                    parts[0].at(Level::Atom),
                    currency.text
                ))
            ))),
            _ => Err(
                untranslatable("a period or a reference to several in a list", &expr.span)
                    .hint("name its parts: the first and last day, or one object's records"),
            ),
        }
    }

    /// The key that tells rows apart which are otherwise tied.
    pub(super) fn tie(&self, frame: &Frame<'_>) -> Key {
        let sql = match &frame.row {
            Row::Record { object, alias } => self.id_of(*object, alias),
            Row::Slots(slots) => match slots.last() {
                Some(last) => last[0].clone(),
                None => Sql::null(),
            },
        };
        Key {
            sql,
            descending: false,
            tie: true,
        }
    }
}
