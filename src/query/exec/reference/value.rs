//! The value of an expression for one record.

use super::{At, Line, Reference, Told, from_number, number, passes, plain_order};
use crate::catalog::Role;
use crate::column::Comparison;
use crate::query::bind::{Arithmetic, Expr, Function, Node, Type};
use crate::query::plan::fold_given;
use crate::query::rule::Call;
use crate::storage::Row;
use crate::value::{
    Clock, Currency, Date, DateTime, Duration, FieldId, FieldType, Money, Period, Value, fold,
    matches_like,
};
use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

impl Reference<'_> {
    pub(super) fn holds(&self, expr: &Expr, at: At<'_>) -> bool {
        self.value(expr, at) == Value::Boolean(true)
    }

    pub(super) fn value(&self, expr: &Expr, at: At<'_>) -> Value {
        let clock = self.context.clock;
        let one = |expr: &Expr| self.value(expr, at);
        let truth = Value::Boolean;
        match &expr.node {
            Node::Function {
                function: Function::Revision,
                arguments,
            } => match (one(&arguments[0]), &arguments[0].ty) {
                (Value::Reference(id), Type::Plain(FieldType::Reference(object))) => self
                    .row(*object, id)
                    .and_then(|row| self.folding.snapshot.revision(*object, id, row).unwrap())
                    .map_or(Value::Missing, |number| Value::Integer(number as i64)),
                _ => Value::Missing,
            },
            Node::Constant(value) => value.clone(),
            Node::Id => match at {
                At::Record(_, id) => Value::Reference(id),
                At::Slots(_) => panic!("the id of no record"),
            },
            Node::Column(field) => match at {
                At::Record(object, id) => self
                    .row(object, id)
                    .map_or(Value::Missing, |row| row.get(*field).clone()),
                At::Slots(_) => panic!("a field of no record"),
            },
            Node::Slot(slot) => match at {
                At::Slots(values) => values[*slot].clone(),
                At::Record(..) => panic!("a slot of a record"),
            },
            Node::Follow {
                reference,
                object,
                inner,
            } => match one(reference) {
                Value::Reference(id) => self.value(inner, At::Record(*object, id)),
                Value::AnyReference(of, id) if of == *object => {
                    self.value(inner, At::Record(of, id))
                }
                _ => Value::Missing,
            },
            Node::Collect(collect) => {
                let At::Record(object, id) = at else {
                    panic!("a collection of no record")
                };
                let members: Vec<Line> = self.records[&collect.object]
                    .iter()
                    .map(|(id, _)| Line::Record(collect.object, *id))
                    .filter(|line| {
                        let (of, subtree) = (&collect.owner, collect.subtree.as_ref());
                        self.belongs(line, of, subtree, object, id)
                    })
                    .filter(|line| passes(self, collect.filter.as_ref(), line.at()))
                    .collect();
                self.aggregate(&collect.aggregate, &members)
            }
            Node::Correlated { given, body } => {
                let given: Vec<Value> = given.iter().map(one).collect();
                one(&fold_given(body, &given, self.folding).unwrap())
            }
            Node::And(list) => truth(list.iter().all(|expr| self.holds(expr, at))),
            Node::Or(list) => truth(list.iter().any(|expr| self.holds(expr, at))),
            Node::Not(inner) => truth(!self.holds(inner, at)),
            Node::Compare {
                comparison,
                left,
                right,
            } => {
                let (left, right) = (one(left), one(right));
                truth(
                    !left.is_missing()
                        && !right.is_missing()
                        && compares(*comparison, plain_order(&left, &right)),
                )
            }
            Node::IsMissing(value) => truth(one(value).is_missing()),
            Node::InList { value, list } => {
                let value = one(value);
                let same = |item: &Expr| {
                    let item = one(item);
                    !item.is_missing() && plain_order(&value, &item).is_eq()
                };
                truth(!value.is_missing() && list.iter().any(same))
            }
            Node::InPeriod { value, period } => {
                let day = match one(value) {
                    Value::Date(day) => Some(day),
                    Value::DateTime(moment) => Some(clock.date_of(moment)),
                    _ => None,
                };
                match (day, one(period)) {
                    (Some(day), Value::Period(p)) => truth(p.start() <= day && day < p.end()),
                    _ => truth(false),
                }
            }
            Node::Under {
                value,
                root,
                object,
                above,
            } => match (one(value), one(root)) {
                (Value::Reference(value), Value::Reference(root)) => {
                    let (low, high) = if *above { (root, value) } else { (value, root) };
                    truth(self.path(*object, low).contains(&high))
                }
                _ => truth(false),
            },
            Node::IsObject { value, object } => match one(value) {
                Value::AnyReference(of, _) => truth(of == *object),
                _ => truth(false),
            },
            Node::Has { value, label } => match one(value) {
                Value::Tags(codes) => truth(codes.contains(label)),
                _ => truth(false),
            },
            Node::Contains { value, pattern } => match (one(value), one(pattern)) {
                (Value::Text(text), Value::Text(pattern)) => {
                    truth(fold(&text).contains(&*fold(&pattern)))
                }
                _ => truth(false),
            },
            Node::Like { value, pattern } => match (one(value), one(pattern)) {
                (Value::Text(text), Value::Text(pattern)) => {
                    truth(matches_like(&fold(&text), &fold(&pattern)))
                }
                _ => truth(false),
            },
            Node::InRecords { value, set } => match one(value) {
                Value::Reference(id) => truth(set.get(usize::try_from(id.0).unwrap())),
                _ => truth(false),
            },
            Node::Keyed { key, query } => {
                let key = one(key);
                let same = |told: &&Told| Arc::ptr_eq(&told.0, query);
                let known = self.told.borrow().iter().find(same).cloned();
                let told = known.unwrap_or_else(|| {
                    let told = (Arc::clone(query), Arc::new(self.rows(query)));
                    self.told.borrow_mut().push(told.clone());
                    told
                });
                let own = told.1.iter().find(|row| row[0] == key);
                own.map_or(Value::Missing, |row| row[1].clone())
            }
            Node::InIntegers { value, set } => {
                truth(one(value).as_int().is_some_and(|n| set.contains(&n)))
            }
            Node::Rank(value) => match (&value.ty, one(value)) {
                (Type::Label(object, field), Value::Label(code)) => {
                    let field = self.context.catalog.object(*object).field(*field);
                    Value::Integer(field.label_rank(code).unwrap() as i64)
                }
                _ => Value::Missing,
            },
            Node::Arithmetic {
                operator,
                left,
                right,
            } => arithmetic(*operator, &one(left), &one(right), &expr.ty, clock),
            Node::Negate(value) => match one(value) {
                Value::Integer(n) => Value::Integer(-n),
                Value::Number(n) => Value::Number(-n),
                Value::Money(m) => Value::Money(Money::from_units(-m.units(), m.currency())),
                Value::Duration(d) => Value::Duration(Duration::from_seconds(-d.seconds())),
                _ => Value::Missing,
            },
            Node::Shift {
                value,
                months,
                days,
                seconds,
                times,
            } => {
                let times = times.as_ref().map_or(Value::Integer(1), |times| one(times));
                match (one(value), times) {
                    (Value::Date(day), Value::Integer(n)) => {
                        let day = day.add_months(months * n).unwrap();
                        Value::Date(day.add_days(days * n).unwrap())
                    }
                    (Value::DateTime(moment), Value::Integer(n)) => {
                        let (day, micros) = clock.local_of(moment);
                        let day = day.add_months(months * n).unwrap();
                        let day = day.add_days(days * n).unwrap();
                        let moved = clock.moment_at(day, micros).micros();
                        Value::DateTime(DateTime::from_micros(moved + seconds * n * 1_000_000))
                    }
                    _ => Value::Missing,
                }
            }
            Node::Work {
                value,
                days,
                seconds,
                times,
            } => match (
                one(value),
                times.as_ref().map_or(Value::Integer(1), |times| one(times)),
            ) {
                (Value::Date(day), Value::Integer(n)) => {
                    Value::Date(self.days_worked(day, days * n))
                }
                (Value::DateTime(moment), Value::Integer(n)) => {
                    let (day, micros) = clock.local_of(moment);
                    let day = self.days_worked(day, days * n);
                    let seconds = seconds * n;
                    let mut at = clock.moment_at(day, micros).micros();
                    let moved = self.remembered((at, seconds, true), || {
                        // Hour by hour: spans and moments of the tests are whole hours.
                        let mut left = seconds / 3600;
                        while left != 0 {
                            let next = at + 3_600_000_000 * left.signum();
                            if self.is_working(DateTime::from_micros(at.min(next))) {
                                left -= left.signum();
                            }
                            at = next;
                        }
                        at
                    });
                    Value::DateTime(DateTime::from_micros(moved))
                }
                _ => Value::Missing,
            },
            Node::Bucket { unit, value } => {
                let day = match one(value) {
                    Value::Date(day) => day,
                    Value::DateTime(moment) => clock.date_of(moment),
                    _ => return Value::Missing,
                };
                Value::Period(Period::of_unit(*unit, day, 0, clock).unwrap())
            }
            Node::ToBase { value, on } => {
                let day = on.as_deref().map_or(Value::Missing, one);
                self.exchanged(one(value), &day, clock.base)
            }
            Node::Convert { value, to, on } => {
                let day = on.as_deref().map_or(Value::Missing, one);
                self.exchanged(one(value), &day, *to)
            }
            Node::Cast(value) => cast(one(value), &expr.ty, clock),
            Node::Function {
                function,
                arguments,
            } => self.function(*function, arguments, at),
            Node::Stored {
                rule,
                object,
                record,
                depth,
            } => {
                let at = match one(record) {
                    Value::Reference(id) => Some(id),
                    Value::AnyReference(of, id) if of == *object => Some(id),
                    _ => None,
                };
                let call = Call {
                    object: *object,
                    truth: expr.ty == Type::BOOLEAN,
                    depth: *depth,
                    span: &expr.span,
                };
                let found = match (one(rule), at) {
                    (Value::Text(text), Some(id)) => {
                        let rule = call.expr(&text, self.context, &String::new).unwrap();
                        self.value(&rule, At::Record(*object, id))
                    }
                    _ => Value::Missing,
                };
                match call.truth {
                    true => truth(found == truth(true)),
                    false => found,
                }
            }
            node => panic!("not folded: {node:?}"),
        }
    }

    fn spans(&self, day: Date) -> Vec<(i64, i64)> {
        let of = |role| {
            let object = self.context.catalog.playing(role).unwrap();
            self.records[&object.id].iter().map(|(_, row)| row)
        };
        let holiday = |row: &Arc<Row>| *row.get(FieldId(0)) == Value::Date(day);
        if of(Role::Holidays).any(holiday) {
            return Vec::new();
        }
        of(Role::WorkingHours)
            .filter(|row| *row.get(FieldId(0)) == Value::Integer(day.weekday().into()))
            .map(|row| {
                let seconds = |field| row.get(FieldId(field)).as_int().unwrap();
                (seconds(1), seconds(2))
            })
            .collect()
    }

    /// Records repeat each other: what was worked out once is not again.
    fn remembered(&self, what: (i64, i64, bool), work: impl FnOnce() -> i64) -> i64 {
        if let Some(known) = self.worked.borrow().get(&what) {
            return *known;
        }
        let found = work();
        self.worked.borrow_mut().insert(what, found);
        found
    }

    fn is_working(&self, moment: DateTime) -> bool {
        let (day, micros) = self.context.clock.local_of(moment);
        let second = micros / 1_000_000;
        let within = |&(opens, closes): &(i64, i64)| opens <= second && second < closes;
        self.spans(day).iter().any(within)
    }

    fn days_worked(&self, mut day: Date, days: i64) -> Date {
        let mut left = days;
        while left != 0 {
            day = day.add_days(left.signum()).unwrap();
            if !self.spans(day).is_empty() {
                left -= left.signum();
            }
        }
        day
    }

    /// Seconds worked, day by day; the generated spans of a day do not overlap.
    fn worked(&self, from: DateTime, to: DateTime) -> i64 {
        if to < from {
            return -self.worked(to, from);
        }
        let clock = self.context.clock;
        let (mut day, last) = (clock.date_of(from), clock.date_of(to));
        let mut micros = 0;
        while day <= last {
            for (opens, closes) in self.spans(day) {
                let start = clock.moment_at(day, opens * 1_000_000).max(from);
                // The end of a day is the start of the next one.
                let end = clock.moment_at(day, closes * 1_000_000 - 1).micros() + 1;
                let end = DateTime::from_micros(end).min(to);
                micros += (end.micros() - start.micros()).max(0);
            }
            day = day.add_days(1).unwrap();
        }
        micros / 1_000_000
    }

    /// An amount in another currency, through base. The generated rates are exact as floats.
    fn exchanged(&self, value: Value, day: &Value, to: Currency) -> Value {
        let Value::Money(money) = value else {
            return Value::Missing;
        };
        let clock = self.context.clock;
        let day = match day {
            Value::Date(day) => *day,
            _ => clock.today(),
        };
        let rates = self.context.catalog.playing(Role::Rates).unwrap();
        let rate = |currency: Currency| {
            let mut best: Option<(Date, f64)> = None;
            for (_, row) in &self.records[&rates.id] {
                let field = |at| row.get(FieldId(at)).clone();
                let (Value::Text(name), Value::Date(from), Value::Number(rate)) =
                    (field(0), field(1), field(2))
                else {
                    continue;
                };
                let fits = Currency::new(&name) == Some(currency) && from <= day;
                if fits && best.is_none_or(|(known, _)| known <= from) {
                    best = Some((from, rate));
                }
            }
            best.unwrap().1
        };
        let mut units = money.units() as f64;
        if money.currency() != to {
            if money.currency() != clock.base {
                units = (units * rate(money.currency())).round();
            }
            if to != clock.base {
                units = (units / rate(to)).round();
            }
        }
        Value::Money(Money::from_units(units as i64, to))
    }

    fn function(&self, function: Function, arguments: &[Expr], at: At<'_>) -> Value {
        let clock = self.context.clock;
        if let (Function::If, [test, then, otherwise]) = (function, arguments) {
            let taken = if self.holds(test, at) {
                then
            } else {
                otherwise
            };
            return self.value(taken, at);
        }
        let values: Vec<Value> = arguments.iter().map(|expr| self.value(expr, at)).collect();
        let present = || values.iter().filter(|value| !value.is_missing()).cloned();
        let day = |value: &Value| match value {
            Value::Date(day) => Some(*day),
            Value::DateTime(moment) => Some(clock.date_of(*moment)),
            _ => None,
        };
        match (function, values.as_slice()) {
            (Function::Coalesce, _) => present().next().unwrap_or_default(),
            (Function::Least, _) => present().min_by(plain_order).unwrap_or_default(),
            (Function::Greatest, _) => present().max_by(plain_order).unwrap_or_default(),
            (Function::Abs, [Value::Integer(n)]) => Value::Integer(n.abs()),
            (Function::Abs, [Value::Number(n)]) => Value::Number(n.abs()),
            (Function::Abs, [Value::Money(m)]) => {
                Value::Money(Money::from_units(m.units().abs(), m.currency()))
            }
            (Function::Lower, [Value::Text(text)]) => Value::text(text.to_lowercase()),
            (Function::Upper, [Value::Text(text)]) => Value::text(text.to_uppercase()),
            (Function::Length, [Value::Text(text)]) => Value::Integer(text.chars().count() as i64),
            (Function::Weekday, [value]) => {
                day(value).map_or(Value::Missing, |d| Value::Integer(i64::from(d.weekday())))
            }
            (Function::MonthOfYear, [value]) => {
                day(value).map_or(Value::Missing, |d| Value::Integer(i64::from(d.ymd().1)))
            }
            (Function::Days, [from, to]) => match (day(from), day(to)) {
                (Some(from), Some(to)) => Value::Integer(i64::from(to.days() - from.days())),
                _ => Value::Missing,
            },
            (Function::Similar, [Value::Text(a), Value::Text(b)]) => Value::Number(alike(a, b)),
            (Function::Currency, [Value::Money(m)]) => Value::text(m.currency().to_string()),
            (Function::Round, [Value::Number(n), Value::Integer(digits)]) => {
                let scale = 10_f64.powi(i32::try_from(*digits).unwrap());
                Value::Number((n * scale).round() / scale)
            }
            (Function::BusinessHours, [Value::DateTime(from), Value::DateTime(to)]) => {
                let worked = self.remembered((from.micros(), to.micros(), false), || {
                    self.worked(*from, *to)
                });
                Value::Duration(Duration::from_seconds(worked))
            }
            (Function::PeriodStart, [Value::Period(p)]) => Value::Date(p.start()),
            (Function::PeriodEnd, [Value::Period(p)]) => Value::Date(p.end()),
            (_, values) if values.iter().any(Value::is_missing) => Value::Missing,
            (function, values) => panic!("the reference knows no {function:?} of {values:?}"),
        }
    }
}

/// Dice over the sets of trigrams of padded words.
fn alike(a: &str, b: &str) -> f64 {
    let trigrams = |text: &str| -> HashSet<String> {
        let folded = fold(text);
        let words = folded.split(|c: char| !c.is_alphanumeric());
        words
            .filter(|word| !word.is_empty())
            .flat_map(|word| {
                let padded: Vec<char> = format!("  {word} ").chars().collect();
                let cut: Vec<String> = padded.windows(3).map(|w| w.iter().collect()).collect();
                cut
            })
            .collect()
    };
    let (a, b) = (trigrams(a), trigrams(b));
    2.0 * a.intersection(&b).count() as f64 / (a.len() + b.len()) as f64
}

fn compares(comparison: Comparison, ordering: Ordering) -> bool {
    match comparison {
        Comparison::Equal => ordering.is_eq(),
        Comparison::Less => ordering.is_lt(),
        Comparison::LessEqual => ordering.is_le(),
        Comparison::Greater => ordering.is_gt(),
        Comparison::GreaterEqual => ordering.is_ge(),
    }
}

fn arithmetic(
    operator: Arithmetic,
    left: &Value,
    right: &Value,
    ty: &Type,
    clock: &Clock,
) -> Value {
    let (Some(a), Some(b)) = (number(left), number(right)) else {
        return Value::Missing;
    };
    let n = match operator {
        Arithmetic::Add => a + b,
        Arithmetic::Subtract => a - b,
        Arithmetic::Multiply => a * b,
        Arithmetic::Divide if b == 0.0 => return Value::Missing,
        Arithmetic::Divide => a / b,
    };
    match (left, right, ty) {
        // Differences of days are whole numbers.
        (Value::Date(_), Value::Date(_), Type::Plain(FieldType::Integer)) => {
            Value::Integer(n as i64)
        }
        // An amount times a number keeps its currency.
        (Value::Money(m), _, Type::Plain(FieldType::Money)) => {
            Value::Money(Money::from_units(n.round() as i64, m.currency()))
        }
        _ => from_number(ty, n, clock),
    }
}

fn cast(value: Value, ty: &Type, clock: &Clock) -> Value {
    match (&value, ty) {
        (Value::Integer(n), Type::Plain(FieldType::Number | FieldType::Percent)) => {
            Value::Number(*n as f64)
        }
        (Value::Integer(n), Type::Plain(FieldType::Money)) => {
            Value::Money(Money::from_units(n * Money::SCALE, clock.base))
        }
        (Value::Number(n), Type::Plain(FieldType::Money)) => {
            Value::Money(Money::from_number(*n, clock.base).unwrap())
        }
        (Value::Money(m), Type::Plain(FieldType::Number | FieldType::Percent)) => {
            Value::Number(m.amount())
        }
        (Value::Date(day), Type::Plain(FieldType::DateTime)) => {
            Value::DateTime(clock.start_of(*day))
        }
        (Value::DateTime(moment), Type::Plain(FieldType::Date)) => {
            Value::Date(clock.date_of(*moment))
        }
        (Value::Reference(id), Type::Plain(FieldType::AnyReference(objects))) => {
            Value::AnyReference(objects[0], *id)
        }
        _ => value,
    }
}
