//! `duplicates of`: pairs of records that a rule holds for, and the groups they make.
//!
//! Records with the same values of all that a rule compares are one *profile*: the rule says the
//! same of each, so that only profiles are compared. Which ones, the rule's ways tell (`pairs.rs`).

mod compared;
mod forest;
mod pairs;

use super::{Executor, Frame};
use crate::column::{Ints, Texts, Vector};
use crate::error::Result;
use crate::query::bind::{ColumnValue, Duplicates};
use compared::Compared;
#[cfg(test)]
pub(super) use compared::plain;
use forest::Forest;
use pairs::Search;

/// The clause that the memory is charged to.
const CLAUSE: &str = "duplicates";

impl Executor<'_> {
    /// The rows of [`Duplicates::columns`], group by group in the order of their first records.
    pub(super) fn duplicates(&self, duplicates: &Duplicates) -> Result<Frame> {
        let records = self.frame(&duplicates.among)?;
        let memory = &self.evaluator.memory;
        let mut charged = records.columns.iter().map(Vector::bytes).sum();
        memory.charge(charged, CLAUSE)?;
        let mut compared = Vec::new();
        for (column, vector) in duplicates
            .among
            .columns
            .iter()
            .zip(&records.columns)
            .skip(1)
        {
            self.context.interrupt.check()?;
            let shape = match &column.value {
                ColumnValue::Expr(value) => value.ty.shape(),
                ColumnValue::Nested(_) => continue,
            };
            let mut one = Compared::of(vector, shape);
            let column = compared.len() + 1;
            if duplicates
                .terms
                .iter()
                .any(|term| term.alike && term.column == column)
            {
                one.cut(self.context.interrupt)?;
            }
            charged += one.bytes();
            memory.charge(one.bytes(), CLAUSE)?;
            compared.push(one);
        }
        // By record the first rule that it has a partner by.
        let mut matched: Vec<Option<u32>> = vec![None; records.len];
        let mut groups = Forest::new(records.len);
        let bytes = (size_of::<Option<u32>>() + Forest::BYTES) * records.len;
        charged += bytes;
        memory.charge(bytes, CLAUSE)?;
        for (number, rule) in (0..).zip(&duplicates.rules) {
            let mut search = Search::new(self, duplicates, rule, &compared, records.len);
            let bytes = search.bytes();
            memory.charge(bytes, CLAUSE)?;
            for way in duplicates.ways(rule)? {
                search.along(&way)?;
            }
            search.finish(|record, partner| {
                matched[record as usize].get_or_insert(number);
                groups.join(record, partner);
            });
            memory.release(bytes);
        }
        let frame = self.grouped_rows(duplicates, &records, &mut groups, &matched);
        memory.release(charged);
        Ok(frame)
    }

    fn grouped_rows(
        &self,
        duplicates: &Duplicates,
        records: &Frame,
        groups: &mut Forest,
        matched: &[Option<u32>],
    ) -> Frame {
        // By group its records; records come by id, so the first is the one of the lowest.
        let mut members: Vec<Vec<u32>> = Vec::new();
        let mut number = vec![None; records.len];
        for (record, matched) in (0..).zip(matched) {
            if matched.is_none() {
                continue;
            }
            let root = groups.root(record) as usize;
            let group = *number[root].get_or_insert_with(|| {
                members.push(Vec::new());
                members.len() - 1
            });
            members[group].push(record);
        }
        let rows = || {
            let groups = members.iter().enumerate();
            groups.flat_map(|(at, group)| group.iter().map(move |&record| (at, group, record)))
        };
        let count = rows().count();
        let ints = |of: &dyn Fn(usize, &[u32]) -> i64| {
            let values: Vec<_> = rows().map(|(at, group, _)| Some(of(at, group))).collect();
            debug_assert_eq!(values.len(), count);
            Vector::Ints(Ints::from_options(values.into_iter()))
        };
        let own: Vec<_> = rows().map(|(_, _, record)| Some(record)).collect();
        let first: Vec<_> = rows().map(|(_, group, _)| Some(group[0])).collect();
        let words: Vec<_> = rows()
            .map(|(_, _, record)| {
                let rule = matched[record as usize]?;
                Some(duplicates.rules[rule as usize].words.as_str())
            })
            .collect();
        let columns = vec![
            ints(&|at, _| at as i64 + 1),
            records.columns[0].gather(&own),
            Vector::Texts(Texts::from_options(words.into_iter())),
            ints(&|_, group| group.len() as i64),
            records.columns[0].gather(&first),
        ];
        Frame {
            columns,
            len: count,
        }
    }
}
