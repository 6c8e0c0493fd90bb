//! `duplicates of contacts where same(email)`: the records, the rule about two of them, and what
//! is shown.

use super::binder::Binder;
use super::item::{column_name, tell_apart};
use super::scope::{Base, Scope};
use super::source::Start;
use super::{Column, ColumnValue, Duplicates, Expr, Node, Query, Rule, Source, Term, Type};
use crate::catalog::{Catalog, Object, View, same_name};
use crate::column::Comparison;
use crate::error::{Code, Error, Result, Span};
use crate::query::syntax::{self, BinaryOp, Call, ExprKind, Name};
use crate::value::{FieldType, ObjectId};
use std::cell::RefCell;
use std::sync::Arc;

/// What a rule about pairs of records compares.
pub(super) struct Pairs<'s> {
    /// Inside `same(...)` and `similar(...)` names are those of each record.
    records: &'s Scope<'s>,
    columns: RefCell<Vec<Column>>,
    terms: RefCell<Vec<Term>>,
}

impl Binder<'_> {
    pub(super) fn duplicates(
        &self,
        of: &syntax::Query,
        rule: Option<&syntax::Expr>,
    ) -> Result<Start> {
        let span = self.at(&of.span);
        let (query, frames) = self.query_in(of, None)?;
        let start = self.start_of(query, &frames, &of.span)?;
        let Base::Object(object) = start.base else {
            return Err(Error::new(
                Code::Misplaced,
                "rows that are no records have no duplicates",
            )
            .at(span)
            .expected("records of an object: `duplicates of (OBJECT where ...)`")
            .hint("`as of` and `group by` come after the rule"));
        };
        match rule {
            Some(rule) => self.duplicates_by(start, object, rule, span),
            None => self.usual_rule(object, &span, |rule| {
                self.duplicates_by(start, object, rule, span.clone())
            }),
        }
    }

    /// The rule that the book's view `duplicate_OBJECT` has.
    fn usual_rule(
        &self,
        object: ObjectId,
        span: &Span,
        bind: impl FnOnce(&syntax::Expr) -> Result<Start>,
    ) -> Result<Start> {
        let object = self.object(object);
        let view = usual_view(&object.name);
        let refused = |message: String| {
            let field = object.label_field().or_else(|| object.live_fields().next());
            let rule = format!(
                "duplicates of {} where same({})",
                object.name,
                field.map_or("FIELD", |field| &field.name)
            );
            Error::new(Code::Misplaced, message)
                .at(span.clone())
                .hint(format!("say which two are held for one: `{rule}`"))
                .hint(format!("for all queries: `create view {view} as {rule}`"))
        };
        if self.catalog.find_view(&view).is_none() {
            let message = format!("{} have no usual rule for duplicates", object.name);
            return Err(refused(message));
        }
        let name = Name {
            text: view.clone(),
            span: span.clone(),
        };
        self.viewed(&name, &[], |tree| {
            match rule_of(self.catalog, object.id, tree) {
                Some(rule) => bind(rule),
                None => Err(refused(format!(
                    "view `{view}` has no rule for duplicates of {}",
                    object.name
                ))),
            }
        })
    }

    fn duplicates_by(
        &self,
        start: Start,
        object: ObjectId,
        rule: &syntax::Expr,
        span: Span,
    ) -> Result<Start> {
        let mut records = Scope::new(Base::Object(object));
        records.shown = start.shown;
        let this = Expr::this(object, &span);
        let record = Column {
            name: "record".to_owned(),
            value: ColumnValue::Expr(this.clone()),
        };
        let pairs = Pairs {
            records: &records,
            columns: RefCell::new(vec![record]),
            terms: RefCell::default(),
        };
        let mut pair = Scope::new(Base::Slots(Vec::new()));
        pair.pairs = Some(&pairs);
        let mut rules = Vec::new();
        for tree in alternatives(rule) {
            rules.push(Rule {
                holds: self.condition(&pair, tree)?,
                words: tree.to_string(),
            });
        }
        let filter = match start.filter.len() {
            0 | 1 => start.filter.into_iter().next(),
            _ => Some(super::binder::and(start.filter, &span)),
        };
        let duplicates = Duplicates {
            object,
            among: Query {
                filter,
                columns: pairs.columns.into_inner(),
                ..Query::of(start.source)
            },
            terms: pairs.terms.into_inner(),
            rules,
            span,
        };
        for rule in &duplicates.rules {
            duplicates.ways(rule)?;
        }
        Ok(self.shown_duplicates(duplicates))
    }

    /// Without `select`: the group, the record, what was compared of it, and by what it matched.
    fn shown_duplicates(&self, duplicates: Duplicates) -> Start {
        let (object, span) = (duplicates.object, duplicates.span.clone());
        let label = self.object(object).label_field().map(|field| field.id);
        let compared: Vec<Column> = duplicates.among.columns[1..].to_vec();
        let columns = duplicates.columns();
        let source = Source::Duplicates(Box::new(duplicates));
        let mut start = Start::of_columns(columns, source, &span);
        let mut shown = start.columns;
        let matched = shown.swap_remove(Duplicates::RECORD + 1);
        shown.truncate(Duplicates::RECORD + 1);
        for column in compared {
            let ColumnValue::Expr(value) = column.value else {
                continue;
            };
            // The record goes by its label already.
            if matches!(&value.node, Node::Column(field) if Some(*field) == label) {
                continue;
            }
            let ty = Type::Plain(FieldType::Reference(object));
            let record = Expr::new(Node::Slot(Duplicates::RECORD), ty, &span);
            let ty = value.ty.clone();
            let node = Node::Follow {
                reference: Box::new(record),
                object,
                inner: Arc::new(value),
            };
            shown.push(Column {
                name: column.name,
                value: ColumnValue::Expr(Expr::new(node, ty, &span)),
            });
        }
        shown.push(matched);
        tell_apart(&mut shown);
        start.columns = shown;
        start
    }

    /// `same(email)`, `similar(name)` in a rule about two records.
    pub(super) fn pair_call(
        &self,
        scope: &Scope<'_>,
        call: &Call,
        span: &Span,
    ) -> Result<Option<Expr>> {
        let alike = match call.name.text.to_lowercase().as_str() {
            "same" => false,
            "similar" if call.arguments.len() == 1 => true,
            _ => return Ok(None),
        };
        let Some(pairs) = scope.pairs else {
            let message = format!("`{call}` is of two records, and here is one");
            let (rule, other) = match alike {
                true => ("similar(FIELD) >= 0.8", "similar(a, b)"),
                false => ("same(FIELD)", "a = b"),
            };
            let rule = format!("duplicates of OBJECT where {rule}");
            return Err(Error::new(Code::Misplaced, message)
                .at(span.clone())
                .hint(format!("a rule stands next to its object: `{rule}`"))
                .hint(format!("two values of one record: `{other}`")));
        };
        let plain = call.filter.is_none() && !call.distinct && call.order.is_empty();
        let ([tree], true) = (call.arguments.as_slice(), plain) else {
            return Err(Error::new(
                Code::WrongArguments,
                format!("`{call}` does not name one value to compare"),
            )
            .at(span.clone())
            .expected("one field or expression: `same(email)`"));
        };
        let value = self.expr(pairs.records, tree)?;
        let (value, ty) = match alike {
            true => (self.text_of(value, tree)?, Type::NUMBER),
            false => (self.comparable(pairs.records, value, tree)?, Type::BOOLEAN),
        };
        let mut columns = pairs.columns.borrow_mut();
        let known = columns[1..].iter().position(
            |column| matches!(&column.value, ColumnValue::Expr(known) if *known == value),
        );
        let column = known.map_or(columns.len(), |at| at + 1);
        if known.is_none() {
            columns.push(Column {
                name: column_name(tree),
                value: ColumnValue::Expr(value),
            });
        }
        let mut terms = pairs.terms.borrow_mut();
        let term = Term { column, alike };
        let known = terms.iter().position(|known| *known == term);
        let slot = known.unwrap_or(terms.len());
        if known.is_none() {
            terms.push(term);
        }
        Ok(Some(Expr::new(Node::Slot(slot), ty, span)))
    }

    /// A value in the form in which `=` compares it with another of its kind.
    fn comparable(&self, scope: &Scope<'_>, value: Expr, tree: &syntax::Expr) -> Result<Expr> {
        let span = value.span.clone();
        let refused = |is: String| {
            Error::new(Code::TypeMismatch, format!("`{tree}` is {is}"))
                .at(span.clone())
                .expected("a value that two records may have the same")
        };
        if matches!(value.ty, Type::List(_) | Type::Nested | Type::Tags(..)) {
            return Err(refused(self.describe(&value.ty)));
        }
        let equal = self.comparison(scope, Comparison::Equal, value.clone(), value, &span)?;
        match equal.node {
            Node::Compare { left, .. } => Ok(*left),
            _ => Err(refused("the same for all".to_owned())),
        }
    }

    /// The error for a name of one record in a rule about two.
    pub(super) fn not_of_pair(&self, names: &[Name], span: &Span) -> Error {
        let written: Vec<_> = names.iter().map(|name| name.text.as_str()).collect();
        let name = written.join(".");
        let message = format!("`{name}` is of one record, and the rule is about two");
        let error = Error::new(Code::Misplaced, message).at(span.clone());
        let columns = ["group", "record", "match", "size", "first"];
        let is_column = |name: &Name| columns.iter().any(|column| same_name(column, &name.text));
        match is_column(&names[0]) {
            true => error.hint("a condition on the rows: `(duplicates of ...) where ...`"),
            false => error
                .expected(format!("`same({name})` or `similar({name})`"))
                .hint(
                    "a condition on each record goes before: `duplicates of (OBJECT where \
                     ...) where ...`",
                ),
        }
    }
}

/// What the view with an object's usual rule is called.
pub(crate) fn usual_view(object: &str) -> String {
    format!("duplicate_{object}")
}

/// The view with the usual rule for duplicates of an object's records.
pub(crate) fn usual_rule<'c>(catalog: &'c Catalog, object: &Object) -> Option<&'c View> {
    let view = catalog.find_view(&usual_view(&object.name))?;
    let tree = syntax::parse_query(&view.text).ok()?;
    rule_of(catalog, object.id, &tree).map(|_| view)
}

/// The rule for duplicates of an object's records that a query has.
fn rule_of<'t>(
    catalog: &Catalog,
    object: ObjectId,
    tree: &'t syntax::Query,
) -> Option<&'t syntax::Expr> {
    let syntax::Source::Duplicates { of, rule } = &tree.source else {
        return None;
    };
    let syntax::Source::Named { path, .. } = &of.source else {
        return None;
    };
    let [name] = path.as_slice() else { return None };
    let own = catalog.find_object(&name.text);
    rule.as_deref()
        .filter(|_| own.is_some_and(|own| own.id == object))
}

/// The parts of a rule that `or` joins.
fn alternatives(rule: &syntax::Expr) -> Vec<&syntax::Expr> {
    match &rule.kind {
        ExprKind::Binary {
            op: BinaryOp::Or,
            left,
            right,
        } => [alternatives(left), alternatives(right)].concat(),
        _ => vec![rule],
    }
}
