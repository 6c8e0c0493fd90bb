//! Queries of every clause, as text.

use super::Random;
use super::book::{NAMES, date, moment, money, period, quoted, small};

/// What kind of value a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Whole,
    Number,
    Money,
    Text,
    Date,
    Moment,
    Period,
    Duration,
    Truth,
    Label(&'static [&'static str]),
    Tags(&'static [&'static str]),
    Reference(&'static str),
    Any,
}

use Kind::{
    Any, Date, Duration, Label, Moment, Money, Number, Period, Reference, Tags, Text, Truth, Whole,
};

const OUTCOMES: &[&str] = &["open", "won", "lost"];
const INDUSTRIES: &[&str] = &["retail", "finance", "health"];
const SOURCES: &[&str] = &["web", "event", "partner"];
const KINDS: &[&str] = &["call", "demo", "visit"];

pub(crate) fn fields(object: &str) -> &'static [(&'static str, Kind)] {
    match object {
        "stages" => &[
            ("name", Text),
            ("position", Whole),
            ("outcome", Label(OUTCOMES)),
            ("probability", Number),
        ],
        "regions" => &[("code", Text), ("parent", Reference("regions"))],
        "people" => &[
            ("name", Text),
            ("boss", Reference("people")),
            ("region", Reference("regions")),
            ("skills", Tags(&["falcon", "osprey", "kite"])),
            ("hired", Date),
            ("active", Truth),
        ],
        "companies" => &[
            ("name", Text),
            ("parent", Reference("companies")),
            ("industry", Label(INDUSTRIES)),
            ("size", Whole),
            ("score", Number),
            ("founded", Date),
            ("active", Truth),
            ("region", Reference("regions")),
            ("owner", Reference("people")),
            ("tags", Tags(&["vip", "risky", "partner"])),
            ("plan", Period),
            ("visit", Duration),
            ("city", Text),
            ("email", Text),
            ("big", Truth),
            ("per_head", Number),
        ],
        "deals" => &[
            ("name", Text),
            ("company", Reference("companies")),
            ("stage", Reference("stages")),
            ("owner", Reference("people")),
            ("amount", Money),
            ("cost", Money),
            ("opened", Date),
            ("closed", Date),
            ("touched", Moment),
            ("chance", Number),
            ("units", Whole),
            ("source", Label(SOURCES)),
            ("open", Truth),
            ("won", Truth),
            ("weighted", Money),
            ("age", Whole),
        ],
        "tasks" => &[
            ("subject", Text),
            ("deal", Reference("deals")),
            ("company", Reference("companies")),
            ("person", Reference("people")),
            ("due", Moment),
            ("done", Moment),
            ("minutes", Whole),
            ("kind", Label(KINDS)),
            ("urgent", Truth),
        ],
        _ => &[
            ("about", Any),
            ("body", Text),
            ("written", Date),
            ("stars", Whole),
        ],
    }
}

/// The collections of an object, and whose records they hold.
fn collections(object: &str) -> &'static [(&'static str, &'static str)] {
    match object {
        "regions" => &[
            ("children", "regions"),
            ("companies", "companies"),
            ("people", "people"),
            ("subtree", "regions"),
            ("subtree.companies", "companies"),
            ("companies.subtree.deals", "deals"),
        ],
        "people" => &[
            ("reports", "people"),
            ("companies", "companies"),
            ("deals", "deals"),
            ("tasks", "tasks"),
            ("companies.deals", "deals"),
            ("notes", "notes"),
            ("subtree.deals", "deals"),
        ],
        "companies" => &[
            ("subtree", "companies"),
            ("subtree.deals.tasks", "tasks"),
            ("children", "companies"),
            ("deals", "deals"),
            ("tasks", "tasks"),
            ("deals.tasks", "tasks"),
            ("notes", "notes"),
        ],
        "deals" => &[("tasks", "tasks"), ("notes", "notes")],
        "stages" => &[("deals", "deals"), ("deals.tasks", "tasks")],
        _ => &[],
    }
}

/// References to objects with collections: from whom, by which, to whom.
const LEADS: &[(&str, &str, &str)] = &[
    ("deals", "company", "companies"),
    ("deals", "owner", "people"),
    ("deals", "stage", "stages"),
    ("companies", "parent", "companies"),
    ("companies", "region", "regions"),
    ("people", "boss", "people"),
    ("people", "region", "regions"),
    ("tasks", "deal", "deals"),
    ("tasks", "deal.company", "companies"),
    ("regions", "parent", "regions"),
];

pub(crate) struct Writer<'r> {
    pub(crate) random: &'r mut Random,
}

impl Writer<'_> {
    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        self.random.pick(from)
    }

    /// A path from an object to a field of a kind that fits.
    fn path(
        &mut self,
        object: &str,
        fits: &dyn Fn(Kind) -> bool,
        depth: usize,
    ) -> Option<(String, Kind)> {
        let fields = fields(object);
        for _ in 0..8 {
            let (name, kind) = fields[self.random.below(fields.len())];
            if let Reference(target) = kind
                && depth > 0
                && self.random.chance(60)
            {
                if let Some((rest, kind)) = self.path(target, fits, depth - 1) {
                    return Some((format!("{name}.{rest}"), kind));
                }
                continue;
            }
            if fits(kind) {
                return Some((name.to_owned(), kind));
            }
        }
        None
    }

    fn of(&mut self, object: &str, kind: Kind) -> Option<String> {
        self.path(object, &|k| k == kind, 2).map(|(path, _)| path)
    }

    fn comparison(&mut self) -> &'static str {
        self.pick(&["=", "!=", "<", "<=", ">", ">="])
    }

    /// A condition on one record of an object.
    pub(crate) fn condition(&mut self, object: &str, depth: usize) -> String {
        match self.random.below(10) {
            0 if depth > 0 => format!(
                "({} and {})",
                self.condition(object, depth - 1),
                self.condition(object, depth - 1)
            ),
            1 if depth > 0 => format!(
                "({} or {})",
                self.condition(object, depth - 1),
                self.condition(object, depth - 1)
            ),
            2 if depth > 0 => format!("not ({})", self.condition(object, depth - 1)),
            3 | 4 if depth > 0 && !collections(object).is_empty() => {
                self.collection_condition(object, depth - 1)
            }
            _ => self.plain_condition(object),
        }
    }

    fn collection_condition(&mut self, object: &str, depth: usize) -> String {
        let all = collections(object);
        let (name, of) = all[self.random.below(all.len())];
        if self.random.chance(45) {
            let not = self.pick(&["", "not "]);
            let (name, of) = match self.led(object) {
                Some(led) if self.random.chance(25) => led,
                _ => (name.to_owned(), of),
            };
            return match self.random.chance(80) {
                true => format!("{not}exists({name} where {})", self.condition(of, depth)),
                false => format!("{not}exists({name})"),
            };
        }
        let number = self.collected(object, depth);
        let operator = self.comparison();
        format!("{number} {operator} {}", small(self.random, 6))
    }

    /// A collection behind a reference, and whose records it holds.
    fn led(&mut self, object: &str) -> Option<(String, &'static str)> {
        let leads: Vec<_> = LEADS.iter().filter(|(from, ..)| *from == object).collect();
        if leads.is_empty() {
            return None;
        }
        let (_, lead, to) = leads[self.random.below(leads.len())];
        let all = collections(to);
        let (name, of) = all[self.random.below(all.len())];
        Some((format!("{lead}.{name}"), of))
    }

    /// A number from a collection.
    fn collected(&mut self, object: &str, depth: usize) -> String {
        let all = collections(object);
        if all.is_empty() {
            return "1".to_owned();
        }
        let (name, of) = all[self.random.below(all.len())];
        let filter = match self.random.chance(50) {
            true => format!(" where {}", self.condition(of, depth)),
            false => String::new(),
        };
        let numeric = |kind| matches!(kind, Whole | Number);
        let number = self.path(of, &numeric, 1).map(|(path, _)| path);
        match (self.random.below(4), number) {
            (0, _) | (_, None) => format!("count({name}{filter})"),
            (1, Some(path)) => {
                let function = self.pick(&["sum", "avg", "min", "max", "median", "p90", "stddev"]);
                format!("{function}({name}.{path}{filter})")
            }
            (2, Some(path)) => {
                let function = self.pick(&["sum", "avg", "count", "min", "max"]);
                format!("{function}({name}.{path}{filter})")
            }
            (_, Some(path)) => {
                let function = self.pick(&["first", "last"]);
                let (by, _) = self.path(of, &|kind| !matches!(kind, Tags(_)), 1).unwrap();
                let down = self.pick(&["", " desc"]);
                format!("{function}({name}.{path}{filter} by {by}{down})")
            }
        }
    }

    fn plain_condition(&mut self, object: &str) -> String {
        let Some((path, kind)) = self.path(object, &|_| true, 2) else {
            return "true".to_owned();
        };
        if self.random.chance(8) {
            let word = self.pick(&["is empty", "is not empty", "= empty", "!= empty"]);
            return format!("{path} {word}");
        }
        let operator = self.comparison();
        match kind {
            Whole | Number => match self.random.below(6) {
                0 => {
                    let (a, b) = (small(self.random, 6), small(self.random, 9));
                    format!("{path} between {a} and {b}")
                }
                1 => {
                    let not = self.pick(&["", "not "]);
                    let (a, b) = (small(self.random, 6), small(self.random, 9));
                    format!("{path} {not}in ({a}, {b})")
                }
                2 => {
                    let other = self.number(object);
                    format!("{path} {operator} {other}")
                }
                _ => format!("{path} {operator} {}", small(self.random, 8)),
            },
            Money => match self.random.below(5) {
                0 => {
                    let other = self.of(object, Money).unwrap_or_else(|| "100".to_owned());
                    format!("{path} {operator} {other}")
                }
                1 => {
                    let other = self.of(object, Money).unwrap_or_else(|| "100".to_owned());
                    format!("{path} / {other} {operator} 50%")
                }
                2 => format!("{path} * 1.5 {operator} {}", money(self.random)),
                3 => format!("{path} in ({}, {})", money(self.random), money(self.random)),
                _ => format!("{path} {operator} {}", money(self.random)),
            },
            Text => {
                let name = self.random.pick(NAMES);
                match self.random.below(6) {
                    0 => {
                        let word = self.pick(&["~", "!~"]);
                        let part = self
                            .pick(&["ac", "e", "\u{c9}", "ss", "%", "_", "\\", "li", "Z\u{fc}"]);
                        format!("{path} {word} {}", quoted(part))
                    }
                    1 => {
                        let word = self.pick(&["like", "not like"]);
                        let part = self
                            .pick(&["ac*", "*e", "?cme*", "*%*", "x", "*", "stra??e", "*\u{e9}*"]);
                        format!("{path} {word} {}", quoted(part))
                    }
                    2 => {
                        let other = self.random.pick(NAMES);
                        format!("{path} in ({}, {})", quoted(name), quoted(other))
                    }
                    3 => {
                        let number = small(self.random, 9);
                        format!("length({path}) {operator} {number}")
                    }
                    _ => format!("{path} {operator} {}", quoted(name)),
                }
            }
            Date => match self.random.below(8) {
                0 | 1 => format!("{path} {operator} {}", date(self.random)),
                2 => {
                    let period = self.time_span();
                    let not = self.pick(&["", "not "]);
                    format!("{path} {not}in {period}")
                }
                3 => format!("{path} {operator} {}", period(self.random)),
                4 => {
                    let moved = match self.random.chance(40) {
                        true => self.moved_by_field(object),
                        false => self.moved(),
                    };
                    let other = self.of(object, Date).unwrap_or_else(|| "today".to_owned());
                    format!("{path} {moved} {operator} {other}")
                }
                5 => {
                    let unit = self.unit();
                    let other = self.of(object, Date).unwrap_or_else(|| "today".to_owned());
                    format!("{unit}({path}) = {unit}({other})")
                }
                6 => {
                    let other = self.of(object, Date).unwrap_or_else(|| "today".to_owned());
                    format!("{path} - {other} {operator} {}", small(self.random, 90))
                }
                _ => {
                    let function = self.pick(&["weekday", "month_of_year"]);
                    format!("{function}({path}) {operator} {}", 1 + self.random.below(7))
                }
            },
            Moment => match self.random.below(8) {
                0 | 1 => format!("{path} {operator} {}", date(self.random)),
                2 => {
                    let period = self.time_span();
                    format!("{path} in {period}")
                }
                3 => format!("{path} {operator} {}", period(self.random)),
                4 => format!("{path} {operator} {}", moment(self.random)),
                5 => {
                    let other = self.of(object, Moment).unwrap_or_else(|| "now".to_owned());
                    format!(
                        "{path} - {other} {operator} {} days",
                        self.random.below(200)
                    )
                }
                6 => {
                    let other = self.of(object, Date).unwrap_or_else(|| "today".to_owned());
                    format!("{path} {operator} {other}")
                }
                _ => {
                    let moved = match self.random.below(3) {
                        0 => "+ 30 hours".to_owned(),
                        1 => self.moved_by_field(object),
                        _ => self.moved(),
                    };
                    format!("{path} {moved} {operator} {}", moment(self.random))
                }
            },
            Period => match self.random.below(3) {
                0 => format!("{path} {operator} {}", period(self.random)),
                1 => format!("{path} in {}", period(self.random)),
                _ => format!("days({path}) {operator} {}", 20 + self.random.below(90)),
            },
            Duration => {
                let unit = self.pick(&["hours", "days"]);
                format!("{path} {operator} {} {unit}", self.random.below(20))
            }
            Truth => match self.random.below(4) {
                0 => format!("not {path}"),
                1 => format!("{path} = {}", self.pick(&["true", "false"])),
                2 => format!("{path} != {}", self.pick(&["true", "false"])),
                _ => path,
            },
            Label(labels) => {
                let label = self.random.pick(labels);
                match self.random.below(4) {
                    0 => {
                        let other = self.random.pick(labels);
                        let not = self.pick(&["", "not "]);
                        format!("{path} {not}in ({label}, {other})")
                    }
                    1 => format!("{path} ~ \"e\""),
                    _ => format!("{path} {operator} {label}"),
                }
            }
            Tags(labels) => {
                let word = self.pick(&["has", "not has"]);
                format!("{path} {word} {}", self.random.pick(labels))
            }
            Any => {
                let object = self.pick(&["company", "deal", "person"]);
                match self.random.below(3) {
                    0 => format!("{path} is not {object}"),
                    1 => format!("{path}.units > {}", small(self.random, 5)),
                    _ => format!("{path} is {object}"),
                }
            }
            Reference(target) => self.reference_condition(&path, target),
        }
    }

    fn reference_condition(&mut self, path: &str, target: &str) -> String {
        let operator = self.pick(&["=", "!="]);
        match (target, self.random.below(5)) {
            ("regions", 0 | 1) => {
                let word = self.pick(&["under", "above", "not under"]);
                let code = self.pick(&["World", "West", "SW", "Mars"]);
                format!("{path} {word} {code}")
            }
            ("people" | "companies", 0) => {
                let word = self.pick(&["under", "above"]);
                format!("{path} {word} #{}", self.random.below(3))
            }
            ("stages", 0 | 1) => {
                let order = self.comparison();
                let stage = self.pick(&["prospect", "qualify", "proposal", "won"]);
                format!("{path} {order} {stage}")
            }
            ("regions", 2) => format!("{path} {operator} {}", self.pick(&["west", "SW"])),
            ("stages", 2) => format!("{path} {operator} {}", self.pick(&["lost", "Won"])),
            (_, 3) => {
                let not = self.pick(&["", "not "]);
                let condition = self.condition(target, 0);
                format!("{path} {not}in ({target} where {condition})")
            }
            _ => format!("{path} {operator} #{}", self.random.below(4)),
        }
    }

    fn moved(&mut self) -> String {
        let sign = self.pick(&["+", "-"]);
        let count = 1 + self.random.below(14);
        let unit = self.pick(&["days", "weeks", "months", "quarters", "years"]);
        match self.random.below(8) {
            0 => format!("{sign} 2 * {count} {unit}"),
            1 => format!("{sign} ({count} {unit} - 3 days)"),
            _ => format!("{sign} {count} {unit}"),
        }
    }

    /// Moved by so many units as a field of the record says.
    fn moved_by_field(&mut self, object: &str) -> String {
        let unit = self.pick(&["day", "week", "month", "quarter"]);
        let sign = self.pick(&["+", "-"]);
        let count = self.of(object, Whole).unwrap_or_else(|| "3".to_owned());
        let count = format!("least(greatest({count}, -40), 40)");
        match self.random.chance(50) {
            true => format!("{sign} {count} * 1 {unit}"),
            false => {
                let condition = self.plain_condition(object);
                format!("{sign} if({condition}, 2 {unit}s, {count} * 1 week)")
            }
        }
    }

    fn unit(&mut self) -> &'static str {
        self.pick(&[
            "day",
            "week",
            "month",
            "quarter",
            "year",
            "fiscal_quarter",
            "fiscal_year",
        ])
    }

    fn time_span(&mut self) -> String {
        match self.random.below(3) {
            0 => {
                let which = self.pick(&["this", "last", "next"]);
                let unit = self.pick(&["week", "month", "quarter", "year", "fiscal year"]);
                format!("{which} {unit}")
            }
            1 => {
                let which = self.pick(&["last", "next"]);
                let unit = self.pick(&["days", "weeks", "months", "years"]);
                format!("{which} {} {unit}", 1 + self.random.below(9))
            }
            _ => period(self.random),
        }
    }

    /// A number of a record.
    pub(crate) fn number(&mut self, object: &str) -> String {
        let numeric = |kind| matches!(kind, Whole | Number);
        let Some((path, _)) = self.path(object, &numeric, 2) else {
            return "1".to_owned();
        };
        match self.random.below(10) {
            0 => format!("{path} + 2"),
            1 => format!("{path} * -3"),
            2 => format!("{path} / {}", self.number(object)),
            3 => format!("abs({path})"),
            4 => format!("round({path} / 3, 1)"),
            5 => format!("coalesce({path}, 7)"),
            6 => {
                let condition = self.plain_condition(object);
                format!("if({condition}, {path}, 4)")
            }
            7 => format!("least({path}, {}, 3)", self.number(object)),
            8 => format!("floor({path} / 2)"),
            _ => path,
        }
    }

    /// Any value of a record that has a column.
    fn value(&mut self, object: &str) -> String {
        match self.random.below(12) {
            0 | 1 => self.number(object),
            2 => {
                let condition = self.condition(object, 1);
                format!("({condition})")
            }
            3 if !collections(object).is_empty() => self.collected(object, 1),
            4 => match self.of(object, Date) {
                Some(path) => {
                    let moved = self.moved();
                    format!("{path} {moved}")
                }
                None => "today".to_owned(),
            },
            5 => match self.of(object, Date) {
                Some(path) => format!("{}({path})", self.unit()),
                None => "this month".to_owned(),
            },
            6 => match self.of(object, Money) {
                Some(path) => match self.random.below(4) {
                    0 => format!("{path} * 1.5"),
                    1 => format!("{path} / 3"),
                    2 => format!("round({path})"),
                    _ => format!("greatest({path}, 200)"),
                },
                None => "1".to_owned(),
            },
            7 => match self.of(object, Text) {
                Some(path) => format!("concat({path}, \"-\", {path})"),
                None => "\"a\"".to_owned(),
            },
            8 => match self.of(object, Moment) {
                Some(path) => format!("day({path})"),
                None => "2".to_owned(),
            },
            _ => self
                .path(object, &|_| true, 2)
                .map_or_else(|| "id".to_owned(), |(path, _)| path),
        }
    }

    fn order(&mut self, object: &str) -> String {
        if self.random.chance(30) {
            return String::new();
        }
        let keys: Vec<String> = (0..1 + self.random.below(2))
            .map(|_| {
                let sorts = |kind| !matches!(kind, Tags(_));
                let path = self
                    .path(object, &sorts, 2)
                    .map_or_else(|| "id".to_owned(), |p| p.0);
                let key = match self.random.below(6) {
                    0 => self.number(object),
                    _ => path,
                };
                format!("{key}{}", self.pick(&["", " asc", " desc"]))
            })
            .collect();
        format!(" order by {}", keys.join(", "))
    }

    fn limit(&mut self, object: &str) -> String {
        let count = self.random.below(7);
        match self.random.below(8) {
            0 => format!(" limit {count}"),
            1 => format!(" limit {count} with ties"),
            2 => format!(" limit {count} offset {}", self.random.below(5)),
            3 => format!(" limit {count} with ties offset {}", self.random.below(5)),
            4 | 5 => {
                let keys = |kind| !matches!(kind, Tags(_) | Any);
                let per = self
                    .path(object, &keys, 1)
                    .map_or_else(|| "id".to_owned(), |p| p.0);
                let ties = self.pick(&["", " with ties"]);
                let offset = self.pick(&["", "", " offset 2"]);
                format!(
                    " limit {} per {per}{ties}{offset}",
                    1 + self.random.below(3)
                )
            }
            _ => String::new(),
        }
    }

    fn object(&mut self) -> &'static str {
        self.pick(&[
            "deals",
            "deals",
            "deals",
            "companies",
            "companies",
            "tasks",
            "people",
            "notes",
            "regions",
            "stages",
        ])
    }

    fn filter(&mut self, object: &str) -> String {
        match self.random.chance(75) {
            true => format!(" where {}", self.condition(object, 2)),
            false => String::new(),
        }
    }

    /// A query of any sort.
    pub(crate) fn query(&mut self) -> String {
        match self.random.below(20) {
            0..=6 => self.rows(),
            7..=12 => self.grouped(),
            13 => self.windows(),
            14 => self.stacked(),
            15 | 16 => self.over(),
            17 => self.nested(),
            18 => self.named(),
            _ => self.views(),
        }
    }

    fn rows(&mut self) -> String {
        let object = self.object();
        let filter = self.filter(object);
        let columns: Vec<String> = (1..=1 + self.random.below(5))
            .map(|at| format!("{} as c{at}", self.value(object)))
            .collect();
        let select = match self.random.below(6) {
            0 => String::new(),
            1 => " select *".to_owned(),
            _ => format!(" select {}", columns.join(", ")),
        };
        format!(
            "{object}{filter}{select}{}{}",
            self.order(object),
            self.limit(object)
        )
    }

    fn key(&mut self, object: &str) -> String {
        match self.random.below(4) {
            0 => match self.of(object, Date) {
                Some(path) => format!("{}({path})", self.unit()),
                None => "1".to_owned(),
            },
            1 => {
                let condition = self.condition(object, 1);
                format!("({condition})")
            }
            _ => {
                let keys = |kind| !matches!(kind, Tags(_));
                self.path(object, &keys, 2)
                    .map_or_else(|| "id".to_owned(), |p| p.0)
            }
        }
    }

    /// An aggregate over a group.
    fn aggregate(&mut self, object: &str) -> String {
        let filter = match self.random.chance(35) {
            true => format!(" where {}", self.condition(object, 1)),
            false => String::new(),
        };
        let numbers = |kind| matches!(kind, Whole | Number | Money | Duration);
        let number = self.path(object, &numbers, 1);
        let (any, _) = self
            .path(object, &|kind| !matches!(kind, Tags(_)), 1)
            .unwrap();
        match (self.random.below(12), number) {
            (0, _) => match filter.is_empty() {
                true => "count()".to_owned(),
                false => format!("count({})", filter.trim_start()),
            },
            (1, _) => format!("count({any}{filter})"),
            (2, _) => format!("count(distinct {any}{filter})"),
            (3, _) => format!("share({})", self.condition(object, 1)),
            (4, _) => {
                let function = self.pick(&["first", "last"]);
                let (by, _) = self
                    .path(object, &|kind| !matches!(kind, Tags(_)), 1)
                    .unwrap();
                let down = self.pick(&["", " desc"]);
                format!("{function}({any}{filter} by {by}{down})")
            }
            (5, _) => {
                let listed = |kind| matches!(kind, Text | Whole | Reference(_) | Label(_));
                match self.path(object, &listed, 1) {
                    Some((path, _)) => format!("list({path}{filter})"),
                    None => "count()".to_owned(),
                }
            }
            (6, _) => {
                let function = self.pick(&["min", "max"]);
                let fits = |kind| !matches!(kind, Tags(_) | Any);
                let (path, _) = self.path(object, &fits, 1).unwrap();
                format!("{function}({path}{filter})")
            }
            (7, Some((path, _))) => {
                let function = self.pick(&["median", "p90", "p25", "stddev"]);
                format!("{function}({path}{filter})")
            }
            (8, _) if !collections(object).is_empty() => {
                let all = collections(object);
                let (name, of) = all[self.random.below(all.len())];
                self.gathered(name, of)
            }
            (9, _) if LEADS.iter().any(|(from, ..)| *from == object) => {
                let (name, of) = self.led(object).unwrap();
                self.gathered(&name, of)
            }
            (_, Some((path, _))) => {
                let function = self.pick(&["sum", "sum", "avg", "min", "max", "count"]);
                let distinct = self.pick(&["", "", "", "distinct "]);
                format!("{function}({distinct}{path}{filter})")
            }
            _ => "count()".to_owned(),
        }
    }

    /// An aggregate over a collection of a group's records.
    fn gathered(&mut self, name: &str, of: &str) -> String {
        let filter = match self.random.chance(40) {
            true => format!(" where {}", self.condition(of, 1)),
            false => String::new(),
        };
        let any = |kind| !matches!(kind, Tags(_) | Any);
        let (any, _) = self.path(of, &any, 1).unwrap();
        let number = self.path(of, &|kind| matches!(kind, Whole | Number | Money), 1);
        match (self.random.below(8), number) {
            (0, _) => format!("exists({name}{filter})"),
            (1, _) => format!("count(distinct {name}.{any}{filter})"),
            (2, _) => {
                let function = self.pick(&["first", "last"]);
                format!("{function}({name}.{any}{filter} by {any})")
            }
            (3, _) => {
                let function = self.pick(&["min", "max"]);
                format!("{function}({name}.{any}{filter})")
            }
            (4, Some((path, _))) => {
                let function = self.pick(&["median", "p90", "p25", "stddev"]);
                format!("{function}({name}.{path}{filter})")
            }
            (5 | 6, Some((path, _))) => {
                let function = self.pick(&["sum", "avg", "min", "max", "count"]);
                format!("{function}({name}.{path}{filter})")
            }
            _ => format!("count({name}{filter})"),
        }
    }

    fn grouped(&mut self) -> String {
        let object = self.object();
        let filter = self.filter(object);
        let count = self.random.below(4);
        let keys: Vec<String> = (1..=count)
            .map(|at| format!("{} as k{at}", self.key(object)))
            .collect();
        let mut columns: Vec<String> = (1..=count).map(|at| format!("k{at}")).collect();
        for at in 1..=1 + self.random.below(3) {
            let aggregate = self.aggregate(object);
            columns.push(format!("{aggregate} as a{at}"));
        }
        if self.random.chance(20) {
            columns.push("count() * 2 as twice".to_owned());
        }
        let with = match (self.random.below(8), count) {
            (_, 0) => "",
            (0, _) => " with totals",
            (1, _) => " with rollup",
            (4, _) => " with totals, rollup",
            (2, 1 | 2) => " with empty",
            (3, 1) => " with totals, empty",
            _ => "",
        };
        let by = match keys.is_empty() {
            true => String::new(),
            false => format!(" group by {}{with}", keys.join(", ")),
        };
        let having = match self.random.chance(20) && count > 0 {
            true => " having count() > 1",
            false => "",
        };
        let order = match self
            .random
            .below(if with.contains("rollup") { 2 } else { 4 })
        {
            0 if count > 0 => {
                let aggregate = match self.random.below(3) {
                    0 => "count()".to_owned(),
                    1 => format!("count({})", self.key(object)),
                    _ => "k1".to_owned(),
                };
                format!(" order by {aggregate}{}", self.pick(&["", " desc"]))
            }
            _ => String::new(),
        };
        let limit = match self.random.below(6) {
            0 if count > 0 => format!(" limit {}", self.random.below(5)),
            1 if count > 1 => format!(" limit {} per k1", 1 + self.random.below(2)),
            2 if count > 0 => format!(" limit {} with ties", 1 + self.random.below(4)),
            _ => String::new(),
        };
        format!(
            "{object}{filter}{by}{having} select {}{order}{limit}",
            columns.join(", ")
        )
    }

    fn windows(&mut self) -> String {
        let object = self.pick(&["deals", "tasks", "companies"]);
        let filter = self.filter(object);
        let number = self
            .path(object, &|kind| matches!(kind, Whole | Number | Money), 1)
            .map_or_else(|| "id".to_owned(), |p| p.0);
        let items = [
            format!("total({number}) as t"),
            "rank() as r".to_owned(),
            format!("running({number}) as u"),
            format!("previous({number}) as p"),
            format!("growth({number}) as g"),
        ];
        let some: Vec<String> = items
            .into_iter()
            .filter(|_| self.random.chance(60))
            .collect();
        let mut columns = vec!["id".to_owned()];
        columns.extend(some);
        format!(
            "{object}{filter} select {}{}{}",
            columns.join(", "),
            self.order(object),
            self.limit(object)
        )
    }

    fn stacked(&mut self) -> String {
        let branch = |writer: &mut Self| {
            let object = writer.object();
            let filter = writer.filter(object);
            let number = writer.number(object);
            let text = writer
                .of(object, Text)
                .unwrap_or_else(|| "\"none\"".to_owned());
            format!(
                "{object}{filter} select {text} as t, {number} * 1.0 as n{}{}",
                writer.order(object),
                writer.limit(object)
            )
        };
        let (a, b) = (branch(self), branch(self));
        format!("({a}) union ({b})")
    }

    fn over(&mut self) -> String {
        let object = self.object();
        if self.random.chance(50) {
            let filter = self.filter(object);
            let (key, aggregate) = (self.key(object), self.aggregate(object));
            let tail = self.pick(&[
                " select k, n, a",
                " where n > 1 select k, a order by n desc",
                " group by n select n, count() as c",
                " where k is not empty limit 3",
                " select sum(n) as s, count(k) as c",
            ]);
            return format!(
                "({object}{filter} group by {key} as k select k, count() as n, {aggregate} as a){tail}"
            );
        }
        let filter = self.filter(object);
        let (value, number) = (self.value(object), self.number(object));
        let (order, limit) = (self.order(object), self.limit(object));
        let tail = self.pick(&[
            "",
            " where n > 2",
            " select n + 1 as m, v order by m desc limit 4",
            " group by n select n, count(v) as c",
            " order by n limit 3 with ties",
        ]);
        format!("({object}{filter} select {value} as v, {number} as n{order}{limit}){tail}")
    }

    fn nested(&mut self) -> String {
        let object = self.pick(&["companies", "people", "deals", "regions"]);
        let filter = self.filter(object);
        let all = collections(object);
        let plain: Vec<_> = all.iter().filter(|(name, _)| *name != "notes").collect();
        let (name, of) = *plain[self.random.below(plain.len())];
        let inner = match self.random.chance(60) {
            true => format!(" where {}", self.condition(of, 1)),
            false => String::new(),
        };
        let fits = |kind| matches!(kind, Whole | Money | Text | Date | Truth | Reference(_));
        let (a, _) = self.path(of, &fits, 1).unwrap_or(("id".to_owned(), Whole));
        let (b, _) = self.path(of, &fits, 1).unwrap_or(("id".to_owned(), Whole));
        let order = self.order(of);
        let limit = self.pick(&["", " limit 2"]);
        format!(
            "{object}{filter} select id, {name}{inner} {{ {a} as x, {b} as y{order}{limit} }} as inner{}",
            self.order(object)
        )
    }

    fn named(&mut self) -> String {
        let object = self.pick(&["companies", "people", "regions", "deals"]);
        let (one, two) = (self.collected(object, 1), self.number(object));
        let filter = self.condition(object, 1);
        format!(
            "{object} let n = {one}, m = {two} where n >= 1 or ({filter}) select id, n, m, n + m as s{}{}",
            self.order(object),
            self.limit(object)
        )
    }

    fn views(&mut self) -> String {
        match self.random.below(11) {
            9 => {
                let filter = self.condition("tasks", 1);
                let collected = self
                    .collected("companies", 1)
                    .replace('(', "(outer.company.");
                match collected.contains(" where ") {
                    true => "notes where about not in (people) select id, stars".to_owned(),
                    false => format!(
                        "deals select id, (tasks where {filter} and minutes > {collected} select \
                         count()) as n, count(company.deals where units < {collected}) as m"
                    ),
                }
            }
            10 => {
                let object = self.pick(&["companies", "deals", "people"]);
                let filter = self.condition(object, 1);
                let not = self.pick(&["", "not "]);
                match self.random.chance(50) {
                    true => {
                        format!("notes where about {not}in ({object} where {filter}) select id")
                    }
                    false => format!(
                        "{object} where {filter} and this {not}in (notes where stars > 1 select \
                         about) select id"
                    ),
                }
            }
            6 => {
                let aggregate = self.pick(&["avg(units)", "max(units)", "count()"]);
                format!(
                    "deals where units >= (deals where company = outer.company and {} select \
                     {aggregate} as m) select id, units",
                    self.condition("deals", 0)
                )
            }
            7 => "deals where units in (deals where owner = outer.owner and id != outer.id select \
                 units) select id, owner"
                .to_owned(),
            8 => {
                let order = self.order("tasks");
                format!(
                    "deals select id, (tasks where deal = outer.this{order} limit 1) as t, \
                     count(company.deals where units > outer.units) as more"
                )
            }
            0 => format!("open_deals{}", self.filter("deals")),
            1 => format!("large({}) order by amount", self.random.below(500)),
            2 => {
                let filter = self.condition("companies", 1);
                format!("deals where company in (companies where {filter}) select name, company")
            }
            3 => {
                let filter = self.condition("deals", 1);
                format!("deals where units in (deals where {filter} select units) select id, units")
            }
            4 => {
                let order = self.order("companies");
                format!(
                    "deals where company = (companies where size > 2{order} limit 1) select id, amount"
                )
            }
            _ => {
                let number = self.pick(&["avg(amount)", "max(amount)", "sum(cost)"]);
                format!("deals where amount > (deals select {number} as n) select id, amount")
            }
        }
    }
}
