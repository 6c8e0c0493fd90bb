//! Expressions in the user's terms, as `explain` prints them.

use crate::column::Comparison;
use crate::query::bind::{Aggregate, AggregateFunction, Arithmetic, Expr, Node, OrderKey, Type};
use crate::query::exec::Context;
use crate::value::{FieldType, ObjectId, Unit, Value};

/// Whose fields an expression names.
#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    pub context: &'a Context<'a>,
    /// The frame's object; none for rows of slots.
    pub object: Option<ObjectId>,
    /// The names of a slot frame's columns.
    pub slots: &'a [String],
}

impl Words<'_> {
    fn within(&self, object: ObjectId) -> Self {
        Words {
            object: Some(object),
            slots: &[],
            ..*self
        }
    }

    pub(super) fn order(&self, keys: &[OrderKey]) -> String {
        let key = |key: &OrderKey| {
            let tail = if key.descending { " desc" } else { "" };
            format!("{}{tail}", self.expr(&key.value))
        };
        keys.iter().map(key).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn list(&self, list: &[Expr]) -> String {
        let words: Vec<_> = list.iter().map(|expr| self.expr(expr)).collect();
        words.join(", ")
    }

    fn collection(&self, object: ObjectId, subtree: bool) -> String {
        let name = &self.context.catalog.object(object).name;
        match subtree {
            true => format!("subtree.{name}"),
            false => name.clone(),
        }
    }

    fn filter(&self, object: ObjectId, filter: Option<&Expr>) -> String {
        let inside = self.within(object);
        filter.map_or_else(String::new, |filter| {
            format!(" where {}", inside.expr(filter))
        })
    }

    pub(super) fn aggregate(&self, aggregate: &Aggregate) -> String {
        let Some(over) = &aggregate.over else {
            return self.of_frame(aggregate);
        };
        let of = self.within(over.object).of_frame(aggregate);
        let name = self.collection(over.object, over.subtree.is_some());
        let filter = self.filter(over.object, over.filter.as_ref());
        format!("{of} of {name}{filter}, each once")
    }

    /// An aggregate over the frame's own records.
    fn of_frame(&self, aggregate: &Aggregate) -> String {
        let name = match aggregate.function {
            AggregateFunction::Count => "count".to_owned(),
            AggregateFunction::Exists => "exists".to_owned(),
            AggregateFunction::Sum => "sum".to_owned(),
            AggregateFunction::Average => "avg".to_owned(),
            AggregateFunction::Minimum => "min".to_owned(),
            AggregateFunction::Maximum => "max".to_owned(),
            AggregateFunction::Percentile(0.5) => "median".to_owned(),
            AggregateFunction::Percentile(p) => format!("p{}", (p * 100.0).round()),
            AggregateFunction::Deviation => "stddev".to_owned(),
            AggregateFunction::Share => "share".to_owned(),
            AggregateFunction::First => "first".to_owned(),
            AggregateFunction::Last => "last".to_owned(),
            AggregateFunction::List => "list".to_owned(),
            AggregateFunction::Correlation => "corr".to_owned(),
            AggregateFunction::Slope => "slope".to_owned(),
        };
        let mut inside = Vec::new();
        if aggregate.distinct {
            inside.push("distinct".to_owned());
        }
        let arguments = aggregate.argument.iter().chain(&aggregate.second);
        let arguments: Vec<_> = arguments.map(|expr| self.expr(expr)).collect();
        if !arguments.is_empty() {
            inside.push(arguments.join(", "));
        }
        if let Some(filter) = &aggregate.filter {
            inside.push(format!("where {}", self.expr(filter)));
        }
        format!("{name}({})", inside.join(" "))
    }

    pub(super) fn expr(&self, expr: &Expr) -> String {
        let one = |expr: &Expr| self.expr(expr);
        match &expr.node {
            Node::Constant(value) => self.value(value, &expr.ty),
            Node::Id => "this".to_owned(),
            Node::Column(field) => match self.object {
                Some(object) => self
                    .context
                    .catalog
                    .object(object)
                    .field(*field)
                    .name
                    .clone(),
                None => format!("field {}", field.0),
            },
            Node::Slot(at) => self
                .slots
                .get(*at)
                .cloned()
                .unwrap_or_else(|| format!("column {at}")),
            Node::Follow {
                reference,
                object,
                inner,
            } => self.path(reference, *object, inner),
            Node::Collect(collect) => {
                let aggregate = self.within(collect.object).aggregate(&collect.aggregate);
                let name = self.collection(collect.object, collect.subtree.is_some());
                let filter = collect.filter.as_ref();
                format!(
                    "{aggregate} of {name}{}",
                    self.filter(collect.object, filter)
                )
            }
            Node::Window(window) => {
                let name = format!("{:?}", window.function).to_lowercase();
                let argument = window.argument.as_ref();
                format!("{name}({})", argument.map(one).unwrap_or_default())
            }
            Node::Correlated { given, body } => {
                format!("{} for each {}", one(body), self.list(given))
            }
            Node::Given(_) => "the outer value".to_owned(),
            Node::Argument { value, .. } => one(value),
            Node::And(list) => self.joined(list, " and "),
            Node::Or(list) => format!("({})", self.joined(list, " or ")),
            Node::Not(inner) => self.negated(inner),
            Node::Compare {
                comparison,
                left,
                right,
            } => format!("{} {} {}", one(left), sign(*comparison), one(right)),
            Node::IsMissing(value) => format!("{} is empty", one(value)),
            Node::InList { value, list } => format!("{} in ({})", one(value), self.list(list)),
            Node::InPeriod { value, period } => format!("{} in {}", one(value), one(period)),
            Node::Under {
                value, root, above, ..
            } => {
                let word = if *above { "above" } else { "under" };
                format!("{} {word} {}", one(value), one(root))
            }
            Node::InQuery { value, .. } => format!("{} in (a query)", one(value)),
            Node::IsObject { value, object } => {
                let name = &self.context.catalog.object(*object).singular;
                format!("{} is {name}", one(value))
            }
            Node::Has { value, label } => {
                let label = self.label(&value.ty, label.0);
                format!("{} has {label}", one(value))
            }
            Node::Contains { value, pattern } => format!("{} ~ {}", one(value), one(pattern)),
            Node::Like { value, pattern } => format!("{} like {}", one(value), one(pattern)),
            Node::Arithmetic {
                operator,
                left,
                right,
            } => {
                let sign = match operator {
                    Arithmetic::Add => "+",
                    Arithmetic::Subtract => "-",
                    Arithmetic::Multiply => "*",
                    Arithmetic::Divide => "/",
                };
                format!("({} {sign} {})", one(left), one(right))
            }
            Node::Negate(value) => format!("-{}", one(value)),
            Node::Shift {
                value,
                months,
                days,
                seconds,
                times,
            } => {
                let times = times
                    .as_ref()
                    .map_or_else(String::new, |times| format!(" * {}", one(times)));
                let parts = [(months, "months"), (days, "days"), (seconds, "seconds")];
                let moved: String = parts
                    .iter()
                    .filter(|(n, _)| **n != 0)
                    .map(|(n, unit)| format!(" {n:+} {unit}{times}"))
                    .collect();
                format!("({}{moved})", one(value))
            }
            Node::Work {
                value,
                days,
                seconds,
                times,
            } => {
                let times = times
                    .as_ref()
                    .map_or_else(String::new, |times| format!(" * {}", one(times)));
                let (n, unit) = match seconds {
                    0 => (days, "days"),
                    _ => (seconds, "seconds"),
                };
                format!("({} {n:+} business {unit}{times})", one(value))
            }
            Node::Bucket { unit, value } => format!("{}({})", unit_name(*unit), one(value)),
            Node::Convert { value, to, .. } => format!("convert({}, {to})", one(value)),
            Node::ToBase { value, .. } | Node::Cast(value) | Node::Rank(value) => one(value),
            Node::Function {
                function,
                arguments,
            } => {
                let name = format!("{function:?}");
                let mut words = String::new();
                for (at, c) in name.char_indices() {
                    if c.is_uppercase() && at > 0 {
                        words.push('_');
                    }
                    words.push(c.to_ascii_lowercase());
                }
                format!("{words}({})", self.list(arguments))
            }
            Node::Stored { rule, record, .. } => {
                let name = match expr.ty {
                    Type::BOOLEAN => "matches",
                    _ => "value",
                };
                match record.node {
                    Node::Id => format!("{name}({})", one(rule)),
                    _ => format!("{name}({}, {})", one(rule), one(record)),
                }
            }
            Node::Parameter(name) => format!("${name}"),
            Node::Today => "today".to_owned(),
            Node::Now => "now".to_owned(),
            Node::Me => "me".to_owned(),
            Node::RelativePeriod { offset, unit } => format!("{} {offset:+}", unit_name(*unit)),
            Node::SpanPeriod {
                count,
                unit,
                forward,
            } => {
                let word = if *forward { "next" } else { "last" };
                format!("{word} {} {}s", one(count), unit_name(*unit))
            }
            Node::Lookup { label, .. } => one(label),
            Node::Subquery(_) => "(a query)".to_owned(),
            Node::Keyed { key, .. } => format!("(what a query tells of {})", one(key)),
            Node::InRecords { value, set } => self.records(value, set.count()),
            Node::InIntegers { value, set } => {
                let ty = value.ty.field_type();
                let words: Vec<_> = set
                    .iter()
                    .take(6)
                    .map(|&n| self.value(&Value::from_int(&ty, n), &value.ty))
                    .collect();
                let more = if set.len() > 6 { ", ..." } else { "" };
                format!("{} in ({}{more})", one(value), words.join(", "))
            }
        }
    }

    fn records(&self, value: &Expr, count: usize) -> String {
        let of = match &value.ty {
            Type::Plain(FieldType::Reference(object)) => {
                let object = self.context.catalog.object(*object);
                if count == 1 {
                    &object.singular
                } else {
                    &object.name
                }
            }
            _ => "records",
        };
        format!("{} in {count} {of}", self.expr(value))
    }

    fn joined(&self, list: &[Expr], word: &str) -> String {
        let words: Vec<_> = list.iter().map(|expr| self.expr(expr)).collect();
        words.join(word)
    }

    fn negated(&self, inner: &Expr) -> String {
        match &inner.node {
            Node::Compare {
                comparison: Comparison::Equal,
                left,
                right,
            } => format!("{} != {}", self.expr(left), self.expr(right)),
            Node::IsMissing(value) => format!("{} is not empty", self.expr(value)),
            _ => format!("not ({})", self.expr(inner)),
        }
    }

    /// A condition or value of a referred record: `stage.position >= 3`.
    fn path(&self, reference: &Expr, object: ObjectId, inner: &Expr) -> String {
        let reference = self.expr(reference);
        let inside = self.within(object);
        match &inner.node {
            Node::And(list) => {
                let parts: Vec<_> = list
                    .iter()
                    .map(|part| format!("{reference}.{}", inside.expr(part)))
                    .collect();
                parts.join(" and ")
            }
            Node::Not(negated)
                if !matches!(negated.node, Node::Compare { .. } | Node::IsMissing(_)) =>
            {
                format!("not ({reference}.{})", inside.expr(negated))
            }
            _ => format!("{reference}.{}", inside.expr(inner)),
        }
    }

    fn label(&self, ty: &Type, code: u32) -> String {
        let (Type::Label(object, field) | Type::Tags(object, field)) = ty else {
            return format!("label {code}");
        };
        let field = self.context.catalog.object(*object).field(*field);
        let code = crate::value::LabelCode(code);
        field.label_name(code).unwrap_or("?").to_owned()
    }

    fn value(&self, value: &Value, ty: &Type) -> String {
        match value {
            Value::Missing => "empty".to_owned(),
            Value::Text(text) => format!("\"{text}\""),
            Value::Label(code) => self.label(ty, code.0),
            Value::Reference(id) => match ty {
                Type::Plain(FieldType::Reference(object)) => self.record(*object, *id),
                _ => id.to_string(),
            },
            Value::AnyReference(object, id) => self.record(*object, *id),
            value => value.show(self.context.clock),
        }
    }

    fn record(&self, object: ObjectId, id: crate::value::RecordId) -> String {
        let label = self.context.catalog.object(object).label_field();
        let row = self.context.snapshot.row(object, id).ok().flatten();
        match label.zip(row).map(|(field, row)| row.get(field.id).clone()) {
            Some(Value::Text(text)) => format!("\"{text}\""),
            _ => id.to_string(),
        }
    }
}

fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "=",
        Comparison::Less => "<",
        Comparison::LessEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterEqual => ">=",
    }
}

fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Minute => "minute",
        Unit::Hour => "hour",
        Unit::Day => "day",
        Unit::Week => "week",
        Unit::Month => "month",
        Unit::Quarter => "quarter",
        Unit::Year => "year",
        Unit::FiscalMonth => "fiscal_month",
        Unit::FiscalQuarter => "fiscal_quarter",
        Unit::FiscalYear => "fiscal_year",
    }
}
