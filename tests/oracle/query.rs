//! Queries of every clause, as text.

use super::expression::Writer;
use super::fields::Kind::*;
use super::fields::{LEADS, collections};

impl Writer<'_> {
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

    pub(super) fn filter(&mut self, object: &str) -> String {
        match self.random.chance(75) {
            true => format!(" where {}", self.condition(object, 2)),
            false => String::new(),
        }
    }

    /// A query of any sort.
    pub(crate) fn query(&mut self) -> String {
        match self.random.below(20) {
            0..=6 => self.rows(),
            7..=11 => self.grouped(),
            12 => self.rolled(),
            13 if self.random.chance(40) => self.every_period(),
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
    pub(super) fn aggregate(&mut self, object: &str) -> String {
        let filter = match self.random.chance(35) {
            true => format!(" where {}", self.condition(object, 1)),
            false => String::new(),
        };
        let numbers = |kind| matches!(kind, Whole | Number | Money | Duration);
        let number = self.path(object, &numbers, 1);
        let (any, _) = self
            .path(object, &|kind| !matches!(kind, Tags(_)), 1)
            .unwrap();
        match (self.random.below(14), number) {
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
            (12, Some((path, _))) => {
                let other = self
                    .path(object, &numbers, 1)
                    .map_or_else(|| path.clone(), |p| p.0);
                let function = self.pick(&["corr", "slope"]);
                format!("{function}({path}, {other}{filter})")
            }
            (13, Some((path, _))) => {
                let order = self.pick(&["", " by id desc"]);
                format!("list({path}{filter}{order})")
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
                let function = self.pick(&["min", "max", "list"]);
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

    pub(super) fn grouped(&mut self) -> String {
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

    /// The groups of all periods, of those asked for or those that the records have.
    fn every_period(&mut self) -> String {
        let object = self.object();
        let moments = self.random.chance(30);
        let Some(path) = self.of(object, if moments { Moment } else { Date }) else {
            return self.windows();
        };
        let unit = self.pick(&["week", "month", "quarter", "fiscal_quarter", "year"]);
        let filter = match self.random.below(4) {
            0 => self.filter(object),
            1 => format!(" where {path} in {}", self.time_span()),
            2 => {
                let condition = self.condition(object, 1);
                format!(" where {condition} and {path} in {}", self.time_span())
            }
            _ => String::new(),
        };
        let number = self.pick(&["weekday", "month_of_year"]);
        let second = match self.random.chance(30) {
            true => format!(", {number}({path}) as k2"),
            false => String::new(),
        };
        let totals = self.pick(&["empty", "empty", "totals, empty"]);
        let aggregate = self.aggregate(object);
        let columns = if second.is_empty() { "k1" } else { "k1, k2" };
        let group = format!("{unit}({path}) as k1{second} with {totals}");
        format!(
            "{object}{filter} group by {group} select {columns}, count() as n, {aggregate} as a"
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
            format!("quartile({number}) as q"),
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
            let with = self.pick(&["", "", " with totals", ", k with rollup"]);
            let (key, with) = match with.strip_prefix(", k") {
                Some(with) => (format!("{} as j, {key} as k", self.key(object)), with),
                None => (format!("{key} as k"), with),
            };
            return format!(
                "({object}{filter} group by {key}{with} select k, count() as n, {aggregate} as a){tail}"
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
        let leads: Vec<_> = LEADS.iter().filter(|(.., to)| *to == object).collect();
        if !leads.is_empty() && self.random.chance(30) {
            // Of what groups have in common.
            let (from, key, _) = leads[self.random.below(leads.len())];
            let filter = self.filter(from);
            let list = format!("{{ {a} as x, {b} as y{order}{limit} }} as inner");
            return match self.random.chance(50) {
                true => format!(
                    "{from}{filter} group by {key} select {key}, count() as n, {key}.{name}{inner} {list}"
                ),
                false => format!(
                    "({from}{filter} group by {key} as k select k, count() as n) select k, \
                     count(k.{name}) as n, k.{name}{inner} {list}"
                ),
            };
        }
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
                    false if self.random.chance(50) => {
                        let of = collected.replace("(outer.company.", "(about.");
                        format!("notes where about is company and {of} > 1 select id, {of} as n")
                    }
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
