//! Duplicates by comparing every record with every other.

use super::{At, Line, Reference};
use crate::query::bind::{Duplicates, Term};
use crate::query::exec::duplicates::plain;
use crate::value::{Trigrams, Value};

impl Reference<'_> {
    pub(super) fn duplicates(&self, duplicates: &Duplicates) -> Vec<Line> {
        let rows = self.rows(&duplicates.among);
        let form = |value: &Value| match value {
            Value::Text(text) => match &*plain(text) {
                "" => Value::Missing,
                text => Value::text(text),
            },
            value => value.clone(),
        };
        let term = |term: &Term, a: &[Value], b: &[Value]| {
            let (a, b) = (form(&a[term.column]), form(&b[term.column]));
            match (&a, &b) {
                (Value::Text(a), Value::Text(b)) if term.alike => {
                    Value::Number(Trigrams::of(a).similarity(&Trigrams::of(b)))
                }
                _ if term.alike => Value::Missing,
                _ => Value::Boolean(!a.is_missing() && a == b),
            }
        };
        let mut matched = vec![None; rows.len()];
        let mut groups: Vec<usize> = (0..rows.len()).collect();
        for a in 0..rows.len() {
            for b in 0..a {
                let terms = duplicates.terms.iter();
                let slots: Vec<Value> = terms.map(|t| term(t, &rows[a], &rows[b])).collect();
                let rules = duplicates.rules.iter().enumerate();
                for (number, rule) in rules {
                    if self.value(&rule.holds, At::Slots(&slots)) != Value::Boolean(true) {
                        continue;
                    }
                    for record in [a, b] {
                        let first = matched[record].map_or(number, |known| number.min(known));
                        matched[record] = Some(first);
                    }
                    let (low, high) = (groups[a].min(groups[b]), groups[a].max(groups[b]));
                    for group in &mut groups {
                        if *group == high {
                            *group = low;
                        }
                    }
                }
            }
        }
        let mut lines = Vec::new();
        let mut number = 0;
        for first in 0..rows.len() {
            let own: Vec<usize> = (0..rows.len()).filter(|&at| groups[at] == first).collect();
            if matched[first].is_none() || own.is_empty() {
                continue;
            }
            number += 1;
            for &record in &own {
                let rule = &duplicates.rules[matched[record].unwrap()];
                lines.push(Line::Slots(vec![
                    Value::Integer(number),
                    rows[record][0].clone(),
                    Value::text(&rule.words),
                    Value::Integer(own.len() as i64),
                    rows[first][0].clone(),
                ]));
            }
        }
        lines
    }
}
