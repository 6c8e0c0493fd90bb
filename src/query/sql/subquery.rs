//! Queries within a query, and the records of a hierarchy: what stands before the statement.

use super::fragment::{Level, Sql, Truth, name};
use super::frame::{Frame, Tables};
use super::parts::Part;
use super::select::parenthesised;
use super::translate::{Mode, Translator};
use super::value::width;
use crate::error::Result;
use crate::query::bind::{Expr, Node, Query, Subtree};
use crate::value::ObjectId;

impl Translator<'_> {
    /// The one value of a sub-query.
    pub(super) fn single(&self, query: &Query) -> Result<Vec<Sql>> {
        let relation = self.relation(query, Mode::List)?;
        let parts = relation.columns.first().map_or(&[][..], Vec::as_slice);
        let columns = parts.iter().filter(|part| matches!(part, Part::Column(_)));
        if columns.count() == 1 {
            let select = || Sql::atom(parenthesised(&relation.text));
            return Ok(parts
                .iter()
                .map(|part| match part {
                    Part::Column(_) => select(),
                    Part::Same(sql) => sql.clone(),
                })
                .collect());
        }
        let relation = self.relation(query, Mode::Rows)?;
        let alias = self.common("value", relation.text);
        let slots = self.slots(&alias, &relation.columns);
        let table = self.base_of(&alias);
        let part = |sql: &Sql| Sql::atom(format!("(SELECT {} FROM {table})", sql.text));
        Ok(slots[0].iter().map(part).collect())
    }

    /// The values of a sub-query's one column.
    pub(super) fn column_select(&self, query: &Query) -> Result<Sql> {
        let relation = self.relation(query, Mode::List)?;
        let ty = query.columns[0].ty();
        let all = relation.columns.first().map_or(&[][..], Vec::as_slice);
        if all.iter().all(|part| matches!(part, Part::Column(_))) {
            return Ok(Sql::atom(parenthesised(&relation.text)));
        }
        debug_assert_eq!(width(&ty), all.len());
        let relation = self.relation(query, Mode::Rows)?;
        let alias = self.common("list", relation.text);
        let slots = self.slots(&alias, &relation.columns);
        let texts: Vec<&str> = slots[0].iter().map(|sql| sql.text.as_str()).collect();
        Ok(Sql::atom(format!(
            "(SELECT {} FROM {})",
            texts.join(", "),
            self.base_of(&alias)
        )))
    }

    /// The name of a table of the ids below, or above, a record, itself included.
    pub(super) fn hierarchy(
        &self,
        frame: &Frame<'_>,
        root: &Expr,
        object: ObjectId,
        above: bool,
    ) -> Result<String> {
        let root = self.value(frame, root)?.remove(0);
        let table = self.relational.table(object);
        let definition = self.context.catalog.object(object);
        let Some(field) = definition.hierarchy_field() else {
            return Ok(name(&table.name));
        };
        let (id, parent) = (name(&table.id), name(&table.columns(field.id).parts[0]));
        let word = if above { "above" } else { "under" };
        let key = format!("{word} {} {}", object.0, root.text);
        if let Some((_, set)) = self.sets.borrow().iter().find(|(known, _)| *known == key) {
            return Ok(set.clone());
        }
        let set = name(&self.common_name(&format!("{}_{word}", table.name)));
        let start = match root.text.strip_prefix("(SELECT ") {
            Some(rest) => format!("SELECT {}", rest.strip_suffix(')').unwrap_or(rest)),
            None => format!("SELECT {}", root.text),
        };
        let next = match above {
            false => format!(
                "SELECT node.{id} FROM {} AS node JOIN {set} ON node.{parent} = {set}.id",
                name(&table.name)
            ),
            true => format!(
                "SELECT node.{parent} FROM {} AS node JOIN {set} ON node.{id} = {set}.id\n\
                 WHERE node.{parent} IS NOT NULL",
                name(&table.name)
            ),
        };
        let text = format!("{start}\nUNION\n{next}");
        self.with.borrow_mut().push((format!("{set}(id)"), text));
        self.recursive.set(true);
        self.sets.borrow_mut().push((key, set.clone()));
        Ok(set)
    }

    /// The name of a table of every node with each one above it, itself included.
    pub(super) fn tree(&self, object: ObjectId) -> Result<String> {
        let table = self.relational.table(object);
        let key = format!("tree {}", object.0);
        if let Some((_, tree)) = self.sets.borrow().iter().find(|(known, _)| *known == key) {
            return Ok(tree.clone());
        }
        let tree = name(&self.common_name(&format!("{}_tree", table.name)));
        let (own, id) = (name(&table.name), name(&table.id));
        let field = self.context.catalog.object(object).hierarchy_field();
        let parent = field.map_or_else(
            || id.clone(),
            |field| name(&table.columns(field.id).parts[0]),
        );
        let text = format!(
            "SELECT {id}, {id} FROM {own}\nUNION\n\
             SELECT {tree}.id, node.{parent}\nFROM {tree}\n\
             JOIN {own} AS node ON node.{id} = {tree}.above\nWHERE node.{parent} IS NOT NULL"
        );
        self.with
            .borrow_mut()
            .push((format!("{tree}(id, above)"), text));
        self.recursive.set(true);
        self.sets.borrow_mut().push((key, tree.clone()));
        Ok(tree)
    }

    /// That what hangs on a node belongs to a record: the node or one above it does.
    pub(super) fn hanging(
        &self,
        node: &Sql,
        subtree: &Subtree,
        (_, record): (ObjectId, &Sql),
    ) -> Result<Truth> {
        let tree = self.tree(subtree.object)?;
        let mut select = if matches!(subtree.owner.node, Node::Id) {
            let mut select = Tables::new(tree.clone()).select();
            let same = Sql::binary(
                &Sql::atom(format!("{tree}.above")),
                "=",
                record,
                Level::Compare,
            );
            select.require(Truth::open(same));
            select
        } else {
            let (tables, row) = self.open(subtree.object);
            let frame = Frame {
                tables: &tables,
                row,
            };
            let own = self.tie(&frame).sql;
            let parts = self.value(&frame, &subtree.owner)?;
            let mut select = tables.select();
            select
                .joins
                .insert(0, format!("JOIN {tree} ON {tree}.above = {}", own.text));
            let same = Sql::binary(&parts[0], "=", record, Level::Compare);
            select.require(Truth::open(same));
            select
        };
        select.columns = vec![format!("{tree}.id")];
        let text = format!("{} IN {}", node.at(Level::Sum), select.nested().text);
        Ok(Truth::open(Sql::new(text, Level::Compare)))
    }

    /// What `work` says with the values that are given to it.
    pub(super) fn giving<T>(
        &self,
        frame: &Frame<'_>,
        given: &[Expr],
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let values = given
            .iter()
            .map(|value| self.value(frame, value))
            .collect::<Result<Vec<_>>>()?;
        self.given.borrow_mut().push(values);
        let result = work();
        self.given.borrow_mut().pop();
        result
    }
}
