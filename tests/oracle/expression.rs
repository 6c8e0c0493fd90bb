//! Paths, conditions and values of a record, as text.

use super::Random;
use super::book::{NAMES, date, moment, money, period, quoted, small};
use super::fields::Kind::*;
use super::fields::{Kind, LEADS, collections, fields};

pub(crate) struct Writer<'r> {
    pub(crate) random: &'r mut Random,
}

impl Writer<'_> {
    pub(super) fn pick(&mut self, from: &[&'static str]) -> &'static str {
        self.random.pick(from)
    }

    /// A path from an object to a field of a kind that fits.
    pub(super) fn path(
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

    pub(super) fn of(&mut self, object: &str, kind: Kind) -> Option<String> {
        self.path(object, &|k| k == kind, 2).map(|(path, _)| path)
    }

    pub(super) fn comparison(&mut self) -> &'static str {
        self.pick(&["=", "!=", "<", "<=", ">", ">="])
    }

    /// A condition on one record of an object.
    pub(super) fn condition(&mut self, object: &str, depth: usize) -> String {
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

    pub(super) fn collection_condition(&mut self, object: &str, depth: usize) -> String {
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
    pub(super) fn led(&mut self, object: &str) -> Option<(String, &'static str)> {
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
    pub(super) fn collected(&mut self, object: &str, depth: usize) -> String {
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

    pub(super) fn plain_condition(&mut self, object: &str) -> String {
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

    pub(super) fn reference_condition(&mut self, path: &str, target: &str) -> String {
        let operator = self.pick(&["=", "!="]);
        match (target, self.random.below(5)) {
            ("regions", 0 | 1) => {
                let word = self.pick(&["under", "above", "not under"]);
                match self.random.below(3) {
                    0 => format!("{path}.parent {word} {path}"),
                    1 => format!("{path} {word} {path}.parent"),
                    _ => {
                        let code = self.pick(&["World", "West", "SW", "Mars"]);
                        format!("{path} {word} {code}")
                    }
                }
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

    pub(super) fn moved(&mut self) -> String {
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
    pub(super) fn moved_by_field(&mut self, object: &str) -> String {
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

    pub(super) fn unit(&mut self) -> &'static str {
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

    pub(super) fn time_span(&mut self) -> String {
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
    pub(super) fn number(&mut self, object: &str) -> String {
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
    pub(super) fn value(&mut self, object: &str) -> String {
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
                Some(path) => match self.random.below(5) {
                    0 => format!("{path} * 1.5"),
                    3 => format!("convert({path}, {})", self.pick(&["EUR", "GBP", "USD"])),
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
}
