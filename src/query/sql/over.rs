//! Aggregates over the collections of a group's records: selects beside those of the groups.

use super::fragment::{Level, Sql, Truth, heading, name};
use super::frame::Tables;
use super::group::Records;
use super::parts::Part;
use super::select::Select;
use super::translate::Translator;
use crate::error::Result;
use crate::query::bind::Group;

impl Translator<'_> {
    /// The groups with the aggregates over collections beside what a select gives of them.
    pub(super) fn with_collections(
        &self,
        group: &Group,
        records: &Records,
        names: &[Vec<Part>],
        groups: &Select,
        keys: &[String],
    ) -> Result<String> {
        let alias = name(&self.alias("keyed"));
        let table = name(&records.table);
        let same = keys
            .iter()
            .map(|key| format!("{table}.{key} IS NOT DISTINCT FROM {alias}.{key}"));
        let same: Vec<String> = same.collect();
        let mut columns = vec![format!("{alias}.*")];
        for (at, (aggregate, taken)) in group.aggregates.iter().zip(&records.aggregates).enumerate()
        {
            let (Some(over), Some(from)) = (&aggregate.over, &taken.from) else {
                continue;
            };
            let base = Sql::atom(format!("{table}.{}", from.text));
            let values = self.collected(over.object, aggregate, |inner| {
                let owner = (&over.owner, over.subtree.as_ref());
                let mut own = self.owned(inner, owner, (over.base, &base))?;
                let same = same
                    .iter()
                    .map(|text| Sql::new(text.clone(), Level::Compare));
                own.extend(same.map(Truth::exact));
                let mut reached = Tables::new(self.base_of(&records.table)).select();
                reached.columns = vec!["*".to_owned()];
                reached.filter = own;
                let reached = Sql::atom(format!("EXISTS {}", reached.nested().text));
                let mut all = vec![Truth::exact(reached)];
                if let Some(filter) = &over.filter {
                    all.extend(self.conjuncts(inner, filter)?);
                }
                Ok(all)
            })?;
            for (part, value) in names[group.keys.len() + at].iter().zip(values) {
                if let Part::Column(column) = part {
                    columns.push(format!("{} AS {}", value.text, heading(column)));
                }
            }
        }
        let select = Select {
            columns,
            from: format!("{} AS {alias}", groups.nested().text),
            ..Select::default()
        };
        Ok(select.text())
    }
}
