//! What the names of an expression stand for: a table's row or the columns of a sub-select, and
//! the tables that paths have joined to it.

use super::fragment::{Level, Sql, Truth, name};
use super::relational::Columns;
use super::select::Select;
use super::translate::Translator;
use crate::error::Result;
use crate::query::bind::{Expr, Node};
use crate::value::{FieldId, FieldType, ObjectId, Value};
use std::cell::RefCell;
use std::rc::Rc;

/// A `FROM` with the joins that paths add while expressions are translated.
pub(super) struct Tables {
    pub base: String,
    joins: RefCell<Vec<Join>>,
}

struct Join {
    reference: String,
    object: ObjectId,
    alias: Rc<str>,
    text: String,
}

/// Where an expression's columns come from.
#[derive(Clone)]
pub(super) struct Frame<'f> {
    pub tables: &'f Tables,
    pub row: Row,
}

#[derive(Clone)]
pub(super) enum Row {
    Record {
        object: ObjectId,
        alias: Rc<str>,
    },
    /// By slot: the parts of its value.
    Slots(Rc<[Vec<Sql>]>),
}

/// The record that a reference points to.
pub(super) enum Target<'f> {
    /// The frame's own.
    Same(Frame<'f>),
    /// Joined; NULL throughout where there is none.
    Joined(Frame<'f>, Rc<str>),
    /// To be looked up by this condition on a table of its own.
    Apart,
}

impl Tables {
    pub(super) fn new(base: impl Into<String>) -> Self {
        Self {
            base: base.into(),
            joins: RefCell::default(),
        }
    }

    /// A select over these tables.
    pub(super) fn select(&self) -> Select {
        let joins = self.joins.borrow();
        Select {
            from: self.base.clone(),
            joins: joins.iter().map(|join| join.text.clone()).collect(),
            ..Select::default()
        }
    }
}

impl Translator<'_> {
    /// A table of an object in a `FROM`, and what its columns are named by.
    pub(super) fn open(&self, object: ObjectId) -> (Tables, Row) {
        let table = &self.relational.table(object).name;
        let alias = self.alias(table);
        let base = match alias == *table {
            true => name(table),
            false => format!("{} AS {}", name(table), name(&alias)),
        };
        let alias = Rc::from(alias);
        (Tables::new(base), Row::Record { object, alias })
    }

    /// A column of a record's table.
    pub(super) fn qualified(&self, alias: &str, column: &str) -> Sql {
        Sql::atom(format!("{}.{}", name(alias), name(column)))
    }

    pub(super) fn id_of(&self, object: ObjectId, alias: &str) -> Sql {
        self.qualified(alias, &self.relational.table(object).id)
    }

    pub(super) fn columns_of(&self, object: ObjectId, field: FieldId) -> &Columns {
        self.relational.table(object).columns(field)
    }

    /// The record that `reference` points to.
    pub(super) fn target<'f>(
        &self,
        frame: &Frame<'f>,
        reference: &Expr,
        object: ObjectId,
    ) -> Result<Target<'f>> {
        if let (Node::Id, Row::Record { object: own, .. }) = (&reference.node, &frame.row)
            && *own == object
        {
            return Ok(Target::Same(frame.clone()));
        }
        if !is_path(reference) {
            return Ok(Target::Apart);
        }
        let parts = self.value(frame, reference)?;
        let key = parts[0].text.clone();
        let joins = &frame.tables.joins;
        let known = joins
            .borrow()
            .iter()
            .find(|join| join.object == object && join.reference == key)
            .map(|join| Rc::clone(&join.alias));
        let alias = match known {
            Some(alias) => alias,
            None => {
                let table = &self.relational.table(object).name;
                let hint = self.path_name(frame, reference, object);
                let alias: Rc<str> = self.alias(&hint).into();
                let mut on = format!("{} = {}", self.id_of(object, &alias).text, parts[0].text);
                if let FieldType::AnyReference(_) = reference.ty.field_type() {
                    let kind = self.kind(object);
                    on = format!("{} = {} AND {on}", parts[1].at(Level::Sum), kind.text);
                }
                let aliased = match *alias == **table {
                    true => name(table),
                    false => format!("{} AS {}", name(table), name(&alias)),
                };
                joins.borrow_mut().push(Join {
                    reference: key,
                    object,
                    alias: Rc::clone(&alias),
                    text: format!("LEFT JOIN {aliased} ON {on}"),
                });
                alias
            }
        };
        let row = Row::Record {
            object,
            alias: Rc::clone(&alias),
        };
        let frame = Frame {
            tables: frame.tables,
            row,
        };
        Ok(Target::Joined(frame, alias))
    }

    /// A select of something of the one record that a reference without a path points to.
    pub(super) fn apart(
        &self,
        frame: &Frame<'_>,
        reference: &Expr,
        object: ObjectId,
        item: impl Fn(&Frame<'_>) -> Result<Vec<Sql>>,
    ) -> Result<Vec<Sql>> {
        let (tables, row) = self.open(object);
        let Row::Record { alias, .. } = &row else {
            return Ok(Vec::new());
        };
        let id = self.id_of(object, alias);
        let condition = match &reference.node {
            Node::Lookup { object, label } => self.called(*object, label, alias)?,
            _ => {
                let parts = self.value(frame, reference)?;
                let same = Truth::open(Sql::binary(&id, "=", &parts[0], Level::Compare));
                match parts.get(1) {
                    Some(kind) => {
                        let kind = Sql::binary(kind, "=", &self.kind(object), Level::Compare);
                        Truth::all(&[Truth::open(kind), same])
                    }
                    None => same,
                }
            }
        };
        let inner = Frame {
            tables: &tables,
            row: row.clone(),
        };
        let parts = item(&inner)?;
        Ok(parts
            .into_iter()
            .map(|part| {
                if part.is_null() {
                    return part;
                }
                let mut select = tables.select();
                select.columns = vec![part.text];
                select.require(condition.clone());
                select.nested()
            })
            .collect())
    }

    /// What the kind column of a reference to any of several holds for an object.
    pub(super) fn kind(&self, object: ObjectId) -> Sql {
        super::fragment::text(&self.context.catalog.object(object).name, self.dialect)
    }

    fn path_name(&self, frame: &Frame<'_>, reference: &Expr, object: ObjectId) -> String {
        let definition = self.context.catalog.object(object);
        match (&reference.node, &frame.row) {
            (Node::Column(field), Row::Record { object, .. }) => {
                let of = self.context.catalog.object(*object);
                of.field(*field).name.clone()
            }
            (Node::Follow { object, inner, .. }, _) => match inner.node {
                Node::Column(field) => {
                    let of = self.context.catalog.object(*object);
                    of.field(field).name.clone()
                }
                _ => definition.singular.clone(),
            },
            _ => definition.singular.clone(),
        }
    }
}

/// Whether a reference is a chain of fields from the row.
fn is_path(expr: &Expr) -> bool {
    match &expr.node {
        Node::Column(_) | Node::Slot(_) | Node::Id => true,
        Node::Follow {
            reference, inner, ..
        } => is_path(reference) && is_path(inner),
        _ => false,
    }
}

/// Whether a condition is not true where its record is missing.
pub(super) fn is_strict_condition(expr: &Expr) -> bool {
    match &expr.node {
        Node::Constant(value) => *value != Value::Boolean(true),
        Node::And(parts) => parts.iter().any(is_strict_condition),
        Node::Or(parts) => parts.iter().all(is_strict_condition),
        Node::Compare { left, right, .. } => is_strict(left) || is_strict(right),
        Node::Contains { value, pattern } | Node::Like { value, pattern } => {
            is_strict(value) || is_strict(pattern)
        }
        Node::InList { value, .. }
        | Node::InPeriod { value, .. }
        | Node::InQuery { value, .. }
        | Node::Under { value, .. }
        | Node::IsObject { value, .. }
        | Node::Has { value, .. } => is_strict(value),
        _ => is_strict(expr),
    }
}

/// Whether an expression is missing where its record is.
pub(super) fn is_strict(expr: &Expr) -> bool {
    use crate::query::bind::{AggregateFunction, Function};
    match &expr.node {
        Node::Column(_) | Node::Id => true,
        Node::Constant(value) => *value == Value::Missing,
        Node::Arithmetic { left, right, .. } => is_strict(left) || is_strict(right),
        Node::Shift { value, .. }
        | Node::Bucket { value, .. }
        | Node::ToBase { value, .. }
        | Node::Convert { value, .. } => is_strict(value),
        Node::Negate(value) | Node::Cast(value) | Node::Rank(value) => is_strict(value),
        Node::Follow { reference, .. } => is_strict(reference),
        Node::Collect(collect) => !matches!(
            collect.aggregate.function,
            AggregateFunction::Count | AggregateFunction::Exists | AggregateFunction::Sum
        ),
        Node::Function {
            function,
            arguments,
        } => match function {
            Function::If | Function::Concat => false,
            Function::Coalesce | Function::Least | Function::Greatest => {
                arguments.iter().all(is_strict)
            }
            _ => arguments.iter().any(is_strict),
        },
        _ => false,
    }
}
